"""What donors who agreed to it are called in public. Nothing else says a donor's name to a reader."""

from collections.abc import Collection, Sequence

import asyncpg
from cryptography.exceptions import InvalidTag

from ledger import entries
from ledger.entries import MoneyIdentified, MoneyReceived
from ledger.store.database import Database
from ledger.store.keys import LookupKeys
from ledger.store.queries.shared import Shared
from ledger.store.vault import open_name

MAX_SHARED = 500
"""Names of one query at most."""


class PublicNames:
    """Reads them; they are never kept in memory, so that a withdrawal holds at once."""

    def __init__(self, database: Database, lookup: LookupKeys) -> None:
        self._database = database
        self._lookup = lookup
        self._shared = Shared(self._read, most=MAX_SHARED)

    async def of(self, gift: int) -> str:
        """What the donor of this gift is called; empty: nothing."""
        return await self._shared.ask(gift)

    async def of_all(self, gifts: Collection[int]) -> dict[int, str]:
        """The names of those of these gifts that have one."""
        async with self._database.raw() as connection:
            return await read_public_names(connection, self._lookup, gifts)

    async def _read(self, asked: Sequence[int]) -> list[str | Exception]:
        found = await self.of_all(asked)
        return [found.get(gift, "") for gift in asked]


async def read_public_names(
    connection: asyncpg.Connection, lookup: LookupKeys, gifts: Collection[int]
) -> dict[int, str]:
    """The same. A row that is not this gift's, or whose key was retired, names nobody."""
    names: dict[int, str] = {}
    for seq, key_id, sealed, written in await connection.fetch(_NAMES, [*gifts]):
        body = entries.decode(written).body
        assert isinstance(body, MoneyReceived | MoneyIdentified), "names are of gifts"
        try:
            names[seq] = open_name(lookup, key_id, body.donor, sealed)
        except (InvalidTag, KeyError):
            continue
    return names


_NAMES = """
  select n.seq, n.key_id, n.sealed, e.bytes from public_name n join entry e on e.seq = n.seq where n.seq = any($1)
"""
