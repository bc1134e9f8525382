"""A year of the whole ledger: what there was, what came, what went, what there is. It adds up or nobody sees it."""

from collections import Counter
from dataclasses import dataclass
from datetime import date

import asyncpg

from ledger.donations import GIFTS
from ledger.store.queries.aggregates import Question, read_aggregate


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """By the dates of the business, Beijing's.

    opening + received + income = paid + refunded + fees + lost + voided + held + allocated + in_transit, in fen.
    Money whose donor is not known yet is in none of these.
    """

    year: int
    gift_count: int
    opening_fen: int
    received_fen: int
    income_fen: int
    paid_fen: int
    refunded_fen: int
    fees_fen: int
    lost_fen: int
    voided_fen: int
    held_fen: int
    allocated_fen: int
    in_transit_fen: int

    def __post_init__(self) -> None:
        came = self.opening_fen + self.received_fen + self.income_fen
        gone = self.paid_fen + self.refunded_fen + self.fees_fen + self.lost_fen + self.voided_fen
        now = gone + self.held_fen + self.allocated_fen + self.in_transit_fen
        assert came == now, f"{self.year}: {came} fen came in, {now} found"


async def read_year(connection: asyncpg.Connection, year: int, *, as_of: int | None = None) -> Year:
    """A year until now; or as of an entry, by what is booked up to it."""
    if as_of is not None:
        return await _read_then(connection, year, as_of)
    first, last = date(year, 1, 1), date(year, 12, 31)
    moved = {row["kind"]: row for row in await connection.fetch(_MOVED, first, last)}
    entered = {kind: row["qty"] for kind, row in moved.items()}
    rests = await connection.fetch(_RESTING, first, last)
    opening = {row["kind"]: row["opening"] for row in rests}
    closing = {row["kind"]: row["closing"] for row in rests}
    inside = ("fund", "project", "transit")
    return Year(
        year=year,
        gift_count=sum(moved[kind]["entries"] for kind in GIFTS if kind in moved),
        opening_fen=sum(opening.get(kind, 0) for kind in inside),
        received_fen=sum(entered.get(kind, 0) for kind in GIFTS),
        income_fen=entered.get("income.received", 0),
        paid_fen=closing.get("payees", 0) - opening.get("payees", 0),
        refunded_fen=entered.get("gift.refunded", 0),
        fees_fen=closing.get("fees", 0) - opening.get("fees", 0),
        lost_fen=closing.get("losses", 0) - opening.get("losses", 0),
        voided_fen=entered.get("entry.reversed", 0),
        held_fen=closing.get("fund", 0),
        allocated_fen=closing.get("project", 0),
        in_transit_fen=closing.get("transit", 0),
    )


async def _read_then(connection: asyncpg.Connection, year: int, as_of: int) -> Year:
    """The same from the spans of figures, only slower: what they put down to a month is of its business dates."""
    fen: Counter[tuple[str, int]] = Counter()
    gifts: Counter[int] = Counter()
    for measure in (*_MOVING, *_RESTING_IN):
        for cell in await read_aggregate(connection, Question(measure=measure, by=("month",)), as_of=as_of, limit=None):
            its = int(cell.keys[0][:4])
            fen[measure, its] += cell.sum_fen
            gifts[its] += cell.entries if measure == "received" else 0

    def until(measure: str, last: int) -> int:
        return sum(qty for (each, its), qty in fen.items() if each == measure and its <= last)

    return Year(
        year=year,
        gift_count=gifts[year],
        opening_fen=sum(until(measure, year - 1) for measure in _RESTING_IN),
        **{f"{measure}_fen": fen[measure, year] for measure in _MOVING},
        **{f"{measure}_fen": until(measure, year) for measure in _RESTING_IN},
    )


_MOVING = ("received", "income", "paid", "refunded", "fees", "lost", "voided")
_RESTING_IN = ("held", "allocated", "in_transit")
"""Measures that are a year's figures under the same names: what moved in it, what there was at its end."""


_MOVED = """
  select kind, sum(entries)::bigint as entries, sum(qty)::bigint as qty from rollup
  where day between $1 and $2 group by kind
"""
_RESTING = """
  select split_part(a.address, ':', 1) as kind,
         coalesce(sum(t.credited - t.consumed) filter (where t.day < $1), 0)::bigint as opening,
         sum(t.credited - t.consumed)::bigint as closing
  from turnover t join account a on a.id = t.account where t.day <= $2 group by kind
"""
