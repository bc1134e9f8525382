"""Every page in a real browser, in both languages, on three screens, with the real policy."""

import csv
import gzip
import io
import json
import re
from urllib.parse import urlsplit

import httpx
import pytest

from public_site.messages import fen
from tests.browser.served import SETTLED, WATCH, WIDTHS, Served, arrive, go
from tests.support import axe
from tests.support.browser import Browser, Page
from tests.support.office import CITY

pytestmark = pytest.mark.browser

FIRST_VIEW_BYTES_MAX = 20 * 1024
PAGES = {
    "home": "/",
    "printed link": "/r",
    "projects": "/projects",
    "project": f"/projects/{CITY}/flood-aid",
    "project with money given back": f"/projects/{CITY}/qz-01",
    "project without money": f"/projects/{CITY}/idle",
    "funds": "/funds",
    "fund": f"/funds/{CITY}/flood",
    "organisations": "/organisations",
    "organisation": f"/organisations/{CITY}",
    "gifts": "/gifts",
    "gifts of a fund": f"/gifts?fund={CITY}:general",
    "entry": "/entries/24",
    "first entry": "/entries/0",
    "entry taken back": "/entries/{wrong}",
    "correction": "/entries/{correction}",
    "corrections": "/corrections",
    "data": "/data",
    "data of payments": f"/data?list=payments&org={CITY}",
    "data of allocations": "/data?list=allocations&least=100",
    "data of transfers": "/data?list=transfers",
    "data of corrections": "/data?list=corrections",
    "data, nothing fits": "/data?since=2030-01-01",
    "data, bad filters": f"/data?fund={CITY}:none&since=x&least=ten",
    "data as of an entry": "/data?as_of=60",
    "figures": "/data/figures",
    "figures by lineage": "/data/figures?measure=paid&by=channel&then=project",
    "figures in colours": "/data/figures?measure=received&by=month&then=channel",
    "figures by names": "/data/figures?measure=paid&by=project&then=event",
    "figures that are not exact": "/data/figures?measure=fees&by=channel",
    "search": "/search?q=%E6%B1%9B%E6%9C%9F",
    "search for a code": "/search?q=0123-4567-89AB-CDE4",
    "verify": "/verify",
    "matching": "/matching",
    "privacy": "/privacy",
    "report": "/report?entry=24",
    "fen, not asked": "/fen",
    "fen": f"/fen?fund={CITY}:flood&seed=2026-07-02",
    "interface": "/docs",
    "problems": "/problems",
    "problem": "/problems/insufficient-amount",
    "no such page": "/entries/999999",
}
STATUSES = {
    "no such page": 404,
    "data, bad filters": 400,
    "figures that are not exact": 400,
    "search for a code": 400,
}
"""Of pages that are not 200: the browser notes them on its console."""
STATUS = "performance.getEntriesByType('navigation')[0].responseStatus"


@pytest.mark.parametrize("language", ["zh-Hans", "en"])
@pytest.mark.parametrize("name", PAGES)
async def test_a_page_keeps_its_promises_on_every_screen(
    chromium: Browser, served: Served, axe_script: str, name: str, language: str
) -> None:
    address = served.url(PAGES[name], language)
    async with chromium.page() as page:
        await page.before_scripts(WATCH)
        for width in watched(name, language):
            await page.size(width)
            await arrive(page, address)
            assert await page.value(STATUS) == STATUSES.get(name, 200)
            shifted = await page.value("window.shifted")
            assert shifted == [], f"{width}: moves while it loads: {shifted}"
        for width in WIDTHS:
            await page.size(width)
            await page.value(SETTLED)
            assert await page.value("document.documentElement.scrollWidth") <= width, f"{width}: scrolls sideways"
            assert await axe.violations(page, axe_script) == [], width
        assert await page.value("document.documentElement.lang") == language
        assert await page.value("document.querySelectorAll('[style], style').length") == 0
        expected = str(STATUSES.get(name, "nothing"))
        assert [each for each in page.said if expected not in each] == []
        assert {urlsplit(each).netloc for each in page.asked if not each.startswith("data:")} == {
            urlsplit(served.address).netloc
        }


def watched(name: str, language: str) -> tuple[int, ...]:
    """Where loading is watched: in Chinese on a phone, half of them on a small one, too; in English on a wide one."""
    small, phone, wide = WIDTHS
    if language == "en":
        return (wide,)
    return (small, phone) if len(name) % 2 else (phone,)


@pytest.mark.parametrize("name", PAGES)
async def test_a_first_view_is_small(served: Served, name: str) -> None:
    async with httpx.AsyncClient(headers={"Accept-Encoding": "gzip", "Accept": "text/html"}) as http:
        page = (await http.get(served.url(PAGES[name]))).text
        style = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
        parts = [page, (await http.get(served.address + style)).text]
    assert sum(len(gzip.compress(part.encode(), 6)) for part in parts) <= FIRST_VIEW_BYTES_MAX


async def press(page: Page, key: str) -> None:
    """One key, as a keyboard sends it."""
    text = {"Enter": "\r"}.get(key, "")
    for kind in ("keyDown", "keyUp"):
        await page.send(
            "Input.dispatchKeyEvent", type=kind, key=key, code=key, text=text if kind == "keyDown" else "",
            windowsVirtualKeyCode={"Enter": 13, "Tab": 9}[key],
        )  # fmt: skip


async def walk(page: Page, stops: int) -> list[str]:
    """What the keyboard comes to, and whether each can be seen to have come."""
    found = []
    for _ in range(stops):
        await press(page, "Tab")
        found.append(
            await page.value(
                "(() => { const at = document.activeElement; const style = getComputedStyle(at);"
                " return at === document.body ? '' : (style.outlineStyle === 'solid' ? '' : 'unseen ')"
                " + (at.id || at.textContent.trim()); })()"
            )
        )
    return found


async def test_a_keyboard_reaches_the_look_up_and_sends_it(chromium: Browser, served: Served) -> None:
    async with chromium.page() as page:
        await page.size(1440, 900)
        await arrive(page, served.url("/"))
        stops = await walk(page, 10)
        assert not [each for each in stops if each.startswith("unseen")]
        assert stops[0] == "跳到正文"
        assert stops[1:7] == ["阳光账本衢州市红十字会（演示）", "查我的捐赠", "项目", "数据", "核验", "English"]
        assert "code" in stops
        await page.value("document.getElementById('code').focus()")
        code = next(iter(served.codes.values()))
        await page.send("Input.insertText", text=code.lower().replace("-", " "))
        await press(page, "Enter")
        said = await page.until("document.getElementById('ver') && document.querySelector('h1').textContent")
        assert said.startswith("您的 ")
        await page.until("!document.querySelector('[data-follow]').hidden")  # her browser has checked
        stops = await walk(page, 40)
        assert not [each for each in stops if each.startswith("unseen")]
        assert {"逐条核验去向", "这说明什么，不说明什么", "保存凭证文件", "下载查询复制件（全部条目和证明）"} <= {
            *stops
        }


async def test_the_skip_link_goes_to_the_text(chromium: Browser, served: Served) -> None:
    async with chromium.page() as page:
        await page.size(390)
        await arrive(page, served.url("/projects"))
        await press(page, "Tab")
        await press(page, "Enter")
        assert await page.until("document.activeElement.id === 'main'")


@pytest.mark.parametrize("language", ["zh-Hans", "en"])
async def test_without_javascript_gifts_are_found_filtered_and_paged(
    chromium: Browser, served: Served, language: str
) -> None:
    async with chromium.page() as page:
        await page.size(390)
        await page.send("Emulation.setScriptExecutionDisabled", value=True)
        await go(page, served.url("/", language))
        await page.value(f"document.getElementById('code').value = {json.dumps([*served.codes.values()][1])}")
        await page.value("document.querySelector('#lookup button').click()")
        said = await page.until("document.getElementById('ver') && document.querySelector('h1').textContent")
        assert said.startswith({"zh-Hans": "您的 3,000 元", "en": "Your ¥3,000:"}[language])
        await page.value(
            "[...document.querySelectorAll('.menu nav a, .foot a')].find((a) => /gifts$/.test(a.href)).click()"
        )
        await page.until("/gifts$/.test(location.pathname) && document.querySelector('tbody') !== null")
        await page.value("document.querySelector('td a[href*=\"/funds/\"]').click()")
        await page.until(
            "/funds/.test(location.pathname) && document.querySelector('a[href*=\"gifts?fund=\"]') !== null"
        )
        await page.value("document.querySelector('a[href*=\"gifts?fund=\"]').click()")
        assert await page.until("location.search.startsWith('?fund=') && document.querySelectorAll('tbody tr').length")
        await go(page, served.url("/fen", language))
        await page.value("document.querySelector('form button').click()")
        assert await page.until("document.querySelectorAll('.timeline > li').length") >= 1


@pytest.mark.parametrize(("width", "clicks"), [(390, 4), (1440, 3)])
async def test_a_journalist_has_the_sheet_of_a_fund_and_a_month_in_four_clicks(
    chromium: Browser, served: Served, width: int, clicks: int
) -> None:
    """Without JavaScript. Filling in fields is not counted."""
    done = 0
    async with chromium.page() as page:
        await page.size(width)
        await page.send("Emulation.setScriptExecutionDisabled", value=True)

        async def click(visible: str) -> None:
            nonlocal done
            done += 1
            await page.value(
                f"[...document.querySelectorAll({json.dumps(visible)})].find((each) => each.offsetParent).click()"
            )

        await go(page, served.url("/"))
        await click("main a[href='/data']")
        await page.until("location.pathname === '/data' && document.readyState === 'complete'")
        if width < 960:
            await click("details.panel summary")
        for name, value in (("fund", f"{CITY}:flood"), ("since", "2026-06-01"), ("until", "2026-06-30")):
            await page.value(
                f"[...document.querySelectorAll('[name={name}]')].find((each) => each.offsetParent).value = '{value}'"
            )
        await click("form.filters button")
        await page.until("location.search.includes('until=') && document.readyState === 'complete'")
        said = await page.value("document.querySelector('[role=status]').textContent")
        count, amount = re.fullmatch(r"(\d+) 条，共 ¥([\d,.]+)", said).groups()  # type: ignore[union-attr]
        assert await page.value("document.querySelector('tbody').rows.length") == int(count) > 1
        sheet = await page.value("document.querySelector('.dl a').href")
        await click(".dl a")
        assert done <= clicks
    async with httpx.AsyncClient() as http:
        lines = [*csv.DictReader(io.StringIO((await http.get(sheet)).content.decode("utf-8-sig")))]
    assert len(lines) == int(count)
    assert sum(int(line["amount_fen"]) for line in lines) == fen(amount)
    assert {line["fund"] for line in lines} == {"flood"}


async def test_a_keyboard_goes_through_the_filters_as_they_are_read(chromium: Browser, served: Served) -> None:
    async with chromium.page() as page:
        await page.size(1440, 900)
        await arrive(page, served.url(f"/data?fund={CITY}:flood"))
        stops = await walk(page, 40)
        assert not [each for each in stops if each.startswith("unseen")]
        order = [*(f"f-{each}" for each in ("org", "fund", "project", "event", "channel", "donor_class", "since")),
                 "f-until", "f-least", "应用筛选", "捐款", "更正", "移除：汛期应急救助 ×", "全部清除"]  # fmt: skip
        assert [each for each in dict.fromkeys(stops) if each in order] == order
        await page.value("document.getElementById('f-least').focus()")
        await page.send("Input.insertText", text="1,000")
        await press(page, "Enter")
        await page.until("location.search.includes('least=1%2C000') && document.readyState === 'complete'")
        assert await page.value("[...document.querySelectorAll('.chip')].map((each) => each.textContent.trim())") == [
            "移除：汛期应急救助 ×", "移除：¥1,000.00 以上 ×", "全部清除",
        ]  # fmt: skip


async def test_a_phones_menu_opens_without_javascript(chromium: Browser, served: Served) -> None:
    async with chromium.page() as page:
        await page.size(320)
        await page.send("Emulation.setScriptExecutionDisabled", value=True)
        await go(page, served.url("/"))
        await page.value("document.querySelector('.menu summary').click()")
        assert await page.value("document.querySelector('.menu a[href=\"/projects\"]').offsetHeight") >= 44
        assert await page.value("document.documentElement.scrollWidth") <= 320
        await page.value("document.querySelector('.menu a[href=\"/projects\"]').click()")
        assert await page.until("location.pathname === '/projects'")


@pytest.mark.parametrize("language", ["zh-Hans", "en"])
async def test_a_gift_in_every_state_reads_well_for_everybody(
    chromium: Browser, served: Served, axe_script: str, language: str
) -> None:
    """Paid, refunded in part, not found: answers to a form, hence not in PAGES."""
    async with chromium.page() as page:
        await page.before_scripts(f"{WATCH} window.panel = () => document.getElementById('ver').dataset.state || '';")
        for code in (*served.codes.values(), "0000-0000-0000-0000"):
            for width in WIDTHS:
                await page.size(width)
                await page.open(f"{served.url('/r', language)}#{code}")
                await page.until(
                    "/trace$/.test(location.pathname) && document.readyState === 'complete' && "
                    "(document.getElementById('ver') === null || !['', 'checking'].includes(panel()))"
                )
                await page.value(SETTLED)
                assert await page.value("document.documentElement.lang") == language
                assert await page.value("document.documentElement.scrollWidth") <= width
                assert await page.value("window.shifted") == [], width
                assert await axe.violations(page, axe_script) == [], (code, width)
        assert [each for each in page.said if "404" not in each] == []
