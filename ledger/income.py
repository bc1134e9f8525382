"""Income that is not a donation: it has sources of its own and is in no donation total."""

from typing import get_args

from ledger import account
from ledger.account import CNY
from ledger.books import Books
from ledger.command import Command, Draft, body_of, check_day, check_digest, check_quantity, check_text
from ledger.entries import By, IncomeKind, IncomeReceived
from ledger.posting import NO_LINE, Posting
from ledger.refusals import AlreadyThere, Invalid, PolicyMissing
from ledger.roles import REQUIRED

KINDS: tuple[IncomeKind, ...] = get_args(IncomeKind)


class ReceiveIncome(Command, frozen=True, kw_only=True, tag="income.received"):
    """Interest, government money, lottery funds, dues, the upper level's money: into a fund, but no gift."""

    org: str
    fund: str
    amount_fen: int
    source: IncomeKind
    on: str
    ref: str = ""
    note: str = ""


def receive(command: ReceiveIncome, books: Books, today: str) -> Draft:
    """A credit at the end of the fund's line, from a source that is no donor."""
    qty = check_quantity(command.amount_fen)
    if books.policy is None:
        raise PolicyMissing
    books.fund(command.org, command.fund)
    check_day("on", command.on, latest=today)
    if command.source not in KINDS:
        raise Invalid(f"source: one of {', '.join(KINDS)}", field="source")
    check_digest("ref", command.ref, optional=True)
    check_text("note", command.note, optional=True)
    if command.ref in books.refs and command.ref:
        raise AlreadyThere("this channel reference is in the log", ref=command.ref)
    books.require(command.maker, REQUIRED["income.received"].maker, command.org)
    into = account.fund(command.org, command.fund)
    line = books.line(into)
    if line.credited + qty > account.MAX_POSITION:
        raise Invalid("the fund's line would pass 2^53-1 fen", field="amount_fen")
    posting = Posting(account.income(command.org, command.source), NO_LINE, into, line.credited, qty, CNY)
    return Draft(body_of(IncomeReceived, command), By(maker=command.maker), (posting,))
