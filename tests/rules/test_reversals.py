"""Corrections: an entry is taken back as far as it is left, once, in public."""

import msgspec
import pytest

from ledger import account, entries
from ledger.account import CNY
from ledger.approvals import ApproveProposal
from ledger.entries import Entry
from ledger.exchange import SettleExchange
from ledger.posting import Posting
from ledger.refusals import AlreadyThere, InsufficientAmount, Invalid, NotAllowed, NothingLeft, NotReversible
from ledger.reversals import ReverseEntry
from tests.support.model import TODAY, Pen
from tests.support.society import (
    APPROVER,
    BOTH_CITIES,
    BOTH_CITIES_APPROVER,
    CITY,
    FINANCE,
    HOSPITAL,
    OTHER_CITY,
    PROGRAMME,
    allocation,
    arrival,
    charge,
    gift,
    handed_back,
    identification,
    income,
    open_society,
    payment,
    refund,
    reversal,
    right,
    sending,
    unidentified,
)

GENERAL = account.fund(CITY, "general")
RELIEF = account.project(CITY, "relief", "general")
FOR_HOSPITAL = account.project(CITY, "relief", "hospital")
PLATFORM = account.fund(CITY, "platform")
FEES, SUSPENSE = account.fees(CITY), account.suspense(CITY)
PAYEES, VOIDED = account.payees(CITY), account.voided(CITY)
TRANSIT = account.transit(CITY, OTHER_CITY)
REF = "a" * 64


def taken_back(pen: Pen, command: ReverseEntry, checker: str = APPROVER) -> Entry:
    return pen.agreed(command, checker)


def test_a_gift_entered_wrongly_is_taken_back_wherever_it_rests() -> None:
    pen = open_society()
    (given,) = pen.write(gift(10))
    pen.write(allocation(6))
    pen.write(payment(2))
    back = taken_back(pen, reversal(given.seq))
    assert back.postings == (Posting(RELIEF, 2, VOIDED, 0, 4, CNY), Posting(GENERAL, 6, VOIDED, 4, 4, CNY))
    assert isinstance(back.body, entries.EntryReversed)
    assert (back.body.of, back.body.left, back.body.moved) == ("money.received", 8, 2)
    assert (pen.balance(GENERAL), pen.balance(RELIEF), pen.balance(PAYEES)) == (0, 0, 2)


def test_an_entry_is_taken_back_once() -> None:
    pen = open_society()
    (given,) = pen.write(gift(10))
    taken_back(pen, reversal(given.seq))
    with pytest.raises(AlreadyThere):
        pen.write(reversal(given.seq))


def test_the_channel_reference_of_a_gift_taken_back_may_come_again() -> None:
    pen = open_society()
    (given,) = pen.write(gift(10, ref=REF))
    with pytest.raises(AlreadyThere):
        pen.write(gift(9, ref=REF))
    taken_back(pen, reversal(given.seq))
    (right,) = pen.write(gift(9, ref=REF))
    assert pen.balance(GENERAL) == 9
    with pytest.raises(AlreadyThere):
        pen.write(gift(9, ref=REF))
    assert isinstance(right.body, entries.MoneyReceived)


def test_an_allocation_taken_back_is_in_its_fund_again() -> None:
    pen = open_society()
    pen.write(gift(10))
    (allocated,) = pen.write(allocation(6))
    pen.write(payment(2))
    back = taken_back(pen, reversal(allocated.seq))
    assert back.postings == (Posting(RELIEF, 2, GENERAL, 10, 4, CNY),)
    assert (pen.balance(GENERAL), pen.balance(RELIEF)) == (8, 0)


def test_a_payment_taken_back_goes_home_to_every_line_it_left() -> None:
    pen = open_society()
    for fund in ("general", "hospital"):
        pen.write(gift(5, fund))
        pen.write(allocation(5, fund))
    (paid,) = pen.write(payment(8, payee=HOSPITAL))
    pen.write(handed_back(paid.seq, 1))
    back = taken_back(pen, reversal(paid.seq))
    assert back.postings == (Posting(PAYEES, 1, RELIEF, 6, 4, CNY), Posting(PAYEES, 5, FOR_HOSPITAL, 5, 3, CNY))
    assert isinstance(back.body, entries.EntryReversed)
    assert (back.body.left, back.body.moved) == (7, 1)


def test_a_transfer_taken_back_before_it_was_received_is_in_its_fund_again() -> None:
    pen = open_society()
    pen.write(gift(10))
    (sent,) = pen.write(sending(6))
    pen.write(arrival(sent.seq, 2))
    back = taken_back(pen, reversal(sent.seq))
    assert back.postings == (Posting(TRANSIT, 2, GENERAL, 10, 4, CNY),)
    with pytest.raises(NothingLeft):
        pen.write(arrival(sent.seq))


def test_nothing_left_or_a_hold_in_the_way_is_refused() -> None:
    pen = open_society()
    (given,) = pen.write(gift(10))
    (other,) = pen.write(gift(10))
    (made,) = pen.write(reversal(given.seq))
    with pytest.raises(NothingLeft) as refused:
        pen.write(reversal(given.seq))
    assert refused.value.facts["proposals"] == [made.seq]
    pen.write(refund(other.seq))
    with pytest.raises(NothingLeft):
        pen.write(reversal(other.seq))


def test_amounts_that_open_proposals_hold_stay_covered() -> None:
    pen = open_society()
    pen.write(gift(10))
    (allocated,) = pen.write(allocation(6))
    (other,) = pen.write(allocation(4))
    pen.write(reversal(other.seq))
    pen.write(payment(5))
    assert taken_back(pen, reversal(allocated.seq)).postings[0].qty == 1
    with pytest.raises(InsufficientAmount):
        pen.write(payment(1))


def test_a_gift_in_two_organisations_is_taken_back_by_people_of_both() -> None:
    pen = open_society()
    (given,) = pen.write(gift(10))
    (sent,) = pen.write(sending(4))
    pen.write(arrival(sent.seq))
    back = taken_back(pen, reversal(given.seq, maker=BOTH_CITIES), BOTH_CITIES_APPROVER)
    assert [posting.qty for posting in back.postings] == [4, 6]


def test_a_reversal_needs_a_second_person_and_says_why() -> None:
    pen = open_society()
    (given,) = pen.write(gift(10))
    with pytest.raises(NotAllowed):
        pen.write(reversal(given.seq, maker=PROGRAMME))
    with pytest.raises(Invalid, match="statement"):
        pen.write(msgspec.structs.replace(reversal(given.seq), statement=""))
    with pytest.raises(Invalid, match="ref"):
        pen.write(reversal(given.seq - 1))
    (made,) = pen.write(reversal(given.seq))
    assert made.kind == "proposal.made"
    *_, back = pen.write(ApproveProposal(maker=APPROVER, proposal=made.seq))
    assert back.by.checkers == (APPROVER,)


def test_a_gifts_reversal_takes_back_the_fee_of_its_own_entry() -> None:
    pen = open_society()
    (given,) = pen.write(gift(20, "platform"))
    pen.write(charge(3))
    back = taken_back(pen, reversal(given.seq))
    assert [(posting.src, posting.qty) for posting in back.postings] == [(PLATFORM, 12), (FEES, 5)]
    assert isinstance(back.body, entries.EntryReversed)
    assert (back.body.left, back.body.moved) == (17, 3), "a later fee was really charged"
    assert (pen.balance(PLATFORM), pen.balance(FEES)) == (0, 3)


def test_a_fee_a_loss_and_a_refund_taken_back_are_in_their_fund_again() -> None:
    pen = open_society()
    (given,) = pen.write(gift(40, "platform"))
    (charged,) = pen.write(charge(3))
    (refunded,) = pen.write(refund(given.seq, 4))
    dollars = msgspec.structs.replace(gift(700), currency="USD", original=100, rate="7")
    (foreign,) = pen.write(dollars)
    (settled,) = pen.write(
        SettleExchange(maker=FINANCE, org=CITY, ref=foreign.seq, amount_fen=5, on=TODAY, reason="结汇差额")
    )
    for entry, fund in ((charged, PLATFORM), (refunded, PLATFORM), (settled, GENERAL)):
        before = pen.balance(fund)
        back = taken_back(pen, reversal(entry.seq))
        assert {posting.dst for posting in back.postings} == {fund}
        assert pen.balance(fund) == before + entries.qty_of(entry)


def test_income_and_money_in_suspense_that_never_came_are_voided_as_far_as_they_are_left() -> None:
    pen = open_society()
    (earned,) = pen.write(income(10, ref=REF))
    (waiting,) = pen.write(unidentified(8))
    pen.write(allocation(4))
    pen.write(identification(waiting.seq, 3))
    assert taken_back(pen, reversal(earned.seq)).postings == (Posting(GENERAL, 4, VOIDED, 0, 6, CNY),)
    assert taken_back(pen, reversal(waiting.seq)).postings == (Posting(SUSPENSE, 3, VOIDED, 6, 5, CNY),)
    pen.write(right(income(9, ref=REF), earned.seq))
    pen.write(right(unidentified(6), waiting.seq))
    assert (pen.balance(GENERAL), pen.balance(SUSPENSE)) == (3 + 5, 3)


def test_what_cannot_be_taken_back_is_refused_with_what_to_do_instead() -> None:
    pen = open_society()
    pen.write(gift(10))
    pen.write(allocation(6))
    (paid,) = pen.write(payment(2))
    (back,) = pen.write(handed_back(paid.seq, 1))
    with pytest.raises(NotReversible) as refused:
        pen.write(reversal(back.seq))
    assert refused.value.facts["instead"] == "重新付款"


def test_a_refund_out_of_two_organisations_is_not_taken_back_by_one() -> None:
    pen = open_society()
    (given,) = pen.write(gift(10))
    (sent,) = pen.write(sending(4))
    pen.write(arrival(sent.seq))
    (refunded,) = pen.write(refund(given.seq, maker=BOTH_CITIES))
    with pytest.raises(NotReversible):
        pen.write(reversal(refunded.seq))
