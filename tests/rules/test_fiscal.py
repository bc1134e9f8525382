"""Fiscal receipts: one that holds for each gift, over what stands of it."""

from hashlib import sha256

import pytest
from msgspec import structs

from ledger.entries import Entry
from ledger.fiscal import IssueReceipt, VoidReceipt, WaiveReceipt
from ledger.refusals import AlreadyThere, Closed, Invalid, NotAllowed, NothingLeft, ReceiptStands
from tests.support.model import TODAY, Pen
from tests.support.society import (
    APPROVER,
    CASHIER,
    CITY,
    FINANCE,
    NEIGHBOUR,
    OTHER_CITY,
    PROGRAMME,
    allocation,
    gift,
    identification,
    income,
    open_society,
    payment,
    refund,
    reversal,
    right,
    unidentified,
)


def issuing(ref: int, amount_fen: int, replaces: int = 0) -> IssueReceipt:
    commitment = sha256(b"numbers %d" % amount_fen).hexdigest()
    return IssueReceipt(
        maker=CASHIER, org=CITY, ref=ref, amount_fen=amount_fen, on=TODAY, commitment=commitment, replaces=replaces
    )


def voiding(ref: int, issued: int) -> VoidReceipt:
    return VoidReceipt(maker=FINANCE, org=CITY, ref=ref, issued=issued, on=TODAY, reason="mistake")


def waiving(ref: int) -> WaiveReceipt:
    return WaiveReceipt(maker=CASHIER, org=CITY, ref=ref, on=TODAY, reason="anonymous")


def given(pen: Pen, amount_fen: int = 100, fund: str = "general") -> int:
    (entry,) = pen.write(gift(amount_fen, fund))
    return entry.seq


def test_a_gift_has_one_fiscal_receipt_that_holds_and_the_next_cites_the_voided_one() -> None:
    pen = open_society()
    ref = given(pen)
    (first,) = pen.write(issuing(ref, 100))
    with pytest.raises(ReceiptStands):
        pen.write(issuing(ref, 100))
    with pytest.raises(ReceiptStands):
        pen.write(waiving(ref))
    with pytest.raises(Closed):
        pen.write(voiding(ref, first.seq - 1))
    pen.write(voiding(ref, first.seq))
    with pytest.raises(Closed):
        pen.write(voiding(ref, first.seq))
    for wrong in (0, first.seq + 1):
        with pytest.raises(Invalid):
            pen.write(issuing(ref, 100, replaces=wrong))
    (second,) = pen.write(issuing(ref, 100, replaces=first.seq))
    pen.write(voiding(ref, second.seq))
    with pytest.raises(Invalid):
        pen.write(issuing(ref, 100, replaces=first.seq))
    pen.write(issuing(ref, 100, replaces=second.seq))


def test_a_fiscal_receipt_is_over_what_was_given_less_what_was_refunded() -> None:
    pen = open_society()
    ref = given(pen)
    (first,) = pen.write(issuing(ref, 100))
    pen.write(refund(ref, 30))
    pen.write(voiding(ref, first.seq))
    for wrong in (100, 69, 71):
        with pytest.raises(Invalid):
            pen.write(issuing(ref, wrong, replaces=first.seq))
    pen.write(issuing(ref, 70, replaces=first.seq))


def test_a_refund_that_was_taken_back_lowers_no_fiscal_receipt() -> None:
    pen = open_society()
    ref = given(pen)
    (first,) = pen.write(refund(ref, 30))
    pen.agreed(reversal(first.seq), APPROVER)
    with pytest.raises(Invalid):
        pen.write(issuing(ref, 70))
    (issued,) = pen.write(issuing(ref, 100))
    pen.write(right(refund(ref, 20), first.seq))
    pen.write(voiding(ref, issued.seq))
    pen.write(issuing(ref, 80, replaces=issued.seq))


def test_the_fiscal_receipt_of_a_right_gift_is_over_what_was_right_less_what_went_back_of_the_wrong_ones() -> None:
    pen = open_society()
    wrong = given(pen)
    pen.write(refund(wrong, 10))
    pen.write(allocation(30))
    pen.write(payment(20))
    (first,) = corrected(pen, wrong, 60)
    with pytest.raises(NothingLeft):
        pen.write(issuing(wrong, 100))
    for fen in (30, 60):
        with pytest.raises(Invalid):
            pen.write(issuing(first.seq, fen))
    (issued,) = pen.write(issuing(first.seq, 50))
    pen.write(voiding(first.seq, issued.seq))
    pen.write(refund(first.seq, 5))
    (second,) = corrected(pen, first.seq, 70)
    pen.write(issuing(second.seq, 55))


def test_a_gift_of_which_more_moved_on_than_was_right_has_no_right_entry_and_no_fiscal_receipt() -> None:
    pen = open_society()
    wrong = given(pen)
    pen.write(allocation(30))
    pen.write(payment(30))
    with pytest.raises(Invalid, match="nothing is missing"):
        corrected(pen, wrong, 30)
    for fen in (100, 30):
        with pytest.raises(NothingLeft):
            pen.write(issuing(wrong, fen))


def corrected(pen: Pen, wrong: int, amount_fen: int) -> list[Entry]:
    """The right entry of a gift that is taken back."""
    pen.agreed(reversal(wrong), APPROVER)
    return pen.write(right(gift(amount_fen), wrong))


def test_a_fee_at_receipt_is_on_the_fiscal_receipt_too() -> None:
    pen = open_society()
    ref = given(pen, fund="platform")
    assert pen.balance("fund:330800:platform") == 75
    with pytest.raises(Invalid):
        pen.write(issuing(ref, 75))
    pen.write(issuing(ref, 100))


def test_nothing_that_was_given_back_or_taken_back_gets_a_fiscal_receipt() -> None:
    pen = open_society()
    refunded, reversed_ = given(pen), given(pen, 50)
    pen.write(refund(refunded))
    pen.agreed(reversal(reversed_), APPROVER)
    for ref, amount_fen in ((refunded, 100), (reversed_, 50)):
        with pytest.raises(NothingLeft):
            pen.write(issuing(ref, amount_fen))


def test_a_fiscal_receipt_is_waived_once_and_still_issued_to_a_donor_who_asks() -> None:
    pen = open_society()
    ref = given(pen)
    with pytest.raises(Invalid):
        pen.write(structs.replace(waiving(ref), reason="forgotten"))
    pen.write(waiving(ref))
    with pytest.raises(AlreadyThere):
        pen.write(waiving(ref))
    (issued,) = pen.write(issuing(ref, 100))
    pen.write(voiding(ref, issued.seq))
    pen.write(waiving(ref))
    pen.write(issuing(ref, 100, replaces=issued.seq))


def test_a_fiscal_receipt_is_for_a_gift_of_the_organisation_and_nothing_else() -> None:
    pen = open_society()
    (interest,) = pen.write(income(100))
    (waits,) = pen.write(unidentified(100))
    for ref in (interest.seq, waits.seq, 0, 9_999):
        with pytest.raises(Invalid):
            pen.write(issuing(ref, 100))
    (found,) = pen.write(identification(waits.seq, 60))
    pen.write(issuing(found.seq, 60))
    ref = given(pen)
    with pytest.raises(Invalid):
        pen.write(structs.replace(issuing(ref, 100), org=OTHER_CITY, maker=NEIGHBOUR))
    with pytest.raises(NotAllowed):
        pen.write(structs.replace(issuing(ref, 100), maker=PROGRAMME))
    with pytest.raises(NotAllowed):
        pen.write(structs.replace(voiding(found.seq, found.seq + 1), maker=CASHIER))
