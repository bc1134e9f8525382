"""Checkpoints and timestamps as lists: the signed notes, tokens and proofs themselves are files below /log/."""

from datetime import datetime
from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from pydantic import Field

from api.problems import ProblemError, answered
from api.public import permalinks
from api.public.answers import AsOf, Before, Limit, Seq, Shape
from ledger.account import MAX_POSITION
from ledger.store.database import Database
from ledger.store.queries.head import read_head
from ledger.store.queries.log import Published, read_checkpoints, read_first_over
from ledger.store.queries.stamps import Stamped, read_stamps


class PublishedCheckpoint(Shape):
    """一个已签名公布的检查点。最新的一个的原文在 /log/checkpoint。"""

    size: int = Field(description="它之下有多少条")
    root: str = Field(description="根哈希，十六进制")
    at: datetime = Field(description="公布的时刻")
    by: list[str] = Field(description="签名各行的名称：账本自己，和会签的见证机构；后来的会签会加上")


class CheckpointList(Shape):
    """已公布的检查点，新的在前。"""

    as_of: AsOf
    items: list[PublishedCheckpoint] = Field(description="本页的检查点")
    next: int | None = Field(description="下一页的 before；没有更多则为空")


class Stamp(Shape):
    """账外一家机构对一个检查点的时间戳（RFC 3161）。签名是谁的，请用机构的证书自己核对。"""

    seq: int = Field(description="账本条目序号")
    size: int = Field(description="检查点之下有多少条")
    root: str = Field(description="检查点的根哈希，十六进制")
    authority: str = Field(description="时间戳机构，条目里所写的名称")
    at: datetime | None = Field(description="机构的时刻；令牌读不出的为空")
    token: str = Field(description="令牌（DER）的地址", examples=["/log/stamps/137"])


class StampList(Shape):
    """记入账本的时间戳，新的在前。"""

    as_of: AsOf
    items: list[Stamp] = Field(description="本页的时间戳")
    next: int | None = Field(description="下一页的 before；没有更多则为空")


@get(
    "/api/v1/checkpoints",
    summary="检查点列表",
    tags=["核验"],
    responses=answered(CheckpointList, "检查点", 503),
    exact_bytes=True,
)
async def list_checkpoints(
    database: NamedDependency[Database],
    before: Before = MAX_POSITION,
    limit: Limit = 50,
) -> Response[bytes]:
    """公布过哪些检查点：条数、根哈希、时刻、谁签了名。后一个包含前一个的全部条目，见 /log/consistency。"""
    async with database.snapshot() as connection:
        head = await read_head(connection)
        found = await read_checkpoints(connection, limit + 1, before=before)
    answer = CheckpointList(
        as_of=AsOf.model_validate(head),
        items=[_checkpoint(each) for each in found[:limit]],
        next=found[limit - 1].size if len(found) > limit else None,
    )
    return permalinks.stated(answer)


@get(
    "/api/v1/entries/{seq:int}/checkpoint",
    summary="一条账的第一个检查点",
    tags=["核验"],
    responses=answered(PublishedCheckpoint, "检查点", 404, 503),
    exact_bytes=True,
)
async def get_first_checkpoint(seq: Seq, database: NamedDependency[Database]) -> Response[bytes]:
    """最早包含这一条的检查点：引用截至这一条的数据时，写它的条数和根哈希。"""
    async with database.raw() as connection:
        found = await read_first_over(connection, seq)
    if found is None:
        raise ProblemError("not-published")
    return permalinks.stated(_checkpoint(found))


@get(
    "/api/v1/stamps",
    summary="时间戳列表",
    tags=["核验"],
    responses=answered(StampList, "时间戳", 503),
    exact_bytes=True,
)
async def list_stamps(
    database: NamedDependency[Database],
    before: Before = MAX_POSITION,
    limit: Limit = 50,
) -> Response[bytes]:
    """账外的机构在什么时刻见过哪个检查点。"""
    async with database.snapshot() as connection:
        head = await read_head(connection)
        found = await read_stamps(connection, limit + 1, before=before)
    answer = StampList(
        as_of=AsOf.model_validate(head),
        items=[_stamp(each) for each in found[:limit]],
        next=found[limit - 1].seq if len(found) > limit else None,
    )
    return permalinks.stated(answer)


def _checkpoint(found: Published) -> PublishedCheckpoint:
    return PublishedCheckpoint(size=found.size, root=found.root.hex(), at=found.at, by=[*found.by])


def _stamp(found: Stamped) -> Stamp:
    return Stamp(
        seq=found.seq,
        size=found.size,
        root=found.root.hex(),
        authority=found.authority,
        at=found.at,
        token=f"/log/stamps/{found.seq}",
    )


HANDLERS: list[Any] = [list_checkpoints, get_first_checkpoint, list_stamps]
