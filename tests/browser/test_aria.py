"""What a screen reader is told, page by page: golden texts, so that a change of it is seen by whoever makes it.

`pytest tests/browser/test_aria.py --renew-aria` writes them anew; look at the difference before you commit it.
Another version of Chromium may name things otherwise: then they are renewed, too. Chromium 156 made these.
"""

import difflib
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.browser.served import Served, arrive, go, send
from tests.support.aria import tree_of
from tests.support.browser import Browser, Page
from tests.support.office import CITY

pytestmark = pytest.mark.browser

GOLDEN = Path(__file__).with_name("aria")
CHECKED = "!['', 'checking'].includes((document.getElementById('ver') || { dataset: {} }).dataset.state || '')"
SETTLING = {
    # The year is that of the clock, and with it every figure.
    "home": """
const year = document.querySelector("[aria-labelledby=totals]");
year.querySelector("h2").textContent = year.querySelector("h2").textContent.replace(/\\d{4}/, "‹year›");
year.querySelectorAll("dd").forEach((each) => { each.textContent = "‹n›"; });
year.querySelector(".balance").textContent = "‹…›";
""",
    "gifts": "document.querySelector('.cite .nw').textContent = '‹day›'",
    # How many checkpoints a log comes to is a matter of time.
    "verify": """
document.querySelectorAll("[aria-labelledby=checkpoints] tbody tr").forEach((row, i) => {
  if (i) row.remove(); else row.cells[2].textContent = "‹n›";
})
""",
}
"""What no pattern can mask is replaced on the page that is open."""

Opening = Callable[[Page, Served], Awaitable[object]]


def at(path: str, language: str = "zh-Hans") -> Opening:
    return lambda page, served: arrive(page, served.url(path, language))


async def a_gift(page: Page, served: Served) -> None:
    """Partly paid and confirmed, checked by her browser; no witness has cosigned."""
    await page.open(f"{served.url('/r')}#{[*served.codes.values()][1]}")
    await page.until(CHECKED)


async def not_found(page: Page, served: Served) -> None:
    await page.open(f"{served.url('/r')}#0000-0000-0000-0000")
    await page.until("/trace$/.test(location.pathname) && document.readyState === 'complete'")


async def certificate(page: Page, served: Served) -> None:
    await go(page, served.url("/matching"))
    await send(page, served.url("/certificate"), code=[*served.codes.values()][1], paper="a5")


PAGES: dict[str, Opening] = {
    "home": at("/"),
    "trace": a_gift,
    "not_found": not_found,
    "project": at(f"/projects/{CITY}/flood-aid"),
    "gifts": at("/gifts"),
    "figures": at("/data/figures?measure=received&by=month&then=channel"),
    "verify": at("/verify"),
    "certificate": certificate,
    "organisation": at(f"/organisations/{CITY}"),
    "corrections": at("/corrections"),
    "home_en": at("/", "en"),
    "project_en": at(f"/projects/{CITY}/flood-aid", "en"),
    "verify_en": at("/verify", "en"),
}


@pytest.mark.parametrize("name", PAGES)
async def test_a_screen_reader_is_told_what_it_was_told_before(
    chromium: Browser, served: Served, request: pytest.FixtureRequest, name: str
) -> None:
    file = GOLDEN / f"{name}.txt"
    async with chromium.page() as page:
        await page.size(1440, 900)
        await PAGES[name](page, served)
        settling = SETTLING.get(name.removesuffix("_en"), "")
        await page.value(f"(() => {{ {settling} }})()")
        found = await tree_of(page)
    if request.config.getoption("--renew-aria"):
        file.write_text(found)
    changed = [*difflib.unified_diff(file.read_text().splitlines(), found.splitlines(), file.name, "now", lineterm="")]
    if changed:
        pytest.fail("\n".join(["--renew-aria keeps what it is now:", *changed]), pytrace=False)


def test_no_golden_text_is_left_of_a_page_that_is_gone() -> None:
    assert {file.stem for file in GOLDEN.iterdir()} == {*PAGES}
