"""Lies about which money moves, and what for."""

from collections.abc import Callable

from ledger.approvals import ApproveProposal
from ledger.verify.rule import Rule
from tests.support.model import Pen
from tests.support.society import (
    APPROVER,
    HOSPITAL,
    SHOP,
    allocation,
    gift,
    payment,
    refund,
    release,
)
from tests.verify.export import forged, read, sealed
from tests.verify.forgeries.postings import GENERAL, RELIEF, posted
from tests.verify.forgeries.registry import forgery, free, strict

HOSPITALS = "project:330800:relief:hospital"
REFUNDS = "refunds:330800"


@forgery(Rule.FIRST_IN_FIRST_OUT)
def an_allocation_of_the_newest_money() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    pen.write(gift(5))
    pen.write(allocation(5))
    return posted(pen.written, [GENERAL, 5, RELIEF, 0, 5, "CNY"])


@forgery(Rule.FIRST_IN_FIRST_OUT)
def an_allocation_in_two_postings_that_could_be_one() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    pen.write(allocation(5))
    return posted(pen.written, [GENERAL, 0, RELIEF, 0, 2, "CNY"], [GENERAL, 2, RELIEF, 2, 3, "CNY"])


@forgery(Rule.FIRST_IN_FIRST_OUT)
def an_allocation_in_descending_order() -> list[bytes]:
    pen = _with_a_hole()
    pen.write(allocation(6))
    return posted(pen.written, [GENERAL, 6, RELIEF, 0, 2, "CNY"], [GENERAL, 0, RELIEF, 2, 4, "CNY"])


@forgery(Rule.FIRST_IN_FIRST_OUT)
def a_payment_of_the_newest_money_of_its_line() -> list[bytes]:
    pen = free()
    pen.write(gift(9))
    pen.write(allocation(9))
    pen.write(payment(5))
    return posted(pen.written, [RELIEF, 4, "payees:330800", 0, 5, "CNY"])


@forgery(Rule.FIRST_IN_FIRST_OUT)
def an_approved_allocation_of_the_newest_money() -> list[bytes]:
    pen = strict()
    pen.write(gift(20))
    pen.agreed(allocation(8), APPROVER)
    return posted(pen.written, [GENERAL, 12, RELIEF, 0, 8, "CNY"])


@forgery(Rule.FIRST_IN_FIRST_OUT)
def parts_cut_through_a_posting() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    pen.write(allocation(5))
    *log, whole = read(pen.written)
    seq = whole["seq"]
    first, second = (whole | {"seq": seq + i, "body": whole["body"] | {"part": [i + 1, 2]}} for i in range(2))
    first["postings"] = [[GENERAL, 0, RELIEF, 0, 2, "CNY"]]
    second["postings"] = [[GENERAL, 2, RELIEF, 2, 3, "CNY"]]
    return sealed([*log, first, second])


@forgery(Rule.OLDEST_LINE_FIRST)
def a_payment_from_the_younger_of_two_lines() -> list[bytes]:
    pen = _two_lines(free())
    pen.write(payment(5, payee=HOSPITAL))
    return posted(pen.written, [HOSPITALS, 0, "payees:330800", 0, 5, "CNY"])


@forgery(Rule.OLDEST_LINE_FIRST)
def a_payment_that_does_not_exhaust_the_oldest_line() -> list[bytes]:
    pen = _two_lines(free())
    pen.write(payment(8, payee=HOSPITAL))
    first: list[object] = [RELIEF, 0, "payees:330800", 0, 4, "CNY"]
    return posted(pen.written, first, [HOSPITALS, 0, "payees:330800", 4, 4, "CNY"])


@forgery(Rule.OLDEST_LINE_FIRST)
def a_proposed_payment_from_the_younger_of_two_lines() -> list[bytes]:
    pen = _two_lines(strict())
    (made,) = pen.write(payment(4, payee=HOSPITAL))
    pen.write(ApproveProposal(maker=APPROVER, proposal=made.seq))
    log = read(pen.written)
    log[made.seq]["body"]["holds"][0][0] = HOSPITALS
    log[-1]["postings"][0][0] = HOSPITALS
    return sealed(log)


@forgery(Rule.TARGET_CITED)
def a_refund_of_somebody_elses_gift() -> list[bytes]:
    pen = free()
    (given,) = pen.write(gift(5))
    pen.write(gift(5))
    pen.write(refund(given.seq))
    return posted(pen.written, [GENERAL, 5, REFUNDS, 0, 5, "CNY"])


@forgery(Rule.TARGET_CITED)
def a_refund_that_begins_in_the_middle_of_its_gift() -> list[bytes]:
    pen = free()
    (given,) = pen.write(gift(5))
    pen.write(refund(given.seq, 3))
    return posted(pen.written, [GENERAL, 2, REFUNDS, 0, 3, "CNY"])


@forgery(Rule.TARGET_CITED)
def a_refund_from_the_fund_before_the_project() -> list[bytes]:
    pen = free()
    (given,) = pen.write(gift(10))
    pen.write(allocation(4))
    pen.write(refund(given.seq))
    return posted(pen.written, [GENERAL, 4, REFUNDS, 0, 6, "CNY"], [RELIEF, 0, REFUNDS, 6, 4, "CNY"])


@forgery(Rule.TARGET_CITED)
def a_refund_that_cites_an_allocation() -> list[bytes]:
    pen = free()
    (given,) = pen.write(gift(5))
    (allocated,) = pen.write(allocation(5))
    pen.write(refund(given.seq))
    return forged(pen.written, -1, lambda value: value["body"].update(ref=allocated.seq))


@forgery(Rule.TARGET_CITED)
def a_refund_that_cites_released_money_as_a_gift() -> list[bytes]:
    pen = free()
    (given,) = pen.write(gift(5))
    (allocated,) = pen.write(allocation(5))
    (released,) = pen.write(release(allocated.seq))
    pen.write(refund(given.seq))
    return forged(pen.written, -1, lambda value: value["body"].update(ref=released.seq))


@forgery(Rule.TARGET_CITED)
def a_release_of_another_allocation() -> list[bytes]:
    pen = free()
    pen.write(gift(10))
    (first,) = pen.write(allocation(5))
    pen.write(allocation(5))
    pen.write(release(first.seq))
    return posted(pen.written, [RELIEF, 5, GENERAL, 10, 5, "CNY"])


@forgery(Rule.TARGET_CITED)
def a_release_that_cites_a_later_part() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    (allocated,) = pen.write(allocation(5))
    pen.write(release(allocated.seq))
    return forged(pen.written, -1, lambda value: value["body"].update(ref=allocated.seq + 1))


@forgery(Rule.TARGET_CITED)
def a_proposed_refund_that_holds_two_gifts() -> list[bytes]:
    pen = strict()
    (first,) = pen.write(gift(5))
    pen.write(gift(5))
    (made,) = pen.write(refund(first.seq))
    return forged(pen.written, made.seq, lambda value: value["body"]["holds"][0].__setitem__(2, 6))


@forgery(Rule.TARGET_CITED)
def a_refund_of_what_was_held_in_the_name_of_another_gift() -> list[bytes]:
    pen = strict()
    (first,) = pen.write(gift(5))
    (second,) = pen.write(gift(5))
    pen.agreed(refund(first.seq), APPROVER)
    return forged(pen.written, -1, lambda value: value["body"].update(ref=second.seq))


@forgery(Rule.AVAILABLE)
def an_allocation_of_an_amount_that_is_held() -> list[bytes]:
    pen = strict()
    pen.write(gift(10))
    pen.write(allocation(6))
    pen.write(allocation(4))
    return posted(pen.written, [GENERAL, 0, RELIEF, 0, 5, "CNY"])


@forgery(Rule.AVAILABLE)
def a_proposal_that_holds_more_than_there_is() -> list[bytes]:
    pen = strict()
    pen.write(gift(10))
    (made,) = pen.write(allocation(8))
    return forged(pen.written, made.seq, lambda value: value["body"]["holds"][0].__setitem__(2, 11))


def _restricted(fund: str, project: str, wrong: str) -> Callable[[], list[bytes]]:
    def build() -> list[bytes]:
        pen = free()
        pen.write(gift(5, fund))
        pen.write(allocation(5, fund, project))
        return posted(pen.written, [f"fund:330800:{fund}", 0, f"project:330800:{wrong}:{fund}", 0, 5, "CNY"])

    build.__name__ = f"money_for_{fund}_allocated_to_{wrong}"
    return build


for _fund, _project, _wrong in (
    ("flood", "relief", "anything"),
    ("schools", "school", "relief"),
    ("district", "school", "relief"),
    ("bridge", "bridge", "relief"),
):
    forgery(Rule.RESTRICTION)(_restricted(_fund, _project, _wrong))


@forgery(Rule.SPENDING)
def salaries_out_of_a_fund_for_aid() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    pen.write(allocation(5))
    pen.write(payment(5))
    return forged(pen.written, -1, lambda value: value["body"].update(spending="management"))


@forgery(Rule.RECIPIENT)
def the_hospitals_money_paid_to_a_shop() -> list[bytes]:
    pen = free()
    pen.write(gift(5, "hospital"))
    pen.write(allocation(5, "hospital"))
    pen.write(payment(5, payee=HOSPITAL))
    return forged(pen.written, -1, lambda value: value["body"].update(payee=SHOP))


@forgery(Rule.PAYMENT_REGION)
def a_payment_in_another_city_than_its_project() -> list[bytes]:
    return _paid_to(region="330100")


@forgery(Rule.PERSONS_PROTECTED)
def a_payment_to_exactly_three_persons() -> list[bytes]:
    return _paid_to(beneficiaries="3")


@forgery(Rule.PERSONS_PROTECTED)
def a_payment_to_few_persons_of_one_district() -> list[bytes]:
    return _paid_to(beneficiaries="1-4", region="330802")


def _paid_to(**body: str) -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    pen.write(allocation(5))
    pen.write(payment(5))
    return forged(pen.written, -1, lambda value: value["body"].update(body))


def _with_a_hole() -> Pen:
    pen = free()
    pen.write(gift(4))
    (second,) = pen.write(gift(2))
    pen.write(gift(4))
    pen.write(refund(second.seq))
    return pen


def _two_lines(pen: Pen) -> Pen:
    """The relief project with five fen for anybody, then five for the hospital."""
    for fund in ("general", "hospital"):
        pen.write(gift(5, fund))
        pen.write(allocation(5, fund))
    return pen
