"""Rows on their way into the tables: all of a batch in one statement, or by COPY where they are many."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import asyncpg

BLOCK_ENTRIES = 4096
"""Sums are kept by blocks of this many entries, so that a figure as of any entry is blocks and a tail."""

FIGURE_SPANS = (64 * BLOCK_ENTRIES, 8 * BLOCK_ENTRIES, BLOCK_ENTRIES, BLOCK_ENTRIES // 4)
"""Figures are kept by spans of so many entries: as of any one, long ones, at most 7, 7 and 3 shorter ones, then a tail
that is added up gift by gift."""

COPY_FROM = 256
"""From this many rows on COPY is the faster way in."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table and the columns that are given to it, with their types."""

    name: str
    columns: dict[str, str]
    on_conflict: str = ""

    def insert(self, first: int = 1) -> str:
        """A statement that takes an array for each column, numbered from `first`."""
        arrays = ", ".join(f"${i}::{kind}[]" for i, kind in enumerate(self.columns.values(), first))
        names = ", ".join(self.columns)
        return f"insert into {self.name} ({names}) select * from unnest({arrays}) {self.on_conflict}"  # noqa: S608  ours


ENTRY = Table("entry", {"seq": "bigint", "bytes": "bytea", "at": "timestamptz", "kind": "text", "org": "text"})
ACCOUNT = Table("account", {"id": "integer", "address": "text", "unit": "text", "has_line": "boolean", "org": "text"})
POSTING = Table(
    "posting",
    {
        "seq": "bigint",
        "n": "smallint",
        "unit": "text",
        "qty": "bigint",
        "src": "integer",
        "src_lo": "bigint",
        "dst": "integer",
        "dst_lo": "bigint",
        "dst_prev_seq": "bigint",
        "src_cover": "bigint",
        "src_cover_seq": "bigint",
    },
)
LINE = Table(
    "line",
    {
        "account": "integer",
        "credited": "bigint",
        "consumed": "bigint",
        "front": "bigint",
        "held": "bigint",
        "last_seq": "bigint",
    },
    """on conflict (account) do update set credited = excluded.credited, consumed = excluded.consumed,
       front = excluded.front, held = excluded.held, last_seq = excluded.last_seq""",
)
GIFT = Table(
    "gift",
    {
        "seq": "bigint",
        "account": "integer",
        "qty": "bigint",
        "channel": "text",
        "donor_class": "text",
        "event": "text",
        "day": "date",
        "ref": "bytea",
        "batch": "bigint",
        "row": "integer",
        "campaign": "text",
    },
)
CITATION = Table("citation", {"ref": "bigint", "seq": "bigint", "kind": "text", "qty": "bigint"})
ROLLUP = Table(
    "rollup",
    {
        "block": "bigint",
        "org": "text",
        "fund": "text",
        "project": "text",
        "kind": "text",
        "day": "date",
        "entries": "bigint",
        "qty": "bigint",
    },
    """on conflict (org, fund, project, kind, day, block) do update
       set entries = rollup.entries + excluded.entries, qty = rollup.qty + excluded.qty""",
)
TURNOVER = Table(
    "turnover",
    {"account": "integer", "day": "date", "block": "bigint", "credited": "bigint", "consumed": "bigint"},
    """on conflict (account, day, block) do update
       set credited = turnover.credited + excluded.credited, consumed = turnover.consumed + excluded.consumed""",
)
MOVEMENT = Table(
    "movement",
    {
        "seq": "bigint",
        "n": "smallint",
        "first": "bigint",
        "kind": "text",
        "measure": "text",
        "org": "text",
        "fund": "text",
        "project": "text",
        "channel": "text",
        "donor_class": "text",
        "event": "text",
        "day": "date",
        "entries": "integer",
        "qty": "bigint",
    },
)
FIGURE = Table(
    "figure",
    {
        "span": "integer",
        "measure": "text",
        "block": "bigint",
        "org": "text",
        "fund": "text",
        "project": "text",
        "channel": "text",
        "donor_class": "text",
        "event": "text",
        "month": "text",
        "entries": "bigint",
        "qty": "bigint",
    },
    """on conflict (span, measure, block, org, fund, project, channel, donor_class, event, month) do update
       set entries = figure.entries + excluded.entries, qty = figure.qty + excluded.qty""",
)
RECEIPT = Table("receipt", {"digest": "bytea", "key_id": "smallint", "seq": "bigint", "box": "bytea"})
VAULT = Table("vault", {"seq": "bigint", "slot": "bigint", "sealed": "bytea"})
PUBLIC_NAME = Table("public_name", {"seq": "bigint", "key_id": "smallint", "sealed": "bytea"})
IDEMPOTENCY = Table(
    "idempotency",
    {"key": "bytea", "request": "bytea", "first_seq": "bigint", "last_seq": "bigint"},
)
FISCAL_RECEIPT = Table("fiscal_receipt", {"digest": "bytea", "key_id": "smallint", "seq": "bigint", "issued": "bigint"})
FISCAL_VAULT = Table("fiscal_vault", {"issued": "bigint", "seq": "bigint", "number": "bytea", "sealed": "bytea"})
DRAFT = Table("draft", {"proposal": "bigint", "command": "bytea", "salt": "text"})

Gathered = Sequence[tuple[Table, Sequence[tuple[Any, ...]]]]
"""Tables and their rows, each table after those it refers to."""


class HeadLostError(Exception):
    """Another sequencer has the head."""


class Head(NamedTuple):
    """The move of the log's end that a batch is."""

    epoch: int
    before: int
    seq: int
    prev: bytes
    at: str


def fit_one_statement(gathered: Gathered) -> bool:
    """Whether one statement takes them: waking the server for each table would cost more than few rows do."""
    return all(len(rows) < COPY_FROM for _, rows in gathered)


async def append(connection: asyncpg.Connection, head: Head, gathered: Gathered) -> None:
    """Move the head on and put the rows in: in one statement if they fit, else in several of an open transaction.

    Raises HeadLostError, and nothing is changed, where the head is not ours any more.
    """
    present = [(table, rows) for table, rows in gathered if rows]
    together = present if fit_one_statement(present) else []
    columns = [column for _, rows in together for column in _columns(rows)]
    try:
        await connection.execute(_together(tuple(table for table, _ in together)), *head, *columns)
    except asyncpg.DivisionByZeroError:
        raise HeadLostError from None
    if not together:
        for table, rows in present:
            await fill(connection, table, rows)


async def fill(connection: asyncpg.Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Put the rows of one table in."""
    if not rows:
        return
    if len(rows) >= COPY_FROM and not table.on_conflict:
        await connection.copy_records_to_table(table.name, records=rows, columns=[*table.columns])
    else:
        await connection.execute(table.insert(), *_columns(rows))


@cache
def _together(tables: tuple[Table, ...]) -> str:
    """One statement that moves the head and inserts into all of these. Where the head does not move, it fails whole."""
    parts = ["moved as (update head set seq = $3, prev = $4, at = $5 where epoch = $1 and seq = $2 returning 1)"]
    first = len(Head._fields) + 1
    for table in tables:
        parts.append(f"into_{table.name} as ({table.insert(first)})")
        first += len(table.columns)
    return f"with {', '.join(parts)} select 1 / count(*) from moved"  # noqa: S608  ours


def _columns(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return list(zip(*rows, strict=True))
