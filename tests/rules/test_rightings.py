"""Right entries: they cite what was taken back, once, and move what of the right amount is missing."""

import pytest
from msgspec import structs

from ledger import account, entries
from ledger.entries import Entry
from ledger.periods import ClosePeriod
from ledger.refusals import AlreadyThere, Invalid, NothingLeft, PeriodIsClosed
from tests.support.model import Pen
from tests.support.society import (
    APPROVER,
    CITY,
    FINANCE,
    NEIGHBOUR,
    NEIGHBOURS_APPROVER,
    OTHER_CITY,
    AnyRight,
    allocation,
    arrival,
    gift,
    handed_back,
    identification,
    open_society,
    payment,
    refund,
    reversal,
    right,
    sending,
    sent_back,
    suspense_return,
    unidentified,
)

GENERAL = account.fund(CITY, "general")
RELIEF = account.project(CITY, "relief", "general")
SUSPENSE = account.suspense(CITY)
REF = "a" * 64


def wrong_gift(pen: Pen, amount_fen: int = 10, **more: str) -> Entry:
    """A gift, two fen of which are paid before it is taken back."""
    (given,) = pen.write(gift(amount_fen, ref=REF, **more))
    pen.write(allocation(5))
    pen.write(payment(2))
    pen.agreed(reversal(given.seq), APPROVER)
    return given


def test_a_right_gift_books_the_right_amount_less_what_had_moved() -> None:
    pen = open_society()
    wrong = wrong_gift(pen)
    (entry,) = pen.write(right(gift(7, ref=REF), wrong.seq))
    assert isinstance(entry.body, entries.MoneyReceived)
    assert (entry.body.corrects, entry.body.right_fen, entries.qty_of(entry)) == (wrong.seq, 7, 5)
    assert entry.body.ref == REF
    assert pen.balance(GENERAL) == 5


def test_a_right_gift_may_be_for_another_fund_and_bears_that_funds_fee() -> None:
    pen = open_society()
    wrong = wrong_gift(pen)
    (entry,) = pen.write(right(gift(10, "platform", ref=REF), wrong.seq))
    assert [posting.qty for posting in entry.postings] == [6, 2]


def test_an_entry_is_corrected_once() -> None:
    pen = open_society()
    wrong = wrong_gift(pen)
    (first,) = pen.write(right(gift(7, ref=REF), wrong.seq))
    with pytest.raises(AlreadyThere):
        pen.write(right(gift(7, ref=REF), wrong.seq))
    pen.agreed(reversal(first.seq), APPROVER)
    with pytest.raises(AlreadyThere, match="has its right entry"):
        pen.write(right(gift(7, ref=REF), wrong.seq))
    (second,) = pen.write(right(gift(6, ref=REF), first.seq))
    assert entries.qty_of(second) == 4, "two fen had moved with the first wrong one"


def test_a_right_entry_of_a_right_entry_counts_what_moved_with_each_wrong_one() -> None:
    pen = open_society()
    wrong = wrong_gift(pen)
    (second,) = pen.write(right(gift(8, ref=REF), wrong.seq))
    pen.write(allocation(3))
    pen.write(payment(3))
    pen.agreed(reversal(second.seq), APPROVER)
    with pytest.raises(Invalid, match="5 of entry") as refused:
        pen.write(right(gift(5, ref=REF), second.seq))
    assert refused.value.facts["moved"] == 5
    (third,) = pen.write(right(gift(9, ref=REF), second.seq))
    pen.agreed(reversal(third.seq), APPROVER)
    (fourth,) = pen.write(right(gift(7, ref=REF), third.seq))
    assert [entries.qty_of(each) for each in (second, third, fourth)] == [6, 4, 2]
    assert pen.balance(GENERAL) + pen.balance(RELIEF) + pen.balance(account.payees(CITY)) == 7


def test_a_payment_corrected_twice_pays_what_is_right_once() -> None:
    pen = open_society()
    pen.write(gift(200))
    pen.write(allocation(200))
    (paid,) = pen.write(payment(100))
    pen.write(handed_back(paid.seq, 40))
    pen.agreed(reversal(paid.seq), APPROVER)
    (second,) = pen.write(right(payment(90), paid.seq))
    pen.agreed(reversal(second.seq), APPROVER)
    (third,) = pen.write(right(payment(90), second.seq))
    assert [entries.qty_of(each) for each in (second, third)] == [50, 50], "forty of the ninety were handed back"
    assert (pen.balance(account.payees(CITY)), pen.balance(RELIEF)) == (50, 150)


def test_only_what_was_taken_back_is_corrected_and_by_its_own_kind() -> None:
    pen = open_society()
    wrong = wrong_gift(pen)
    (standing,) = pen.write(gift(9))
    for command in (
        right(gift(7, ref=REF), standing.seq),
        right(gift(7, ref=REF), standing.seq + 99),
        right(allocation(3), wrong.seq),
    ):
        with pytest.raises(Invalid, match="corrects"):
            pen.write(command)


def test_a_right_gift_keeps_its_channel_reference() -> None:
    pen = open_society()
    wrong = wrong_gift(pen)
    for ref in ("", "b" * 64):
        with pytest.raises(Invalid, match="reference"):
            pen.write(right(gift(7, ref=ref), wrong.seq))


def test_where_nothing_is_missing_there_is_no_right_entry() -> None:
    pen = open_society()
    wrong = wrong_gift(pen)
    with pytest.raises(Invalid, match="nothing is missing"):
        pen.write(right(gift(2, ref=REF), wrong.seq))


def test_an_allocation_a_payment_a_transfer_and_a_refund_have_right_entries() -> None:
    pen = open_society()
    (given,) = pen.write(gift(60))
    pen.write(allocation(30))
    (paid,) = pen.write(payment(20))
    pen.write(handed_back(paid.seq, 4))
    (sent,) = pen.write(sending(10))
    pen.write(arrival(sent.seq, 3))
    (refunded,) = pen.write(refund(given.seq, 5))
    assert entered_again(pen, right(payment(18), paid.seq)) == 14
    assert entered_again(pen, right(sending(8), sent.seq)) == 5
    assert entered_again(pen, right(refund(given.seq, 2), refunded.seq)) == 2


def entered_again(pen: Pen, command: AnyRight) -> int:
    """How much the right entry moves, once the wrong one was taken back."""
    pen.agreed(reversal(command.corrects), APPROVER)
    (entry,) = pen.write(command)
    return entries.qty_of(entry)


def test_a_right_allocation_moves_what_the_wrong_one_did_not_bring() -> None:
    pen = open_society()
    pen.write(gift(60))
    (allocated,) = pen.write(allocation(30))
    pen.write(payment(20))
    pen.agreed(reversal(allocated.seq), APPROVER)
    (entry,) = pen.write(right(allocation(25), allocated.seq))
    assert entries.qty_of(entry) == 5
    assert (pen.balance(GENERAL), pen.balance(RELIEF)) == (35, 5)


def test_a_proposed_right_payment_is_decided_on_what_had_moved() -> None:
    pen = open_society()
    pen.write(gift(60))
    pen.write(allocation(30))
    (paid,) = pen.write(payment(20))
    pen.agreed(reversal(paid.seq), APPROVER)
    (first,) = pen.write(right(payment(18), paid.seq))
    assert pen.balance(RELIEF) == 12
    with pytest.raises(AlreadyThere) as refused:
        pen.write(right(payment(18), paid.seq))
    assert refused.value.facts["righted_by"] == first.seq


def test_a_correction_of_a_closed_period_is_dated_in_the_open_one() -> None:
    pen = open_society()
    (given,) = pen.write(structs.replace(gift(10, ref=REF), on="2026-10-15"))
    pen.agreed(ClosePeriod(maker=FINANCE, org=CITY, first_on="2026-10-01", last_on="2026-10-31"), APPROVER)
    with pytest.raises(PeriodIsClosed):
        pen.write(structs.replace(reversal(given.seq), on="2026-10-31"))
    pen.agreed(structs.replace(reversal(given.seq), on="2026-11-01"), APPROVER)
    again = right(gift(7, ref=REF), given.seq)
    with pytest.raises(PeriodIsClosed):
        pen.write(structs.replace(again, on="2026-10-15"))
    (entry,) = pen.write(structs.replace(again, on="2026-11-01"))
    assert entries.qty_of(entry) == 7


def test_a_gift_found_in_suspense_is_taken_back_into_it_and_found_again() -> None:
    pen = open_society()
    (waiting,) = pen.write(unidentified(10))
    (wrong,) = pen.write(identification(waiting.seq, 9))
    pen.write(allocation(4))
    pen.write(payment(1))
    back = pen.agreed(reversal(wrong.seq), APPROVER)
    assert {posting.dst for posting in back.postings} == {SUSPENSE}
    assert (pen.balance(SUSPENSE), pen.balance(GENERAL), pen.balance(RELIEF)) == (9, 0, 0)
    (entry,) = pen.write(right(identification(waiting.seq, 7, "flood"), wrong.seq))
    assert entries.qty_of(entry) == 6, "one fen was paid as the wrong gift"
    assert [posting.src_lo for posting in entry.postings] == [9], "what was left first, then what came back"
    pen.write(suspense_return(waiting.seq))
    assert pen.balance(SUSPENSE) == 0
    with pytest.raises(NothingLeft):
        pen.write(refund(wrong.seq))


def test_a_transfer_received_by_mistake_is_in_transit_again() -> None:
    pen = open_society()
    pen.write(gift(10))
    (sent,) = pen.write(sending(6))
    (arrived,) = pen.write(arrival(sent.seq, 4))
    back = pen.agreed(reversal(arrived.seq, org=OTHER_CITY, maker=NEIGHBOUR), NEIGHBOURS_APPROVER)
    assert [(each.dst, each.qty) for each in back.postings] == [(account.transit(CITY, OTHER_CITY), 4)]
    assert pen.books.in_transit[CITY, "general"] == 6
    (again,) = pen.write(right(arrival(sent.seq, 5), arrived.seq))
    assert [(each.src_lo, each.qty) for each in again.postings] == [(4, 5)]
    (home,) = pen.write(sent_back(sent.seq))
    assert [(each.dst, each.qty) for each in home.postings] == [(GENERAL, 1)]


def test_a_transfer_is_taken_back_after_what_was_received_of_it() -> None:
    pen = open_society()
    pen.write(gift(10))
    (sent,) = pen.write(sending(6))
    (arrived,) = pen.write(arrival(sent.seq, 4))
    pen.agreed(reversal(arrived.seq, org=OTHER_CITY, maker=NEIGHBOUR), NEIGHBOURS_APPROVER)
    back = pen.agreed(reversal(sent.seq), APPROVER)
    assert [(each.dst, each.qty) for each in back.postings] == [(GENERAL, 6)]
    assert isinstance(back.body, entries.EntryReversed)
    assert (back.body.left, back.body.moved) == (6, 0)
    assert pen.books.in_transit[CITY, "general"] == 0
