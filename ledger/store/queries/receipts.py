"""Gifts by receipt code."""

from collections.abc import Iterable, Sequence
from itertools import chain

import asyncpg

from ledger import privacy
from ledger.store.database import Database
from ledger.store.keys import LookupKeys
from ledger.store.queries.shared import Shared
from ledger.store.vault import lookup_digests

MAX_SHARED = 500
"""Look-ups of one query at most."""

NEWEST = -1
"""In place of the number of one of a code's entries."""

_NO_CODE = ""
"""Looked up in place of what is no code: it is stored nowhere, and costs what an unknown code costs."""


class Receipts:
    """Finds the gift of a code, and does the same work for a code nobody was given."""

    def __init__(self, database: Database, lookup: LookupKeys) -> None:
        self._database = database
        self._lookup = lookup
        self._shared = Shared(self._find, most=MAX_SHARED)

    async def find(self, typed: str) -> tuple[int, ...]:
        """The number of the gift's entry; before it, newest first, of the right entries that took its place.

        Empty alike for an unknown code, a mistyped one and no code at all.
        """
        return await self._shared.ask(digests_of(self._lookup, typed))

    async def _find(self, asked: Sequence[list[bytes]]) -> list[tuple[int, ...]]:
        async with self._database.raw() as connection:
            return opened_by(await connection.fetch(_FIND, [*chain.from_iterable(asked)]), asked)


def digests_of(lookup: LookupKeys, typed: str) -> list[bytes]:
    """What the code that was typed may be stored under."""
    return lookup_digests(lookup, privacy.parse_code(typed) or _NO_CODE)


def opened_by(rows: Iterable[asyncpg.Record], asked: Iterable[list[bytes]]) -> list[tuple[int, ...]]:
    """For the digests of each code, the entries it opens, newest first. `rows`: each `digest` with its `seq`."""
    seqs: dict[bytes, list[int]] = {}
    for row in rows:
        seqs.setdefault(row["digest"], []).append(row["seq"])
    found = (chain.from_iterable(seqs.get(digest, ()) for digest in digests) for digests in asked)
    return [tuple(sorted(each, reverse=True)) for each in found]


def chosen(found: Sequence[int], wanted: int) -> int | None:
    """Of what a code opens, the entry that was asked for, or NEWEST; None for what it does not open."""
    if wanted == NEWEST:
        return found[0] if found else None
    return wanted if wanted in found else None


_FIND = "select digest, seq from receipt where digest = any($1)"
