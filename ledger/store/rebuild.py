"""Dropping the projections and building them again from the entries: they hold nothing that the log does not say."""

from collections.abc import Callable, Collection
from contextlib import suppress

import asyncpg

from ledger import entries
from ledger.account import Account
from ledger.books import Books
from ledger.entries import Entry, EntryReversed, NotCanonicalError
from ledger.line import Line
from ledger.store import rows
from ledger.store.database import Database
from ledger.store.files import SetupError
from ledger.store.projections import Projected, Projector, given_up

READ_ENTRIES = 5_000
LOCK_TRIES = 20

PROJECTIONS = (
    "account", "posting", "line", "gift", "organisation", "event", "fund", "project", "staff", "proposal",
    "import_batch", "citation", "rollup", "reference", "suspense", "cost",
    "turnover", "period", "pledge", "campaign", "movement", "figure",
)  # fmt: skip
"""Tables that follow from the entries."""


async def is_rebuild_due(connection: asyncpg.Connection) -> bool:
    """Whether the log is older than its tables of figures."""
    found: bool = await connection.fetchval("select exists (select from gift) and not exists (select from figure)")
    return found


async def rebuild(owner: Database, *, report: Callable[[str], None]) -> int:
    """In one transaction, so that readers see the old projections or the new ones. Answers how many entries there are.

    The sequencer's epoch goes up: one that still runs is fenced off before it could write on top.
    """
    for _ in range(LOCK_TRIES):
        try:
            return await _rebuild(owner, report)
        except asyncpg.DeadlockDetectedError:  # with a reader in the middle of several tables; before any work was done
            report("somebody is reading; waiting once more for the tables")
    raise SetupError("the tables are read without a pause: stop the public application, then try again")


async def _rebuild(owner: Database, report: Callable[[str], None]) -> int:
    async with owner.write() as connection:
        # The head first, as the sequencer does: whichever of us comes second waits there and holds nothing.
        await connection.execute(f"lock table head, {', '.join(PROJECTIONS)} in access exclusive mode")
        await connection.execute("update head set epoch = epoch + 1")
        await connection.execute(f"truncate {', '.join(PROJECTIONS)}")
        taken_back = await read_taken_back(connection)
        projector = Projector(Books(), {})
        seq = -1
        while found := await connection.fetch(_ENTRIES, seq, READ_ENTRIES):
            for row in found:
                append(projector, entries.decode(row["bytes"]), row["bytes"], entries.digest(row["bytes"]))
            await fill(connection, projector.take(), taken_back)
            projector.books.refs.clear()  # nothing here asks for them, and ten million would not fit
            seq = found[-1]["seq"]
            report(f"{seq + 1} entries")
    return seq + 1


def append(projector: Projector, entry: Entry, written: bytes, digest: str) -> None:
    """Project one more entry, every line of which is kept in memory."""
    lines = projector.books.lines
    for posting in entry.postings:
        for address in (posting.src, posting.dst):
            lines.setdefault(Account(address, posting.unit), Line())
    projector.add(entry, written, digest)


async def read_taken_back(connection: asyncpg.Connection) -> set[int]:
    """Entries that were taken back. A row that is no entry is for whoever reads them all."""
    found: set[int] = set()
    for row in await connection.fetch(_REVERSALS):
        with suppress(NotCanonicalError):
            if isinstance(body := entries.decode(row["bytes"]).body, EntryReversed):
                found.add(body.ref)
    return found


async def fill(connection: asyncpg.Connection, block: Projected, taken_back: Collection[int]) -> None:
    """Write what a block of entries gives, but for the entries themselves.

    `taken_back`: by the whole log. Such a gift is written without its reference: its reversal, perhaps blocks later,
    gave it up, and the right gift that has it now may stand in the reversal's own block.
    """
    for table, gathered in block.tables:
        if table is not rows.ENTRY:
            await rows.fill(connection, table, given_up(gathered, taken_back) if table is rows.GIFT else gathered)
    await block.write_rare(connection)


_ENTRIES = "select seq, bytes from entry where seq > $1 order by seq limit $2"
_REVERSALS = "select coalesce(bytes, '') as bytes from entry where kind = 'entry.reversed'"
