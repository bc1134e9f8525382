"""Lies about who did what, and who was asked."""

from ledger.approvals import ApproveProposal, RejectProposal, SetPolicy
from ledger.entries import Rule as PolicyRule
from ledger.entries import Tier
from ledger.organisations import DismissStaff, EnrolStaff
from ledger.roles import Role
from ledger.verify.rule import Rule
from tests.support.model import Pen
from tests.support.society import (
    ADMINISTRATOR,
    APPROVER,
    AUDITOR,
    BOTH,
    CITY,
    CITY_ADMINISTRATOR,
    FINANCE,
    OTHER_ADMINISTRATOR,
    OTHER_APPROVER,
    OTHER_CITY,
    PROGRAMME,
    STRANGER,
    allocation,
    gift,
    payment,
    refund,
    settle,
)
from tests.verify.export import Value, appended, forged, read, sealed
from tests.verify.forgeries.registry import forgery, free, strict


@forgery(Rule.ROLE_OF_MAKER)
def a_gift_recorded_by_an_auditor() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    return forged(pen.written, -1, lambda value: value["by"].update(maker=AUDITOR))


@forgery(Rule.ROLE_OF_MAKER)
def an_allocation_made_by_an_administrator() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    pen.write(allocation(5))
    return forged(pen.written, -1, lambda value: value["by"].update(maker=ADMINISTRATOR))


@forgery(Rule.ROLE_OF_MAKER)
def a_fund_opened_by_its_finance_clerk() -> list[bytes]:
    body = {"fund": "new", "name": "new", "org": CITY, "restriction": {}}
    return appended(free().written, kind="fund.opened", body=body, by={"maker": FINANCE})


@forgery(Rule.ROLE_OF_MAKER)
def a_fund_opened_next_door() -> list[bytes]:
    pen = free()
    settle(pen, EnrolStaff(maker=ADMINISTRATOR, staff=STRANGER, org=OTHER_CITY, roles=(Role.ADMINISTRATOR,)))
    body = {"fund": "new", "name": "new", "org": CITY, "restriction": {}}
    return appended(pen.written, kind="fund.opened", body=body, by={"maker": STRANGER})


@forgery(Rule.ROLE_OF_MAKER)
def a_city_that_leaves_its_province_by_itself() -> list[bytes]:
    body = {"division": CITY, "level": "city", "name": "市会", "org": CITY}
    return appended(free().written, kind="org.changed", body=body, by={"maker": CITY_ADMINISTRATOR})


@forgery(Rule.ROLE_OF_MAKER)
def a_proposal_by_a_stranger() -> list[bytes]:
    pen = strict()
    pen.write(gift(9))
    pen.write(allocation(8))
    return forged(pen.written, -1, lambda value: value["by"].update(maker=STRANGER))


@forgery(Rule.ROLE_OF_MAKER)
def a_payment_in_the_name_of_somebody_dismissed_since() -> list[bytes]:
    pen = _waiting(payer=BOTH)
    pen.write(ApproveProposal(maker=APPROVER, proposal=pen.entries[-1].seq))
    approval, effect = read(pen.written)[-2:]
    later = _waiting(payer=BOTH)
    settle(later, DismissStaff(maker=ADMINISTRATOR, staff=BOTH, org=CITY))
    log = read(later.written)
    at = {"at": log[-1]["at"]}
    return sealed([*log, approval | {"seq": len(log)} | at, effect | {"seq": len(log) + 1} | at])


@forgery(Rule.ROLE_OF_CHECKER, Rule.ROLE_OF_CHECKER)
def a_payment_approved_by_the_programme_officer() -> list[bytes]:
    pen = _waiting()
    pen.write(ApproveProposal(maker=APPROVER, proposal=pen.entries[-1].seq))
    return _approved_by(pen, PROGRAMME)


@forgery(Rule.ROLE_OF_CHECKER)
def a_proposal_rejected_by_somebody_who_may_not() -> list[bytes]:
    pen = _waiting()
    pen.write(RejectProposal(maker=APPROVER, proposal=pen.entries[-1].seq, reason="不同意"))
    return forged(pen.written, -1, lambda value: value["by"].update(maker=PROGRAMME))


@forgery(Rule.FOUR_EYES, Rule.FOUR_EYES, Rule.APPROVALS)
def a_payment_approved_by_its_maker() -> list[bytes]:
    pen = _waiting(payer=BOTH)
    pen.write(ApproveProposal(maker=APPROVER, proposal=pen.entries[-1].seq))
    return _approved_by(pen, BOTH)


@forgery(Rule.FOUR_EYES, Rule.FOUR_EYES, Rule.APPROVALS)
def a_payment_approved_twice_by_one_person() -> list[bytes]:
    pen = _waiting(8)
    proposal = pen.entries[-1].seq
    pen.write(ApproveProposal(maker=OTHER_APPROVER, proposal=proposal))
    pen.write(ApproveProposal(maker=APPROVER, proposal=proposal))

    def change(value: Value) -> None:
        value["by"]["checkers"] = [OTHER_APPROVER, OTHER_APPROVER]

    log = forged(pen.written, -1, change)
    return forged(log, -2, lambda value: value["by"].update(maker=OTHER_APPROVER))


@forgery(Rule.FOUR_EYES)
def a_proposal_rejected_by_its_maker() -> list[bytes]:
    pen = _waiting(payer=BOTH)
    pen.write(RejectProposal(maker=APPROVER, proposal=pen.entries[-1].seq, reason="不同意"))
    return forged(pen.written, -1, lambda value: value["by"].update(maker=BOTH))


@forgery(Rule.FOUR_EYES)
def a_gift_that_names_a_checker() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    return forged(pen.written, -1, lambda value: value["by"].update(checkers=[APPROVER]))


@forgery(Rule.APPROVALS)
def a_payment_that_nobody_approved() -> list[bytes]:
    pen = _waiting()
    pen.write(ApproveProposal(maker=APPROVER, proposal=pen.entries[-1].seq))
    *log, made, _, effect = read(pen.written)
    return sealed([*log, effect | {"seq": made["seq"], "by": {"maker": FINANCE}}])


@forgery(Rule.APPROVALS)
def a_large_payment_that_one_person_approved() -> list[bytes]:
    pen = _waiting(8)
    proposal = pen.entries[-1].seq
    pen.write(ApproveProposal(maker=OTHER_APPROVER, proposal=proposal))
    pen.write(ApproveProposal(maker=APPROVER, proposal=proposal))
    *log, _, effect = read(pen.written)
    effect["by"]["checkers"] = [OTHER_APPROVER]
    return sealed([*log, effect | {"seq": len(log)}])


@forgery(Rule.APPROVALS)
def a_payment_that_names_a_checker_who_never_approved() -> list[bytes]:
    pen = _waiting()
    pen.write(ApproveProposal(maker=APPROVER, proposal=pen.entries[-1].seq))
    return forged(pen.written, -1, lambda value: value["by"].update(checkers=[APPROVER, OTHER_APPROVER]))


@forgery(Rule.APPROVALS)
def staff_enrolled_by_one_administrator() -> list[bytes]:
    body = {"org": CITY, "roles": ["finance"], "staff": STRANGER}
    return appended(free().written, kind="staff.enrolled", body=body, by={"maker": ADMINISTRATOR})


@forgery(Rule.APPROVALS)
def a_policy_that_lets_one_administrator_set_policies() -> list[bytes]:
    pen = free()
    settle(pen, SetPolicy(maker=ADMINISTRATOR, rules=(PolicyRule(kind="policy.set", approvals=(Tier(0, 0),)),)))
    return appended(pen.written, kind="policy.set", body={}, by={"maker": ADMINISTRATOR})


@forgery(Rule.APPROVALS)
def an_allocation_whose_parts_are_small_and_whose_sum_is_not() -> list[bytes]:
    pen = free()
    pen.write(gift(4))
    (second,) = pen.write(gift(1))
    pen.write(gift(4))
    pen.write(refund(second.seq))
    pen.write(allocation(8))
    *log, whole = read(pen.written)
    lawful = Pen(sealed(log, recommitted=False))
    settle(lawful, SetPolicy(maker=ADMINISTRATOR, rules=(PolicyRule(kind="money.allocated", approvals=(Tier(6, 1),)),)))
    log = read(lawful.written)
    at = {"at": log[-1]["at"]}
    parts = [
        whole | at | {"seq": len(log) + i, "body": whole["body"] | {"part": [i + 1, 2]}, "postings": [posting]}
        for i, posting in enumerate(whole["postings"])
    ]
    return sealed([*log, *parts])


@forgery(Rule.APPROVALS)
def checkers_in_another_order_than_they_approved() -> list[bytes]:
    pen = _waiting(8)
    proposal = pen.entries[-1].seq
    pen.write(ApproveProposal(maker=OTHER_APPROVER, proposal=proposal))
    pen.write(ApproveProposal(maker=APPROVER, proposal=proposal))
    return forged(pen.written, -1, lambda value: value["by"]["checkers"].reverse())


@forgery(Rule.DECISION_DOCUMENT)
def a_large_allocation_without_a_decision() -> list[bytes]:
    pen = strict()
    pen.write(gift(20))
    pen.agreed(allocation(9, decision="红〔2026〕1号"), APPROVER)
    return forged(pen.written, -1, lambda value: value["body"].pop("decision"))


@forgery(Rule.STAFF_FORM)
def staff_enrolled_under_her_name() -> list[bytes]:
    return _enrolled(staff="zhang-san")


@forgery(Rule.STAFF_FORM)
def staff_enrolled_in_a_role_that_does_not_exist() -> list[bytes]:
    return _enrolled(roles=["king"])


@forgery(Rule.STAFF_FORM)
def somebody_dismissed_who_held_no_role() -> list[bytes]:
    pen = free()
    settle(pen, DismissStaff(maker=ADMINISTRATOR, staff=AUDITOR, org=CITY))
    return forged(pen.written, -1, lambda value: value["body"].update(staff=STRANGER))


@forgery(Rule.STAFF_FORM)
def a_cashier_of_the_whole_log() -> list[bytes]:
    pen = free()
    settle(pen, EnrolStaff(maker=ADMINISTRATOR, staff=STRANGER, roles=(Role.AUDITOR,)))
    return forged(pen.written, -1, lambda value: value["body"].update(roles=["intake"]))


@forgery(Rule.STAFF_FORM)
def the_last_but_one_administrator_dismissed() -> list[bytes]:
    pen = free()
    settle(pen, EnrolStaff(maker=ADMINISTRATOR, staff=STRANGER, roles=(Role.ADMINISTRATOR,)))
    settle(pen, DismissStaff(maker=ADMINISTRATOR, staff=STRANGER))
    *log, made, approval, effect = read(pen.written)
    at = {"at": effect["at"]}
    again = [each | at | {"seq": each["seq"] + 3} for each in (made, approval, effect)]
    again[0]["body"] = dict(made["body"])
    again[1]["body"] = approval["body"] | {"proposal": made["seq"] + 3}
    again[2] |= {
        "body": {"staff": OTHER_ADMINISTRATOR},
        "by": effect["by"] | {"proposal": made["seq"] + 3},
    }
    return sealed([*log, made, approval, effect, *again])


@forgery(Rule.POLICY_FORM)
def a_policy_for_a_kind_that_cannot_wait() -> list[bytes]:
    return _policy({"kind": "money.received", "approvals": [[0, 1]]})


@forgery(Rule.POLICY_FORM)
def a_policy_with_descending_tiers() -> list[bytes]:
    return _policy({"kind": "money.allocated", "approvals": [[5, 1], [4, 2]]})


def _policy(rule: Value) -> list[bytes]:
    pen = free()
    settle(pen, SetPolicy(maker=ADMINISTRATOR))
    return forged(pen.written, -1, lambda value: value["body"].update(rules=[rule]))


def _enrolled(**body: object) -> list[bytes]:
    pen = free()
    settle(pen, EnrolStaff(maker=ADMINISTRATOR, staff=STRANGER, org=CITY, roles=(Role.FINANCE,)))
    return forged(pen.written, -1, lambda value: value["body"].update(body))


def _waiting(amount_fen: int = 5, *, payer: str = FINANCE) -> Pen:
    """A payment waits for approval: up to seven fen for one, from eight on for two."""
    pen = strict()
    pen.write(gift(20))
    pen.agreed(allocation(8), APPROVER)
    pen.write(payment(amount_fen, maker=payer))
    return pen


def _approved_by(pen: Pen, checker: str) -> list[bytes]:
    """The last approval in somebody else's name, in its own entry and in the effect's."""
    log = read(pen.written)
    log[-2]["by"]["maker"] = checker
    log[-1]["by"]["checkers"] = [checker]
    return sealed(log)
