"""Who is asking: a bearer token, and the pseudonym that holds it. What she may do, the rules decide from the log."""

import time
from dataclasses import dataclass, field
from typing import Any

from litestar.connection import ASGIConnection

from api.problems import ProblemError
from ledger.store import credentials
from ledger.store.database import Database

TRUSTED_S = 5.0
"""A token that was good is not looked up again for so long: so long a revoked one may still work."""

TRUSTED_MAX = 10_000


@dataclass(slots=True)
class Doorkeeper:
    """Knows tokens it has seen lately, by digest."""

    database: Database
    _seen: dict[bytes, tuple[str, float]] = field(default_factory=dict)

    async def staff(self, connection: ASGIConnection[Any, Any, Any, Any]) -> str:
        """The pseudonym who asks. Raises the problem `unauthorised`."""
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token:
            digest, now = credentials.digest(token.strip()), time.monotonic()
            seen = self._seen.get(digest)
            if seen is not None and now - seen[1] < TRUSTED_S:
                return seen[0]
            holder = await credentials.holder(self.database, token.strip())
            if holder is not None:
                if len(self._seen) >= TRUSTED_MAX:
                    self._seen.clear()
                self._seen[digest] = (holder, now)
                return holder
        raise ProblemError("unauthorised", headers={"WWW-Authenticate": "Bearer"})
