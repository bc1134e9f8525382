"""Every page in the states that are not its own, by axe, on every screen, in both languages."""

import pytest

from ledger.settings import Settings
from ledger.store import keys
from public_site.appearance import Appearance
from tests.browser.served import arrive, served_with
from tests.browser.test_site import PAGES
from tests.browser.test_states import LANGUAGES, reads_well
from tests.support.browser import Browser

pytestmark = pytest.mark.browser

CORRECTED = {"wrong": 95, "correction": 98}
"""Entries of the demo's story; where nothing was entered, pages that say so."""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", ["old data", "read-only", "empty"])
async def test_every_page_reads_well_in_every_state_that_is_not_its_own(  # noqa: PLR0913, PLR0917  fixtures
    chromium: Browser, told: Settings, settings: Settings, axe_script: str, state: str, language: str
) -> None:
    keys.create(settings.keys, settings.lookup)
    log, resources = {
        "old data": (told, {"look": Appearance(stale_hours=-1)}),
        "read-only": (told, {"look": Appearance(is_read_only=True)}),
        "empty": (settings, {}),
    }[state]
    async with served_with(log, **resources) as address, chromium.page() as page:
        for path in (each.format(**CORRECTED) for each in PAGES.values()):
            await arrive(page, f"{address}{language + path.removesuffix('/') or '/'}")
            await reads_well(page, axe_script, (state, language, path))
