"""Four eyes, decision documents, roles."""

from typing import Any

import msgspec
import pytest

from ledger import account, entries
from ledger.approvals import ApproveProposal, RejectProposal, SetPolicy, WithdrawProposal
from ledger.entries import Rule, Tier
from ledger.organisations import DismissStaff, EnrolStaff
from ledger.refusals import (
    AlreadyThere,
    Closed,
    DecisionRequired,
    InsufficientAmount,
    Invalid,
    NotAllowed,
    PolicyMissing,
    SamePerson,
)
from ledger.roles import Role
from tests.support.model import Pen
from tests.support.society import (
    ADMINISTRATOR,
    APPROVER,
    AUDITOR,
    BOTH,
    CASHIER,
    CITY,
    CITY_ADMINISTRATOR,
    FINANCE,
    OTHER_ADMINISTRATOR,
    OTHER_APPROVER,
    PROGRAMME,
    STRANGER,
    THIRD_APPROVER,
    USUAL_RULES,
    allocation,
    gift,
    open_society,
    payment,
    refund,
    release,
    settle,
)

TWO_APPROVALS = (Rule(kind="money.allocated", approvals=(Tier(0, 2),)),)


def proposed(rules: tuple[Rule, ...] = TWO_APPROVALS, maker: str = FINANCE) -> tuple[Pen, int]:
    """A log with a proposed allocation of 10 fen out of 10, and its number."""
    pen = open_society(rules)
    pen.write(gift(10))
    (made,) = pen.write(allocation(10, maker=maker, decision="红〔2026〕1号"))
    return pen, made.seq


def test_no_money_moves_before_the_policy_is_set() -> None:
    pen = open_society(None)
    for command in (gift(5), allocation(5), payment(5), refund(1), release(1)):
        with pytest.raises(PolicyMissing):
            pen.write(command)
    settle(pen, SetPolicy(maker=ADMINISTRATOR))
    pen.write(gift(5))


def test_the_amount_decides_how_many_approve() -> None:
    pen = open_society(USUAL_RULES)
    pen.write(gift(100))
    assert pen.write(allocation(5))[0].kind == "money.allocated"
    (made,) = pen.write(allocation(6))
    assert pen.write(ApproveProposal(maker=APPROVER, proposal=made.seq))[-1].kind == "money.allocated"
    (made,) = pen.write(allocation(10, decision="红〔2026〕1号"))
    (first,) = pen.write(ApproveProposal(maker=APPROVER, proposal=made.seq))
    assert first.kind == "proposal.approved"
    *_, effect = pen.write(ApproveProposal(maker=OTHER_APPROVER, proposal=made.seq))
    assert effect.by.checkers == (APPROVER, OTHER_APPROVER)


def test_a_maker_does_not_approve_her_own_proposal() -> None:
    pen, number = proposed(maker=BOTH)
    with pytest.raises(SamePerson):
        pen.write(ApproveProposal(maker=BOTH, proposal=number))
    with pytest.raises(SamePerson):
        pen.write(RejectProposal(maker=BOTH, proposal=number, reason="不"))


def test_one_person_approves_once() -> None:
    pen, number = proposed()
    pen.write(ApproveProposal(maker=BOTH, proposal=number))
    with pytest.raises(SamePerson):
        pen.write(ApproveProposal(maker=BOTH, proposal=number))


def test_only_its_maker_withdraws_a_proposal() -> None:
    pen, number = proposed()
    with pytest.raises(SamePerson):
        pen.write(WithdrawProposal(maker=APPROVER, proposal=number))
    pen.write(WithdrawProposal(maker=FINANCE, proposal=number))
    for command in (
        WithdrawProposal(maker=FINANCE, proposal=number),
        RejectProposal(maker=APPROVER, proposal=number, reason="不"),
        ApproveProposal(maker=APPROVER, proposal=number),
    ):
        with pytest.raises(Closed):
            pen.write(command)


@pytest.mark.parametrize("checker", [FINANCE, PROGRAMME, AUDITOR, STRANGER, CITY_ADMINISTRATOR, OTHER_ADMINISTRATOR])
def test_only_an_approver_checks_money(checker: str) -> None:
    pen, number = proposed()
    with pytest.raises(NotAllowed):
        pen.write(ApproveProposal(maker=checker, proposal=number))
    with pytest.raises(NotAllowed):
        pen.write(RejectProposal(maker=checker, proposal=number, reason="不"))


def test_each_kind_asks_its_maker_for_a_role() -> None:
    pen = open_society()
    pen.write(gift(10, maker=FINANCE))
    for command in (
        gift(1, maker=PROGRAMME),
        gift(1, maker=STRANGER),
        allocation(1, maker=CASHIER),
        allocation(1, maker=APPROVER),
        allocation(1, maker=ADMINISTRATOR),
    ):
        with pytest.raises(NotAllowed):
            pen.write(command)
    pen.write(allocation(5, maker=PROGRAMME))
    with pytest.raises(NotAllowed):
        pen.write(payment(1, maker=PROGRAMME))


def test_a_dismissed_checkers_earlier_approval_no_longer_counts() -> None:
    pen, number = proposed()
    pen.write(ApproveProposal(maker=APPROVER, proposal=number))
    settle(pen, DismissStaff(maker=ADMINISTRATOR, staff=APPROVER, org=CITY))
    (second,) = pen.write(ApproveProposal(maker=OTHER_APPROVER, proposal=number))
    assert second.kind == "proposal.approved"
    *_, effect = pen.write(ApproveProposal(maker=THIRD_APPROVER, proposal=number))
    assert effect.by.checkers == (OTHER_APPROVER, THIRD_APPROVER)


def test_nothing_happens_in_the_name_of_a_dismissed_maker() -> None:
    pen, number = proposed()
    settle(pen, DismissStaff(maker=ADMINISTRATOR, staff=FINANCE, org=CITY))
    with pytest.raises(NotAllowed):
        pen.write(ApproveProposal(maker=APPROVER, proposal=number))
    pen.write(RejectProposal(maker=APPROVER, proposal=number, reason="经办人已离职"))
    assert pen.available(account.fund(CITY, "general")) == 10


def test_a_policy_that_asks_for_more_holds_for_what_is_already_proposed() -> None:
    pen, number = proposed()
    settle(pen, SetPolicy(maker=ADMINISTRATOR, rules=(Rule(kind="money.allocated", approvals=(Tier(0, 3),)),)))
    pen.write(ApproveProposal(maker=APPROVER, proposal=number))
    assert len(pen.write(ApproveProposal(maker=OTHER_APPROVER, proposal=number))) == 1
    *_, effect = pen.write(ApproveProposal(maker=THIRD_APPROVER, proposal=number))
    assert len(effect.by.checkers) == 3


def test_a_policy_does_not_loosen_the_built_in_table() -> None:
    pen = open_society((Rule(kind="policy.set", approvals=(Tier(0, 0),)),))
    (made,) = pen.write(SetPolicy(maker=ADMINISTRATOR))
    assert made.kind == "proposal.made"


def test_from_an_amount_on_a_decision_document_is_named() -> None:
    pen = open_society(USUAL_RULES)
    pen.write(gift(100))
    with pytest.raises(DecisionRequired) as refused:
        pen.write(allocation(9))
    assert refused.value.facts == {"decision_from": 9}
    pen.write(allocation(9, decision="红〔2026〕1号"))
    pen.write(allocation(8))


def test_a_decision_document_asked_for_later_is_asked_of_open_proposals_too() -> None:
    pen = open_society(USUAL_RULES)
    pen.write(gift(100))
    (made,) = pen.write(allocation(8))
    settle(pen, SetPolicy(maker=ADMINISTRATOR, rules=(Rule(kind="money.allocated", decision_from=0),)))
    with pytest.raises(DecisionRequired):
        pen.write(ApproveProposal(maker=APPROVER, proposal=made.seq))


@pytest.mark.parametrize(
    "rules",
    [
        (Rule(kind="money.received", approvals=(Tier(0, 1),)),),
        (Rule(kind="no.such.kind"),),
        (Rule(kind="gift.refunded"), Rule(kind="gift.refunded")),
        (Rule(kind="gift.refunded", approvals=(Tier(5, 1), Tier(4, 2))),),
        (Rule(kind="gift.refunded", approvals=(Tier(5, 1), Tier(5, 2))),),
        (Rule(kind="gift.refunded", approvals=(Tier(-1, 1),)),),
        (Rule(kind="gift.refunded", approvals=(Tier(2**53, 1),)),),
        (Rule(kind="gift.refunded", approvals=(Tier(0, 6),)),),
        (Rule(kind="gift.refunded", approvals=(Tier(0, -1),)),),
        (Rule(kind="gift.refunded", approvals=tuple(Tier(i, 1) for i in range(10_000))),),
        (Rule(kind="money.allocated", decision_from=-2),),
        (Rule(kind="money.allocated", decision_from=2**53),),
        (Rule(kind="gift.refunded", decision_from=0),),
    ],
    ids=[
        "a kind nobody checks", "an unknown kind", "a kind twice", "descending tiers", "equal tiers", "a negative tier",
        "a tier beyond 2^53-1", "six approvals", "minus one approval", "ten thousand tiers", "decision from -2",
        "decision beyond 2^53-1", "a decision where a body names none",
    ],
)  # fmt: skip
def test_a_policy_nobody_could_keep_is_refused(rules: tuple[Rule, ...]) -> None:
    pen = open_society()
    with pytest.raises(Invalid):
        pen.write(SetPolicy(maker=ADMINISTRATOR, rules=rules))


def test_what_a_proposal_waits_for_may_be_gone_and_then_it_stays_open() -> None:
    pen = open_society()
    command = EnrolStaff(maker=ADMINISTRATOR, staff=STRANGER, org=CITY, roles=(Role.INTAKE,))
    (first,), (second,) = pen.write(command), pen.write(command)
    pen.write(ApproveProposal(maker=OTHER_ADMINISTRATOR, proposal=first.seq))
    with pytest.raises(AlreadyThere):
        pen.write(ApproveProposal(maker=OTHER_ADMINISTRATOR, proposal=second.seq))
    assert list(pen.books.proposals) == [second.seq]
    pen.write(WithdrawProposal(maker=ADMINISTRATOR, proposal=second.seq))


def test_two_open_proposals_never_hold_the_same_money() -> None:
    pen = open_society(USUAL_RULES)
    (received,) = pen.write(gift(10))
    (spread,) = pen.write(allocation(6))
    (back,) = pen.write(refund(received.seq, 4))
    with pytest.raises(InsufficientAmount):
        pen.write(allocation(1))
    pen.write(ApproveProposal(maker=APPROVER, proposal=spread.seq))
    pen.write(ApproveProposal(maker=APPROVER, proposal=back.seq))
    assert pen.balance(account.refunds(CITY)) == 4
    assert pen.balance(account.project(CITY, "relief", "general")) == 6


def test_an_effect_says_who_made_and_who_checked_it() -> None:
    pen, number = proposed()
    pen.write(ApproveProposal(maker=APPROVER, proposal=number))
    approval, effect = pen.write(ApproveProposal(maker=OTHER_APPROVER, proposal=number))
    assert approval.by == entries.By(maker=OTHER_APPROVER)
    assert (effect.by.maker, effect.by.checkers, effect.by.proposal) == (FINANCE, (APPROVER, OTHER_APPROVER), number)


@pytest.mark.parametrize(
    "changed",
    [{"on": ""}, {"on": "2026-02-30"}, {"on": "20261121"}, {"decision": " 文号"}, {"decision": "x" * 501},
     {"decision": "a\nb"}, {"decision": "\ud800"}],
)  # fmt: skip
def test_texts_and_dates_that_no_entry_can_carry_are_refused(changed: dict[str, Any]) -> None:
    pen = open_society()
    pen.write(gift(10))
    with pytest.raises(Invalid):
        pen.write(msgspec.structs.replace(allocation(5), **changed))
