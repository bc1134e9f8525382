"""The page of data: what it shows is what the sheet and the interface give, and what cannot be asked is said."""

import csv
import html
import io
import re
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise

import httpx
import pytest

from api.public import app as public
from api.public.app import Resources
from api.public.data import FILES
from ledger.disbursements import DisburseMoney
from ledger.entries import Restriction
from ledger.opendata.terms import LICENCES, Terms
from ledger.organisations import DeclareEvent, OpenFund
from ledger.store.queries import choices
from public_site import messages
from public_site.appearance import Appearance
from tests.site.test_record import taken_back
from tests.support.branch import CITY, FINANCE, FOUNDER, PROVINCE, Branch
from tests.support.reading import amounts, download, links, shown, text
from tests.support.visitor import visitor

LISTS = ("gifts", "allocations", "payments", "transfers", "corrections")


@pytest.fixture
async def busy(branch: Branch) -> Branch:
    """Given, paid and taken back."""
    await branch.gift(5_000, "flood")
    wrong, _ = await branch.gift(700)
    await branch.allocate(3_000, "flood", "relief")
    await branch.pay(1_000, "relief")
    await taken_back(branch, wrong)
    return branch


async def test_the_sum_on_the_page_is_that_of_the_rows_the_sheet_and_the_interface(demo: httpx.AsyncClient) -> None:
    filters = [
        "",
        f"org={CITY}",
        f"fund={CITY}:flood",
        "since=2026-06&until=2026-06-30",
        "least=50&most=3,000",
        "event=flood-2026-07",
    ]
    for name in LISTS:
        checked = 0
        for query in filters:
            page = await demo.get(f"/data?list={name}&{query}")
            if page.status_code == 400:  # what does not narrow this list
                continue
            checked += 1
            count, fen = shown(page.text)
            found = amounts(page.text)
            assert len(found) == min(count, 25)
            assert count > 25 or sum(found) == fen
            answer = (await demo.get(download(page.text, "JSON"))).json()
            assert (answer["count"], answer["sum_fen"]) == (count, fen)
            sheet = await demo.get(download(page.text, "CSV"))
            lines = [*csv.DictReader(io.StringIO(sheet.content.decode("utf-8-sig")))]
            column = "left_fen" if name == "corrections" else "amount_fen"
            assert (len(lines), sum(int(line[column]) for line in lines)) == (count, fen)
            assert f"全部 {count} 条" in page.text or count == 0
        assert checked >= 2, name


async def test_a_pinned_page_of_corrections_knows_as_little_as_its_sheet_of_what_came_later(
    branch: Branch, http: httpx.AsyncClient
) -> None:
    await branch.gift(5_000)
    await branch.allocate(3_000)
    paid = await branch.pay(1_000)
    await taken_back(branch, paid)
    page = (await http.get("/data?list=corrections")).text
    (pinned,) = [each for each in links(page, "") if each.startswith("http")]
    right = DisburseMoney(
        maker=FINANCE, org=CITY, project="winter", amount_fen=900, spending="aid", payee="persons", purpose="救助金",
        on=branch.today, corrects=paid,
    )  # fmt: skip
    await branch.agree(right)
    for path, is_righted in ((pinned, False), ("/data?list=corrections", True)):
        page = (await http.get(path)).text
        sheet = (await http.get(download(page, "CSV"))).content.decode("utf-8-sig")
        (line,) = csv.DictReader(io.StringIO(sheet))
        assert (line["right_fen"], "更正为 ¥9.00" in page) == (("900", True) if is_righted else ("", False)), path


async def test_each_button_says_how_many_rows_it_gives_and_what_they_sum_to(demo: httpx.AsyncClient) -> None:
    for name in LISTS:
        for language, items in (("", "{} 条"), ("/en", "{} item")):
            page = (await demo.get(f"{language}/data?list={name}&org={CITY}")).text
            sheet = (await demo.get(download(page, "CSV"))).headers
            buttons = re.findall(r'<a href="[^"]+"><b>(\w+)</b>(.*?)</a>', page.partition('id="downloads"')[2])
            assert [each for each, _ in buttons[:5]] == ["CSV", "Excel", "NDJSON", "Parquet", "JSON"]
            for _, said in buttons[:5]:
                assert items.format(sheet["sunledger-rows"]) in text(said)
                assert messages.yuan(int(sheet["sunledger-sum-fen"])) in text(said)


async def test_beside_the_buttons_is_the_digest_of_what_each_gives(demo: httpx.AsyncClient) -> None:
    page = (await demo.get(f"/data?list=payments&org={CITY}")).text
    beside = page.partition("SHA-256（当场计算）")[2].partition("</p>")[0]
    for name in ("CSV", "Excel", "NDJSON", "Parquet"):
        path = re.search(f'<a href="([^"]+)">{name}</a>', beside)
        assert path is not None
        digest, _, named = (await demo.get(html.unescape(path[1]))).text.strip().partition("  ")
        file = await demo.get(download(page, name))
        assert (digest, f'"{named}"') == (sha256(file.content).hexdigest(), file.headers["content-disposition"][21:])


@pytest.mark.parametrize("name", LICENCES)
async def test_the_page_names_the_licence_and_leads_to_what_the_columns_mean(
    busy: Branch, resources: Resources, name: str
) -> None:
    """Whichever the operator chose, and before there is any nightly edition."""
    await busy.pay(500, "relief", payee="市人民医院")
    licence = LICENCES[name]
    terms = Terms(licence=licence, iati_org="CN-ORG-330800", giving_prefix="360G-example")
    async with visitor(public.build(replace(resources, terms=terms))) as client:
        client.headers["Accept"] = "text/html"
        for path in ("/data", "/gifts", "/en/data", "/data?list=everything"):
            page = (await client.get(path)).text
            assert f'<a rel="license" href="{licence.url}">{name}</a>' in page
            assert [each for each in LICENCES if each in page] == [name]
            named = re.search("请注明来源|name the source", text(page))
            assert bool(named) == licence.by
            (line,) = re.findall(r'<p class="small">[^\n]*rel="license"[^\n]*', page)
            dictionary, *others = links(line, "")
            answers = [await client.get(each) for each in (dictionary, *others)]
            assert [each.status_code for each in answers] == [200] * 4
            assert answers[0].json()["licenses"][0]["path"] == licence.url
            assert answers[0].json()["resources"][0]["schema"]["fields"]
    async with visitor(public.build(resources)) as client:
        assert "IATI" not in (await client.get("/data")).text


async def test_a_list_leads_to_the_same_as_figures(demo: httpx.AsyncClient) -> None:
    for query in (
        f"fund={CITY}:flood&since=2026-06-01&until=2026-06-30",
        "list=corrections",
        "list=transfers",
        "list=payments",
    ):
        page = (await demo.get(f"/data?{query}")).text
        (path,) = [each for each in links(page, "") if each.startswith("/data/figures")]
        figures = await demo.get(path)
        assert figures.status_code == 200, path
        if query.startswith("fund"):
            assert f"合计 {messages.yuan(shown(page)[1])}" in figures.text


async def test_a_selection_is_cited_by_an_address_that_stays_true(branch: Branch, http: httpx.AsyncClient) -> None:
    await branch.gift(5_000, "flood")
    page = (await http.get(f"/data?fund={CITY}:flood")).text
    (permalink,) = [each for each in links(page, "") if each.startswith("http")]
    await branch.gift(7_000, "flood")
    pinned = (await http.get(permalink)).text
    assert shown(pinned) == shown(page) == (1, 5_000)
    assert amounts(pinned) == [5_000]
    assert download(pinned, "CSV") == download(page, "CSV")
    assert "以后不会变" in pinned
    assert "以后不会变" not in page
    assert shown((await http.get(f"/data?fund={CITY}:flood")).text) == (2, 12_000)


async def test_a_citation_names_the_checkpoint_that_its_entry_was_first_under(demo: httpx.AsyncClient) -> None:
    size = (await demo.get("/log/checkpoint")).text.split("\n")[1]
    assert f"检查点：前 {size} 条，根哈希 " in text((await demo.get("/data")).text)


@pytest.mark.parametrize(
    ("query", "field", "said"),
    [
        ("fund=none", "fund", "没有编号为「none」的基金。"),
        ("fund=:", "fund", "没有编号为「:」的基金。"),
        ("fund=A<b>", "fund", "没有编号为「A&lt;b&gt;」的基金。"),
        ("org=999999", "org", "没有编号为「999999」的组织。"),
        ("project=330800:none", "project", "没有编号为「330800:none」的项目。"),
        ("event=%00", "event", "没有编号为"),
        ("channel=A B", "channel", "「A B」不是渠道的编号。"),
        ("donor_class=rich", "donor_class", "捐赠人只分个人、单位、不详三类。"),
        ("since=yesterday", "since", "「yesterday」不是日期。"),
        ("until=2026-02-30", "until", "「2026-02-30」不是日期。"),
        ("until=2026-13", "until", "「2026-13」不是日期。"),
        ("since=2026-07-02&until=2026-07-01", "until", "结束日期早于开始日期。"),
        ("least=ten", "least", "「ten」不是金额。"),
        ("least=5&most=4", "most", "金额上限低于下限。"),
    ],
)  # fmt: skip
async def test_a_filter_that_cannot_be_followed_is_said_and_nothing_is_lost(
    branch: Branch, http: httpx.AsyncClient, query: str, field: str, said: str
) -> None:
    page = await http.get(f"/data?{query}&least=1" if "least" not in query else f"/data?{query}")
    assert page.status_code == 400
    assert said in page.text
    assert 'role="alert"' in page.text
    assert re.search(rf'name="{field}"[^>]* aria-invalid="true" aria-describedby="f-{field}-wrong"', page.text)
    for name, value in httpx.QueryParams(query).items():
        typed = html.escape(value)
        assert f'value="{typed}"' in page.text or "\x00" in value, name
    assert "CSV" not in page.text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("list=everything", "没有「everything」这份数据。"),
        ("as_of=99999", "账本没有第「99999」条；最后一条是第 "),
        ("as_of=x", "账本没有第「x」条"),
        ("before=x", "页码不对"),
        ("list=payments&channel=cash", "「拨付」不能按渠道筛选。"),
        ("list=corrections&fund=330800:flood", "「更正」不能按基金筛选。"),
    ],
)
async def test_what_no_list_has_is_said_too(branch: Branch, http: httpx.AsyncClient, query: str, said: str) -> None:
    page = await http.get(f"/data?{query}")
    assert (page.status_code, page.text.count(said)) == (400, 1)
    assert (await http.get(f"/en/data?{query}")).status_code == 400


async def test_a_month_may_be_written_for_its_days(branch: Branch, http: httpx.AsyncClient) -> None:
    for on in ("2026-06-30", "2026-07-01"):
        await branch.gift(100, on=on)
    assert shown((await http.get("/data?since=2026-07&until=2026-07")).text) == (1, 100)
    page = (await http.get("/data?since=2026-07&until=2026-02")).text
    assert 'name="since" value="2026-07-01"' in page
    assert 'name="until" value="2026-02-28"' in page
    assert "2026-07-01 起" in text((await http.get("/data?since=2026-07")).text)


async def test_each_chip_takes_one_filter_away(branch: Branch, http: httpx.AsyncClient) -> None:
    await branch.gift(5_000, "flood")
    asked = {"org": CITY, "fund": f"{CITY}:flood", "channel": "wechat", "least": "1"}
    page = (await http.get("/data", params=asked)).text
    found = [httpx.URL(each).params for each in links(page, 'class="chip" ')]
    assert [dict(each) for each in found] == [
        *({name: value for name, value in asked.items() if name != gone} for gone in asked), {},
    ]  # fmt: skip
    for each in ("示例市红十字会 ×", "汛期应急救助 ×", "微信支付 ×", "¥1.00 以上 ×"):
        assert each in text(page), each


async def test_another_list_keeps_the_filters_it_has(branch: Branch, http: httpx.AsyncClient) -> None:
    await branch.gift(5_000, "flood")
    page = (await http.get(f"/data?fund={CITY}:flood&channel=wechat&since=2026-07-01")).text
    tabs = re.findall(r'<a href="([^"]+)"', page.partition('class="tabs"')[2].partition("</nav>")[0])
    asked = {
        dict(httpx.URL(html.unescape(each)).params).get("list", "gifts"): {*httpx.URL(html.unescape(each)).params}
        for each in tabs
    }
    assert asked == {
        "gifts": {"fund", "channel", "since"},
        **{each: {"list", "fund", "since"} for each in ("allocations", "payments", "transfers")},
        "corrections": {"list", "since"},
    }
    for each in tabs:
        assert (await http.get(html.unescape(each))).status_code == 200


async def test_every_list_says_what_became_of_its_rows(demo: httpx.AsyncClient) -> None:
    for name, said in (
        ("gifts", "已签收 ¥"), ("payments", "受助群众"), ("payments", "退回 ¥"), ("allocations", "受灾家庭救助"),
        ("transfers", "已收到 ¥"), ("corrections", "更正为 ¥"),
    ):  # fmt: skip
        assert said in text((await demo.get(f"/data?list={name}")).text), (name, said)


async def test_a_gift_from_before_its_event_says_so(branch: Branch, http: httpx.AsyncClient) -> None:
    await branch.do(DeclareEvent(maker=FOUNDER, event="typhoon", name="8 月台风", began="2026-08-02"))
    for on, is_early in (("2026-08-01", True), ("2026-08-03", False)):
        await branch.gift(100, event="typhoon", on=on)
        page = (await http.get(f"/data?since={on}&until={on}")).text
        assert ("早于事件" in page) is is_early


async def test_more_choices_than_fit_are_typed(
    branch: Branch, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choices, "MAX_CHOICES", 2)
    fund = OpenFund(maker=FOUNDER, org=CITY, fund="third", name="第三个基金", restriction=Restriction())
    await branch.do(fund)
    page = (await http.get(f"/data?fund={CITY}:third")).text
    assert re.search(rf'<input class="word" type="text" id="f-fund" name="fund" value="{CITY}:third"', page)
    assert "第三个基金 ×" in text(page)
    assert '<select id="f-org"' in page


async def test_an_organisation_leaves_what_is_below_it(branch: Branch, http: httpx.AsyncClient) -> None:
    await branch.gift(5_000, "flood")
    assert shown((await http.get(f"/data?org={PROVINCE}")).text) == (1, 5_000)
    assert shown((await http.get(f"/data?org={PROVINCE}&fund={CITY}:flood")).text) == (1, 5_000)
    page = (await http.get(f"/data?fund={PROVINCE}:flood")).text
    assert "没有编号为" in page


@pytest.mark.parametrize("path", ["/data", "/gifts"])
async def test_the_list_of_gifts_shows_every_gift_once_while_more_come(
    branch: Branch, http: httpx.AsyncClient, path: str
) -> None:
    given = {seq for seq, _ in await branch.gifts([100 + i for i in range(60)])}
    seen: list[int] = []
    following: str | None = path
    while following is not None:
        page = (await http.get(following)).text
        body = page[page.index("<tbody") : page.index("</tbody>")]
        seen += [int(seq) for seq in re.findall(r'role="row"><td role="cell"><a href="/entries/(\d+)"', body)]
        found = re.search(rf'<a class="btn sec" href="({path}\?before=\d+)">下一页', page)
        following = found[1] if found else None
        await branch.gift(5)
    assert set(seen) == given
    assert all(earlier > later for earlier, later in pairwise(seen))


async def test_the_list_says_where_each_gift_is(branch: Branch, http: httpx.AsyncClient) -> None:
    seq, _ = await branch.gift(20_000)
    await branch.gift(50_000, "flood")
    wrong, _ = await branch.gift(7_000)
    await taken_back(branch, wrong)
    await branch.refund(seq, 2_500)
    page = text((await http.get("/gifts")).text)
    assert "3 条，共 ¥770.00" in page
    assert "更正作废" in page
    assert "已退回 ¥25.00" in page
    pinned = text((await http.get("/gifts?as_of=99999999")).text)
    assert "账本没有第「99999999」条" in pinned
    filtered = text((await http.get(f"/gifts?fund={CITY}:flood")).text)
    assert "1 条，共 ¥500.00" in filtered
    assert "¥200.00" not in filtered


async def test_what_was_said_of_an_old_entry_is_not_called_old(resources: Resources, branch: Branch) -> None:
    await branch.gift(100)
    look = Appearance(stale_hours=0)
    async with visitor(
        public.build(Resources(database=resources.database, lookup=resources.lookup, look=look))
    ) as http:
        assert "数据较旧" in (await http.get("/data")).text
        assert "数据较旧" not in (await http.get("/data?as_of=3")).text


# --- search ---


async def test_search_leads_to_pages_and_their_data(branch: Branch, http: httpx.AsyncClient) -> None:
    for q, path, data in (
        ("汛期应急", f"/funds/{CITY}/flood", f"/data?fund={CITY}:flood"),
        ("冬季", f"/projects/{CITY}/winter", f"/data?project={CITY}:winter"),
        ("示例市", f"/organisations/{CITY}", f"/data?org={CITY}"),
        ("洪涝", "/data?event=flood", "/data?event=flood"),
    ):
        page = (await http.get("/search", params={"q": q})).text
        assert {path, data} <= {*links(page, ""), *links(page, 'class="small" ')}, q
        for address in (path, data):
            assert (await http.get(f"/en{address}")).status_code == 200, address
    assert "没有名称相近的" in (await http.get("/search?q=完全没有的")).text
    assert (await http.get("/search")).status_code == 200
    assert (await http.get("/search?q=%00")).status_code == 200


async def test_a_receipt_code_in_the_search_is_not_repeated(branch: Branch, http: httpx.AsyncClient) -> None:
    _, code = await branch.gift(5_000)
    for path in ("/search", "/en/search"):
        page = await http.get(path, params={"q": code.lower()})
        assert page.status_code == 400
        assert code.lower() not in page.text
        assert code not in page.text
        assert page.headers["cache-control"] == "no-store"
        assert 'method="post" id="lookup"' in page.text


async def test_what_has_a_feed_or_data_of_its_own_says_where(busy: Branch, http: httpx.AsyncClient) -> None:
    paths = (
        f"/projects/{CITY}/relief", f"/organisations/{CITY}", "/corrections", f"/funds/{CITY}/flood", "/funds",
        "/projects", "/organisations", "/search?q=汛期", "/data", "/data/figures",
    )  # fmt: skip
    for path in (*paths, *(f"/en{each}" for each in paths)):
        page = (await http.get(path)).text
        for feed in re.findall(r'<link rel="alternate" type="application/atom\+xml" href="([^"]+)"', page):
            assert page.count(f'href="{feed}"') == 2, path
            assert (await http.get(feed)).headers["content-type"].startswith("application/atom+xml")
        assert ("application/atom+xml" in page) == (path.removeprefix("/en") in paths[:3]), path
        for data in {*re.findall(r'href="(/api/[^"]+)"', page)}:
            answer = await http.get(html.unescape(data))
            assert answer.status_code == 200, (path, data)
            told = answer.headers["content-type"].partition(";")[0]
            kinds = {"text/plain"} if ".sha256?" in data else {"application/json", *map(str, FILES.values())}
            assert told in kinds, data
