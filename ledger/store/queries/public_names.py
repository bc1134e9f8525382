"""What donors who agreed to it are called in public. Nothing else says a donor's name to a reader."""

from collections.abc import Collection

import asyncpg
from cryptography.exceptions import InvalidTag

from ledger import entries
from ledger.entries import MoneyIdentified, MoneyReceived
from ledger.store.database import Database
from ledger.store.keys import LookupKeys
from ledger.store.vault import open_name


class PublicNames:
    """Reads them; they are never kept in memory, so that a withdrawal holds at once."""

    def __init__(self, database: Database, lookup: LookupKeys) -> None:
        self._database = database
        self._lookup = lookup

    async def of(self, *gifts: int) -> dict[int, str]:
        """The names of those gifts' donors that have one."""
        if not gifts:
            return {}
        async with self._database.raw() as connection:
            return await read_public_names(connection, self._lookup, gifts)


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
