"""Pages in the states that no link leads to, by axe: what a check found, old data, trouble, an empty ledger."""

import json
import re
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any

import pytest
from structlog.testing import capture_logs

from api.limits import Rates
from ledger.settings import Settings
from ledger.store.database import Database
from public_site.appearance import Appearance
from tests.browser.conftest import Genuine
from tests.browser.given import Evidence, amount_changed, cosignature_removed, seen
from tests.browser.served import SETTLED, WIDTHS, Served, arrive, send, served_with
from tests.browser.test_pages import STEPS, look_up
from tests.browser.test_pages import served as forged
from tests.support import axe
from tests.support.browser import Browser, Page
from tests.support.program import free_port

pytestmark = pytest.mark.browser

LANGUAGES = ("", "/en")
"""Beginnings of addresses."""
WECHAT = "Mozilla/5.0 (Linux; Android 13) MicroMessenger/8.0"
FISCAL = {"code": "33080126", "number": "0000100002", "check_code": "demo01", "amount": "10000"}
"""As the demo's story prints it."""
NO_OWN_ENGINE = {".js": lambda data: data.replace(b"const MASK = (1n <<", b"const MASK = (1q <<")}
Changes = Mapping[str, Callable[[bytes], bytes]]


async def reads_well(page: Page, axe_script: str, what: object, widths: tuple[int, ...] = WIDTHS) -> None:
    """On every screen, and to somebody who hears it, too."""
    for width in widths:
        await page.size(width)
        await page.value(SETTLED)
        assert await page.value("document.documentElement.scrollWidth") <= width, (what, width)
        assert await axe.violations(page, axe_script) == [], (what, width)


def panels(kept: Evidence) -> dict[str, tuple[str, str, Changes, str]]:
    """State → engine, browser's name, what is served in place of the truth, what the panel comes to."""
    return {
        "passed with witnesses": ("native", "", forged(kept), "passed"),
        "an entry was changed": ("native", "", forged(amount_changed(kept)), "failed"),
        "a cosignature is missing": ("native", "", forged(cosignature_removed(kept)), "failed"),
        "witnesses saw it days ago": ("native", "", forged(seen(kept, 0, 3)), "stale"),
        "it cannot be told when": ("native", "", forged(seen(kept, -10, -10)), "stale"),
        "no witnesses": ("native", "", {}, "unwitnessed"),
        "no browser of hers can check": ("insecure", "", NO_OWN_ENGINE, "impossible"),
        "nothing arrives": ("native", "", {}, "offline"),
        "in WeChat": ("native", WECHAT, forged(kept), "passed"),
    }


@pytest.mark.parametrize("language", LANGUAGES)
async def test_what_the_donors_browser_found_reads_well_for_everybody(
    chromium: Browser, genuine: Genuine, axe_script: str, language: str
) -> None:
    for what, (engine, agent, changes, state) in panels(genuine.kept).items():
        async with chromium.page() as page:
            if agent:
                await page.send("Emulation.setUserAgentOverride", userAgent=agent)
            if state == "offline":
                await page.send("Network.setBlockedURLs", urls=["*/log/policy"])
            await page.instead(changes)
            assert await look_up(page, genuine.address, genuine.code, engine, language) == state, what
            assert await page.value("document.querySelector('[data-wechat]').offsetHeight > 0") == bool(agent)
            await reads_well(page, axe_script, (what, language))


async def test_a_log_that_is_not_signed_has_nothing_to_check_and_reads_well_for_everybody(
    page: Page, told: Settings, axe_script: str
) -> None:
    code = [*json.loads((told.data_dir / "demo.json").read_text())["codes"].values()][1]
    async with served_with(told) as address:
        for language, said in zip(LANGUAGES, ("还没有设签名密钥", "no signing key yet"), strict=True):
            assert await look_up(page, address, code, language=language) == "unsigned"
            assert {state for _, state in await page.value(STEPS)} == {None}, "nothing is ticked"
            assert not any("/log/" in each for each in page.asked), "and nothing asked for"
            await reads_well(page, axe_script, ("unsigned", language))
            await arrive(page, f"{address}{language}/verify")
            assert said in await page.value("document.querySelector('.status').textContent")
            await reads_well(page, axe_script, ("verify", language))


@pytest.mark.parametrize("state", ["passed", "failed"])
async def test_the_way_of_the_money_followed_reads_well_for_everybody(
    chromium: Browser, genuine: Genuine, axe_script: str, state: str
) -> None:
    """With everything open that the page keeps folded."""
    lies = {"/trace": lambda html: html.replace(b'<span data-part-of="47">', b'<span data-part-of="47">1')}
    for language in LANGUAGES:
        async with chromium.page() as page:
            await page.instead(lies if state == "failed" else {})
            assert await look_up(page, genuine.address, genuine.code, "native", language) == "unwitnessed"
            await page.value("document.querySelector('[data-follow]').click()")
            assert await page.until("document.querySelector('[data-trail]').dataset.state") == state
            await page.value("document.querySelectorAll('main details').forEach((each) => { each.open = true; })")
            await reads_well(page, axe_script, (state, language))


@pytest.mark.parametrize("language", ["zh-Hans", "en"])
async def test_a_look_up_by_fiscal_receipt_reads_well_for_everybody(
    chromium: Browser, served: Served, axe_script: str, language: str
) -> None:
    async with chromium.page() as page:
        for amount, is_found in (("10000", True), ("9999", False)):
            await arrive(page, served.url("/", language))
            await send(page, served.url("/trace/fiscal", language), **{**FISCAL, "amount": amount})
            said = await page.value("document.querySelector('main').innerText")
            assert bool(re.search("10,000", said)) == is_found
            await reads_well(page, axe_script, (amount, language))


async def test_old_data_a_pause_and_trouble_read_well_for_everybody(
    chromium: Browser, told: Settings, axe_script: str
) -> None:
    nowhere = f"postgresql://127.0.0.1:{free_port()}/none"
    away = Database(nowhere, told.log, user="nobody", password="none", pool_size=2)
    cases: dict[str, tuple[dict[str, Any], str]] = {
        "old data": ({"look": Appearance(stale_hours=-1)}, ".asof.old"),
        "read-only": ({"look": Appearance(is_read_only=True)}, "main"),
        "too often": ({"rates": Rates(requests_per_minute=1)}, "main"),
        "no database": ({"database": away, "by_index": away, "visits": None}, "main"),
    }
    said: dict[str, str] = {}
    async with AsyncExitStack() as stack:
        stack.enter_context(capture_logs())  # tracebacks with all they saw take seconds to draw
        for what, (resources, shown) in cases.items():
            address = await stack.enter_async_context(served_with(told, **resources))
            async with chromium.page() as page:
                for language in LANGUAGES:
                    for path in ("/verify", "/projects"):  # the second may be too often
                        await arrive(page, f"{address}{language}{path}")
                    assert await page.value(f"document.querySelector('{shown}').offsetHeight > 0"), what
                    said[what + language] = await page.value("document.body.innerText")
                    said[what + language] += " ".join(each for each in page.said)
                    await reads_well(page, axe_script, (what, language))
    await away.close()
    assert "429" in said["too often"]
    assert "503" in said["no database"]
    assert "数据较旧" in said["old data"]
    assert said["read-only"] != said["old data"]
