"""Deep lineage: a gift that went up, down, out and back in ever smaller parts is still found, to the fen, both ways."""

from collections import Counter
from collections.abc import AsyncGenerator
from itertools import accumulate

import asyncpg
import pytest

from ledger.entries import Restriction
from ledger.organisations import EnrolStaff, OpenFund
from ledger.pieces import resting
from ledger.returns import ReturnMoney
from ledger.roles import Role
from ledger.settings import Settings
from ledger.store.queries.gifts import Traces
from ledger.store.queries.sources import Source, read_sources
from ledger.store.queries.trace import backward, forward
from ledger.trace import State
from ledger.transfers import ReceiveTransfer, SendTransfer
from tests.support.branch import CITY, FINANCE, FOUNDER, OTHER_FOUNDER, PROVINCE, Branch, Given
from tests.support.checklog import check_log

GIFT_FEN = 6_400
OTHERS_FEN = 999


async def send(branch: Branch, sender: str, to: str, parts: int) -> None:
    """All of the gift in so many transfers, received in the opposite order: its positions change places."""
    sent = [
        await branch.do(
            SendTransfer(
                maker=FINANCE, org=sender, fund="general", to=to, amount_fen=GIFT_FEN // parts, on=branch.today
            )
        )
        for _ in range(parts)
    ]
    for ref in reversed(sent):
        await branch.do(ReceiveTransfer(maker=FINANCE, org=to, ref=ref, fund="general", on=branch.today))


async def hand_back(branch: Branch, payments: list[int], amount_fen: int) -> None:
    for ref in reversed(payments):
        await branch.do(
            ReturnMoney(maker=FINANCE, org=CITY, ref=ref, on=branch.today, reason="采购结余", amount_fen=amount_fen)
        )


async def travelled(branch: Branch) -> tuple[Given, list[int]]:
    """A gift after ten hops, and the last payments that drew on it. Another gift follows it everywhere."""
    await branch.agree(EnrolStaff(maker=FOUNDER, staff=FINANCE, org=PROVINCE, roles=(Role.FINANCE,)), OTHER_FOUNDER)
    await branch.do(OpenFund(maker=FOUNDER, org=PROVINCE, fund="general", name="全省统筹", restriction=Restriction()))
    given = await branch.gift(GIFT_FEN)
    await branch.gift(OTHERS_FEN)
    await send(branch, CITY, PROVINCE, 2)  # hops 1 and 2
    await send(branch, PROVINCE, CITY, 4)  # 3 and 4; behind the other gift, which now comes first
    for _ in range(8):
        await branch.allocate((GIFT_FEN + OTHERS_FEN) // 8)  # 5
    first = [await branch.pay(800) for _ in range(8)]  # 6
    await hand_back(branch, first, 400)  # 7
    second = [await branch.pay(500) for _ in range(8)]  # 8
    await hand_back(branch, second, 250)  # 9
    return given, [await branch.pay(150) for _ in range(8)]  # 10


@pytest.fixture
async def branch(settings: Settings) -> AsyncGenerator[Branch]:
    async with Branch.open(settings) as opened:
        yield opened


async def test_ten_hops_and_many_splits_later_every_fen_of_a_gift_is_found(branch: Branch, settings: Settings) -> None:
    given, payments = await travelled(branch)
    async with branch.database.snapshot() as connection:
        pieces = await forward(connection, given.seq)
        trace = (await Traces(branch.database).of(given.seq)).trace
        assert trace is not None
        assert max(piece.depth for piece in pieces) >= 10
        leaves = resting(pieces)
        assert 30 <= len(leaves) <= 64
        assert [leaf.off for leaf in leaves] == [*accumulate((leaf.qty for leaf in leaves[:-1]), initial=0)]
        assert sum(leaf.qty for leaf in leaves) == GIFT_FEN
        assert sum(trace.states.values()) == GIFT_FEN
        assert trace.states[State.UNCONFIRMED] > 0
        assert trace.states[State.ALLOCATED] > 0
        by_payment = Counter[int]()
        for leaf in trace.leaves:
            if leaf.state is State.UNCONFIRMED:
                by_payment[leaf.seq] += leaf.amount_fen
        # Backward is the mirror: each payment names this gift with the same amount, less what came back of it since.
        for payment in payments:
            found = await pages(connection, payment)
            assert sum(each.amount_fen for each in found) == 150
            assert {each.seq: each.amount_fen for each in found}.get(given.seq, 0) == by_payment[payment]
            deepest = await backward(connection, payment)
            assert sum(piece.qty for piece in deepest if piece.lo < 0) == 150
    await check_log(settings, decided_again=True)


async def pages(connection: asyncpg.Connection, seq: int) -> list[Source]:
    """All sources of a movement, a page of one at a time."""
    found: list[Source] = []
    after: int | None = -1
    gift_count = 0
    while after is not None:
        page = await read_sources(connection, seq, after=after, limit=1)
        assert page is not None
        found += page.items
        after, gift_count = page.next, page.gift_count
    assert len(found) == gift_count
    return found
