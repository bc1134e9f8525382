"""The panel of the trace page where things are not as usual: old, not published yet; one code for two donors."""

import asyncio

import httpx
import pytest

from tests.browser.given import OTHER_REFERENCE, Evidence, reference_of_another, seen
from tests.browser.served import Served
from tests.browser.test_pages import DONE, STEPS, look_up
from tests.browser.test_pages import served as forged
from tests.browser.test_states import NARROW, reads_well
from tests.support.browser import Browser, Page
from tests.support.office import Office, gift

pytestmark = pytest.mark.browser

AS_OF = "截至 5 天前，这条记录与签名的总账相符"
UNDATED = "这条记录与签名的总账相符，看不出截至何时"
AGES = {
    "seen two days ago": ((2, 2), 0, "passed", "这条记录没有被改动", "用时"),
    "seen days ago by one of two": ((0, 5), 0, "stale", AS_OF, "见证机构最近会签在 5 天前（按您设备的时钟）"),
    "seen now, by a clock that is slow": ((0, 0), -1, "stale", UNDATED, "您设备的时钟可能慢了"),
}
"""When each of two witnesses cosigned, both of whom are asked for, and the device's clock, in days → what is told."""
AMBER = "(() => { document.body.style.color = 'var(--warn)'; return getComputedStyle(document.body).color; })()"
HELD = """
window.waits = [];
window.setTimeout = (wake, ms) => { window.waits.push(ms); window.go = wake; };
"""
"""A page waits until the test lets it go on."""


async def told(page: Page) -> tuple[str, str]:
    """Headline and explanation of the panel."""
    head, sub = await page.value(
        "['#ver h2', '#ver [data-sub]'].map((each) => document.querySelector(each).textContent)"
    )
    return head, sub


async def test_the_panel_says_as_of_when_enough_witnesses_saw_what_it_checked_and_is_green_only_while_that_is_new(
    chromium: Browser, address: str, kept: Evidence, axe_script: str
) -> None:
    for what, (days_ago, ahead_days, state, headline, said) in AGES.items():
        async with chromium.page() as page:
            await page.size(390)
            await page.instead(forged(seen(kept, *days_ago)))
            assert await look_up(page, address, kept.code, ahead_days=ahead_days) == state, what
            assert {each for _, each in await page.value(STEPS)} == {"passed"}, what
            head, sub = await told(page)
            assert (head, said in sub) == (headline, True), (what, sub)
            colour = await page.value("getComputedStyle(document.querySelector('#ver h2')).color")
            assert (colour == await page.value(AMBER)) == (state == "stale"), what
            assert await page.value("window.shifted") == 0, what
            if state == "stale":
                await reads_well(page, axe_script, what, NARROW)


async def test_without_witnesses_the_last_entry_says_how_old_the_ledger_is(chromium: Browser, served: Served) -> None:
    """It has to be proven like any: a later time in its bytes would make an old ledger new."""
    code = [*served.codes.values()][1]
    async with httpx.AsyncClient() as http:
        size = (await http.get(f"{served.address}/log/checkpoint")).text.splitlines()[1]
    last = f"/entries/{int(size) - 1}/bytes"
    async with chromium.page() as page:
        assert await look_up(page, served.address, code, ahead_days=5) == "stale"
        head, sub = await told(page)
        assert head == AS_OF == await page.value("document.querySelector('[data-verified]').textContent")
        assert "总账的最后一条记于 5 天前（按您设备的时钟）" in sub
        assert "不能排除本站给不同的人看不同的账本" in sub
    async with chromium.page() as page:
        await page.instead({last: lambda data: data.replace(b'"at":"20', b'"at":"30')})
        assert await look_up(page, served.address, code, ahead_days=5) == "stale"
        assert (await told(page))[0] == UNDATED


async def test_a_gift_that_is_not_published_is_waited_for_and_never_for_ever_called_new(
    chromium: Browser, address: str, office: Office
) -> None:
    publisher = office.resources.publisher
    assert publisher is not None
    await publisher.stop()
    code = (await office.post("gifts", gift(channel_ref="not published"))).json()["receipt_code"]
    for ahead_days, state, said in ((0, "unpublished", "请稍后刷新"), (4, "late", "它记于 4 天前")):
        async with chromium.page() as page:
            await page.before_scripts(HELD)
            looking = asyncio.create_task(look_up(page, address, code, ahead_days=ahead_days))
            for count in range(1, 4):
                await page.until(f"window.waits.length === {count}")
                assert (await told(page))[0] == "正在核验…"
                await page.value("window.go()")
            assert await looking == state
            assert await page.value("window.waits") == [1000, 2000, 4000], "and no more"
            head, sub = await told(page)
            assert (head, said in sub) == ("这一条还没有签名公布", True), sub
    async with chromium.page() as page:
        await page.before_scripts(HELD)
        await page.open(f"{address}/r#{code}")
        await page.until("window.waits.length === 1")
        await publisher.step()
        await page.value("window.go()")
        await page.until(DONE)
        assert await page.value("[document.getElementById('ver').dataset.state, window.waits]") == [
            "unwitnessed",
            [1000],
        ]


async def test_a_donor_who_was_given_another_donors_code_sees_whose_payment_it_is(
    chromium: Browser, address: str, kept: Evidence
) -> None:
    """Two payments of one amount, on one day, by one channel: one is entered, and its code is printed for both donors.

    All is true of the entry, and every step passes. What the second donor can see is a payment number that is not hers;
    and a keeper who knows the code cannot show her her own.
    """
    async with chromium.page() as page:
        await page.instead(forged(kept))
        assert await look_up(page, address, kept.code) == "passed"
        said = await page.value("document.getElementById('ver').innerText")
        assert "银行转账，流水号 20260622000004。请与您的付款记录核对" in said
        assert OTHER_REFERENCE not in said
    async with chromium.page() as page:
        await page.instead(forged(reference_of_another(kept)))
        assert await look_up(page, address, kept.code) == "failed"
        assert [name for name, state in await page.value(STEPS) if state == "failed"] == ["donor"]
        assert OTHER_REFERENCE not in await page.value("document.getElementById('ver').innerText")
