"""Gifts by receipt code. Look-ups that arrive while one query runs share the next one."""

import asyncio

from ledger import privacy
from ledger.store.database import Database
from ledger.store.keys import LookupKeys
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
        self._waiting: list[tuple[list[bytes], asyncio.Future[int | None]]] = []
        self._asking: asyncio.Task[None] | None = None

    async def find(self, typed: str) -> int | None:
        """The number of the gift's entry; None alike for an unknown code, a mistyped one and no code at all."""
        found: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((lookup_digests(self._lookup, privacy.parse_code(typed) or _NO_CODE), found))
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask(), name="look-ups")
        return await found

    async def _ask(self) -> None:
        while self._waiting:
            shared, self._waiting = self._waiting[:MAX_SHARED], self._waiting[MAX_SHARED:]
            try:
                async with self._database.raw() as connection:
                    rows = await connection.fetch(_FIND, [digest for digests, _ in shared for digest in digests])
            except Exception as error:  # noqa: BLE001  whatever it was, everybody who waits is told
                for _, found in shared:
                    if not found.done():
                        found.set_exception(error)
                continue
            seqs = {row["digest"]: row["seq"] for row in rows}
            for digests, found in shared:
                if not found.done():  # its caller went away
                    found.set_result(next((seqs[digest] for digest in digests if digest in seqs), None))


_FIND = "select digest, seq from receipt where digest = any($1)"
