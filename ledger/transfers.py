"""Transfers between organisations: sent, received, returned. What is in transit is on no fund's line."""

from ledger import account, entries
from ledger.account import CNY, Account
from ledger.allocations import check_narrower, targeted
from ledger.books import Books
from ledger.command import Effect, Facts, Needs, Proposable, body_of, check_cited, check_day, check_text
from ledger.endings import heir
from ledger.posting import Take
from ledger.refusals import Invalid, PolicyMissing
from ledger.rightings import missing, righted

SENT = "transfer.sent"


class SendTransfer(Proposable, frozen=True, kw_only=True, tag="transfer.sent"):
    """Send a fund's money to the organisation `to`, first in first out."""

    org: str
    fund: str
    to: str
    amount_fen: int
    on: str
    decision: str = ""
    corrects: int = 0


class ReceiveTransfer(Proposable, frozen=True, kw_only=True, tag="transfer.received"):
    """What the transfer `ref` sent to this organisation has arrived, for this fund; `amount_fen` 0: all of it."""

    org: str
    ref: int
    fund: str
    on: str
    amount_fen: int = 0
    corrects: int = 0


class ReturnTransfer(Proposable, frozen=True, kw_only=True, tag="transfer.returned"):
    """What this organisation sent with `ref` came back; `amount_fen` 0: all that is in transit."""

    org: str
    ref: int
    on: str
    reason: str
    amount_fen: int = 0


def send(command: SendTransfer, books: Books, facts: Facts, proposal: int) -> Effect:
    """The fund's lowest free positions, into transit."""
    qty = missing(command, SENT, books, facts)
    if books.policy is None:
        raise PolicyMissing
    check_day("on", command.on, latest=facts.today)
    check_text("decision", command.decision, optional=True)
    books.fund(command.org, command.fund)
    books.organisation(command.to)
    if command.to == command.org:
        raise Invalid("to: another organisation", field="to")
    src = Account(account.fund(command.org, command.fund), CNY)
    return Effect(
        body=righted(body_of(entries.TransferSent, command), command),
        org=command.org,
        takes=(Take(src, tuple(books.lines[src].first_in(qty, proposal))),),
        into=account.transit(command.org, command.to),
    )


def receive(command: ReceiveTransfer, books: Books, facts: Facts, proposal: int) -> Effect:
    """The transfer's positions that are still in transit, into a fund that keeps every promise of the sending one.

    That may have been closed since, and an arrival taken back: its promises hold, and nothing is in transit for ever.
    """
    if books.policy is None:
        raise PolicyMissing
    check_day("on", command.on, latest=facts.today)
    fund = books.fund(command.org, command.fund)
    sender = _sender(facts)
    check_cited(facts, command.ref, SENT, sender)
    if _transit(facts) != account.transit(sender, command.org):
        raise Invalid(f"ref: transfer {command.ref} was not sent to {command.org}", field="ref")
    check_narrower(books.funds[sender, _fund(facts)], fund)
    wanted = missing(command, "transfer.received", books, facts) if command.corrects else command.amount_fen
    return Effect(
        body=righted(body_of(entries.TransferReceived, command), command),
        org=command.org,
        takes=targeted(books, facts, wanted, proposal),
        into=account.fund(command.org, command.fund),
        by_amount=False,
    )


def give_back(command: ReturnTransfer, books: Books, facts: Facts, proposal: int) -> Effect:
    """The transfer's positions that are still in transit, to the end of the line they left, or of its successor's."""
    if books.policy is None:
        raise PolicyMissing
    check_day("on", command.on, latest=facts.today)
    check_text("reason", command.reason)
    check_cited(facts, command.ref, SENT, command.org)
    return Effect(
        body=body_of(entries.TransferReturned, command),
        org=command.org,
        takes=targeted(books, facts, command.amount_fen, proposal),
        into=heir(account.fund(command.org, _fund(facts)), books),
        by_amount=False,
    )


def needs_transfer(command: ReceiveTransfer | ReturnTransfer) -> Needs:
    """What the transfer put in transit."""
    return Needs(ref=command.ref)


def lines(command: SendTransfer | ReceiveTransfer | ReturnTransfer, books: Books, facts: Facts) -> set[Account]:
    """The fund and the transit account that they move money between."""
    match command:
        case SendTransfer(org=org, fund=fund, to=to):
            return {Account(account.fund(org, fund), CNY), Account(account.transit(org, to), CNY)}
        case ReceiveTransfer(org=org, fund=fund):
            return {where for where, _ in facts.spans} | {Account(account.fund(org, fund), CNY)}
        case ReturnTransfer(org=org):
            back = {Account(heir(account.fund(org, fund), books), CNY)} if (fund := _fund(facts)) else set()
            return {where for where, _ in facts.spans} | back


def _sender(facts: Facts) -> str:
    return entries.org_of(facts.cited) if facts.cited else ""


def _transit(facts: Facts) -> str:
    return facts.cited.postings[0].dst if facts.cited and facts.cited.postings else ""


def _fund(facts: Facts) -> str:
    """The fund that the cited transfer left."""
    if facts.cited is None or facts.cited.kind != SENT:
        return ""
    return account.parse(facts.cited.postings[0].src).rest[0]
