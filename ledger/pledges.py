"""Pledges 认捐: promises only. They move nothing, and no total counts them."""

from typing import get_args

from ledger import entries
from ledger.books import Books
from ledger.command import Effect, Facts, Proposable, body_of, check_day, check_quantity, check_text
from ledger.entries import PledgeEnd
from ledger.refusals import Closed, Invalid

OUTCOMES: tuple[PledgeEnd, ...] = get_args(PledgeEnd)


class MakePledge(Proposable, frozen=True, kw_only=True, tag="pledge.made"):
    """Somebody promises money for a fund."""

    org: str
    fund: str
    amount_fen: int
    promiser: str
    on: str
    due: str = ""


class EndPledge(Proposable, frozen=True, kw_only=True, tag="pledge.ended"):
    """What became of a promise."""

    org: str
    ref: int
    outcome: PledgeEnd
    on: str
    note: str = ""


def make(command: MakePledge, books: Books, facts: Facts) -> Effect:
    """For an open fund, by a day that is not before the promise."""
    check_quantity(command.amount_fen)
    books.fund(command.org, command.fund)
    check_day("on", command.on, latest=facts.today)
    check_text("promiser", command.promiser)
    if command.due:
        check_day("due", command.due)
        if command.due < command.on:
            raise Invalid("due: before the promise", field="due")
    return Effect(body=body_of(entries.PledgeMade, command), org=command.org)


def end(command: EndPledge, books: Books, facts: Facts) -> Effect:
    """Once. Raises Closed for what is no open pledge of the organisation."""
    if books.pledges.get(command.ref) != command.org:
        raise Closed(f"entry {command.ref} is no open pledge of {command.org}", ref=command.ref)
    check_day("on", command.on, latest=facts.today)
    check_text("note", command.note, optional=True)
    if command.outcome not in OUTCOMES:
        raise Invalid(f"outcome: one of {', '.join(OUTCOMES)}", field="outcome")
    return Effect(body=body_of(entries.PledgeEnded, command), org=command.org)
