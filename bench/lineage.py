"""How fast a gift is traced that went through ten hops: down two levels, to payees and back, ever more divided.

And how long it takes to follow all gifts at once, for a lineage report.
"""

import secrets
import time
from collections.abc import Sequence
from typing import NamedTuple

from msgspec import structs

from bench.load import percentile
from bench.store import Store, writing
from ledger import demo
from ledger.allocations import AllocateMoney
from ledger.approvals import ApproveProposal
from ledger.decide import AnyCommand
from ledger.disbursements import DisburseMoney
from ledger.entries import Entry
from ledger.organisations import EnrolStaff, OpenFund, OpenProject
from ledger.pieces import resting
from ledger.privacy import Identity
from ledger.returns import ReturnMoney
from ledger.roles import Role
from ledger.store import lineage, setup
from ledger.store.batch import Sequenced
from ledger.store.queries.trace import forward
from ledger.store.sequencer import Sequencer
from ledger.store.vault import Gift, Sealer
from ledger.transfers import ReceiveTransfer, SendTransfer

GIFTS = 200
PARTS = 20
"""That each gift is allocated and paid in."""
GIFT_FEN = 8_000
PROVINCE, CITY, COUNTY = "330000", demo.CITY, demo.COUNTY
DEEP = "deep"
DAY = "2026-07-02"


class Deep(NamedTuple):
    """Of the deep gifts: how they are divided, and milliseconds in SQL."""

    hops: int
    pieces_p50: float
    pieces_max: int
    p50_ms: float
    p99_ms: float


async def report_s(store: Store) -> float:
    """How long a lineage report of all that is published takes."""
    writer = setup.database(store.settings, store.server.url(), "writer", pool_size=1)
    began = time.perf_counter()
    await lineage.report(writer)
    took_s = time.perf_counter() - began
    await writer.close()
    return took_s


async def measure(store: Store, *, count: int) -> Deep:
    """Let GIFTS gifts travel, then trace them at random."""
    gifts = await travel(store)
    database = setup.database(store.settings, store.server.url(), "reader", pool_size=1, by_index=True)
    try:
        async with database.raw() as connection:
            followed = [await forward(connection, seq) for seq in gifts]
            taken = []
            for _ in range(count):
                seq = gifts[secrets.randbelow(len(gifts))]
                began = time.perf_counter()
                await forward(connection, seq)
                taken.append((time.perf_counter() - began) * 1000)
    finally:
        await database.close()
    leaves = [resting(pieces) for pieces in followed]
    assert all(sum(leaf.qty for leaf in each) == GIFT_FEN for each in leaves)
    ordered = sorted(taken)
    return Deep(
        hops=max(piece.depth for pieces in followed for piece in pieces),
        pieces_p50=percentile(sorted(map(len, leaves)), 50),
        pieces_max=max(map(len, leaves)),
        p50_ms=percentile(ordered, 50),
        p99_ms=percentile(ordered, 99),
    )


async def travel(store: Store) -> list[int]:
    """The numbers of the gifts after ten hops each; every one rests in 60 pieces."""
    async with writing(store) as resources:
        road = _Road(resources.sequencer, resources.sealer)
        await road.open()
        return [await road.take(number) for number in range(GIFTS)]


class _Road:
    """From the province over the city to the county, and there to payees and back."""

    def __init__(self, sequencer: Sequencer, sealer: Sealer) -> None:
        self._sequencer = sequencer
        self._sealer = sealer

    async def open(self) -> None:
        """A fund at each level, and a project at the end."""
        for staff, role in ((demo.MAKER, Role.FINANCE), (demo.CHECKER, Role.APPROVER)):
            enrol = EnrolStaff(maker=demo.FOUNDER, staff=staff, org=PROVINCE, roles=(role,))
            ((made, *_),) = await self._enter([enrol])
            await self._enter([ApproveProposal(maker=demo.SECOND, proposal=made.seq)])
        funds = [OpenFund(maker=demo.FOUNDER, org=org, fund=DEEP, name="逐级下拨") for org in (PROVINCE, CITY, COUNTY)]
        await self._enter([*funds, OpenProject(maker=demo.FOUNDER, org=COUNTY, project=DEEP, name="逐级下拨")])

    async def take(self, number: int) -> int:
        """One gift through ten hops; its number. Hops divide, and what comes back comes in the opposite order."""
        gift = Gift(
            maker=demo.MAKER, org=PROVINCE, fund=DEEP, amount_fen=GIFT_FEN, channel="bank",
            channel_ref=f"deep {number}", on=DAY, donor_class="person", identity=Identity(),
        )  # fmt: skip
        outcome = await self._sequencer.submit(self._sealer.seal(gift))
        assert isinstance(outcome, Sequenced)
        await self._send(PROVINCE, CITY, parts=2)  # hops 1 and 2
        await self._send(CITY, COUNTY, parts=4)  # 3 and 4
        allocate = AllocateMoney(
            maker=demo.MAKER, org=COUNTY, fund=DEEP, project=DEEP, amount_fen=GIFT_FEN // PARTS, on=DAY
        )
        await self._enter([allocate] * PARTS)  # 5
        for amount_fen, back_fen in ((400, 200), (200, 100), (100, 0)):  # 6 to 10
            payments = await self._pay(amount_fen)
            back = [
                ReturnMoney(maker=demo.MAKER, org=COUNTY, ref=ref, on=DAY, reason="结余", amount_fen=back_fen)
                for ref in reversed(payments)
                if back_fen
            ]
            if back:
                await self._enter(back)
        return outcome.entries[0].seq

    async def _send(self, sender: str, to: str, *, parts: int) -> None:
        sending = SendTransfer(maker=demo.MAKER, org=sender, fund=DEEP, to=to, amount_fen=GIFT_FEN // parts, on=DAY)
        sent = await self._enter([sending] * parts)
        arriving = ReceiveTransfer(maker=demo.MAKER, org=to, ref=0, fund=DEEP, on=DAY)
        await self._enter([structs.replace(arriving, ref=first.seq) for first, *_ in reversed(sent)])

    async def _pay(self, amount_fen: int) -> list[int]:
        payment = DisburseMoney(
            maker=demo.MAKER, org=COUNTY, project=DEEP, amount_fen=amount_fen, spending="aid", payee="persons",
            purpose="慰问", on=DAY,
        )  # fmt: skip
        proposed = await self._enter([payment] * PARTS)
        approved = await self._enter(
            [ApproveProposal(maker=demo.CHECKER, proposal=first.seq) for first, *_ in proposed]
        )
        return [effect.seq for _, effect, *_ in approved]

    async def _enter(self, commands: Sequence[AnyCommand]) -> list[tuple[Entry, ...]]:
        """All at once, in this order."""
        entered = []
        for outcome in await self._sequencer.enqueue(commands):
            assert isinstance(outcome, Sequenced)
            entered.append(outcome.entries)
        return entered
