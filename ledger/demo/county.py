"""Between levels: money goes to a county, strays, goes again; riddles at its bank, a closed period, a late approval."""

from msgspec import structs

from ledger.allocations import AllocateMoney
from ledger.approvals import ExpireProposal
from ledger.demo.cast import CHECKER, CITY, COUNTY, FOUNDER, MAKER
from ledger.demo.teller import Teller, evidence, gift
from ledger.disbursements import DisburseMoney
from ledger.entries import Restriction
from ledger.organisations import OpenFund, OpenProject
from ledger.periods import ClosePeriod
from ledger.suspense import ReceiveUnidentified, ReturnSuspense
from ledger.transfers import ReceiveTransfer, ReturnTransfer, SendTransfer

FUND, PROJECT = "county-aid", "farmhouses"


async def tell(teller: Teller) -> None:
    """From the city's gift to the county's village, and a proposal that nobody decided."""
    await teller.both(ClosePeriod(maker=MAKER, org=COUNTY, first_on="2026-01-01", last_on="2026-05-31"))
    relief = Restriction(category="relief")
    for org, name in ((CITY, "支援县区救灾"), (COUNTY, "上级支援救灾款")):
        await teller.do(OpenFund(maker=FOUNDER, org=org, fund=FUND, name=name, restriction=relief))
    await teller.do(
        OpenProject(maker=FOUNDER, org=COUNTY, project=PROJECT, name="受灾农房修缮", category="relief", region=COUNTY)
    )
    await teller.give(gift(FUND, 900_000, "2026-06-24", "bank", "organisation", "某机械有限公司"))
    sent = await _send(teller, 600_000, "2026-06-28")
    await teller.do(ReceiveTransfer(maker=MAKER, org=COUNTY, ref=sent, fund=FUND, on="2026-06-29"))
    strayed = await _send(teller, 150_000, "2026-07-15")
    await teller.do(
        ReturnTransfer(maker=MAKER, org=CITY, ref=strayed, on="2026-07-16", reason="收款账号有误，银行退回")
    )
    again = await _send(teller, 150_000, "2026-07-17")
    await teller.do(ReceiveTransfer(maker=MAKER, org=COUNTY, ref=again, fund=FUND, on="2026-07-18"))
    await teller.do(
        AllocateMoney(maker=MAKER, org=COUNTY, fund=FUND, project=PROJECT, amount_fen=500_000, on="2026-07-01")
    )
    repairs = DisburseMoney(
        maker=MAKER, org=COUNTY, project=PROJECT, amount_fen=420_000, spending="purchase", payee="某建筑有限公司",
        purpose="农房修缮 14 户", on="2026-07-10", region=COUNTY, evidence=(evidence("修缮合同"),),
    )  # fmt: skip
    await teller.both(repairs)
    await _riddles(teller)
    await _forgotten(teller)


async def _send(teller: Teller, amount_fen: int, on: str) -> int:
    sending = SendTransfer(
        maker=MAKER, org=CITY, fund=FUND, to=COUNTY, amount_fen=amount_fen, on=on, decision="衢红〔2026〕15号"
    )
    return (await teller.do(sending)).seq


async def _riddles(teller: Teller) -> None:
    """Money from nobody knows whom: one turns out to be a gift, one goes back, one still waits."""
    arrived = ReceiveUnidentified(maker=MAKER, org=COUNTY, amount_fen=0, channel="bank", on="2026-07-11")
    known, strayed, _ = [
        await teller.do(structs.replace(arrived, amount_fen=amount_fen)) for amount_fen in (66_000, 8_800, 5_200)
    ]
    found = gift(FUND, 66_000, "2026-07-15", "bank", "organisation", "某乡贤联谊会")
    await teller.give(found._replace(org=COUNTY, channel_ref="", suspense=known.seq))
    back = ReturnSuspense(
        maker=MAKER, org=COUNTY, ref=strayed.seq, on="2026-07-18", reason="付款人误转，申请退回",
        evidence=(evidence("退款申请"),),
    )  # fmt: skip
    await teller.do(back)


async def _forgotten(teller: Teller) -> None:
    """A payment that nobody approved in time; what it held is free again."""
    waits = await teller.do(
        DisburseMoney(
            maker=MAKER,
            org=COUNTY,
            project=PROJECT,
            amount_fen=30_000,
            spending="purchase",
            payee="某建筑有限公司",
            purpose="修缮尾款",
            on="2026-07-20",
            region=COUNTY,
        )
    )
    teller.clock.let_days_pass()
    await teller.do(ExpireProposal(maker=CHECKER, proposal=waits.seq))
