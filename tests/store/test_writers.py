"""Many writers on one fund: the result is that of the log's order, whatever ran at the same time."""

import asyncio
from collections import Counter
from random import Random  # noqa: TID251  seeded

import pytest

from ledger.approvals import ApproveProposal, RejectProposal, WithdrawProposal
from ledger.decide import AnyCommand
from ledger.refusals import AlreadyThere, Closed, InsufficientAmount, NothingLeft, SamePerson
from ledger.settings import Settings
from ledger.store.batch import Replayed, Sequenced
from ledger.store.vault import SealedGift
from tests.support import clerk
from tests.support.checklog import check_log
from tests.support.clerk import CHECKER, MAKER, Clerk, allocation, once, payment, refund

WRITERS = 64
COMMANDS = 8
"""Of each writer."""
EXPECTED = (InsufficientAmount, NothingLeft, Closed, SamePerson)


class Writer:
    """Does whatever comes to mind, to one fund, and keeps what it was told."""

    def __init__(self, office: Clerk, random: Random) -> None:
        self.office = office
        self.random = random
        self.gifts: list[int] = []
        self.proposals: list[int] = []
        self.told: list[Sequenced] = []
        self.refused: Counter[str] = Counter()

    async def work(self) -> None:
        """A bounded number of commands, one after the other."""
        for _ in range(COMMANDS):
            try:
                outcome = await self.office.sequencer.submit(self.think())
            except EXPECTED as refused:
                self.refused[type(refused).__name__] += 1
                continue
            assert isinstance(outcome, Sequenced)
            self.told.append(outcome)
            first = outcome.entries[0]
            if first.kind == "money.received":
                self.gifts.append(first.seq)
            elif first.kind == "proposal.made":
                self.proposals.append(first.seq)

    def think(self) -> AnyCommand | SealedGift:
        """The next command: often more than there is."""
        match self.random.choice(["give", "give", "allocate", "pay", "refund", "decide", "decide"]):
            case "refund" if self.gifts:
                return refund(self.random.choice(self.gifts), self.random.choice([0, 1, 500]))
            case "decide" if self.proposals:
                proposal = self.random.choice(self.proposals)
                decisions: list[AnyCommand] = [
                    ApproveProposal(maker=CHECKER, proposal=proposal),
                    ApproveProposal(maker=CHECKER, proposal=proposal),
                    RejectProposal(maker=CHECKER, proposal=proposal, reason="不同意"),
                    WithdrawProposal(maker=MAKER, proposal=proposal),
                ]
                return self.random.choice(decisions)
            case "allocate":
                return allocation(self.random.randint(1, 30_000))
            case "pay":
                return payment(self.random.randint(1, 20_000))
            case _:
                return self.office.gift(self.random.randint(1, 2_000))


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_work_of_64_writers_equals_the_logs_order_of_it(told: Settings, seed: int) -> None:
    """Decided again one after the other, every entry comes out the same: no overdraft, no gap, first in first out."""
    async with clerk.opened(told) as office:
        before = office.sequencer.books.seq
        writers = [Writer(office, Random(seed * 1_000 + i)) for i in range(WRITERS)]
        await asyncio.gather(*(writer.work() for writer in writers))
    log = await check_log(told, decided_again=True)
    acknowledged = [entry for writer in writers for outcome in writer.told for entry in outcome.entries]
    assert sorted(acknowledged, key=lambda entry: entry.seq) == log[before + 1 :]
    kinds = Counter(entry.kind for entry in acknowledged)
    refused = sum((writer.refused for writer in writers), Counter[str]())
    assert {"money.received", "money.allocated", "money.disbursed", "gift.refunded", "proposal.rejected"} <= {*kinds}
    assert {"InsufficientAmount", "Closed"} <= {*refused}, "some wanted more than there was"


async def test_of_64_writers_who_want_the_last_fen_one_gets_it(told: Settings) -> None:
    async with clerk.opened(told) as office:
        await office.do(office.gift(1, fund="flood"))
        available = office.sequencer.books.line(f"fund:{clerk.CITY}:flood").available
        wanted = [allocation(available, "flood", "flood-aid") for _ in range(WRITERS)]
        outcomes = await asyncio.gather(*(office.sequencer.submit(each) for each in wanted), return_exceptions=True)
    assert Counter(type(each) for each in outcomes) == {Sequenced: 1, InsufficientAmount: WRITERS - 1}
    await check_log(told, decided_again=True)


async def test_of_64_gifts_with_one_reference_one_is_entered(told: Settings) -> None:
    async with clerk.opened(told) as office:
        gifts = [office.gift(channel_ref="the same payment") for _ in range(WRITERS)]
        outcomes = await asyncio.gather(*(office.sequencer.submit(each) for each in gifts), return_exceptions=True)
    assert Counter(type(each) for each in outcomes) == {Sequenced: 1, AlreadyThere: WRITERS - 1}
    await check_log(told)


async def test_of_64_equal_requests_all_get_one_answer(told: Settings) -> None:
    async with clerk.opened(told) as office:
        outcomes = await asyncio.gather(
            *(office.sequencer.submit(office.gift(), once("equal")) for _ in range(WRITERS))
        )
        (first,) = {outcome.entries[0].seq for outcome in outcomes if isinstance(outcome, Sequenced)}
        assert len({outcome.code for outcome in outcomes if isinstance(outcome, Sequenced)}) == 1
        assert await office.sequencer.submit(office.gift(), once("equal")) == Replayed(first, first)
    await check_log(told)
