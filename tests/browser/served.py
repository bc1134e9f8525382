"""A site in a browser: where its pages are, and arriving there."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from api.public import app as public
from ledger.settings import Settings
from ledger.store import setup
from ledger.store.keys import LookupKeys
from ledger.store.queries.visits import Visits
from tests.support.browser import Page
from tests.support.listening import listening
from tests.support.office import CITY, Office, gift

SITE = "https://ledger.example"
"""Where its printed links say it is."""
WIDTHS = (320, 390, 1440)
DAY = "2026-07-02"
WATCH = """
window.shifted = [];
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) {
    if (each.hadRecentInput) continue;
    const moved = each.sources.map(({ node, previousRect, currentRect }) =>
      [node && (node.outerHTML || node.data), previousRect, currentRect]);
    window.shifted.push(JSON.stringify([each.value, moved]));
  }
}).observe({ type: "layout-shift", buffered: true });
"""
SETTLED = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
_CORRECTION = {
    "org": CITY, "on": DAY, "reason": "金额录入有误",
    "statement": "录入时多写了一个零，收到的是 80 元。原记录保留，更正后另记一笔。",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A site and what is known of its ledger."""

    address: str
    numbers: dict[str, int]
    codes: dict[str, str]
    """Of the story's gifts, then of those that something happened to."""

    def url(self, path: str, language: str = "zh-Hans") -> str:
        """Where a page is; `path` may name numbers of entries."""
        there = path.format(**self.numbers)
        return self.address + ("/en" + there.removesuffix("/") if language == "en" else there)


@asynccontextmanager
async def served_with(settings: Settings, **resources: Any) -> AsyncGenerator[str]:
    """The site on this log, otherwise than it usually is."""
    assert settings.database_url is not None
    database = setup.database(settings, settings.database_url, "reader", pool_size=4)
    lookup = LookupKeys.read(settings.lookup)
    given = {"database": database, "lookup": lookup, "visits": Visits(database, lookup), **resources}
    try:
        async with listening(public.build(public.Resources(**given))) as address:
            yield address
    finally:
        await database.close()


async def happen(office: Office) -> tuple[dict[str, int], dict[str, str]]:
    """One gift entered wrongly and taken back, one entered right again, two given back: numbers and codes."""
    wrong, taken_back = await _give(office, "a wrong one", 80_000)
    correction = (await _agree(office, "reversals", {**_CORRECTION, "ref": wrong}))[-1]["seq"]
    other, corrected = await _give(office, "another wrong one", 90_000)
    await _agree(office, "reversals", {**_CORRECTION, "ref": other})
    await _agree(
        office, "right-gifts", {"org": CITY, "corrects": other, "fund": "general", "amount_fen": 9_000, "on": DAY}
    )
    codes = {"更正作废": taken_back, "已更正": corrected}
    for what, amount_fen in (("已全部退回", 0), ("退回一部分", 2_000)):
        seq, codes[what] = await _give(office, what, 7_000)
        refund = {"org": CITY, "ref": seq, "on": DAY, "reason": "捐赠人申请", "amount_fen": amount_fen}
        await _agree(office, "refunds", refund)
    return {"wrong": wrong, "correction": correction}, codes


async def _give(office: Office, channel_ref: str, amount_fen: int) -> tuple[int, str]:
    answer = (await office.post("gifts", gift(channel_ref=channel_ref, amount_fen=amount_fen))).json()
    return answer["entries"][0]["seq"], answer["receipt_code"]


async def _agree(office: Office, path: str, body: object) -> list[dict[str, Any]]:
    answer = await office.post(path, body)
    if answer.status_code == 202:
        answer = await office.post(f"proposals/{answer.json()['proposal']}/approval", who="checker")
    assert answer.status_code == 201, answer.text
    return list(answer.json()["entries"])


async def go(page: Page, address: str) -> None:
    """Open a page and wait until it is loaded; for pages whose scripts are off, too."""
    await page.value("window.left = true")  # it may be the page that is open
    await page.open(address)
    is_there = f"location.href === {json.dumps(address)} && document.querySelector('main') !== null"
    await page.until(f"window.left === undefined && document.readyState === 'complete' && {is_there}")


async def arrive(page: Page, address: str) -> None:
    """Open a page and wait until it is drawn."""
    await go(page, address)
    await page.value(SETTLED)


async def send(page: Page, address: str, **fields: str) -> None:
    """Post a form from the page that is open, and wait until its answer is loaded."""
    inputs = "".join(f"append({json.dumps(name)}, {json.dumps(value)});" for name, value in fields.items())
    await page.value(
        "(() => { const form = document.createElement('form'); form.method = 'post';"
        f" form.action = {json.dumps(address)};"
        " const append = (name, value) => { const input = document.createElement('input');"
        " input.type = 'hidden'; input.name = name; input.value = value; form.append(input); };"
        f" {inputs} document.body.append(form); window.leaving = true; form.submit(); }})()"
    )
    await page.until(
        f"window.leaving === undefined && location.href === {json.dumps(address)} && document.readyState === 'complete'"
    )
