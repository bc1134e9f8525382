"""Gifts by receipt code."""

from collections.abc import Sequence

from ledger import privacy
from ledger.store.database import Database
from ledger.store.keys import LookupKeys
from ledger.store.queries.shared import Shared
from ledger.store.vault import lookup_digests

MAX_SHARED = 500
"""Look-ups of one query at most."""

_NO_CODE = ""
"""Looked up in place of what is no code: it is stored nowhere, and costs what an unknown code costs."""


class Receipts:
    """Finds the gift of a code, and does the same work for a code nobody was given."""

    def __init__(self, database: Database, lookup: LookupKeys) -> None:
        self._database = database
        self._lookup = lookup
        self._shared = Shared(self._find, most=MAX_SHARED)

    async def find(self, typed: str) -> int | None:
        """The number of the gift's entry; None alike for an unknown code, a mistyped one and no code at all."""
        return await self._shared.ask(lookup_digests(self._lookup, privacy.parse_code(typed) or _NO_CODE))

    async def _find(self, asked: Sequence[list[bytes]]) -> list[int | None]:
        async with self._database.raw() as connection:
            rows = await connection.fetch(_FIND, [digest for digests in asked for digest in digests])
        seqs = {row["digest"]: row["seq"] for row in rows}
        return [next((seqs[digest] for digest in digests if digest in seqs), None) for digests in asked]


_FIND = "select digest, seq from receipt where digest = any($1)"
