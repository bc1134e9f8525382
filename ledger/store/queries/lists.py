"""Lists for everybody, by number: gifts, allocations, transfers, payments; whole or narrowed, as of any entry.

A page of one is what follows a number, `after`; or, the newest first, what comes before one, `before`.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import asyncpg
import msgspec

from ledger import account, entries
from ledger.account import MAX_POSITION
from ledger.donations import GIFTS
from ledger.store.database import Database
from ledger.store.queries.aggregates import Question, read_aggregate

EFFECTS = {
    "allocations": ("money.allocated", "total_allocated"),
    "payments": ("money.disbursed", "paid"),
    "transfers": ("transfer.sent", "in_transit"),
}
"""List → the kind of entry, and the measure that its amounts stand under."""

CHUNK_ROWS = 2_000
"""Rows of a whole list that are read at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """Which of them. What is empty does not narrow."""

    orgs: frozenset[str] | None = None
    only: Mapping[str, str] = field(default_factory=dict)
    """`fund`, `project`, `event`, and of gifts `channel`, `donor_class`: → value."""
    since: date | None = None
    until: date | None = None
    least_fen: int = 0
    most_fen: int = MAX_POSITION

    @property
    def is_by_place(self) -> bool:
        """Whether the figures know the sum of what is left."""
        return (self.since, self.until, self.least_fen, self.most_fen) == (None, None, 0, MAX_POSITION)


class Total(NamedTuple):
    """Of the whole list."""

    rows: int
    sum_fen: int
    """0 where nothing is summed."""


class ListedGift(msgspec.Struct, frozen=True, kw_only=True):
    """A gift, as everybody sees it. There are millions: a struct is made in a fifth of a dataclass's time."""

    seq: int
    on: date
    org: str
    fund: str
    event: str
    channel: str
    donor_class: str
    amount_fen: int
    batch: int | None
    row: int | None
    refunded_fen: int
    voided_fen: int
    is_before_event: bool
    """Given before the event it is for began."""
    reversed_by: int | None
    """The entry that took it back, because it was entered wrongly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedEffect:
    """An allocation, a transfer or a payment, named by its first part; `amount_fen`: of what the list is narrowed to.

    `undone_fen`: what of all of it was released, returned or reversed since. `confirmed_fen`: of a payment, what
    arrived as it should. `received_fen`: of a transfer, by the other organisation.
    """

    seq: int
    on: date
    org: str
    funds: tuple[str, ...]
    project: str
    amount_fen: int
    undone_fen: int
    confirmed_fen: int
    received_fen: int
    said: Mapping[str, str]
    """Receiver, decision, payee, purpose, spending, region, beneficiaries: where the entry has them."""


async def read_gifts(  # noqa: PLR0913  which, and which page of them
    connection: asyncpg.Connection,
    narrowing: Narrowing,
    *,
    as_of: int,
    after: int = -1,
    before: int | None = None,
    limit: int,
) -> list[ListedGift]:
    """Those with numbers above `after`; or below `before`, the newest first."""
    where, arguments = _of_gifts(narrowing, as_of)
    statement = _GIFTS.format(where=where, **_paging(len(arguments), before))
    found = await connection.fetch(statement, *arguments, after if before is None else before, limit)
    since = await _since(connection, [row["seq"] for row in found], as_of)
    return [
        ListedGift(
            **row,
            refunded_fen=since.get((row["seq"], "gift.refunded"), 0),
            voided_fen=since.get((row["seq"], "entry.reversed"), 0),
        )
        for row in found
    ]


async def count_gifts(
    connection: asyncpg.Connection, narrowing: Narrowing, *, as_of: int, is_head: bool = False
) -> Total:
    """How many gifts there are in the whole list, and their sum. `is_head`: `as_of` is the last entry there is."""
    if narrowing.is_by_place:
        question = Question(measure="received", only=narrowing.only)
        (cell,) = await read_aggregate(connection, question, as_of=None if is_head else as_of, orgs=narrowing.orgs)
        return Total(cell.entries, cell.sum_fen)
    where, arguments = _of_gifts(narrowing, as_of)
    return Total(*await connection.fetchrow(_COUNT_GIFTS.format(where=where), *arguments))


async def read_effects(  # noqa: PLR0913  likewise
    connection: asyncpg.Connection,
    name: str,
    narrowing: Narrowing,
    *,
    as_of: int,
    after: int = -1,
    before: int | None = None,
    limit: int,
) -> list[ListedEffect]:
    """Of the list of this name, those with numbers above `after`; or below `before`, the newest first."""
    where, having, arguments = _of_effects(name, narrowing, as_of)
    statement = _EFFECTS.format(where=where, having=having, **_paging(len(arguments), before))
    found = await connection.fetch(statement, *arguments, after if before is None else before, limit)
    since = await _since(connection, [row["first"] for row in found], as_of)
    undoing = ("money.released", "money.returned", "transfer.returned", "entry.reversed")
    return [
        ListedEffect(
            seq=row["first"],
            on=row["day"],
            org=row["org"],
            funds=tuple(row["funds"]),
            project=row["project"],
            amount_fen=row["qty"],
            undone_fen=sum(since.get((row["first"], kind), 0) for kind in undoing),
            confirmed_fen=since.get((row["first"], "delivery.confirmed"), 0),
            received_fen=since.get((row["first"], "transfer.received"), 0),
            said=_said(entries.decode(row["bytes"])),
        )
        for row in found
    ]


async def count_effects(connection: asyncpg.Connection, name: str, narrowing: Narrowing, *, as_of: int) -> Total:
    """How many there are in the whole list, and their sum."""
    where, having, arguments = _of_effects(name, narrowing, as_of)
    return Total(*await connection.fetchrow(_COUNT_EFFECTS.format(where=where, having=having), *arguments))


async def every_row(
    database: Database, name: str, narrowing: Narrowing, *, as_of: int
) -> AsyncGenerator[Sequence[ListedGift] | Sequence[ListedEffect]]:
    """The whole list in chunks. Entries up to `as_of` do not change, so no transaction stays open meanwhile."""
    after = -1
    while True:
        found: Sequence[ListedGift] | Sequence[ListedEffect]
        async with database.raw() as connection:
            if name == "gifts":
                found = await read_gifts(connection, narrowing, as_of=as_of, after=after, limit=CHUNK_ROWS)
            else:
                found = await read_effects(connection, name, narrowing, as_of=as_of, after=after, limit=CHUNK_ROWS)
        if found:
            yield found
            after = found[-1].seq
        if len(found) < CHUNK_ROWS:
            return


def _of_gifts(narrowing: Narrowing, as_of: int) -> tuple[str, list[Any]]:
    where, arguments = ["g.seq <= $1"], [as_of]
    columns = {
        "fund": "split_part(a.address, ':', 3)",
        "project": "coalesce(f.restriction ->> 'project', '')",
        "event": "coalesce(nullif(g.event, ''), f.restriction ->> 'event', '')",
        "channel": "g.channel",
        "donor_class": "g.donor_class",
    }
    _narrow(where, arguments, narrowing, columns, org="a.org", day="g.day")
    if narrowing.least_fen or narrowing.most_fen < MAX_POSITION:
        arguments += [narrowing.least_fen, narrowing.most_fen]
        where.append(f"g.qty between ${len(arguments) - 1} and ${len(arguments)}")
    return " and ".join(where), arguments


def _of_effects(name: str, narrowing: Narrowing, as_of: int) -> tuple[str, str, list[Any]]:
    where, arguments = ["m.seq <= $1", "m.kind = $2", "m.measure = $3", "m.qty > 0"], [as_of, *EFFECTS[name]]
    columns = {
        "fund": "m.fund",
        "project": "coalesce(nullif(m.project, ''), f.restriction ->> 'project', '')",
        "event": "coalesce(nullif(p.event, ''), f.restriction ->> 'event', '')",
    }
    _narrow(where, arguments, narrowing, columns, org="m.org", day="m.day")
    arguments += [narrowing.least_fen, narrowing.most_fen]
    return " and ".join(where), f"sum(m.qty) between ${len(arguments) - 1} and ${len(arguments)}", arguments


def _narrow(  # noqa: PLR0913
    where: list[str], arguments: list[Any], narrowing: Narrowing, columns: Mapping[str, str], *, org: str, day: str
) -> None:
    conditions: list[tuple[str, object]] = [(columns[each] + " = {}", value) for each, value in narrowing.only.items()]
    if narrowing.orgs is not None:
        conditions.append((org + " = any({}::text[])", [*narrowing.orgs]))
    if narrowing.since is not None:
        conditions.append((day + " >= {}", narrowing.since))
    if narrowing.until is not None:
        conditions.append((day + " <= {}", narrowing.until))
    for condition, value in conditions:
        arguments.append(value)
        where.append(condition.format(f"${len(arguments)}"))


def _paging(arguments: int, before: int | None) -> dict[str, str]:
    """What a page's statement needs after so many arguments: the end it begins at, the order, the limit."""
    side, order = (">", "asc") if before is None else ("<", "desc")
    return {"from_here": f"{side} ${arguments + 1}", "order": order, "limit": f"${arguments + 2}"}


async def _since(connection: asyncpg.Connection, seqs: Sequence[int], as_of: int) -> dict[tuple[int, str], int]:
    """Number and kind of what cites it → fen."""
    return {(row["ref"], row["kind"]): row["qty"] for row in await connection.fetch(_CITED, seqs, as_of)}


def _said(entry: entries.Entry) -> dict[str, str]:
    match entry.body:
        case entries.MoneyAllocated() as body:
            return {"decision": body.decision}
        case entries.TransferSent() as body:
            return {"to": account.parse(entry.postings[0].dst).rest[0], "decision": body.decision}
        case entries.MoneyDisbursed() as body:
            return {
                "payee": body.payee,
                "purpose": body.purpose,
                "spending": body.spending,
                "region": body.region,
                "beneficiaries": body.beneficiaries,
                "decision": body.decision,
            }
        case body:
            raise AssertionError(f"{type(body).__name__} is in no list")


assert GIFTS == ("money.received", "money.identified"), "both have a row in `gift`"

_FROM_GIFT = """
  from gift g join account a on a.id = g.account
  left join fund f on f.org = a.org and f.fund = split_part(a.address, ':', 3) where {where}
"""
_GIFTS = f"""
  select g.seq, g.day as on, a.org, split_part(a.address, ':', 3) as fund, g.event, g.channel, g.donor_class,
         g.qty as amount_fen, g.batch, g.row,
         coalesce(g.day < (select (convert_from(e.bytes, 'utf8')::jsonb #>> '{{{{body,began}}}}')::date
                           from event join entry e using (seq) where event.event = g.event), false) as is_before_event,
         (select min(c.seq) from citation c
          where c.ref = g.seq and c.kind = 'entry.reversed' and c.seq <= $1) as reversed_by
  {_FROM_GIFT} and g.seq {{from_here}} order by g.seq {{order}} limit {{limit}}
"""  # noqa: S608  ours
_COUNT_GIFTS = f"select count(*), coalesce(sum(g.qty), 0)::bigint {_FROM_GIFT}"
_FROM_EFFECT = """
  from movement m left join fund f on f.org = m.org and f.fund = m.fund
  left join project p on p.org = m.org and p.project = m.project where {where}
"""
_EFFECTS = f"""
  select e.*, entry.bytes from (
    select m.first, min(m.day) as day, min(m.org) as org, array_agg(distinct m.fund order by m.fund) as funds,
           min(m.project) as project, sum(m.qty)::bigint as qty
    {_FROM_EFFECT} and m.first {{from_here}} group by m.first having {{having}}
    order by m.first {{order}} limit {{limit}}
  ) e join entry on entry.seq = e.first order by e.first {{order}}
"""  # noqa: S608  ours
_COUNT_EFFECTS = f"""
  select count(*), coalesce(sum(qty), 0)::bigint
  from (select sum(m.qty)::bigint as qty {_FROM_EFFECT} group by m.first having {{having}}) e
"""  # noqa: S608  ours
# Citations of several parts share one `ref`. What was taken back of a refund or an arrival is off again. A confirmation
# cites its payment whatever arrived; what arrived as it should, the figure knows.
_CITED = """
  select c.ref, c.kind, sum(c.qty - coalesce(back.qty, 0))::bigint as qty
  from citation c left join lateral (
    select sum(b.qty) as qty from citation b where b.ref = c.seq and b.kind = 'entry.reversed' and b.seq <= $2
  ) back on true
  where c.ref = any($1::bigint[]) and c.seq <= $2 and c.kind <> 'delivery.confirmed' group by c.ref, c.kind
  union all
  select first, kind, sum(qty)::bigint from movement
  where kind = 'delivery.confirmed' and measure = 'confirmed' and first = any($1::bigint[]) and seq <= $2
  group by first, kind
"""
