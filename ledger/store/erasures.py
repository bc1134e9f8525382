"""Erasure carried out: the subject's key destroyed, what hangs on it removed; again whenever a copy comes back.

Three places know of it. The log: `erasure.recorded`. The key file: a key of zeros. And a list outside the database, of
public facts only, so that a database older than its erasures is seen to be so.
"""

import os
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import asyncpg
import structlog

from ledger import entries
from ledger.entries import NotCanonicalError
from ledger.store.files import SetupError, sync_directory
from ledger.store.keys import SubjectKeys

OF_A_GIFT = ("receipt", "public_name", "consent", "fiscal_receipt", "fiscal_vault")
"""Tables with rows of one gift, by its `seq`, that speak of its donor. A new one belongs here."""

_log = structlog.get_logger()


class Erased(NamedTuple):
    """A gift whose donor's data were destroyed. By its entry's digest: a restore may give the number to another."""

    seq: int
    sha256: bytes


class ErasureList:
    """A line for each erasure: the gift's number and its entry's SHA-256. Only ever grows; says nothing of anybody."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> list[Erased]:
        """What is listed; a last line that a crash cut short is none. Raises SetupError."""
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return []
        found: list[Erased] = []
        for number, line in enumerate(text[: text.rfind(b"\n") + 1].splitlines(), 1):
            try:
                seq, digest = line.decode().split(" ")
                found.append(Erased(int(seq), bytes.fromhex(digest)))
            except ValueError:
                raise SetupError(f"{self.path}, line {number}: a gift's number and its entry's SHA-256") from None
        return found

    def add(self, gifts: Iterable[Erased]) -> None:
        """List those that are not there yet. Durable when it returns."""
        known = {*self.read()}
        lines = b"".join(b"%d %b\n" % (each.seq, each.sha256.hex().encode()) for each in gifts if each not in known)
        if not lines:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            file.seek(file.read().rfind(b"\n") + 1)  # over what a crash left of a line
            file.truncate()
            file.write(lines)
            file.flush()
            os.fsync(descriptor)
        sync_directory(self.path.parent)


class Doomed(NamedTuple):
    """What of an erasure lies outside the database."""

    gift: Erased
    slot: int


async def remove(connection: asyncpg.Connection, gifts: Collection[int]) -> list[Doomed]:
    """Empty every table of what it holds about the donors of these gifts; what is left to destroy outside.

    Inside a transaction. What is gone already stays so. A vault row keeps its slot, by which a key that a backup brings
    back is found.
    """
    seqs = [*await _with_corrections(connection, gifts)]
    # First: whoever records a consent just now holds this row, and its own is seen below.
    await connection.execute("update vault set sealed = '' where seq = any($1) and sealed <> ''", seqs)
    for table in OF_A_GIFT:
        await connection.execute(f"delete from {table} where seq = any($1)", seqs)  # noqa: S608  ours
    await blank_drafts(connection, seqs)
    return [Doomed(Erased(seq, digest), slot) for seq, digest, slot in await connection.fetch(_OUTSIDE, seqs)]


async def blank_drafts(connection: asyncpg.Connection, gifts: Iterable[int]) -> None:
    """Empty resolved proposals' texts about these gifts: what counts of them is in the log, what was rejected goes.

    With its salt, or the commitment would still tell whether a guess is right. One that still waits keeps its text
    until it is resolved: then it is asked for again.
    """
    await connection.execute(_BLANK, [str(seq) for seq in gifts])


async def blank_resolved(connection: asyncpg.Connection, proposals: Collection[int], erased: Collection[int]) -> None:
    """The same for proposals that were resolved just now, whose gifts' donors were erased while they waited.

    A gift's donor is erased with any of its right and wrong entries.
    """
    gifts = [row["seq"] for row in await connection.fetch(_ABOUT, [*proposals])]
    if not (await _with_corrections(connection, gifts)).isdisjoint(erased):
        await blank_drafts(connection, gifts)


def destroy(doomed: Iterable[Doomed], subjects: SubjectKeys, listed: ErasureList) -> None:
    """Overwrite the keys and list the gifts. Raises SetupError where a file cannot be written."""
    doomed = [*doomed]
    try:
        for each in doomed:
            if subjects.read(each.slot) is not None:
                subjects.destroy(each.slot)
        listed.add(each.gift for each in doomed)
    except OSError as error:
        raise SetupError(f"an erasure is not carried out: {error}") from error


async def carry_out(
    connection: asyncpg.Connection, recorded: Collection[int], subjects: SubjectKeys, listed: ErasureList
) -> None:
    """Every erasure once more: what a crash left half done, what a backup of whichever part brought back.

    `recorded`: gifts whose erasure stands in the log. A listed one that does not was entered after the backup that this
    database is; its data go all the same, and somebody has to enter it again.
    """
    known = {row["seq"] for row in await connection.fetch(_LISTED, *_columns(listed.read()))}
    for seq in sorted(known - {*recorded}):
        _log.warning("an erasure is not in the log: the database is older; enter it again", gift=seq)
    gifts = known | {*recorded}
    if gifts:
        async with connection.transaction():
            doomed = await remove(connection, gifts)
        destroy(doomed, subjects, listed)


async def require_carried_out(connection: asyncpg.Connection, listed: ErasureList) -> None:
    """Go on only if no table that readers see still holds what was erased. Any role may ask. Raises SetupError."""
    recorded = await read_recorded(connection)
    if recorded and not listed.path.exists():
        raise SetupError(f"{listed.path} is missing: put its newest copy back, or give this process the file")
    known = {row["seq"] for row in await connection.fetch(_LISTED, *_columns(listed.read()))}
    left = await connection.fetchval(_LEFT, [*(recorded | known)])
    if left is not None:
        raise SetupError(
            f"the data of the donor of gift {left} were erased, and this database still has them: it is a restored"
            " copy; start the admin application first, which erases them again"
        )


async def read_recorded(connection: asyncpg.Connection) -> set[int]:
    """Gifts whose erasure stands in the log. A row that is no such entry is for whoever checks the entries."""
    found: set[int] = set()
    for row in await connection.fetch(_RECORDED):
        with suppress(NotCanonicalError):
            body = entries.decode(row["bytes"]).body
            if isinstance(body, entries.ErasureRecorded):
                found.add(body.ref)
    return await _with_corrections(connection, found)


async def _with_corrections(connection: asyncpg.Connection, gifts: Collection[int]) -> set[int]:
    """These gifts, with the right and the wrong entries of each: they are of one donor, and of one code."""
    found: set[int] = set()
    coming = {*gifts}
    while coming:
        found |= coming
        later = {row["seq"] for row in await connection.fetch(_RIGHT, [*coming])}
        coming = (later | await _wrong(connection, coming)) - found
    return found


async def _wrong(connection: asyncpg.Connection, gifts: Collection[int]) -> set[int]:
    found: set[int] = set()
    for row in await connection.fetch("select coalesce(bytes, '') as bytes from entry where seq = any($1)", [*gifts]):
        with suppress(NotCanonicalError):
            found.add(getattr(entries.decode(row["bytes"]).body, "corrects", 0))
    return found - {0}


def _columns(gifts: list[Erased]) -> tuple[list[int], list[bytes]]:
    return [each.seq for each in gifts], [each.sha256 for each in gifts]


_OUTSIDE = """
  select v.seq, sha256(e.bytes), v.slot from vault v join entry e on e.seq = v.seq where v.seq = any($1)
"""
_RIGHT = "select seq from citation where ref = any($1) and kind in ('money.received', 'money.identified')"
_BLANK = """
  update draft d set command = '', salt = '' from proposal p
  where p.seq = d.proposal and p.status <> 'open'
    and nullif(convert_from(d.command, 'UTF8'), '')::jsonb ->> 'ref' = any($1::text[])
"""
_ABOUT = """
  select v.seq from vault v where v.seq in (
    select (nullif(convert_from(command, 'UTF8'), '')::jsonb ->> 'ref')::bigint from draft where proposal = any($1)
  )
"""
_LISTED = """
  select e.seq from unnest($1::bigint[], $2::bytea[]) as l (seq, digest) join entry e on e.seq = l.seq
  where sha256(e.bytes) = l.digest
"""
# The first condition is that of the index over everything that is not frequent.
_RECORDED = """
  select coalesce(bytes, '') as bytes from entry
  where kind not in ('money.received', 'receipt.issued', 'receipt.voided', 'receipt.waived')
    and kind = 'erasure.recorded'
  order by seq
"""
_LEFT = """
  select min(seq) from (
    select seq from receipt where seq = any($1) union all select seq from public_name where seq = any($1)
    union all select seq from fiscal_receipt where seq = any($1)
  ) found
"""
