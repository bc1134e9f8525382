"""How fast gifts get in: through the sequencer, through the admin application, from a sheet."""

import asyncio
import itertools
import os
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import asyncpg

from bench import baseline as insert_trigger
from bench import wrk
from bench.store import CITY, Program, Store, command, program, slower_disk, writing
from bench.wrk import Answered
from ledger import collector, demo
from ledger.privacy import Identity
from ledger.store.vault import Gift

SLOWER_BY_MS = 1
"""The baseline flushes once a gift, the ledger once a batch: which of them is faster depends on the disk."""


async def report(store: Store, folder: Path, baseline: Mapping[int, float], *, gifts: int, seconds: float) -> None:
    """Print the sections. `baseline`: gifts a second of what a user would pick instead, by number of clients."""
    best = max(baseline.values())
    print("\n## Writing\n\n| what | gifts/s | wanted | × baseline at the same clients | × baseline at its best |")
    print("| --- | --- | --- | --- | --- |")
    rate = await sequencer(store, writers=32, seconds=seconds)
    print(f"| sequencer, 32 writers | {rate:,.0f} | ≥ 4 × | {rate / baseline[32]:.1f} | {rate / best:.1f} |")
    posted, rss = await over_http(store, folder, clients=16, seconds=seconds)
    if posted is None:
        print("\nHTTP POST: wrk is not installed")
    else:
        rate = posted.per_second
        print(f"| admin HTTP POST, 16 clients | {rate:,.0f} | ≥ 2 × | {rate / baseline[16]:.1f} | {rate / best:.1f} |")
        print(f"\nHTTP POST: p50 {posted.p50_ms:.1f} ms, p99 {posted.p99_ms:.1f} ms (wanted < 20), RSS {rss:.0f} MiB")
        async with slower_disk(store, by_ms=SLOWER_BY_MS):
            slow = await insert_trigger.measure(
                store.server.url(), store.server.bin, clients=(16,), seconds=int(seconds)
            )
            posted, _ = await over_http(store, folder, clients=16, seconds=seconds)
        assert posted is not None
        alone, ours = slow[16].transactions_per_second, posted.per_second
        print(
            f"\nWere each flush to disk {SLOWER_BY_MS} ms slower, as on many disks (commit_delay): baseline at 16"
            f" clients {alone:,.0f}/s, HTTP POST {ours:,.0f}/s: {ours / alone:.1f} ×"
        )

    check_s, enter_s, rss = await from_sheet(store, folder / "sheet.csv", gifts=gifts)
    total = gifts / (check_s + enter_s)
    print(f"\n## Import of a sheet of {gifts:,} gifts\n")
    print(f"check and propose {check_s:.1f} s ({gifts / check_s:,.0f}/s),")
    print(f"approve and enter {enter_s:.1f} s ({gifts / enter_s:,.0f}/s):")
    print(f"end to end **{total:,.0f} gifts/s** (wanted ≥ 15,000, aim 25,000), RSS {rss:.0f} MiB (wanted < 300)")


async def sequencer(store: Store, *, writers: int, seconds: float) -> float:
    """Gifts a second of so many writers in the sequencer's own process; each waits for its commit."""
    async with writing(store) as resources:
        collector.ease()  # as the application does
        numbers = itertools.count()
        until = time.perf_counter() + seconds

        async def writer() -> int:
            done = 0
            while time.perf_counter() < until:
                gift = Gift(
                    maker=demo.MAKER,
                    org=CITY,
                    fund="general",
                    amount_fen=10_000,
                    channel="bench",
                    channel_ref=f"{os.getpid()}-{writers}-{next(numbers)}",
                    on="2026-07-01",
                    donor_class="person",
                    identity=Identity(name="张*"),
                )
                await resources.sequencer.submit(resources.sealer.seal(gift))
                done += 1
            return done

        began = time.perf_counter()
        done = sum(await asyncio.gather(*(writer() for _ in range(writers))))
        return done / (time.perf_counter() - began)


async def over_http(store: Store, folder: Path, *, clients: int, seconds: float) -> tuple[Answered | None, float]:
    """POST /api/v1/gifts with token and Idempotency-Key; also the application's peak memory."""
    async with program(store, "admin") as admin:
        post = partial(wrk.gifts, _GIFT, store.tokens["maker"], folder, port=admin.port, clients=clients)
        await post(seconds=1)
        return await post(seconds=int(seconds)), admin.rss_mib()


async def from_sheet(store: Store, path: Path, *, gifts: int, first: int = 0) -> tuple[float, float, float]:
    """Seconds to check a sheet and propose it, seconds to approve and enter it, the application's peak memory."""
    _write_sheet(path, gifts, first)
    async with program(store, "admin") as admin:
        began = time.perf_counter()
        arguments = ("import", "gifts", str(path), "--profile", "wuhan-qr-2020", "--org", CITY, "--fund", "general")
        await command(store, *arguments, token=store.tokens["maker"])
        checked = time.perf_counter()
        proposal = await _proposal(store)
        await command(store, "import", "approve", str(proposal), "--no-wait", token=store.tokens["checker"])
        await _completed(store, proposal, admin)
        entered = time.perf_counter()
        return checked - began, entered - checked, admin.rss_mib()


_GIFT = {
    "org": CITY,
    "fund": "general",
    "amount_fen": 10_000,
    "channel": "bank",
    "on": "2026-07-01",
    "donor": {"name": "张*"},
}


def _write_sheet(path: Path, gifts: int, first: int) -> None:
    with path.open("w") as file:
        file.write("day,transaction_no,amount_cny\n")
        for number in range(first, first + gifts):
            file.write(f"2026-07-01,{number:028d},{number % 500 + 1}.{number % 100:02d}\n")


async def _proposal(store: Store) -> int:
    async with _connected(store) as connection:
        number: int = await connection.fetchval("select max(seq) from proposal where command = 'import.approved'")
    return number


async def _completed(store: Store, proposal: int, admin: Program) -> None:
    question = "select count(*) from import_batch where seq > $1 and completed_seq is not null"
    async with _connected(store) as connection:  # one for all: to log in costs more than to ask
        while not await connection.fetchval(question, proposal):
            if admin.process.returncode is not None:
                raise RuntimeError("the admin application ended")
            admin.rss_mib()
            await asyncio.sleep(0.1)


@asynccontextmanager
async def _connected(store: Store) -> AsyncGenerator[asyncpg.Connection]:
    connection = await asyncpg.connect(store.server.url(), server_settings={"search_path": store.settings.log})
    try:
        yield connection
    finally:
        await connection.close()
