"""docs/public-api.md: its examples are run, and every address of the interface has one."""

import json
import re
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest
from litestar import Litestar

from api.public.app import Resources, build
from ledger.settings import Settings
from ledger.store import setup
from ledger.store.keys import LookupKeys
from ledger.store.queries.aggregates import DIMENSIONS, MEASURES
from public_site import pages
from tests.support.visitor import visitor

PAGE = (Path(__file__).parents[3] / "docs/public-api.md").read_text()
EXAMPLES = [line for block in re.findall(r"```http\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines() if line]
ELSEWHERE = ("/log/", "/healthz", "/readyz")
"""Told in docs/witness.md, docs/verify.md, docs/operations.md."""
BY_OTHERS = {
    "/api/v1/entries/{seq}/receipt", "/api/v1/entries/{seq}/receipt/compact", "/api/v1/receipt", "/api/v1/dossier",
}  # fmt: skip
"""Receipts need a published log, which the story here is not; docs/formats.md tells them."""


@pytest.fixture
async def app(told: Settings) -> AsyncGenerator[Litestar]:
    """The public application on the demo's story."""
    assert told.database_url is not None
    database = setup.database(told, told.database_url, "reader")
    yield build(Resources(database=database, lookup=LookupKeys.read(told.lookup)))
    await database.close()


async def test_every_example_of_the_page_is_answered_as_it_says(app: Litestar, told: Settings) -> None:
    code = next(iter(json.loads((told.data_dir / "demo.json").read_text())["codes"].values()))
    assert len(EXAMPLES) > 40
    async with visitor(app) as http:
        for example in EXAMPLES:
            match = re.fullmatch(r"(GET|POST) (\S+)(?: (\{.*\}))?(?: → (\d+) ([\w-]+))?", example)
            assert match, example
            method, path, body, status, slug = match.groups()
            answer = await http.request(method, path, json=json.loads(body.replace("CODE", code)) if body else None)
            assert answer.status_code == int(status or 200), (example, answer.text)
            if slug:
                assert answer.json()["type"] == f"/problems/{slug}", example
            elif "/api/v1/figures?" in path:
                assert answer.json()["rows"], f"an example that shows nothing: {example}"


async def test_every_address_of_the_interface_has_an_example(app: Litestar) -> None:
    async with visitor(app) as http:
        document = (await http.get("/schema/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    tried = [httpx.URL(example.split()[1]).path for example in EXAMPLES]
    for path in document["paths"].keys() - BY_OTHERS:
        if not path.startswith(ELSEWHERE):
            pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))
            assert any(re.fullmatch(pattern, each) for each in tried), path


async def test_every_page_is_told_with_the_addresses_of_what_it_shows(app: Litestar) -> None:
    async with visitor(app) as http:
        document = (await http.get("/schema/openapi.json")).json()
    table = PAGE.partition("## What pages show")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([^`]+)` \|[^|]+\|(.*)\|$", table, re.MULTILINE)
    told = {page: re.findall(r"`([^`]+)`", addresses) for page, addresses in rows}
    paths = {re.sub(r":\w+}", "}", each) for handler in pages.HANDLERS for each in handler.paths}
    assert told.keys() == {each for each in paths if not each.startswith(("/en/", "/static/")) and each != "/en"}
    for page, addresses in told.items():
        for each in addresses:
            method, _, path = each.rpartition(" ")
            assert (method or "GET").lower() in document["paths"].get(path, {}), (page, each)


def test_every_measure_and_dimension_is_told() -> None:
    rows = {
        match[0]: match[1:]
        for match in re.findall(r"^\| `(\w+)` \|.*\| (\w* ?)\| (yes |report |)\|$", PAGE, re.MULTILINE)
    }
    assert rows.keys() == MEASURES.keys()
    for name, (counted, by_gift) in rows.items():
        measure = MEASURES[name]
        assert bool(counted.strip()) == measure.is_counted, name
        assert by_gift.strip() == ("yes" if measure.by_gift else "report" if measure.by_lineage else ""), name
    for dimension in DIMENSIONS:
        assert f"`{dimension}`" in PAGE
