"""Ends of funds and projects: closed only when empty, and untouched from then on."""

from typing import Any

import msgspec
import pytest

from ledger.approvals import ApproveProposal, RejectProposal
from ledger.donations import ApproveImport
from ledger.endings import CloseFund, CloseProject
from ledger.refusals import Closed, Invalid, NotEmpty, RestrictionBroken
from tests.support.model import TODAY, Pen
from tests.support.society import (
    ADMINISTRATOR,
    APPROVER,
    CITY,
    FINANCE,
    NEIGHBOUR,
    NEIGHBOURS_APPROVER,
    OTHER_ADMINISTRATOR,
    OTHER_CITY,
    USUAL_RULES,
    allocation,
    arrival,
    gift,
    handed_back,
    income,
    open_society,
    payment,
    refund,
    reversal,
    right,
    sending,
    sent_back,
)

CONSENT = ("c" * 64,)
MOVED: dict[str, Any] = {"residue": "moved", "evidence": CONSENT}


def fund(name: str = "general", **more: object) -> CloseFund:
    closing = CloseFund(maker=ADMINISTRATOR, org=CITY, fund=name, residue="none", basis="项目期满")
    return msgspec.structs.replace(closing, **more)


def project(name: str = "relief", **more: object) -> CloseProject:
    closing = CloseProject(maker=ADMINISTRATOR, org=CITY, project=name, residue="none", basis="项目期满")
    return msgspec.structs.replace(closing, **more)


def close(pen: Pen, command: CloseFund | CloseProject) -> None:
    pen.agreed(command, OTHER_ADMINISTRATOR)


def test_a_fund_closes_only_when_nothing_rests_on_any_of_its_lines() -> None:
    pen = open_society()
    (given,) = pen.write(gift(10))
    pen.write(allocation(4))
    pen.write(payment(1))
    with pytest.raises(NotEmpty) as refused:
        pen.write(fund())
    assert refused.value.facts["balance"] == 9
    pen.write(refund(given.seq))
    close(pen, fund(residue="returned"))
    assert pen.balance("fund:330800:general") + pen.balance("project:330800:relief:general") == 0


def test_a_fund_waits_for_transit_imports_and_proposals() -> None:
    pen = open_society(USUAL_RULES)
    pen.write(gift(3))
    (sent,) = pen.write(sending(3))
    with pytest.raises(NotEmpty) as refused:
        pen.write(fund())
    assert (refused.value.facts["balance"], refused.value.facts["in_transit"]) == (0, 3)
    pen.write(arrival(sent.seq))
    batch = pen.agreed(
        ApproveImport(
            maker=FINANCE, org=CITY, fund="flood", channel="bank", name="流水", profile="notice", file="a" * 64, rows=1,
            sum_fen=5, first_on=TODAY, last_on=TODAY,
        ),
        APPROVER,
    )  # fmt: skip
    with pytest.raises(NotEmpty) as refused:
        pen.write(fund("flood"))
    assert refused.value.facts["imports"] == [batch.seq]
    close(pen, fund())


def test_a_project_waits_for_what_is_proposed_into_it() -> None:
    pen = open_society(USUAL_RULES)
    pen.write(gift(20))
    (made,) = pen.write(allocation(8))
    with pytest.raises(NotEmpty) as refused:
        pen.write(project())
    assert refused.value.facts["proposals"] == [made.seq]
    pen.write(RejectProposal(maker=APPROVER, proposal=made.seq, reason="不再需要"))
    close(pen, project())


def test_what_is_closed_is_untouched() -> None:
    pen = open_society()
    close(pen, fund())
    close(pen, project())
    pen.write(gift(5, "flood"))
    for command in (gift(5), income(5), allocation(5, "flood", "relief"), fund(), project()):
        with pytest.raises(Closed):
            pen.write(command)


def test_what_was_left_went_somewhere_on_a_stated_basis() -> None:
    pen = open_society()
    for wrong in (
        fund(residue="moved", evidence=CONSENT),
        fund(residue="moved", successor="general", evidence=CONSENT),
        fund(residue="moved", successor="flood"),
        fund(residue="agreed"),
        fund(residue="none", successor="flood"),
        fund(basis=""),
    ):
        with pytest.raises(Invalid):
            pen.write(wrong)
    close(pen, fund(residue="moved", successor="flood", evidence=CONSENT))
    with pytest.raises(Closed):
        pen.write(fund("flood", residue="moved", successor="general", evidence=CONSENT))


def paid_and_closed(pen: Pen, *closings: CloseFund | CloseProject, from_fund: str = "general") -> int:
    """A payment of ten fen out of the relief project, after which these were closed."""
    pen.write(gift(10, from_fund))
    pen.write(allocation(10, from_fund))
    (paid,) = pen.write(payment(10))
    for each in closings:
        close(pen, each)
    return paid.seq


def test_a_late_return_goes_to_the_successor_of_the_project() -> None:
    pen = open_society()
    paid = paid_and_closed(pen, project(residue="moved", successor="anything", evidence=CONSENT))
    (back,) = pen.write(handed_back(paid, 3))
    assert [(each.dst, each.qty) for each in back.postings] == [("project:330800:anything:general", 3)]
    assert pen.books.costs[CITY, "general", TODAY[:4]].spent == 7


def test_a_late_return_goes_to_the_successor_of_the_fund_and_lowers_the_cost_of_the_one_that_paid() -> None:
    pen = open_society()
    paid = paid_and_closed(pen, fund(**MOVED, successor="office"), fund("office", **MOVED, successor="hospital"))
    (back,) = pen.write(handed_back(paid, 3))
    assert [(each.dst, each.qty) for each in back.postings] == [("project:330800:relief:hospital", 3)]
    assert pen.books.costs[CITY, "general", TODAY[:4]].spent == 7
    assert (CITY, "hospital", TODAY[:4]) not in pen.books.costs


def test_a_payment_taken_back_late_goes_to_the_successors_too() -> None:
    pen = open_society()
    closings = (fund(**MOVED, successor="office"), project(**MOVED, successor="anything"))
    paid = paid_and_closed(pen, *closings)
    back = pen.agreed(reversal(paid), APPROVER)
    assert [(each.dst, each.qty) for each in back.postings] == [("project:330800:anything:office", 10)]


def test_what_comes_home_by_two_ways_into_one_successor_is_one_posting() -> None:
    pen = open_society()
    pen.write(gift(5))
    pen.write(allocation(5))
    pen.write(gift(5, "office"))
    pen.write(allocation(5, "office", "relief"))
    (paid,) = pen.write(payment(10))
    close(pen, fund(residue="moved", successor="hospital", evidence=CONSENT))
    close(pen, fund("office", residue="moved", successor="hospital", evidence=CONSENT))
    (back,) = pen.write(handed_back(paid.seq))
    assert [(each.dst, each.qty) for each in back.postings] == [("project:330800:relief:hospital", 10)]


def in_transit_again(pen: Pen, closing: CloseFund) -> tuple[int, int]:
    """A transfer of ten fen that was entered as received, the fund it left closed, the arrival taken back."""
    pen.write(gift(10))
    (sent,) = pen.write(sending(10))
    (arrived,) = pen.write(arrival(sent.seq))
    close(pen, closing)
    pen.agreed(reversal(arrived.seq, org=OTHER_CITY, maker=NEIGHBOUR), NEIGHBOURS_APPROVER)
    return sent.seq, arrived.seq


@pytest.mark.parametrize("closing", [fund(), fund(**MOVED, successor="office")])
def test_what_a_closed_fund_sent_is_still_received_for_its_purpose(closing: CloseFund) -> None:
    pen = open_society()
    sent, arrived = in_transit_again(pen, closing)
    pen.write(arrival(sent, 4))
    pen.write(right(arrival(sent, 6), arrived))
    assert pen.balance(f"fund:{OTHER_CITY}:general") == 10


def test_what_a_closed_fund_sent_is_not_received_for_a_wider_purpose() -> None:
    pen = open_society()
    pen.write(gift(10, "flood"))
    (sent,) = pen.write(sending(10, "flood"))
    (arrived,) = pen.write(arrival(sent.seq, fund="flood"))
    close(pen, fund("flood"))
    pen.agreed(reversal(arrived.seq, org=OTHER_CITY, maker=NEIGHBOUR), NEIGHBOURS_APPROVER)
    with pytest.raises(RestrictionBroken):
        pen.write(arrival(sent.seq))
    pen.write(arrival(sent.seq, fund="flood"))


def test_what_a_closed_fund_sent_comes_back_to_its_successor_and_nowhere_else() -> None:
    pen = open_society()
    sent, _ = in_transit_again(pen, fund(**MOVED, successor="office"))
    (back,) = pen.write(sent_back(sent, 4))
    assert [(each.dst, each.qty) for each in back.postings] == [("fund:330800:office", 4)]
    whole = pen.agreed(reversal(sent), APPROVER)
    assert [(each.dst, each.qty) for each in whole.postings] == [("fund:330800:office", 6)]
    alone = open_society()
    sent, _ = in_transit_again(alone, fund())
    with pytest.raises(Closed) as refused:
        alone.write(sent_back(sent))
    assert "承接者" in refused.value.advice


def test_a_late_return_without_a_successor_is_refused_with_advice() -> None:
    pen = open_society()
    paid = paid_and_closed(pen, project())
    with pytest.raises(Closed) as refused:
        pen.write(handed_back(paid, 3))
    assert "承接者" in refused.value.advice


def test_a_late_return_goes_only_where_its_donors_wanted_it() -> None:
    pen = open_society()
    paid = paid_and_closed(pen, project(residue="moved", successor="school", evidence=CONSENT), from_fund="flood")
    with pytest.raises(RestrictionBroken):
        pen.write(handed_back(paid, 3))


def test_a_closing_that_was_proposed_is_refused_at_its_approval_where_something_came_in_since() -> None:
    pen = open_society()
    (proposed,) = pen.write(fund("district"))
    pen.write(gift(3, "district"))
    with pytest.raises(NotEmpty) as refused:
        pen.write(ApproveProposal(maker=OTHER_ADMINISTRATOR, proposal=proposed.seq))
    assert refused.value.facts["balance"] == 3
    assert pen.books.proposals.keys() == {proposed.seq}
