"""Who asks how often, counted where workers share it. Addresses are kept as keyed hashes, and only for a while."""

import hmac
from collections.abc import Sequence
from typing import NamedTuple

from ledger.store.database import Database
from ledger.store.keys import LookupKeys
from ledger.store.queries.shared import Shared

MAX_SHARED = 500
"""Questions of one query at most."""


class Visit(NamedTuple):
    """Something to count. `who` is hashed before it leaves this process; a cost of 0 only asks."""

    who: str
    cost: int
    seconds: int
    """How long the count lasts from its first visit on."""


class Visited(NamedTuple):
    """What came of it."""

    visits: int
    left_s: int
    """Until the count begins anew."""


class Visits:
    """Counts. Workers with the same look-up keys count together."""

    def __init__(self, database: Database, lookup: LookupKeys) -> None:
        self._database = database
        self._key = hmac.digest(lookup.keys[lookup.current], b"sunledger/visit/1", "sha256")
        self._shared = Shared(self._count, most=MAX_SHARED)

    async def count(self, *visits: Visit) -> Sequence[Visited]:
        """In order. Each says how often its `who` came while its count lasts, this time included."""
        return await self._shared.ask(visits)

    async def _count(self, asked: Sequence[tuple[Visit, ...]]) -> list[Sequence[Visited]]:
        visits = [each for one in asked for each in one]
        async with self._database.raw() as connection:
            rows = await connection.fetch(
                _COUNT,
                [hmac.digest(self._key, each.who.encode(), "sha256") for each in visits],
                [each.cost for each in visits],
                [each.seconds for each in visits],
            )
        found = iter([Visited(row["visits"], row["left_s"]) for row in rows])
        return [[next(found) for _ in one] for one in asked]


_COUNT = "select visits, left_s from count_visits($1, $2, $3)"
