"""How fast the public application answers: figures as of any entry and now, lists by page and whole."""

import itertools
import secrets
import time
from collections.abc import Iterator

import httpx

from bench.load import Load, Request, load
from bench.store import Store, program
from ledger.store import setup

MEASURES = (
    "measure=received&by=month,channel,donor_class",
    "measure=received&by=event,region,category",
    "measure=unspent&by=org,fund,project",
    "measure=paid&by=month,project",
)


async def figures(store: Store, *, clients: int, seconds: float, is_pinned: bool) -> Load:
    """GET /api/v1/figures, of random entries or of now."""
    last = await _last(store)
    asked = itertools.cycle(MEASURES)
    requests = (
        Request("GET", f"/api/v1/figures?{each}{f'&as_of={secrets.randbelow(last)}' if is_pinned else ''}")
        for each in asked
    )
    return await _measured(store, requests, clients=clients, seconds=seconds)


async def pages(store: Store, *, clients: int, seconds: float) -> Load:
    """GET /api/v1/gifts from random places on, with count and sum of the whole list."""
    last = await _last(store)
    requests = (
        Request("GET", f"/api/v1/gifts?fund=general&after={secrets.randbelow(last)}") for _ in itertools.count()
    )
    return await _measured(store, requests, clients=clients, seconds=seconds)


async def download(store: Store, suffix: str) -> tuple[float, float, int]:
    """All gifts as a file: seconds, MiB that the process grew by, rows. Its libraries are loaded before."""
    async with (
        program(store, "public") as public,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{public.port}", timeout=None) as client,
    ):
        (await client.get(f"/api/v1/gifts.{suffix}?until=1900-01-01")).raise_for_status()
        before, started_at = public.rss_mib(), time.perf_counter()
        async with client.stream("GET", f"/api/v1/gifts.{suffix}") as answer:
            answer.raise_for_status()
            async for _ in answer.aiter_raw():
                pass
        took_s = time.perf_counter() - started_at
        return took_s, public.rss_mib() - before, int(answer.headers["sunledger-rows"])


def line(what: str, measured: Load, wanted: str) -> str:
    """A row of the table."""
    return (
        f"| {what} | {measured.requests_per_second:,.0f} | {measured.p50_ms:.1f} | {measured.p99_ms:.1f} | {wanted} |"
    )


async def _measured(store: Store, requests: Iterator[Request], *, clients: int, seconds: float) -> Load:
    async with program(store, "public") as public:
        await load(requests, port=public.port, connections=clients, count=100)
        return (await load(requests, port=public.port, connections=clients, seconds=seconds)).only(200)


async def _last(store: Store) -> int:
    database = setup.database(store.settings, store.server.url(), "reader", pool_size=1)
    try:
        async with database.raw() as connection:
            seq: int = await connection.fetchval("select seq from head")
            return seq
    finally:
        await database.close()
