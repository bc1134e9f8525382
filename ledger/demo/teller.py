"""Tells one step after the other to the sequencer, as staff would: prepare, have approved, enter."""

import hashlib
from dataclasses import dataclass, field

from ledger import privacy
from ledger.approvals import ApproveProposal
from ledger.decide import AnyCommand
from ledger.demo.cast import CHECKER, CITY, MAKER
from ledger.demo.clock import StoryClock
from ledger.entries import DonorClass, Entry
from ledger.privacy import FiscalNumbers, Identity
from ledger.store.batch import Sequenced
from ledger.store.fiscal import NewReceipt, seal
from ledger.store.sequencer import Sequencer
from ledger.store.vault import Gift, SealedGift, Sealer


@dataclass(slots=True)
class Teller:
    """Every step is decided, sequenced and stored like any other."""

    sequencer: Sequencer
    sealer: Sealer
    clock: StoryClock
    codes: dict[str, str] = field(default_factory=dict)
    """What the gift shows → its receipt code."""
    _keys: dict[int, bytes] = field(default_factory=dict)
    """The keys that gifts were sealed under: whoever tells a story need not read them back."""

    async def do(self, command: AnyCommand | SealedGift) -> Entry:
        """Enter what needs nobody else, or propose; the first entry."""
        outcome = await self.sequencer.submit(command)
        assert isinstance(outcome, Sequenced)
        return outcome.entries[0]

    async def both(self, command: AnyCommand, checker: str = CHECKER) -> Entry:
        """Propose and approve; answers the effect."""
        proposed = await self.do(command)
        outcome = await self.sequencer.submit(ApproveProposal(maker=checker, proposal=proposed.seq))
        assert isinstance(outcome, Sequenced)
        return outcome.entries[1]

    async def give(self, gift: Gift) -> tuple[Entry, str]:
        """A gift arrives; its entry, and the code on its receipt."""
        sealed = self.sealer.seal(gift)
        outcome = await self.sequencer.submit(sealed)
        assert isinstance(outcome, Sequenced)
        (entry,) = outcome.entries
        self._keys[entry.seq] = sealed.subject.key
        return entry, privacy.printed(outcome.code)

    async def paper(self, ref: int, amount_fen: int, on: str, numbers: FiscalNumbers, *, replaces: int = 0) -> Entry:
        """A fiscal receipt for a gift; its entry."""
        receipt = NewReceipt(MAKER, CITY, ref, amount_fen, on, replaces, numbers)
        outcome = await self.sequencer.submit(seal(receipt, self._keys[ref], self.sealer.keys, self.sealer.lookup))
        assert isinstance(outcome, Sequenced)
        return outcome.entries[0]


def gift(  # noqa: PLR0913, PLR0917  a gift is that much
    fund: str,
    amount_fen: int,
    on: str,
    channel: str,
    donor_class: DonorClass,
    name: str,
    *,
    number: int = 0,
    event: str = "",
) -> Gift:
    """A gift to the city; `number` tells those of one day and channel apart."""
    return Gift(
        maker=MAKER,
        org=CITY,
        fund=fund,
        amount_fen=amount_fen,
        channel=channel,
        channel_ref=f"{on.replace('-', '')}{number:06d}",
        on=on,
        donor_class=donor_class,
        identity=Identity(name=name),
        event=event,
    )


def evidence(name: str) -> str:
    """The digest of a demo document."""
    return hashlib.sha256(f"阳光账本演示凭证：{name}".encode()).hexdigest()
