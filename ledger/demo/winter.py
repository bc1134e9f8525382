"""Last winter's appeal: suppliers hand money back, its donors agree to the next one, and it is closed."""

from ledger.allocations import AllocateMoney, ReleaseMoney
from ledger.corrections import RedirectGift
from ledger.demo.cast import CITY, FOUNDER, MAKER, SECOND
from ledger.demo.teller import Teller, evidence, gift
from ledger.disbursements import ConfirmDelivery, DisburseMoney
from ledger.endings import CloseFund, CloseProject
from ledger.organisations import OpenFund, OpenProject
from ledger.returns import ReturnMoney

OLD, NEW = "winter-2025", "winter-2026"


async def tell(teller: Teller) -> None:
    """From its gifts to its end."""
    for fund, name in ((OLD, "2025 年暖冬行动"), (NEW, "2026 年暖冬行动")):
        await teller.do(OpenFund(maker=FOUNDER, org=CITY, fund=fund, name=name))
    await teller.do(
        OpenProject(maker=FOUNDER, org=CITY, project=OLD, name="2025 年暖冬棉被发放", category="winter", region=CITY)
    )
    await teller.give(gift(OLD, 80_000, "2026-01-10", "wechat", "person", "孙*"))
    last, _ = await teller.give(gift(OLD, 30_000, "2026-01-12", "bank", "person", "周*"))
    allocated = await teller.do(
        AllocateMoney(maker=MAKER, org=CITY, fund=OLD, project=OLD, amount_fen=90_000, on="2026-01-15")
    )
    quilts = await _pay(teller, 85_000, "某家纺有限公司", "棉被 100 床", "2026-01-20")
    await teller.do(
        ReturnMoney(
            maker=MAKER,
            org=CITY,
            ref=quilts,
            on="2026-01-28",
            reason="6 床不合格，退货退款",
            amount_fen=5_000,
            evidence=(evidence("退货单"),),
        )
    )
    await teller.do(ReleaseMoney(maker=MAKER, org=CITY, ref=allocated.seq, on="2026-01-30", reason="项目结余"))
    coal = await _pay(teller, 5_000, "persons", "取暖补助", "2026-02-02")
    await teller.do(ConfirmDelivery(maker=MAKER, org=CITY, ref=coal, outcome="ok", qty=5_000, on="2026-02-03"))
    await teller.do(
        RedirectGift(
            maker=MAKER,
            org=CITY,
            ref=last.seq,
            fund=NEW,
            on="2026-03-05",
            reason="捐赠人同意余款用于下一年暖冬行动",
            consent=evidence("周* 的同意书"),
        )
    )
    await teller.both(
        CloseProject(maker=FOUNDER, org=CITY, project=OLD, residue="returned", basis="项目期满，结余退回基金"), SECOND
    )
    await teller.both(
        CloseFund(
            maker=FOUNDER,
            org=CITY,
            fund=OLD,
            residue="moved",
            basis="捐赠人同意余款转入下一年",
            successor=NEW,
            evidence=(evidence("同意书"),),
        ),
        SECOND,
    )


async def _pay(teller: Teller, amount_fen: int, payee: str, purpose: str, on: str) -> int:
    paid = await teller.both(
        DisburseMoney(
            maker=MAKER,
            org=CITY,
            project=OLD,
            amount_fen=amount_fen,
            spending="aid" if payee == "persons" else "purchase",
            payee=payee,
            purpose=purpose,
            on=on,
            beneficiaries="20" if payee == "persons" else "",
            region=CITY,
        )
    )
    return paid.seq
