"""What pages show, the interface gives: news, a year, checkpoints, what came of an entry."""

import html
import re
from collections.abc import AsyncGenerator

import httpx
import pytest

from api.public.app import Resources, build
from ledger.settings import Settings
from ledger.store import setup
from ledger.store.keys import LookupKeys
from ledger.store.queries.entries import MAX_CITING
from public_site.about import CHECKPOINTS
from public_site.messages import yuan
from public_site.pages import LATEST
from tests.support.branch import CITY, Branch
from tests.support.office import Office, gift, opened
from tests.support.signing import signing
from tests.support.visitor import visitor


@pytest.fixture
async def office(told: Settings) -> AsyncGenerator[Office]:
    async with opened(signing(told)) as office:
        yield office


@pytest.fixture
async def growing(office: Office, told: Settings) -> AsyncGenerator[httpx.AsyncClient]:
    """The site over a log with more checkpoints than a page shows."""
    for i in range(CHECKPOINTS + 1):
        answer = await office.post("gifts", gift(channel_ref=f"{i}"), headers={"Prefer": "wait=9"})
        assert answer.status_code == 201
    assert told.database_url is not None
    database = setup.database(told, told.database_url, "reader", pool_size=2)
    async with visitor(build(Resources(database=database, lookup=LookupKeys.read(told.lookup)))) as client:
        yield client
    await database.close()


def told_on(page: str) -> list[tuple[int, str]]:
    """Number and sentence of each news of a page."""
    its = page[page.index('id="news"') if 'id="news"' in page else page.index('id="latest"') :]
    timeline = re.findall(r"<h3>(.*?)</h3>.*?/entries/(\d+)", its, re.DOTALL)
    ledger = re.findall(r'/entries/(\d+)".*?<span class="tag[^"]*">[^<]*</span>(.*?)</span>', its, re.DOTALL)
    return [(int(seq), html.unescape(text)) for text, seq in timeline] or [
        (int(seq), html.unescape(text)) for seq, text in ledger
    ]


async def test_news_are_the_same_on_a_page_and_in_the_interface(demo: httpx.AsyncClient) -> None:
    pages = {"/": "/api/v1/news"}
    for register, ids in (("organisations", ("org",)), ("funds", ("org", "fund")), ("projects", ("org", "project"))):
        for each in (await demo.get(f"/api/v1/{register}")).json()["items"]:
            path = f"/{register}/{'/'.join(each[name] for name in ids)}"
            pages[path] = f"/api/v1{path}/news"
    kinds: set[str] = set()
    for path, address in pages.items():
        page = (await demo.get(path)).text
        shown = told_on(page) if 'id="news"' in page or path == "/" else []
        items = (await demo.get(address, params={"limit": LATEST if path == "/" else 12})).json()["items"]
        assert [(each["seq"], each["text"]) for each in items] == shown, path
        for each in items:
            entry = (await demo.get(f"/api/v1/entries/{each['seq']}")).json()["entry"]
            assert (entry["kind"], entry["body"]["on"]) == (each["kind"], each["on"])
            assert each["amount_fen"] is None or yuan(each["amount_fen"]) in page
        kinds |= {each["kind"] for each in items}
    assert len(kinds) > 6, "or too little is seen here"
    one = (await demo.get("/api/v1/news", params={"limit": 1})).json()
    assert [each["seq"] for each in one["items"]] == [told_on((await demo.get("/")).text)[0][0]]


async def test_news_of_what_is_not_registered_are_a_problem(http: httpx.AsyncClient) -> None:
    for path in ("organisations/nobody", f"funds/{CITY}/none", f"projects/{CITY}/none", "organisations/A", "funds/A/b"):
        answer = await http.get(f"/api/v1/{path}/news", headers={"Accept": "application/json"})
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found"), path


async def test_a_year_of_the_first_page_is_in_the_interface(demo: httpx.AsyncClient) -> None:
    page = (await demo.get("/")).text
    said = re.search(r"(\d{4}) 年收支总账(.*?)</dl>\s*<p class=\"balance\">(.*?)</p>", page, re.DOTALL)
    assert said is not None
    year = (await demo.get(f"/api/v1/years/{said[1]}")).json()["year"]
    for name in ("received", "paid", "allocated", "held"):
        assert yuan(year[f"{name}_fen"]) in said[2], name
    came, went = (sum(year[f"{name}_fen"] for name in side.split(" + ")) for side in year["equation"].split(" = "))
    assert came == went > 0
    before = (await demo.get(f"/api/v1/years/{int(said[1]) - 1}")).json()["year"]
    after = (await demo.get(f"/api/v1/years/{int(said[1]) + 1}")).json()["year"]
    rests = ("held_fen", "allocated_fen", "in_transit_fen")
    assert year["opening_fen"] == sum(before[name] for name in rests)
    assert after["opening_fen"] == sum(year[name] for name in rests) == sum(after[name] for name in rests)


async def test_checkpoints_are_listed_beyond_those_of_the_page(growing: httpx.AsyncClient) -> None:
    page = (await growing.get("/verify")).text
    first = (await growing.get("/api/v1/checkpoints", params={"limit": CHECKPOINTS})).json()
    rows = re.findall(r'<td role="cell" class="nw">([^<]+)</td><td role="cell" class="num"[^>]*>([\d,]+)<', page)
    assert [size for _, size in rows] == [f"{each['size']:,}" for each in first["items"]]
    roots = re.findall(r'class="mono"[^>]*>([0-9a-f]{16})…', page)
    assert roots == [each["root"][:16] for each in first["items"]]
    note = (await growing.get("/log/checkpoint")).text.split("\n")
    assert (int(note[1]), note[0]) == (first["items"][0]["size"], first["items"][0]["by"][0])

    found = first["items"]
    following = first["next"]
    while following is not None:
        more = (await growing.get("/api/v1/checkpoints", params={"limit": 3, "before": following})).json()
        assert more["items"][0]["size"] < following, "or it never ends"
        found += more["items"]
        following = more["next"]
    sizes = [each["size"] for each in found]
    assert len(sizes) > CHECKPOINTS
    assert sizes == sorted({*sizes}, reverse=True)
    for seq in (0, sizes[-1], sizes[0] - 1):
        its = (await growing.get(f"/api/v1/entries/{seq}/checkpoint")).json()
        assert its == min((each for each in found if each["size"] > seq), key=lambda each: int(each["size"]))
        cited = (await growing.get(f"/data?as_of={seq}", headers={"Accept": "text/html"})).text
        assert its["root"] in cited
    answer = await growing.get(f"/api/v1/entries/{sizes[0]}/checkpoint")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-published")


async def test_what_came_of_an_entry_is_told_beyond_what_its_page_lists(
    branch: Branch, http: httpx.AsyncClient
) -> None:
    await branch.gift(5_000)
    await branch.allocate(5_000)
    paid = await branch.pay(4_000)
    said = [await branch.feedback(paid, f"第 {i} 次反馈") for i in range(MAX_CITING + 1)]
    address = f"/api/v1/entries/{paid}/citations"
    first = (await http.get(address, params={"limit": MAX_CITING})).json()
    page = (await http.get(f"/entries/{paid}")).text
    shown = [int(seq) for seq in re.findall(r"<dt>后来</dt><dd>[^<]*<a[^>]*/entries/(\d+)", page)]
    assert [each["seq"] for each in first["items"]] == shown == said[:-1]
    rest = (await http.get(address, params={"after": first["next"]})).json()
    assert rest["items"] == [{"seq": said[-1], "kind": "feedback.published"}]
    assert (rest["next"], rest["reversed_by"]) == (None, None)
    assert (await http.get(f"/api/v1/entries/{said[-1]}/citations")).json()["items"] == []
    answer = await http.get(f"/api/v1/entries/{said[-1] + 1}/citations", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")


async def test_what_took_an_entry_back_is_named(demo: httpx.AsyncClient) -> None:
    (each,) = (await demo.get("/api/v1/corrections")).json()["items"]
    told = (await demo.get(f"/api/v1/entries/{each['ref']}/citations")).json()
    assert told["reversed_by"] == each["seq"]
    assert {each["seq"], each["righted_by"]} <= {one["seq"] for one in told["items"]}
