"""A flood in Quzhou: gifts arrive, families and a hospital are helped, and somebody had given by mistake."""

from typing import TYPE_CHECKING

from ledger.allocations import AllocateMoney, ReleaseMoney
from ledger.approvals import RejectProposal
from ledger.corrections import RefundGift
from ledger.demo.cast import CHECKER, CITY, COUNTY, FLOOD, MAKER
from ledger.demo.teller import Teller, evidence, gift
from ledger.disbursements import ConfirmDelivery, DisburseMoney, PublishFeedback

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.entries import DonorClass


async def tell(teller: Teller) -> None:
    """From the first gift to a hospital's confirmation."""
    mistaken = await receive(teller)
    await relieve(teller)
    await comfort(teller, mistaken)


async def receive(teller: Teller) -> int:
    """Gifts for the flood, and unrestricted ones; answers the one that its donor asks back."""
    mistaken = 0
    flood: Sequence[tuple[str, int, str, DonorClass, str]] = (
        ("2026-06-20", 20_000_000, "bank", "organisation", "某水泥股份有限公司"),
        ("2026-06-21", 50_000, "wechat", "person", "张*"),
        ("2026-06-21", 10_000, "alipay", "person", "李*"),
        ("2026-06-21", 100, "wechat", "person", "王*"),
        ("2026-06-22", 300_000, "bank", "person", "陈*"),
        ("2026-06-23", 8_888, "wechat", "person", "吴*"),
    )
    for i, (on, amount_fen, channel, donor_class, name) in enumerate(flood):
        _, code = await teller.give(gift("flood", amount_fen, on, channel, donor_class, name, number=i, event=FLOOD))
        if i in {1, 4}:
            teller.codes[f"{name}，{amount_fen // 100:,} 元，汛期应急救助"] = code
    general: Sequence[tuple[str, int, str, DonorClass, str]] = (
        ("2026-05-08", 500_000, "bank", "organisation", "某商贸有限公司"),
        ("2026-05-09", 20_000, "wechat", "person", "赵*"),
        ("2026-05-12", 5_000, "cash", "person", ""),
    )
    for i, (on, amount_fen, channel, donor_class, name) in enumerate(general):
        entry, code = await teller.give(gift("general", amount_fen, on, channel, donor_class, name, number=i))
        if i == 1:
            mistaken = entry.seq
            teller.codes[f"{name}，{amount_fen // 100:,} 元，非定向捐款"] = code
    return mistaken


async def relieve(teller: Teller) -> None:
    """Allocated on the second try, paid to families and a hospital, confirmed, reported."""
    rejected = await teller.do(
        AllocateMoney(
            maker=MAKER,
            org=CITY,
            fund="flood",
            project="flood-aid",
            amount_fen=20_368_988,
            on="2026-06-23",
            decision="衢红〔2026〕11号",
        )
    )
    await teller.do(RejectProposal(maker=CHECKER, proposal=rejected.seq, reason="数额与灾情评估不符，请重报"))
    allocate = AllocateMoney(
        maker=MAKER,
        org=CITY,
        fund="flood",
        project="flood-aid",
        amount_fen=20_300_000,
        on="2026-06-24",
        decision="衢红〔2026〕12号",
    )
    await teller.both(allocate)
    aid = await teller.both(
        DisburseMoney(
            maker=MAKER,
            org=CITY,
            project="flood-aid",
            amount_fen=18_000_000,
            spending="aid",
            payee="persons",
            purpose="受灾家庭救助金，每户 3,000 元",
            on="2026-07-03",
            beneficiaries="60",
            region=COUNTY,
            decision="衢红〔2026〕12号",
            evidence=(evidence("发放表"), evidence("银行回单")),
        ),
    )
    await teller.do(
        ConfirmDelivery(
            maker=MAKER,
            org=CITY,
            ref=aid.seq,
            outcome="ok",
            qty=18_000_000,
            on="2026-07-05",
            evidence=(evidence("签收单"),),
        )
    )
    await teller.do(
        PublishFeedback(
            maker=MAKER,
            org=CITY,
            ref=aid.seq,
            text="经村民代表会议评议、公示 5 天后发放，银行代发。",
            on="2026-07-08",
            beneficiaries="60",
        )
    )
    hospital = await teller.both(
        DisburseMoney(
            maker=MAKER,
            org=CITY,
            project="flood-aid",
            amount_fen=2_200_000,
            spending="purchase",
            payee="开化县人民医院",
            purpose="灾后防疫物资",
            on="2026-07-10",
            evidence=(evidence("发票"),),
        ),
    )
    await teller.do(
        ConfirmDelivery(
            maker=MAKER,
            org=CITY,
            ref=hospital.seq,
            outcome="ok",
            qty=2_200_000,
            on="2026-07-12",
            evidence=(evidence("医院签收单"),),
        )
    )


async def comfort(teller: Teller, mistaken: int) -> None:
    """Unrestricted money: allocated, paid, what was left released, and a gift given back as far as it was left."""
    allocated = await teller.do(
        AllocateMoney(maker=MAKER, org=CITY, fund="general", project="qz-01", amount_fen=510_000, on="2026-06-01")
    )
    paid = await teller.both(
        DisburseMoney(
            maker=MAKER,
            org=CITY,
            project="qz-01",
            amount_fen=505_000,
            spending="aid",
            payee="persons",
            purpose="困难会员慰问",
            on="2026-06-05",
            beneficiaries="10",
            region=CITY,
        ),
    )
    await teller.do(ConfirmDelivery(maker=MAKER, org=CITY, ref=paid.seq, outcome="ok", qty=505_000, on="2026-06-06"))
    await teller.do(
        ReleaseMoney(
            maker=MAKER,
            org=CITY,
            ref=allocated.seq,
            on="2026-06-30",
            reason="慰问人数少于预计，余款退回",
            amount_fen=2_000,
        )
    )
    await teller.both(
        RefundGift(
            maker=MAKER,
            org=CITY,
            ref=mistaken,
            on="2026-07-01",
            reason="捐赠人误转，书面申请退回未用部分",
            amount_fen=1_000,
        ),
    )
