"""Pages of the record: an entry, corrections, one fen; and what every page says when something is not as usual."""

import hashlib
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.public import app as public
from api.public.app import Resources
from ledger import account, entries
from ledger.drawing import position
from ledger.reversals import ReverseEntry
from ledger.settings import Settings
from ledger.store import setup
from ledger.store.files import SetupError
from ledger.store.keys import LookupKeys
from ledger.store.queries.entries import MAX_CITING
from ledger.store.queries.fens import follow
from ledger.store.queries.head import Head
from public_site import site as sites
from public_site.appearance import MAX_EMBLEM_BYTES, Appearance
from public_site.site import Press
from tests.support.branch import CITY, FINANCE, Branch
from tests.support.office import Office, gift, opened
from tests.support.signing import signing
from tests.support.visitor import visitor

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 4"><path d="M0 0h4v4z"/></svg>'
APART = 50_021
"""Positions between two fen that are followed; prime, so that no round amount hides anything."""

FLOOD = f"fund={CITY}:flood"


def text(page: str) -> str:
    """What is read."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


@asynccontextmanager
async def looking(resources: Resources, look: Appearance) -> AsyncGenerator[httpx.AsyncClient]:
    async with visitor(public.build(replace(resources, look=look))) as client:
        client.headers["Accept"] = "text/html"
        yield client


async def taken_back(branch: Branch, ref: int) -> int:
    statement = "多写了一个<b>零</b>。"
    return await branch.agree(
        ReverseEntry(maker=FINANCE, org=CITY, ref=ref, on=branch.today, reason="录错", statement=statement)
    )


async def test_an_entrys_page_says_it_in_words_and_in_its_bytes(branch: Branch, http: httpx.AsyncClient) -> None:
    seq, code = await branch.gift(12_345, "flood")
    page = await http.get(f"/entries/{seq}")
    written = (await http.get(f"/api/v1/entries/{seq}/bytes")).content
    assert "捐给「汛期应急救助」" in text(page.text)
    assert "¥123.45" in page.text
    assert hashlib.sha256(written).hexdigest() in page.text
    assert entries.decode(written).prev in page.text
    shown = re.search(r'<pre class="code"[^>]*>(.*?)</pre>', page.text, re.DOTALL)
    assert shown is not None
    assert shown[1].replace("&#34;", '"').replace("&lt;", "<").replace("&gt;", ">").encode() == written
    assert f'href="/entries/{seq - 1}" rel="prev"' in page.text
    assert "后一条" not in page.text
    assert f"/report?entry={seq}" in page.text
    assert code not in page.text
    assert "还没有签名公布" in page.text
    assert "sunledger mirror" not in (await http.get("/verify")).text, "there is no key, nor anything to copy"


async def test_an_entry_taken_back_is_struck_through_and_leads_to_its_correction(
    branch: Branch, http: httpx.AsyncClient
) -> None:
    seq, _ = await branch.gift(5_000)
    correction = await taken_back(branch, seq)
    old, new = (await http.get(f"/entries/{seq}")).text, (await http.get(f"/entries/{correction}")).text
    assert re.search(r"<h1><s>捐给", old)
    assert f'href="/entries/{correction}"' in old
    assert f'href="/entries/{seq}"' in new
    assert "多写了一个&lt;b&gt;零&lt;/b&gt;。" in new
    listed = (await http.get("/corrections")).text
    assert "<s>捐款 ¥50.00</s>" in listed
    assert "共 1 次更正" in listed
    assert "1 correction<" in (await http.get("/en/corrections")).text


async def test_the_list_of_corrections_shows_the_right_entry_beside_the_wrong_one(demo: httpx.AsyncClient) -> None:
    (each,) = (await demo.get("/api/v1/corrections")).json()["items"]
    listed = (await demo.get("/corrections")).text
    old, new = listed.index("<s>捐款 ¥8,888.00</s>"), listed.index("更正为 ¥888.80")
    assert old < listed.index(f'href="/entries/{each["ref"]}"') < listed.index(f'href="/entries/{each["seq"]}"') < new
    assert new < listed.index(f'href="/entries/{each["righted_by"]}"')
    assert each["reason"] in listed
    assert each["maker"] in listed
    assert "corrected to ¥888.80" in (await demo.get("/en/corrections")).text


async def test_corrections_are_listed_by_pages(branch: Branch, http: httpx.AsyncClient) -> None:
    assert "没有一条需要更正" in (await http.get("/corrections")).text
    wrong = [await taken_back(branch, seq) for seq, _ in await branch.gifts([100] * 22)]
    first = (await http.get("/corrections")).text
    following = re.search(r'<a class="btn sec" href="([^"]+)"', first)
    assert following is not None
    second = (await http.get(following[1])).text
    found = [
        int(seq)
        for page in (first, second)
        for seq in re.findall(r'warn">更正</span>.*?/entries/(\d+)', page, re.DOTALL)
    ]
    assert found == sorted(wrong, reverse=True)


# --- one fen ---


@pytest.fixture
async def office(told: Settings) -> AsyncGenerator[Office]:
    async with opened(signing(told)) as office:
        answer = await office.post("gifts", gift(channel_ref="the last"), headers={"Prefer": "wait=9"})
        assert answer.status_code == 201
        yield office


@pytest.fixture
async def published(office: Office, told: Settings) -> AsyncGenerator[httpx.AsyncClient]:
    assert told.database_url is not None
    database = setup.database(told, told.database_url, "reader")
    async with visitor(public.build(Resources(database=database, lookup=LookupKeys.read(told.lookup)))) as client:
        client.headers["Accept"] = "text/html"
        yield client
    await database.close()


async def test_one_fen_is_chosen_by_the_formula_on_the_page(published: httpx.AsyncClient) -> None:
    page = (await published.get(f"/fen?{FLOOD}&seed=甲")).text
    said = dict(re.findall(r'<dt>(\w+)</dt><dd class="mono">([^<]*)</dd>', page))
    line = f"sunledger/fen/1\n{said['account']}\n{said['size']}\n{said['root']}\n{said['seed']}\n"
    drawn = int(hashlib.sha256(line.encode()).hexdigest(), 16)
    assert int(said["position"]) == drawn * int(said["N"]) // 2**256
    assert f"第 {int(said['position']) + 1:,} 分" in page
    assert said["seed"] == "甲"
    note = (await published.get("/log/checkpoint")).text.split("\n")
    assert said["size"] == note[1]


async def test_every_fund_can_be_drawn_from_under_the_name_of_whose_it_is(published: httpx.AsyncClient) -> None:
    page = (await published.get("/fen")).text
    owners = re.findall(r'<optgroup label="([^"]+)">(.*?)</optgroup>', page, re.DOTALL)
    funds = (await published.get("/api/v1/funds?limit=100")).json()["items"]
    offered = [value for _, options in owners for value in re.findall(r'<option value="([^"]+)"', options)]
    assert offered == [f"{each['org']}:{each['fund']}" for each in funds]
    assert len(owners) == len({each["org"] for each in funds})


async def test_a_fund_that_is_none_is_said_beside_its_field(published: httpx.AsyncClient) -> None:
    for typed in ("flood", ":", f"{CITY}:"):
        page = await published.get("/fen", params={"fund": typed, "seed": "x"})
        assert page.status_code == 400
        assert "请写明是哪个组织的基金" in page.text
        assert f'<option value="{typed}" selected>' in page.text


async def test_the_same_link_follows_the_same_fen_for_ever(office: Office, published: httpx.AsyncClient) -> None:
    page = (await published.get(f"/fen?{FLOOD}&seed=again")).text
    link = re.search(r'href="(/fen\?[^"]+size=\d+)"', page[page.index('class="timeline"') :])
    assert link is not None
    address = link[1].replace("&amp;", "&")
    before = text((await published.get(address)).text).partition("第 ")[2]
    later = gift(channel_ref="later", fund="flood", event="flood-2026-06")
    assert (await office.post("gifts", later, headers={"Prefer": "wait=9"})).status_code == 201
    after = text((await published.get(address)).text).partition("第 ")[2]
    assert before.partition("最新的在最上面")[2] == after.partition("最新的在最上面")[2]
    newest = (await published.get(f"/fen?{FLOOD}&seed=again")).text
    assert f"size={await office.size()}" in newest


async def test_the_interface_draws_the_fen_of_the_page_and_says_the_same_for_ever(
    office: Office, published: httpx.AsyncClient
) -> None:
    address = f"/api/v1/funds/{CITY}/flood/fen"
    newest = await published.get(address, params={"seed": " 甲  乙 "})
    told = newest.json()
    line = f"sunledger/fen/1\n{told['account']}\n{told['size']}\n{told['root']}\n{told['seed']}\n"
    drawn = int(hashlib.sha256(line.encode()).hexdigest(), 16)
    assert told["position"] == drawn * told["credited_fen"] >> 256
    assert (told["seed"], told["as_of"]["seq"]) == ("甲 乙", told["size"] - 1)
    page = (await published.get(f"/fen?{FLOOD}&seed=甲 乙")).text
    shown = re.findall(r'<p class="small muted mono">(\S+) @ ([\d,]+)</p>', page)
    assert [(each["account"], f"{each['position']:,}") for each in reversed(told["way"])] == shown
    link = re.search(r'href="(/api/v1/funds/[^"]+)"', page)
    assert link is not None
    assert link[1].replace("&amp;", "&").replace("%20", "+") == told["href"]
    assert told["way"][0]["kind"] == "money.received"
    for hop in told["way"]:
        body = (await published.get(f"/api/v1/entries/{hop['seq']}")).json()["entry"]["body"]
        assert hop["on"] == body["on"]
        assert hop["evidence"] == body.get("evidence", [])

    pinned = await published.get(told["href"])
    assert pinned.content == newest.content
    assert ("immutable" in pinned.headers["cache-control"], "immutable" in newest.headers["cache-control"]) == (1, 0)
    assert pinned.headers["etag"] == f'"{hashlib.sha256(pinned.content).hexdigest()}"'
    later = gift(channel_ref="later", fund="flood", event="flood-2026-06")
    assert (await office.post("gifts", later, headers={"Prefer": "wait=9"})).status_code == 201
    assert (await published.get(told["href"])).content == pinned.content
    assert (await published.get(address, params={"seed": "甲 乙"})).json()["size"] == await office.size()
    known = {"If-None-Match": pinned.headers["etag"]}
    assert (await published.get(told["href"], headers=known)).status_code == 304
    for other in (
        f"{address}?seed=x&size=99999",
        f"/api/v1/funds/{CITY}/none/fen?seed=x",
        "/api/v1/funds/A/b/fen?seed=",
    ):
        assert (await published.get(other)).status_code == 404


async def test_the_ways_of_many_fen_are_what_their_gifts_traces_say(
    office: Office, published: httpx.AsyncClient
) -> None:
    size = await office.size()
    flood = [json for json in (await published.get("/api/v1/funds")).json()["items"] if json["fund"] == "flood"]
    credited = flood[0]["figures"]["received_fen"]
    resting: dict[tuple[int, str], int] = {}
    async with office.resources.database.raw() as connection:
        for at in range(0, credited, APART):
            hops = await follow(connection, CITY, "flood", at, size)
            assert hops[0].address == account.fund(CITY, "flood")
            assert [hop.seq for hop in hops] == sorted(hop.seq for hop in hops)
            key = (hops[0].seq, account.parse(hops[-1].address).kind)
            resting[key] = resting.get(key, 0) + 1
    for gift_seq in {seq for seq, _ in resting}:
        states = (await published.get(f"/api/v1/entries/{gift_seq}/trace")).json()["states"]
        said = {
            "fund": states["held"], "project": states["allocated"],
            "payees": states["unconfirmed"] + states["confirmed"], "refunds": states["refunded"],
        }  # fmt: skip
        for kind, fen in said.items():
            assert abs(resting.get((gift_seq, kind), 0) * APART - fen) <= APART, (gift_seq, kind)


async def test_a_fund_that_never_got_money_has_no_fen(published: httpx.AsyncClient) -> None:
    assert "取不出一分" in (await published.get("/fen?fund=330824:none&seed=x")).text
    assert "公式" in (await published.get("/fen")).text
    assert "取不出一分" in (await published.get(f"/fen?{FLOOD}&seed=x&size=99999")).text


@given(st.integers(1, account.MAX_POSITION), st.text(max_size=64), st.binary(min_size=32, max_size=32))
def test_a_fen_lies_on_its_line(credited: int, seed: str, root: bytes) -> None:
    seed = seed.encode(errors="ignore").decode()
    at = position(address="fund:1:a", size=1, root=root, credited=credited, seed=seed)
    assert 0 <= at < credited


# --- when something is not as usual ---


EMPTY = {
    "/": "还没有收到捐款。",
    "/data": "还没有签名公布",
    "/data?list=payments": "还没有这样的记录。",
    "/data/figures": "还没有这样的记录。",
    "/fen": "还没有基金。",
    "/funds": "还没有基金。",
    "/gifts": "还没有收到捐款。",
    "/organisations": "还没有组织。",
    "/projects": "还没有项目。",
    "/verify": "还没有签名公布",
}


async def test_an_empty_ledger_says_so(settings: Settings) -> None:
    async with Branch.open(settings, founded=False):
        assert settings.database_url is not None
        database = setup.database(settings, settings.database_url, "reader")
        async with visitor(public.build(Resources(database=database, lookup=LookupKeys.read(settings.lookup)))) as http:
            for path, said in EMPTY.items():
                page = await http.get(path)
                assert page.status_code == 200, path
                assert said in page.text, path
                assert "账本还是空的" in page.text
                assert (await http.get(f"/en{path}".rstrip("/"))).status_code == 200
        await database.close()


@pytest.mark.parametrize(("hours", "times"), [(0, 0), (2, 0), (3, 1)])
def test_data_are_called_old_after_the_hours_the_operator_chose(hours: int, times: int) -> None:
    at = "2026-11-21T08:00:00.000Z"
    now = entries.instant(entries.moment(at) + timedelta(hours=hours))
    press = Press(Appearance(stale_hours=2), lambda: now)
    for path, said in (("/matching", "数据较旧"), ("/en/matching", "These data are old")):
        page = press.at(path).page("matching", Head(7, at, "示例市红十字会")).content
        assert page.count(said) == times
        assert page.count('<div class="asof old">') == times


async def test_a_pause_is_said_on_every_page(resources: Resources) -> None:
    async with looking(resources, Appearance(is_read_only=True)) as http:
        for path in ("/", "/matching", "/gifts", "/data", "/data?fund=x", "/data/figures", "/search"):
            assert "暂停记账" in (await http.get(path)).text
        assert "Nothing is being entered" in (await http.get("/en")).text


async def test_the_operators_own_emblem_stands_in_the_seals_place(
    resources: Resources, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "emblem.svg").write_bytes(SVG)
    look = Appearance.of(settings.model_copy(update={"emblem": tmp_path / "emblem.svg"}))
    async with looking(resources, look) as http:
        page = (await http.get("/")).text
        address = re.search(r'class="emblem" src="([^"]+)"', page)
        assert address is not None
        assert 'class="seal"' not in page
        file = await http.get(address[1])
        assert (file.content, file.headers["content-type"]) == (SVG, "image/svg+xml")
    async with looking(resources, Appearance()) as http:
        assert 'class="seal"' in (await http.get("/")).text


@pytest.mark.parametrize("content", [b"GIF89a", b"", SVG + b" " * MAX_EMBLEM_BYTES, None])
def test_an_emblem_that_cannot_be_shown_stops_the_start(
    settings: Settings, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "emblem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SetupError, match="emblem"):
        Appearance.of(settings.model_copy(update={"emblem": path}))


async def test_whom_to_tell_is_filled_in(resources: Resources) -> None:
    async with looking(resources, Appearance(contact="jubao@example.org")) as http:
        page = (await http.get("/report?entry=12")).text
        assert 'href="mailto:jubao@example.org?subject=%E9%98%B3' in page
        assert 'href="/entries/12"' in page
        assert "subject=Sunshine%20Ledger%3A%20entry%2012" in (await http.get("/en/report?entry=12")).text
    async with looking(resources, Appearance(contact="0570-000-0000")) as http:
        page = (await http.get("/report")).text
        assert "0570-000-0000" in page
        assert "mailto:" not in page
    async with looking(resources, Appearance()) as http:
        assert "请联系开具收据的红十字会。" in (await http.get("/report")).text


async def test_a_page_leads_to_itself_in_the_other_language(http: httpx.AsyncClient) -> None:
    page = (await http.get(f"/gifts?{FLOOD}")).text
    assert f'<link rel="alternate" hreflang="en" href="http://127.0.0.1:8000/en/gifts?{FLOOD}">' in page
    assert f'<link rel="alternate" hreflang="zh-Hans" href="http://127.0.0.1:8000/gifts?{FLOOD}">' in page
    assert f'<a href="/en/gifts?{FLOOD}" lang="en" hreflang="en">English</a>' in page
    english = await http.get(f"/en/gifts?{FLOOD}")
    assert '<html lang="en">' in english.text
    assert english.headers["content-language"] == "en"
    posted = (await http.post("/en/trace", data={"code": "x"})).text
    assert '<a href="/" lang="zh-Hans" hreflang="zh-Hans">' in posted
    assert "No gift is found under this code" in posted


def test_goods_have_their_place_and_are_not_shown() -> None:
    goods = [section for section in sites.SECTIONS if section.path == "/goods"]
    assert [section.is_open for section in goods] == [False]


async def test_an_entry_that_was_taken_back_is_struck_through_however_often_it_is_cited(
    branch: Branch, http: httpx.AsyncClient
) -> None:
    await branch.gift(5_000)
    await branch.allocate(5_000)
    paid = await branch.pay(4_000)
    for i in range(MAX_CITING + 1):
        await branch.feedback(paid, f"第 {i} 次反馈")
    back = await taken_back(branch, paid)
    page = (await http.get(f"/entries/{paid}")).text
    assert "<h1><s>" in page
    assert f'href="/entries/{back}"' in page


async def test_reasons_on_the_english_list_of_corrections_are_marked_as_chinese(
    branch: Branch, http: httpx.AsyncClient
) -> None:
    given_, _ = await branch.gift(5_000)
    await taken_back(branch, given_)
    page = (await http.get("/en/corrections")).text
    assert '<span lang="zh-Hans">录错</span>' in page
    assert '<span lang="zh-Hans">多写了一个' in page
