"""What the vault holds of one donor, for staff: read with a record of who read it, consent to be named and its end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

import asyncpg
import msgspec

from ledger import entries, privacy
from ledger.entries import Entry
from ledger.privacy import Consent
from ledger.refusals import Invalid
from ledger.store.keys import LookupKeys, SubjectKeys
from ledger.store.queries.public_names import read_public_names
from ledger.store.vault import (
    ConsentRecord,
    Party,
    VaultRecord,
    open_consent,
    open_record,
    seal_consent,
    seal_name,
)

AccessReason = Literal["correction", "ordered", "receipts", "request"]
"""Why somebody reads: to correct a record, ordered by an authority, to print receipts, the donor's request (PIPL 45).

From a list: words of her own would be about the donor, and outlive an erasure.
"""

MAX_CONSENTS = 1_000
MAX_ACCESSES = 1_000


class ErasedError(Exception):
    """What was kept of this donor is destroyed."""


class Access(NamedTuple):
    """Somebody read what the vault holds."""

    at: datetime
    staff: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Donor:
    """All of it."""

    record: VaultRecord
    consents: Sequence[ConsentRecord]
    """Since the gift, in order."""
    shown: str
    """What she is called in public; empty: nothing."""


class Donors:
    """The vault, opened gift by gift."""

    def __init__(self, subjects: SubjectKeys, lookup: LookupKeys) -> None:
        self._subjects = subjects
        self._lookup = lookup

    async def read(self, connection: asyncpg.Connection, gift: Entry, *, staff: str, reason: AccessReason) -> Donor:
        """What is kept, once it stands that it was read. Raises ErasedError."""
        await record_access(connection, gift.seq, staff=staff, reason=reason)
        # Durable. Whatever becomes of the answer, the record says that she was looked at.
        _, record, consents = await self._open(connection, gift.seq)
        return Donor(record=record, consents=consents, shown=(await self._shown(connection, gift)))

    async def read_to_take_over(self, connection: asyncpg.Connection, seq: int) -> VaultRecord:
        """What a right entry of this gift is sealed from: its record, with the consent that holds now.

        Raises ErasedError.
        """
        _, record, consents = await self._open(connection, seq)
        identity = msgspec.structs.replace(record.identity, consent=current(record, consents))
        return msgspec.structs.replace(record, identity=identity)

    async def agree(
        self, connection: asyncpg.Connection, gift: Entry, *, by: Party, staff: str, consent: Consent | None
    ) -> str:
        """Keep what was agreed to, or (None) that it is withdrawn; answers what she is called now.

        Once, however often asked. Inside a transaction. Raises ErasedError, Invalid, NeverNamed.
        """
        key, kept, consents = await self._open(connection, gift.seq, lock=True)
        if consent is not None:
            privacy.check_may_be_named(kept.identity)
            privacy.check_consent(consent, kept.identity)
        if consent != current(kept, consents):
            if len(consents) >= MAX_CONSENTS:
                raise Invalid(f"consent: changed {MAX_CONSENTS} times already", field="consent")
            at = entries.instant(await connection.fetchval("select now()"))
            sealed = seal_consent(key, ConsentRecord(at, by, staff, consent))
            await connection.execute(_AGREED, gift.seq, len(consents), sealed)
        name = privacy.public_name(kept.identity, consent)
        await connection.execute("delete from public_name where seq = $1", gift.seq)
        if name:
            number = self._lookup.current
            sealed = seal_name(self._lookup.keys[number], _donor(gift), name)
            await connection.execute(_NAMED, gift.seq, number, sealed)
        return name

    async def _open(
        self, connection: asyncpg.Connection, seq: int, *, lock: bool = False
    ) -> tuple[bytes, VaultRecord, list[ConsentRecord]]:
        """`lock`: hold the vault's row, so that an erasure waits and then sees what is written here."""
        kept = await connection.fetchrow(_LOCKED if lock else _KEPT, seq)
        assert kept is not None, "every gift has its record"
        key = self._subjects.read(kept["slot"])
        if key is None or not kept["sealed"]:
            raise ErasedError
        found = await connection.fetch(_CONSENTS, seq, MAX_CONSENTS)
        return key, open_record(key, kept["sealed"]), [open_consent(key, row["sealed"]) for row in found]

    async def _shown(self, connection: asyncpg.Connection, gift: Entry) -> str:
        return (await read_public_names(connection, self._lookup, [gift.seq])).get(gift.seq, "")


def current(record: VaultRecord, consents: Sequence[ConsentRecord]) -> Consent | None:
    """What holds now: the last word, which at first is that of the gift."""
    return consents[-1].consent if consents else record.identity.consent


async def record_access(connection: asyncpg.Connection, seq: int, *, staff: str, reason: AccessReason) -> None:
    """That somebody reads what is kept of this gift, or of the gifts of this import. Never changed, never removed."""
    await connection.execute("insert into access_record (seq, staff, reason) values ($1, $2, $3)", seq, staff, reason)


async def read_accesses(connection: asyncpg.Connection, seq: int) -> list[Access]:
    """Who read it, the newest first."""
    found = await connection.fetch(
        "select at, staff, reason from access_record where seq = $1 order by at desc limit $2", seq, MAX_ACCESSES
    )
    return [Access(*row) for row in found]


def _donor(gift: Entry) -> str:
    assert isinstance(gift.body, entries.MoneyReceived | entries.MoneyIdentified)
    return gift.body.donor


_KEPT = "select slot, sealed from vault where seq = $1"
_LOCKED = f"{_KEPT} for update"
_CONSENTS = "select sealed from consent where seq = $1 order by n limit $2"
_AGREED = "insert into consent (seq, n, sealed) values ($1, $2, $3)"
_NAMED = "insert into public_name (seq, key_id, sealed) values ($1, $2, $3)"
