"""What publishing costs: an import with and without it, how far checkpoints lag behind, how long a proof takes."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncGenerator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import asyncpg

from bench.load import Load, Request, load, percentile
from bench.store import Store, at_rest, program
from bench.writes import from_sheet
from ledger.store import signing

GIFTS = 100_000
"""Of each import."""

TURNS = 2
"""An import alone, one beside publishing, and so on: the machine is not the same from one to the next."""

SAMPLE_S = 0.02
POLL_S = 0.2
PROOFS = 2_000


class Sample(NamedTuple):
    """How far the log had come."""

    at_s: float
    sequenced: int
    published: int


async def measure(store: Store, folder: Path) -> Store:
    """Print the section; answers the store as one that signs. Watched alike with and without: watching costs too."""
    sheet = folder / "more.csv"
    passphrase = store.settings.data_dir / "passphrase"
    passphrase.write_text("only for this measurement")
    signs = replace(store, settings=store.settings.model_copy(update={"signing_passphrase_file": passphrase}))
    signing.create(signs.settings.signing, signs.settings.passphrase)
    signs.settings.signing.rename(away := folder / "signing.pem")  # without its key nothing is published
    size = 0
    took_s: dict[bool, float] = {False: 0.0, True: 0.0}
    lags: list[float] = []
    for turn in range(2 * TURNS):
        is_beside = turn % 2 == 1
        if is_beside:
            away.rename(store.settings.signing)
            size = await _catch_up(signs, is_first=turn == 1)
        async with _watched(store) as (samples, stop):
            _, enter_s, _ = await from_sheet(
                signs if is_beside else store, sheet, gifts=GIFTS, first=(turn + 1) * 10**9
            )
            stop.set()
        took_s[is_beside] += enter_s / TURNS
        if is_beside:
            lags += lags_s(samples)
            if turn < 2 * TURNS - 1:
                store.settings.signing.rename(away)
    lags.sort()
    cost = 100 * (took_s[True] / took_s[False] - 1)
    print(
        f"entering {GIFTS:,} gifts: {took_s[False]:.1f} s without, {took_s[True]:.1f} s with it: {cost:+.0f} %"
        f" (wanted < 10 %; mean of {TURNS} in turns)"
    )
    print(
        f"checkpoint lag meanwhile: p50 {percentile(lags, 50):.2f} s, p99 {percentile(lags, 99):.2f} s (wanted < 1.5)"
    )
    await at_rest(signs)
    proofs = await _proofs(signs, size)
    print(f"proof of one entry over HTTP: p50 {proofs.p50_ms:.1f} ms, p99 {proofs.p99_ms:.1f} ms (wanted < 5)")
    return signs


async def _catch_up(store: Store, *, is_first: bool) -> int:
    """Have all there is published; how much that is."""
    began = time.perf_counter()
    async with program(store, "admin"), _watched(store) as (samples, _):
        while not samples or samples[-1].published < samples[-1].sequenced:  # noqa: ASYNC110  the database tells nobody
            await asyncio.sleep(POLL_S)
    size = samples[-1].published
    if is_first:
        print(f"\n## Publishing\n\n{size:,} entries from nothing: {size / (time.perf_counter() - began):,.0f}/s")
    return size


def lags_s(samples: list[Sample]) -> Iterator[float]:
    """For each moment, how long it took until what was sequenced then was published."""
    later = iter(samples)
    now = next(later)
    for sample in samples:
        while now.published < sample.sequenced:
            if (following := next(later, None)) is None:
                return  # the program was stopped before
            now = following
        yield max(0.0, now.at_s - sample.at_s)


@contextlib.asynccontextmanager
async def _watched(store: Store) -> AsyncGenerator[tuple[list[Sample], asyncio.Event]]:
    samples: list[Sample] = []
    stop = asyncio.Event()

    async def watch() -> None:
        connection = await asyncpg.connect(store.server.url(), server_settings={"search_path": store.settings.log})
        try:
            while not stop.is_set():
                sequenced, published = await connection.fetchrow(_PROGRESS)
                samples.append(Sample(time.perf_counter(), sequenced, published))
                await asyncio.sleep(SAMPLE_S)
        finally:
            await connection.close()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(watch())
        try:
            yield samples, stop
        finally:
            stop.set()


async def _proofs(store: Store, size: int) -> Load:
    requests = (Request("GET", f"/log/proof/{secrets.randbelow(size)}") for _ in range(PROOFS + 200))
    async with program(store, "public") as public:
        await load((next(requests) for _ in range(200)), port=public.port, connections=1, count=200)
        return (await load(requests, port=public.port, connections=1, count=PROOFS)).only(200)


_PROGRESS = """
  select (select seq + 1 from head), coalesce((select size from checkpoint order by size desc limit 1), 0)
"""
