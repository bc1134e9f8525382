"""Figures over HTTP: by dimensions, as of any entry, the same bytes for ever; the reason where there is no answer."""

import csv
import io
from typing import Any

import httpx
import pytest
from msgspec import structs

from ledger.entries import Restriction
from ledger.income import ReceiveIncome
from ledger.organisations import ChangeOrganisation, EnrolStaff, OpenFund
from ledger.roles import Role
from tests.support.branch import CITY, FINANCE, FLOOD, FOUNDER, OTHER_FOUNDER, PROVINCE, Branch

FIGURES = "/api/v1/figures"


@pytest.fixture
async def busy(branch: Branch) -> Branch:
    """A branch that has had a day."""
    await branch.gift(50_000, "flood")
    seq, _ = await branch.gift(20_000, event=FLOOD)
    for _ in range(6):
        await branch.gift(7, on="2026-06-30")
    await branch.allocate(45_000, "flood", "relief")
    await branch.allocate(9_000, "general", "winter")
    paid = await branch.pay(45_000, "relief")
    await branch.pay(4_000, "winter")
    await branch.confirm(paid, 40_000)
    await branch.refund(seq, 2_500)
    return branch


async def asked(http: httpx.AsyncClient, **query: object) -> dict[str, Any]:
    answer = await http.get(FIGURES, params={each: str(value) for each, value in query.items()})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    assert sum(row["sum_fen"] for row in found["rows"]) == found["sum_fen"]
    return found


async def test_groups_of_up_to_three_dimensions_add_up_to_the_whole(busy: Branch, http: httpx.AsyncClient) -> None:
    whole = await asked(http, measure="received")
    assert (whole["count"], whole["sum_fen"]) == (8, 70_042)
    by = await asked(http, measure="received", by="month,event")
    assert by["rows"] == [
        {"month": "2026-06", "event": "", "count": 6, "sum_fen": 42},
        {"month": busy.today[:7], "event": FLOOD, "count": 2, "sum_fen": 70_000},
    ]
    assert (by["count"], by["sum_fen"]) == (8, 70_042)
    confirmed = await asked(http, measure="confirmed", by="org,fund,project")
    assert confirmed["rows"] == [
        {"org": CITY, "fund": f"{CITY}:flood", "project": f"{CITY}:relief", "count": 1, "sum_fen": 40_000}
    ]


async def test_funds_and_projects_of_one_id_stay_apart(busy: Branch, http: httpx.AsyncClient) -> None:
    await busy.do(OpenFund(maker=FOUNDER, org=PROVINCE, fund="general", name="不指定用途", restriction=Restriction()))
    income = ReceiveIncome(maker=FINANCE, org=PROVINCE, fund="general", amount_fen=3, source="interest", on=busy.today)
    await busy.agree(EnrolStaff(maker=FOUNDER, staff=FINANCE, org=PROVINCE, roles=(Role.FINANCE,)), OTHER_FOUNDER)
    await busy.do(income)
    held = await asked(http, measure="held", by="fund")
    assert [(row["fund"], row["sum_fen"]) for row in held["rows"]] == [
        (f"{PROVINCE}:general", 3),
        (f"{CITY}:flood", 5_000),
        (f"{CITY}:general", 11_042),
    ]
    for row in held["rows"]:
        (its,) = (await asked(http, measure="held", by="fund", fund=row["fund"]))["rows"]
        assert its == row
    page = (await http.get("/data/figures?measure=held&by=fund")).text
    assert "示例省红十字会 · 不指定用途" in page
    assert "示例市红十字会 · 不指定用途" in page


async def test_the_states_are_those_of_the_organisation_and_sum(busy: Branch, http: httpx.AsyncClient) -> None:
    fen = {
        measure: (await asked(http, measure=measure))["sum_fen"]
        for measure in (
            "received", "income", "moved_in", "held", "allocated", "in_transit", "unspent", "paid", "refunded", "fees",
            "lost", "voided", "moved_on",
        )
    }  # fmt: skip
    assert fen["unspent"] == fen["held"] + fen["allocated"] + fen["in_transit"]
    assert fen["received"] + fen["income"] + fen["moved_in"] == sum(
        fen[each] for each in ("unspent", "paid", "refunded", "fees", "lost", "voided", "moved_on")
    )
    shown = (await http.get(f"/api/v1/organisations/{CITY}")).json()["organisation"]["figures"]
    for name in ("received", "held", "allocated", "paid", "refunded", "voided", "income", "fees", "lost"):
        assert shown[f"{name}_fen"] == fen[name], name


async def test_an_organisation_counts_with_those_below_it_as_they_were_then(
    busy: Branch, http: httpx.AsyncClient
) -> None:
    before = busy.sequencer.books.seq
    assert (await asked(http, measure="received", org=PROVINCE))["sum_fen"] == 70_042
    change = ChangeOrganisation(maker=FOUNDER, org=CITY, name="示例市红十字会", level="city", division=CITY)
    await busy.agree(change, OTHER_FOUNDER)
    assert (await asked(http, measure="received", org=PROVINCE))["sum_fen"] == 0
    assert (await asked(http, measure="received", org=CITY))["sum_fen"] == 70_042
    assert (await asked(http, measure="received", org=PROVINCE, as_of=before))["sum_fen"] == 70_042


async def test_what_has_no_exact_answer_is_a_problem_that_says_why(http: httpx.AsyncClient) -> None:
    for query, why in (
        ("measure=fees&by=channel", "许多捐款合在一起"),
        ("measure=moved_on&donor_class=person", "可以按渠道和捐赠人类别统计的有：received、held"),
        ("measure=income&channel=bank", "许多捐款合在一起"),
        ("measure=received&by=month,org,fund,event", "最多 3"),
        ("measure=received&by=month,month", "最多 3"),
    ):
        for path in (FIGURES, f"{FIGURES}.csv"):
            answer = await http.get(f"{path}?{query}")
            assert (answer.status_code, answer.json()["type"]) == (400, "/problems/figure-not-exact"), query
            assert why in answer.json()["detail"]


async def test_what_is_no_question_is_a_problem(http: httpx.AsyncClient) -> None:
    for query in (
        "", "measure=spent", "measure=received&by=day", "measure=received&org=%00", "measure=received&since=2026",
        "measure=received&as_of=-2", "measure=received&region=33", "measure=received&donor_class=king",
    ):  # fmt: skip
        answer = await http.get(f"{FIGURES}?{query}")
        assert (answer.status_code, answer.json()["type"]) == (400, "/problems/invalid-request"), query
    for query in ("measure=received&org=nobody", "measure=received&as_of=999999"):
        answer = await http.get(f"{FIGURES}?{query}")
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found"), query


async def test_an_address_with_its_entry_gives_the_same_bytes_for_ever(busy: Branch, http: httpx.AsyncClient) -> None:
    for path in (FIGURES, f"{FIGURES}.csv"):
        fresh = await http.get(f"{path}?measure=received&by=org,month")
        assert "immutable" not in fresh.headers["cache-control"]
        pinned = fresh.links["canonical"]["url"]
        first = await http.get(pinned)
        assert first.content == fresh.content
        assert first.headers["etag"] == fresh.headers["etag"]
        assert "immutable" in first.headers["cache-control"]
        await busy.gift(1)
        again = await http.get(pinned, headers={"Accept-Encoding": "gzip"})
        assert again.content == first.content
        assert (await http.get(f"{path}?measure=received&by=org,month")).content != first.content
        unchanged = await http.get(pinned, headers={"If-None-Match": first.headers["etag"]})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        head = await http.head(pinned)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["etag"] == first.headers["etag"]


async def test_the_sheet_says_what_the_answer_says_and_how_much_there_is(busy: Branch, http: httpx.AsyncClient) -> None:
    said = await asked(http, measure="allocated", by="org,project,event")
    answer = await http.get(f"{FIGURES}.csv?measure=allocated&by=org,project,event")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    lines = [*csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))]
    assert [{**line, "sum_fen": int(line["sum_fen"]), "count": None} for line in lines] == said["rows"]
    assert int(answer.headers["sunledger-rows"]) == len(lines)
    assert int(answer.headers["sunledger-sum-fen"]) == said["sum_fen"]
    assert f"-rows-{len(lines)}-fen-{said['sum_fen']}.csv" in answer.headers["content-disposition"]


async def test_fewer_than_five_persons_in_a_group_are_not_counted(busy: Branch, http: httpx.AsyncClient) -> None:
    found = await asked(http, measure="received", by="month,donor_class")
    june, later = found["rows"]
    assert (june["count"], later["count"], found["count"]) == (6, None, None)
    assert later["sum_fen"] == 70_000
    narrowed = await asked(http, measure="received", donor_class="person", since=busy.today[:7])
    assert (narrowed["rows"], narrowed["count"]) == ([{"count": None, "sum_fen": 70_000}], None)


async def test_a_region_counts_with_what_lies_in_it(busy: Branch, http: httpx.AsyncClient) -> None:
    from ledger.organisations import OpenProject

    project = OpenProject(maker=FOUNDER, org=CITY, project="old-town", name="老城", region="330802")
    await busy.do(project)
    await busy.do(structs.replace(project, project="far", region="330782"))
    await busy.allocate(300, "general", "old-town")
    await busy.allocate(50, "general", "far")
    for region, fen in (("330802", 300), ("330800", 300), ("330000", 350), ("330700", 50), ("440000", 0)):
        found = await asked(http, measure="allocated", by="region", region=region)
        assert found["sum_fen"] == fen, region
