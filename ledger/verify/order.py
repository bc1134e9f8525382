"""First in, first out: which lines a payment draws on, and which positions an outflow takes."""

from collections.abc import Iterable

from ledger.entries import FundOpened, MoneyDisbursed
from ledger.verify.line import Line, Piece
from ledger.verify.society import USUAL_SPENDING
from ledger.verify.state import Candidate, Held, State

AMOUNT = -1
"""`lo` of an amount: whatever is lowest."""


def candidates(state: State, org: str, project: str) -> list[Candidate]:
    """The lines of a project as they are now, those with anything free."""
    lines = state.project_lines.get((org, project), [])
    return [Candidate(seq, line, line.available) for line in lines if (seq := line.oldest_seq()) is not None]


def chosen(state: State, body: MoneyDisbursed, among: Iterable[Candidate], qty: int) -> list[Held]:
    """The lines whose fund allows the payment: oldest money first, ties by address, each exhausted before the next."""
    allowed = [
        each for each in among if allows_spending(state, body, each.line) and pays_recipient(state, body, each.line)
    ]
    plan: list[Held] = []
    for each in sorted(allowed, key=lambda each: (each.oldest_seq, each.line.name)):
        amount = min(qty, each.available)
        if amount > 0:
            plan.append(Held(each.line, AMOUNT, amount))
            qty -= amount
    return plan


def allows_spending(state: State, body: MoneyDisbursed, line: Line) -> bool:
    """The fund's fee clause."""
    return body.spending in (_fund(state, line).spending or USUAL_SPENDING)


def pays_recipient(state: State, body: MoneyDisbursed, line: Line) -> bool:
    """The recipient that the fund's donors named."""
    return _fund(state, line).restriction.recipient in {"", body.payee}


def take(plan: list[Held], qty: int) -> list[Piece]:
    """The lowest free positions along the plan, which is used up as far as it goes."""
    taken: list[Piece] = []
    for held in plan:
        amount = min(held.qty, qty)
        if amount > 0:
            taken += [Piece(held.line, lo, hi) for lo, hi in held.line.lowest(amount)]
            held.qty -= amount
            qty -= amount
    return taken


def by_line(pieces: Iterable[Piece]) -> list[tuple[Line, int]]:
    """How much of each line, in the order in which the lines come."""
    amounts: dict[Line, int] = {}
    for line, lo, hi in pieces:
        amounts[line] = amounts.get(line, 0) + hi - lo
    return list(amounts.items())


def _fund(state: State, line: Line) -> FundOpened:
    return state.society.funds[line.place.org, line.place.rest[1]]
