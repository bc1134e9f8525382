"""Who keeps books here and for what: ids given once, under what is known, by those who may."""

from ledger import account
from ledger.account import MAX_POSITION
from ledger.entries import (
    KINDS,
    EventDeclared,
    FundOpened,
    LogOpened,
    OrganisationChanged,
    OrganisationRegistered,
    PolicySet,
    ProjectOpened,
    StaffDismissed,
    StaffEnrolled,
)
from ledger.entries import Rule as PolicyRule
from ledger.verify.authority import check_alone, check_entry
from ledger.verify.campaigns import check_known
from ledger.verify.entry import Envelope, is_day
from ledger.verify.gifts import MILLION
from ledger.verify.persons import check_division, is_pseudonym
from ledger.verify.postings import none
from ledger.verify.roles import ADMINISTRATOR, OF_THE_WHOLE_LOG, REQUIRED, ROLES
from ledger.verify.rule import Rule
from ledger.verify.society import WHOLE_LOG
from ledger.verify.state import State
from ledger.verify.words import check_ascending, check_text, check_uscc

FOUNDERS = 2
"""Administrators of the whole log at the least: four eyes need them."""

MAX_TIERS = 10
MAX_EXPIRES_DAYS = 3_660
MAX_APPROVALS = 5


def log_opened(state: State, entry: Envelope, body: LogOpened) -> None:
    """Entry 0 and no other; its origin is the name its checkpoints carry."""
    none(state, entry)
    check_alone(state, entry)
    if state.position != 0:
        state.find(Rule.LOG_OPENED, "entry 0 alone", "the log opened again")
        return
    if body.origin != state.origin:
        state.find(Rule.LOG_OPENED, f"the origin {state.origin}, which signed the checkpoint", body.origin)
    founders = body.administrators
    check_ascending(state, "administrators", founders)
    if len(set(founders)) != FOUNDERS or len(founders) != FOUNDERS or entry.by.maker not in founders:
        state.find(Rule.LOG_OPENED, "two founding administrators, one of them its maker", ", ".join(founders))
    for founder in founders:
        _check_pseudonym(state, founder)
        state.society.enrol(founder, WHOLE_LOG, (ADMINISTRATOR,))


def organisation_registered(state: State, entry: Envelope, body: OrganisationRegistered) -> None:
    """By an administrator of the parent, or of the whole log."""
    none(state, entry)
    check_entry(state, entry, body, body.parent)
    _check_place(state, body)
    if _is_new(state, "organisation", body.org, is_known=body.org in state.society.organisations):
        state.society.register(body)


def organisation_changed(state: State, entry: Envelope, body: OrganisationChanged) -> None:
    """New facts of a known one, which does not come to lie under itself."""
    none(state, entry)
    known = state.society.organisations.get(body.org)
    # Who leaves an oversight is let go by it: a new parent needs an administrator of the old one.
    answers = body.org if known is None or known.parent == body.parent else known.parent
    check_entry(state, entry, body, answers)
    _check_place(state, body)
    if body.parent == body.org or body.org in state.society.above(body.parent):
        state.find(Rule.ORG_KNOWN, f"a parent that does not lie under {body.org}", body.parent)
    elif _is_registered(state, body.org):
        state.society.register(body)


def staff_enrolled(state: State, entry: Envelope, body: StaffEnrolled) -> None:
    """Known roles for a pseudonym, in a known organisation or in the whole log."""
    none(state, entry)
    check_entry(state, entry, body, body.org)
    _check_pseudonym(state, body.staff)
    roles = ROLES if body.org else OF_THE_WHOLE_LOG
    if not body.roles or not roles.issuperset(body.roles):
        state.find(Rule.STAFF_FORM, f"roles of {', '.join(sorted(roles))}", ", ".join(body.roles) or "none")
    check_ascending(state, "roles", body.roles)
    if body.org == WHOLE_LOG or _is_registered(state, body.org):
        state.society.enrol(body.staff, body.org, body.roles)


def staff_dismissed(state: State, entry: Envelope, body: StaffDismissed) -> None:
    """Who held a role there holds none any more."""
    none(state, entry)
    check_entry(state, entry, body, body.org)
    if not state.society.dismiss(body.staff, body.org):
        state.find(Rule.STAFF_FORM, f"somebody with a role in {body.org or 'the whole log'}", body.staff)
    if body.org == WHOLE_LOG and len(state.society.administrators()) < FOUNDERS:
        state.find(Rule.STAFF_FORM, f"{FOUNDERS} administrators of the whole log who stay", body.staff)


def policy_set(state: State, entry: Envelope, body: PolicySet) -> None:
    """Each kind once, of those that can wait for approval."""
    none(state, entry)
    check_entry(state, entry, body, WHOLE_LOG)
    kinds = [rule.kind for rule in body.rules]
    if kinds != sorted(set(kinds)):
        state.find(Rule.POLICY_FORM, "each kind once, ascending", ", ".join(kinds))
    for rule in body.rules:
        _check_rule(state, rule)
    if not 0 <= body.expires_days <= MAX_EXPIRES_DAYS:
        state.find(Rule.POLICY_FORM, f"0 to {MAX_EXPIRES_DAYS} days", body.expires_days)
    state.society.policy = {rule.kind: rule for rule in body.rules}
    if not -1 <= body.agreement_from <= MAX_POSITION:
        state.find(Rule.POLICY_FORM, "an amount or -1 for written agreements", body.agreement_from)
    state.society.expires_days = body.expires_days
    state.society.agreement_from = body.agreement_from


def event_declared(state: State, entry: Envelope, body: EventDeclared) -> None:
    """Of the whole log."""
    none(state, entry)
    check_entry(state, entry, body, WHOLE_LOG)
    if body.began:
        state.check_on(body.began)
    if _is_new(state, "event", body.event, is_known=body.event in state.society.events):
        state.society.events.add(body.event)


def fund_opened(state: State, entry: Envelope, body: FundOpened) -> None:
    """Of a known organisation."""
    none(state, entry)
    check_entry(state, entry, body, body.org)
    wanted = body.restriction
    check_division(state, wanted.region)
    check_text(state, "recipient", wanted.recipient, is_optional=True)
    check_ascending(state, "spending", body.spending)
    if not (0 <= body.receipt_fee_ppm < MILLION and -1 <= body.management_ppm < MILLION):
        told = f"{body.receipt_fee_ppm}, {body.management_ppm}"
        state.find(Rule.ENTRY_FORM, f"shares below {MILLION} millionths; -1: no ceiling", told)
    for text in (wanted.category, wanted.project):
        _check_id(state, text)
    _check_event(state, wanted.event)
    if body.campaign:
        check_known(state, body.campaign, body.org)
    is_known = (body.org, body.fund) in state.society.funds
    if _is_registered(state, body.org) and _is_new(state, "fund", body.fund, is_known=is_known):
        state.society.funds[body.org, body.fund] = body


def project_opened(state: State, entry: Envelope, body: ProjectOpened) -> None:
    """Of a known organisation."""
    none(state, entry)
    check_entry(state, entry, body, body.org)
    check_division(state, body.region)
    _check_id(state, body.category)
    _check_event(state, body.event)
    days = [day for day in (body.starts, body.ends) if day]
    if not all(map(is_day, days)) or days != sorted(days) or not 0 <= body.budget_fen <= MAX_POSITION:
        told = f"{body.starts} to {body.ends}, {body.budget_fen} fen"
        state.find(Rule.ENTRY_FORM, "first and last day in this order, a budget in fen", told)
    is_known = (body.org, body.project) in state.society.projects
    if _is_registered(state, body.org) and _is_new(state, "project", body.project, is_known=is_known):
        state.society.projects[body.org, body.project] = body


def _is_new(state: State, what: str, text: str, *, is_known: bool) -> bool:
    if is_known:
        state.find(Rule.ID_UNIQUE, f"a new {what}", text)
        return False
    if not account.is_id(text):
        state.find(Rule.ID_FORM, f"{what}: 1 to 32 of a-z, 0-9 and inner hyphens", text)
        return False
    return True


def _check_id(state: State, text: str) -> None:
    if text and not account.is_id(text):
        state.find(Rule.ID_FORM, "1 to 32 of a-z, 0-9 and inner hyphens", text)


def _check_event(state: State, event: str) -> None:
    if event and event not in state.society.events:
        state.find(Rule.EVENT_LABEL, "a declared event", event)


def _is_registered(state: State, org: str) -> bool:
    if org not in state.society.organisations:
        state.find(Rule.ORG_KNOWN, "a registered organisation", org)
        return False
    return True


def _check_place(state: State, body: OrganisationRegistered) -> None:
    check_division(state, body.division or "none")
    check_uscc(state, body.uscc)
    if body.parent:
        _is_registered(state, body.parent)


def _check_pseudonym(state: State, staff: str) -> None:
    if not is_pseudonym(staff):
        state.find(Rule.STAFF_FORM, "s- and 13 of a-z2-7", staff)


def _check_rule(state: State, rule: PolicyRule) -> None:
    if rule.kind not in REQUIRED or not REQUIRED[rule.kind].checker:
        state.find(Rule.POLICY_FORM, "a kind that can wait for approval", rule.kind)
        return
    froms = [tier.from_qty for tier in rule.approvals]
    is_right = all(tier.from_qty >= 0 and 0 <= tier.approvals <= MAX_APPROVALS for tier in rule.approvals)
    if not is_right or froms != sorted(set(froms)) or len(froms) > MAX_TIERS:
        expected = f"at most {MAX_TIERS} ascending tiers of 0 to {MAX_APPROVALS} approvals for {rule.kind}"
        state.find(Rule.POLICY_FORM, expected, rule.approvals)
    if not -1 <= rule.decision_from <= MAX_POSITION:
        state.find(Rule.POLICY_FORM, f"an amount or -1 for the decision on {rule.kind}", rule.decision_from)
    if rule.decision_from >= 0 and "decision" not in KINDS[rule.kind].__struct_fields__:
        state.find(Rule.POLICY_FORM, "a decision document only of kinds that name one", rule.kind)
