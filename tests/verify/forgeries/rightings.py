"""Lies about the right entries of what was taken back."""

from ledger.entries import Entry
from ledger.verify.rule import Rule
from tests.support.model import Pen
from tests.support.society import APPROVER, allocation, gift, income, payment, reversal, right, unidentified
from tests.verify.export import forged, read, sealed
from tests.verify.forgeries.registry import forgery, free

REF, OTHER_REF = "b" * 64, "c" * 64


@forgery(Rule.RIGHT_ENTRY)
def a_right_gift_of_one_that_still_stands() -> list[bytes]:
    pen, wrong = _corrected()
    standing = next(entry.seq for entry in pen.entries if entry.kind == "money.received" and entry.seq != wrong.seq)
    return forged(pen.written, -1, lambda value: value["body"].update(corrects=standing))


@forgery(Rule.RIGHT_ENTRY)
def a_right_gift_with_another_reference() -> list[bytes]:
    pen, _ = _corrected()
    return forged(pen.written, -1, lambda value: value["body"].update(ref=OTHER_REF))


@forgery(Rule.RIGHT_ENTRY)
def a_right_gift_that_drops_its_reference() -> list[bytes]:
    pen, _ = _corrected()
    return forged(pen.written, -1, lambda value: value["body"].pop("ref"))


@forgery(Rule.RIGHT_ENTRY)
def a_right_allocation_of_a_gift() -> list[bytes]:
    pen, wrong = _corrected()
    pen.write(allocation(3))
    return forged(pen.written, -1, lambda value: value["body"].update(corrects=wrong.seq, right_fen=5))


@forgery(Rule.RIGHT_ENTRY)
def a_right_amount_that_corrects_nothing() -> list[bytes]:
    pen = free()
    pen.write(gift(10))
    return forged(pen.written, -1, lambda value: value["body"].update(right_fen=10))


@forgery(Rule.RIGHT_ENTRY)
def right_money_in_suspense_with_another_reference() -> list[bytes]:
    pen = free()
    (wrong,) = pen.write(unidentified(10, ref=REF))
    pen.agreed(reversal(wrong.seq), APPROVER)
    pen.write(right(unidentified(5, ref=REF), wrong.seq))
    return forged(pen.written, -1, lambda value: value["body"].update(ref=OTHER_REF))


@forgery(Rule.RIGHT_AMOUNT)
def a_right_gift_that_counts_twice_what_had_moved() -> list[bytes]:
    pen, _ = _corrected()
    return forged(pen.written, -1, lambda value: value["body"].update(right_fen=5))


@forgery(Rule.RIGHT_AMOUNT)
def a_right_gift_of_a_right_gift_that_forgets_what_had_moved_with_the_first() -> list[bytes]:
    pen, _ = _corrected()
    first = pen.entries[-1]
    pen.agreed(reversal(first.seq), APPROVER)
    pen.write(right(gift(6, ref=REF), first.seq))
    return forged(pen.written, -1, lambda value: value["body"].update(right_fen=4))


@forgery(Rule.RIGHT_AMOUNT)
def a_right_payment_that_counts_twice_what_had_come_back() -> list[bytes]:
    pen = free()
    pen.write(gift(10))
    pen.write(allocation(10))
    (wrong,) = pen.write(payment(8))
    pen.agreed(reversal(wrong.seq), APPROVER)
    pen.write(right(payment(5), wrong.seq))
    return forged(pen.written, -1, lambda value: value["body"].update(right_fen=6))


@forgery(Rule.RIGHTED_ONCE)
def two_right_entries_of_one_income() -> list[bytes]:
    pen = free()
    (wrong,) = pen.write(income(10))
    pen.agreed(reversal(wrong.seq), APPROVER)
    pen.write(right(income(5), wrong.seq))
    *log, last = read(pen.written)
    (posting,) = last["postings"]
    again = [*posting[:3], posting[3] + 5, *posting[4:]]
    return sealed([*log, last, last | {"seq": len(log) + 1, "postings": [again]}])


@forgery(Rule.REVERSAL)
def a_reversal_that_leaves_the_fee_behind() -> list[bytes]:
    pen = free()
    (given,) = pen.write(gift(20, "platform"))
    (made,) = pen.write(reversal(given.seq))
    return forged(pen.written, made.seq, lambda value: value["body"]["holds"].pop())


def _corrected() -> tuple[Pen, Entry]:
    """A gift of ten fen was taken back after two were paid; it should have been seven, so five are missing."""
    pen = free()
    (wrong,) = pen.write(gift(10, ref=REF))
    pen.write(gift(9))
    pen.write(allocation(2))
    pen.write(payment(2))
    pen.agreed(reversal(wrong.seq), APPROVER)
    pen.write(right(gift(7, ref=REF), wrong.seq))
    return pen, wrong
