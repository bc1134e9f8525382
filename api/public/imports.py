"""Sheets of gifts: which were approved, and what of them is still being entered."""

from litestar import Response, get
from litestar.di import NamedDependency
from pydantic import Field

from api.problems import described
from api.public.answers import FRESH, AsOf, Before, Limit, Shape
from ledger.account import MAX_POSITION
from ledger.store.database import Database
from ledger.store.queries.batches import read_batches, read_entering
from ledger.store.queries.head import read_head


class Batch(Shape):
    """一批导入的捐款。"""

    seq: int = Field(description="批准条目的序号")
    org: str = Field(description="组织编号")
    fund: str = Field(description="基金编号")
    channel: str = Field(description="渠道")
    rows: int = Field(description="批准的笔数")
    sum_fen: int = Field(description="批准的金额，单位：分")
    entered_rows: int = Field(description="已经入账的笔数")
    entered_fen: int = Field(description="已经入账的金额，单位：分")
    completed_seq: int | None = Field(description="录完条目的序号；为空表示正在录入")


class BatchList(Shape):
    """导入批次，新的在前。"""

    as_of: AsOf
    entering_rows: int = Field(description="正在录入的各批里，还有多少笔没有入账")
    entering_fen: int = Field(description="正在录入的各批里，还有多少金额没有入账，单位：分")
    items: list[Batch] = Field(description="本页的批次")
    next: int | None = Field(description="下一页的 before；没有更多则为空")


@get("/api/v1/imports", summary="导入批次", tags=["收支"], responses=described(503))
async def list_imports(
    database: NamedDependency[Database],
    before: Before = MAX_POSITION,
    limit: Limit = 50,
) -> Response[BatchList]:
    """批准了哪些批次、各录入了多少。还在录入的，查不到不等于没有收到。"""
    async with database.snapshot() as connection:
        head = await read_head(connection)
        entering = await read_entering(connection)
        found = await read_batches(connection, before=before, limit=limit + 1)
    answer = BatchList(
        as_of=AsOf.model_validate(head),
        entering_rows=entering.rows,
        entering_fen=entering.sum_fen,
        items=[Batch.model_validate(each) for each in found[:limit]],
        next=found[limit - 1].seq if len(found) > limit else None,
    )
    return Response(answer, headers=FRESH)
