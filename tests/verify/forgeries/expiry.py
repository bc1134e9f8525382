"""Lies about proposals that came too late, or were let go too early."""

from ledger.approvals import ApproveProposal, ExpireProposal, SetPolicy
from ledger.verify.rule import Rule
from tests.support.model import Pen
from tests.support.society import (
    ADMINISTRATOR,
    APPROVER,
    FINANCE,
    OTHER_ADMINISTRATOR,
    USUAL_RULES,
    allocation,
    gift,
)
from tests.verify.export import forged, read, sealed
from tests.verify.forgeries.registry import forgery, free


@forgery(Rule.PROPOSAL_EXPIRY)
def an_approval_after_the_days_of_the_policy() -> list[bytes]:
    pen, number = _waiting()
    pen.write(ApproveProposal(maker=APPROVER, proposal=number))
    log = read(pen.written)
    for late in log[-2:]:
        late["at"] = "2026-11-30T04:00:00.000Z"
    return sealed(log)


@forgery(Rule.PROPOSAL_EXPIRY)
def a_proposal_let_go_before_its_days_are_over() -> list[bytes]:
    pen, number = _waiting()
    pen.today = "2026-11-30"
    pen.write(ExpireProposal(maker=FINANCE, proposal=number))
    return forged(pen.written, -1, lambda value: value.update(at="2026-11-22T04:00:00.000Z"))


@forgery(Rule.ROLE_OF_MAKER)
def a_proposal_let_go_by_a_stranger() -> list[bytes]:
    pen, number = _waiting()
    pen.today = "2026-11-30"
    pen.write(ExpireProposal(maker=FINANCE, proposal=number))
    return forged(pen.written, -1, lambda value: value["by"].update(maker="s-aaaaaaaaaaaaa"))


@forgery(Rule.POLICY_FORM)
def a_policy_that_lets_proposals_expire_before_they_are_made() -> list[bytes]:
    pen, _ = _waiting()
    seq = next(entry.seq for entry in reversed(pen.entries) if entry.kind == "policy.set")
    return forged(pen.written, seq, lambda value: value["body"].update(expires_days=-1))


def _waiting() -> tuple[Pen, int]:
    pen = free()
    pen.agreed(SetPolicy(maker=ADMINISTRATOR, rules=USUAL_RULES, expires_days=7), OTHER_ADMINISTRATOR)
    pen.write(gift(20))
    (made,) = pen.write(allocation(8))
    return pen, made.seq
