"""The right entry of a gift that was taken back: reference, donor and receipt code are taken over from the vault."""

from typing import Literal

from litestar import Response
from litestar.di import NamedDependency
from litestar.params import JSONBody
from pydantic import Field

from api.admin.answers import GiftAnswer, carry_out, writes
from api.admin.money import Currency, Door, Original, Rate
from api.admin.resources import Clerk
from api.fields import Agreement, CampaignId, Day, EventId, Fen, FundId, Input, Org, Seq
from api.problems import ProblemError
from ledger.entries import MoneyIdentified, MoneyReceived
from ledger.refusals import Unknown
from ledger.store.donors import ErasedError
from ledger.store.queries.entries import read_range
from ledger.store.vault import Gift


class RightGift(Input):
    """更正后的捐款：渠道、流水号、捐赠人和收据编号沿用原记录，不必再填。"""

    org: Org
    corrects: Seq = Field(description="已撤销的捐款条目的序号", examples=[95])
    fund: FundId
    amount_fen: Fen = Field(description="正确的金额（分）：已随原记录流转的部分会自动扣除")
    on: Day
    donor_class: Literal["person", "organisation", "unknown"] = Field("unknown", description="捐赠人类型")
    event: EventId = ""
    campaign: CampaignId = ""
    agreement: Agreement = Field("", description="书面捐赠协议的摘要；不填则沿用原记录的协议")
    currency: Currency = ""
    original: Original = 0
    rate: Rate = ""


@writes("/api/v1/right-gifts", "登记更正后的捐款", "资金")
async def receive_right_gift(
    request: Door, data: JSONBody[RightGift], clerk: NamedDependency[Clerk]
) -> Response[GiftAnswer]:
    """先撤销有误的记录，再登记正确的；原收据编号可以打开两条记录，每条只能更正一次。"""
    resources = clerk.resources
    async with resources.database.raw() as connection:
        found = await read_range(connection, data.corrects, data.corrects)
        if not found or not isinstance(wrong := found[0].body, MoneyReceived | MoneyIdentified):
            raise Unknown(f"entry {data.corrects} is no gift", corrects=data.corrects)
        try:
            record = await resources.donors.read_to_take_over(connection, data.corrects)
        except ErasedError:
            raise ProblemError("erased") from None
    gift = Gift(
        maker=clerk.staff,
        org=data.org,
        fund=data.fund,
        amount_fen=data.amount_fen,
        channel=record.channel.channel,
        channel_ref=record.channel.channel_ref,
        on=data.on,
        donor_class=data.donor_class,
        identity=record.identity,
        event=data.event,
        currency=data.currency,
        original=data.original,
        rate=data.rate,
        agreement=data.agreement or record.agreement,
        campaign=data.campaign,
        suspense=wrong.ref if isinstance(wrong, MoneyIdentified) else -1,
        corrects=data.corrects,
        code=record.code,
    )
    return await carry_out(request, clerk, resources.sealer.seal(gift))  # type: ignore[return-value]  # a gift's


HANDLERS = [receive_right_gift]
