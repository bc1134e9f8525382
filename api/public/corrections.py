"""Corrections 更正: what was entered wrongly and taken back. Both stay visible."""

from collections.abc import AsyncGenerator, Sequence
from datetime import date
from typing import Any, NamedTuple

from litestar import Request, Response, get
from litestar.di import NamedDependency, Provide
from pydantic import Field

from api.problems import ProblemError, answered
from api.public import downloads, permalinks
from api.public.answers import AsOf, Before, Limit, Shape
from api.public.asking import Entry, Org, Since, Until
from api.public.downloads import Whole
from api.public.permalinks import NOW
from api.public.tables import ORG, table
from ledger.account import MAX_POSITION
from ledger.opendata.table import Row
from ledger.opendata.terms import Terms
from ledger.store.database import Database
from ledger.store.queries.aggregates import read_subtree
from ledger.store.queries.corrections import Only, every_correction, read_corrections, sum_corrections
from ledger.store.queries.head import Head
from ledger.store.queries.lists import Total


class Correction(Shape):
    """一次更正。原记录与更正记录都保留在账本里。"""

    seq: int = Field(description="更正条目的序号")
    ref: int = Field(description="原条目的序号")
    of: str = Field(description="原条目的类型", examples=["money.received"])
    org: str = Field(description="组织编号")
    on: date = Field(description="更正日期（北京时间）")
    ref_on: date = Field(description="原记录的日期（北京时间）")
    left_fen: int = Field(description="收回的金额，单位：分")
    moved_fen: int = Field(description="更正前已经流转、未收回的金额，单位：分")
    reason: str = Field(description="原因")
    statement: str = Field(description="更正说明")
    maker: str = Field(description="经办人代号")
    checkers: list[str] = Field(description="复核人代号")
    righted_by: int | None = Field(description="更正后的条目序号；只撤销、没有重新登记的为空")
    right_fen: int | None = Field(description="更正后的正确金额，单位：分；已流转的部分不再入账")


class CorrectionList(Shape):
    """更正列表，新的在前。"""

    as_of: AsOf
    href: str = Field(description="永久地址：永远是同样的答复")
    count: int = Field(description="整个列表有多少项")
    sum_fen: int = Field(description="整个列表收回的金额之和，单位：分")
    items: list[Correction] = Field(description="本页的更正")
    next: int | None = Field(description="下一页的 before；没有更多则为空")


class Asked(NamedTuple):
    """What the list is narrowed to, before the organisation's tree is read."""

    org: str
    since: date | None
    until: date | None

    @property
    def address(self) -> dict[str, str | int]:
        """As parameters."""
        return {"org": self.org, "since": str(self.since or ""), "until": str(self.until or "")}


def asked(org: Org = "", since: Since = None, until: Until = None) -> Asked:
    """Which corrections."""
    return Asked(org, since, until)


_ASKED = {"asked": Provide(asked, sync_to_thread=False)}


@get(
    "/api/v1/corrections",
    summary="更正",
    tags=["账本"],
    responses=answered(CorrectionList, "更正", 404, 503),
    dependencies=_ASKED,
    exact_bytes=True,
)
async def list_corrections(  # noqa: PLR0913, PLR0917
    request: Request[Any, Any, Any],
    database: NamedDependency[Database],
    asked: NamedDependency[Asked],
    terms: NamedDependency[Terms],
    as_of: Entry = NOW,
    before: Before = MAX_POSITION,
    limit: Limit = 50,
) -> Response[Any]:
    """登记有误而撤销的条目：改了什么、谁改的、何时、为什么。

    Accept: text/csv 得到整个列表的 CSV，与 corrections.csv 相同。
    """
    if permalinks.wants_csv(request):
        return permalinks.negotiated(downloads.csv(request, TABLE, await _whole(database, asked, terms, as_of)))
    async with database.snapshot() as connection:
        head, only = await _narrowed(connection, asked, as_of)
        end = head.seq + 1
        found = await read_corrections(connection, before=min(before, end), limit=limit + 1, only=only, as_of=head.seq)
        count, fen = await sum_corrections(connection, before=end, only=only)
    items = [Correction.model_validate(each) for each in found[:limit]]
    paging = {"before": "" if before == MAX_POSITION else before, "limit": limit}
    href = permalinks.address("/api/v1/corrections", {**asked.address, **paging}, head.seq)
    answer = CorrectionList(
        as_of=AsOf.model_validate(head),
        href=href,
        count=count,
        sum_fen=fen,
        items=items,
        next=items[-1].seq if len(found) > limit else None,
    )
    headers = permalinks.caching(href, is_pinned=as_of != NOW)
    content = permalinks.encode(answer.model_dump())
    return permalinks.negotiated(Response(content, media_type="application/json", headers=headers))


async def _whole(
    database: NamedDependency[Database],
    asked: NamedDependency[Asked],
    terms: NamedDependency[Terms],
    as_of: Entry = NOW,
) -> Whole:
    """All of them, the newest first."""
    async with database.snapshot() as connection:
        head, only = await _narrowed(connection, asked, as_of)
        total = Total(*await sum_corrections(connection, before=head.seq + 1, only=only))

    async def chunks() -> AsyncGenerator[Sequence[Row]]:
        async for found in every_correction(database, as_of=head.seq, only=only):
            yield [[*Correction.model_validate(each).model_dump().values()] for each in found]

    return Whole(
        head=head, is_pinned=as_of != NOW, total=total, asked=asked.address, chunks=chunks, licence=terms.licence.name
    )


TABLE = table("corrections", "更正", Correction, amount="left_fen", references=(ORG,))


async def _narrowed(connection: Any, asked: Asked, as_of: int) -> tuple[Head, Only]:
    head = await permalinks.read_as_of(connection, as_of)
    if not asked.org:
        return head, Only(None, asked.since, asked.until)
    orgs = await read_subtree(connection, asked.org, as_of=head.seq)
    if not orgs:
        raise ProblemError("not-found", "没有这个组织")
    return head, Only(orgs, asked.since, asked.until)


HANDLERS: list[Any] = [list_corrections, *downloads.handlers(TABLE, Provide(_whole), _ASKED)]
