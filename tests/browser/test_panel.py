"""The panel of the trace page where things are not as usual: old, late."""

import asyncio

import pytest

from tests.browser.given import Evidence, seen
from tests.browser.test_pages import DONE, STEPS, look_up, served
from tests.support.browser import Page
from tests.support.office import Office, gift

pytestmark = pytest.mark.browser

HELD = """
window.waits = [];
window.setTimeout = (wake, ms) => { window.waits.push(ms); window.go = wake; };
"""
"""A page waits until the test lets it go on."""


async def said_by(page: Page) -> tuple[str, str]:
    """Headline and explanation of the panel."""
    head, sub = await page.value("['#ver h2', '#ver [data-sub]'].map((each) => document.querySelector(each).textContent)")
    return head, sub


async def test_what_witnesses_saw_days_ago_is_told_so_and_is_not_green(
    page: Page, address: str, kept: Evidence
) -> None:
    """Both are asked for: that one saw it just now is not enough."""
    await page.instead(served(seen(kept, 0, 5)))
    assert await look_up(page, address, kept.code) == "stale"
    assert {state for _, state in await page.value(STEPS)} == {"passed"}
    head, sub = await said_by(page)
    assert head == "截至 5 天前，这条记录与签名的总账相符"
    assert "见证机构最近会签在 5 天前（按您设备的时钟）" in sub
    assert await page.value("document.querySelector('[data-verified]').textContent") == head
    amber = "(() => { document.body.style.color = 'var(--warn)'; return getComputedStyle(document.body).color; })()"
    assert await page.value("getComputedStyle(document.querySelector('#ver h2')).color") == await page.value(amber)
    assert await page.value("window.shifted") == 0


async def test_what_witnesses_saw_two_days_ago_is_new_enough(page: Page, address: str, kept: Evidence) -> None:
    await page.instead(served(seen(kept, 2, 2)))
    assert await look_up(page, address, kept.code) == "passed"


async def test_without_witnesses_the_last_entry_says_how_old_the_ledger_is(page: Page, address: str, code: str) -> None:
    assert await look_up(page, address, code, ahead_days=5) == "stale"
    head, sub = await said_by(page)
    assert head == "截至 5 天前，这条记录与签名的总账相符"
    assert "总账的最后一条记于 5 天前（按您设备的时钟）" in sub
    assert "不能排除本站给不同的人看不同的账本" in sub


async def test_a_clock_that_is_slow_cannot_tell_how_old_the_ledger_is(page: Page, address: str, kept: Evidence) -> None:
    await page.instead(served(kept))
    assert await look_up(page, address, kept.code, ahead_days=-1) == "stale"
    head, sub = await said_by(page)
    assert head == "这条记录与签名的总账相符，看不出截至何时"
    assert "您设备的时钟可能慢了" in sub


async def test_a_last_entry_that_cannot_be_proven_leaves_the_age_open(
    page: Page, address: str, code: str, office: Office
) -> None:
    """Its bytes are another entry's."""
    last = await office.size() - 1
    await page.instead({f"/entries/{last}/bytes": lambda data: data.replace(b'"at":"20', b'"at":"30')})
    assert await look_up(page, address, code) == "stale"
    assert (await said_by(page))[0] == "这条记录与签名的总账相符，看不出截至何时"


async def test_a_gift_that_is_not_published_yet_is_waited_for(page: Page, address: str, office: Office) -> None:
    publisher = office.resources.publisher
    assert publisher is not None
    await publisher.stop()
    code = (await office.post("gifts", gift(channel_ref="not published yet"))).json()["receipt_code"]
    await page.before_scripts(HELD)
    await page.open(f"{address}/r#{code}")
    await page.until("window.waits.length === 1 && document.getElementById('ver')")
    assert (await said_by(page))[0] == "正在核验…"
    await publisher.step()
    await page.value("window.go()")
    await page.until(DONE)
    assert await page.value("[document.getElementById('ver').dataset.state, window.waits]") == ["unwitnessed", [1000]]


@pytest.mark.parametrize(("ahead_days", "state", "said"), [(0, "unpublished", "请稍后刷新"), (4, "late", "它记于 4 天前")])
async def test_a_gift_that_stays_unpublished_is_told_so_and_not_for_ever_as_new(  # noqa: PLR0913
    page: Page, address: str, office: Office, ahead_days: int, state: str, said: str
) -> None:
    publisher = office.resources.publisher
    assert publisher is not None
    await publisher.stop()
    code = (await office.post("gifts", gift(channel_ref="never published"))).json()["receipt_code"]
    await page.before_scripts(HELD)
    looking = asyncio.create_task(look_up(page, address, code, ahead_days=ahead_days))
    for count in range(1, 4):
        await page.until(f"window.waits.length === {count} && document.getElementById('ver')")
        await page.value("window.go()")
    assert await looking == state
    assert await page.value("window.waits") == [1000, 2000, 4000], "and no more"
    head, sub = await said_by(page)
    assert head == "这一条还没有签名公布"
    assert said in sub
