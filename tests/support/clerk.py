"""A clerk at a sequencer with what it needs and nothing else, on a log in which the demo's story is told."""

import itertools
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256

from ledger import demo
from ledger.allocations import AllocateMoney
from ledger.approvals import ApproveProposal, SetPolicy
from ledger.corrections import RefundGift
from ledger.decide import AnyProposable
from ledger.disbursements import DisburseMoney
from ledger.donations import ApproveImport
from ledger.entries import Entry, Rule
from ledger.privacy import FiscalNumbers, Identity
from ledger.settings import Settings
from ledger.store import fiscal, setup
from ledger.store.batch import Idempotency, Outcome, Sequenced, Work
from ledger.store.clock import Clock
from ledger.store.database import Database
from ledger.store.erasures import ErasureList
from ledger.store.fiscal import NewReceipt
from ledger.store.keys import LogKeys, LookupKeys, SubjectKeys
from ledger.store.sequencer import Sequencer
from ledger.store.vault import Gift, SealedGift, Sealer

CITY, MAKER, CHECKER = demo.CITY, demo.MAKER, demo.CHECKER
DAY = "2026-07-20"

_references = itertools.count(1)
"""Of all clerks: a second one at the same log must not say again what the first one said."""


@dataclass(slots=True)
class Clerk:
    """Gives commands to a sequencer, as the demo's people."""

    sequencer: Sequencer
    sealer: Sealer
    database: Database
    subjects: SubjectKeys
    keys: LogKeys

    def gift(self, amount_fen: int = 10_000, *, fund: str = "general", channel_ref: str = "") -> SealedGift:
        """A gift with a reference of its own, ready to be sequenced."""
        reference = channel_ref or f"clerk-{next(_references)}"
        return self.sealer.seal(Gift(
            maker=MAKER, org=CITY, fund=fund, amount_fen=amount_fen, channel="bank", channel_ref=reference, on=DAY,
            donor_class="person", identity=Identity(name="某捐赠人"),
        ))  # fmt: skip

    async def sheet(self, rows: int) -> Entry:
        """An import of so many gifts of 0.10 yuan, and one that will be missing, approved."""
        command = ApproveImport(
            maker=MAKER, org=CITY, fund="general", channel="notice", name="公示", profile="notice",
            file=sha256(b"").hexdigest(), rows=rows + 1, sum_fen=10 * rows + 1, first_on=DAY, last_on=DAY,
        )  # fmt: skip
        (approved,) = await self.agreed(command)
        return approved

    def row(self, batch: int, row: int) -> SealedGift:
        """A gift of an approved sheet."""
        return self.sealer.seal(Gift(
            maker=MAKER, org=CITY, fund="general", amount_fen=10, channel="notice", channel_ref="", on=DAY,
            donor_class="person", identity=Identity(), batch=batch, row=row,
        ))  # fmt: skip

    async def give(self, amount_fen: int = 10_000, *, fund: str = "general") -> Entry:
        """Have a gift sequenced."""
        (entry,) = await self.do(self.gift(amount_fen, fund=fund))
        return entry

    async def issue(self, gift: int, amount_fen: int, *, replaces: int = 0) -> Entry:
        """A fiscal receipt with numbers of its own."""
        async with self.database.raw() as connection:
            slot = await connection.fetchval("select slot from vault where seq = $1", gift)
        key = self.subjects.read(slot)
        assert key is not None
        numbers = FiscalNumbers(code="33060126", number=f"{next(_references):010}", check_code="a1b2c3")
        receipt = NewReceipt(MAKER, CITY, gift, amount_fen, DAY, replaces, numbers)
        (entry,) = await self.do(fiscal.seal(receipt, key, self.keys, self.sealer.lookup))
        return entry

    async def do(self, work: Work) -> tuple[Entry, ...]:
        """Have a command sequenced; its entries."""
        return sequenced(await self.sequencer.submit(work)).entries

    async def agreed(self, command: AnyProposable, checker: str = CHECKER) -> tuple[Entry, ...]:
        """Propose and approve; the effect, in all its parts."""
        made = await self.do(command)
        return await self.approve(made[0].seq, checker)

    async def approve(self, proposal: int, checker: str = CHECKER) -> tuple[Entry, ...]:
        """The last yes that was needed; the effect."""
        _, *effect = await self.do(ApproveProposal(maker=checker, proposal=proposal))
        return tuple(effect)

    async def set_policy(self, *rules: Rule) -> None:
        """Replace the story's policy; without rules nothing but what is built in needs approval."""
        await self.agreed(SetPolicy(maker=demo.FOUNDER, rules=rules), demo.SECOND)


def sequenced(outcome: Outcome) -> Sequenced:
    """What was entered just now; not a repeated request."""
    assert isinstance(outcome, Sequenced)
    return outcome


def once(name: str) -> Idempotency:
    """The key of a request that may be repeated."""
    return Idempotency(sha256(name.encode()).digest(), sha256(b"request " + name.encode()).digest())


def allocation(amount_fen: int, fund: str = "general", project: str = "qz-01") -> AllocateMoney:
    """Unrestricted money for the winter visits."""
    return AllocateMoney(
        maker=MAKER, org=CITY, fund=fund, project=project, amount_fen=amount_fen, on=DAY, decision="红"
    )


def payment(amount_fen: int, project: str = "qz-01") -> DisburseMoney:
    """A payment to persons."""
    return DisburseMoney(
        maker=MAKER, org=CITY, project=project, amount_fen=amount_fen, spending="aid", payee="persons", purpose="慰问",
        on=DAY,
    )  # fmt: skip


def refund(ref: int, amount_fen: int = 0) -> RefundGift:
    """A gift back to its donor."""
    return RefundGift(maker=MAKER, org=CITY, ref=ref, on=DAY, reason="捐赠人申请", amount_fen=amount_fen)


@asynccontextmanager
async def opened(
    settings: Settings,
    *,
    url: str | None = None,
    subjects: SubjectKeys | None = None,
    clock: Clock | None = None,
    queue_size: int = 2000,
) -> AsyncGenerator[Clerk]:
    """The sequencer runs. `url`: by way of a wire; `subjects`: a key file that fails, which stays the caller's."""
    reached = url or settings.database_url
    assert reached is not None
    database = setup.database(settings, reached, "writer", pool_size=3, by_index=True)
    held = subjects or SubjectKeys(settings.subject_keys, write=True)
    erased = ErasureList(settings.erasures)
    sequencer = Sequencer(database, held, clock or Clock(), erased=erased, queue_size=queue_size)
    try:
        await sequencer.start()
        keys = LogKeys.read(settings.keys)
        yield Clerk(sequencer, Sealer(keys, LookupKeys.read(settings.lookup), held.draw), database, held, keys)
    finally:
        await sequencer.stop()
        await database.close()
        if subjects is None:
            held.close()
