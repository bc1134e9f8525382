"""A generated history: an import, changes of organisation and staff, whatever else staff may do, in a fixed order."""

from random import Random  # noqa: TID251  seeded

from ledger import demo
from ledger.approvals import ApproveProposal, RejectProposal, WithdrawProposal
from ledger.campaigns import RegisterCampaign
from ledger.decide import AnyCommand
from ledger.disbursements import ConfirmDelivery, PublishFeedback
from ledger.donations import CompleteImport
from ledger.entries import Rule, Tier
from ledger.erasures import EraseDonor
from ledger.fees import ChargeFee
from ledger.fiscal import VoidReceipt, WaiveReceipt
from ledger.income import ReceiveIncome
from ledger.organisations import ChangeOrganisation, DismissStaff, EnrolStaff, OpenFund
from ledger.periods import ClosePeriod
from ledger.pledges import EndPledge, MakePledge
from ledger.privacy import Identity
from ledger.refusals import Refused
from ledger.roles import Role
from ledger.store.vault import Gift, SealedGift
from ledger.suspense import ReceiveUnidentified, ReturnSuspense
from tests.support.clerk import CHECKER, CITY, DAY, MAKER, Clerk, allocation, payment, refund, sequenced

COMMANDS = 150
ROWS = 290
"""Of an import: enough to go in by COPY."""


async def busy_history(office: Clerk) -> None:
    """Every projection gets rows."""
    await import_gifts(office)
    await enter_other_money(office)
    await issue_receipts(office)
    await change_society(office)
    await do_anything(office, Random(1))
    await erase_somebody(office)


async def import_gifts(office: Clerk) -> None:
    """An import whose last row was refused since."""
    approved = await office.sheet(ROWS)
    rows = [office.row(approved.seq, row) for row in range(1, ROWS + 1)]
    assert len(await office.sequencer.enqueue(rows)) == ROWS
    await office.do(CompleteImport(maker=MAKER, batch=approved.seq))


async def enter_other_money(office: Clerk) -> None:
    """Suspense, of which a part is identified and a part goes back; fees; interest."""
    (waits,) = await office.do(
        ReceiveUnidentified(maker=MAKER, org=CITY, amount_fen=1_000, channel="bank", on=DAY, ref="5" * 64)
    )
    found = office.sealer.seal(Gift(
        maker=MAKER, org=CITY, fund="general", amount_fen=300, channel="bank", channel_ref="", on=DAY,
        donor_class="person", identity=Identity(), suspense=waits.seq,
    ))  # fmt: skip
    await office.do(found)
    await office.do(ReturnSuspense(maker=MAKER, org=CITY, ref=waits.seq, amount_fen=200, on=DAY, reason="付款人撤回"))
    await office.do(
        OpenFund(maker=demo.FOUNDER, org=CITY, fund="platform", name="平台", receipt_fee_ppm=6_000, charges=True)
    )
    await office.do(office.gift(1_000, fund="platform"))
    await office.do(
        ChargeFee(maker=MAKER, org=CITY, fund="platform", amount_fen=10, channel="alipay", on=DAY, reason="服务费")
    )
    (promised,) = await office.do(
        MakePledge(maker=MAKER, org=CITY, fund="general", amount_fen=9_000, promiser="person", on=DAY)
    )
    await office.do(EndPledge(maker=MAKER, org=CITY, ref=promised.seq, outcome="lapsed", on=DAY))
    await office.agreed(ClosePeriod(maker=MAKER, org=CITY, first_on="2020-01-01", last_on="2020-12-31"))
    await office.do(
        ReceiveIncome(maker=MAKER, org=CITY, fund="general", amount_fen=50, source="interest", on=DAY, ref="6" * 64)
    )


async def issue_receipts(office: Clerk) -> None:
    """Gifts of a campaign, one of them late; a fiscal receipt that was voided, the next one, and one waived."""
    await office.do(RegisterCampaign(
        maker=demo.FOUNDER, org=CITY, campaign="winter", name="冬季募捐", filing="备案001", first_on="2026-07-01",
        last_on="2026-07-19",
    ))  # fmt: skip
    await office.do(OpenFund(maker=demo.FOUNDER, org=CITY, fund="raised", name="冬季募捐", campaign="winter"))
    given, other = await office.give(800, fund="raised"), await office.give(900, fund="raised")
    first = await office.issue(given.seq, 800)
    await office.do(VoidReceipt(maker=MAKER, org=CITY, ref=given.seq, issued=first.seq, on=DAY, reason="mistake"))
    await office.issue(given.seq, 800, replaces=first.seq)
    await office.do(WaiveReceipt(maker=MAKER, org=CITY, ref=other.seq, on=DAY, reason="declined"))


async def change_society(office: Clerk) -> None:
    await office.agreed(EnrolStaff(maker=demo.FOUNDER, staff=CHECKER, org=CITY, roles=(Role.AUDITOR,)), demo.SECOND)
    await office.agreed(DismissStaff(maker=demo.FOUNDER, staff=MAKER, org=demo.COUNTY), demo.SECOND)
    change = ChangeOrganisation(
        maker=demo.FOUNDER, org=CITY, name="衢州市红十字会（新）", level="city", parent="330000", division=CITY
    )
    await office.do(change)
    await office.set_policy(Rule(kind="money.allocated", approvals=(Tier(500, 1),)))


async def erase_somebody(office: Clerk) -> None:
    """The donor of a gift that was given back in part, and of a row of the import."""
    given = await office.give(700)
    await office.do(refund(given.seq, 100))
    async with office.database.raw() as connection:
        row = await connection.fetchval("select min(seq) from gift where batch is not null")
    for ref in (given.seq, row):
        await office.agreed(EraseDonor(maker=MAKER, org=CITY, ref=ref, basis="request"), demo.FOUNDER)


async def do_anything(office: Clerk, random: Random) -> None:
    """Commands that are refused or not; what waits is decided now and then."""
    gifts: list[int] = []
    open_proposals: list[int] = []
    payments: list[int] = []
    for _ in range(COMMANDS):
        try:
            made = sequenced(await office.sequencer.submit(think(office, random, gifts, open_proposals, payments)))
        except Refused:
            continue
        for entry in made.entries:
            {"money.received": gifts, "proposal.made": open_proposals, "money.disbursed": payments}.get(
                entry.kind, []
            ).append(entry.seq)


def think(
    office: Clerk, random: Random, gifts: list[int], proposals: list[int], payments: list[int]
) -> AnyCommand | SealedGift:
    kind = random.choice(["give", "allocate", "pay", "refund", "decide", "confirm", "tell"])
    if kind == "allocate":
        return allocation(random.randint(1, 1_000))
    if kind == "pay":
        return payment(random.randint(1, 500))
    if kind == "refund" and gifts:
        return refund(random.choice(gifts), random.choice([0, 1, 50]))
    if kind == "decide" and proposals:
        number = random.choice(proposals)
        decisions: list[AnyCommand] = [
            ApproveProposal(maker=CHECKER, proposal=number),
            RejectProposal(maker=CHECKER, proposal=number, reason="不同意"),
            WithdrawProposal(maker=MAKER, proposal=number),
        ]
        return random.choice(decisions)
    if kind == "confirm" and payments:
        return ConfirmDelivery(maker=MAKER, org=CITY, ref=random.choice(payments), outcome="ok", qty=1, on=DAY)
    if kind == "tell" and payments:
        return PublishFeedback(maker=MAKER, org=CITY, ref=random.choice(payments), text="已送达", on=DAY)
    return office.gift(random.randint(1, 2_000))
