"""What lies beside the entries and cannot be rebuilt: that it is there, once, for each entry it belongs to.

What is sealed in it (boxes, the vault) is not opened here: it is authenticated under keys that a check needs no access
to, and a changed bit keeps it from opening.
"""

from collections.abc import Sequence

import asyncpg

from ledger.entries import Entry, ProposalMade, ReceiptIssued, part_of
from ledger.store.erasures import read_recorded
from ledger.verify.finding import Findings
from ledger.verify.rule import Rule

_LAST = 2**63 - 1
_FIRST = -(2**63)


class Kept:
    """Takes the entries in order, in blocks."""

    def __init__(self, connection: asyncpg.Connection, findings: Findings) -> None:
        self._connection = connection
        self._findings = findings
        self._after = _FIRST
        self._gifts: list[int] = []
        self._fiscal: list[tuple[int, int]] = []
        self._erased: set[int] = set()
        self._proposals: list[int] = []

    async def prepare(self) -> None:
        """Which gifts' donors were erased; their entries come later than those gifts."""
        self._erased = await read_recorded(self._connection)

    def add(self, entry: Entry) -> None:
        """One more entry."""
        if getattr(entry.body, "receipt", ""):
            self._gifts.append(entry.seq)
        if isinstance(entry.body, ReceiptIssued):
            self._fiscal.append((entry.seq, entry.body.ref))
        if isinstance(entry.body, ProposalMade) and part_of(entry.body)[0] == 1:
            self._proposals.append(entry.seq)

    async def compare_block(self, last: int) -> None:
        """What belongs to the entries up to `last`."""
        kept = [seq for seq in self._gifts if seq not in self._erased]
        emptied = [seq for seq in self._gifts if seq in self._erased]
        for table, column, where, expected in (
            ("receipt", "seq", "true", kept),
            ("vault", "seq", "true", self._gifts),
            ("vault", "seq", "sealed = ''", emptied),
            ("draft", "proposal", "true", self._proposals),
        ):
            sql = f"select {column} from {table} where {column} > $1 and {column} <= $2 and {where} order by 1"  # noqa: S608
            found = [row[0] for row in await self._connection.fetch(sql, self._after, last)]
            if found != expected:
                self._name(table, column, expected, found)
        for table in ("fiscal_receipt", "fiscal_vault"):
            await self._compare_fiscal(table, last)
        self._gifts.clear()
        self._fiscal.clear()
        self._proposals.clear()
        self._after = last

    async def finish(self) -> None:
        """Rows of entries that are not there; answers to requests."""
        await self.compare_block(_LAST)
        for table, seq in await self._connection.fetch(_NAMING, [*self._erased]):
            self._findings.add(seq, Rule.TABLE_KEPT, "no such row", "a row", place=f"{table} seq={seq}")
        for first, last in await self._connection.fetch(_ANSWERS):
            place = f"idempotency first_seq={first} last_seq={last}"
            self._findings.add(first, Rule.TABLE_KEPT, "entries of the log, of one request", "others", place=place)

    async def _compare_fiscal(self, table: str, last: int) -> None:
        """A row of each fiscal receipt whose donor was not erased, which names its gift."""
        sql = f"select issued, seq from {table} where issued > $1 and issued <= $2"  # noqa: S608
        expected = {issued: seq for issued, seq in self._fiscal if seq not in self._erased}
        found = dict(await self._connection.fetch(sql, self._after, last))
        self._name(table, "issued", [*expected], [*found])
        for issued in sorted(expected.keys() & found.keys()):
            if expected[issued] != found[issued]:
                place = f"{table} issued={issued} · seq"
                self._findings.add(issued, Rule.TABLE_KEPT, expected[issued], found[issued], place=place)

    def _name(self, table: str, column: str, expected: Sequence[int], found: Sequence[int]) -> None:
        for seq in sorted({*expected} - {*found}):
            self._findings.add(seq, Rule.TABLE_KEPT, "a row", "no such row", place=f"{table} {column}={seq}")
        for seq in sorted({*found} - {*expected}):
            self._findings.add(seq, Rule.TABLE_KEPT, "no such row", "a row", place=f"{table} {column}={seq}")


_NAMING = """
  select 'public_name', seq from public_name n
  where seq = any($1) or not exists (select from vault v where v.seq = n.seq)
  union all
  select distinct 'consent', seq from consent c
  where seq = any($1) or not exists (select from vault v where v.seq = c.seq)
  order by 1, 2 limit 100
"""
_ANSWERS = """
  select first_seq, last_seq from (
    select first_seq, last_seq, lag(last_seq) over (order by first_seq) as before from idempotency
  ) i
  where first_seq > last_seq or first_seq <= before or first_seq < 0
    or last_seq > (select coalesce(max(seq), -1) from entry)
  order by 1 limit 100
"""
