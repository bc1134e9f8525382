"""Figures, flows, lists and registers are at one address, in JSON and in CSV."""

import httpx
import pytest

from tests.support.branch import CITY, FLOOD, Branch

LISTS = ("gifts", "allocations", "transfers", "payments", "corrections")
REGISTERS = ("organisations", f"funds?org={CITY}", "projects", "campaigns")
ASKED = (
    "figures?measure=received&by=month,channel", f"gifts?event={FLOOD}", f"projects/{CITY}/relief/flow", *LISTS,
    *REGISTERS,
)  # fmt: skip
SAID = ("content-type", "content-disposition", "link", "sunledger-as-of", "sunledger-rows", "sunledger-sum-fen")


@pytest.fixture
async def busy(branch: Branch) -> Branch:
    """A branch that has had a day."""
    await branch.gift(50_000, "flood")
    await branch.gift(20_000, event=FLOOD)
    await branch.allocate(45_000, "flood", "relief")
    await branch.pay(44_000, "relief", payee="=衢州医院")
    return branch


@pytest.mark.parametrize("asked", ASKED)
async def test_whoever_asks_for_csv_gets_the_same_at_either_address(
    busy: Branch, http: httpx.AsyncClient, asked: str
) -> None:
    assert busy.today
    path, _, query = asked.partition("?")
    here = await http.get(f"/api/v1/{asked}", headers={"Accept": "text/csv"})
    there = await http.get(f"/api/v1/{path}.csv?{query}")
    assert here.status_code == there.status_code == 200
    assert here.content == there.content
    assert [here.headers.get(name) for name in SAID] == [there.headers.get(name) for name in SAID]
    assert varies_by(here) >= {"accept"}


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/csv;q=0.5, application/json", "text/html", ""])
async def test_everybody_else_gets_json(busy: Branch, http: httpx.AsyncClient, accept: str) -> None:
    assert busy.today
    for asked in ASKED:
        answer = await http.get(f"/api/v1/{asked}", headers={"Accept": accept})
        assert answer.headers["content-type"].startswith("application/json")
        assert answer.json()["as_of"]
        assert varies_by(answer) >= {"accept"}, "a cache must not give the one to who asks for the other"


async def test_csv_is_the_whole_list_whatever_the_page(busy: Branch, http: httpx.AsyncClient) -> None:
    assert busy.today
    answer = await http.get("/api/v1/gifts", params={"limit": 1}, headers={"Accept": "text/csv"})
    assert int(answer.headers["sunledger-rows"]) == len(answer.text.splitlines()) - 1 == 2


async def test_nothing_is_read_for_who_asks_by_head(busy: Branch, http: httpx.AsyncClient) -> None:
    assert busy.today
    answer = await http.head("/api/v1/gifts", headers={"Accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert not answer.content


def varies_by(answer: httpx.Response) -> set[str]:
    return {each.strip().lower() for each in answer.headers.get("vary", "").split(",")}
