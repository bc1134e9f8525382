"""Doors of money that is not (or not yet) a donation: suspense with its ages, other income."""

from datetime import date
from typing import Annotated, Literal

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter
from pydantic import BaseModel, Field

from api.admin.answers import Answer, GiftAnswer, as_command, carry_out, writes
from api.admin.donors import Donor
from api.admin.money import Corrects, Door, Part
from api.admin.resources import Clerk
from api.fields import (
    Agreement,
    CampaignId,
    Day,
    EventId,
    Evidence,
    Fen,
    FundId,
    Id,
    Input,
    OptionalText,
    Org,
    Reason,
    Seq,
    example,
)
from api.problems import described
from ledger.account import MAX_POSITION
from ledger.exchange import SettleExchange
from ledger.fees import ChargeFee
from ledger.income import ReceiveIncome
from ledger.store.clock import Clock, today
from ledger.store.queries.suspense import read_suspense
from ledger.store.vault import Gift
from ledger.suspense import ReceiveUnidentified, ReturnSuspense

Channel = Annotated[Id, Field(description="渠道：bank、cash、wechat、alipay 等", examples=["bank"])]
ChannelRef = Annotated[OptionalText, Field(description="渠道流水号：同一渠道内不得重复")]


class NewUnidentified(Input):
    """到账但还不知道是谁的钱。"""

    org: Org
    amount_fen: Fen
    channel: Channel
    channel_ref: ChannelRef = ""
    on: Day
    corrects: Corrects = 0


class NewIdentification(Input):
    """查明一笔待查款（或其中一部分）是谁的捐款。"""

    org: Org = Field(examples=["330824"])
    ref: Seq = Field(description="待查款条目的序号", examples=[119])
    fund: FundId = Field(examples=["county-aid"])
    amount_fen: Fen = Field(examples=[1_200])
    channel: Channel
    channel_ref: ChannelRef = ""
    on: Day
    donor_class: Literal["person", "organisation", "unknown"] = Field("unknown", description="捐赠人类型")
    donor: Donor = Donor()
    event: EventId = ""
    campaign: CampaignId = ""
    agreement: Agreement = ""


class NewSuspenseReturn(Input):
    """把一笔待查款退回来处。"""

    org: Org = Field(examples=["330824"])
    ref: Seq = Field(description="待查款条目的序号", examples=[119])
    on: Day
    reason: Reason
    amount_fen: Part = 0
    evidence: Evidence = ()


class NewIncome(Input):
    """不是捐款的收入。"""

    org: Org
    fund: FundId
    amount_fen: Fen
    source: Literal["dues", "exchange", "government", "interest", "lottery", "upper"] = Field(
        description="dues 会费、exchange 汇兑收益、government 财政、interest 利息、lottery 彩票公益金、upper 上级拨款"
    )
    on: Day
    channel: Channel = "bank"
    channel_ref: ChannelRef = ""
    note: OptionalText = Field("", description="说明，将公开")
    corrects: Corrects = 0


class NewFee(Input):
    """平台事后扣除的手续费。"""

    org: Org
    fund: FundId = Field(examples=["online"])
    amount_fen: Fen = Field(examples=[1_000])
    channel: Channel = Field(examples=["alipay"])
    on: Day
    reason: Reason
    evidence: Evidence = ()
    corrects: Corrects = 0


class NewSettlement(Input):
    """一笔外币捐款结汇后少于入账的差额。"""

    org: Org
    ref: Seq = Field(description="外币捐款条目的序号", examples=[86])
    amount_fen: Fen
    on: Day
    reason: Reason
    evidence: Evidence = ()
    corrects: Corrects = 0


class Waiting(BaseModel):
    """一笔还没有查明的钱。"""

    seq: int = Field(description="待查款条目的序号", examples=[119])
    org: str = Field(description="组织编号")
    channel: str = Field(description="渠道")
    on: date = Field(description="到账日期（北京时间）")
    age_days: int = Field(description="账龄（天）")
    amount_fen: int = Field(description="到账金额（分）")
    left_fen: int = Field(description="尚未查明的金额（分）")


class SuspenseList(BaseModel):
    """待查款，最早的在前。"""

    total_fen: int = Field(description="合计（分）")
    items: list[Waiting]
    next: int | None = Field(description="下一页的 after；没有更多则为空")


@writes("/api/v1/unidentified", "登记待查款", "待查款")
async def receive_unidentified(
    request: Door, data: JSONBody[NewUnidentified], clerk: NamedDependency[Clerk]
) -> Response[Answer]:
    """钱已到账，不知是谁的：先入待查，不计入捐款。"""
    command = ReceiveUnidentified(
        maker=clerk.staff,
        org=data.org,
        amount_fen=data.amount_fen,
        channel=data.channel,
        on=data.on,
        ref=clerk.resources.keys.ref(data.org, data.channel, data.channel_ref),
        corrects=data.corrects,
    )
    return await carry_out(request, clerk, command)


@writes("/api/v1/identifications", "核实待查款", "待查款")
async def identify_money(
    request: Door, data: JSONBody[NewIdentification], clerk: NamedDependency[Clerk]
) -> Response[GiftAnswer]:
    """从此是一笔捐款：得到收据编号，用同一幂等键重试得到同一编号。"""
    gift = Gift(
        maker=clerk.staff,
        org=data.org,
        fund=data.fund,
        amount_fen=data.amount_fen,
        channel=data.channel,
        channel_ref=data.channel_ref,
        on=data.on,
        donor_class=data.donor_class,
        identity=data.donor.identity(),
        event=data.event,
        campaign=data.campaign,
        agreement=data.agreement,
        suspense=data.ref,
    )
    return await carry_out(request, clerk, clerk.resources.sealer.seal(gift))  # type: ignore[return-value]  # a gift's


@writes("/api/v1/suspense-returns", "退回待查款", "待查款")
async def return_suspense(
    request: Door, data: JSONBody[NewSuspenseReturn], clerk: NamedDependency[Clerk]
) -> Response[Answer]:
    """退回来处；按审批规则可能须他人复核。"""
    return await carry_out(request, clerk, as_command(ReturnSuspense, data, clerk.staff))


@writes("/api/v1/income", "登记其他收入", "资金")
async def receive_income(request: Door, data: JSONBody[NewIncome], clerk: NamedDependency[Clerk]) -> Response[Answer]:
    """利息、财政、彩票公益金、会费、上级拨款：入基金，不计入捐款。"""
    command = ReceiveIncome(
        maker=clerk.staff,
        org=data.org,
        fund=data.fund,
        amount_fen=data.amount_fen,
        source=data.source,
        on=data.on,
        ref=clerk.resources.keys.ref(data.org, data.channel, data.channel_ref),
        note=data.note,
        corrects=data.corrects,
    )
    return await carry_out(request, clerk, command)


@writes("/api/v1/fees", "登记平台扣费", "资金")
async def charge_fee(request: Door, data: JSONBody[NewFee], clerk: NamedDependency[Clerk]) -> Response[Answer]:
    """平台事后扣除的手续费，先进先出；基金条款不允许则拒绝。"""
    return await carry_out(request, clerk, as_command(ChargeFee, data, clerk.staff))


@writes("/api/v1/exchange-settlements", "登记汇兑损失", "资金")
async def settle_exchange(
    request: Door, data: JSONBody[NewSettlement], clerk: NamedDependency[Clerk]
) -> Response[Answer]:
    """结汇后少于入账的差额，由该基金承担，先进先出；多出的登记为其他收入（exchange）。"""
    return await carry_out(request, clerk, as_command(SettleExchange, data, clerk.staff))


@get("/api/v1/suspense", summary="待查款账龄", tags=["待查款"], responses=described(401, 403))
async def list_suspense(
    clerk: NamedDependency[Clerk],
    org: Annotated[str, QueryParameter(description="组织编号", examples=example("330800"))],
    after: Annotated[
        int, QueryParameter(ge=-1, le=MAX_POSITION, description="从哪一条之后开始：上一页的 next", examples=example(20))
    ] = -1,
    limit: Annotated[int, QueryParameter(ge=1, le=100, examples=example(10))] = 50,
) -> SuspenseList:
    """还没有查明的钱，最早的在前，各自等了多少天。"""
    now = date.fromisoformat(today(Clock().at("")))
    async with clerk.resources.database.raw() as connection:
        found = await read_suspense(connection, org, after=after, limit=limit)
    items = [
        Waiting(
            seq=each.seq,
            org=org,
            channel=each.channel,
            on=each.on,
            age_days=(now - each.on).days,
            amount_fen=each.amount_fen,
            left_fen=each.left_fen,
        )
        for each in found.items
    ]
    return SuspenseList(total_fen=found.total_fen, items=items, next=found.next)


HANDLERS = [
    receive_unidentified,
    identify_money,
    return_suspense,
    receive_income,
    charge_fee,
    settle_exchange,
    list_suspense,
]
