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
    """How much the command moves: of a right entry, the right amount less what of the wrong ones had moved on.

    Of all that it corrects, one after the other: what moved on with them stays as it went, and counts.
    Raises Invalid for anything but an entry of this kind and organisation that was taken back, or where nothing is
    missing; AlreadyThere where it has its right entry.
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
    moved = books.reversed[command.corrects] + _moved_before(wrong, facts.wrong_qty)
    if qty <= moved:
        raise Invalid(f"amount_fen: {moved} of entry {command.corrects} had moved on: nothing is missing", moved=moved)
    return qty - moved


def _moved_before(wrong: entries.Entry | None, qty: int) -> int:
    """What had moved on with those that the wrong entry itself corrects: so much less than right it moved then.

    By the entry alone, because the books do not keep gifts.
    """
    right_fen: int = getattr(wrong and wrong.body, "right_fen", 0)
    return right_fen - qty if right_fen else 0


def check_taken_over(command: Any, facts: Facts) -> None:
    """What comes in again keeps the channel reference of the wrong entry. Raises Invalid."""
    if command.corrects and command.ref != getattr(facts.wrong and facts.wrong.body, "ref", ""):
        raise Invalid("ref: another channel reference than that of the entry it corrects", field="ref")


def righted(body: AnyRight, command: Any) -> AnyRight:
    """The body with the right amount, where it corrects another entry."""
    return msgspec.structs.replace(body, right_fen=command.amount_fen) if command.corrects else body
