"""Suspense 待查款: bank money whose donor is not known yet; later identified to a gift, or returned."""

from ledger import account
from ledger.account import CNY, Account
from ledger.allocations import targeted
from ledger.books import Books
from ledger.campaigns import check_agreement
from ledger.command import (
    Command,
    Draft,
    Effect,
    Facts,
    Needs,
    Proposable,
    body_of,
    check_cited,
    check_day,
    check_digest,
    check_evidence,
    check_id,
    check_text,
)
from ledger.donations import check_arrival
from ledger.entries import By, DonorClass, MoneyIdentified, MoneyUnidentified, SuspenseReturned
from ledger.line import NO_PROPOSAL
from ledger.posting import NO_LINE, Posting, move, parts
from ledger.refusals import AlreadyThere, Invalid, PolicyMissing
from ledger.rightings import check_taken_over, missing, righted
from ledger.roles import REQUIRED

UNIDENTIFIED = "money.unidentified"


class ReceiveUnidentified(Command, frozen=True, kw_only=True, tag="money.unidentified"):
    """Money is in the bank and nobody knows whose it was. `ref`: the keyed digest of the bank's own reference."""

    org: str
    amount_fen: int
    channel: str
    on: str
    ref: str = ""
    corrects: int = 0


class IdentifyMoney(Command, frozen=True, kw_only=True, tag="money.identified"):
    """It was a gift of `amount_fen`. Codes and commitments were drawn before."""

    org: str
    ref: int
    fund: str
    amount_fen: int
    channel: str
    on: str
    donor: str
    donor_class: DonorClass = "unknown"
    agreement: str = ""
    campaign: str = ""
    event: str = ""
    code: str = ""
    corrects: int = 0


class ReturnSuspense(Proposable, frozen=True, kw_only=True, tag="suspense.returned"):
    """Give back what is left of the entry cited; `amount_fen` 0: all of that."""

    org: str
    ref: int
    on: str
    reason: str
    amount_fen: int = 0
    evidence: tuple[str, ...] = ()


def receive(command: ReceiveUnidentified, books: Books, facts: Facts) -> Draft:
    """A credit at the end of the organisation's suspense line."""
    qty = missing(command, UNIDENTIFIED, books, facts)
    if books.policy is None:
        raise PolicyMissing
    books.organisation(command.org)
    check_day("on", command.on, latest=facts.today)
    check_id("channel", command.channel)
    check_digest("ref", command.ref, optional=True)
    if command.ref in books.refs and command.ref:
        raise AlreadyThere("this channel reference is in the log", channel_ref=command.ref)
    books.require(command.maker, REQUIRED[UNIDENTIFIED].maker, command.org)
    line = books.line(account.suspense(command.org))
    if line.credited + qty > account.MAX_POSITION:
        raise Invalid("the account's line would pass 2^53-1", field="amount_fen")
    posting = Posting(
        account.unidentified(command.org), NO_LINE, account.suspense(command.org), line.credited, qty, CNY
    )
    check_taken_over(command, facts)
    return Draft(righted(body_of(MoneyUnidentified, command), command), By(maker=command.maker), (posting,))


def identify(command: IdentifyMoney, books: Books, facts: Facts) -> Draft:
    """The cited entry's lowest free positions, onto the fund's line: from now on a gift like any other."""
    check_arrival(command, "money.identified", books, facts)
    check_agreement(command.agreement, command.amount_fen, books)
    check_digest("donor", command.donor)
    check_cited(facts, command.ref, UNIDENTIFIED, command.org)
    takes = targeted(books, facts, missing(command, "money.identified", books, facts), NO_PROPOSAL)
    into = account.fund(command.org, command.fund)
    postings = move(takes, into, books.line(into).credited)
    runs = parts(postings)
    if len(runs) > 1 or postings[-1].dst_span.hi > account.MAX_POSITION:
        raise Invalid("amount_fen: more than one entry can carry; identify a smaller amount", field="amount_fen")
    return Draft(righted(body_of(MoneyIdentified, command), command), By(maker=command.maker), runs[0], command.code)


def give_back(command: ReturnSuspense, books: Books, facts: Facts, proposal: int) -> Effect:
    """The cited entry's free positions, to where they came from."""
    if books.policy is None:
        raise PolicyMissing
    check_day("on", command.on, latest=facts.today)
    check_text("reason", command.reason)
    check_evidence(command.evidence)
    check_cited(facts, command.ref, UNIDENTIFIED, command.org)
    return Effect(
        body=body_of(SuspenseReturned, command),
        org=command.org,
        takes=targeted(books, facts, command.amount_fen, proposal),
        into=account.refunds(command.org),
        by_amount=False,
    )


def needs_cited(command: IdentifyMoney | ReturnSuspense) -> Needs:
    """What the cited entry credited."""
    return Needs(ref=command.ref)


def lines(command: ReceiveUnidentified | IdentifyMoney | ReturnSuspense) -> set[Account]:
    """The accounts they touch."""
    suspense = Account(account.suspense(command.org), CNY)
    match command:
        case IdentifyMoney():
            return {suspense, Account(account.fund(command.org, command.fund), CNY)}
        case ReturnSuspense():
            return {suspense, Account(account.refunds(command.org), CNY)}
        case _:
            return {suspense}
