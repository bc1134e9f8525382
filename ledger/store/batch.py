"""What the sequencer carries: requests that wait, their outcomes, and decided work on its way into the tables."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from ledger.decide import AnyCommand
from ledger.donations import ReceiveMoney
from ledger.entries import Entry
from ledger.refusals import Refused
from ledger.store import rows
from ledger.store.fiscal import SealedReceipt
from ledger.store.projections import Projected
from ledger.store.vault import SealedGift

Work: TypeAlias = AnyCommand | SealedGift | SealedReceipt

_LOT_BYTES = 16


class Idempotency(NamedTuple):
    """Digests of the caller's key and of her request."""

    key: bytes
    request: bytes


class Sequenced(NamedTuple):
    """Durable entries of one command, in order."""

    entries: tuple[Entry, ...]
    digests: tuple[str, ...]
    """Of their bytes."""
    code: str = ""
    """The receipt code, of a gift."""


class Replayed(NamedTuple):
    """The same request was carried out before, as these entries."""

    first_seq: int
    last_seq: int


Outcome: TypeAlias = Sequenced | Replayed


@dataclass(slots=True, eq=False)
class Pending:
    """Work that waits: one command; or a chunk of gifts that stand or fall together, refusals apart."""

    work: Sequence[Work]
    done: asyncio.Future[list[Outcome | Refused]]
    idempotency: Idempotency | None = None
    tries: int = 0
    outcomes: list[Outcome | Refused] = field(default_factory=list)

    @property
    def is_chunk(self) -> bool:
        """Rows of an import."""
        return len(self.work) > 1

    @property
    def is_of_gifts(self) -> bool:
        """Nothing but gifts as they arrive, which need to see nothing but their fund's line."""
        first = self.work[0]
        if not isinstance(first, SealedGift) or not isinstance(first.command, ReceiveMoney):
            return False
        return not first.command.corrects

    @property
    def import_batch(self) -> int:
        """The import whose rows these are; 0 for none."""
        first = self.work[0]
        if isinstance(first, SealedGift) and isinstance(first.command, ReceiveMoney):
            return first.command.batch
        return 0

    def resolve(self) -> None:
        """Tell the caller what became of it."""
        if not self.done.done():
            self.done.set_result(self.outcomes)

    def fail(self, error: Exception) -> None:
        """Tell the caller that it was not carried out."""
        if not self.done.done():
            self.done.set_exception(error)
            self.done.exception()  # nobody may be waiting any more


@dataclass(slots=True)
class Beside:
    """Rows that go in with a batch and are no projection of it."""

    receipts: list[tuple[bytes, int, int, bytes]] = field(default_factory=list)
    sealed: list[tuple[int, int, bytes]] = field(default_factory=list)
    idempotency: list[tuple[bytes, bytes, int, int]] = field(default_factory=list)
    drafts: list[tuple[int, bytes, str]] = field(default_factory=list)
    fiscal_receipts: list[tuple[bytes, int, int, int]] = field(default_factory=list)
    fiscal_sealed: list[tuple[int, int, bytes, bytes]] = field(default_factory=list)
    names: list[tuple[int, int, bytes]] = field(default_factory=list)
    erased: list[int] = field(default_factory=list)
    """Gifts whose donors' data go with this batch."""
    resolved: list[int] = field(default_factory=list)
    """Proposals that may be resolved now; empty while no donor's data were ever erased."""

    def rows(self) -> rows.Gathered:
        """As rows of their tables."""
        return [
            (rows.RECEIPT, self.receipts),
            (rows.VAULT, self.sealed),
            (rows.PUBLIC_NAME, self.names),
            (rows.DRAFT, self.drafts),
            (rows.FISCAL_RECEIPT, self.fiscal_receipts),
            (rows.FISCAL_VAULT, self.fiscal_sealed),
            (rows.IDEMPOTENCY, self.idempotency),
        ]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Decided work: one transaction."""

    pending: list[Pending]
    head: rows.Head
    projected: Projected
    beside: Beside
    refs: frozenset[str]
    """References that its entries brought: until it is durable no look-up finds them."""

    @property
    def is_empty(self) -> bool:
        """Only refusals and repeated requests: nothing to write."""
        return self.head.seq == self.head.before


def shuffle_channel_gifts(batch: list[Pending]) -> None:
    """Gifts that arrive together are entered in random order among their own places: order tells nobody anything."""
    places = [i for i, pending in enumerate(batch) if pending.is_of_gifts]
    gifts = [batch[i] for i in places]
    drawn = os.urandom(_LOT_BYTES * len(gifts))  # asked of the kernel once, not for each of them
    lots = [drawn[i : i + _LOT_BYTES] for i in range(0, len(drawn), _LOT_BYTES)]
    for i, (_, n) in zip(places, sorted(zip(lots, range(len(gifts)), strict=True)), strict=True):
        batch[i] = gifts[n]
