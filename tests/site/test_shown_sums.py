"""Pages over generated ledgers: what a reader sees on them is what somebody counts who reads the entries aloud."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import httpx
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings

from ledger import entries
from ledger.entries import Entry
from public_site import messages
from tests.api.public.test_open_data import AMOUNT, told_of
from tests.support import reading
from tests.support.fixed import FIXED
from tests.support.happenings import Happening, happenings, ledger
from tests.support.postgres import Cluster
from tests.support.published import PHASES, published
from tests.support.retold import Amount, Retold

LEDGERS = 4
HEADLINE = {
    "收到捐款": "received", "已拨付": "paid", "已分配，尚未拨付": "allocated", "已入账，尚未分配": "held",
}  # fmt: skip
"""Large figure → measure."""
PARTS = {
    "收到": ("received",), "其他收入": ("income",), "已拨付": ("paid",), "已分配未拨付": ("allocated",),
    "已入账未分配": ("held",), "已退回": ("refunded",), "手续费": ("fees",), "汇兑损失": ("lost",),
    "更正作废": ("voided",),
}  # fmt: skip
"""Part of the line that adds up → the measures it sums."""
OF_ALL = {"组织之间在途": ("in_transit",)}
OF_ONE = {"转入": ("moved_in",), "转出": ("moved_on", "in_transit")}
TABLES = (
    ("received", ("month", "channel")), ("received", ("fund", "donor_class")), ("paid", ("project", "event")),
    ("held", ("fund", "month")), ("unspent", ("org",)), ("moved_in", ("org", "fund")), ("voided", ("month",)),
    ("confirmed", ("region", "category")),
)  # fmt: skip


class Told:
    """What the entries come to: of all, of an organisation, a fund or a project."""

    def __init__(self, log: Sequence[Entry]) -> None:
        bodies = [each.body for each in log]
        self.all = Retold(log)
        self.organisations = {each.org: each for each in bodies if isinstance(each, entries.OrganisationRegistered)}
        self.funds = sorted((each.org, each.fund) for each in bodies if isinstance(each, entries.FundOpened))
        self.projects = sorted((each.org, each.project) for each in bodies if isinstance(each, entries.ProjectOpened))

    def amount(self, measure: str, **whose: str) -> Amount:
        key = tuple(f"{whose['org']}:{each}" if name in {"fund", "project"} else each for name, each in whose.items())
        return self.all.grouped(measure, tuple(whose)).get(key, Amount(0, 0))

    def fen(self, *measures: str, **whose: str) -> int:
        return sum(self.amount(each, **whose).fen for each in measures)

    def other(self, **whose: str) -> int:
        """What changed beside gifts, payments and what is left."""
        gone = ("refunded", "fees", "lost", "voided", *OF_ONE["转出"])
        return self.fen("income", *OF_ONE["转入"], **whose) - self.fen(*gone, **whose)

    def below(self, org: str) -> list[str]:
        """The organisation and those that belong to it."""
        children = [each.org for each in self.organisations.values() if each.parent == org]
        return [org, *(each for child in children for each in self.below(child))]


@hypothesis_settings(FIXED, max_examples=LEDGERS, phases=PHASES, suppress_health_check=[*HealthCheck])
@given(of=happenings())
async def test_every_page_shows_what_the_entries_come_to(
    of: list[Happening], cluster: Cluster, template: str, roles_dir: Path, tmp_path: Path
) -> None:
    pen = ledger(of)
    told = Told(pen.entries)
    async with published(pen, cluster, template, roles_dir, tmp_path) as http:
        http.headers["Accept"] = "text/html"
        await adds_up(http, "/", told, PARTS | OF_ALL)
        for org, fund in told.funds:
            await adds_up(http, f"/funds/{org}/{fund}", told, PARTS | OF_ONE, org=org, fund=fund)
        for org in told.organisations:
            page = await adds_up(http, f"/organisations/{org}", told, PARTS | OF_ONE, org=org)
            lists_its_own(page, org, told)
        await lists_all(http, told)
        for org, project in told.projects:
            await flows(http, org, project, told)
        for measure, by in TABLES:
            await tabulates(http, measure, by, told)
        for name in AMOUNT:
            amounts = [*told_of(name, pen.entries)]
            assert reading.shown(await read(http, f"/data?list={name}")) == (len(amounts), sum(amounts)), name


async def read(http: httpx.AsyncClient, path: str) -> str:
    page = await http.get(path)
    assert page.status_code == 200, page.text
    return page.text


async def adds_up(
    http: httpx.AsyncClient, path: str, told: Told, parts: Mapping[str, tuple[str, ...]], **whose: str
) -> str:
    """The large figures of a page, and the line below them."""
    page = await read(http, path)
    large = reading.pairs(page)
    assert {label: large[label] for label in HEADLINE} == {
        label: told.fen(measure, **whose) for label, measure in HEADLINE.items()
    }, path
    assert f"<small>{told.amount('received', **whose).entries} 笔</small>" in page, path
    came, went = reading.equation(page)
    wanted = {label: told.fen(*measures, **whose) for label, measures in parts.items()}
    always = ("收到", "已拨付")
    assert came | went == {label: fen for label, fen in wanted.items() if fen or label in always}, path
    return page


def lists_its_own(page: str, org: str, told: Told) -> None:
    """An organisation's page: its funds and projects, each with one sum."""
    listed = re.findall(r"<span>(收到|累计分配) (¥[\d,.]+)</span>", page)
    assert [reading.fen(shown) for _, shown in listed] == [
        *(told.fen("received", org=org, fund=fund) for its, fund in told.funds if its == org),
        *(told.fen("total_allocated", org=org, project=project) for its, project in told.projects if its == org),
    ], org


async def lists_all(http: httpx.AsyncClient, told: Told) -> None:
    """The tree of organisations, each with those below it; the funds; the projects."""
    columns = (partial(told.fen, "received"), told.other, partial(told.fen, "paid"))
    tree = {cells[0].removesuffix(" 含下级"): cells[1:] for cells in reading.rows(await read(http, "/organisations"))}
    assert tree == {
        each.name: [
            str(sum(told.amount("received", org=its).entries for its in told.below(each.org))),
            *(
                messages.yuan(sum(found(org=its) for its in told.below(each.org)))
                for found in (*columns, partial(told.fen, "held", "allocated"))
            ),
        ]
        for each in told.organisations.values()
    }
    assert [cells[1:] for cells in reading.rows(await read(http, "/funds"))] == [
        [
            messages.yuan(found(org=org, fund=fund))
            for found in (*columns, partial(told.fen, "allocated"), partial(told.fen, "held"))
        ]
        for org, fund in told.funds
    ]
    _, *cards = (await read(http, "/projects")).split('<li class="card">')
    for card, (org, project) in zip(cards, told.projects, strict=True):
        of_project(reading.pairs(card), org, project, told)


def of_project(shown: dict[str, int], org: str, project: str, told: Told) -> None:
    """Three of its figures; in the line that adds up, a part of nothing is not shown."""
    for label, measure in (("累计分配", "total_allocated"), ("已拨付", "paid"), ("已分配未拨付", "allocated")):
        assert shown.get(label, 0) == told.fen(measure, org=org, project=project), (label, org, project)


async def flows(http: httpx.AsyncClient, org: str, project: str, told: Told) -> None:
    """A project's page: figures, the line below them, and both sides of its table."""
    page = await read(http, f"/projects/{org}/{project}")
    of_project(reading.pairs(page), org, project, told)
    came, went = reading.equation(page)
    of_project(came | went, org, project, told)
    tables = page.partition('id="table"')[2].split("<table>")[1:]
    for table, side in zip(tables, (came, went), strict=bool(tables)):
        *parts, (_, whole) = reading.rows(table)
        assert reading.fen(whole) == sum(reading.fen(shown) for _, shown in parts) == sum(side.values()), project
    if tables:
        of_funds = {label: reading.fen(shown) for label, shown in reading.rows(tables[0])[:-1]}
        for its, fund in told.funds:
            if its == org:
                wanted = told.fen("total_allocated", org=org, fund=fund, project=project)
                assert of_funds.get(fund, 0) == wanted, (project, fund)


async def tabulates(http: httpx.AsyncClient, measure: str, by: tuple[str, ...], told: Told) -> None:
    """The table of one measure: its groups are named, so that their amounts are what there is to compare."""
    asked = "&".join(f"{name}={each}" for name, each in zip(("by", "then"), by, strict=False))
    page = await read(http, f"/data/figures?measure={measure}&{asked}")
    *groups, total = [reading.fen(cells[-1]) for cells in reading.rows(page)] or [0]
    wanted = [each.fen for each in told.all.grouped(measure, by).values()]
    assert Counter(filter(None, groups)) == Counter(filter(None, wanted)), (measure, by)
    assert total == sum(wanted)
    assert f"合计 {messages.yuan(total)}" in page
