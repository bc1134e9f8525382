"""Pledges: promises only."""

import pytest
from msgspec import structs

from ledger.pledges import EndPledge, MakePledge
from ledger.refusals import Closed, InsufficientAmount, Invalid, Unknown
from tests.support.model import TODAY
from tests.support.society import CITY, FINANCE, OTHER_CITY, allocation, open_society

PROMISE = MakePledge(maker=FINANCE, org=CITY, fund="general", amount_fen=50, promiser="某某有限公司", on=TODAY)


def test_a_pledge_is_in_no_balance_and_ends_once() -> None:
    pen = open_society()
    (made,) = pen.write(PROMISE)
    assert made.postings == ()
    assert pen.balance("fund:330800:general") == 0
    with pytest.raises(InsufficientAmount):
        pen.write(allocation(1))
    end = EndPledge(maker=FINANCE, org=CITY, ref=made.seq, outcome="fulfilled", on=TODAY)
    with pytest.raises(Closed):
        pen.write(structs.replace(end, org=OTHER_CITY))
    pen.write(end)
    with pytest.raises(Closed):
        pen.write(end)


def test_a_pledge_is_for_an_open_fund_and_not_due_before_it_is_made() -> None:
    pen = open_society()
    with pytest.raises(Unknown):
        pen.write(structs.replace(PROMISE, fund="nothing"))
    for wrong in ({"due": "2026-11-20"}, {"amount_fen": 0}, {"promiser": ""}, {"on": "2026-11-22"}):
        with pytest.raises(Invalid):
            pen.write(structs.replace(PROMISE, **wrong))
