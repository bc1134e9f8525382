"""Papers and people: a filed campaign, fiscal receipts, one printed wrongly, and a donor who asks to be forgotten."""

from ledger.campaigns import RegisterCampaign
from ledger.demo.cast import CITY, FOUNDER, MAKER, SECOND
from ledger.demo.teller import Teller, gift
from ledger.erasures import EraseDonor
from ledger.fiscal import VoidReceipt, WaiveReceipt
from ledger.organisations import OpenFund
from ledger.privacy import FiscalNumbers

CAMPAIGN = "school-2026"


async def tell(teller: Teller) -> None:
    """Three gifts of one campaign, each with what the law wants on paper."""
    await teller.do(
        RegisterCampaign(
            maker=FOUNDER,
            org=CITY,
            campaign=CAMPAIGN,
            name="2026 年秋季助学",
            filing="衢民慈募备〔2026〕07号",
            first_on="2026-07-01",
            last_on="2026-09-30",
        )
    )
    await teller.do(OpenFund(maker=FOUNDER, org=CITY, fund=CAMPAIGN, name="2026 年秋季助学", campaign=CAMPAIGN))
    company, _ = await teller.give(
        gift(CAMPAIGN, 1_000_000, "2026-07-16", "bank", "organisation", "某电子有限公司", number=1)
    )
    misprinted = await teller.paper(company.seq, 1_000_000, "2026-07-16", _numbers("0000100001"))
    await teller.do(
        VoidReceipt(maker=MAKER, org=CITY, ref=company.seq, issued=misprinted.seq, on="2026-07-17", reason="mistake")
    )
    await teller.paper(company.seq, 1_000_000, "2026-07-17", _numbers("0000100002"), replaces=misprinted.seq)
    unnamed, _ = await teller.give(gift(CAMPAIGN, 6_600, "2026-07-18", "cash", "person", "", number=2))
    await teller.do(WaiveReceipt(maker=MAKER, org=CITY, ref=unnamed.seq, on="2026-07-18", reason="anonymous"))
    forgotten, _ = await teller.give(gift(CAMPAIGN, 30_000, "2026-07-19", "wechat", "person", "冯*", number=3))
    await teller.both(EraseDonor(maker=MAKER, org=CITY, ref=forgotten.seq, basis="request"), SECOND)


def _numbers(number: str) -> FiscalNumbers:
    return FiscalNumbers(check_code="demo01", code="33080126", number=number)
