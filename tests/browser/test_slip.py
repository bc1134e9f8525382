"""The receipt slip in a real browser, under its own policy, and printed on both papers."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from api.admin import app as admin
from ledger.settings import Settings
from tests.browser.served import WIDTHS
from tests.support import axe
from tests.support.browser import Browser
from tests.support.listening import listening
from tests.support.office import CITY, Office, gift, opened
from tests.support.paper import codes_seen, printed, sheets_mm

pytestmark = pytest.mark.browser

SHEETS_MM = {"a5": (148, 210), "80mm": (80, 150)}
SITE = f"https://{'yangguang-' * 6}zhangben.redcross-example.org.cn"
"""As long as they come: what is printed has to have room for it."""
FUND = "汛期及次生地质灾害受灾家庭应急救助与灾后重建专项基金（二〇二六年度）"


@pytest.fixture
async def desk(told: Settings) -> AsyncGenerator[Office]:
    async with opened(told.model_copy(update={"site_url": SITE})) as office:
        yield office


@pytest.mark.parametrize("paper", SHEETS_MM)
async def test_it_is_one_sheet_whose_code_finds_the_gift(
    chromium: Browser, desk: Office, axe_script: str, paper: str, tmp_path: Path
) -> None:
    await desk.post("funds", {"org": CITY, "fund": "long", "name": FUND}, who="administrator")
    answer = (await desk.post("gifts", gift(fund="long", amount_fen=9_876_543_219_876))).json()
    async with listening(admin.build(desk.resources)) as address, chromium.page() as page:
        await page.send("Network.setExtraHTTPHeaders", headers=desk.headers("maker"))
        await page.open(f"{address}/api/v1/gifts/{answer['entries'][0]['seq']}/slip?paper={paper}")
        await page.until("document.querySelector('.slip') !== null && document.readyState === 'complete'")
        assert await page.value("getComputedStyle(document.querySelector('.code')).whiteSpace") == "nowrap"
        assert page.said == [], "its policy lets its own style in"
        for width in WIDTHS:
            await page.size(width)
            assert await axe.violations(page, axe_script) == [], width
        file = tmp_path / "slip.pdf"
        file.write_bytes(await printed(page))
    assert sheets_mm(file.read_bytes()) == [SHEETS_MM[paper]]
    (link,) = await codes_seen(chromium, file, 1)
    assert link.decode() == f"{SITE}/r#{answer['receipt_code']}"
