"""Projections hold nothing that the entries do not say: dropped and built again, they come out the same."""

import asyncio
from contextlib import suppress
from hashlib import sha256
from random import Random  # noqa: TID251  seeded

import asyncpg
import pytest

from ledger import demo
from ledger.approvals import ApproveProposal, RejectProposal, WithdrawProposal
from ledger.decide import AnyCommand
from ledger.disbursements import ConfirmDelivery, PublishFeedback
from ledger.donations import ApproveImport, CompleteImport
from ledger.entries import Rule, Tier
from ledger.fees import ChargeFee
from ledger.income import ReceiveIncome
from ledger.organisations import ChangeOrganisation, DismissStaff, EnrolStaff, OpenFund
from ledger.periods import ClosePeriod
from ledger.pledges import EndPledge, MakePledge
from ledger.privacy import Identity
from ledger.refusals import Refused
from ledger.roles import Role
from ledger.settings import Settings
from ledger.store.availability import Stopped
from ledger.store.rebuild import PROJECTIONS
from ledger.store.vault import Gift, SealedGift
from ledger.suspense import ReceiveUnidentified, ReturnSuspense
from tests.support import clerk
from tests.support.acting import acting_as
from tests.support.checklog import Dump, check_log, dump, rebuilt
from tests.support.clerk import CHECKER, CITY, DAY, MAKER, Clerk, allocation, payment, refund, sequenced
from tests.support.wire import somebody_waits_for_a_lock

COMMANDS = 150
ROWS = 300
"""Of an import: enough to go in by COPY."""
WRITTEN = 100
"""Gifts, before the writers are interrupted."""


@pytest.fixture
async def busy(told: Settings) -> Settings:
    """The story, an import, changes of organisation and staff, and whatever else may come, in a fixed order."""
    async with clerk.opened(told) as office:
        await import_gifts(office)
        await enter_other_money(office)
        await change_society(office)
        await do_anything(office, Random(1))
    return told


async def import_gifts(office: Clerk) -> None:
    """An import whose last row was refused since."""
    approve = ApproveImport(
        maker=MAKER, org=CITY, fund="general", channel="notice", name="公示", profile="notice",
        file=sha256(b"").hexdigest(), rows=ROWS + 1, sum_fen=10 * ROWS + 1, first_on=DAY, last_on=DAY,
    )  # fmt: skip
    (approved,) = await office.agreed(approve)
    rows = [
        office.sealer.seal(Gift(
            maker=MAKER, org=CITY, fund="general", amount_fen=10, channel="notice", channel_ref="", on=DAY,
            donor_class="person", identity=Identity(), batch=approved.seq, row=row,
        ))
        for row in range(1, ROWS + 1)
    ]  # fmt: skip
    assert len(await office.sequencer.submit_chunk(rows)) == ROWS
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


async def change_society(office: Clerk) -> None:
    await office.agreed(EnrolStaff(maker=demo.FOUNDER, staff=CHECKER, org=CITY, roles=(Role.AUDITOR,)), demo.SECOND)
    await office.agreed(DismissStaff(maker=demo.FOUNDER, staff=MAKER, org=demo.COUNTY), demo.SECOND)
    change = ChangeOrganisation(
        maker=demo.FOUNDER, org=CITY, name="衢州市红十字会（新）", level="city", parent="330000", division=CITY
    )
    await office.do(change)
    await office.set_policy(Rule(kind="money.allocated", approvals=(Tier(500, 1),)))


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


async def dumped(settings: Settings) -> Dump:
    async with acting_as("owner", settings) as owner:
        return await dump(owner)


async def test_projections_built_again_are_the_same_row_by_row(busy: Settings) -> None:
    before = await dumped(busy)
    assert all(before[table] for table in PROJECTIONS), "every projection has rows"
    log = await check_log(busy, decided_again=True)
    assert await rebuilt(busy) == len(log)
    assert await dumped(busy) == before


async def test_projections_that_somebody_spoilt_are_mended(busy: Settings) -> None:
    before = await dumped(busy)
    async with acting_as("owner", busy) as owner:
        for table in reversed(PROJECTIONS):
            await owner.execute(f"delete from {table}" + (" where ctid > '(0,3)'" if table == "rollup" else ""))
        await owner.execute("update rollup set qty = qty + 1")
    assert await dumped(busy) != before
    await rebuilt(busy)
    assert await dumped(busy) == before


@pytest.mark.parametrize("table", ["line", "gift", "rollup"])
async def test_the_comparison_sees_a_row_that_is_gone(told: Settings, table: str) -> None:
    async with acting_as("owner", told) as owner:
        await owner.execute(f"delete from {table} where ctid = (select max(ctid) from {table})")
    with pytest.raises(AssertionError, match="projections"):
        await check_log(told)


async def test_a_sequencer_that_runs_is_fenced_off(busy: Settings) -> None:
    async with clerk.opened(busy) as office:
        before = await office.give()
        await rebuilt(busy)
        with pytest.raises(Stopped):
            await office.give()
        assert office.sequencer.stopped == "another sequencer has taken over"
    async with clerk.opened(busy) as office:
        assert (await office.give()).seq == before.seq + 1
    await check_log(busy)


async def test_rebuilding_under_writers_loses_nothing_that_was_acknowledged(busy: Settings) -> None:
    """It should not be done; it does no harm."""
    told: set[int] = set()
    enough = asyncio.Event()

    async def write(office: Clerk) -> None:
        while True:
            told.add((await office.give()).seq)
            if len(told) >= WRITTEN:
                enough.set()

    async with clerk.opened(busy) as office:
        before = office.sequencer.books.seq
        writers = [asyncio.create_task(write(office)) for _ in range(16)]
        await enough.wait()
        await rebuilt(busy)
        ends = await asyncio.gather(*writers, return_exceptions=True)
    assert {type(end) for end in ends} == {Stopped}
    assert told == {entry.seq for entry in await check_log(busy) if entry.seq > before}


async def test_a_reader_in_the_middle_of_several_tables_does_not_stop_it(told: Settings) -> None:
    """Each holds a table the other wants; PostgreSQL ends one of the two, and the projections are built."""
    before = await dumped(told)
    async with acting_as("reader", told) as reader:
        transaction = reader.transaction()
        await transaction.start()
        await reader.fetch("select from rollup")
        rebuilding = asyncio.create_task(rebuilt(told))
        await somebody_waits_for_a_lock(told)
        with suppress(asyncpg.DeadlockDetectedError):
            await reader.fetch("select from account")
        await transaction.rollback()
        await rebuilding
    assert await dumped(told) == before
