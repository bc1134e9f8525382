"""Figures of payments and balances by channel and class of donor: as of a lineage report, and the same for ever."""

import csv
import io
import json
from typing import Any

import httpx
import pytest

from ledger.income import ReceiveIncome
from ledger.returns import ReturnMoney
from tests.support.branch import CITY, FINANCE, Branch
from tests.support.reported import report

FIGURES = "/api/v1/figures"


@pytest.fixture
async def spent(branch: Branch) -> Branch:
    """On the fund's line: 700 of a person through wechat, 300 interest, 500 of a person again; 900 are paid."""
    await branch.gift(700)
    await branch.do(
        ReceiveIncome(
            maker=FINANCE, org=CITY, fund="general", amount_fen=300, source="interest", on=branch.today, ref="6" * 64
        )
    )
    await branch.gift(500)
    await branch.allocate(1_200)
    paid = await branch.pay(900)
    await branch.confirm(paid, 800)
    return branch


async def asked(http: httpx.AsyncClient, query: str) -> dict[str, Any]:
    answer = await http.get(f"{FIGURES}?{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    assert sum(row["sum_fen"] for row in found["rows"]) == found["sum_fen"]
    return found


async def test_a_payment_is_made_of_the_oldest_money_and_what_is_no_gift_stands_apart(
    spent: Branch, http: httpx.AsyncClient
) -> None:
    as_of = await report(spent.database)
    for measure, others_fen, wechat_fen in (
        ("paid", 200, 700), ("confirmed", 100, 700), ("allocated", 100, 200), ("held", 0, 300), ("unspent", 100, 500),
        ("total_allocated", 300, 900), ("returned", 0, 0), ("in_transit", 0, 0),
    ):  # fmt: skip
        found = await asked(http, f"measure={measure}&by=channel")
        assert found["as_of"]["seq"] == as_of
        assert {row["channel"]: row["sum_fen"] for row in found["rows"]} == {
            name: fen for name, fen in (("", others_fen), ("wechat", wechat_fen)) if fen
        }, measure
        plain = await asked(http, f"measure={measure}&as_of={as_of}")
        assert found["sum_fen"] == plain["sum_fen"]
    paid = await asked(http, "measure=paid&by=month,project,donor_class")
    assert [row["count"] for row in paid["rows"]] == [0, None], "one payment, counted where its first fen is a person's"
    assert paid["count"] is None
    assert {row["project"] for row in paid["rows"]} == {f"{CITY}:winter"}
    by_channel = await asked(http, "measure=paid&by=channel")
    assert [row["count"] for row in by_channel["rows"]] == [0, 1]
    assert by_channel["count"] == 1


async def test_what_a_payee_hands_back_is_of_the_same_gifts(spent: Branch, http: httpx.AsyncClient) -> None:
    paid = await spent.pay(100)
    await spent.do(ReturnMoney(maker=FINANCE, org=CITY, ref=paid, on=spent.today, reason="结余", amount_fen=60))
    await report(spent.database)
    assert (await asked(http, "measure=returned&by=channel"))["rows"] == [{"channel": "", "count": 1, "sum_fen": 60}]
    found = await asked(http, "measure=paid&by=channel")
    assert {row["channel"]: row["sum_fen"] for row in found["rows"]} == {"": 240, "wechat": 700}


async def test_filters_narrow_them_like_every_figure(spent: Branch, http: httpx.AsyncClient) -> None:
    await report(spent.database)
    found = await asked(http, "measure=paid&channel=wechat&org=330000&project=winter&since=2020-01")
    assert (found["sum_fen"], found["count"]) == (700, 1)
    assert (await asked(http, "measure=paid&donor_class=organisation"))["sum_fen"] == 0
    few = await asked(http, "measure=paid&donor_class=person")
    assert (few["sum_fen"], few["count"]) == (700, None)


async def test_a_whole_report_is_a_file_in_every_format(spent: Branch, http: httpx.AsyncClient) -> None:
    as_of = await report(spent.database)
    sheet = await http.get("/api/v1/lineage.csv")
    lines = [*csv.DictReader(io.StringIO(sheet.content.decode("utf-8-sig")))]
    assert int(sheet.headers["sunledger-as-of"]) == as_of
    assert int(sheet.headers["sunledger-rows"]) == len(lines) > 0
    assert int(sheet.headers["sunledger-sum-fen"]) == sum(int(line["sum_fen"]) for line in lines)
    paid = {(line["channel"], line["count"]): int(line["sum_fen"]) for line in lines if line["measure"] == "paid"}
    assert paid == {("", "0"): 200, ("wechat", ""): 700}
    said = [json.loads(line) for line in (await http.get("/api/v1/lineage.ndjson")).text.splitlines()]
    assert [each["sum_fen"] for each in said] == [int(line["sum_fen"]) for line in lines]
    for suffix in ("parquet", "xlsx"):
        built = await http.get(f"/api/v1/lineage.{suffix}?as_of={as_of}")
        assert built.headers["sunledger-rows"] == sheet.headers["sunledger-rows"]


async def test_without_a_report_the_problem_says_which_there_are(spent: Branch, http: httpx.AsyncClient) -> None:
    query = "measure=paid&by=channel"
    for path in (FIGURES, f"{FIGURES}.csv"):
        answer = await http.get(f"{path}?{query}")
        assert (answer.status_code, answer.json()["type"]) == (400, "/problems/no-lineage-report")
        assert answer.json()["reports"] == []
    first = await report(spent.database)
    await spent.gift(1)
    second = await report(spent.database)
    await spent.gift(1)
    answer = await http.get(f"{FIGURES}?{query}&as_of={second + 1}")
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/no-lineage-report")
    assert answer.json()["reports"] == [second, first]
    assert f"{second}、{first}" in answer.json()["detail"]
    assert (await asked(http, query))["as_of"]["seq"] == second
    assert (await asked(http, f"{query}&as_of={first}"))["as_of"]["seq"] == first
    assert (await http.get(f"{FIGURES}?{query}&as_of=999999")).status_code == 404


async def test_the_address_of_a_report_gives_the_same_bytes_for_ever(spent: Branch, http: httpx.AsyncClient) -> None:
    await report(spent.database)
    for path in (FIGURES, f"{FIGURES}.csv"):
        fresh = await http.get(f"{path}?measure=paid&by=channel,donor_class")
        pinned = fresh.links["canonical"]["url"]
        assert "immutable" in (await http.get(pinned)).headers["cache-control"]
        await spent.pay(50)
        await report(spent.database)
        assert (await http.get(pinned)).content == fresh.content
        assert (await http.get(f"{path}?measure=paid&by=channel,donor_class")).content != fresh.content


async def test_the_sheet_says_what_the_answer_says(spent: Branch, http: httpx.AsyncClient) -> None:
    await report(spent.database)
    said = await asked(http, "measure=paid&by=fund,channel")
    sheet = await http.get(f"{FIGURES}.csv?measure=paid&by=fund,channel")
    lines = [*csv.DictReader(io.StringIO(sheet.content.decode("utf-8-sig")))]
    assert [{**line, "sum_fen": int(line["sum_fen"]), "count": int(line["count"])} for line in lines] == said["rows"]
    assert int(sheet.headers["sunledger-sum-fen"]) == said["sum_fen"]
    assert int(sheet.headers["sunledger-as-of"]) == said["as_of"]["seq"]
