"""Money by other ways: platforms that keep a fee, dollars, interest, promises; and a slip of the pen."""

from msgspec import structs

from ledger.demo.cast import CITY, FOUNDER, MAKER
from ledger.demo.teller import Teller, evidence, gift
from ledger.demo.winter import NEW
from ledger.exchange import SettleExchange
from ledger.fees import ChargeFee
from ledger.income import ReceiveIncome
from ledger.organisations import OpenFund
from ledger.pledges import EndPledge, MakePledge
from ledger.reversals import ReverseEntry


async def tell(teller: Teller) -> None:
    """One after the other."""
    await _online(teller)
    await _overseas(teller)
    await _other_income(teller)
    await _pledges(teller)
    await _one_digit_too_many(teller)


async def _online(teller: Teller) -> None:
    """A share of each gift is the platform's, and later a fee for the quarter: as the fund's clause says."""
    await teller.do(
        OpenFund(
            maker=FOUNDER,
            org=CITY,
            fund="online",
            name="互联网公开募捐",
            spending=("aid", "purchase", "management"),
            receipt_fee_ppm=6_000,
            charges=True,
            management_ppm=80_000,
        )
    )
    for number, (amount_fen, channel) in enumerate(((20_000, "alipay"), (5_000, "wechat"), (66, "wechat"))):
        await teller.give(gift("online", amount_fen, "2026-04-08", channel, "person", "", number=number))
    await teller.do(
        ChargeFee(
            maker=MAKER,
            org=CITY,
            fund="online",
            amount_fen=100,
            channel="alipay",
            on="2026-04-30",
            reason="平台季度技术服务费",
            evidence=(evidence("平台账单"),),
        )
    )


async def _overseas(teller: Teller) -> None:
    """Booked at the rate the bank named; what the settlement fell short of is an entry of its own."""
    await teller.do(OpenFund(maker=FOUNDER, org=CITY, fund="overseas", name="海外侨胞捐款"))
    dollars = gift("overseas", 712_340, "2026-05-06", "bank", "organisation", "某海外同乡会")
    given, _ = await teller.give(dollars._replace(currency="USD", original=100_000, rate="7.1234"))
    await teller.do(
        SettleExchange(
            maker=MAKER,
            org=CITY,
            ref=given.seq,
            amount_fen=240,
            on="2026-05-08",
            reason="结汇价低于入账汇率",
            evidence=(evidence("结汇水单"),),
        )
    )


async def _other_income(teller: Teller) -> None:
    """In no donation total."""
    interest = ReceiveIncome(
        maker=MAKER, org=CITY, fund=NEW, amount_fen=1_234, source="interest", on="2026-06-21", note="二季度存款利息"
    )
    await teller.do(interest)
    await teller.do(structs.replace(interest, amount_fen=50_000, source="lottery", note="彩票公益金"))


async def _pledges(teller: Teller) -> None:
    """Promised is not received: one was kept, one lapsed, one is open."""
    cement = MakePledge(
        maker=MAKER, org=CITY, fund="flood", amount_fen=20_000_000, promiser="某水泥股份有限公司", on="2026-06-19",
        due="2026-06-30",
    )  # fmt: skip
    kept = await teller.do(cement)
    lapsed = await teller.do(structs.replace(cement, amount_fen=100_000_000, promiser="某置业集团"))
    await teller.do(structs.replace(cement, amount_fen=5_000_000, promiser="某医药有限公司", due="2026-12-31"))
    await teller.do(
        EndPledge(maker=MAKER, org=CITY, ref=kept.seq, outcome="fulfilled", on="2026-06-20", note="已到账，见捐款")
    )
    await teller.do(
        EndPledge(maker=MAKER, org=CITY, ref=lapsed.seq, outcome="lapsed", on="2026-07-15", note="逾期未到账")
    )


async def _one_digit_too_many(teller: Teller) -> None:
    """Taken back in public, and entered right, with the same reference of the bank and the same code."""
    wrong = gift(NEW, 888_800, "2026-06-25", "bank", "person", "郑*")
    entered, code = await teller.give(wrong)
    await teller.both(
        ReverseEntry(
            maker=MAKER,
            org=CITY,
            ref=entered.seq,
            on="2026-06-26",
            reason="金额录入多一位",
            statement="原记录 8,888.00 元有误，银行回单为 888.80 元，现予更正。",
        )
    )
    await teller.give(wrong._replace(amount_fen=88_880, corrects=entered.seq, code=code.replace("-", "")))
