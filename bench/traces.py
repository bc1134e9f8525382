"""How fast a gift is traced when its fund was spent in many steps: in SQL alone, and over HTTP by code."""

import csv
import secrets
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from bench import wrk
from bench.load import percentile
from bench.store import CITY, Store, command, program, writing
from ledger import demo
from ledger.account import CNY, Account
from ledger.allocations import AllocateMoney
from ledger.approvals import ApproveProposal
from ledger.disbursements import DisburseMoney
from ledger.store import setup
from ledger.store.batch import Sequenced
from ledger.store.keys import LookupKeys
from ledger.store.queries.receipts import Receipts
from ledger.store.queries.trace import forward
from ledger.store.sequencer import Sequencer

PROCESSES = 2

MOST_CODES = 1_000_000
"""Of ten million, the client could not hold all."""

STEPS = 200
"""Allocations, and payments, that the fund is spent in."""


async def spend(store: Store) -> None:
    """Allocate and pay the whole general fund in STEPS steps each."""
    async with writing(store) as resources:
        sequencer, database = resources.sequencer, resources.database
        async with database.raw() as connection:
            left: int = await connection.fetchval(
                "select credited - consumed - held from line join account on id = account where address = $1",
                Account(f"fund:{CITY}:general", CNY).address,
            )
        for step in range(STEPS, 0, -1):
            amount_fen = left // step
            left -= amount_fen
            allocate = AllocateMoney(
                maker=demo.MAKER,
                org=CITY,
                fund="general",
                project="qz-01",
                amount_fen=amount_fen,
                on="2026-07-02",
                decision="衢红〔2026〕30号",
            )
            pay = DisburseMoney(
                maker=demo.MAKER,
                org=CITY,
                project="qz-01",
                amount_fen=amount_fen,
                spending="aid",
                payee="persons",
                purpose="慰问",
                on="2026-07-03",
            )
            for each in (allocate, pay):
                await _both(sequencer, each)


async def in_sql(store: Store, codes: Sequence[str], *, count: int, what: str) -> str:
    """A row of the table: the two questions that say where a code's gift is, which it is and how it went on."""
    database = setup.database(store.settings, store.server.url(), "reader", pool_size=2, by_index=True)
    receipts = Receipts(database, LookupKeys.read(store.settings.lookup))
    try:
        async with database.raw() as connection:
            taken = []
            for _ in range(count + 200):
                code = secrets.choice(codes)
                began = time.perf_counter()
                (seq,) = await receipts.find(code)
                await forward(connection, seq)
                taken.append((time.perf_counter() - began) * 1000)
    finally:
        await database.close()
    ordered = sorted(taken[200:])
    per_second = 1000 * len(ordered) / sum(ordered)
    return f"| {what} | 1 | {per_second:,.0f} | {percentile(ordered, 50):.2f} | {percentile(ordered, 99):.2f} |"


async def over_http(  # noqa: PLR0913  each is given by its name
    store: Store, codes: Sequence[str], folder: Path, *, clients: int, seconds: float, what: str
) -> str:
    """A row of the table: POST /api/v1/trace, or /trace for a page, answered by as many processes as processors."""
    two = replace(store, settings=store.settings.model_copy(update={"public_workers": PROCESSES}))
    async with program(two, "public") as public:
        ask = partial(wrk.traces, codes, folder, port=public.port, clients=clients, as_page=what == "page")
        await ask(seconds=1)
        found = await ask(seconds=int(seconds))
    if found is None:
        return f"| {what} | {clients} | wrk is not installed | | |"
    return f"| {what} | {clients} | {found.per_second:,.0f} | {found.p50_ms:.1f} | {found.p99_ms:.1f} |"


async def codes_of_import(store: Store, folder: Path) -> list[str]:
    """Receipt codes of the newest import, fetched as an operator does: a million of them, random ones, at most."""
    path = folder / "codes.csv"
    async with writing(store) as resources, resources.database.raw() as connection:
        batch = await connection.fetchval("select max(seq) from import_batch where completed_seq is not null")
    async with program(store, "admin"):
        await command(store, "import", "codes", str(batch), "--out", str(path), token=store.tokens["maker"])
    codes: list[str] = []
    with path.open(newline="") as file:
        for place, row in enumerate(csv.DictReader(file)):
            if place < MOST_CODES:
                codes.append(row["receipt_code"])
            elif (kept := secrets.randbelow(place + 1)) < MOST_CODES:  # reservoir sampling: each as likely as any
                codes[kept] = row["receipt_code"]
    return codes


async def _both(sequencer: Sequencer, each: AllocateMoney | DisburseMoney) -> None:
    outcome = await sequencer.submit(each)
    assert isinstance(outcome, Sequenced)
    if outcome.entries[0].kind == "proposal.made":
        await sequencer.submit(ApproveProposal(maker=demo.CHECKER, proposal=outcome.entries[0].seq))
