"""The interfaces' own pages in a real browser: a finance officer's day, with nothing else at hand."""

import json
import re
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from api.admin import app as admin
from ledger.settings import Settings
from tests.support import axe
from tests.support.browser import Page
from tests.support.listening import listening
from tests.support.office import CITY, Office, gift, opened

pytestmark = pytest.mark.browser

DAY = "2026-07-02"
WIDE, NARROW = 1440, 390
HAN = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture
async def office(told: Settings) -> AsyncGenerator[Office]:
    async with opened(told) as office:
        yield office


@pytest.fixture
async def docs(page: Page, office: Office) -> AsyncGenerator[Page]:
    """The admin application's page, open."""
    async with listening(admin.build(office.resources)) as address:
        await page.size(WIDE)
        await page.open(f"{address}/docs")
        await page.until("document.readyState === 'complete'")
        yield page


async def be(page: Page, office: Office, who: str) -> None:
    await page.value(f"document.getElementById('token').value = {json.dumps(office.tokens[who])}")


async def ask(page: Page, method: str, path: str, body: object = None, **fields: object) -> tuple[int, Any]:
    """Fill a form in and send it: status and answer."""
    form = f"""document.querySelector('form[data-method="{method}"][data-path="{path}"]')"""
    await page.value(f"""(() => {{
        const form = {form};
        form.closest("details").open = true;
        for (const [name, value] of Object.entries({json.dumps(fields)})) form.elements[name].value = value;
        if ({json.dumps(body is not None)}) form.querySelector("[data-body]").value = {json.dumps(json.dumps(body))};
        form.querySelector("[data-answer]").hidden = true;
        form.querySelector("button").click();
    }})()""")
    await page.until(f"!{form}.querySelector('[data-answer]').hidden")
    status, _, _ = (await page.value(f"{form}.querySelector('[data-answer] p').textContent")).partition(" ")
    text = await page.value(f"{form}.querySelector('[data-answer] pre').textContent")
    return int(status), json.loads(text)


async def test_a_finance_officers_day_on_the_interfaces_own_page(docs: Page, office: Office) -> None:
    await be(docs, office, "maker")
    status, given = await ask(docs, "POST", "/api/v1/gifts", gift(fund="general", amount_fen=60_000))
    assert status == 201, given
    allocation = {"org": CITY, "fund": "general", "project": "qz-01", "amount_fen": 60_000, "on": DAY}
    assert (await ask(docs, "POST", "/api/v1/allocations", allocation))[0] == 201
    payment = {
        "org": CITY, "project": "qz-01", "amount_fen": 50_000, "spending": "aid", "payee": "persons",
        "purpose": "困难会员慰问", "on": DAY, "beneficiaries": "10", "region": CITY,
    }  # fmt: skip
    status, proposed = await ask(docs, "POST", "/api/v1/disbursements", payment)
    assert status == 202, proposed
    own = await ask(docs, "POST", "/api/v1/proposals/{proposal}/approval", proposal=proposed["proposal"])
    assert (own[0], own[1]["type"]) == (403, "/problems/four-eyes")
    await be(docs, office, "checker")
    status, approved = await ask(docs, "POST", "/api/v1/proposals/{proposal}/approval", proposal=proposed["proposal"])
    assert status == 201, approved
    await be(docs, office, "maker")
    paid = approved["entries"][1]["seq"]
    delivery = {"org": CITY, "ref": paid, "outcome": "ok", "qty": 50_000, "on": DAY}
    assert (await ask(docs, "POST", "/api/v1/confirmations", delivery))[0] == 201
    status, wrong = await ask(docs, "POST", "/api/v1/gifts", gift(amount_fen="60,000", channel_ref="typed"))
    assert (status, wrong["type"]) == (400, "/problems/invalid-request")
    refusals = [each for each in docs.said if each.startswith("Failed to load resource")]  # Chromium's word for a 4xx
    assert (docs.said, len(refusals)) == (refusals, 2), "the policy allows all the page does"
    assert len({re.match(r"\w+://[^/]+", each)[0] for each in docs.asked}) == 1  # type: ignore[index]  # an address


async def test_every_operation_is_on_the_page_with_what_it_takes(docs: Page, office: Office) -> None:
    document = (await office.http.get("/schema/openapi.json")).json()
    wanted = {
        (method.upper(), path): said
        for path, methods in document["paths"].items()
        for method, said in methods.items()
        if method in {"get", "post", "put", "delete"}
    }
    shown = await docs.value("Array.from(document.forms, (each) => [each.dataset.method, each.dataset.path])")
    assert {(method, path) for method, path in shown} == wanted.keys()
    for (method, path), said in wanted.items():
        if "application/json" in said.get("requestBody", {}).get("content", {}):
            form = f"""document.querySelector('form[data-method="{method}"][data-path="{path}"]')"""
            assert isinstance(json.loads(await docs.value(f"{form}.querySelector('[data-body]').value")), dict | list)


async def test_everything_unfolded_fits_a_narrow_screen_and_keeps_nobody_out(docs: Page, axe_script: str) -> None:
    """In English, where most of what is said is in another language than the page."""
    await docs.open(await docs.value("document.querySelector('a[hreflang=en]').href"))
    await docs.until("document.documentElement.lang === 'en' && document.readyState === 'complete'")
    await docs.size(NARROW)
    unfold = "document.querySelectorAll('details').forEach((each) => {{ each.open = {}; }})"
    await docs.value(unfold.format("true"))
    assert await docs.value("document.documentElement.scrollWidth") <= NARROW
    await docs.value(unfold.format("['receive_gift', 'list_stale'].includes(each.id)"))  # all of them take axe long
    assert await axe.violations(docs, axe_script) == []
    frame = await docs.value(
        "Array.from(document.querySelectorAll('title, h1, h2, summary, th[scope=col], button'),"
        " (each) => each.textContent)"
    )
    assert len(frame) > 100
    assert [each for each in frame if HAN.search(each)] == []


async def test_what_stands_in_a_form_can_be_sent_as_it_is(docs: Page, office: Office) -> None:
    await be(docs, office, "maker")
    status, given = await ask(docs, "POST", "/api/v1/gifts")
    assert (status, given["result"]) == (201, "entered")
    status, standing = await ask(docs, "GET", "/api/v1/gifts/{ref}/standing")
    assert (status, sum(each["amount_fen"] for each in standing["spent"])) == (200, 50_000)
