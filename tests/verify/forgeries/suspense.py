"""Lies about money that is not (or not yet) a donation."""

from hashlib import sha256

from ledger.verify.rule import Rule
from tests.support.model import Pen
from tests.support.society import (
    CASHIER,
    gift,
    identification,
    income,
    suspense_return,
    unidentified,
)
from tests.verify.export import forged
from tests.verify.forgeries.postings import GENERAL, posted
from tests.verify.forgeries.registry import forgery, free

SUSPENSE = "suspense:330800"
REFUNDS = "refunds:330800"
REF = sha256(b"number").hexdigest()


@forgery(Rule.POSTINGS_OF_KIND)
def suspense_out_of_the_donors_account() -> list[bytes]:
    pen = free()
    pen.write(unidentified(5))
    return posted(pen.written, ["donors:330800", -1, SUSPENSE, 0, 5, "CNY"])


@forgery(Rule.POSTINGS_OF_KIND)
def unidentified_money_straight_into_a_fund() -> list[bytes]:
    pen = free()
    pen.write(unidentified(5))
    return posted(pen.written, ["unidentified:330800", -1, GENERAL, 0, 5, "CNY"])


@forgery(Rule.POSTINGS_OF_KIND)
def interest_counted_as_a_donation() -> list[bytes]:
    pen = free()
    pen.write(income(5))
    return posted(pen.written, ["donors:330800", -1, GENERAL, 0, 5, "CNY"])


@forgery(Rule.POSTINGS_OF_KIND)
def interest_called_government_money() -> list[bytes]:
    pen = free()
    pen.write(income(5))
    return forged(pen.written, -1, lambda value: value["body"].update(source="government"))


@forgery(Rule.REFERENCE_UNIQUE)
def one_bank_reference_in_suspense_and_as_a_gift() -> list[bytes]:
    pen = free()
    pen.write(gift(5, ref=REF))
    pen.write(unidentified(5))
    return forged(pen.written, -1, lambda value: value["body"].update(ref=REF))


@forgery(Rule.ROLE_OF_MAKER)
def a_cashier_who_identifies_a_gift() -> list[bytes]:
    pen = _found()
    return forged(pen.written, -1, lambda value: value["by"].update(maker=CASHIER))


@forgery(Rule.TARGET_CITED)
def a_gift_identified_in_other_money() -> list[bytes]:
    pen = free()
    pen.write(unidentified(5))
    (other,) = pen.write(unidentified(5))
    pen.write(identification(other.seq, 5))
    return posted(pen.written, [SUSPENSE, 0, GENERAL, 0, 5, "CNY"])


@forgery(Rule.TARGET_CITED)
def a_gift_identified_in_the_middle_of_its_money() -> list[bytes]:
    pen = _found(3)
    return posted(pen.written, [SUSPENSE, 2, GENERAL, 0, 3, "CNY"])


@forgery(Rule.TARGET_CITED)
def suspense_returned_of_somebody_elses_money() -> list[bytes]:
    pen = free()
    (first,) = pen.write(unidentified(5))
    pen.write(unidentified(5))
    pen.write(suspense_return(first.seq))
    return posted(pen.written, [SUSPENSE, 5, REFUNDS, 0, 5, "CNY"])


@forgery(Rule.POSTINGS_OF_KIND)
def a_gift_identified_in_a_fund() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    (waits,) = pen.write(unidentified(5))
    pen.write(identification(waits.seq, 5, "flood"))
    return posted(pen.written, [GENERAL, 0, "fund:330800:flood", 0, 5, "CNY"])


def _found(amount_fen: int = 5) -> Pen:
    pen = free()
    (waits,) = pen.write(unidentified(5))
    pen.write(identification(waits.seq, amount_fen))
    return pen
