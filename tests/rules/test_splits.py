"""Effects and holds too large for one entry."""

from itertools import pairwise

import msgspec
import pytest

from ledger import account, decide, entries
from ledger.account import CNY, Account
from ledger.approvals import ApproveProposal, WithdrawProposal
from ledger.command import Facts
from ledger.disbursements import ConfirmDelivery
from ledger.entries import MAX_BYTES, By, Entry, Rule, Tier
from ledger.line import Line, Span
from ledger.posting import MAX_POSTING_BYTES, MAX_POSTINGS, Posting, parts
from ledger.refusals import Invalid, NothingLeft
from tests.support.model import TODAY, Pen, read_back
from tests.support.society import (
    APPROVER,
    CITY,
    FINANCE,
    PROGRAMME,
    allocation,
    gift,
    open_society,
    payment,
    refund,
    release,
)

FROM_500 = (
    Rule(kind="money.allocated", approvals=(Tier(500, 1),)),
    Rule(kind="gift.refunded", approvals=(Tier(500, 1),)),
)
GENERAL = Account(account.fund(CITY, "general"), CNY)


@pytest.fixture(scope="module")
def scattered() -> list[bytes]:
    """The log of 1,301 gifts of two fen, 1,300 of them with one fen refunded: every other position is a hole."""
    pen = open_society(FROM_500)
    received = [pen.write(gift(2))[0].seq for _ in range(1_301)]
    for ref in received[:-1]:
        pen.write(refund(ref, 1))
    return pen.written


@pytest.fixture(scope="module")
def interleaved() -> tuple[list[bytes], int]:
    """The log of one gift of 1,300 fen, spread fen by fen over two projects, and the gift's number."""
    pen = open_society(FROM_500)
    (received,) = pen.write(gift(1_300))
    for _ in range(650):
        pen.write(allocation(1, project="relief"))
        pen.write(allocation(1, project="anything"))
    return pen.written, received.seq


def test_an_allocation_out_of_1300_holes_is_three_entries(scattered: list[bytes]) -> None:
    pen = Pen(scattered)
    (made,) = pen.write(allocation(1_300))
    approval, *effect = pen.write(ApproveProposal(maker=APPROVER, proposal=made.seq))
    assert approval.kind == "proposal.approved"
    assert [entries.part_of(entry.body) for entry in effect] == [(1, 3), (2, 3), (3, 3)]
    assert [len(entry.postings) for entry in effect] == [500, 500, 300]
    assert {entry.by for entry in effect} == {
        By(maker=FINANCE, checkers=(APPROVER,), proposal=made.seq, salt=effect[0].by.salt)
    }
    whole = {msgspec.structs.replace(entry.body, part=()) for entry in effect}
    assert len(whole) == 1
    postings = [posting for entry in effect for posting in entry.postings]
    assert [posting.src_lo for posting in postings] == list(range(1, 2_600, 2))
    assert [posting.dst_lo for posting in postings] == list(range(1_300))


def test_each_part_releases_of_the_hold_what_it_takes(scattered: list[bytes]) -> None:
    pen = Pen(scattered)
    (made,) = pen.write(allocation(1_300))
    pen.write(ApproveProposal(maker=APPROVER, proposal=made.seq))
    books = read_back(pen.written[:-3], [GENERAL])
    held = []
    for written in pen.written[-3:]:
        books.apply(entries.decode(written), entries.digest(written))
        held.append(sum(proposal.qty for proposal in books.proposals.values()))
        assert books.lines[GENERAL].available == 2
    assert held == [800, 300, 0]


def test_between_parts_a_line_loaded_anew_has_the_hold_that_is_left(scattered: list[bytes]) -> None:
    pen = Pen(scattered)
    (made,) = pen.write(allocation(1_300))
    pen.write(ApproveProposal(maker=APPROVER, proposal=made.seq))
    middle = Pen(pen.written[:-2])
    assert middle.line(GENERAL).available == 2
    assert middle.line(GENERAL).held_amounts == {made.seq: 800}


def test_a_split_allocation_is_released_whole_by_its_first_part(scattered: list[bytes]) -> None:
    pen = Pen(scattered)
    (made,) = pen.write(allocation(1_300))
    _, first, second, _ = pen.write(ApproveProposal(maker=APPROVER, proposal=made.seq))
    pen.write(payment(100))
    with pytest.raises(Invalid):
        pen.write(release(second.seq))
    (released,) = pen.write(release(first.seq))
    assert [(posting.src_lo, posting.qty) for posting in released.postings] == [(100, 1_200)]


def test_a_confirmation_cites_a_split_payment_by_its_first_part() -> None:
    pen = open_society()
    pen.write(gift(9))
    pen.write(allocation(9))
    (paid,) = pen.write(payment(9))
    cited = msgspec.structs.replace(paid, body=msgspec.structs.replace(paid.body, part=(2, 3)))
    command = ConfirmDelivery(maker=PROGRAMME, org=CITY, ref=paid.seq, outcome="ok", qty=5, on=TODAY)
    with pytest.raises(Invalid):
        decide.decide(command, pen.books, Facts(today=TODAY, cited=cited, cited_qty=9))


def test_a_proposal_of_1300_spans_is_three_entries_and_holds_all_of_them(interleaved: tuple[list[bytes], int]) -> None:
    written, received = interleaved
    pen = Pen(written)
    made = pen.write(refund(received))
    assert [entries.part_of(entry.body) for entry in made] == [(1, 3), (2, 3), (3, 3)]
    (number,) = pen.books.proposals
    assert number == made[0].seq
    assert len(pen.books.proposals[number].holds) == 1_300
    for project in ("relief", "anything"):
        assert pen.available(account.project(CITY, project, "general")) == 0
    with pytest.raises(NothingLeft):
        pen.write(refund(received, 1))

    _, *effect = pen.write(ApproveProposal(maker=APPROVER, proposal=number))
    assert [len(entry.postings) for entry in effect] == [500, 500, 300]
    assert pen.balance(account.refunds(CITY)) == 1_300
    assert not pen.books.proposals


def test_held_positions_leave_the_hold_part_by_part(interleaved: tuple[list[bytes], int]) -> None:
    written, received = interleaved
    pen = Pen(written)
    (made, *_) = pen.write(refund(received))
    pen.write(ApproveProposal(maker=APPROVER, proposal=made.seq))
    books = read_back(pen.written[:-3], pen.credits)
    held = []
    for each in pen.written[-3:]:
        books.apply(entries.decode(each), entries.digest(each))
        held.append(sum(proposal.qty for proposal in books.proposals.values()))
        for line in books.lines.values():
            assert line.balance - line.available == sum(spans.total for spans in line.held_spans.values())
    assert held == [800, 300, 0]


def test_a_withdrawn_proposal_in_parts_frees_all_of_them(interleaved: tuple[list[bytes], int]) -> None:
    written, received = interleaved
    pen = Pen(written)
    (made, *_) = pen.write(refund(received))
    pen.write(WithdrawProposal(maker=FINANCE, proposal=made.seq))
    assert pen.available(account.project(CITY, "relief", "general")) == 650


def test_parts_keep_both_limits() -> None:
    long = account.project("o" * 32, "p" * 32, "f" * 32)
    longer = [Posting(long, i, long, i, 2**53 - 1, "item:" + "i" * 32) for i in range(1_000)]
    short = [Posting("a", i, "b", i, 1, CNY) for i in range(1_001)]
    for postings in (longer, short, []):
        runs = parts(postings)
        assert [posting for run in runs for posting in run] == postings
        assert all(len(run) <= MAX_POSTINGS for run in runs)
        assert all(len(entries.canonical(run)) <= MAX_POSTING_BYTES for run in runs)
    assert [len(run) for run in parts(short)] == [500, 500, 1]


def test_the_longest_texts_beside_the_longest_postings_fit_one_entry() -> None:
    text = "𠮷" * 500
    body = entries.MoneyDisbursed(
        on=TODAY, payee=text, project="p" * 32, purpose=text, spending="management", beneficiaries="999999999",
        decision=text, evidence=("f" * 64,) * 50, part=(9_999, 9_999), region="330800",
    )  # fmt: skip
    long = account.project("o" * 32, "p" * 32, "f" * 32)
    (postings, *_) = parts([Posting(long, 2**53 - 1, long, 2**53 - 1, 2**53 - 1, CNY)] * 500)
    by = By(maker=FINANCE, checkers=(APPROVER,) * 6, proposal=2**53 - 1, salt="0" * 64)
    entry = Entry(
        at="2026-11-21T04:00:00.000Z", body=body, by=by, kind="money.disbursed", postings=postings, prev="f" * 64,
        seq=2**53 - 1, v=1,
    )  # fmt: skip
    assert len(entries.encode(entry)) <= MAX_BYTES


def test_releasing_a_hold_of_many_spans_takes_each_span_once(interleaved: tuple[list[bytes], int]) -> None:
    written, received = interleaved
    pen = Pen(written)
    (made, *_) = pen.write(refund(received))
    pen.write(ApproveProposal(maker=APPROVER, proposal=made.seq))
    books = read_back(pen.written[:-2], [])
    lows = [(hold.address, hold.lo) for hold in books.proposals[made.seq].holds]
    assert len(lows) == len(set(lows)) == 800
    assert all(a != b for a, b in pairwise(lows))
    line = Line(650, 0)
    books.put(Account(account.project(CITY, "relief", "general"), CNY), line)
    assert next(line.free()) == Span(0, 250)
