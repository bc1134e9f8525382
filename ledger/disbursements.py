"""Money paid, what the recipient confirms, and what it did."""

import re

from ledger import account, entries
from ledger.account import Account
from ledger.allocations import held_amounts, lies_in, spending_of
from ledger.books import Books
from ledger.command import (
    Effect,
    Facts,
    Needs,
    Proposable,
    body_of,
    check_cited,
    check_day,
    check_evidence,
    check_quantity,
    check_text,
)
from ledger.entries import FundOpened, Outcome, Spending
from ledger.fees import check_ceiling
from ledger.organisations import check_region
from ledger.posting import Take
from ledger.refusals import InsufficientAmount, Invalid, PolicyMissing, RestrictionBroken
from ledger.rightings import missing, righted

PERSONS = "persons"
"""The payee where people are paid: no name in an entry, ever."""

_BENEFICIARIES = re.compile(r"1-4|[5-9]|[1-9][0-9]{1,8}")


class DisburseMoney(Proposable, frozen=True, kw_only=True, tag="money.disbursed"):
    """Pay from a project's lines."""

    org: str
    project: str
    amount_fen: int
    spending: Spending
    payee: str
    purpose: str
    on: str
    beneficiaries: str = ""
    region: str = ""
    decision: str = ""
    evidence: tuple[str, ...] = ()
    corrects: int = 0


class ConfirmDelivery(Proposable, frozen=True, kw_only=True, tag="delivery.confirmed"):
    """What the recipient says arrived of a payment."""

    org: str
    ref: int
    outcome: Outcome
    qty: int
    on: str
    evidence: tuple[str, ...] = ()


class PublishFeedback(Proposable, frozen=True, kw_only=True, tag="feedback.published"):
    """What a payment did."""

    org: str
    ref: int
    text: str
    on: str
    beneficiaries: str = ""
    evidence: tuple[str, ...] = ()


def disburse(command: DisburseMoney, books: Books, facts: Facts, proposal: int) -> Effect:
    """The project's lines whose fund allows this spending and payee, oldest money first."""
    qty = missing(command, "money.disbursed", books, facts)
    if books.policy is None:
        raise PolicyMissing
    check_day("on", command.on, latest=facts.today)
    for what, text in (("payee", command.payee), ("purpose", command.purpose)):
        check_text(what, text)
    check_text("decision", command.decision, optional=True)
    check_evidence(command.evidence)
    check_beneficiaries(command.beneficiaries)
    check_region(command.region)
    if command.beneficiaries == "1-4" and command.region and not command.region.endswith("00"):
        raise Invalid("region: at least the prefecture where fewer than five persons are paid", field="region")
    project = books.project(command.org, command.project)
    if not lies_in(command.region, project.region) and not lies_in(project.region, command.region):
        raise RestrictionBroken(f"the project is for region {project.region}", region=project.region)
    wanted = held_amounts(books, proposal) if proposal else _choose(command, books, facts, qty)
    for where in wanted:
        _check_fund(command, books.fund(command.org, account.parse(where.address).rest[1]))
    takes = [Take(where, tuple(books.lines[where].first_in(part, proposal))) for where, part in wanted.items()]
    body = righted(body_of(entries.MoneyDisbursed, command), command)
    check_ceiling(body, takes, books)
    return Effect(
        body=body,
        org=command.org,
        takes=tuple(takes),
        into=account.payees(command.org),
    )


def confirm(command: ConfirmDelivery, books: Books, facts: Facts) -> Effect:
    """At most what was paid and did not come back, over all confirmations of the payment."""
    books.organisation(command.org)
    check_quantity(command.qty)
    check_day("on", command.on, latest=facts.today)
    check_evidence(command.evidence)
    check_cited(facts, command.ref, "money.disbursed", command.org)
    kept = sum(span.qty for _, span in facts.spans)
    if facts.confirmed_qty + command.qty > kept:
        left = max(kept - facts.confirmed_qty, 0)  # it may have been confirmed before it came back
        raise Invalid(f"qty: {left} of the {kept} that the payee has are not confirmed yet", field="qty", left=left)
    return Effect(body=body_of(entries.DeliveryConfirmed, command), org=command.org)


def publish_feedback(command: PublishFeedback, books: Books, facts: Facts) -> Effect:
    """A statement about one payment."""
    books.organisation(command.org)
    check_day("on", command.on, latest=facts.today)
    check_text("text", command.text)
    check_evidence(command.evidence)
    check_beneficiaries(command.beneficiaries)
    check_cited(facts, command.ref, "money.disbursed", command.org)
    return Effect(body=body_of(entries.FeedbackPublished, command), org=command.org)


def needs_disburse(command: DisburseMoney) -> Needs:
    """All of the project's lines."""
    return Needs(project=(command.org, command.project))


def needs_payment(command: ConfirmDelivery | PublishFeedback) -> Needs:
    """The payment it speaks of."""
    return Needs(ref=command.ref)


def check_beneficiaries(text: str) -> None:
    """A count of persons; below five only `1-4` (no person is to be recognised). Raises Invalid."""
    if text and not _BENEFICIARIES.fullmatch(text):
        raise Invalid("beneficiaries: a number from 5, or 1-4", field="beneficiaries")


def _choose(command: DisburseMoney, books: Books, facts: Facts, qty: int) -> dict[Account, int]:
    """Lines by the entry of their lowest free position, ties by address; each gives all it has before the next."""
    usable = [
        where
        for where in facts.first_seqs
        if _allows(command, books.fund(command.org, account.parse(where.address).rest[1]))
    ]
    usable.sort(key=lambda where: (facts.first_seqs[where], where))
    chosen: dict[Account, int] = {}
    left = qty
    for where in usable:
        part = min(left, books.lines[where].available)
        if part > 0:
            chosen[where] = part
            left -= part
    if left:
        available = qty - left
        if facts.first_seqs and not usable:
            raise RestrictionBroken("no line of this project may be spent so, or on this payee")
        holders = {each for where in usable for each in books.lines[where].holders()}
        raise InsufficientAmount(wanted=qty, available=available, in_the_way=tuple(sorted(holders)))
    return chosen


def _allows(command: DisburseMoney, fund: FundOpened) -> bool:
    return command.spending in spending_of(fund) and fund.restriction.recipient in {"", command.payee}


def _check_fund(command: DisburseMoney, fund: FundOpened) -> None:
    if not _allows(command, fund):
        raise RestrictionBroken(f"fund {fund.fund} does not allow this spending or payee", fund=fund.fund)
