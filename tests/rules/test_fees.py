"""Fees as the fund's clause allows, and the ceiling on management cost."""

import pytest

from ledger import account
from ledger.account import CNY, Account
from ledger.line import Span
from ledger.organisations import OpenFund
from ledger.posting import Posting
from ledger.refusals import CeilingExceeded, InsufficientAmount, Invalid, RestrictionBroken
from tests.support.model import Pen
from tests.support.society import (
    ADMINISTRATOR,
    APPROVER,
    CITY,
    USUAL_RULES,
    allocation,
    charge,
    gift,
    handed_back,
    open_society,
    payment,
    refund,
)

PLATFORM = account.fund(CITY, "platform")
FEES = account.fees(CITY)
DONORS = account.donors(CITY)


def test_a_fee_at_receipt_is_the_gifts_last_fen() -> None:
    pen = open_society()
    (first,) = pen.write(gift(10, "platform"))
    (second,) = pen.write(gift(9, "platform"))
    assert first.postings == (Posting(DONORS, -1, PLATFORM, 0, 8, CNY), Posting(DONORS, -1, FEES, 0, 2, CNY))
    assert second.postings == (Posting(DONORS, -1, PLATFORM, 8, 7, CNY), Posting(DONORS, -1, FEES, 2, 2, CNY))


def test_a_small_gift_bears_no_fee() -> None:
    pen = open_society()
    (entered,) = pen.write(gift(3, "platform"))
    assert entered.postings == (Posting(DONORS, -1, PLATFORM, 0, 3, CNY),)


def test_a_refund_gives_back_what_the_channel_did_not_keep() -> None:
    pen = open_society()
    (entered,) = pen.write(gift(10, "platform"))
    (back,) = pen.write(refund(entered.seq))
    assert [(each.src, each.qty) for each in back.postings] == [(PLATFORM, 8)]
    assert list(pen.images(Account(FEES, CNY), Span(0, 2))) == [(Account(FEES, CNY), Span(0, 2))]


def test_a_later_fee_is_taken_first_in_first_out_where_the_clause_allows_it() -> None:
    pen = open_society(USUAL_RULES)
    pen.write(gift(12, "platform"))
    pen.write(gift(12))
    taken = pen.agreed(charge(4), APPROVER)
    assert taken.postings == (Posting(PLATFORM, 0, FEES, 3, 4, CNY),)
    with pytest.raises(RestrictionBroken):
        pen.write(charge(1, "general"))
    with pytest.raises(InsufficientAmount):
        pen.write(charge(6))


def test_management_cost_stays_within_the_clauses_share_of_the_year() -> None:
    pen = _spent("platform")
    with pytest.raises(CeilingExceeded) as refused:
        pen.write(payment(5, "anything", spending="management"))
    assert refused.value.facts["management_fen"] == 5
    assert refused.value.facts["spent_fen"] == 11
    pen.write(payment(4, "anything", spending="management"))
    with pytest.raises(CeilingExceeded):
        pen.write(payment(1, "anything", spending="management"))


def test_what_a_payee_hands_back_was_not_spent() -> None:
    pen = _spent("platform")
    (paid,) = pen.write(payment(4, "anything", spending="management"))
    with pytest.raises(CeilingExceeded):
        pen.write(payment(1, "anything", spending="management"))
    pen.write(handed_back(paid.seq, 3))
    with pytest.raises(CeilingExceeded):
        pen.write(payment(4, "anything", spending="management"))
    pen.write(payment(3, "anything", spending="management"))


def test_a_clause_that_alarms_lets_management_cost_pass() -> None:
    pen = open_society()
    pen.write(_fund(management_ppm=1, over_ceiling="alarmed"))
    pen.write(gift(20, "club"))
    pen.write(allocation(20, "club", "anything"))
    pen.write(payment(20, "anything", spending="management"))


def test_a_clause_nobody_could_keep_is_refused() -> None:
    pen = open_society()
    for clause in ({"management_ppm": 1_000_000}, {"receipt_fee_ppm": -1}, {"receipt_fee_ppm": 1_000_000}):
        with pytest.raises(Invalid):
            pen.write(_fund(**clause))


def _fund(**clause: object) -> OpenFund:
    spending = ("aid", "management", "purchase")
    return OpenFund(maker=ADMINISTRATOR, org=CITY, fund="club", name="club", spending=spending, **clause)  # type: ignore[arg-type]


def _spent(fund: str) -> Pen:
    """Six fen of aid are paid, and the rest is in the project."""
    pen = open_society()
    pen.write(gift(40, fund))
    pen.write(allocation(30, fund, "anything"))
    pen.write(payment(6, "anything"))
    return pen
