"""Right entries: what was entered wrongly and taken back comes again as it should have been, once, and cites it."""

from typing import Any, TypeVar

import msgspec

from ledger import entries
from ledger.books import Books
from ledger.command import Facts, check_quantity
from ledger.refusals import AlreadyThere, Invalid

AnyRight = TypeVar(
    "AnyRight",
    entries.ExchangeSettled,
    entries.FeeCharged,
    entries.GiftRefunded,
    entries.IncomeReceived,
    entries.MoneyAllocated,
    entries.MoneyDisbursed,
    entries.MoneyIdentified,
    entries.MoneyReceived,
    entries.MoneyUnidentified,
    entries.TransferReceived,
    entries.TransferSent,
)


def missing(command: Any, kind: str, books: Books, facts: Facts) -> int:
    """How much the command moves: of a right entry, the right amount less what of the wrong one had moved on.

    That stays as it went, and counts. Raises Invalid for anything but an entry of this kind and organisation that was
    taken back, or where nothing is missing; AlreadyThere where it has its right entry.
    """
    qty = check_quantity(command.amount_fen)
    if not command.corrects:
        return qty
    wrong = facts.wrong
    is_of_kind = wrong is not None and wrong.kind == kind and entries.org_of(wrong) == command.org
    if not is_of_kind or command.corrects not in books.reversed:
        said = f"corrects: entry {command.corrects} is no {kind} of {command.org} that was taken back"
        raise Invalid(said, field="corrects")
    if facts.righted_by:
        said = f"entry {command.corrects} has its right entry, {facts.righted_by}"
        raise AlreadyThere(said, ref=command.corrects, righted_by=facts.righted_by)
    moved = books.reversed[command.corrects]
    if qty <= moved:
        raise Invalid(f"amount_fen: {moved} of entry {command.corrects} had moved on: nothing is missing", moved=moved)
    return qty - moved


def check_taken_over(command: Any, facts: Facts) -> None:
    """What comes in again keeps the channel reference of the wrong entry. Raises Invalid."""
    if command.corrects and command.ref != getattr(facts.wrong and facts.wrong.body, "ref", ""):
        raise Invalid("ref: another channel reference than that of the entry it corrects", field="ref")


def righted(body: AnyRight, command: Any) -> AnyRight:
    """The body with the right amount, where it corrects another entry."""
    return msgspec.structs.replace(body, right_fen=command.amount_fen) if command.corrects else body
