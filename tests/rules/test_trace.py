"""Where every fen of a gift is: examples for the story, hypothesis for the law that leaves always sum."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import account, entries, tracing
from ledger.account import CNY, Account
from ledger.disbursements import ConfirmDelivery, PublishFeedback
from ledger.entries import DeliveryConfirmed, Entry, EntryReversed, FeedbackPublished, MoneyReturned, Outcome
from ledger.line import Span
from ledger.pieces import Piece, resting
from ledger.refusals import Refused
from ledger.trace import Named, Names, State, Trace
from ledger.tracing import Found
from tests.support.fixed import FIXED
from tests.support.model import TODAY, Pen
from tests.support.society import (
    CITY,
    PROGRAMME,
    SHOP,
    allocation,
    gift,
    handed_back,
    open_society,
    payment,
    refund,
    release,
)

GENERAL = account.fund(CITY, "general")
RELIEF = account.project(CITY, "relief", "general")


def traced(pen: Pen, seq: int, *, entering: bool = False) -> Trace:
    """The trace of a gift, from the entries alone."""
    pieces = follow(pen, pen.entries[seq])
    moves = {piece.seq: pen.entries[piece.seq] for piece in pieces if piece.depth}
    totals = {
        first: sum(entries.qty_of(pen.entries[part]) for part in range(first, last + 1))
        for first, last in tracing.effects(moves.values()).items()
    }
    citing = [
        entry
        for entry in pen.entries
        if isinstance(entry.body, DeliveryConfirmed | FeedbackPublished) and entry.body.ref in totals
    ]
    returned = Counter[int]()
    for entry in pen.entries:
        if isinstance(entry.body, MoneyReturned | EntryReversed) and entry.body.ref in totals:
            returned[entry.body.ref] += entries.qty_of(entry)
    found = Found(
        gift=pen.entries[seq],
        sha256="0" * 64,
        pieces=pieces,
        moves=moves,
        totals=totals,
        returned=returned,
        citing=citing,
        entering=entering,
    )
    books = pen.books
    names = Names(
        organisations={org: body.name for org, body in books.organisations.items()},
        funds={key: body.name for key, body in books.funds.items()},
        projects={key: body.name for key, body in books.projects.items()},
        events={event: body.name for event, body in books.events.items()},
    )
    return tracing.assemble(found, names)


def follow(pen: Pen, start: Entry) -> list[Piece]:
    """What the store's query finds, by looking at every posting there is."""
    here: list[Piece] = []
    off = 0
    for n, posting in enumerate(start.postings):
        here.append(Piece(0, off, posting.qty, posting.dst, CNY, posting.dst_lo, start.seq, n))
        off += posting.qty
    found: list[Piece] = []
    while here:
        found += here
        here = sorted((onward for piece in here for onward in _moved(pen, piece)), key=lambda piece: piece.off)
    return found


def _moved(pen: Pen, piece: Piece) -> list[Piece]:
    found = []
    for entry in pen.entries:
        for n, posting in enumerate(entry.postings):
            lo = max(piece.lo, posting.src_lo)
            hi = min(piece.lo + piece.qty, posting.src_lo + posting.qty)
            if posting.src == piece.address and lo < hi:
                found.append(
                    Piece(
                        piece.depth + 1,
                        piece.off + lo - piece.lo,
                        hi - lo,
                        posting.dst,
                        CNY,
                        posting.dst_lo + lo - posting.src_lo,
                        entry.seq,
                        n,
                    )
                )
    return found


def confirm(pen: Pen, ref: int, qty: int, outcome: Outcome = "ok") -> int:
    (entry,) = pen.write(ConfirmDelivery(maker=PROGRAMME, org=CITY, ref=ref, outcome=outcome, qty=qty, on=TODAY))
    return entry.seq


def leaves(found: Trace) -> list[tuple[State, int]]:
    return [(leaf.state, leaf.amount_fen) for leaf in found.leaves]


def test_a_gift_that_nobody_touched_lies_in_its_fund() -> None:
    pen = open_society()
    (given_,) = pen.write(gift(500))
    found = traced(pen, given_.seq)
    assert leaves(found) == [(State.HELD, 500)]
    assert found.leaves[0].fund == Named("general", "general")
    assert found.leaves[0].project is None
    assert [step.kind for step in found.steps] == ["money.received"]
    assert (found.gift.amount_fen, found.gift.organisation) == (500, Named(CITY, "市会"))


def test_each_fen_has_one_state() -> None:
    pen = open_society()
    (given_,) = pen.write(gift(500))
    (allocated,) = pen.write(allocation(450))
    (aid,) = pen.write(payment(300))
    (bought,) = pen.write(payment(100))
    confirm(pen, aid.seq, 300)
    (back,) = pen.write(refund(given_.seq, 20))
    found = traced(pen, given_.seq)
    assert leaves(found) == [
        (State.CONFIRMED, 300),
        (State.UNCONFIRMED, 100),
        (State.REFUNDED, 20),
        (State.ALLOCATED, 30),  # a refund takes the gift's first positions that are left: those in the project
        (State.HELD, 50),
    ]
    assert [leaf.seq for leaf in found.leaves] == [aid.seq, bought.seq, back.seq, allocated.seq, given_.seq]
    assert (found.leaves[0].payee, found.leaves[0].purpose) == (SHOP, "救灾物资")
    assert found.leaves[0].project == Named("relief", "relief")
    assert [step.kind for step in found.steps] == [
        "gift.refunded",
        "delivery.confirmed",
        "money.disbursed",
        "money.disbursed",
        "money.allocated",
        "money.received",
    ]


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ([("ok", 300)], State.CONFIRMED),
        ([("ok", 100), ("ok", 200)], State.CONFIRMED),
        ([("ok", 299)], State.UNCONFIRMED),
        ([("short", 300)], State.UNCONFIRMED),
        ([("ok", 200), ("damaged", 100)], State.UNCONFIRMED),
        ([], State.UNCONFIRMED),
    ],
)
def test_a_payment_counts_as_confirmed_when_all_of_it_was_found_good(
    said: list[tuple[Outcome, int]], state: State
) -> None:
    pen = open_society()
    first, second = (pen.write(gift(qty))[0].seq for qty in (100, 200))
    pen.write(allocation(300))
    (paid,) = pen.write(payment(300))
    for outcome, qty in said:
        confirm(pen, paid.seq, qty, outcome)
    assert leaves(traced(pen, first)) == [(state, 100)]
    assert leaves(traced(pen, second)) == [(state, 200)]


def test_a_step_says_this_gifts_part_and_the_whole() -> None:
    pen = open_society()
    first, second = (pen.write(gift(qty))[0].seq for qty in (100, 200))
    pen.write(allocation(250))
    (paid,) = pen.write(payment(220))
    confirm(pen, paid.seq, 70)
    pen.write(PublishFeedback(maker=PROGRAMME, org=CITY, ref=paid.seq, text="已送达", on=TODAY, beneficiaries="12"))
    assert [(step.kind, step.amount_fen, step.entry_amount_fen) for step in traced(pen, first).steps] == [
        ("feedback.published", 100, 220),
        ("delivery.confirmed", 100, 70),
        ("money.disbursed", 100, 220),
        ("money.allocated", 100, 250),
        ("money.received", 100, 100),
    ]
    assert [step.amount_fen for step in traced(pen, second).steps] == [120, 120, 120, 150, 200]
    feedback = traced(pen, second).steps[0]
    assert (feedback.text, feedback.beneficiaries, feedback.ref) == ("已送达", "12", paid.seq)


def test_what_came_to_a_project_twice_lies_there_once() -> None:
    pen = open_society()
    (given_,) = pen.write(gift(100))
    pen.write(allocation(30))
    (second,) = pen.write(allocation(40))
    found = traced(pen, given_.seq)
    assert leaves(found) == [(State.ALLOCATED, 70), (State.HELD, 30)]
    assert found.leaves[0].seq == second.seq


def test_money_that_a_project_gave_back_lies_in_its_fund_again() -> None:
    pen = open_society()
    (given_,) = pen.write(gift(100))
    (allocated,) = pen.write(allocation(60))
    (released,) = pen.write(release(allocated.seq))
    found = traced(pen, given_.seq)
    assert leaves(found) == [(State.HELD, 100)]
    assert found.leaves[0].seq == released.seq
    assert found.leaves[0].project is None
    assert found.steps[0].kind == "money.released"
    assert found.steps[0].project == Named("relief", "relief")
    assert found.steps[0].reason == "项目结余"


def test_an_effect_in_parts_is_one_payment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.posting.MAX_POSTINGS", 2)
    pen = open_society()
    given_ = [pen.write(gift(10))[0].seq for _ in range(7)]
    for seq in given_[1::2]:
        pen.write(refund(seq))  # holes
    parts = pen.write(allocation(40))
    assert [entries.part_of(entry.body) for entry in parts] == [(1, 2), (2, 2)]
    (paid,) = pen.write(payment(40))
    confirm(pen, paid.seq, 40)
    for seq in given_[::2]:
        found = traced(pen, seq)
        assert leaves(found) == [(State.CONFIRMED, 10)]
        allocated = found.steps[-2]
        assert (allocated.seq, allocated.amount_fen, allocated.entry_amount_fen) == (parts[0].seq, 10, 40)


def test_a_payment_counts_as_confirmed_when_all_that_did_not_come_back_was_found_good() -> None:
    pen = open_society()
    (given_,) = pen.write(gift(500))
    pen.write(allocation(500))
    (paid,) = pen.write(payment(500))
    confirm(pen, paid.seq, 200)
    pen.write(handed_back(paid.seq, 100))
    assert leaves(traced(pen, given_.seq)) == [(State.UNCONFIRMED, 400), (State.ALLOCATED, 100)]
    confirm(pen, paid.seq, 200)
    assert leaves(traced(pen, given_.seq)) == [(State.CONFIRMED, 400), (State.ALLOCATED, 100)]
    pen.write(handed_back(paid.seq, 100))
    assert leaves(traced(pen, given_.seq)) == [(State.CONFIRMED, 300), (State.ALLOCATED, 200)]


def test_a_gift_of_an_import_that_is_being_entered_says_so() -> None:
    pen = open_society()
    (given_,) = pen.write(gift(500))
    assert traced(pen, given_.seq, entering=True).gift.entering
    assert not traced(pen, given_.seq).gift.entering


def test_a_trace_that_does_not_sum_is_never_shown() -> None:
    pen = open_society()
    (given_,) = pen.write(gift(500))
    found = traced(pen, given_.seq)
    with pytest.raises(AssertionError, match="500 fen"):
        Trace(gift=found.gift, states=found.states, leaves=(), steps=found.steps)


acts = st.lists(
    st.tuples(
        st.sampled_from(["give", "give", "allocate", "pay", "release", "refund", "confirm"]),
        st.integers(1, 60),
        st.integers(0, 30),
    ),
    max_size=14,
)


@FIXED
@given(acts)
def test_the_leaves_of_all_gifts_are_what_the_accounts_hold(acts: list[tuple[str, int, int]]) -> None:
    pen = open_society()
    happened: dict[str, list[int]] = {"give": [], "allocate": [], "pay": []}
    for what, qty, which in acts:
        _act(pen, what, qty, which, happened)
    sums: Counter[State] = Counter()
    for seq in happened["give"]:
        found = traced(pen, seq)
        sums.update(found.states)
        parts: Counter[str] = Counter()
        for where, span in pen.images(Account(GENERAL, CNY), _credited(pen, seq)):
            parts[where.address] += span.qty
        assert parts[GENERAL] == found.states[State.HELD]
        assert parts[RELIEF] == found.states[State.ALLOCATED]
    assert sums[State.HELD] == pen.balance(GENERAL)
    assert sums[State.ALLOCATED] == pen.balance(RELIEF)
    assert sums[State.UNCONFIRMED] + sums[State.CONFIRMED] == pen.balance(account.payees(CITY))
    assert sums[State.REFUNDED] == pen.balance(account.refunds(CITY))


def _act(pen: Pen, what: str, qty: int, which: int, happened: dict[str, list[int]]) -> None:
    def one_of(kind: str) -> int:
        return happened[kind][which % len(happened[kind])] if happened[kind] else 0

    try:
        match what:
            case "give":
                happened["give"].append(pen.write(gift(qty))[0].seq)
            case "allocate":
                happened["allocate"].append(pen.write(allocation(qty))[0].seq)
            case "pay":
                happened["pay"].append(pen.write(payment(qty))[0].seq)
            case "release":
                pen.write(release(one_of("allocate"), qty))
            case "refund":
                pen.write(refund(one_of("give"), qty))
            case "confirm":
                confirm(pen, one_of("pay"), qty)
            case _:
                raise AssertionError(what)
    except Refused:
        pass  # the rules said no, and nothing has changed


def _credited(pen: Pen, seq: int) -> Span:
    (posting,) = pen.entries[seq].postings
    return posting.dst_span


def test_resting_pieces_are_found_among_thousands() -> None:
    here = [Piece(0, 0, 20_000, GENERAL, CNY, 0, 1, 0)]
    moved = [Piece(1, i * 4, 2, RELIEF, CNY, i * 2, 2 + i, 0) for i in range(5_000)]
    found = resting([*here, *moved])
    assert len(found) == 10_000
    assert sum(piece.qty for piece in found) == 20_000
    assert [piece.off for piece in found] == sorted(piece.off for piece in found)
