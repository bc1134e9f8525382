"""Pages with figures: what they show adds up, and is what the interface says."""

import re
from datetime import date
from itertools import pairwise

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.public.app import Resources
from ledger import posting
from ledger.entries import Restriction
from ledger.organisations import RegisterOrganisation
from ledger.returns import ReturnMoney
from ledger.reversals import ReverseEntry
from ledger.store.queries import news
from ledger.store.queries.flows import read_flow
from ledger.store.queries.projects import read_project
from ledger.store.queries.years import read_year
from public_site import books, flow, messages
from public_site.flow import Caption, Part
from tests.support import reading
from tests.support.branch import CITY, FINANCE, FOUNDER, PROVINCE, Branch
from tests.support.figures import read_figures


def text(page: str) -> str:
    """What is read."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


async def read(http: httpx.AsyncClient, path: str) -> str:
    page = await http.get(path)
    assert page.status_code == 200, page.text
    return text(page.text)


@pytest.fixture
async def busy(branch: Branch) -> Branch:
    """Paid, confirmed, handed back, taken back, released, refunded."""
    first, _ = await branch.gift(50_000, "flood")
    second, _ = await branch.gift(20_000)
    wrong, _ = await branch.gift(7_000)
    await branch.allocate(45_000, "flood", "relief")
    allocated = await branch.allocate(9_000, "general", "winter")
    await branch.allocate(1_000, "general", "relief")
    paid = await branch.pay(40_000, "relief", payee="县人民医院")
    other = await branch.pay(5_500, "relief", payee="persons")
    await branch.confirm(paid, 40_000)
    await branch.do(ReturnMoney(maker=FINANCE, org=CITY, ref=other, on=branch.today, reason="多付", amount_fen=500))
    for ref in (wrong, await branch.pay(200, "relief", payee="写错的收款方")):
        await branch.agree(
            ReverseEntry(maker=FINANCE, org=CITY, ref=ref, on=branch.today, reason="录错", statement="录错，更正。")
        )
    await branch.release(allocated, 1_500)
    await branch.refund(second, 2_500)
    assert first
    return branch


async def test_a_years_figures_add_up_and_are_the_whole_ledgers(busy: Branch, resources: Resources) -> None:
    this = date.fromisoformat(busy.today).year
    async with resources.database.snapshot() as connection:
        year, whole = await read_year(connection, this), await read_figures(connection)
        before, after = await read_year(connection, this - 1), await read_year(connection, this + 1)
    assert year.opening_fen == 0
    for name in ("received_fen", "gift_count", "held_fen", "allocated_fen", "paid_fen", "refunded_fen"):
        assert getattr(year, name) == getattr(whole, name), name
    assert year.voided_fen == whole.voided_fen == 7_000
    assert (before.received_fen, before.held_fen, before.gift_count) == (0, 0, 0)
    assert after.received_fen == 0
    assert after.opening_fen == after.held_fen + after.allocated_fen == year.held_fen + year.allocated_fen


async def test_the_first_page_shows_the_year_and_the_latest_entries(busy: Branch, http: httpx.AsyncClient) -> None:
    page = await read(http, "/")
    assert f"{busy.today[:4]} 年收支总账" in page
    assert "收到 ¥770.00 = 已拨付 ¥450.00 + " in page
    assert "账目相符" in page
    assert page.index("更正（原记录保留）2") < page.index("最近入账") < page.index("退款第 ")
    english = await read(http, "/en")
    assert "Received ¥770.00 = Paid ¥450.00 + " in english
    assert "it adds up" in english


async def test_a_projects_flow_is_its_figures(busy: Branch, http: httpx.AsyncClient, resources: Resources) -> None:
    async with resources.database.snapshot() as connection:
        project = await read_project(connection, CITY, "relief")
        assert project is not None
        found = await read_flow(connection, project)
    assert found.came == [("fund", "flood", "汛期应急救助", 45_000), ("fund", "general", "不指定用途", 1_000)]
    assert found.went == [
        ("payee", "", "县人民医院", 40_000),
        ("payee", "", "persons", 5_000),
        ("allocated", "", "", 1_000),
    ], "what came back or was wrong is nobody's"
    page = await read(http, f"/projects/{CITY}/relief")
    assert "累计分配 ¥460.00 = 已拨付 ¥450.00 + 已分配未拨付 ¥10.00，账目相符。" in page
    for shown in ("县人民医院 ¥400.00", "受助群众 ¥50.00", "已分配未拨付 ¥10.00", "汛期应急救助 ¥450.00"):
        assert shown in page, shown
    back = await read(http, f"/projects/{CITY}/winter")
    assert "退回基金 ¥15.00" in back
    assert "账目相符" in back


async def test_lists_say_whose_each_is_or_what_they_are_narrowed_to(busy: Branch, http: httpx.AsyncClient) -> None:
    for path, name in (("funds", "汛期应急救助"), ("projects", "受灾家庭救助")):
        page = await read(http, f"/{path}")
        assert re.search(rf"{name}\s+示例市红十字会", page), page
        narrowed = (await http.get(f"/{path}?org={CITY}")).text
        assert f'<a href="/organisations/{CITY}">示例市红十字会</a>' in narrowed
        assert f'href="/api/v1/{path}.csv?org={CITY}"' in narrowed
        assert (await http.get(f"/{path}?org=999999")).status_code == 404


async def test_whoever_is_offered_a_sheet_is_told_how_much_is_in_it(busy: Branch, http: httpx.AsyncClient) -> None:
    await busy.do(
        RegisterOrganisation(maker=FOUNDER, org="330802", name="示例区", level="county", parent=CITY, division="330802")
    )
    given = await busy.gift(700)
    pages = {path: (await http.get(path)).text for path in ("/organisations", f"/projects/{CITY}/relief")}
    for path in ("/funds", f"/funds?org={CITY}", "/projects", f"/projects?org={CITY}"):
        pages[path] = (await http.get(path)).text
    pages["trace"] = (await http.post("/trace", data={"code": given.code})).text
    for path, page in pages.items():
        ((link, told),) = re.findall(r'<a href="(/api/[^"]+\.csv[^"]*)">下载 CSV（([^）]+)）</a>', page)
        answer = await http.get(link)
        rows, fen = (int(answer.headers[f"sunledger-{each}"]) for each in ("rows", "sum-fen"))
        assert told == f"{rows} 行，合计 {messages.yuan(fen)}", path


async def test_news_of_a_project_are_the_newest_first(busy: Branch, http: httpx.AsyncClient) -> None:
    page = (await http.get(f"/projects/{CITY}/relief")).text
    timeline = page[page.index('<ol class="timeline">') :]
    seqs = [int(seq) for seq in re.findall(r"/entries/(\d+)", timeline.partition("</ol>")[0])]
    assert seqs == sorted(seqs, reverse=True)
    told = text(timeline)
    assert "受助方已签收" in told
    assert "的收款方退回款项。多付" in told
    assert "「汛期应急救助」分配到「受灾家庭救助」" in told


async def test_organisations_and_funds_tell_the_news_of_their_money(busy: Branch, http: httpx.AsyncClient) -> None:
    for path, told, untold in (
        (
            f"organisations/{CITY}",
            ["受助方已签收", "分配到「受灾家庭救助」", "退回捐赠人", "分配到「困难家庭冬季慰问」"],
            [],
        ),
        (
            f"funds/{CITY}/flood",
            ["受助方已签收", "「汛期应急救助」分配到「受灾家庭救助」"],
            ["冬季慰问", "「不指定用途」"],
        ),
        (f"funds/{CITY}/general", ["「困难家庭冬季慰问」退回「不指定用途」"], ["受助方已签收"]),
    ):
        page = (await http.get(f"/{path}")).text
        timeline = page[page.index('<ol class="timeline">') :].partition("</ol>")[0]
        seqs = [int(seq) for seq in re.findall(r"/entries/(\d+)", timeline)]
        assert seqs == sorted(seqs, reverse=True)
        assert 0 < len(seqs) <= books.NEWS
        assert [each for each in told if each not in text(timeline)] == [], path
        assert [each for each in untold if each in text(timeline)] == [], path
        english = (await http.get(f"/en/{path}")).text
        assert "Latest news" in english
        assert [int(seq) for seq in re.findall(r"/en/entries/(\d+)", english.partition('class="timeline"')[2])][
            : len(seqs)
        ] == seqs
    assert f'href="/feeds/organisations/{CITY}"' in (await http.get(f"/organisations/{CITY}")).text


async def test_what_has_no_news_yet(branch: Branch, http: httpx.AsyncClient) -> None:
    await branch.gift(500)
    assert "还没有进展。" in await read(http, f"/organisations/{CITY}"), "a gift is none: it is somebody's own"
    assert "进展" not in await read(http, f"/funds/{CITY}/general"), "it may be behind too much of its organisation's"


async def test_news_of_a_fund_are_looked_for_among_the_newest_of_its_organisation(
    busy: Branch, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "MAX_LOOKED_AT", 3)  # a refund and half of what was released
    told = await read(http, f"/funds/{CITY}/general")
    assert "退回捐赠人" in told
    assert "更正" not in told.partition("最近进展")[2].partition("本基金的全部捐款")[0]
    assert "最近进展" not in await read(http, f"/funds/{CITY}/flood")


async def test_news_of_an_effect_in_parts_is_of_all_of_it(
    branch: Branch, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "MAX_POSTINGS", 2)
    given_ = await branch.gifts([100] * 61)
    for gift, _ in given_[1::2]:
        await branch.refund(gift)
    first = await branch.allocate(3_100)
    async with branch.database.raw() as connection:
        parts = await connection.fetchval("select count(*) from entry where kind = 'money.allocated'")
    assert parts == 16, "more than the news of a page have places"
    for path in ("/", f"/projects/{CITY}/winter", f"/organisations/{CITY}", f"/funds/{CITY}/general"):
        page = (await http.get(path)).text
        assert page.count("分配到「困难家庭冬季慰问」") == 1
        assert f'href="/entries/{first}"' in page
        assert re.search(r"分配到「困难家庭冬季慰问」.*?¥31.00", page, re.DOTALL), path
        assert "¥2.00" not in page
    for path in (f"/feeds/projects/{CITY}/winter", f"/feeds/organisations/{CITY}"):
        feed = (await http.get(path)).text
        assert re.findall(r"<title>分配到项目 (.*?)</title>", feed) == ["¥31.00"], path
        assert f'/entries/{first}"' in feed


async def test_a_society_shows_the_sum_of_all_below_it(busy: Branch, http: httpx.AsyncClient) -> None:
    county = RegisterOrganisation(
        maker="s-aaaaaaaaaaaaa", org="330824", name="示例县红十字会", level="county", parent=CITY, division="330824"
    )
    await busy.do(county)
    page = (await http.get("/organisations")).text
    rows = [text(row) for row in re.findall(r'<tr role="row"><td.*?</tr>', page)]
    names = [re.split(r"含下级|\d", row)[0].strip() for row in rows]
    assert names == ["示例省红十字会", "示例市红十字会", "示例县红十字会"]
    assert rows[0].endswith("3¥770.00−¥95.00¥450.00¥225.00")
    assert rows[1].endswith("3¥770.00−¥95.00¥450.00¥225.00")
    assert rows[2].endswith("0¥0.00¥0.00¥0.00¥0.00")
    assert await read(http, f"/organisations/{PROVINCE}")


async def test_the_tree_of_organisations_is_the_data_that_its_page_links_to(
    busy: Branch, http: httpx.AsyncClient
) -> None:
    for org, parent in (("330824", CITY), ("330900", PROVINCE)):
        await busy.do(
            RegisterOrganisation(
                maker="s-aaaaaaaaaaaaa", org=org, name=f"示例 {org}", level="city", parent=parent, division=org
            )
        )
    page = (await http.get("/organisations")).text
    shown = {}
    for row in re.findall(r'<tr role="row"><td.*?</tr>', page):
        (org,) = re.findall(r'href="/organisations/([^"]+)"', row)
        count, received, _, *rest = re.findall(r'class="num"[^>]*>−?¥?([\d,.]+)<', row)
        shown[org] = [int(count), *map(messages.fen, (received, *rest))]
    (link,) = {*re.findall(r'href="(/api/v1/organisations[^".]*)"', page)}
    first = (await http.get(link)).json()["items"]
    items = []
    for after in ("", *sorted(shown)[:-1]):
        (item,) = (await http.get(link, params={"limit": 1, "after": after})).json()["items"]
        items.append(item)
    assert items == first, "a page of one sums over all below it, too"
    told = {each["org"]: [*each["with_below"].values()] for each in items}
    assert told == shown
    own = {each["org"]: each["figures"] for each in items}
    assert own[PROVINCE]["received_fen"] == 0
    assert told[PROVINCE] == [
        sum(each["gift_count"] for each in own.values()),
        sum(each["received_fen"] for each in own.values()),
        sum(each["paid_fen"] for each in own.values()),
        sum(each["held_fen"] + each["allocated_fen"] for each in own.values()),
    ]


async def test_a_society_shows_the_sum_of_those_that_are_not_listed_too(
    busy: Branch, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(books, "MAX_ORGANISATIONS", 1)
    page = (await http.get("/organisations")).text
    rows = [text(row) for row in re.findall(r'<tr role="row"><td.*?</tr>', page)]
    assert len(rows) == 1
    assert "含下级" in rows[0]
    assert rows[0].endswith("3¥770.00−¥95.00¥450.00¥225.00")
    assert "这里没有列完" in page


async def test_an_organisation_with_more_than_fits_says_so_and_links_to_all_of_its_own(
    busy: Branch, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(books, "PAGE", 1)
    page = (await http.get(f"/organisations/{CITY}")).text
    for listed in ("funds", "projects"):
        assert f'href="/{listed}?org={CITY}"' in page
        first = (await http.get(f"/{listed}?org={CITY}")).text
        following = re.findall(rf'href="(/{listed}\?org={CITY}&(?:amp;)?after=[^"]+)"', first)
        assert len(following) == 1
        assert (await http.get(following[0].replace("&amp;", "&"))).status_code == 200
        assert f"/{listed}/{CITY}/" not in (await http.get(f"/{listed}?org={PROVINCE}")).text
    monkeypatch.setattr(books, "PAGE", 2)
    assert "?org=" not in (await http.get(f"/organisations/{CITY}")).text


async def test_a_funds_page_adds_up_and_says_what_it_is_for(busy: Branch, http: httpx.AsyncClient) -> None:
    page = await read(http, f"/funds/{CITY}/flood")
    assert "收到 ¥500.00 = 已拨付 " in page
    await busy.fund("warm", "送温暖", Restriction(project="winter"))
    await busy.fund("later", "将来", Restriction(project="not-yet"))
    for language, event, project in (("", "事件", "项目"), ("/en", "Event", "Project")):
        assert f"{event}示例市 6 月洪涝灾害 flood" in await read(http, f"{language}/funds/{CITY}/flood")
        assert f"{project}困难家庭冬季慰问 winter" in await read(http, f"{language}/funds/{CITY}/warm")
        assert f"{project}not-yet" in await read(http, f"{language}/funds/{CITY}/later"), "it has no name yet"
    assert "不限定用途。" in await read(http, f"/funds/{CITY}/general")
    assert "汛期应急救助" in await read(http, "/funds")


@pytest.mark.parametrize(
    "path",
    [
        "/projects/330800/none", "/projects/x!/y", "/funds/330800/none", "/funds/a b/c", "/organisations/999999",
        "/entries/99999", "/en/projects/330800/none",
    ],
)  # fmt: skip
async def test_what_is_not_there_is_a_page_that_says_so(http: httpx.AsyncClient, path: str) -> None:
    page = await http.get(path)
    assert page.status_code == 404
    assert ("There is nothing here" if path.startswith("/en/") else "查不到") in page.text


@pytest.mark.parametrize(
    "path",
    ["/gifts?before=x", "/gifts?fund=A", "/data/figures?measure=x", "/fen?size=0", "/entries/-1", "/report?entry=x"],
)
async def test_what_no_address_can_say_is_refused_plainly(http: httpx.AsyncClient, path: str) -> None:
    page = await http.get(path)
    assert page.status_code in {400, 404}
    assert "<h1>" in page.text


@given(
    st.lists(st.integers(1, 10**13), min_size=1, max_size=6), st.lists(st.integers(1, 10**13), min_size=1, max_size=6)
)
def test_a_picture_shows_every_part_and_none_over_another(sources: list[int], uses: list[int]) -> None:
    uses = [*uses, difference] if (difference := sum(sources) - sum(uses)) > 0 else uses
    sources = [*sources, -difference] if difference < 0 else sources

    def parts(amounts: list[int]) -> list[Part]:
        return [Part(label=f"<{i}>", amount=fen, shown=str(fen), colour="c1") for i, fen in enumerate(amounts)]

    middle = Part(label="m", amount=sum(sources), shown="", colour="c0")
    drawn = flow.draw(parts(sources), middle, parts(uses), Caption(title="t", about="d", heads=("a", "b", "c")))
    for picture, side, length in ((drawn.lying, "y", "height"), (drawn.standing, "x", "width")):
        assert "<0>" not in picture
        assert "style=" not in picture
        width, height = map(int, re.findall(r'viewBox="0 0 (\d+) (\d+)"', picture)[0])
        bars = [
            {name: int(value) for name, value in re.findall(r'(x|y|width|height)="(\d+)"', bar)}
            for bar in re.findall(r"<rect[^>]*>", picture)
        ]
        assert len(bars) == len(sources) + len(uses) + 1
        lengths = sorted((fen, bar[length]) for fen, bar in zip([*sources, *uses], bars, strict=False))
        assert all(a[1] == b[1] if a[0] == b[0] else a[1] <= b[1] for a, b in pairwise(lengths)), "not one scale"
        assert bars[-1][length] >= max(bar[length] for bar in bars), "the middle is everything"
        across = "x" if side == "y" else "y"
        for column in {bar[across] for bar in bars}:
            its = [bar for bar in bars if bar[across] == column]
            assert all(bar[length] >= flow.LEAST for bar in its)
            assert all(a[side] + a[length] <= b[side] for a, b in pairwise(its))
            assert its[-1][side] + its[-1][length] <= (height if side == "y" else width)


def test_more_parts_than_have_a_name_become_one() -> None:
    parts = [Part(label=f"fund {i}", amount=i, shown="", colour="c5") for i in range(8, 0, -1)]
    shown = flow.largest(parts, "other")
    assert [part.label for part in shown] == ["fund 8", "fund 7", "fund 6", "other"]
    assert sum(part.amount for part in shown) == sum(part.amount for part in parts)


async def test_every_row_of_a_list_comes_to_its_end_by_what_its_own_page_explains(demo: httpx.AsyncClient) -> None:
    page = (await demo.get("/funds")).text
    paths = re.findall(r'href="(/funds/[^"]+)"', page)
    found = reading.rows(page)
    assert len(found) == len(paths) > 5
    others = []
    for path, (_, *cells) in zip(paths, found, strict=True):
        received, other, *rest = map(reading.fen, cells)
        came, went = reading.equation((await demo.get(path)).text)
        kept = {"已拨付", "已分配未拨付", "已入账未分配"}
        assert other == sum(came.values()) - came["收到"] - sum(fen for what, fen in went.items() if what not in kept)
        assert received + other == sum(rest)
        others.append(other)
    assert min(others) < 0 < max(others)
    for _, _, *cells in reading.rows((await demo.get("/organisations")).text):
        received, other, *rest = map(reading.fen, cells)
        assert received + other == sum(rest)
