"""Money a payee hands back: to the lines it was paid from, of the same donors."""

from collections.abc import Iterable

from ledger import account, entries
from ledger.account import CNY, Account
from ledger.allocations import targeted
from ledger.books import Books
from ledger.command import (
    Effect,
    Facts,
    Needs,
    Origin,
    Proposable,
    body_of,
    check_cited,
    check_day,
    check_evidence,
    check_text,
)
from ledger.endings import check_heirs, heir
from ledger.line import Span
from ledger.posting import Take
from ledger.refusals import PolicyMissing


class ReturnMoney(Proposable, frozen=True, kw_only=True, tag="money.returned"):
    """The payee of `ref` gave this much back; `amount_fen` 0: all that it still has."""

    org: str
    ref: int
    on: str
    reason: str
    amount_fen: int = 0
    evidence: tuple[str, ...] = ()


def give_back(command: ReturnMoney, books: Books, facts: Facts, proposal: int) -> Effect:
    """The payment's first positions that nobody handed back yet, each to the project's line it left."""
    if books.policy is None:
        raise PolicyMissing
    check_day("on", command.on, latest=facts.today)
    check_text("reason", command.reason)
    check_evidence(command.evidence)
    check_cited(facts, command.ref, "money.disbursed", command.org)
    takes, into = homeward(targeted(books, facts, command.amount_fen, proposal), facts.origins, books)
    return Effect(
        body=body_of(entries.MoneyReturned, command), org=command.org, takes=takes, into=into, by_amount=False
    )


def needs_payment(command: ReturnMoney) -> Needs:
    """What the payee got, and from where."""
    return Needs(ref=command.ref, origins=True)


def lines(command: ReturnMoney, books: Books, facts: Facts) -> set[Account]:
    """The payees' line, and every line the payment left."""
    return {Account(account.payees(command.org), CNY)} | homes(facts, books)


def homes(facts: Facts, books: Books) -> set[Account]:
    """The lines that the cited entry's money left, or their successors'."""
    return {Account(heir(origin.address, books), CNY) for origin in facts.origins if account.has_line(origin.address)}


def homeward(
    takes: Iterable[Take], origins: tuple[Origin, ...], books: Books
) -> tuple[tuple[Take, ...], tuple[str, ...]]:
    """Takes cut where the positions came from different accounts; and, take for take, the account they came from.

    Late money of a closed fund or project goes to its successor's. Raises RestrictionBroken, Closed.
    """
    check_heirs((origin.address for origin in origins), books)
    origins = tuple(origin._replace(address=heir(origin.address, books)) for origin in origins)
    found: list[tuple[Account, Span, str]] = []
    for take in takes:
        for span in take.spans:
            for origin in origins:
                lo, hi = max(span.lo, origin.span.lo), min(span.hi, origin.span.hi)
                if origin.account != take.account or lo >= hi:
                    continue
                if found and found[-1][::2] == (take.account, origin.address) and found[-1][1].hi == lo:
                    found[-1] = (take.account, Span(found[-1][1].lo, hi), origin.address)
                else:
                    found.append((take.account, Span(lo, hi), origin.address))
    return (
        tuple(Take(where, (span,)) for where, span, _ in found),
        tuple(address for *_, address in found),
    )
