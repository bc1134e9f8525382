"""What donors who agreed to it are called in public. Nothing else says a donor's name to a reader."""

from collections.abc import Collection

import asyncpg
from cryptography.exceptions import InvalidTag

from ledger import entries
from ledger.entries import Entry, MoneyIdentified, MoneyReceived
from ledger.store.database import Database
from ledger.store.keys import LookupKeys
from ledger.store.vault import open_name


class PublicNames:
    """Reads them; they are never kept in memory, so that a withdrawal holds at once."""

    def __init__(self, database: Database, lookup: LookupKeys) -> None:
        self._database = database
        self._lookup = lookup

    async def of_all(self, gifts: Collection[int]) -> dict[int, str]:
        """The names of those of these gifts that have one."""
        async with self._database.raw() as connection:
            return await read_public_names(connection, self._lookup, gifts)


async def read_public_names(
    connection: asyncpg.Connection, lookup: LookupKeys, gifts: Collection[int]
) -> dict[int, str]:
    """The same."""
    found = await connection.fetch(_NAMES, [*gifts])
    names = {seq: opened(lookup, key_id, entries.decode(written), sealed) for seq, key_id, sealed, written in found}
    return {seq: name for seq, name in names.items() if name}


def opened(lookup: LookupKeys, key_id: int, gift: Entry, sealed: bytes) -> str:
    """What a row says; empty where it is not this gift's, or its key was retired: then it names nobody."""
    assert isinstance(gift.body, MoneyReceived | MoneyIdentified), "names are of gifts"
    try:
        return open_name(lookup, key_id, gift.body.donor, sealed)
    except (InvalidTag, KeyError):
        return ""


_NAMES = """
  select n.seq, n.key_id, n.sealed, e.bytes from public_name n join entry e on e.seq = n.seq where n.seq = any($1)
"""
