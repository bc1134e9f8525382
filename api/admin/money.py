"""Doors of donated money: gifts, allocations, payments, refunds, confirmations, feedback."""

from typing import Annotated, Any, Literal

from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import JSONBody
from pydantic import Field

from api.admin.answers import Answer, GiftAnswer, as_command, carry_out, writes
from api.admin.donors import Donor
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
    ProjectId,
    Reason,
    Seq,
    Text,
)
from ledger import account
from ledger.allocations import AllocateMoney, ReleaseMoney
from ledger.corrections import RedirectGift, RefundGift
from ledger.disbursements import ConfirmDelivery, DisburseMoney, PublishFeedback
from ledger.returns import ReturnMoney
from ledger.reversals import ReverseEntry
from ledger.store.vault import Gift

Beneficiaries = Annotated[str, Field(pattern=r"^(1-4|[5-9]|[1-9]\d{1,8})?$", description="受益人数；不足 5 人写 1-4")]
Part = Annotated[int, Field(ge=0, le=account.MAX_POSITION, description="金额（分）；0 表示剩余全部")]
Currency = Annotated[str, Field(pattern=r"^([A-Z]{3})?$", description="外币捐款的币种（ISO 4217），人民币不填")]
Original = Annotated[int, Field(ge=0, le=account.MAX_POSITION, description="原币金额，以其最小单位计")]
Rate = Annotated[
    str, Field(pattern=r"^((0|[1-9]\d{0,5})(\.\d{1,8})?)?$", description="银行结汇汇率：一单位原币折合人民币")
]
Corrects = Annotated[
    int,
    Field(
        ge=0,
        le=account.MAX_POSITION,
        description="更正哪一条已撤销的记录；不是更正则为 0。金额填正确的数，已流转的部分会自动扣除",
    ),
]
Door = Request[Any, Any, Any]


class NewGift(Input):
    """一笔捐款。"""

    org: Org
    fund: FundId
    amount_fen: Fen
    channel: Id = Field(description="渠道：bank、cash、wechat、alipay 等", examples=["bank"])
    channel_ref: OptionalText = Field("", description="渠道流水号：同一渠道内不得重复")
    on: Day
    donor_class: Literal["person", "organisation", "unknown"] = Field("unknown", description="捐赠人类型")
    donor: Donor = Donor()
    event: EventId = ""
    campaign: CampaignId = ""
    agreement: Agreement = ""
    currency: Currency = ""
    original: Original = 0
    rate: Rate = ""


class NewAllocation(Input):
    """把基金的钱分配给项目。"""

    org: Org
    fund: FundId
    project: ProjectId
    amount_fen: Fen
    on: Day
    decision: OptionalText = Field("", description="集体决策文号（三重一大）")
    corrects: Corrects = 0


class NewRelease(Input):
    """把一次分配中未用的部分退回基金。"""

    org: Org
    ref: Seq = Field(description="分配条目的序号", examples=[39])
    on: Day
    reason: Reason
    amount_fen: Part = 0


class NewDisbursement(Input):
    """从项目付款。"""

    org: Org
    project: ProjectId
    amount_fen: Fen
    spending: Literal["aid", "purchase", "campaign", "management"] = Field(description="支出类别")
    payee: Text = Field(description="收款单位名称；付给个人写 persons", examples=["persons"])
    purpose: Text = Field(description="用途", examples=["困难会员慰问"])
    on: Day
    beneficiaries: Beneficiaries = ""
    region: str = Field("", pattern=r"^(\d{6})?$", description="地区（行政区划代码）")
    decision: OptionalText = Field("", description="集体决策文号（三重一大）")
    evidence: Evidence = ()
    corrects: Corrects = 0


class NewReturn(Input):
    """收款方退回一笔付款中未用的部分。"""

    org: Org
    ref: Seq = Field(description="付款条目的序号", examples=[42])
    on: Day
    reason: Reason
    amount_fen: Part = 0
    evidence: Evidence = ()


class NewRefund(Input):
    """退还一笔捐款中未用的部分。"""

    org: Org
    ref: Seq = Field(description="捐款条目的序号", examples=[31])
    on: Day
    reason: Reason
    amount_fen: Part = 0
    evidence: Evidence = ()
    corrects: Corrects = 0


class NewRedirection(Input):
    """经捐赠人同意，改变一笔捐款中未用部分的用途。"""

    org: Org
    ref: Seq = Field(description="捐款条目的序号", examples=[130])
    fund: FundId = Field(description="改到哪个基金")
    on: Day
    reason: Reason
    consent: str = Field(
        "",
        pattern=r"^([0-9a-f]{64})?$",
        description="捐赠人同意书的 SHA-256；改到限定相同或更严的基金不需要",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    amount_fen: Part = 0
    evidence: Evidence = ()


class NewReversal(Input):
    """撤销一条登记有误的记录。"""

    org: Org
    ref: Seq = Field(
        description="原条目的序号：捐款（含待查款核实的）、待查款、其他收入、分配、付款、退款、扣费、汇兑损失、转出或收到转款",
        examples=[88],
    )
    on: Day
    reason: Reason
    statement: Text = Field(description="更正说明，将公开", examples=["原记录金额多记一位，现予更正。"])


class NewConfirmation(Input):
    """受助方签收。"""

    org: Org
    ref: Seq = Field(description="付款条目的序号", examples=[66])
    outcome: Literal["ok", "short", "damaged"] = Field(description="ok 如数、short 短缺、damaged 损坏")
    qty: Fen = Field(description="确认的数额（分）")
    on: Day
    evidence: Evidence = ()


class NewFeedback(Input):
    """反馈一笔付款的成效。"""

    org: Org
    ref: Seq = Field(description="付款条目的序号", examples=[42])
    text: Text = Field(description="成效，将公开", examples=["已发放到 60 户受灾家庭。"])
    on: Day
    beneficiaries: Beneficiaries = ""
    evidence: Evidence = ()


@writes("/api/v1/gifts", "登记捐款", "资金")
async def receive_gift(request: Door, data: JSONBody[NewGift], clerk: NamedDependency[Clerk]) -> Response[GiftAnswer]:
    """入账并得到收据编号。用同一幂等键重试得到同一编号。"""
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
        currency=data.currency,
        original=data.original,
        rate=data.rate,
    )
    return await carry_out(request, clerk, clerk.resources.sealer.seal(gift))  # type: ignore[return-value]  # a gift's


@writes("/api/v1/allocations", "分配资金", "资金")
async def allocate_money(
    request: Door, data: JSONBody[NewAllocation], clerk: NamedDependency[Clerk]
) -> Response[Answer]:
    """先进先出；按审批规则可能须他人复核。"""
    return await carry_out(request, clerk, as_command(AllocateMoney, data, clerk.staff))


@writes("/api/v1/releases", "退回分配", "资金")
async def release_money(request: Door, data: JSONBody[NewRelease], clerk: NamedDependency[Clerk]) -> Response[Answer]:
    """把一次分配中未用且未被占用的部分退回基金。"""
    return await carry_out(request, clerk, as_command(ReleaseMoney, data, clerk.staff))


@writes("/api/v1/disbursements", "付款", "资金")
async def disburse_money(
    request: Door, data: JSONBody[NewDisbursement], clerk: NamedDependency[Clerk]
) -> Response[Answer]:
    """从项目付款；按审批规则可能须他人复核。"""
    return await carry_out(request, clerk, as_command(DisburseMoney, data, clerk.staff))


@writes("/api/v1/returns", "收款方退款", "资金")
async def return_money(request: Door, data: JSONBody[NewReturn], clerk: NamedDependency[Clerk]) -> Response[Answer]:
    """回到付款时所出的项目账户，仍是原来那些捐赠人的钱；可分次退，合计不超过付款。"""
    return await carry_out(request, clerk, as_command(ReturnMoney, data, clerk.staff))


@writes("/api/v1/refunds", "退还捐款", "资金")
async def refund_gift(request: Door, data: JSONBody[NewRefund], clerk: NamedDependency[Clerk]) -> Response[Answer]:
    """退还一笔捐款中未用且未被占用的部分。"""
    return await carry_out(request, clerk, as_command(RefundGift, data, clerk.staff))


@writes("/api/v1/redirections", "改变捐款用途", "资金")
async def redirect_gift(
    request: Door, data: JSONBody[NewRedirection], clerk: NamedDependency[Clerk]
) -> Response[Answer]:
    """未用且未被占用的部分转到另一个基金；放宽限定须附捐赠人同意的凭证。"""
    return await carry_out(request, clerk, as_command(RedirectGift, data, clerk.staff))


@writes("/api/v1/reversals", "更正", "资金")
async def reverse_entry(request: Door, data: JSONBody[NewReversal], clerk: NamedDependency[Clerk]) -> Response[Answer]:
    """尚未流转的部分全部收回，原记录与更正说明都公开保留；须他人复核，每条只能更正一次。"""
    return await carry_out(request, clerk, as_command(ReverseEntry, data, clerk.staff))


@writes("/api/v1/confirmations", "签收", "资金")
async def confirm_delivery(
    request: Door, data: JSONBody[NewConfirmation], clerk: NamedDependency[Clerk]
) -> Response[Answer]:
    """登记受助方对一笔付款的签收。"""
    return await carry_out(request, clerk, as_command(ConfirmDelivery, data, clerk.staff))


@writes("/api/v1/feedback", "成效反馈", "资金")
async def publish_feedback(
    request: Door, data: JSONBody[NewFeedback], clerk: NamedDependency[Clerk]
) -> Response[Answer]:
    """公布一笔付款的成效。"""
    return await carry_out(request, clerk, as_command(PublishFeedback, data, clerk.staff))


HANDLERS = [
    receive_gift,
    allocate_money,
    release_money,
    disburse_money,
    return_money,
    refund_gift,
    redirect_gift,
    reverse_entry,
    confirm_delivery,
    publish_feedback,
]
