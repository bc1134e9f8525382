"""Rows on their way into the tables: many at once, by unnest for a few and by COPY for many."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

COPY_FROM = 256
"""From this many rows on COPY is the faster way in."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table and the columns that are given to it, with their types."""

    name: str
    columns: dict[str, str]
    on_conflict: str = ""

    @property
    def insert(self) -> str:
        """One statement that takes an array for each column."""
        arrays = ", ".join(f"${i}::{kind}[]" for i, kind in enumerate(self.columns.values(), 1))
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
RECEIPT = Table("receipt", {"digest": "bytea", "key_id": "smallint", "seq": "bigint", "box": "bytea"})
VAULT = Table("vault", {"seq": "bigint", "slot": "bigint", "sealed": "bytea"})
IDEMPOTENCY = Table(
    "idempotency",
    {"key": "bytea", "request": "bytea", "first_seq": "bigint", "last_seq": "bigint"},
)
DRAFT = Table("draft", {"proposal": "bigint", "command": "bytea", "salt": "text"})

_INSERTS = {table.name: table.insert for table in (
    ENTRY, ACCOUNT, POSTING, LINE, GIFT, CITATION, ROLLUP, RECEIPT, VAULT, IDEMPOTENCY, DRAFT,
)}  # fmt: skip


async def fill(connection: asyncpg.Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Put all rows in, or none."""
    if not rows:
        return
    if len(rows) >= COPY_FROM and not table.on_conflict:
        await connection.copy_records_to_table(table.name, records=rows, columns=[*table.columns])
    else:
        await connection.execute(_INSERTS[table.name], *_columns(rows))


def _columns(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return list(zip(*rows, strict=True))
