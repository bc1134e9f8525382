"""Bearer tokens: only their digest is kept. What a token may do is what the log says of its holder."""

import hashlib
import secrets
from datetime import datetime
from typing import NamedTuple

from ledger.store.database import Database

TOKEN_BYTES = 32
_PREFIX = "sl_"


class Credential(NamedTuple):
    """A token as it is listed: never the token itself."""

    id: str
    staff: str
    label: str
    created_at: datetime
    revoked_at: datetime | None


async def create(database: Database, staff: str, label: str) -> str:
    """A new token for a pseudonym; told once, here."""
    token = _PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    async with database.write() as connection:
        await connection.execute(_CREATE, secrets.token_hex(4), staff, digest(token), label)
    return token


async def has_role(database: Database, staff: str) -> bool:
    """Whether this pseudonym holds any role in the log."""
    async with database.raw() as connection:
        return bool(await connection.fetchval("select true from staff where staff = $1 and roles <> '{}'", staff))


async def revoke(database: Database, credential_id: str) -> bool:
    """Whether there was such a token, not revoked before."""
    async with database.write() as connection:
        return bool(await connection.fetchval(_REVOKE, credential_id))


async def every(database: Database) -> list[Credential]:
    """All tokens, oldest first."""
    async with database.raw() as connection:
        return [Credential(*row) for row in await connection.fetch(_EVERY)]


async def holder(database: Database, token: str) -> str | None:
    """The pseudonym whose token this is; None for a token that is unknown or revoked."""
    async with database.raw() as connection:
        staff: str | None = await connection.fetchval(_HOLDER, digest(token))
    return staff


def digest(token: str) -> bytes:
    """SHA-256: a token is 256 random bits, so nothing can be guessed from it."""
    return hashlib.sha256(token.encode()).digest()


_CREATE = "insert into credential (id, staff, digest, label, created_at) values ($1, $2, $3, $4, now())"
_REVOKE = "update credential set revoked_at = now() where id = $1 and revoked_at is null returning true"
_EVERY = "select id, staff, label, created_at, revoked_at from credential order by created_at, id"
_HOLDER = "select staff from credential where digest = $1 and revoked_at is null"
