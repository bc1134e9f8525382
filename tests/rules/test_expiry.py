"""Proposals are approved within the days of the policy, or expire."""

import pytest

from ledger import account
from ledger.approvals import ApproveProposal, ExpireProposal, RejectProposal, SetPolicy
from ledger.refusals import Closed, Invalid, NotAllowed
from tests.support.model import Pen
from tests.support.society import (
    ADMINISTRATOR,
    APPROVER,
    AUDITOR,
    CITY,
    FINANCE,
    OTHER_ADMINISTRATOR,
    USUAL_RULES,
    allocation,
    gift,
    open_society,
)

GENERAL = account.fund(CITY, "general")


def waiting(expires_days: int = 7) -> tuple[Pen, int]:
    """An allocation of eight, proposed on 21 November."""
    pen = open_society()
    pen.agreed(SetPolicy(maker=ADMINISTRATOR, rules=USUAL_RULES, expires_days=expires_days), OTHER_ADMINISTRATOR)
    pen.write(gift(20))
    (made,) = pen.write(allocation(8))
    return pen, made.seq


def test_a_proposal_is_approved_within_the_days_of_the_policy() -> None:
    pen, number = waiting()
    pen.today = "2026-11-28"
    *_, effect = pen.write(ApproveProposal(maker=APPROVER, proposal=number))
    assert effect.kind == "money.allocated"
    pen, number = waiting()
    pen.today = "2026-11-29"
    with pytest.raises(Closed, match="2026-11-28"):
        pen.write(ApproveProposal(maker=APPROVER, proposal=number))
    pen.write(RejectProposal(maker=APPROVER, proposal=number, reason="逾期"))


def test_an_expired_proposal_frees_what_it_held() -> None:
    pen, number = waiting()
    pen.today = "2026-11-28"
    with pytest.raises(Invalid, match="2026-11-28"):
        pen.write(ExpireProposal(maker=FINANCE, proposal=number))
    pen.today = "2026-11-29"
    with pytest.raises(NotAllowed):
        pen.write(ExpireProposal(maker=AUDITOR, proposal=number))
    assert pen.available(GENERAL) == 12
    (entry,) = pen.write(ExpireProposal(maker=APPROVER, proposal=number))
    assert entry.kind == "proposal.expired"
    assert (pen.available(GENERAL), pen.books.proposals) == (20, {})
    with pytest.raises(Closed):
        pen.write(ExpireProposal(maker=APPROVER, proposal=number))


def test_without_days_in_the_policy_nothing_expires() -> None:
    pen, number = waiting(0)
    pen.today = "2036-11-29"
    with pytest.raises(Invalid):
        pen.write(ExpireProposal(maker=FINANCE, proposal=number))
    pen.write(ApproveProposal(maker=APPROVER, proposal=number))


def test_days_nobody_could_mean_are_refused() -> None:
    pen = open_society()
    for days in (-1, 3_661):
        with pytest.raises(Invalid, match="expires_days"):
            pen.write(SetPolicy(maker=ADMINISTRATOR, expires_days=days))
