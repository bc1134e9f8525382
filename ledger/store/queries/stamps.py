"""Stamps as pages show them: when authorities outside saw which checkpoint. Whose signature it is, readers check."""

from base64 import b64decode
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from ledger import entries
from ledger.account import MAX_POSITION
from ledger.entries import CheckpointStamped
from ledger.timestamp import TimestampError, read_token


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamped:
    """An entry `checkpoint.stamped` (RFC 3161), and what its token says."""

    seq: int
    size: int
    """Entries under the checkpoint."""
    root: bytes
    authority: str
    """As the entry calls it."""
    at: datetime | None
    """When, by the authority's clock; None where the token cannot be read."""


async def read_stamps(connection: asyncpg.Connection, limit: int, *, before: int = MAX_POSITION) -> list[Stamped]:
    """The newest ones with a number below `before`, the newest first."""
    return [_stamped(row["seq"], row["bytes"]) for row in await connection.fetch(_NEWEST, limit, before)]


async def read_token_of(connection: asyncpg.Connection, seq: int) -> bytes | None:
    """The TimeStampToken in an entry, DER; None where that entry is no stamp."""
    written = await connection.fetchval(_STAMP, seq)
    return None if written is None else b64decode(_body(written).token)


def _stamped(seq: int, written: bytes) -> Stamped:
    body = _body(written)
    at: datetime | None = None
    with suppress(TimestampError):  # entered past the door, which reads each: the page says so
        at = read_token(b64decode(body.token)).at
    return Stamped(seq=seq, size=body.size, root=bytes.fromhex(body.root), authority=body.authority, at=at)


def _body(written: bytes) -> CheckpointStamped:
    body = entries.decode(written).body
    assert isinstance(body, CheckpointStamped), "as the table says of its kind"
    return body


_STAMP = "select bytes from entry where kind = 'checkpoint.stamped' and seq = $1"
_NEWEST = "select seq, bytes from entry where kind = 'checkpoint.stamped' and seq < $2 order by seq desc limit $1"
