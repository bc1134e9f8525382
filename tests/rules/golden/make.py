"""Writes the golden bytes of new kinds of entry: `python -m tests.rules.golden.make`. What is there already stays."""

import sys
from hashlib import sha256
from pathlib import Path

from msgspec import structs

from ledger import entries
from ledger.account import CNY
from ledger.entries import AnyBody, By, Entry, Restriction, Rule, Tier
from ledger.posting import Hold, Posting
from ledger.roles import REQUIRED

FOLDER = Path(__file__).parent

DAY = "2026-11-21"
MAKER, CHECKER = "s-7h2d4p3w6c5ra", "s-q3k7m2x5v4b6n"


def _digest(of: str) -> str:
    return sha256(of.encode()).hexdigest()


BODIES: tuple[AnyBody, ...] = (
    entries.CampaignRegistered(
        campaign="flood-2026", filing="53330000MJ8765432XA26001", first_on="2026-06-20", last_on="2026-12-31",
        name="2026年洪灾募捐", org="330800",
    ),
    entries.CheckpointStamped(authority="tsa.example.org", root=_digest("树根"), size=1_200, token="MAMCAQA="),
    entries.DeliveryConfirmed(
        evidence=(_digest("签收单"),), on=DAY, org="330800", outcome="short", qty=19_900, ref=1_211
    ),
    entries.EntryReversed(
        left=9_007_199_254_740_991, moved=20, of="money.received", on=DAY, org="330800", reason="金额录入有误",
        ref=1_204, statement="原记录金额有误，现予更正。",
    ),
    entries.ErasureRecorded(basis="request", org="330800", ref=1_204),
    entries.EventDeclared(event="flood-2026", name="2026年洪灾", emergency=True),
    entries.FeedbackPublished(
        beneficiaries="120", evidence=(_digest("照片"),), on=DAY, org="330800", ref=1_211, text="家庭包已送达“山村”。"
    ),
    entries.ExchangeSettled(evidence=(_digest("水单"),), on=DAY, reason="结汇差额", ref=1_201),
    entries.FeeCharged(channel="alipay", evidence=(_digest("账单"),), on=DAY, reason="平台服务费"),
    entries.FundClosed(
        basis="捐赠协议第五条", evidence=(_digest("同意函"),), fund="flood", org="330800", residue="moved",
        successor="general",
    ),
    entries.FundOpened(
        fund="flood", name="防汛救灾", org="330800", restriction=Restriction(event="flood-2026", region="330800"),
        spending=("aid", "management"),
    ),
    entries.GiftRedirected(consent=_digest("同意书"), on=DAY, reason="捐赠人同意改捐", ref=1_204),
    entries.GiftRefunded(on=DAY, reason='捐赠人\t"误转"\\重复', ref=1_204),
    entries.ImportApproved(
        channel="bank", event="flood-2026", file=_digest("流水.xlsx"), first_on="2026-11-01", fund="flood",
        last_on=DAY, name="十一月流水 №1", org="330800", profile="notice", rows=3, sum_fen=9_007_199_254_740_991,
    ),
    entries.ImportCompleted(batch=1_205, org="330800", rejected=1, rejected_fen=5, rows=2, sum_fen=60),
    entries.IncomeReceived(fund="general", note="活期利息", on=DAY, ref=_digest("ref"), source="interest"),
    entries.LogOpened(administrators=(MAKER, CHECKER), operator="市红十字会", origin="ledger.example.org/log"),
    entries.MoneyAllocated(decision="红〔2026〕12号", on=DAY, part=(1, 2)),
    entries.MoneyDisbursed(
        beneficiaries="1-4", decision="红〔2026〕12号", evidence=(_digest("发票"), _digest("回单")), on=DAY,
        payee="persons", project="qz-09", purpose="临时救助", region="330800", spending="aid",
    ),
    entries.MoneyIdentified(
        channel="bank", donor=_digest("donor"), donor_class="organisation", event="flood-2026", fund="flood", on=DAY,
        receipt=_digest("receipt"), ref=1_201,
    ),
    entries.MoneyReceived(
        batch=1_205, channel="wechat", donor=_digest("donor"), donor_class="person", event="flood-2026", fund="flood",
        on=DAY, receipt=_digest("receipt"), ref=_digest("ref"), row=2,
    ),
    entries.MoneyReturned(evidence=(_digest("退款回单"),), on=DAY, reason="采购结余", ref=1_211),
    entries.MoneyReleased(on=DAY, reason="结余退回", ref=1_207),
    entries.MoneyUnidentified(channel="bank", on=DAY, ref=_digest("ref")),
    entries.OrganisationChanged(
        division="330800", level="city", name="市红十字会", org="330800", parent="330000", uscc="91330100716105852F"
    ),
    entries.OrganisationRegistered(division="330000", level="province", name="省红十字会", org="330000"),
    entries.PeriodClosed(first_on="2026-10-01", last_on="2026-10-31", org="330800", root=_digest("试算平衡表")),
    entries.PledgeEnded(note="分两笔到账", on=DAY, org="330800", outcome="fulfilled", ref=1_201),
    entries.PledgeMade(
        amount_fen=100_000_000, due="2026-12-31", fund="flood", on=DAY, org="330800", promiser="某某有限公司"
    ),
    entries.PolicySet(rules=(
        Rule(kind="gift.refunded", approvals=(Tier(0, 1),)),
        Rule(kind="money.allocated", approvals=(Tier(0, 1), Tier(5_000_000, 2)), decision_from=5_000_000),
    )),
    entries.ProjectClosed(basis="项目期满", org="330800", project="qz-09", residue="none"),
    entries.ProjectOpened(
        budget_fen=10_000_000, category="relief", ends="2027-03-31", event="flood-2026", name="过冬物资", org="330800",
        project="qz-09", region="330802", starts=DAY,
    ),
    entries.ProposalApproved(org="330800", proposal=1_204),
    entries.ProposalExpired(org="330800", proposal=1_204),
    entries.ProposalMade(
        command="gift.refunded", commitment=_digest("body"),
        holds=(Hold("fund:330800:general", -1, 50_000, CNY), Hold("project:330800:qz-09:general", 7, 3, CNY)),
        into=("refunds:330800",), org="330800", part=(2, 2),
    ),
    entries.ProposalRejected(org="330800", proposal=1_204, reason="用途不明\u2028\U0001f600"),
    entries.ProposalWithdrawn(org="330800", proposal=1_204),
    entries.ReceiptIssued(
        amount_fen=9_007_199_254_740_991, commitment=_digest("票据"), on=DAY, org="330800", ref=1_204, replaces=1_206
    ),
    entries.ReceiptVoided(issued=1_206, on=DAY, org="330800", reason="refunded", ref=1_204),
    entries.ReceiptWaived(on=DAY, org="330800", reason="anonymous", ref=1_204),
    entries.StaffDismissed(org="330800", staff=CHECKER),
    entries.StaffEnrolled(org="330800", roles=("approver", "finance"), staff=CHECKER),
    entries.TransferReceived(on=DAY, ref=1_209),
    entries.TransferReturned(on=DAY, reason="账号有误", ref=1_209),
    entries.TransferSent(decision="红〔2026〕12号", on=DAY),
    entries.SuspenseReturned(evidence=(_digest("回单"),), on=DAY, reason="无法查明", ref=1_201),
)  # fmt: skip

MORE: dict[str, dict[str, object]] = {
    "entry.reversed": {"part": (2, 3)},
    "event.declared": {"began": "2026-06-20"},
    "exchange.settled": {"corrects": 1_207, "part": (1, 2), "right_fen": 9_007_199_254_740_991},
    "fee.charged": {"corrects": 1_207, "part": (1, 2), "right_fen": 61},
    "fund.opened": {
        "campaign": "flood-2026", "charges": True, "management_ppm": 100_000, "over_ceiling": "alarmed",
        "receipt_fee_ppm": 6_000,
        "restriction": Restriction(
            category="relief", event="flood-2026", project="qz-09", recipient="市人民医院", region="330800"
        ),
    },
    "gift.redirected": {"evidence": (_digest("同意书"),), "part": (2, 2)},
    "gift.refunded": {"corrects": 1_207, "evidence": (_digest("回单"),), "part": (1, 2), "right_fen": 5_000},
    "income.received": {"corrects": 1_207, "right_fen": 3},
    "money.allocated": {"corrects": 1_207, "right_fen": 50_001},
    "money.disbursed": {"corrects": 1_207, "part": (1, 2), "right_fen": 20_000},
    "money.identified": {
        "agreement": _digest("协议"), "campaign": "flood-2026", "corrects": 1_207, "right_fen": 2_000,
    },
    "money.received": {
        "agreement": _digest("协议"), "campaign": "flood-2026", "corrects": 1_207, "currency": "USD", "original": 702,
        "rate": "7.1234", "right_fen": 5_001,
    },
    "money.released": {"part": (1, 2)},
    "money.returned": {"part": (1, 2)},
    "money.unidentified": {"corrects": 1_207, "right_fen": 5_000},
    "org.registered": {"parent": "100000", "uscc": "91330100716105852F"},
    "policy.set": {"agreement_from": 1_000_000, "expires_days": 30},
    "project.closed": {"evidence": (_digest("验收报告"),), "successor": "qz-10"},
    "suspense.returned": {"part": (1, 2)},
    "transfer.received": {"corrects": 1_211, "part": (1, 2), "right_fen": 700},
    "transfer.returned": {"part": (1, 2)},
    "transfer.sent": {"corrects": 1_207, "part": (1, 2), "right_fen": 1_000},
}  # fmt: skip
"""Kind → the fields that its example leaves out. Its second file has all, also what no command enters at once."""

POSTINGS: dict[str, tuple[Posting, ...]] = {
    "entry.reversed": (
        Posting("project:330800:qz-09:flood", 7, "voided:330800", 500, 20, CNY),
        Posting("fund:330800:flood", 0, "voided:330800", 520, 80, CNY),
    ),
    "gift.redirected": (
        Posting("project:330800:qz-09:flood", 7, "fund:330800:general", 500, 20, CNY),
        Posting("fund:330802:flood", 0, "fund:330800:general", 520, 80, CNY),
    ),
    "exchange.settled": (Posting("fund:330800:general", 0, "losses:330800", 0, 12, CNY),),
    "fee.charged": (Posting("fund:330800:general", 0, "fees:330800", 9, 60, CNY),),
    "gift.refunded": (Posting("fund:330800:general", 3, "refunds:330800", 0, 9_007_199_254_740_991, CNY),),
    "money.allocated": (
        Posting("fund:330800:general", 120_000, "project:330800:qz-09:general", 0, 50_000, CNY),
        Posting("fund:330800:general", 180_000, "project:330800:qz-09:general", 50_000, 1, CNY),
    ),
    "money.disbursed": (Posting("project:330800:qz-09:general", 0, "payees:330800", 77, 20_000, CNY),),
    "income.received": (Posting("income:330800:interest", -1, "fund:330800:general", 7, 3, CNY),),
    "money.identified": (Posting("suspense:330800", 0, "fund:330800:flood", 5, 2_000, CNY),),
    "money.received": (Posting("donors:330800", -1, "fund:330800:flood", 0, 5_000, CNY),),
    "money.released": (Posting("project:330800:qz-09:general", 20_000, "fund:330800:general", 240_000, 30_000, CNY),),
    "money.unidentified": (Posting("unidentified:330800", -1, "suspense:330800", 0, 5_000, CNY),),
    "suspense.returned": (Posting("suspense:330800", 2_000, "refunds:330800", 0, 3_000, CNY),),
    "money.returned": (
        Posting("payees:330800", 77, "project:330800:qz-09:flood", 100, 30, CNY),
        Posting("payees:330800", 107, "project:330800:qz-09:general", 50_001, 5, CNY),
    ),
    "transfer.received": (Posting("transit:330000:330800", 0, "fund:330800:flood", 5_000, 700, CNY),),
    "transfer.returned": (Posting("transit:330000:330800", 700, "fund:330000:flood", 90_000, 300, CNY),),
    "transfer.sent": (Posting("fund:330000:flood", 0, "transit:330000:330800", 0, 1_000, CNY),),
}
"""Of the kinds that have postings."""


def example(body: AnyBody) -> bytes:
    """An entry of one kind; with a proposal's facts where it has postings but is no gift."""
    kind = entries.kind_of(body)
    by = By(maker=MAKER)
    if kind in POSTINGS and REQUIRED[kind].checker:
        by = By(maker=MAKER, checkers=(CHECKER,), proposal=1_204, salt=_digest("salt"))
    opening = kind == "log.opened"
    return entries.encode(
        Entry(
            at="2026-11-21T08:00:00.123Z", body=body, by=by, kind=kind, postings=POSTINGS.get(kind, ()),
            prev=entries.GENESIS_PREV if opening else _digest("previous entry"), seq=0 if opening else 1_212, v=1,
        )
    )  # fmt: skip


def files() -> dict[str, bytes]:
    """File → the bytes in it: of each kind an example, and one with every field where that leaves some out."""
    bodies = {entries.kind_of(body): body for body in BODIES}
    full = {kind: structs.replace(bodies[kind], **more) for kind, more in MORE.items()}
    return {f"{kind}.json": example(body) for kind, body in bodies.items()} | {
        f"{kind}.full.json": example(body) for kind, body in full.items()
    }


def main() -> None:
    """Write what is not there yet."""
    for name, written in files().items():
        path = FOLDER / name
        if path.exists():
            sys.stderr.write(f"{name} is there and stays\n")
        else:
            path.write_bytes(written)


if __name__ == "__main__":
    main()
