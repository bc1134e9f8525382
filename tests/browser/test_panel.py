"""The panel of the trace page where things are not as usual: old, away, not published; one code for two donors."""

import base64
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from ledger import entries
from tests.browser.given import OTHER_REFERENCE, SEEN_AT_S, Evidence, box_with, seen
from tests.browser.served import Served, send
from tests.browser.test_pages import DONE, STEPS, look_up
from tests.browser.test_pages import served as forged
from tests.browser.test_states import reads_well
from tests.support.browser import Page
from tests.support.office import Office, gift

pytestmark = pytest.mark.browser

UNDATED = "这条记录与签名的总账相符，看不出截至何时"
AMBER = "(() => { document.body.style.color = 'var(--warn)'; return getComputedStyle(document.body).color; })()"
HELD = """
window.waits = [];
window.usual = window.setTimeout;
window.setTimeout = (wake, ms) => { window.waits.push(ms); window.go = wake; };
"""
"""A page waits until the test lets it go on."""


@asynccontextmanager
async def device(page: Page, script: str = "", *, ahead_days: int = 0) -> AsyncGenerator[None]:
    """Pages opened meanwhile find another clock, and what the script makes of their browser."""
    source = f"{script} const wall = Date.now; Date.now = () => wall() + {ahead_days * 86_400_000};"
    made = await page.send("Page.addScriptToEvaluateOnNewDocument", source=source)
    yield
    await page.send("Page.removeScriptToEvaluateOnNewDocument", identifier=made["identifier"])


async def start(page: Page, address: str, code: str, until: str, language: str = "") -> None:
    """From the printed link to where the page has come so far, in a tab that was used before."""
    await page.value("window.left = true")
    await page.open(f"{address}{language}/r#{code}")
    await page.until(f"window.left === undefined && {until}")


async def told(page: Page) -> tuple[str, str, str]:
    """State, headline and explanation of the panel."""
    parts = "['h2', '[data-sub]'].map((each) => document.getElementById('ver').querySelector(each).textContent)"
    state, head, sub = await page.value(f"[document.getElementById('ver').dataset.state, ...{parts}]")
    return state, head, sub


async def look(page: Page, address: str, code: str) -> tuple[str, str, str]:
    """What the panel comes to."""
    await start(page, address, code, DONE)
    return await told(page)


async def test_the_panel_says_as_of_when_enough_witnesses_saw_what_it_checked_and_is_not_green(
    page: Page, address: str, kept: Evidence
) -> None:
    """Both are asked for: that one saw it lately is not enough."""
    await page.instead(forged(seen(kept, 0, 3)))
    assert await look_up(page, address, kept.code) == "stale"
    assert {each for _, each in await page.value(STEPS)} == {"passed"}
    _, head, sub = await told(page)
    assert head == "截至 5 天前，这条记录与签名的总账相符"
    assert head == await page.value("document.querySelector('[data-verified]').textContent")
    assert "见证机构最近会签在 5 天前（按您设备的时钟）" in sub
    assert await page.value("getComputedStyle(document.querySelector('#ver h2')).color") == await page.value(AMBER)
    assert await page.value("window.shifted") == 0


async def test_without_witnesses_the_last_entry_says_how_old_the_ledger_is(page: Page, served: Served) -> None:
    """It has to be proven like any: a later time in its bytes would make an old ledger new."""
    code = [*served.codes.values()][1]
    async with device(page, ahead_days=5):
        state, head, sub = await look(page, served.address, code)
        assert (state, head) == ("stale", "截至 5 天前，这条记录与签名的总账相符")
        assert "总账的最后一条记于 5 天前（按您设备的时钟）" in sub
        assert "不能排除本站给不同的人看不同的账本" in sub
        async with httpx.AsyncClient() as http:
            size = int((await http.get(f"{served.address}/log/checkpoint")).text.splitlines()[1])
        at = entries.instant(datetime.fromtimestamp(SEEN_AT_S, UTC) + timedelta(days=6)).encode()
        changed = {
            f"/entries/{size - 1}/bytes": lambda data: re.sub(rb'"at":"[^"]+"', b'"at":"%b"' % at, data, count=1)
        }
        await page.instead(changed)
        assert (await look(page, served.address, code))[:2] == ("stale", UNDATED)
    await page.instead({})
    async with device(page, ahead_days=-1):
        state, head, sub = await look(page, served.address, code)
        assert (state, head) == ("stale", UNDATED)
        assert "您设备的时钟可能慢了" in sub


async def test_what_does_not_arrive_blames_nobody(page: Page, served: Served) -> None:
    await page.send("Network.setBlockedURLs", urls=["*/log/policy"])
    state, head, sub = await look(page, served.address, [*served.codes.values()][1])
    assert (state, head) == ("offline", "没有取到核验所需的文件")
    assert "这不说明账本有问题" in sub
    assert "✓" not in await page.value("document.getElementById('ver').innerText")


async def test_a_gift_that_is_not_published_is_waited_for_and_never_for_ever_called_new(
    page: Page, address: str, office: Office, axe_script: str
) -> None:
    publisher = office.resources.publisher
    assert publisher is not None
    await publisher.stop()
    made = (await office.post("gifts", gift(channel_ref="not published"))).json()
    code = made["receipt_code"]
    for language, ahead_days, expected, headline, said in (
        ("", 4, "late", "这一条还没有签名公布", "它记于 4 天前"),
        ("", 0, "unpublished", "这一条还没有签名公布", "请稍后刷新"),
        ("/en", 4, "late", "This entry is not published under a signature yet", "4 days ago"),
        ("/en", 0, "unpublished", "This entry is not published under a signature yet", "reload this page"),
    ):
        async with device(page, HELD, ahead_days=ahead_days):
            await start(page, address, code, "window.waits && window.waits.length === 1", language)
            for count in range(2, 4):
                await page.value("window.go()")
                await page.until(f"window.waits.length === {count}")
            await page.value("window.go()")
            await page.until(DONE)
        assert await page.value("window.waits") == [1000, 2000, 4000], "and no more"
        state, head, sub = await told(page)
        assert (state, head) == (expected, headline)
        assert said in sub
        await page.value("(() => { window.setTimeout = window.usual; })()")  # axe waits, too
        await reads_well(page, axe_script, (expected, language))
    for language, headline in (("", "还没有签名公布"), ("/en", "not published under a signature yet")):
        await send(page, f"{address}{language}/dossier", code=code, seq=str(made["entries"][0]["seq"]))
        assert headline in await page.value("document.querySelector('h1').textContent")
        await reads_well(page, axe_script, ("not published", language))
    async with device(page, HELD):
        await start(page, address, code, "window.waits && window.waits.length === 1")
        await publisher.step()
        await page.value("window.go()")
        await page.until(DONE)
    assert (await told(page))[0] == "unwitnessed"
    assert await page.value("window.waits") == [1000]


async def test_a_donor_who_was_given_another_donors_code_sees_whose_payment_it_is(page: Page, served: Served) -> None:
    """Two payments of one amount, on one day, by one channel: one is entered, and its code is printed for both donors.

    All is true of the entry, and every step passes. What the second donor can see is a payment number that is not hers;
    and a keeper who knows the code cannot show her her own.
    """
    code = [*served.codes.values()][1]
    assert (await look(page, served.address, code))[0] == "unwitnessed"
    said = await page.value("document.querySelector('[data-step=donor]').innerText")
    assert "银行转账，流水号 20260622000004。请与您的付款记录核对" in said
    box = await page.value("document.getElementById('ver').dataset.box")
    other = base64.b64encode(box_with(base64.b64decode(box), code, OTHER_REFERENCE))
    await page.instead({"/trace": lambda html: html.replace(box.encode(), other)})
    assert (await look(page, served.address, code))[0] == "failed"
    assert [name for name, state in await page.value(STEPS) if state == "failed"] == ["donor"]
    assert OTHER_REFERENCE not in await page.value("document.getElementById('ver').innerText")
