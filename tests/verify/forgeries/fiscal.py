"""Lies about fiscal receipts."""

from ledger.verify.rule import Rule
from tests.rules.test_fiscal import given, issuing, voiding, waiving
from tests.support.model import Pen
from tests.support.society import APPROVER, allocation, gift, income, payment, refund, reversal, right
from tests.verify.export import appended, forged, read, sealed
from tests.verify.forgeries.registry import forgery, free


def issued() -> tuple[Pen, int]:
    """A gift of a yuan with its receipt."""
    pen = free()
    ref = given(pen)
    return pen, pen.write(issuing(ref, 100))[0].seq


@forgery(Rule.FISCAL_ONCE)
def two_fiscal_receipts_for_one_gift() -> list[bytes]:
    return appended(issued()[0].written)


@forgery(Rule.FISCAL_ONCE)
def a_fiscal_receipt_that_hides_the_voided_one_before() -> list[bytes]:
    pen, first = issued()
    pen.write(voiding(first - 1, first))
    pen.write(issuing(first - 1, 100, replaces=first))
    return forged(pen.written, -1, lambda value: value["body"].pop("replaces"))


@forgery(Rule.FISCAL_ONCE)
def a_fiscal_receipt_voided_twice() -> list[bytes]:
    pen, first = issued()
    pen.write(voiding(first - 1, first))
    return appended(pen.written)


@forgery(Rule.FISCAL_ONCE)
def a_fiscal_receipt_waived_beside_one_that_holds() -> list[bytes]:
    pen = free()
    ref = given(pen)
    pen.write(waiving(ref))
    *log, waiver = read(pen.written)
    (receipt,) = read(issued()[0].written[-1:])
    return sealed([*log, receipt, waiver | {"seq": waiver["seq"] + 1}])


@forgery(Rule.FISCAL_ONCE)
def a_fiscal_receipt_waived_twice() -> list[bytes]:
    pen = free()
    pen.write(waiving(given(pen)))
    return appended(pen.written)


@forgery(Rule.FISCAL_AMOUNT)
def a_fiscal_receipt_over_more_than_was_given() -> list[bytes]:
    return forged(issued()[0].written, -1, lambda value: value["body"].update(amount_fen=101))


@forgery(Rule.FISCAL_AMOUNT)
def a_fiscal_receipt_over_what_was_refunded() -> list[bytes]:
    pen = free()
    ref = given(pen)
    pen.write(refund(ref, 30))
    pen.write(issuing(ref, 70))
    return forged(pen.written, -1, lambda value: value["body"].update(amount_fen=100))


@forgery(Rule.FISCAL_AMOUNT)
def a_fiscal_receipt_that_leaves_out_what_a_refund_taken_back_had_given() -> list[bytes]:
    pen = free()
    ref = given(pen)
    (back,) = pen.write(refund(ref, 30))
    pen.agreed(reversal(back.seq), APPROVER)
    pen.write(issuing(ref, 100))
    return forged(pen.written, -1, lambda value: value["body"].update(amount_fen=70))


@forgery(Rule.FISCAL_AMOUNT)
def a_fiscal_receipt_of_a_right_gift_over_what_its_entry_moves() -> list[bytes]:
    pen, right_one = _corrected()
    pen.write(issuing(right_one, 50))
    return forged(pen.written, -1, lambda value: value["body"].update(amount_fen=40))


@forgery(Rule.FISCAL_AMOUNT)
def a_fiscal_receipt_of_a_right_gift_over_what_was_refunded_of_the_wrong_one() -> list[bytes]:
    pen, right_one = _corrected()
    pen.write(issuing(right_one, 50))
    return forged(pen.written, -1, lambda value: value["body"].update(amount_fen=60))


@forgery(Rule.FISCAL_AMOUNT)
def a_fiscal_receipt_for_interest() -> list[bytes]:
    pen = free()
    ref = given(pen)
    (interest,) = pen.write(income(100))
    pen.write(issuing(ref, 100))
    return forged(pen.written, -1, lambda value: value["body"].update(ref=interest.seq))


@forgery(Rule.DIGEST_FORM)
def a_fiscal_receipt_that_tells_its_numbers() -> list[bytes]:
    return forged(issued()[0].written, -1, lambda value: value["body"].update(commitment="33060126 0000012345"))


@forgery(Rule.ENTRY_FORM)
def a_fiscal_receipt_waived_for_a_reason_the_law_does_not_know() -> list[bytes]:
    pen = free()
    pen.write(waiving(given(pen)))
    return forged(pen.written, -1, lambda value: value["body"].update(reason="too much work"))


def _corrected() -> tuple[Pen, int]:
    """A gift of a yuan of which ten fen were refunded and ten paid; then it was entered right, as sixty fen."""
    pen = free()
    ref = given(pen)
    pen.write(refund(ref, 10))
    pen.write(allocation(10))
    pen.write(payment(10))
    pen.agreed(reversal(ref), APPROVER)
    return pen, pen.write(right(gift(60), ref))[0].seq
