"""The data: any list narrowed as a reader asks, with its sum, its downloads, and an address that stays true."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from litestar import Request, Response, get
from litestar.di import NamedDependency

from api.desk import Desk
from api.public import permalinks
from ledger import entries
from ledger.account import MAX_POSITION
from ledger.opendata import editions
from ledger.opendata.terms import Terms
from ledger.store.queries.gifts import Traces
from ledger.store.queries.lists import ListedGift, Total
from ledger.store.queries.log import read_first_over
from ledger.store.queries.trace import TooManyPieces
from ledger.trace import State
from public_site import filters, listed
from public_site.filters import Filters
from public_site.form import chips, fields, read_as_of, read_narrowing
from public_site.listed import LISTS
from public_site.site import FRESH, Site
from public_site.words import both

ROWS = 25
"""On a page. Of gifts each is traced for its states, all in one query."""


EDITIONS = 8
"""Of the open data, the newest ones."""


class Format(NamedTuple):
    """What the same selection is downloaded as: at the list's address with this ending."""

    ending: str
    name: str
    about: str


FORMATS = (
    Format(".csv", "CSV", "全部各行，电子表格可直接打开"),
    Format(".xlsx", "Excel", "含字段说明"),
    Format(".ndjson", "NDJSON", "每行一条，程序读取"),
    Format(".parquet", "Parquet", "分析软件用"),
    Format("", "JSON", "程序读取，每次 50 条，可翻页"),
)


@get([*both("/data"), *both("/gifts")], include_in_schema=False)
async def data(
    request: Request[Any, Any, Any],
    site: NamedDependency[Site],
    desk: NamedDependency[Desk],
    open_data: NamedDependency[Path | None],
    terms: NamedDependency[Terms],
) -> Response[str]:
    """One of the lists. `/gifts` is the same for those who look for a gift, not for data."""
    query, say = request.query_params, site.words
    is_pinned = bool(query.get("as_of"))
    name = query.get("list", "gifts")
    is_list = name in LISTS
    its = LISTS[name if is_list else "gifts"]
    asked = filters.read(query, its.fields, say(its.title), say)
    wrong = {} if is_list else {"list": say("没有「{typed}」这份数据。", typed=name[: filters.MAX_TYPED])}
    before = filters.number(query, "before", MAX_POSITION)
    if before is None:
        wrong["before"] = say("页码不对，请从第一页开始。")
    async with desk.database.snapshot() as connection:
        head, problem = await read_as_of(connection, query, say)
        choices, asked, narrowing = await read_narrowing(connection, asked, head, say)
        wrong |= {**problem, **asked.wrong}
        found: listed.Found = ()
        total = Total(0, 0)
        if not wrong and before is not None and narrowing is not None:
            found = await listed.read_page(connection, name, narrowing, as_of=head.seq, before=before, limit=ROWS + 1)
            total = await listed.read_total(connection, name, narrowing, as_of=head.seq, is_head=not is_pinned)
        names = await listed.read_called(connection, found)
        checkpoint = await read_first_over(connection, head.seq)
    shown = found[:ROWS]
    states = {} if is_pinned else await _states(desk.traces, shown)
    here = say.address(site.here)
    kept = {"list": name if is_list and name != "gifts" else "", **asked.typed, "as_of": query.get("as_of", "")}
    pinned = {**kept, "as_of": head.seq}
    api = permalinks.address
    return site.page(
        "data",
        head,
        status=400 if wrong else 200,
        headers=FRESH,
        query={**kept, "before": query.get("before", "")},
        is_pinned=is_pinned,
        name=name,
        its=its,
        lists={each: say(one.title) for each, one in LISTS.items()},
        tabs={each: tab(say.address("/data"), each, asked) for each in LISTS},
        fields=fields(asked, its.fields, choices, say),
        hidden={"list": kept["list"], "as_of": kept["as_of"]},
        wrong=wrong,
        chips=chips(here, kept, asked, choices, say),
        cleared=filters.address(here, {"list": kept["list"]}),
        total=total,
        rows=listed.rows(shown, names, states, say),
        is_first=before == MAX_POSITION,
        first=filters.address(here, kept),
        latest=filters.address(here, {**kept, "as_of": ""}),
        following=filters.address(here, {**kept, "before": shown[-1].seq}) if len(found) > ROWS else "",
        downloads=[(each, api(f"/api/v1/{name}{each.ending}", asked.asked, head.seq)) for each in FORMATS],
        digests=[
            (each, api(f"/api/v1/{name}.sha256", {**asked.asked, "of": each.ending[1:]}, head.seq))
            for each in FORMATS
            if each.ending
        ],
        call=filters.call(f"/api/v1/{name}", {**asked.asked, "as_of": head.seq}),
        figures=filters.address(say.address("/data/figures"), _figured(name, asked)),
        permalink=permalinks.origin(request) + filters.address(say.address("/data"), pinned),
        on=entries.beijing_date(entries.moment(head.at)) if head.seq >= 0 else None,
        checkpoint=checkpoint,
        terms=terms,
        **_editions(open_data),
    )


def _editions(folder: Path | None) -> dict[str, object]:
    """What the operator publishes every night: the newest edition with its files, and the ones before."""
    sizes = editions.sizes(folder) if folder else []
    edition = editions.read(folder, sizes[0]) if folder and sizes else None
    return {"edition": edition, "older": sizes[1:EDITIONS]}


def _figured(name: str, asked: Filters) -> dict[str, str]:
    """The same as figures, as far as they go: by months, without bounds of amount."""
    months = {"since": asked.since, "until": asked.until}
    return {
        "measure": _MEASURES.get(name, ""),
        "by": "month",
        **asked.only,
        **{each: f"{day:%Y-%m}" for each, day in months.items() if day},
    }


_MEASURES = {
    "gifts": "received",
    "allocations": "total_allocated",
    "payments": "paid",
    "transfers": "in_transit",
    "corrections": "voided",
}


def tab(path: str, name: str, asked: Filters) -> str:
    """The way to another list, with those filters that it has, too."""
    kept = {each: text for each, text in asked.typed.items() if each in LISTS[name].fields and each not in asked.wrong}
    return filters.address(path, {"list": "" if name == "gifts" else name, **kept})


async def _states(traces: Traces, found: Sequence[object]) -> dict[int, list[tuple[State, int]] | None]:
    """Of each gift where its money is now; None where it went too many ways for a list."""

    async def its(seq: int) -> list[tuple[State, int]] | None:
        try:
            trace = (await traces.of(seq)).trace
        except TooManyPieces:
            return None
        return [(state, fen) for state, fen in trace.states.items() if fen] if trace else None

    seqs = [each.seq for each in found if isinstance(each, ListedGift)]
    return dict(zip(seqs, await asyncio.gather(*map(its, seqs)), strict=True))


HANDLERS = [data]
