"""The projections replayed into temporary tables, by the code that writes the live ones, and compared row by row.

A temporary table hides the live one of the same name from this connection, which sees the live one through a view. All
of it is gone when the transaction is rolled back, and nobody else sees any of it.
"""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import asyncpg
import msgspec
from sqlalchemy import Column, DefaultClause
from sqlalchemy.dialects import postgresql
from sqlmodel import SQLModel

from ledger import entries
from ledger.books import Books
from ledger.entries import Entry
from ledger.store import rebuild, rows, tables
from ledger.store.projections import Projector
from ledger.store.rebuild import PROJECTIONS
from ledger.verify.finding import WHOLE_LOG, Findings
from ledger.verify.rule import Rule

_NO_ROW = (asyncpg.PostgresError, AssertionError, ArithmeticError, LookupError, ValueError)
"""What rows that no table could hold are met with: a second fund of the same name; in COPY, a number too large."""

BY_ENTRY: Final = ("posting", "gift")
"""Tables whose rows never change once their entry is in, by its number: compared block by block, then forgotten."""

DIFFERENCES = 200
"""Rows looked at of one comparison at most, each way."""

_LAST = 2**63 - 1
_FIRST = -(2**63)

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]

Row = dict[str, Any]

assert tables.money.Head.__tablename__ == "head", "loaded: the classes that tell each table's key"


class Replayed:
    """Takes the entries in order, in blocks. Inside one transaction, on a connection of its own."""

    def __init__(self, connection: asyncpg.Connection, findings: Findings) -> None:
        self._connection = connection
        self._findings = findings
        self._projector = Projector(Books(), {})
        self._after = _FIRST
        self._broken = ""
        self._taken_back: set[int] = set()
        """Gifts whose references their reversals gave up, perhaps blocks later."""
        self._missing: set[str] = set()
        """Tables that are not there to be compared."""
        self.counts: Counter[str] = Counter()
        """Table → rows that were compared."""

    async def prepare(self) -> None:
        """Put the temporary tables before the live ones."""
        self._taken_back = await rebuild.read_taken_back(self._connection)
        for table in PROJECTIONS:
            columns = ", ".join(column.name for column in _columns(table))
            try:
                async with self._connection.transaction():
                    await self._connection.execute(f"create temp view live_{table} as select {columns} from {table}")  # noqa: S608
            except asyncpg.PostgresError as error:  # a column or the table is gone
                self._missing.add(table)
                self._findings.add(WHOLE_LOG, Rule.TABLE_ROW, columns, error, place=table)
            # As the schema's classes have it, generated columns too: not as somebody left it.
            definitions = [_definition(column) for column in _columns(table)]
            if table not in BY_ENTRY:  # what is updated is found by its key
                definitions.append(f"primary key ({', '.join(key(table))})")
            await self._connection.execute(f"create temp table {table} ({', '.join(definitions)})")
        hidden = await self._connection.fetchval(_HIDDEN, [*PROJECTIONS])
        assert hidden == len(PROJECTIONS), "nothing below may reach a live table"

    def add(self, entry: Entry, written: bytes, digest: str) -> None:
        """One more entry. From the first that cannot be followed on, nothing can be said any more."""
        if self._broken:
            return
        try:
            rebuild.append(self._projector, entry, written, digest)
        except Exception as error:  # noqa: BLE001  whatever somebody wrote there: it is no entry of this ledger
            self._break(entry.seq, error)

    async def compare_block(self, last: int) -> Sequence[tuple[Any, ...]]:
        """Write what the entries up to `last` give, and compare what will not change any more.

        Answers the rows of `entry` that belong to them; none where they could not be followed.
        """
        if self._broken:
            return ()
        entry_rows: Sequence[tuple[Any, ...]] = ()
        try:
            async with self._connection.transaction():
                block = self._projector.take()
                entry_rows = dict(block.tables)[rows.ENTRY]
                await rebuild.fill(self._connection, block, self._taken_back)
        except _NO_ROW as error:
            self._break(last, error)
            return ()
        self._projector.books.refs.clear()  # ten million of them would not fit
        await self._compare_by_entry(last)
        return entry_rows

    async def finish(self) -> None:
        """Compare the rest: tables whose rows change, and rows beyond the last entry."""
        if self._broken:
            return
        await self._compare_by_entry(_LAST)
        for table in PROJECTIONS:
            if table not in BY_ENTRY:
                self.counts[table] += await self._connection.fetchval(f"select count(*) from pg_temp.{table}")  # noqa: S608
                await self._compare(table, "")

    async def uncover(self) -> bool:
        """Let the connection see the live tables again; whether all of them are what the replay gave."""
        await self._connection.execute(f"drop table {', '.join(f'pg_temp.{table}' for table in PROJECTIONS)}")
        return not (self._broken or self._missing or self._findings.counts[Rule.TABLE_ROW])

    def _break(self, seq: int, error: Exception) -> None:
        self._broken = f"{type(error).__name__}: {error}"
        self._findings.add(seq, Rule.TABLE_REPLAY, "an entry that follows from those before it", self._broken)

    async def _compare_by_entry(self, last: int) -> None:
        for table in BY_ENTRY:
            self.counts[table] += await self._connection.fetchval(f"select count(*) from pg_temp.{table}")  # noqa: S608
            await self._compare(table, "where seq > $1 and seq <= $2", self._after, last)
        await self._connection.execute(f"truncate {', '.join(f'pg_temp.{table}' for table in BY_ENTRY)}")
        self._after = last

    async def _compare(self, table: str, where: str, *arguments: int) -> None:
        """Name each row, and of rows under one key each column, that is not what the replay gives."""
        if table in self._missing:
            return
        found = await self._connection.fetch(
            _DIFFERENCE.format(table=table, where=where, limit=DIFFERENCES), *arguments
        )
        expected: dict[str, Row] = {}
        unexpected: list[tuple[str, Row]] = []
        for is_live, text in found:
            row: Row = json.loads(text)
            if is_live:
                unexpected.append((_place(table, row), row))
            else:
                expected[_place(table, row)] = row
        for place, row in unexpected:
            wanted = expected.pop(place, None)
            if wanted is None:
                self._find(place, row, "no such row", row)
                continue
            for column in wanted:
                if wanted[column] != row.get(column):
                    self._find(f"{place} · {column}", row, wanted[column], row.get(column))
        for place, row in expected.items():
            self._find(place, row, row, "no such row")

    def _find(self, place: str, row: Row, expected: object, found: object) -> None:
        self._findings.add(row.get("seq", WHOLE_LOG), Rule.TABLE_ROW, _said(expected), _said(found), place=place)


def key(table: str) -> list[str]:
    """The columns of a table's primary key, as the schema's classes have it."""
    return [column.name for column in SQLModel.metadata.tables[table].primary_key]


def _columns(table: str) -> list[Column[Any]]:
    return [*SQLModel.metadata.tables[table].columns]


def _definition(column: Column[Any]) -> str:
    definition = f"{column.name} {column.type.compile(_DIALECT)}"
    if column.computed is not None:
        return f"{definition} generated always as ({column.computed.sqltext}) stored"
    if isinstance(column.server_default, DefaultClause):
        return f"{definition} default {column.server_default.arg}"
    return definition


def decoded(written: bytes) -> Entry | None:
    """The entry; None for bytes that are none."""
    try:
        return entries.decode(written)
    except (entries.NotCanonicalError, msgspec.DecodeError):
        return None


def _place(table: str, row: Row) -> str:
    return f"{table} {' '.join(f'{column}={row.get(column)}' for column in key(table))}"


def _said(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


_DIFFERENCE = """
  (select false, to_jsonb(r)::text
   from (select * from pg_temp.{table} except all select * from live_{table} {where}) r limit {limit})
  union all
  (select true, to_jsonb(r)::text
   from (select * from live_{table} {where} except all select * from pg_temp.{table}) r limit {limit})
"""
_HIDDEN = "select count(*) from pg_class where oid = any($1::regclass[]) and relnamespace = pg_my_temp_schema()"
