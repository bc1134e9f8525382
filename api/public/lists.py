"""Lists of gifts, allocations, transfers and payments: a page as JSON, or all of it as a file."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from datetime import date
from operator import attrgetter
from typing import Annotated, Any

from litestar import Request, Response, get
from litestar.di import NamedDependency, Provide
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter
from pydantic import Field

from api.fields import example
from api.problems import ProblemError, answered
from api.public import downloads, permalinks, tables
from api.public.answers import AsOf, Limit, Shape
from api.public.asking import Channel, DonorClass, Entry, Event, Fund, Org, Project, Since, Until
from api.public.downloads import Whole
from api.public.permalinks import NOW
from ledger.account import MAX_POSITION
from ledger.opendata.table import Reference, Row, Table
from ledger.opendata.terms import Terms
from ledger.store.database import Database
from ledger.store.queries import lists
from ledger.store.queries.aggregates import read_scope
from ledger.store.queries.head import Head
from ledger.store.queries.lists import ListedEffect, ListedGift, Narrowing, Total

LeastFen = Annotated[
    int, QueryParameter(description="最低金额，单位：分", ge=0, le=MAX_POSITION, examples=example(10_000))
]
MostFen = Annotated[
    int, QueryParameter(description="最高金额，单位：分", ge=0, le=MAX_POSITION, examples=example(50_000_000))
]
After = Annotated[
    int,
    QueryParameter(description="从哪一条之后开始：上一页的 next", ge=-1, le=MAX_POSITION, examples=example(20)),
]


class Gift(Shape):
    """一笔捐款。"""

    seq: int = Field(description="账本条目序号")
    on: date = Field(description="捐赠日期（北京时间）")
    org: str = Field(description="组织编号")
    fund: str = Field(description="基金编号")
    event: str = Field(description="捐赠人所指的事件；没有则为空")
    channel: str = Field(description="渠道")
    donor_class: str = Field(description="捐赠人类别")
    amount_fen: int = Field(description="金额，单位：分")
    batch: int | None = Field(description="导入批次的条目序号；逐笔登记的为空")
    row: int | None = Field(description="在批次中的行号")
    refunded_fen: int = Field(description="其中已退回捐赠人的")
    voided_fen: int = Field(description="其中因登记有误已作废的")
    is_before_event: bool = Field(
        description="早于事件：捐赠日期早于事件发生日期。款项捐给长期接受捐款的基金，后来用于该事件，或在预警期间捐出"
    )
    reversed_by: int | None = Field(description="撤销它的更正条目；没有更正则为空。更正不从合计中减去，另列")


class _Effect(Shape):
    seq: int = Field(description="账本条目序号（分条的业务为第一条）")
    on: date = Field(description="业务日期（北京时间）")
    org: str = Field(description="组织编号")
    funds: list[str] = Field(description="出自哪些基金")
    amount_fen: int = Field(description="金额，单位：分；有筛选时为其中符合筛选的部分")
    undone_fen: int = Field(description="整笔业务后来收回、退回或更正的金额")
    decision: str = Field(description="集体决策文号")


class Allocation(_Effect):
    """一次分配。"""

    project: str = Field(description="项目编号")


class Transfer(_Effect):
    """一次转款。"""

    to: str = Field(description="收款组织编号")
    received_fen: int = Field(description="收款组织已收到的金额；其余在途或已退回")


class Payment(_Effect):
    """一次付款。"""

    project: str = Field(description="项目编号")
    confirmed_fen: int = Field(description="受助方签收相符的金额；短少、破损的不计")
    payee: str = Field(description="收款方；persons 表示受助群众")
    purpose: str = Field(description="用途")
    spending: str = Field(description="支出类型")
    region: str = Field(description="行政区划代码")
    beneficiaries: str = Field(description="受益人数；不足 5 人写作 1-4")


class _Page(Shape):
    as_of: AsOf
    href: str = Field(description="永久地址：永远是同样的答复")
    count: int = Field(description="整个列表有多少项")
    sum_fen: int = Field(description="整个列表的金额之和，单位：分")
    next: int | None = Field(description="下一页的 after；没有更多则为空")


class GiftPage(_Page):
    """捐款，按序号排列。"""

    items: list[Gift] = Field(description="本页的捐款")


class AllocationPage(_Page):
    """分配，按序号排列。"""

    items: list[Allocation] = Field(description="本页的分配")


class TransferPage(_Page):
    """转款，按序号排列。"""

    items: list[Transfer] = Field(description="本页的转款")


class PaymentPage(_Page):
    """付款，按序号排列。"""

    items: list[Payment] = Field(description="本页的付款")


class Asked(Shape):
    """What a list is narrowed to, before the organisation's tree is read."""

    org: str
    narrowing: Any
    address: dict[str, str | int]


def asked_of_effects(  # noqa: PLR0913, PLR0917  each narrows it
    org: Org = "",
    fund: Fund = "",
    project: Project = "",
    event: Event = "",
    since: Since = None,
    until: Until = None,
    least_fen: LeastFen = 0,
    most_fen: MostFen = MAX_POSITION,
) -> Asked:
    """Of entries that move money on."""
    only = {name: value for name, value in (("fund", fund), ("project", project), ("event", event)) if value}
    said = {"org": org, **only, "since": str(since or ""), "until": str(until or "")}
    bounds = {"least_fen": least_fen or "", "most_fen": most_fen if most_fen < MAX_POSITION else ""}
    narrowing = Narrowing(only=only, since=since, until=until, least_fen=least_fen, most_fen=most_fen)
    return Asked(org=org, narrowing=narrowing, address={**said, **bounds})


def asked_of_gifts(  # noqa: PLR0913, PLR0917  each narrows it
    org: Org = "",
    fund: Fund = "",
    project: Project = "",
    event: Event = "",
    channel: Channel = "",
    donor_class: DonorClass = "",
    since: Since = None,
    until: Until = None,
    least_fen: LeastFen = 0,
    most_fen: MostFen = MAX_POSITION,
) -> Asked:
    """Of gifts."""
    asked = asked_of_effects(org, fund, project, event, since, until, least_fen, most_fen)
    more = {name: value for name, value in (("channel", channel), ("donor_class", donor_class)) if value}
    narrowing = replace(asked.narrowing, only={**asked.narrowing.only, **more})
    return Asked(org=org, narrowing=narrowing, address={**asked.address, **more})


def _list(table: Table, page: type[_Page], item: type[Shape]) -> list[HTTPRouteHandler]:
    """The addresses of one list."""
    name, title, names = table.name, table.title, [*item.model_fields]
    path = f"/api/v1/{name}"
    asking = asked_of_gifts if name == "gifts" else asked_of_effects
    dependencies = {"asked": Provide(asking, sync_to_thread=False)}

    @get(
        path,
        operation_id=f"list_{name}",
        summary=title,
        description=f"{title}，按账本序号排列；可筛选。整个列表的项数和金额之和与各页一起给出。"
        f"Accept: text/csv 得到整个列表的 CSV，与 {name}.csv 相同。",
        tags=["列表"],
        responses=answered(page, title, 404, 503),
        dependencies=dependencies,
        exact_bytes=True,
    )
    async def listed(  # noqa: PLR0913, PLR0917
        request: Request[Any, Any, Any],
        database: NamedDependency[Database],
        asked: NamedDependency[Asked],
        terms: NamedDependency[Terms],
        as_of: Entry = NOW,
        after: After = -1,
        limit: Limit = 50,
    ) -> Response[Any]:
        if permalinks.wants_csv(request):
            return permalinks.negotiated(downloads.csv(request, table, await whole(database, asked, terms, as_of)))
        async with database.snapshot() as connection:
            head, narrowing = await _narrowed(connection, asked, as_of)
            found = await _read(connection, name, narrowing, head.seq, after, limit + 1)
            total = await _count(connection, name, narrowing, head.seq, is_head=as_of == NOW)
        paging = {"after": "" if after < 0 else after, "limit": limit}
        canonical = permalinks.address(path, {**asked.address, **paging}, head.seq)
        content = {
            "as_of": {"seq": head.seq, "at": head.at},
            "href": canonical,
            "count": total.rows,
            "sum_fen": total.sum_fen,
            "items": [dict(zip(names, _row(names, each), strict=True)) for each in found[:limit]],
            "next": found[limit - 1].seq if len(found) > limit else None,
        }
        headers = permalinks.caching(canonical, is_pinned=as_of != NOW)
        answer = Response(permalinks.encode(content), media_type="application/json", headers=headers)
        return permalinks.negotiated(answer)

    async def whole(
        database: NamedDependency[Database],
        asked: NamedDependency[Asked],
        terms: NamedDependency[Terms],
        as_of: Entry = NOW,
    ) -> Whole:
        async with database.snapshot() as connection:
            head, narrowing = await _narrowed(connection, asked, as_of)
            total = await _count(connection, name, narrowing, head.seq, is_head=as_of == NOW)

        async def chunks() -> AsyncGenerator[Sequence[Row]]:
            async for found in lists.every_row(database, name, narrowing, as_of=head.seq):
                yield [_row(names, each) for each in found]

        return Whole(
            head=head,
            is_pinned=as_of != NOW,
            total=total,
            asked=asked.address,
            chunks=chunks,
            licence=terms.licence.name,
        )

    return [listed, *downloads.handlers(table, Provide(whole), dependencies)]


async def _narrowed(connection: Any, asked: Asked, as_of: int) -> tuple[Head, Narrowing]:
    head = await permalinks.read_as_of(connection, as_of)
    only = {"org": asked.org, **asked.narrowing.only} if asked.org else asked.narrowing.only
    try:
        orgs, only = await read_scope(connection, only, as_of=head.seq)
    except LookupError as error:
        raise ProblemError("not-found", "没有这个组织") from error
    only.pop("org", None)
    return head, replace(asked.narrowing, orgs=orgs, only=only)


async def _read(  # noqa: PLR0913, PLR0917
    connection: Any, name: str, narrowing: Narrowing, as_of: int, after: int, limit: int
) -> Sequence[ListedGift] | Sequence[ListedEffect]:
    if name == "gifts":
        return await lists.read_gifts(connection, narrowing, as_of=as_of, after=after, limit=limit)
    return await lists.read_effects(connection, name, narrowing, as_of=as_of, after=after, limit=limit)


async def _count(connection: Any, name: str, narrowing: Narrowing, as_of: int, *, is_head: bool) -> Total:
    if name == "gifts":
        return await lists.count_gifts(connection, narrowing, as_of=as_of, is_head=is_head)
    return await lists.count_effects(connection, name, narrowing, as_of=as_of)


def _row(names: Sequence[str], each: ListedGift | ListedEffect) -> Row:
    if isinstance(each, ListedGift):
        found: Row = _of_gift(each)
        return found
    return [each.said[name] if name in each.said else getattr(each, name) for name in names]


_of_gift = attrgetter(*Gift.model_fields)
_SHAPES: dict[str, tuple[str, type[_Page], type[Shape], tuple[Reference, ...]]] = {
    "gifts": ("捐款", GiftPage, Gift, (tables.ORG, tables.FUND, tables.EVENT)),
    "allocations": ("分配", AllocationPage, Allocation, (tables.ORG, tables.PROJECT)),
    "transfers": ("转款", TransferPage, Transfer, (tables.ORG, tables.TO)),
    "payments": ("付款", PaymentPage, Payment, (tables.ORG, tables.PROJECT)),
}
TABLES: tuple[Table, ...] = tuple(
    tables.table(name, title, item, references=references) for name, (title, _, item, references) in _SHAPES.items()
)
HANDLERS: list[Any] = [each for of in TABLES for each in _list(of, *_SHAPES[of.name][1:3])]
