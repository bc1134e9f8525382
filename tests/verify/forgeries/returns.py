"""Lies about money that a payee handed back."""

from ledger.approvals import ApproveProposal
from ledger.verify.rule import Rule
from tests.support.model import Pen
from tests.support.society import APPROVER, HOSPITAL, allocation, gift, handed_back, payment
from tests.verify.export import forged, read, sealed
from tests.verify.forgeries.postings import GENERAL, RELIEF, posted
from tests.verify.forgeries.registry import forgery, free, strict

PAYEES = "payees:330800"
FOR_HOSPITAL = "project:330800:relief:hospital"


@forgery(Rule.RETURN_HOME)
def the_hospitals_money_handed_back_to_everybody() -> list[bytes]:
    pen = _paid(free())
    pen.write(handed_back(pen.books.seq))
    return posted(pen.written, [PAYEES, 0, RELIEF, 5, 8, "CNY"])


@forgery(Rule.RETURN_HOME)
def a_proposed_return_to_the_wrong_project_line() -> list[bytes]:
    pen = strict()
    for fund in ("general", "hospital"):
        pen.write(gift(5, fund))
        pen.write(allocation(5, fund))
    spent = pen.agreed(payment(7, payee=HOSPITAL), APPROVER)
    (made,) = pen.write(handed_back(spent.seq))
    pen.write(ApproveProposal(maker=APPROVER, proposal=made.seq))
    log = read(pen.written)[: made.seq + 1]
    log[made.seq]["body"]["into"].reverse()
    return sealed(log)


@forgery(Rule.TARGET_CITED)
def a_return_of_another_payment() -> list[bytes]:
    pen = free()
    pen.write(gift(10))
    pen.write(allocation(10))
    (first,), _ = pen.write(payment(5)), pen.write(payment(5))
    pen.write(handed_back(first.seq))
    return posted(pen.written, [PAYEES, 5, RELIEF, 10, 5, "CNY"])


@forgery(Rule.TARGET_CITED)
def a_return_that_cites_an_allocation() -> list[bytes]:
    pen = _paid(free())
    pen.write(handed_back(pen.books.seq))
    return forged(pen.written, -1, lambda value: value["body"].update(ref=value["body"]["ref"] - 1))


@forgery(Rule.SPENT_ONCE)
def more_handed_back_than_was_paid() -> list[bytes]:
    pen = _paid(free())
    ref = pen.books.seq
    pen.write(handed_back(ref, 5))
    pen.write(handed_back(ref, 3))
    return posted(pen.written, [PAYEES, 2, RELIEF, 10, 3, "CNY"])


@forgery(Rule.POSTINGS_OF_KIND)
def a_return_straight_into_a_fund() -> list[bytes]:
    pen = _paid(free())
    pen.write(handed_back(pen.books.seq, 5))
    return posted(pen.written, [PAYEES, 0, GENERAL, 5, 5, "CNY"])


def _paid(pen: Pen) -> Pen:
    for fund in ("general", "hospital"):
        pen.write(gift(5, fund))
        pen.write(allocation(5, fund))
    pen.write(payment(8, payee=HOSPITAL))
    return pen
