"""Ends of funds and projects: closed only when empty, and untouched from then on."""

import msgspec
import pytest

from ledger.approvals import ApproveProposal, RejectProposal
from ledger.donations import ApproveImport
from ledger.endings import CloseFund, CloseProject
from ledger.refusals import Closed, Invalid, NotEmpty
from tests.support.model import TODAY, Pen
from tests.support.society import (
    ADMINISTRATOR,
    APPROVER,
    CITY,
    FINANCE,
    OTHER_ADMINISTRATOR,
    USUAL_RULES,
    allocation,
    arrival,
    gift,
    income,
    open_society,
    payment,
    refund,
    sending,
)

CONSENT = ("c" * 64,)


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


def test_a_closing_that_was_proposed_is_refused_at_its_approval_where_something_came_in_since() -> None:
    pen = open_society()
    (proposed,) = pen.write(fund("district"))
    pen.write(gift(3, "district"))
    with pytest.raises(NotEmpty) as refused:
        pen.write(ApproveProposal(maker=OTHER_ADMINISTRATOR, proposal=proposed.seq))
    assert refused.value.facts["balance"] == 3
    assert pen.books.proposals.keys() == {proposed.seq}
