"""Money that is not (or not yet) a donation: suspense, and income that nobody donated."""

import pytest

from ledger import account, entries, privacy
from ledger.account import CNY
from ledger.posting import Posting
from ledger.refusals import AlreadyThere, Invalid, NotAllowed, NothingLeft, PolicyMissing, Unknown
from tests.support.society import (
    APPROVER,
    CASHIER,
    CITY,
    FINANCE,
    PROGRAMME,
    USUAL_RULES,
    allocation,
    gift,
    identification,
    income,
    open_society,
    refund,
    suspense_return,
    unidentified,
)

GENERAL = account.fund(CITY, "general")
SUSPENSE = account.suspense(CITY)
REFUNDS = account.refunds(CITY)


def test_money_from_nobody_knows_whom_waits_in_suspense_and_is_no_donation() -> None:
    pen = open_society()
    (waits,) = pen.write(unidentified(50))
    assert waits.postings == (Posting("unidentified:330800", -1, SUSPENSE, 0, 50, CNY),)
    command = identification(waits.seq, 30)
    (found,) = pen.write(command)
    assert found.postings == (Posting(SUSPENSE, 0, GENERAL, 0, 30, CNY),)
    assert isinstance(found.body, entries.MoneyIdentified)
    assert found.body.receipt == privacy.receipt_commitment(found.prev, command.code)
    pen.write(identification(waits.seq, 20, "flood"))
    assert (pen.balance(SUSPENSE), pen.balance(GENERAL)) == (0, 30)
    with pytest.raises(NothingLeft):
        pen.write(identification(waits.seq, 1))


def test_an_identified_gift_is_refunded_like_any_other() -> None:
    pen = open_society()
    (other,) = pen.write(unidentified(5))
    (waits,) = pen.write(unidentified(10))
    pen.write(gift(3))
    (found,) = pen.write(identification(waits.seq, 10))
    pen.write(allocation(7))
    (back,) = pen.write(refund(found.seq))
    assert [(each.src, each.qty) for each in back.postings] == [("project:330800:relief:general", 4), (GENERAL, 6)]
    with pytest.raises(Invalid, match=f"entry {other.seq} is no money.received or money.identified"):
        pen.write(refund(other.seq))


def test_suspense_goes_back_only_as_far_as_it_is_left() -> None:
    pen = open_society(USUAL_RULES)
    (waits,) = pen.write(unidentified(10))
    pen.write(identification(waits.seq, 4))
    back = pen.agreed(suspense_return(waits.seq), APPROVER)
    assert back.postings == (Posting(SUSPENSE, 4, REFUNDS, 0, 6, CNY),)
    with pytest.raises(NothingLeft):
        pen.write(suspense_return(waits.seq))


def test_only_finance_staff_identify_or_return_money() -> None:
    pen = open_society()
    (waits,) = pen.write(unidentified(10, maker=CASHIER))
    for command in (identification(waits.seq, 4, maker=CASHIER), suspense_return(waits.seq, maker=PROGRAMME)):
        with pytest.raises(NotAllowed):
            pen.write(command)
    pen.write(identification(waits.seq, 4, maker=FINANCE))


def test_a_reference_is_in_the_log_once_whatever_it_came_with() -> None:
    first, second, third = ("a" * 64, "b" * 64, "c" * 64)
    pen = open_society()
    pen.write(gift(5, ref=first))
    pen.write(unidentified(5, ref=second))
    pen.write(income(5, ref=third))
    for ref in (first, second, third):
        for command in (gift(5, ref=ref), unidentified(5, ref=ref), income(5, ref=ref)):
            with pytest.raises(AlreadyThere):
                pen.write(command)


def test_income_that_nobody_donated_is_in_no_donation_total() -> None:
    pen = open_society()
    (entered,) = pen.write(income(12, source="lottery"))
    assert entered.postings == (Posting("income:330800:lottery", -1, GENERAL, 0, 12, CNY),)
    with pytest.raises(Invalid, match="ref"):
        pen.write(refund(entered.seq))
    with pytest.raises(Unknown):
        pen.write(income(12, "nowhere"))


def test_nothing_comes_in_before_the_policy_is_set() -> None:
    pen = open_society(None)
    for command in (unidentified(5), income(5)):
        with pytest.raises(PolicyMissing):
            pen.write(command)
