"""Doors of transfers between organisations: sent, received, returned, and what is overdue."""

from datetime import date, timedelta
from typing import Annotated

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter
from pydantic import BaseModel, Field

from api.admin.answers import Answer, as_command, carry_out, writes
from api.admin.money import Corrects, Door, Part
from api.admin.resources import Clerk
from api.fields import Day, Fen, FundId, Input, OptionalText, Org, Reason, Seq, example
from api.problems import described
from ledger.account import MAX_POSITION
from ledger.store.clock import Clock, today
from ledger.store.queries.transit import read_transit
from ledger.transfers import ReceiveTransfer, ReturnTransfer, SendTransfer


class NewTransfer(Input):
    """把基金的钱转给另一个组织。"""

    org: Org
    fund: FundId
    to: Org = Field(description="收款组织编号", examples=["330802"])
    amount_fen: Fen
    on: Day
    decision: OptionalText = Field("", description="集体决策文号（三重一大）")
    corrects: Corrects = 0


class NewArrival(Input):
    """收到另一个组织转来的钱。"""

    org: Org
    ref: Seq = Field(description="对方转出条目的序号", examples=[111])
    fund: FundId = Field(description="入哪个基金：限定须与转出的基金相同或更严")
    on: Day
    amount_fen: Part = 0
    corrects: Corrects = 0


class NewTransferReturn(Input):
    """转出的钱退了回来。"""

    org: Org
    ref: Seq = Field(description="本组织转出条目的序号", examples=[111])
    on: Day
    reason: Reason
    amount_fen: Part = 0


class Underway(BaseModel):
    """一笔还没有被对方收到的转款。"""

    seq: int = Field(description="转出条目的序号")
    sender: str = Field(description="转出组织编号")
    receiver: str = Field(description="收款组织编号")
    on: date = Field(description="转出日期（北京时间）")
    age_days: int = Field(description="在途天数")
    amount_fen: int = Field(description="转出金额（分）")
    left_fen: int = Field(description="仍在途的金额（分）")


class TransitList(BaseModel):
    """在途转款，按序号排列。"""

    items: list[Underway]
    next: int | None = Field(description="下一页的 after；没有更多则为空")


@writes("/api/v1/transfers", "转出", "转款")
async def send_transfer(request: Door, data: JSONBody[NewTransfer], clerk: NamedDependency[Clerk]) -> Response[Answer]:
    """先进先出；对方收到以前在途，不再属于本组织的基金，也还不属于对方的。"""
    return await carry_out(request, clerk, as_command(SendTransfer, data, clerk.staff))


@writes("/api/v1/transfer-arrivals", "收到转款", "转款")
async def receive_transfer(
    request: Door, data: JSONBody[NewArrival], clerk: NamedDependency[Clerk]
) -> Response[Answer]:
    """捐赠人的限定随款到达；可分次收。"""
    return await carry_out(request, clerk, as_command(ReceiveTransfer, data, clerk.staff))


@writes("/api/v1/transfer-returns", "转款退回", "转款")
async def return_transfer(
    request: Door, data: JSONBody[NewTransferReturn], clerk: NamedDependency[Clerk]
) -> Response[Answer]:
    """回到转出的基金。"""
    return await carry_out(request, clerk, as_command(ReturnTransfer, data, clerk.staff))


@get("/api/v1/transit", summary="在途转款", tags=["转款"], responses=described(401, 403))
async def list_transit(
    clerk: NamedDependency[Clerk],
    older_than_days: Annotated[
        int, QueryParameter(ge=0, le=36500, description="只看在途至少这么多天的", examples=example(3))
    ] = 0,
    after: Annotated[
        int, QueryParameter(ge=-1, le=MAX_POSITION, description="从哪一条之后开始：上一页的 next", examples=example(20))
    ] = -1,
    limit: Annotated[int, QueryParameter(ge=1, le=100, examples=example(10))] = 50,
) -> TransitList:
    """转出而对方还没有收到的钱，各自在途多少天：超过约定天数的就是逾期。"""
    now = date.fromisoformat(today(Clock().at("")))
    async with clerk.resources.database.raw() as connection:
        found, following = await read_transit(
            connection, sent_until=now - timedelta(days=older_than_days), after=after, limit=limit
        )
    items = [
        Underway(
            seq=each.seq,
            sender=each.sender,
            receiver=each.receiver,
            on=each.on,
            age_days=(now - each.on).days,
            amount_fen=each.amount_fen,
            left_fen=each.left_fen,
        )
        for each in found
    ]
    return TransitList(items=items, next=following)


HANDLERS = [send_transfer, receive_transfer, return_transfer, list_transit]
