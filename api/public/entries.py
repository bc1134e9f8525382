"""Entries: as they are read, as they were hashed, and where their money came from."""

from datetime import date
from typing import Annotated, Any

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter
from pydantic import Field

from api.desk import Desk
from api.fields import example
from api.problems import ProblemError, answered, described
from api.public import permalinks
from api.public.answers import FRESH, IMMUTABLE, LOG_STATE, AsOf, Limit, Seq, Shape
from ledger import entries
from ledger.account import MAX_POSITION
from ledger.donations import GIFTS
from ledger.store.database import Database
from ledger.store.queries.entries import read_cited_by, read_reversal, read_written
from ledger.store.queries.head import read_head
from ledger.store.queries.log import LogState, read_progress
from ledger.store.queries.sources import read_sources

_SETTLED = {"Cache-Control": "public, max-age=3600"}
_NOT_YET = "账本还没有这一条"


class EntryLinks(Shape):
    """相关地址。"""

    bytes: str = Field(description="原始字节", examples=["/api/v1/entries/12077/bytes"])
    proof: str | None = Field(description="证明（.tlog-proof）；尚未公布则为空")
    receipt: str | None = Field(description="凭证文件：原始字节和证明在一起；尚未公布则为空")
    previous: str | None = Field(description="前一条")
    trace: str | None = Field(description="去向（捐款）")
    sources: str | None = Field(description="来源（分配、拨付、退回）")


class EntryAnswer(Shape):
    """账本的一条。"""

    seq: int = Field(description="账本条目序号")
    log_state: LogState = LOG_STATE
    sha256: str = Field(description="原始字节的 SHA-256；下一条的 prev")
    entry: dict[str, Any] = Field(description="条目内容，与原始字节逐项相同")
    links: EntryLinks


class SourceGift(Shape):
    """一笔捐款（或其他来源）在其中的部分。"""

    seq: int = Field(description="来源条目的序号")
    kind: str = Field(description="来源条目的类型：捐款，或其他收入", examples=["money.received"])
    on: date = Field(description="来源的日期（北京时间）")
    amount_fen: int = Field(description="这笔来源在其中的部分，单位：分")
    gift_amount_fen: int = Field(description="这笔来源的金额，单位：分")
    donor_name: str = Field("", description="公示的捐赠人名称；没有同意公示的为空")


class SourcesAnswer(Shape):
    """一笔业务的钱来自哪些捐款。各部分之和恒等于业务金额。"""

    as_of: AsOf
    seq: int = Field(description="账本条目序号（分条的业务为第一条）")
    kind: str = Field(description="条目类型")
    amount_fen: int = Field(description="业务金额，单位：分")
    gift_count: int = Field(description="来自多少笔捐款（含其他来源）")
    items: list[SourceGift] = Field(description="本页的捐款，按序号排列")
    next: int | None = Field(description="下一页的 after；没有更多则为空")


class CitingEntry(Shape):
    """后来提到它的一条。"""

    seq: int = Field(description="账本条目序号")
    kind: str = Field(description="条目类型", examples=["delivery.confirmed"])


class CitationsAnswer(Shape):
    """后来的哪些条提到这一条：批准、签收、反馈、退回、更正。"""

    as_of: AsOf
    seq: int = Field(description="账本条目序号")
    reversed_by: int | None = Field(description="撤销它的更正条目；没有更正则为空")
    items: list[CitingEntry] = Field(description="本页各条，按序号排列")
    next: int | None = Field(description="下一页的 after；没有更多则为空")


@get("/api/v1/entries/{seq:int}", summary="一条账", tags=["账本"], responses=described(404, 503))
async def get_entry(seq: Seq, database: NamedDependency[Database]) -> Response[EntryAnswer]:
    """条目内容、指纹和相关地址。"""
    async with database.snapshot() as connection:
        written = await read_written(connection, seq)
        progress = await read_progress(connection)
    if written is None:
        raise ProblemError("not-found", _NOT_YET)
    state = progress.state(seq)
    published = state is LogState.PUBLISHED
    entry: dict[str, Any] = msgspec.json.decode(written)
    here = f"/api/v1/entries/{seq}"
    given = entry["kind"] in GIFTS
    comes = given or all(src_lo < 0 for _, src_lo, *_ in entry.get("postings", ()))
    answer = EntryAnswer(
        seq=seq,
        log_state=state,
        sha256=entries.digest(written),
        entry=entry,
        links=EntryLinks(
            bytes=f"{here}/bytes",
            proof=f"/log/proof/{seq}" if published else None,
            receipt=f"{here}/receipt" if published else None,
            previous=f"/api/v1/entries/{seq - 1}" if seq else None,
            trace=f"{here}/trace" if given else None,
            sources=f"{here}/sources" if not comes else None,
        ),
    )
    return Response(answer, headers=_SETTLED if published else FRESH)


@get(
    "/api/v1/entries/{seq:int}/bytes",
    summary="一条账的原始字节",
    tags=["账本"],
    responses=answered(dict[str, Any], "条目的规范 JSON", 404, 503),
    exact_bytes=True,  # never compressed: the strong ETag is the digest of what is sent
)
async def get_entry_bytes(seq: Seq, database: NamedDependency[Database]) -> Response[bytes]:
    """与记账、计算指纹时逐字节相同的 JSON。ETag 就是它的 SHA-256。"""
    written = await _written(database, seq)
    return Response(written, media_type="application/json", headers=IMMUTABLE)


@get("/api/v1/entries/{seq:int}/sources", summary="来源", tags=["账本"], responses=described(404, 422, 503))
async def get_entry_sources(
    seq: Annotated[
        int, PathParameter(description="账本条目序号", ge=0, le=MAX_POSITION, examples=example(42))  # a payment
    ],
    desk: NamedDependency[Desk],
    after: Annotated[
        int,
        QueryParameter(description="从哪笔捐款之后开始：上一页的 next", ge=-1, le=MAX_POSITION, examples=example(25)),
    ] = -1,
    limit: Limit = 50,
) -> Response[SourcesAnswer]:
    """一笔分配、拨付或退回的钱来自哪些捐款。"""
    async with desk.database.snapshot() as connection:
        head = await read_head(connection)
        found = await read_sources(connection, seq, after=after, limit=limit)
    if found is None:
        raise ProblemError("not-found", "这一条没有动用捐款")
    names = await desk.public_names.of_all([each.seq for each in found.items])
    answer = SourcesAnswer(
        as_of=AsOf.model_validate(head),
        seq=found.seq,
        kind=found.kind,
        amount_fen=found.amount_fen,
        gift_count=found.gift_count,
        items=[
            SourceGift.model_validate(each).model_copy(update={"donor_name": names.get(each.seq, "")})
            for each in found.items
        ],
        next=found.next,
    )
    return Response(answer, headers=FRESH)


@get(
    "/api/v1/entries/{seq:int}/citations",
    summary="后来提到它的各条",
    tags=["账本"],
    responses=answered(CitationsAnswer, "后来提到它的各条", 404, 503),
    exact_bytes=True,
)
async def get_entry_citations(
    seq: Seq,
    database: NamedDependency[Database],
    after: Annotated[
        int, QueryParameter(description="从哪一条之后开始：上一页的 next", ge=-1, le=MAX_POSITION, examples=example(27))
    ] = -1,
    limit: Limit = 50,
) -> Response[bytes]:
    """账本只添不改：一条账后来怎么样了，由后来的条目说。"""
    async with database.snapshot() as connection:
        head = await read_head(connection)
        if seq > head.seq:
            raise ProblemError("not-found", _NOT_YET)
        reversed_by = await read_reversal(connection, seq)
        found = await read_cited_by(connection, seq, after=after, limit=limit + 1)
    answer = CitationsAnswer(
        as_of=AsOf.model_validate(head),
        seq=seq,
        reversed_by=reversed_by,
        items=[CitingEntry.model_validate(each) for each in found[:limit]],
        next=found[limit - 1].seq if len(found) > limit else None,
    )
    return permalinks.stated(answer)


async def _written(database: Database, seq: int) -> bytes:
    async with database.raw() as connection:
        written = await read_written(connection, seq)
    if written is None:
        raise ProblemError("not-found", _NOT_YET)
    return written


HANDLERS: list[Any] = [get_entry, get_entry_bytes, get_entry_sources, get_entry_citations]
