"""The desk where codes are looked up: what a door or a page needs to answer whoever holds one."""

from dataclasses import dataclass
from typing import Any

from litestar import Request

from api.limits import Limits
from ledger.privacy import FiscalNumbers
from ledger.store.database import Database
from ledger.store.queries.fiscal import FiscalReceipts
from ledger.store.queries.gifts import Traced, Traces
from ledger.store.queries.public_names import PublicNames
from ledger.store.queries.receipts import NEWEST, Receipts, chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One dependency: several would each be resolved in a task, dearer together than the look-up itself."""

    database: Database
    receipts: Receipts
    fiscal_receipts: FiscalReceipts
    traces: Traces
    public_names: PublicNames
    limits: Limits

    async def look_up(self, request: Request[Any, Any, Any], typed: str, wanted: int = NEWEST) -> int | None:
        """The number of the gift's entry; None alike for an unknown code, a mistyped one and no code at all.

        Raises ProblemError `too-many-requests` where this address, or this code, failed too often.
        """
        return chosen(await self.limits.look_up(request, typed, self.receipts.find), wanted)

    async def trace(self, request: Request[Any, Any, Any], typed: str, wanted: int = NEWEST) -> Traced:
        """The same, and where the gift is: in one go, since most who ask want to know that. Raises TooManyPieces."""
        return await self.limits.look_up(
            request, typed, lambda code: self.traces.of_code(code, wanted), is_found=lambda each: each.trace is not None
        )

    async def look_up_fiscal(
        self, request: Request[Any, Any, Any], numbers: FiscalNumbers, amount_fen: int
    ) -> int | None:
        """The same by all four that a fiscal receipt shows."""
        return await self.limits.look_up_fiscal(request, numbers, amount_fen, self.fiscal_receipts.find)
