"""Income that is not a donation: it has sources of its own and is in no donation total."""

from typing import get_args

from ledger import account
from ledger.account import CNY
from ledger.books import Books
from ledger.command import Command, Draft, Facts, body_of, check_day, check_digest, check_text
from ledger.entries import By, IncomeKind, IncomeReceived
from ledger.posting import NO_LINE, Posting
from ledger.refusals import AlreadyThere, Invalid, PolicyMissing
from ledger.rightings import check_taken_over, missing, righted
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
    corrects: int = 0


def receive(command: ReceiveIncome, books: Books, facts: Facts) -> Draft:
    """A credit at the end of the fund's line, from a source that is no donor."""
    qty = missing(command, "income.received", books, facts)
    if books.policy is None:
        raise PolicyMissing
    books.fund(command.org, command.fund)
    check_day("on", command.on, latest=facts.today)
    if command.source not in KINDS:
        raise Invalid(f"source: one of {', '.join(KINDS)}", field="source")
    check_digest("ref", command.ref, optional=True)
    check_text("note", command.note, optional=True)
    if command.ref in books.refs and command.ref:
        raise AlreadyThere("this channel reference is in the log", channel_ref=command.ref)
    books.require(command.maker, REQUIRED["income.received"].maker, command.org)
    into = account.fund(command.org, command.fund)
    line = books.line(into)
    if line.credited + qty > account.MAX_POSITION:
        raise Invalid("the fund's line would pass 2^53-1 fen", field="amount_fen")
    posting = Posting(account.income(command.org, command.source), NO_LINE, into, line.credited, qty, CNY)
    check_taken_over(command, facts)
    return Draft(righted(body_of(IncomeReceived, command), command), By(maker=command.maker), (posting,))
