"""How fast gifts get in: through the sequencer, through the admin application, from a sheet."""

import asyncio
import itertools
import json
import os
import time
from pathlib import Path

import asyncpg

from bench.load import Load, Request, load
from bench.store import CITY, Program, Store, command, program, writing
from ledger import collector, demo
from ledger.privacy import Identity
from ledger.store.vault import Gift


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


async def over_http(store: Store, *, clients: int, seconds: float) -> tuple[Load, float]:
    """POST /api/v1/gifts with token and Idempotency-Key; also the application's peak memory."""

    def requests() -> "itertools.chain[Request]":
        return itertools.chain.from_iterable(map(_post, itertools.repeat(store.tokens["maker"]), itertools.count()))

    async with program(store, "admin") as admin:
        await load(itertools.islice(requests(), 200), port=admin.port, connections=clients, count=200)
        measured = await load(
            itertools.islice(requests(), 200, None), port=admin.port, connections=clients, seconds=seconds
        )
        return measured.only(201), admin.rss_mib()


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


def _post(token: str, number: int) -> list[Request]:
    body = {
        "org": CITY,
        "fund": "general",
        "amount_fen": 10_000,
        "channel": "bank",
        "channel_ref": f"http-{number}",
        "on": "2026-07-01",
        "donor": {"name": "张*"},
    }
    headers = {
        "authorization": f"Bearer {token}",
        "idempotency-key": f"bench-{number}",
        "content-type": "application/json",
    }
    return [Request("POST", "/api/v1/gifts", headers, json.dumps(body).encode())]


def _write_sheet(path: Path, gifts: int, first: int) -> None:
    with path.open("w") as file:
        file.write("day,transaction_no,amount_cny\n")
        for number in range(first, first + gifts):
            file.write(f"2026-07-01,{number:028d},{number % 500 + 1}.{number % 100:02d}\n")


async def _proposal(store: Store) -> int:
    number: int = await _ask(store, "select max(seq) from proposal where command = 'import.approved'")
    return number


async def _completed(store: Store, proposal: int, admin: Program) -> None:
    question = "select count(*) from import_batch where seq > $1 and completed_seq is not null"
    while not await _ask(store, question, proposal):
        if admin.process.returncode is not None:
            raise RuntimeError("the admin application ended")
        await asyncio.sleep(0.1)


async def _ask(store: Store, question: str, *arguments: object) -> int:
    connection = await asyncpg.connect(store.server.url(), server_settings={"search_path": store.settings.log})
    try:
        found: int = await connection.fetchval(question, *arguments)
        return found
    finally:
        await connection.close()
