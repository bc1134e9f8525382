"""Figures on pages and in pictures: what the interface says, and every fen inside the frame."""

import csv
import io
import re

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from public_site import chart, messages
from public_site.flow import Caption
from tests.support.branch import Branch
from tests.support.reading import download, fen, text
from tests.support.reported import report


@pytest.mark.parametrize(
    "query",
    [
        "", "measure=received&by=month&then=channel", "measure=paid&by=project&then=event", "measure=held&by=fund",
        "measure=received&by=donor_class", "measure=unspent&by=org&then=month", "measure=fees&by=channel&org=330800",
        "measure=received&by=month&since=2026-05&until=2026-06", "measure=confirmed", "measure=received&by=region",
    ],
)  # fmt: skip
async def test_figures_on_the_page_are_those_of_the_interface(demo: httpx.AsyncClient, query: str) -> None:
    page = await demo.get(f"/data/figures?{query}")
    if "fees&by=channel" in query:
        assert page.status_code == 400
        return
    assert page.status_code == 200, text(page.text)
    answer = (await demo.get(download(page.text, "JSON"))).json()
    rows = re.findall(r"<tr>(<td>.*?</td>)</tr>", page.text.partition("<tbody>")[2].partition("</tbody>")[0])
    if answer["by"]:
        assert [fen(text(row.rpartition('<td class="num">')[2])) for row in rows] == [
            each["sum_fen"] for each in answer["rows"]
        ]
        assert f"全部 {len(rows)} 组" in page.text
    assert f"合计 {messages.yuan(answer['sum_fen'])}" in page.text
    sheet = await demo.get(download(page.text, "CSV"))
    lines = [*csv.DictReader(io.StringIO(sheet.content.decode("utf-8-sig")))]
    assert sum(int(line["sum_fen"]) for line in lines) == answer["sum_fen"]
    assert page.text.count('<svg class="flow ') == (2 if answer["by"] else 0)
    call = text(page.text.partition('<pre class="code" tabindex="0">')[2].partition("</pre>")[0])
    asked = "".join(call.removeprefix("GET ").split())
    assert (await demo.get(asked)).json() == answer


async def test_a_figure_without_an_exact_answer_says_why(branch: Branch, http: httpx.AsyncClient) -> None:
    for query in ("measure=lost&by=channel", "measure=fees&by=month&donor_class=person"):
        page = await http.get(f"/data/figures?{query}")
        assert page.status_code == 400
        assert "没有精确的数" in page.text
        assert re.search(r'<option value="(lost|fees)" selected>', page.text)
    english = await http.get("/en/data/figures?measure=lost&by=channel")
    assert "there is no exact answer" in english.text


async def test_payments_by_channel_are_shown_as_of_a_lineage_report_which_is_said(
    branch: Branch, http: httpx.AsyncClient
) -> None:
    await branch.gift(5_000)
    await branch.allocate(4_000)
    await branch.pay(3_000)
    query = "/data/figures?measure=paid&by=channel&then=project"
    none = await http.get(query)
    assert none.status_code == 400
    assert "出自来源报告，还没有做过" in none.text
    as_of = await report(branch.database)
    await branch.pay(1_000)
    page = await http.get(query)
    assert page.status_code == 200
    assert f"来源报告，截至第 {messages.number(as_of)} 条" in text(page.text)
    assert f"合计 {messages.yuan(3_000)}" in page.text
    assert f'/data/figures?measure=paid&amp;by=channel&amp;then=project&amp;as_of={as_of}"' in page.text
    answer = (await http.get(download(page.text, "JSON"))).json()
    assert (answer["as_of"]["seq"], answer["sum_fen"]) == (as_of, 3_000)
    sheet = await http.get(download(page.text, "CSV"))
    assert int(sheet.headers["sunledger-sum-fen"]) == 3_000
    other = await http.get(f"{query}&as_of={as_of + 1}")
    assert other.status_code == 400
    assert f"有的是截至第 {messages.number(as_of)} 条" in other.text
    english = await http.get(f"/en{query}&as_of={as_of}")
    assert "lineage report" in english.text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("measure=x", "没有「x」这个数。"),
        ("measure=received&by=x", "不能按「x」分组。"),
        ("measure=received&least=5", "不能按金额下限筛选。"),
        ("measure=received&region=33", "地区写成六位行政区划代码"),
        ("measure=received&category=%00", "不是类别的名称"),
        ("measure=received&org=999999", "没有编号为「999999」的组织。"),
    ],
)
async def test_a_question_that_cannot_be_asked_is_said(
    branch: Branch, http: httpx.AsyncClient, query: str, said: str
) -> None:
    page = await http.get(f"/data/figures?{query}")
    assert page.status_code == 400
    assert said in page.text


async def test_the_few_gifts_of_persons_are_not_counted_on_the_page_either(
    branch: Branch, http: httpx.AsyncClient
) -> None:
    await branch.gift(5_000)
    page = (await http.get("/data/figures?measure=received&by=donor_class")).text
    assert "不足 5 笔的组，不列笔数" in page
    assert '<td class="num">—</td>' in page
    assert "1 笔" not in text(page)


async def test_groups_of_one_name_are_bars_of_their_own(branch: Branch, http: httpx.AsyncClient) -> None:
    await branch.fund("second", "不指定用途")
    await branch.gift(3_000)
    await branch.gift(2_000, "second")
    page = ""
    for query in ("measure=held&by=fund", "measure=held&by=org&then=fund"):
        page = (await http.get(f"/data/figures?{query}")).text
        picture = page[page.index('<svg class="flow lying"') :].partition("</svg>")[0]
        assert len(re.findall(r"<rect[^>]*>", picture)) == 2, picture
    key = page[page.index('<ul class="key') :].partition("</ul>")[0]
    assert [re.sub(r"\s", "", text(each)) for each in re.findall(r"<li>.*?</li>", key, re.DOTALL)] == [
        "不指定用途¥30.00",
        "不指定用途¥20.00",
    ]


AMOUNTS = st.dictionaries(
    st.tuples(st.sampled_from("甲乙丙丁戊己庚辛壬癸子丑寅卯"), st.sampled_from("abcdefgh")),
    st.integers(-(10**12), 10**12),
    min_size=1,
)


@given(AMOUNTS, st.sampled_from(["months", "names"]))
def test_a_chart_has_every_fen_inside_its_frame(found: dict[tuple[str, str], int], bars: str) -> None:
    are_months = bars == "months"
    if are_months:
        found = {
            (f"2026-{'甲乙丙丁戊己庚辛壬癸子丑寅卯'.index(bar) % 12 + 1:02}", part): fen
            for (bar, part), fen in found.items()
        }
    drawn = chart.draw(found, are_months=are_months, rest="其他", caption=Caption(title="<t>", about="d"))
    assert sum(part.sum_fen for part in drawn.key) == sum(found.values())
    assert len(drawn.key) <= len(chart.COLOURS) + 1
    assert len({part.colour for part in drawn.key}) == len(drawn.key)
    for picture in (drawn.lying, drawn.standing):
        assert "style=" not in picture
        assert "<t>" not in picture
        width, height = map(int, re.findall(r'viewBox="0 0 (\d+) (\d+)"', picture)[0])
        for rect in re.findall(r"<rect[^>]*>", picture):
            x, y, wide, high = (int(each) for each in re.findall(r'(?:x|y|width|height)="(-?\d+)"', rect))
            assert x >= 0
            assert x + wide <= width + 2
            assert y >= -2
            assert y + high <= height
            assert min(wide, high) >= 1


def test_months_without_money_have_their_place() -> None:
    found = {("2025-11", ""): 5, ("2026-02", ""): 7}
    drawn = chart.draw(found, are_months=True, rest="其他", caption=Caption(title="t", about="d"))
    assert re.findall(r">(\d{4}-\d\d)<", drawn.lying) == ["2025-11", "2025-12", "2026-01", "2026-02"]
    assert drawn.key == []
    years = {(f"{year}-01", ""): 1 for year in (2000, 2026)}
    assert chart.draw(years, are_months=True, rest="其他", caption=Caption(title="t", about="d")).is_cut
