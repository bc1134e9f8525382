"""Figures of organisations, funds and projects: they add up, and agree with each other."""

from typing import Any

import httpx
import pytest

from tests.support.branch import CITY, PROVINCE, Branch

MONEY = ("received_fen", "held_fen", "allocated_fen", "paid_fen", "refunded_fen")


@pytest.fixture
async def busy(branch: Branch) -> Branch:
    """A branch that has had a day."""
    await branch.gift(50_000, "flood")
    seq, _ = await branch.gift(20_000)
    await branch.gift(7)
    await branch.allocate(45_000, "flood", "relief")
    allocated = await branch.allocate(9_000, "general", "winter")
    await branch.allocate(1_000, "general", "relief")
    await branch.pay(45_500, "relief")
    await branch.pay(4_000, "winter")
    await branch.release(allocated, 1_500)
    await branch.refund(seq, 2_500)
    return branch


def adds_up(figures: dict[str, int]) -> bool:
    return figures["received_fen"] == sum(figures[name] for name in MONEY[1:])


async def everything(http: httpx.AsyncClient, path: str, limit: int = 1) -> list[dict[str, Any]]:
    """All pages of a list."""
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        page = (await http.get(f"/api/v1/{path}", params={"after": after, "limit": limit})).json()
        assert len(page["items"]) <= limit
        found += page["items"]
        if page["next"] is None:
            return found
        after = page["next"]


async def test_figures_add_up_and_agree(busy: Branch, http: httpx.AsyncClient) -> None:
    funds = await everything(http, "funds")
    organisations = await everything(http, "organisations")
    assert all(adds_up(each["figures"]) for each in [*funds, *organisations])
    (province, city) = organisations
    assert (province["org"], city["org"]) == (PROVINCE, CITY)
    province["figures"].pop("equation")
    assert set(province["figures"].values()) == {0}
    for name in (*MONEY, "gift_count"):
        assert city["figures"][name] == sum(fund["figures"][name] for fund in funds)
    assert city["figures"]["received_fen"] == 70_007
    assert city["figures"]["paid_fen"] == 49_500
    assert city["figures"]["refunded_fen"] == 2_500

    projects = await everything(http, "projects")
    for project in projects:
        its = project["figures"]
        assert its["total_allocated_fen"] == sum(
            its[name] for name in ("allocated_fen", "paid_fen", "released_fen", "refunded_fen")
        )
    for name in ("allocated_fen", "paid_fen"):
        assert sum(project["figures"][name] for project in projects) == city["figures"][name]


async def test_the_home_page_shows_the_same_figures(busy: Branch, http: httpx.AsyncClient) -> None:
    (_, city) = await everything(http, "organisations")
    page = (await http.get("/")).text
    for name in MONEY:
        fen = city["figures"][name]
        assert f"¥{fen // 100:,}.{fen % 100:02d}" in page
    assert "账目相符" in page


async def test_one_of_them_is_as_in_the_list(busy: Branch, http: httpx.AsyncClient) -> None:
    for path, key, single in (("funds", "fund", "fund"), ("projects", "project", "project")):
        for each in await everything(http, path, limit=100):
            answer = (await http.get(f"/api/v1/{path}/{each['org']}/{each[key]}")).json()
            assert answer[single] == each
            assert answer["as_of"]["seq"] == busy.sequencer.books.seq
    for each in await everything(http, "organisations", limit=100):
        assert (await http.get(f"/api/v1/organisations/{each['org']}")).json()["organisation"] == each


async def test_a_list_can_be_of_one_organisation(branch: Branch, http: httpx.AsyncClient) -> None:
    for path in ("funds", "projects"):
        assert (await http.get(f"/api/v1/{path}?org={PROVINCE}")).json()["items"] == []
        assert len((await http.get(f"/api/v1/{path}?org={CITY}")).json()["items"]) == 2


async def test_what_is_not_registered_is_a_problem(http: httpx.AsyncClient) -> None:
    for path in (
        "organisations/nobody", "funds/330800/nothing", "projects/330800/%00", "funds/330800/%E5%9F%BA", "funds/%FF/x",
    ):  # fmt: skip
        answer = await http.get(f"/api/v1/{path}")
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found"), path


async def test_a_query_out_of_bounds_is_a_problem(http: httpx.AsyncClient) -> None:
    for path in ("funds", "projects", "organisations"):
        for query in ("limit=0", "limit=101", "limit=x", "after=%00", "after=A", "after=%27"):
            answer = await http.get(f"/api/v1/{path}?{query}")
            assert (answer.status_code, answer.json()["type"]) == (400, "/problems/invalid-request"), (path, query)


async def test_an_empty_ledger_has_figures_too(http: httpx.AsyncClient) -> None:
    page = await http.get("/")
    assert page.status_code == 200
    assert "¥0.00" in page.text
