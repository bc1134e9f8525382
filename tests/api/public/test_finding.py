"""Search by name, feeds, and what robots are told."""

import re
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest
from msgspec import structs

from api.public.feeds import MAX_PLACES
from ledger.organisations import DeclareEvent, OpenProject
from ledger.reversals import ReverseEntry
from ledger.settings import Settings
from tests.support.acting import acting_as_superuser
from tests.support.branch import CITY, FINANCE, FOUNDER, Branch

ATOM = "{http://www.w3.org/2005/Atom}"
LINK = "{http://www.w3.org/1999/xhtml}link"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


async def found(http: httpx.AsyncClient, q: str) -> list[tuple[str, str]]:
    answer = await http.get("/api/v1/search", params={"q": q})
    assert answer.status_code == 200, answer.text
    return [(each["kind"], each["id"]) for each in answer.json()["items"]]


@pytest.mark.parametrize(
    ("q", "first"),
    [
        ("洪涝", ("event", "flood")),
        ("冬季慰问", ("project", "winter")),
        ("冬季 困难", ("project", "winter")),
        ("汛期应急", ("fund", "flood")),
        ("汛期应急救济", ("fund", "flood")),
        ("家庭困难冬季慰问", ("project", "winter")),
        ("示例省", ("organisation", "330000")),
        ("330800", ("organisation", "330800")),
        ("wInTer", ("project", "winter")),
        ("冬", ("project", "winter")),
    ],
)
async def test_what_is_like_it_in_name_is_found_first(
    branch: Branch, http: httpx.AsyncClient, q: str, first: tuple[str, str]
) -> None:
    assert (await found(http, q))[0] == first


async def test_what_is_like_nothing_finds_nothing(branch: Branch, http: httpx.AsyncClient) -> None:
    await branch.gift(100)  # given by 张*, whom no search knows
    for q in ("张*", "张", "地震", "%", "_", "'", "   "):
        assert await found(http, q) == [], q


async def test_search_takes_no_receipt_codes(branch: Branch, http: httpx.AsyncClient) -> None:
    given = await branch.gift(100)
    for q in (given.code, given.code.lower(), "\0", "", "长" * 65):
        answer = await http.get("/api/v1/search", params={"q": q})
        assert (answer.status_code, answer.json()["type"]) == (400, "/problems/invalid-request")
        assert answer.headers["cache-control"] == "no-store"


async def test_chinese_is_found_whatever_the_database_thinks_of_letters(
    branch: Branch, http: httpx.AsyncClient, settings: Settings
) -> None:
    """PostgreSQL's trigrams, which depend on that, are not used."""
    async with acting_as_superuser(settings) as superuser:
        assert not await superuser.fetchval("select true from pg_extension where extname = 'pg_trgm'")
    await branch.do(DeclareEvent(maker=FOUNDER, event="quake", name="泸定地震", emergency=True))
    assert await found(http, "泸定的地震") == [("event", "quake")]


async def fed(http: httpx.AsyncClient, path: str) -> tuple[Any, list[tuple[str, str]]]:
    answer = await http.get(f"/feeds/{path}")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    root = ET.fromstring(answer.content)
    for item in (root, *root.iter(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert item.findtext(ATOM + name), name
    ids = [each.findtext(f"{ATOM}id") for each in root.iter(f"{ATOM}entry")]
    assert len({*ids}) == len(ids)
    told = [(each.findtext(f"{ATOM}title"), each.findtext(f"{ATOM}summary")) for each in root.iter(f"{ATOM}entry")]
    return root, told  # type: ignore[return-value]  # asserted above


async def test_feeds_tell_what_happened_to_the_money_newest_first(branch: Branch, http: httpx.AsyncClient) -> None:
    await branch.gift(90_000)
    await branch.allocate(1_200, "general", "winter")
    paid = await branch.pay(1_000, "winter", payee="persons", purpose="<慰问金> & 棉被")
    await branch.allocate(50, "general", "relief")
    await branch.confirm(paid, 1_000)
    root, told = await fed(http, f"projects/{CITY}/winter")
    assert root.findtext(f"{ATOM}title") == "困难家庭冬季慰问 · 动态"
    assert root.findtext(f"{ATOM}id").startswith("tag:example.org,")
    assert [title for title, _ in told] == ["受助方签收 ¥10.00", "拨付 ¥10.00", "分配到项目 ¥12.00"]
    assert told[1][1] == f"{branch.today}，付给受助群众：<慰问金> & 棉被"
    _, of_city = await fed(http, f"organisations/{CITY}")
    assert [title for title, _ in of_city] == [
        "受助方签收 ¥10.00",
        "分配到项目 ¥0.50",
        *(title for title, _ in told[1:]),
    ]
    assert (await fed(http, "corrections"))[1] == []
    reversal = ReverseEntry(maker=FINANCE, org=CITY, ref=paid, on=branch.today, reason="金额有误", statement="多付了。")
    await branch.agree(reversal)
    assert (await fed(http, "corrections"))[1] == [("更正 ¥10.00", f"原条目 {paid}。多付了。")]


async def test_a_feeds_links_lead_to_pages_and_to_the_same_as_data_from_wherever_it_is_read(
    branch: Branch, http: httpx.AsyncClient
) -> None:
    await branch.gift(9_000)
    await branch.allocate(1_200, "general", "winter")
    paid = await branch.pay(1_000, "winter")
    await branch.agree(
        ReverseEntry(maker=FINANCE, org=CITY, ref=paid, on=branch.today, reason="金额有误", statement="多付了。")
    )
    for path in (f"projects/{CITY}/winter", f"organisations/{CITY}", "corrections"):
        root, told = await fed(http, path)
        assert told
        its = linked(root)
        assert its["self", ""] == f"http://ledger.test/feeds/{path}"
        assert its["alternate", "text/html"] == f"http://ledger.test/{path}"
        pages = [its["alternate", "text/html"]]
        for item in root.iter(f"{ATOM}entry"):
            seq = item.findtext(f"{ATOM}id").rpartition("/")[2]
            assert linked(item) == {
                ("alternate", "text/html"): f"http://ledger.test/entries/{seq}",
                ("alternate", "application/json"): f"http://ledger.test/api/v1/entries/{seq}",
            }
            assert next(item.iter(f"{ATOM}link")).get("type") == "text/html", "many readers take the first"
            pages += linked(item).values()
        for address in pages:
            answer = await http.get(address, headers={"Accept": "text/html"})
            assert answer.status_code == 200, address


def linked(item: Any) -> dict[tuple[str, str], str]:
    """(relation, type) → address of its own links: no two of one relation and type (RFC 4287, section 4.1.2)."""
    links = [(each.get("rel"), each.get("type", ""), each.get("href")) for each in item.findall(f"{ATOM}link")]
    found = {(rel, kind): href for rel, kind, href in links}
    assert len(found) == len(links)
    return found


async def test_what_is_not_registered_has_no_feed(branch: Branch, http: httpx.AsyncClient) -> None:
    for path in ("organisations/nobody", f"projects/{CITY}/nothing", "projects/A/b", f"projects/{CITY}/%00"):
        answer = await http.get(f"/feeds/{path}")
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found"), path


async def test_robots_are_kept_from_where_codes_are_typed(http: httpx.AsyncClient) -> None:
    text = (await http.get("/robots.txt")).text
    closed = re.findall(r"^Disallow: (.*)$", text, re.MULTILINE)

    def is_closed(address: str) -> bool:
        """As RFC 9309 has robots read it: by beginnings, `$` for an end."""
        return any(address == each[:-1] if each.endswith("$") else address.startswith(each) for each in closed)

    for path in (
        "/r",
        "/trace",
        "/trace/fiscal",
        "/certificate",
        "/dossier",
        "/search?q=x",
        "/data?fund=x",
        "/gifts?before=9",
    ):
        assert is_closed(path), path
        assert is_closed(f"/en{path}"), path
    assert is_closed("/api/v1/trace")
    for path in (
        "/",
        "/report",
        "/robots.txt",
        "/data",
        "/data/figures",
        "/gifts",
        "/entries/1",
        "/projects/330800/winter",
    ):
        assert not is_closed(path), path
        assert not is_closed(f"/en{path}"), path
    assert "Sitemap: http://ledger.test/sitemap.xml" in text


async def test_the_map_lists_every_organisation_fund_and_project(branch: Branch, http: httpx.AsyncClient) -> None:
    project = OpenProject(maker=FOUNDER, org=CITY, project="school", name="学校")
    await branch.do(structs.replace(project, project="bridge"))
    root = ET.fromstring((await http.get("/sitemap.xml")).content)
    places = {each.text for each in root.iter(f"{MAP}loc")}
    for path in ("/", "/corrections", "/organisations/330800", "/funds/330800/general", "/projects/330800/bridge"):
        assert f"http://ledger.test{path}" in places
        assert f"http://ledger.test/en{path}".removesuffix("/") in places
    assert len(places) <= MAX_PLACES
    for each in root.iter(f"{MAP}url"):
        versions = {link.get("hreflang"): link.get("href") for link in each.iter(LINK)}
        assert versions.keys() == {"zh-Hans", "en"}
        assert each.findtext(f"{MAP}loc") in versions.values()
