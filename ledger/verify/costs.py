"""Management cost: what each fund paid in each year, and the ceiling its clause sets."""

from collections.abc import Sequence

from ledger.entries import MoneyDisbursed
from ledger.verify.gifts import MILLION
from ledger.verify.postings import Leg
from ledger.verify.rule import Rule
from ledger.verify.state import Cost, Payment, Run, State


def count(state: State, run: Run, body: MoneyDisbursed, legs: Sequence[Leg]) -> None:
    """Add a payment's part. With the last one, management has to lie within the clause of every fund it was paid from.

    A clause that says `alarmed` lets it pass; the share is published.
    """
    for leg in legs:
        if leg.src is None:
            continue
        place = leg.src.place
        key = (place.org, place.rest[1], body.on[:4])
        cost = state.costs.setdefault(key, Cost())
        cost.spent += leg.qty
        if body.spending == "management":
            cost.management += leg.qty
            run.costs.append(key)
    if not run.is_whole:
        return
    for key in dict.fromkeys(run.costs):
        clause = state.society.funds[key[:2]]
        cost = state.costs[key]
        is_over = cost.management * MILLION > clause.management_ppm * cost.spent
        if clause.over_ceiling == "refused" and clause.management_ppm >= 0 and is_over:
            expected = f"at most {clause.management_ppm} millionths of {cost.spent} in {key[2]}"
            state.find(Rule.MANAGEMENT_CEILING, expected, cost.management)


def give_back(state: State, payment: Payment, legs: Sequence[Leg]) -> None:
    """What a payee hands back was not spent, in the year in which it was paid."""
    moves = [move for leg in legs if leg.src is not None for move in leg.src.arrivals.within(leg.src_lo, leg.src_hi)]
    for move in moves:
        place, qty = move.other.place, move.hi - move.lo
        cost = state.costs.setdefault((place.org, place.rest[-1], payment.year), Cost())
        cost.spent -= qty
        if payment.is_management:
            cost.management -= qty
