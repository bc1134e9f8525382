"""Reversals: what an entry moved goes back, as far as it is left, once, with a public statement 更正说明."""

from dataclasses import replace

from ledger import account, entries
from ledger.account import CNY, Account
from ledger.allocations import targeted
from ledger.books import Books
from ledger.command import Effect, Facts, Needs, Proposable, check_cited, check_day, check_text
from ledger.donations import GIFTS
from ledger.refusals import AlreadyThere, NothingLeft, NotReversible, PolicyMissing
from ledger.returns import homes, homeward
from ledger.roles import REQUIRED

IDENTIFIED = "money.identified"

VOIDED = ("income.received", "money.received", "money.unidentified")
"""Their money came from outside: what is left of it never happened."""

REVERSIBLE = (
    *VOIDED,
    "exchange.settled",
    "fee.charged",
    "gift.refunded",
    "money.allocated",
    "money.disbursed",
    IDENTIFIED,
    "transfer.received",
    "transfer.sent",
)
"""A gift's reversal takes its images wherever they rest, to suspense if it was found there; of the others, what they
put on one account goes back to where it came from."""

INSTEAD = {
    "gift.redirected": ("再次改变用途", "redirect the gift once more"),
    "money.released": ("重新分配", "allocate it again"),
    "money.returned": ("重新付款", "pay it out again"),
    "suspense.returned": ("重新登记待查款", "enter it as unidentified money again"),
    "transfer.returned": ("重新转出", "send it again"),
}
"""What to do about the other kinds that move money: what they took leaves the account that only they may take from."""


class ReverseEntry(Proposable, frozen=True, kw_only=True, tag="entry.reversed"):
    """Entry `ref` was wrong."""

    org: str
    ref: int
    on: str
    reason: str
    statement: str


def reverse(command: ReverseEntry, books: Books, facts: Facts, proposal: int) -> Effect:
    """All that is left, which nobody else may hold. Raises AlreadyThere for a second reversal, NothingLeft."""
    if books.policy is None:
        raise PolicyMissing
    check_day("on", command.on, latest=facts.today)
    check_text("reason", command.reason)
    check_text("statement", command.statement)
    _check_reversible(command, facts)
    books.require(command.maker, REQUIRED["entry.reversed"].maker, command.org)
    if command.ref in books.reversed:
        raise AlreadyThere(f"entry {command.ref} was reversed", ref=command.ref)
    assert facts.cited is not None
    of = facts.cited.kind
    spans = facts.spans
    if of in GIFTS:
        role = REQUIRED["entry.reversed"].maker
        spans = tuple(
            each
            for each in spans
            if not books.roles(command.maker, account.parse(each[0].address).org).isdisjoint(role)
        )
    takes = targeted(books, replace(facts, spans=spans), 0, proposal)
    left = sum(take.qty for take in takes)
    if not proposal and left < sum(span.qty for _, span in spans):
        holders = sorted({each for where, _ in spans for each in books.lines[where].holders()})
        raise NothingLeft("another proposal holds a part of it", left=left, proposals=holders)
    into: str | tuple[str, ...] = account.voided(command.org)
    if of == IDENTIFIED:
        into = account.suspense(command.org)
    elif of not in VOIDED:
        takes, into = homeward(takes, facts.origins, books)
    body = entries.EntryReversed(
        of=of,
        on=command.on,
        org=command.org,
        reason=command.reason,
        ref=command.ref,
        statement=command.statement,
        left=left,
        moved=facts.cited_qty - left,
    )
    return Effect(body=body, org=command.org, takes=takes, into=into, by_amount=False)


def needs_cited(command: ReverseEntry) -> Needs:
    """What the entry moved; a gift's images."""
    return Needs(ref=command.ref, images_of=GIFTS, fee=True, origins=True)


def lines(command: ReverseEntry, books: Books, facts: Facts) -> set[Account]:
    """Where it is, and where it goes back to."""
    return (
        {where for where, _ in facts.spans}
        | homes(facts, books)
        | {
            Account(account.voided(command.org), CNY),
            Account(account.suspense(command.org), CNY),
        }
    )


def _check_reversible(command: ReverseEntry, facts: Facts) -> None:
    """Raises NotReversible, which says what to do instead; Invalid for what is no such entry."""
    kind = "" if facts.cited is None else facts.cited.kind
    if kind in INSTEAD:
        raise NotReversible(kind, *INSTEAD[kind])
    check_cited(facts, command.ref, REVERSIBLE, command.org)
    if kind == "gift.refunded" and account.answering(each.address for each in facts.origins) != {command.org}:
        raise NotReversible(kind, "由各组织分别退还", "have each organisation refund what it has")
