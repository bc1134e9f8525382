"""Registers as CSV: the same items and figures as the pages of JSON, and what they sum to."""

import csv
import io
import json
from typing import Any

import httpx
import pytest

from api.public import registers
from ledger.campaigns import RegisterCampaign
from ledger.endings import CloseFund, CloseProject
from ledger.entries import Restriction
from ledger.organisations import ChangeOrganisation, DeclareEvent, OpenFund
from ledger.store.queries import registers as queries
from tests.support.branch import CITY, FLOOD, FOUNDER, OTHER_FOUNDER, PROVINCE, Branch

REGISTERS = {
    "organisations": "received_fen",
    "funds": "received_fen",
    "projects": "total_allocated_fen",
    "campaigns": "received_fen",
    "events": None,
}
"""Address → the column whose sum is announced, if there is one."""


@pytest.fixture
async def busy(branch: Branch) -> Branch:
    """A branch that has had a day."""
    await branch.do(RegisterCampaign(
        maker=FOUNDER, org=PROVINCE, campaign="flood-2026", name="=洪灾,募捐", filing="备案001",
        first_on="2026-06-01", last_on="2026-06-30",
    ))  # fmt: skip
    await branch.gift(50_000, "flood")
    seq, _ = await branch.gift(20_000)
    await branch.allocate(45_000, "flood", "relief")
    await branch.allocate(9_000, "general", "winter")
    await branch.pay(44_000, "relief")
    await branch.refund(seq, 2_500)
    return branch


def rows(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200
    return [*csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))]


def leaves(item: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """What an item of JSON says, as cells."""
    said: dict[str, str] = {}
    for name, value in item.items():
        if isinstance(value, dict):
            said |= leaves(value, "" if name == "figures" else f"{prefix}{name}_")
        elif name != "equation":
            said[f"{prefix}{name}"] = (
                " ".join(value) if isinstance(value, list) else str("" if value is None else value)
            )
    return said


@pytest.mark.parametrize(("register", "amount"), REGISTERS.items())
async def test_a_register_as_csv_says_of_each_item_what_its_json_says(
    busy: Branch, http: httpx.AsyncClient, register: str, amount: str | None
) -> None:
    page = (await http.get(f"/api/v1/{register}?limit=100")).json()
    answer = await http.get(f"/api/v1/{register}.csv")
    found = rows(answer)
    assert len(found) == len(page["items"]) > 0
    for row, item in zip(found, page["items"], strict=True):
        said = leaves(item)
        if register == "campaigns":
            said["name"] = f"'{said['name']}"  # a spreadsheet would calculate it
        assert said.items() <= row.items()
        assert {name: cell for name, cell in row.items() if cell and name not in said} == {}
    as_of = busy.sequencer.books.seq
    total = None if amount is None else str(sum(int(row[amount]) for row in found))
    assert [answer.headers.get(f"sunledger-{name}") for name in ("as-of", "rows", "sum-fen")] == [
        str(as_of), str(len(found)), total,
    ]  # fmt: skip
    name = f"{register}-as-of-{as_of}-rows-{len(found)}{'' if total is None else f'-fen-{total}'}.csv"
    assert f'"{name}"' in answer.headers["content-disposition"]


async def test_a_register_is_narrowed_to_an_organisation_as_its_pages_are(
    busy: Branch, http: httpx.AsyncClient
) -> None:
    assert busy.today
    for register, there, nowhere in (
        ("funds", CITY, PROVINCE),
        ("projects", CITY, PROVINCE),
        ("campaigns", PROVINCE, CITY),
    ):
        assert {row["org"] for row in rows(await http.get(f"/api/v1/{register}.csv?org={there}"))} == {there}
        assert rows(await http.get(f"/api/v1/{register}.csv?org={nowhere}")) == []
    for path in ("organisations", "organisations.csv", "events", "events.csv"):
        assert (await http.get(f"/api/v1/{path}?org={CITY}")).status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        f"funds?org={CITY}&limit=1",
        "funds",
        "funds.csv",
        f"funds/{CITY}/flood",
        f"funds/{CITY}/spare",
        f"projects/{CITY}/relief/flow",
        f"projects/{CITY}/relief/flow.csv",
        "years/{year}",
        "events?limit=1",
        "events",
        "events.csv",
    ],
)
async def test_as_of_an_entry_it_is_the_same_bytes_for_ever(busy: Branch, http: httpx.AsyncClient, path: str) -> None:
    await busy.fund("spare", "备用基金")
    path = path.format(year=busy.today[:4])
    fresh = await http.get(f"/api/v1/{path}")
    pinned = fresh.links["canonical"]["url"]
    assert dict(httpx.URL(path).params).items() <= dict(httpx.URL(pinned).params).items(), "it asks the same"
    first = await http.get(pinned)
    assert (first.content, first.headers["etag"]) == (fresh.content, fresh.headers["etag"])
    assert ("immutable" in first.headers["cache-control"], "immutable" in fresh.headers["cache-control"]) == (1, 0)
    await busy.gift(1, "flood")
    await busy.allocate(1, "flood", "relief")
    await busy.agree(CloseFund(maker=FOUNDER, org=CITY, fund="spare", residue="none", basis="没有用过"), OTHER_FOUNDER)
    await busy.fund("another", "新的基金")
    await busy.do(DeclareEvent(maker=FOUNDER, event="drought", name="旱灾", began="2026-06-01", emergency=True))
    assert (await http.get(f"/api/v1/{path}")).content != first.content
    assert (await http.get(pinned)).content == first.content
    beyond = await http.get(f"/api/v1/{path}{'&' if '?' in path else '?'}as_of={busy.sequencer.books.seq + 1}")
    assert (beyond.status_code, beyond.json()["type"]) == (404, "/problems/not-found")


async def test_a_fund_is_not_there_before_it_was_opened(busy: Branch, http: httpx.AsyncClient) -> None:
    seq = await busy.fund("another", "新的基金")
    assert (await http.get(f"/api/v1/funds/{CITY}/another?as_of={seq - 1}")).status_code == 404
    then = (await http.get(f"/api/v1/funds/{CITY}/another?as_of={seq}")).json()
    assert (then["as_of"]["seq"], then["fund"]["seq"]) == (seq, seq)
    assert [row["fund"] for row in rows(await http.get(f"/api/v1/funds.csv?as_of={seq - 1}"))] == ["flood", "general"]


async def test_a_flow_is_not_there_before_its_project_was_opened(busy: Branch, http: httpx.AsyncClient) -> None:
    seq = await busy.project("another", "新的项目")
    for path in ("flow", "flow.csv"):
        assert (await http.get(f"/api/v1/projects/{CITY}/another/{path}?as_of={seq - 1}")).status_code == 404
        assert (await http.get(f"/api/v1/projects/{CITY}/another/{path}?as_of={seq}")).status_code == 200


async def test_an_event_is_told_as_it_was_declared_and_not_before(busy: Branch, http: httpx.AsyncClient) -> None:
    before = (await http.get("/api/v1/events")).json()
    assert [each["event"] for each in before["items"]] == [FLOOD]
    seq = await busy.do(DeclareEvent(maker=FOUNDER, event="zzz", name="旱灾", began="2026-06-01", emergency=True))
    first = (await http.get("/api/v1/events?limit=1")).json()
    assert (first["items"], first["next"]) == (before["items"], FLOOD)
    second = (await http.get(f"/api/v1/events?limit=1&after={FLOOD}")).json()
    assert (second["items"], second["next"]) == (
        [{"event": "zzz", "name": "旱灾", "began": "2026-06-01", "emergency": True, "seq": seq}], None,
    )  # fmt: skip
    then = (await http.get(f"/api/v1/events?as_of={seq - 1}")).json()
    assert (then["as_of"]["seq"], then["items"]) == (seq - 1, before["items"])


async def test_registers_as_tables_are_for_ever_what_entries_said_by_then(
    busy: Branch, http: httpx.AsyncClient
) -> None:
    await busy.fund("spare", "备用基金")
    await busy.project("spare", "备用项目")
    paths = [f"/api/v1/registers/{name}.ndjson" for name in REGISTERS]
    then = {path: await http.get(path) for path in paths}
    renamed = ChangeOrganisation(
        maker=FOUNDER, org=CITY, name="改名后的红十字会", level="city", parent=PROVINCE, division=CITY
    )
    await busy.do(renamed)
    for close in (
        CloseFund(maker=FOUNDER, org=CITY, fund="spare", residue="none", basis="没有用过"),
        CloseProject(maker=FOUNDER, org=CITY, project="spare", residue="none", basis="没有用过"),
    ):
        await busy.agree(close, OTHER_FOUNDER)
    await busy.do(DeclareEvent(maker=FOUNDER, event="drought", name="旱灾", began="2026-06-01"))
    await busy.do(RegisterCampaign(
        maker=FOUNDER, org=CITY, campaign="drought-2026", name="旱灾募捐", filing="备案002",
        first_on="2026-06-01", last_on="2026-06-30",
    ))  # fmt: skip
    for path, answer in then.items():
        pinned = await http.get(answer.links["canonical"]["url"])
        assert (pinned.content, "immutable" in pinned.headers["cache-control"]) == (answer.content, True), path
        now = await http.get(path)
        assert now.content != answer.content, path
        assert now.headers["sunledger-as-of"] == str(busy.sequencer.books.seq)
        assert "sunledger-sum-fen" not in now.headers
    funds = [json.loads(line) for line in (await http.get("/api/v1/registers/funds.ndjson")).content.splitlines()]
    assert [(each["fund"], each["restriction_event"], each["closed_seq"] is None) for each in funds] == [
        ("flood", FLOOD, True), ("general", "", True), ("spare", "", False),
    ]  # fmt: skip


async def test_a_register_as_a_table_does_not_depend_on_how_many_rows_are_read_at_once(
    busy: Branch, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await busy.do(OpenFund(maker=FOUNDER, org=PROVINCE, fund="flood", name="省里的", restriction=Restriction()))
    wholes = {path: await http.get(path) for path in (f"/api/v1/registers/{register}.csv" for register in REGISTERS)}
    monkeypatch.setattr(queries, "CHUNK_ROWS", 1)
    for path, whole in wholes.items():
        assert (await http.get(path)).content == whole.content, path
        assert len(rows(whole)) == int(whole.headers["sunledger-rows"]) > 0, path


async def test_what_a_fund_is_restricted_to_has_a_column_each(busy: Branch, http: httpx.AsyncClient) -> None:
    assert busy.today
    flood, general = rows(await http.get("/api/v1/funds.csv"))
    assert (flood["restriction_event"], flood["restriction_region"], flood["paid_fen"]) == ("flood", "", "44000")
    assert general["restriction_event"] == ""


async def test_whoever_has_the_bytes_is_told_so(busy: Branch, http: httpx.AsyncClient) -> None:
    tags = {}
    for path in [f"/api/v1/{register}{ending}" for register in REGISTERS for ending in ("", ".csv")]:
        first = await http.get(path)
        tags[path] = first.headers["etag"]
        again = await http.get(path, headers={"If-None-Match": tags[path]})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tags[path])
        assert first.headers["cache-control"] == "public, max-age=10"
    await busy.gift(1)
    for path in ("/api/v1/projects", "/api/v1/funds.csv"):
        assert (await http.get(path, headers={"If-None-Match": tags[path]})).status_code == 200, path


async def test_a_register_that_is_too_long_is_refused_and_not_cut_off(
    busy: Branch, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert busy.today
    monkeypatch.setattr(registers, "MAX_ROWS", 2)
    assert len(rows(await http.get("/api/v1/funds.csv"))) == 2
    monkeypatch.setattr(registers, "MAX_ROWS", 1)
    answer = await http.get("/api/v1/funds.csv")
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/too-many-rows")
    assert (await http.get("/api/v1/funds")).status_code == 200
