"""Lies about entries that were taken back."""

from ledger.verify.rule import Rule
from tests.support.model import Pen
from tests.support.society import APPROVER, HOSPITAL, allocation, gift, payment, reversal
from tests.verify.export import forged, read, sealed
from tests.verify.forgeries.postings import GENERAL, posted
from tests.verify.forgeries.registry import forgery, free

PAYEES = "payees:330800"
RELIEF = "project:330800:relief:general"
REF = "b" * 64


@forgery(Rule.REVERSAL)
def a_reversal_that_hides_what_had_moved() -> list[bytes]:
    pen = _spent()
    return forged(pen.written, -1, lambda value: value["body"].pop("moved"))


@forgery(Rule.REVERSAL)
def a_reversal_of_a_gift_called_an_allocation() -> list[bytes]:
    pen = _spent()
    return forged(pen.written, -1, lambda value: value["body"].update(of="money.allocated"))


@forgery(Rule.REVERSAL)
def a_reversal_of_a_part() -> list[bytes]:
    pen = free()
    (given,) = pen.write(gift(10))
    (made,) = pen.write(reversal(given.seq))
    return forged(pen.written, made.seq, lambda value: value["body"]["holds"][0].__setitem__(2, 9))


@forgery(Rule.REVERSED_ONCE, Rule.TARGET_CITED)
def a_payment_taken_back_twice() -> list[bytes]:
    pen = free()
    pen.write(gift(10))
    pen.write(allocation(10))
    (first,), (second,) = pen.write(payment(5)), pen.write(payment(5))
    pen.agreed(reversal(first.seq), APPROVER)
    pen.agreed(reversal(second.seq), APPROVER)
    return forged(pen.written, -1, lambda value: value["body"].update(ref=first.seq))


@forgery(Rule.APPROVALS)
def a_reversal_by_one_person() -> list[bytes]:
    pen = free()
    (given,) = pen.write(gift(10))
    pen.agreed(reversal(given.seq), APPROVER)
    *log, made, approved, effect = read(pen.written)
    effect["by"] = {"maker": effect["by"]["maker"]}
    assert (made["kind"], approved["kind"]) == ("proposal.made", "proposal.approved")
    return sealed([*log, effect | {"seq": len(log)}])


@forgery(Rule.RETURN_HOME)
def the_hospitals_payment_taken_back_into_another_line() -> list[bytes]:
    pen = free()
    for fund in ("general", "hospital"):
        pen.write(gift(5, fund))
        pen.write(allocation(5, fund))
    (paid,) = pen.write(payment(8, payee=HOSPITAL))
    pen.agreed(reversal(paid.seq), APPROVER)
    return posted(pen.written, [PAYEES, 0, RELIEF, 5, 5, "CNY"], [PAYEES, 5, RELIEF, 10, 3, "CNY"])


@forgery(Rule.POSTINGS_OF_KIND)
def a_gift_taken_back_into_somebodys_fund() -> list[bytes]:
    pen = free()
    (given,) = pen.write(gift(10))
    pen.agreed(reversal(given.seq), APPROVER)
    return posted(pen.written, [GENERAL, 0, "fund:330800:flood", 0, 10, "CNY"])


@forgery(Rule.REFERENCE_UNIQUE)
def a_reference_that_came_again_before_its_gift_was_taken_back() -> list[bytes]:
    pen = free()
    (given,) = pen.write(gift(10, ref=REF))
    pen.write(gift(9))
    pen.agreed(reversal(given.seq), APPROVER)
    return forged(pen.written, given.seq + 1, lambda value: value["body"].update(ref=REF))


def _spent() -> Pen:
    pen = free()
    (given,) = pen.write(gift(10))
    pen.write(allocation(6))
    pen.write(payment(2))
    pen.agreed(reversal(given.seq), APPROVER)
    return pen
