"""Every picture of figures stands beside its table, and the table beside its CSV: the same parts, the same sums."""

import csv
import html
import io
import re
from collections import Counter
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import httpx
import pytest

from public_site import books, messages
from tests.support.branch import CITY, Branch
from tests.support.reading import text

PICTURE = '<svg class="flow '
LOC = "{http://www.sitemaps.org/schemas/sitemap/0.9}loc"
PAYEES = ("县人民医院", "persons", "=第一小学", "粮站", "车队", "另一家医院")


@pytest.fixture
async def busy(branch: Branch) -> Branch:
    """A project that more funds gave to, and more payees were paid by, than a picture names."""
    funds = ["general", "flood", "second", "third", "fourth", "fifth"]
    for fund in funds[2:]:
        await branch.fund(fund, "不指定用途")
    for i, fund in enumerate(funds, 1):
        await branch.gift(i * 1_000, fund)
        await branch.allocate(i * 900, fund, "relief")
    for i, payee in enumerate(PAYEES, 1):
        await branch.pay(i * 500, "relief", payee=payee)
    return branch


def tables(page: str) -> list[tuple[Counter[int], int]]:
    """Of each table below the picture: the amounts of its rows, and the sum it gives."""
    found = []
    for table in re.findall(r"<table[ >].*?</table>", page[page.index(PICTURE) :], re.DOTALL):
        body, _, foot = table.partition("<tfoot")
        rows = [amounts for row in body.split("<tr")[1:] if (amounts := re.findall(r'class="num">¥([\d,.]+)<', row))]
        (total,) = re.findall(r'class="num">¥([\d,.]+)<', foot)
        found.append((Counter(messages.fen(amounts[-1]) for amounts in rows), messages.fen(total)))
    return found


async def sheet(http: httpx.AsyncClient, page: str) -> tuple[list[dict[str, str]], httpx.Response]:
    """What the page's link to CSV leads to."""
    (link,) = {html.unescape(each) for each in re.findall(r'href="(/api/[^"]+\.csv[^"]*)"', page)}
    answer = await http.get(link)
    assert answer.status_code == 200, answer.text
    return [*csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))], answer


async def test_every_picture_has_its_table_and_the_table_its_csv(busy: Branch, http: httpx.AsyncClient) -> None:
    assert busy.today
    places = ET.fromstring((await http.get("/sitemap.xml")).content).iter(LOC)
    pages = [urlsplit(each.text or "").path or "/" for each in places]
    pages += [f"{each}?measure=paid&by=project&then=org" for each in ("/data/figures", "/en/data/figures")]
    drawn = []
    for path in pages:
        page = (await http.get(path)).text
        if PICTURE not in page:
            continue
        drawn.append(path)
        rows, answer = await sheet(http, page)
        columns = [name for name in (rows[0] if rows else ()) if name.endswith("_fen")]
        of_sheet = [Counter(int(row[name]) for row in rows if row[name]) for name in columns]
        shown = tables(page)
        assert [amounts for amounts, _ in shown] == of_sheet, path
        assert [total for _, total in shown] == [sum(each.elements()) for each in of_sheet], path
        assert {total for _, total in shown} == {int(answer.headers["sunledger-sum-fen"])}, path
        assert len(rows) == int(answer.headers["sunledger-rows"]), path
    for path in (f"/projects/{CITY}/relief", "/data/figures"):
        assert {path, f"/en{path}"} <= {*drawn}


async def test_the_picture_of_a_gift_has_its_csv(busy: Branch, http: httpx.AsyncClient) -> None:
    given = await busy.gift(12_345)
    await busy.allocate(45)
    page = (await http.post("/trace", data={"code": given.code})).text
    rows, answer = await sheet(http, page)
    trace = (await http.get(f"/api/v1/entries/{given.seq}/trace")).json()
    told = [(each["state"], each["fund"]["id"], each["amount_fen"]) for each in trace["leaves"]]
    assert [(row["state"], row["fund"], int(row["amount_fen"])) for row in rows] == told
    assert int(answer.headers["sunledger-sum-fen"]) == 12_345 == sum(int(row["amount_fen"]) for row in rows)
    assert int(answer.headers["sunledger-rows"]) == len(rows)
    assert (await http.get("/api/v1/entries/0/trace.csv")).status_code == 404


async def test_a_projects_table_names_every_fund_and_every_payee(busy: Branch, http: httpx.AsyncClient) -> None:
    assert busy.today
    path = f"/projects/{CITY}/relief"
    page = (await http.get(path)).text
    table = text(page[page.index('id="table"') :])
    for shown in ("不指定用途¥54.00", "不指定用途¥9.00", "汛期应急救助¥18.00", "县人民医院¥5.00", "受助群众¥10.00"):
        assert shown in table, shown
    assert "其他" not in table
    assert "其他" in page.partition("</svg>")[0], "the picture names the largest"
    rows, _ = await sheet(http, page)
    assert [row["fund"] for row in rows if row["kind"] == "fund"] == [
        "fifth", "fourth", "third", "second", "flood", "general",
    ]  # fmt: skip
    payees = {row["name"]: row["went_fen"] for row in rows if row["kind"] == "payee"}
    assert payees == {each.replace("=", "'="): str(i * 500) for i, each in enumerate(PAYEES, 1)}
    assert [(row["name"], row["went_fen"]) for row in rows if row["kind"] == "allocated"] == [("", "8400")]
    answer = (await http.get(f"/api/v1{path}/flow")).json()
    for side in ("came", "went"):
        of_sheet = [(row["kind"], row["fund"], int(row[f"{side}_fen"])) for row in rows if row[f"{side}_fen"]]
        assert [(each["kind"], each["fund"], each["amount_fen"]) for each in answer[side]] == of_sheet
        assert sum(each["amount_fen"] for each in answer[side]) == answer["sum_fen"] == 18_900


async def test_a_table_that_would_be_too_long_says_where_the_rest_is(
    busy: Branch, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert busy.today
    monkeypatch.setattr(books, "MAX_ENDS", 3)
    page = (await http.get(f"/projects/{CITY}/relief")).text
    table = text(page[page.index('id="table"') :])
    assert "其他 4 项¥90.00" in table
    assert "其余的请下载 CSV" in table
    assert [total for _, total in tables(page)] == [18_900, 18_900]
    assert len((await sheet(http, page))[0]) == 13
    english = text((await http.get(f"/en/projects/{CITY}/relief")).text)
    assert "4 others¥90.00" in english


async def test_the_flow_of_a_project_says_as_of_which_entry_and_is_known_again(
    busy: Branch, http: httpx.AsyncClient
) -> None:
    path = f"/api/v1/projects/{CITY}/relief/flow"
    for address in (path, f"{path}.csv"):
        first = await http.get(address)
        assert first.headers["cache-control"] == "public, max-age=10"
        again = await http.get(address, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        seq = int(first.headers.get("sunledger-as-of", 0)) or first.json()["as_of"]["seq"]
        given = await busy.gift(100)
        assert given.seq == seq + 1
    for nothing in (f"/api/v1/projects/{CITY}/none/flow", "/api/v1/projects/A/b/flow.csv"):
        answer = await http.get(nothing)
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
    empty = (await http.get(f"/api/v1/projects/{CITY}/winter/flow")).json()
    assert (empty["came"], empty["went"], empty["sum_fen"]) == ([], [], 0)
