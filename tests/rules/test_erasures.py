"""Erasure of a donor's data, as far as the log is concerned."""

import pytest
from msgspec import structs

from ledger.donations import ApproveImport
from ledger.entries import ErasureRecorded
from ledger.erasures import EraseDonor
from ledger.refusals import AlreadyThere, Invalid, NotAllowed, NotEmpty, SamePerson
from tests.support.model import TODAY
from tests.support.society import (
    ADMINISTRATOR,
    APPROVER,
    CASHIER,
    CITY,
    FINANCE,
    OTHER_CITY,
    allocation,
    gift,
    identification,
    income,
    open_society,
    refund,
    unidentified,
)


def erasure(ref: int, maker: str = FINANCE) -> EraseDonor:
    return EraseDonor(maker=maker, org=CITY, ref=ref, basis="request")


def test_an_erasure_takes_two_people_and_moves_nothing() -> None:
    pen = open_society()
    (given,) = pen.write(gift(500))
    pen.write(allocation(200))
    (made,) = pen.write(erasure(given.seq))
    assert made.kind == "proposal.made"
    done = pen.agreed(erasure(given.seq), ADMINISTRATOR)
    assert done.body == ErasureRecorded(basis="request", org=CITY, ref=given.seq)
    assert (done.postings, pen.balance("fund:330800:general")) == ((), 300)
    assert pen.books.erased == {given.seq}


def test_finance_proposes_an_erasure_and_an_administrator_agrees() -> None:
    pen = open_society()
    (given,) = pen.write(gift(500))
    for maker in (CASHIER, APPROVER):
        with pytest.raises(NotAllowed):
            pen.write(erasure(given.seq, maker))
    with pytest.raises(NotAllowed):
        pen.agreed(erasure(given.seq), APPROVER)
    with pytest.raises(SamePerson):
        pen.agreed(erasure(given.seq, ADMINISTRATOR), ADMINISTRATOR)


def test_only_a_gift_of_this_organisation_is_erased_and_once() -> None:
    pen = open_society()
    (given,) = pen.write(gift(500))
    (interest,) = pen.write(income(5))
    elsewhere = structs.replace(erasure(given.seq), org=OTHER_CITY)
    for wrong in (erasure(0), erasure(interest.seq), erasure(10_000), elsewhere):
        with pytest.raises(Invalid):
            pen.write(structs.replace(wrong, maker=ADMINISTRATOR))
    with pytest.raises(Invalid):
        pen.write(structs.replace(erasure(given.seq), basis="whim"))
    pen.agreed(erasure(given.seq), ADMINISTRATOR)
    with pytest.raises(AlreadyThere):
        pen.write(erasure(given.seq))


def test_a_gift_found_in_suspense_is_erased_like_any_other() -> None:
    pen = open_society()
    (waits,) = pen.write(unidentified(500))
    (found,) = pen.write(identification(waits.seq, 500))
    assert pen.agreed(erasure(found.seq), ADMINISTRATOR).kind == "erasure.recorded"
    with pytest.raises(Invalid):
        pen.write(erasure(waits.seq))


def test_an_erased_gift_is_still_given_back() -> None:
    pen = open_society()
    (given,) = pen.write(gift(500))
    pen.agreed(erasure(given.seq), ADMINISTRATOR)
    assert pen.write(refund(given.seq))[-1].kind == "gift.refunded"


def test_a_row_of_a_sheet_that_is_being_entered_waits_for_its_erasure() -> None:
    pen = open_society()
    sheet = ApproveImport(
        maker=FINANCE, org=CITY, fund="general", channel="bank", name="流水", profile="notice", file="a" * 64, rows=2,
        sum_fen=10, first_on=TODAY, last_on=TODAY,
    )  # fmt: skip
    approved = pen.agreed(sheet, APPROVER)
    (row,) = pen.write(structs.replace(gift(5), maker=FINANCE, channel="bank", batch=approved.seq, row=1))
    with pytest.raises(NotEmpty):
        pen.write(erasure(row.seq))
