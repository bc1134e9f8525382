"""The full list of gifts, and the sheets of gifts that are still being entered. Nobody is named."""

from datetime import date
from typing import Annotated, Literal

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from pydantic import Field

from api.problems import described
from api.public.answers import FRESH, AsOf, Limit, Shape
from ledger.account import MAX_POSITION
from ledger.store.database import Database
from ledger.store.queries.batches import read_batches, read_entering
from ledger.store.queries.donations import read_donations
from ledger.store.queries.figures import read_figures
from ledger.store.queries.head import read_head

AfterSeq = Annotated[int, QueryParameter(description="从哪一条之后开始：上一页的 next", ge=-1, le=MAX_POSITION)]


class Donation(Shape):
    """一笔捐款。不含任何姓名。"""

    seq: int = Field(description="账本条目序号", examples=[12077])
    on: date = Field(description="捐赠日期（北京时间）")
    amount_fen: int = Field(description="金额，单位：分", examples=[50000])
    org: str = Field(description="接收组织", examples=["330800"])
    fund: str = Field(description="捐给哪个基金", examples=["general"])
    channel: str = Field(description="渠道", examples=["wechat"])
    donor_class: Literal["person", "organisation", "unknown"] = Field(description="捐赠人类型")
    event: str = Field(description="为哪个事件捐赠；空表示没有指定")
    is_before_event: bool = Field(
        description="早于事件：捐赠日期早于事件发生日期。款项捐给长期接受捐款的基金，后来用于该事件，或在预警期间捐出"
    )
    reversed_by: int | None = Field(description="撤销它的更正条目；没有更正则为空。更正不从合计中减去，另列")


class DonationList(Shape):
    """全部捐款，按入账先后。逐页取到底，笔数与金额之和等于 gift_count 与 received_fen。"""

    as_of: AsOf
    gift_count: int = Field(description="全部捐款笔数")
    received_fen: int = Field(description="收到捐款合计，单位：分；只增不减")
    voided_fen: int = Field(description="其中因登记有误更正作废的金额，单位：分")
    entering_rows: int = Field(description="已经批准、正在录入的批次里，还有多少笔没有入账")
    entering_fen: int = Field(description="这些尚未入账的金额，单位：分；不在合计之中")
    items: list[Donation] = Field(description="本页的捐款")
    next: int | None = Field(description="下一页的 after；没有更多则为空")


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


@get("/api/v1/gifts", summary="全部捐款", tags=["收支"], responses=described(503))
async def list_gifts(
    database: NamedDependency[Database], after: AfterSeq = -1, limit: Limit = 50
) -> Response[DonationList]:
    """每一笔捐款：多少钱、哪一天、捐给谁。没有姓名，一分钱的也在内。"""
    async with database.snapshot() as connection:
        head = await read_head(connection)
        figures = await read_figures(connection)
        entering = await read_entering(connection)
        found = await read_donations(connection, after=after, limit=limit + 1)
    answer = DonationList(
        as_of=AsOf.model_validate(head),
        gift_count=figures.gift_count,
        received_fen=figures.received_fen,
        voided_fen=figures.voided_fen,
        entering_rows=entering.rows,
        entering_fen=entering.sum_fen,
        items=[Donation.model_validate(each) for each in found[:limit]],
        next=found[limit - 1].seq if len(found) > limit else None,
    )
    return Response(answer, headers=FRESH)


@get("/api/v1/imports", summary="导入批次", tags=["收支"], responses=described(503))
async def list_imports(
    database: NamedDependency[Database],
    before: Annotated[int, QueryParameter(description="上一页的 next", ge=0, le=MAX_POSITION)] = MAX_POSITION,
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


HANDLERS = (list_gifts, list_imports)
