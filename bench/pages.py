"""What a donor on a cheap phone waits for, what Lighthouse says, and whether times tell failed look-ups apart."""

import asyncio
import json
import os
import secrets
import shutil
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from api import main as applications
from api.observability import configure_logging
from api.public import app as application
from bench.load import Request, load
from bench.store import CITY, Program, Store, program, writing
from ledger import demo
from ledger.approvals import ApproveProposal
from ledger.erasures import EraseDonor
from ledger.privacy import ALPHABET, Identity, code_of
from ledger.store.batch import Sequenced
from ledger.store.vault import Gift
from public_site.site import Press
from public_site.words import Language
from tests.support.browser import PROGRAMS, Page, browser

LIGHTHOUSE = "lighthouse@12.8.2"
LATENCY_MS, BYTES_PER_S, CPU_SLOWER = 400, 400_000 // 8, 6
PHONE = 390
SETTLED = "new Promise((done) => setTimeout(() => requestAnimationFrame(() => done(true)), 500))"
WATCH = """
  window.largest = 0; window.shifts = 0;
  new PerformanceObserver((all) => { for (const each of all.getEntries()) window.largest = each.startTime; })
    .observe({ type: "largest-contentful-paint", buffered: true });
  new PerformanceObserver((all) => { for (const each of all.getEntries()) window.shifts += each.value; })
    .observe({ type: "layout-shift", buffered: true });
"""
BYTES = """
  [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
    .reduce((sum, each) => sum + each.transferSize, 0)
"""
RENDERS = ("/", "/trace", "/gifts", "/projects", f"/projects/{CITY}/qz-01", "/organisations", "/data", "/verify")
RENDERED = 100
"""Times that each page is asked for."""

ALIKE = 400
"""Look-ups of each sort."""


class View(NamedTuple):
    """A first visit, nothing in the browser's memory."""

    name: str
    lcp_ms: float
    wire_bytes: int
    shift: float


def has_browser() -> bool:
    """Whether there is one on this machine."""
    return any(map(shutil.which, PROGRAMS))


async def first_views(store: Store) -> list[View]:
    """On 400 kbit/s with 400 ms of latency, and a processor six times slower than this one."""
    code = next(iter(json.loads((store.settings.data_dir / "demo.json").read_text())["codes"].values()))
    async with program(store, "public") as public, browser() as chromium, chromium.page() as page:
        await page.send("Network.setCacheDisabled", cacheDisabled=True)
        await page.send("Network.emulateNetworkConditions", offline=False, latency=LATENCY_MS,
                        downloadThroughput=BYTES_PER_S, uploadThroughput=BYTES_PER_S)  # fmt: skip
        await page.send("Emulation.setCPUThrottlingRate", rate=CPU_SLOWER)
        await page.before_scripts(WATCH)
        await page.size(PHONE)
        found = []
        for name, path in (("home", "/"), ("projects", "/projects"), ("all gifts", "/gifts"), ("data", "/data")):
            await page.open(f"http://127.0.0.1:{public.port}{path}")
            found.append(await _seen(page, name, path))
        await page.open(f"http://127.0.0.1:{public.port}/")
        await page.until("document.readyState === 'complete'")
        await page.value(
            f"document.getElementById('code').value = {json.dumps(code)}; document.querySelector('#lookup').submit()"
        )
        found.append(await _seen(page, "a gift's trace", "/trace"))
        return found


async def _seen(page: Page, name: str, path: str) -> View:
    await page.until(f"document.readyState === 'complete' && location.pathname === {json.dumps(path)}")
    await page.value(SETTLED)
    return View(name, *[await page.value(each) for each in ("window.largest", BYTES, "window.shifts")])


async def renders_ms(store: Store) -> dict[str, float]:
    """Processor time that the text of a page takes when all it shows is there, in this process."""
    taken: list[float] = []
    render = Press.render

    def timed(press: Press, language: Language, name: str, /, **shown: Any) -> str:
        began = time.process_time()
        page = render(press, language, name, **shown)
        taken.append(time.process_time() - began)
        return page

    code = next(iter(json.loads((store.settings.data_dir / "demo.json").read_text())["codes"].values()))
    found: dict[str, float] = {}
    configure_logging("WARNING")
    unlimited = store.settings.model_copy(update={"requests_per_minute": 0})
    Press.render = timed  # type: ignore[method-assign]
    try:
        async with (
            applications.public_resources(unlimited, store.server.url()) as resources,
            httpx.AsyncClient(
                transport=httpx.ASGITransport(application.build(resources)),  # type: ignore[arg-type]  # its types are narrower
                base_url="http://here",
            ) as http,
        ):
            for path in RENDERS:
                taken.clear()
                for _ in range(RENDERED):
                    answer = await (http.post(path, data={"code": code}) if path == "/trace" else http.get(path))
                    answer.raise_for_status()
                found[path] = statistics.median(taken) * 1000
    finally:
        Press.render = render  # type: ignore[method-assign]
    return found


async def lighthouse(store: Store, path: str) -> Mapping[str, int] | None:
    """Its four marks out of 100 for a page; None where npx cannot get it."""
    npx, chrome = shutil.which("npx"), next(filter(None, map(shutil.which, PROGRAMS)), None)
    if npx is None or chrome is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.json"
        async with program(store, "public") as public:
            process = await asyncio.create_subprocess_exec(
                npx, "--yes", LIGHTHOUSE, f"http://127.0.0.1:{public.port}{path}", "--quiet", "--output=json",
                f"--output-path={file}", "--chrome-flags=--headless --no-sandbox --disable-gpu",
                env={**os.environ, "CHROME_PATH": chrome},
                stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
            if await process.wait() or not file.exists():
                return None
        told: dict[str, Any] = json.loads(file.read_text())["categories"]
    return {name: round(each["score"] * 100) for name, each in told.items()}


async def alike(store: Store) -> dict[str, float]:
    """The median time in ms of look-ups that find nothing, by why they do; they take turns."""
    erased = await _erased(store)
    async with _asked(store) as public:
        times: dict[str, list[float]] = {"unknown": [], "wrong check character": [], "malformed": [], "erased": []}
        for _ in range(ALIKE):
            right = code_of([secrets.randbelow(len(ALPHABET)) for _ in range(15)])
            wrong = right[:-1] + ALPHABET[(ALPHABET.index(right[-1]) + 1) % len(ALPHABET)]
            for why, code in zip(times, (right, wrong, "TRACE-ME", erased), strict=True):
                request = Request(
                    "POST", "/api/v1/trace", {"content-type": "application/json"}, json.dumps({"code": code}).encode()
                )
                once = (await load([request], port=public.port, connections=1, count=1)).only(404)
                times[why].append(once.p50_ms)
        return {why: statistics.median(each) for why, each in times.items()}


@asynccontextmanager
async def _asked(store: Store) -> "AsyncGenerator[Program]":
    async with program(store, "public") as public:
        await load([Request("GET", "/")] * 20, count=20, port=public.port, connections=1)
        yield public


async def _erased(store: Store) -> str:
    """The code of a gift whose donor's data were destroyed."""
    gift = Gift(maker=demo.MAKER, org=CITY, fund="general", amount_fen=100, channel="bank", channel_ref="erased",
                on="2026-07-02", donor_class="person", identity=Identity(name="钱*"))  # fmt: skip
    async with writing(store) as resources:
        given = await resources.sequencer.submit(resources.sealer.seal(gift))
        assert isinstance(given, Sequenced)
        erase = EraseDonor(maker=demo.MAKER, org=CITY, ref=given.entries[0].seq, basis="request")
        made = await resources.sequencer.submit(erase)
        assert isinstance(made, Sequenced)
        await resources.sequencer.submit(ApproveProposal(maker=demo.FOUNDER, proposal=made.entries[0].seq))
        return given.code


async def report(store: Store) -> None:
    """Print it all."""
    print("\n## Pages on a cheap phone\n")
    if has_browser():
        print(
            f"{LATENCY_MS} ms latency, {BYTES_PER_S * 8 // 1000} kbit/s, processor {CPU_SLOWER} x slower, no cache:\n"
        )
        print("| page | largest content painted | bytes on the wire | layout shift | wanted |")
        print("| --- | --- | --- | --- | --- |")
        for view in await first_views(store):
            print(f"| {view.name} | {view.lcp_ms / 1000:.2f} s | {view.wire_bytes:,} | {view.shift:.3f} | ≤ 2.0 s, 0 |")
        for path in ("/", "/projects"):
            marks = await lighthouse(store, path)
            said = "not there" if marks is None else " · ".join(f"{name} {mark}" for name, mark in marks.items())
            print(f"\nLighthouse, {path}: {said} (wanted ≥ 98 · 100 · 100 · 95)")
    else:
        print("NO BROWSER on this machine: nothing measured")
    rendered = " · ".join(f"{path} {ms:.2f} ms" for path, ms in (await renders_ms(store)).items())
    print(f"\nProcessor time of rendering, median of {RENDERED}: {rendered} (wanted < 3)")
    times = await alike(store)
    print("\nLook-ups that find nothing: " + " · ".join(f"{why} {ms:.2f} ms" for why, ms in times.items()))
