"""Gifts of money, one by one and from an approved import."""

from typing import Any, TypeAlias

import msgspec

from ledger import account, entries, privacy
from ledger.account import Account
from ledger.books import Books, Import
from ledger.campaigns import check_agreement, check_gift
from ledger.command import (
    Command,
    Draft,
    Effect,
    Facts,
    Proposable,
    body_of,
    check_day,
    check_digest,
    check_id,
    check_quantity,
    check_text,
)
from ledger.entries import By, DonorClass, MoneyReceived
from ledger.exchange import check_currency
from ledger.fees import at_receipt
from ledger.posting import NO_LINE, Posting
from ledger.refusals import AlreadyThere, ImportMismatch, Invalid, PolicyMissing, SamePerson, Unknown
from ledger.rightings import check_taken_over, missing, righted
from ledger.roles import REQUIRED

AnyGift: TypeAlias = MoneyReceived | entries.MoneyIdentified

GIFTS = ("money.received", "money.identified")
"""The kinds of entry that are gifts."""


class ReceiveMoney(Command, frozen=True, kw_only=True, tag="money.received"):
    """A gift arrived. Codes and commitments were drawn before; who gave stays in the vault."""

    org: str
    fund: str
    amount_fen: int
    channel: str
    on: str
    donor: str
    donor_class: DonorClass = "unknown"
    ref: str = ""
    agreement: str = ""
    campaign: str = ""
    event: str = ""
    code: str = ""
    batch: int = 0
    row: int = 0
    currency: str = ""
    original: int = 0
    rate: str = ""
    corrects: int = 0


class ApproveImport(Proposable, frozen=True, kw_only=True, tag="import.approved"):
    """A checked file of gifts to enter: what the check counted."""

    org: str
    fund: str
    channel: str
    event: str = ""
    name: str
    profile: str
    file: str
    rows: int
    sum_fen: int
    first_on: str
    last_on: str


class CompleteImport(Command, frozen=True, kw_only=True, tag="import.completed"):
    """Every row is decided."""

    batch: int


class AbandonImport(Command, frozen=True, kw_only=True, tag="import.abandoned"):
    """No more rows are entered: the sheet is lost, or its maker has left."""

    batch: int


def receive(command: ReceiveMoney, books: Books, facts: Facts) -> Draft:
    """The gift's entry: a credit at the end of its fund's line."""
    qty = missing(command, "money.received", books, facts)
    shared = (
        command.maker, command.org, command.fund, command.channel, command.on, command.event, command.campaign,
        facts.today,
    )  # fmt: skip
    if shared not in books.settled:  # the rows of a sheet differ in little else than amount and reference
        check_arrival(command, "money.received", books, facts)
        books.settled.add(shared)
    fund = books.funds[command.org, command.fund]
    check_agreement(command.agreement, command.amount_fen, books)
    if command.ref in books.refs and command.ref:
        raise AlreadyThere("this channel reference is in the log", channel_ref=command.ref)
    check_currency(command.currency, command.original, command.rate, command.amount_fen)
    check_digest("donor", command.donor)
    check_digest("ref", command.ref, optional=True)
    body = righted(body_of(MoneyReceived, command), command)
    check_taken_over(command, facts)
    if command.batch and command.corrects:
        raise Invalid("batch: a right entry is none of an import's rows", field="batch")
    if command.batch:
        _check_row(command, _open_import(books, command.batch))
    elif command.row:
        raise Invalid("row: only of an import", field="row")
    into = account.fund(command.org, command.fund)
    line = books.line(into)
    if line.credited + qty > account.MAX_POSITION:
        raise Invalid("the fund's line would pass 2^53-1 fen", field="amount_fen")
    fee = at_receipt(fund, qty)
    donors = account.donors(command.org)
    postings = [Posting(donors, NO_LINE, into, line.credited, qty - fee, account.CNY)]
    if fee:  # the gift's last fen
        fees = account.fees(command.org)
        if (credited := books.line(fees).credited) + fee > account.MAX_POSITION:
            raise Invalid("the line of fees would pass 2^53-1 fen", field="amount_fen")
        postings.append(Posting(donors, NO_LINE, fees, credited, fee, account.CNY))
    return Draft(body, By(maker=command.maker), tuple(postings), command.code)


def check_arrival(command: Any, kind: str, books: Books, facts: Facts) -> None:
    """What gifts share: who enters them, where, when, by which channel and for what. Raises Refused."""
    if books.policy is None:
        raise PolicyMissing
    fund = books.fund(command.org, command.fund)
    check_day("on", command.on, latest=facts.today)
    check_id("channel", command.channel)
    check_label(command.event, fund, books)
    check_gift(command.campaign, command.on, command.org, fund, books)
    books.require(command.maker, REQUIRED[kind].maker, command.org)


def lines(command: ReceiveMoney, books: Books) -> set[Account]:
    """The fund's line; and that of fees, where the fund's clause takes one at receipt, or may: it is not open yet."""
    fund = books.funds.get((command.org, command.fund))
    found = {Account(account.fund(command.org, command.fund), account.CNY)}
    if fund is None or fund.receipt_fee_ppm:
        found.add(Account(account.fees(command.org), account.CNY))
    return found


def approve_import(command: ApproveImport, books: Books, today: str) -> Effect:
    """What the second person approves: file, count, sum, fund, dates."""
    if books.policy is None:
        raise PolicyMissing
    fund = books.fund(command.org, command.fund)
    check_id("channel", command.channel)
    check_text("name", command.name)
    check_text("profile", command.profile)
    check_digest("file", command.file)
    check_quantity(command.rows)
    check_quantity(command.sum_fen)
    check_day("first_on", command.first_on)
    check_day("last_on", command.last_on, latest=today)
    check_label(command.event, fund, books)
    check_gift("", command.first_on, command.org, fund, books)
    if command.last_on < command.first_on:
        raise Invalid("last_on: before first_on", field="last_on")
    body = body_of(entries.ImportApproved, command)
    return Effect(body=body, org=command.org, allows_fen=command.sum_fen)


def complete_import(command: CompleteImport, books: Books) -> Draft:
    """Entered + rejected = approved, in rows and in fen. Raises NotAllowed where the maker has left."""
    batch = _open_import(books, command.batch)
    if batch.maker != command.maker:
        raise ImportMismatch("an import is entered in the name of its maker")
    books.require(command.maker, REQUIRED["import.approved"].maker, batch.approved.org)
    return _completed(command, batch)


def abandon_import(command: AbandonImport, books: Books) -> Draft:
    """The same by somebody else, who may check imports: what is left counts as rejected. Raises SamePerson."""
    batch = _open_import(books, command.batch)
    if batch.maker == command.maker:
        raise SamePerson("the maker of an import does not end it")
    books.require(command.maker, REQUIRED["import.approved"].checker, batch.approved.org)
    return _completed(command, batch)


def bind(body: AnyGift, prev: str, code: str) -> AnyGift:
    """The body with the receipt commitment its place in the log gives it."""
    return msgspec.structs.replace(body, receipt=privacy.receipt_commitment(prev, code))


def check_label(event: str, fund: entries.FundOpened, books: Books) -> None:
    """A gift's event is declared, and no other than its fund's: that would be misleading. Raises Unknown, Invalid."""
    if event and event not in books.events:
        raise Unknown(f"event {event} is not declared", event=event)
    if event and fund.restriction.event not in {"", event}:
        raise Invalid(f"event: the fund is for {fund.restriction.event}", field="event")


def _open_import(books: Books, number: int) -> Import:
    if number not in books.imports:
        raise ImportMismatch(f"import {number} is not open", batch=number)
    return books.imports[number]


def _completed(command: CompleteImport | AbandonImport, batch: Import) -> Draft:
    rejected, rejected_fen = batch.approved.rows - batch.rows, batch.approved.sum_fen - batch.sum_fen
    if (rejected == 0) != (rejected_fen == 0):
        raise ImportMismatch(f"{rejected} rows of {rejected_fen} fen cannot be what was rejected")
    body = entries.ImportCompleted(
        batch=command.batch,
        org=batch.approved.org,
        rows=batch.rows,
        sum_fen=batch.sum_fen,
        rejected=rejected,
        rejected_fen=rejected_fen,
    )
    return Draft(body, By(maker=command.maker))


def _check_row(command: ReceiveMoney, batch: Import) -> None:
    approved = batch.approved
    if command.maker != batch.maker:
        raise ImportMismatch("rows are entered in the name of the import's maker")
    if command.row <= batch.last_row:
        raise AlreadyThere(f"row {command.row} was decided", batch=command.batch, row=command.row)
    same = (command.org, command.fund, command.channel, command.event, command.campaign)
    if same != (approved.org, approved.fund, approved.channel, approved.event, ""):
        raise ImportMismatch("organisation, fund, channel, event or campaign differ from what was approved")
    if not approved.first_on <= command.on <= approved.last_on:
        raise ImportMismatch(f"{command.on} lies outside the approved dates")
    if batch.rows + 1 > approved.rows or batch.sum_fen + command.amount_fen > approved.sum_fen:
        raise ImportMismatch("more than was approved")
