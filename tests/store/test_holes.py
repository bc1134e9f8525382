"""A line full of holes: thousands of refunds scattered over a fund, and what flows around them."""

import shutil
from collections import Counter
from itertools import pairwise

import pytest

from ledger import account
from ledger.allocations import ReleaseMoney
from ledger.approvals import RejectProposal
from ledger.entries import Entry, GiftRefunded, part_of, qty_of
from ledger.pieces import resting
from ledger.posting import MAX_POSTINGS
from ledger.refusals import InsufficientAmount
from ledger.settings import Settings
from ledger.store.queries.trace import MAX_PIECES, backward, forward
from tests.support import clerk
from tests.support.checklog import check_log
from tests.support.clerk import CHECKER, CITY, DAY, MAKER, Clerk, allocation, payment, refund, sequenced
from tests.support.postgres import Cluster

HOLES = 5_000
GIFT_FEN = 3
OPEN_PROPOSALS = 1_200
"""More than Python calls may nest."""
CHUNK = 500
FUND, PROJECT = "flood", "flood-aid"


@pytest.fixture(scope="module")
async def scattered(cluster: Cluster, story: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A log where one fen was refunded of each of many gifts, and the rest of the fund allocated, around the holes."""
    await cluster.create_database("scattered", "template_story")
    folder = tmp_path_factory.mktemp("scattered")
    shutil.copytree(story.data_dir, folder, dirs_exist_ok=True)
    settings = story.model_copy(update={"data_dir": folder, "database_url": cluster.url("scattered")})
    async with clerk.opened(settings) as office:
        await office.set_policy()
        gifts = await give(office, HOLES)
        for start in range(0, HOLES, CHUNK):
            refunds = [refund(gift, 1) for gift in gifts[start : start + CHUNK]]
            for outcome in await office.sequencer.enqueue(refunds):
                assert not isinstance(outcome, Exception)
                sequenced(outcome)
        await office.do(allocation(available(office), FUND, PROJECT))
    return settings


@pytest.fixture(scope="module")
async def log(scattered: Settings) -> list[Entry]:
    """Its entries, checked."""
    return await check_log(scattered)


async def give(office: Clerk, count: int) -> list[int]:
    seqs: list[int] = []
    while len(seqs) < count:
        chunk = await office.sequencer.enqueue([office.gift(GIFT_FEN, fund=FUND) for _ in range(CHUNK)])
        seqs += [sequenced(each).entries[0].seq for each in chunk if not isinstance(each, Exception)]
    return seqs[:count]


def available(office: Clerk) -> int:
    return office.sequencer.books.line(account.fund(CITY, FUND)).available


def balance(log: list[Entry], address: str) -> int:
    postings = [posting for entry in log for posting in entry.postings]
    return sum(each.qty * ((each.dst == address) - (each.src == address)) for each in postings)


def parts(log: list[Entry]) -> list[Entry]:
    """The allocation: the last effect that came in several parts."""
    found = [entry for entry in log if entry.kind == "money.allocated" and part_of(entry.body)[1] > 1]
    assert [part_of(entry.body) for entry in found] == [(i, len(found)) for i in range(1, len(found) + 1)]
    return found


async def test_an_allocation_around_thousands_of_holes_is_split_and_leaves_out_no_fen(log: list[Entry]) -> None:
    allocated = parts(log)
    postings = [posting for entry in allocated for posting in entry.postings]
    assert len(allocated) == HOLES // MAX_POSTINGS + 1
    assert max(len(entry.postings) for entry in allocated) == MAX_POSTINGS
    for left, right in pairwise(postings):
        assert left.src_span.hi + 1 == right.src_lo, "one refunded fen between two postings"
        assert left.dst_span.hi == right.dst_lo
    assert sum(posting.qty for posting in postings[1:]) == (GIFT_FEN - 1) * HOLES


async def test_each_gift_traces_forward_to_its_refund_and_its_project(scattered: Settings) -> None:
    async with clerk.opened(scattered) as office, office.database.raw() as connection:
        cited = [row["ref"] for row in await connection.fetch("select ref from citation where kind = 'gift.refunded'")]
        for gift in cited[-HOLES::97]:
            rests = Counter[str]()
            for leaf in resting(await forward(connection, gift)):
                rests[leaf.address] += leaf.qty
            assert rests == {account.refunds(CITY): 1, account.project(CITY, PROJECT, FUND): GIFT_FEN - 1}


async def test_each_part_traces_backward_to_its_gifts_and_together_to_all_of_them(
    scattered: Settings, log: list[Entry]
) -> None:
    origins = Counter[int]()
    async with clerk.opened(scattered) as office, office.database.raw() as connection:
        for part in parts(log):
            pieces = await backward(connection, part.seq)
            gifts = [piece for piece in pieces if account.parse(piece.address).kind == "donors"]
            assert sum(piece.qty for piece in gifts) == qty_of(part)
            for piece in gifts:
                origins[piece.seq] += piece.qty
    refunded = {entry.body.ref for entry in log if isinstance(entry.body, GiftRefunded)}
    small = {gift for gift in refunded if qty_of(log[gift]) == GIFT_FEN}
    assert len(small) == HOLES
    assert {origins[gift] for gift in small} == {GIFT_FEN - 1}


async def test_what_is_left_of_a_large_allocation_can_be_released(scattered: Settings, log: list[Entry]) -> None:
    """Its trace has more pieces than anybody is shown; what it left has one."""
    allocated = parts(log)
    async with clerk.opened(scattered) as office:
        await office.do(payment(balance(log, account.project(CITY, PROJECT, FUND)) - 1, PROJECT))
        assert 2 * sum(len(entry.postings) for entry in allocated) > MAX_PIECES
        command = ReleaseMoney(maker=MAKER, org=CITY, ref=allocated[0].seq, on=DAY, reason="余款")
        (released,) = await office.do(command)
        assert qty_of(released) == 1
        (again,) = await office.do(allocation(1, FUND, PROJECT))
        assert [posting.src_lo for posting in again.postings] == [released.postings[0].dst_lo]
    await check_log(scattered)


async def test_a_fund_with_more_than_a_thousand_open_refunds_goes_on(told: Settings) -> None:
    async with clerk.opened(told) as office:
        gifts = await give(office, OPEN_PROPOSALS)
        made = [(await office.do(refund(gift, 1)))[0].seq for gift in gifts]
        left = available(office)
        assert left == office.sequencer.books.line(account.fund(CITY, FUND)).balance - OPEN_PROPOSALS
        with pytest.raises(InsufficientAmount) as refused:
            await office.do(allocation(left + 1, FUND, PROJECT))
        assert refused.value.facts["proposals"] == made
        allocated = await office.do(allocation(left, FUND, PROJECT))
        assert sum(map(qty_of, allocated)) == left
        await office.do(RejectProposal(maker=CHECKER, proposal=made[0], reason="不退"))
        assert available(office) == 1
        (effect,) = await office.approve(made[-1])
        assert effect.kind == "gift.refunded"
    await check_log(told)
