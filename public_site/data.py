"""The data: any list narrowed as a reader asks, with its sum, its downloads, and an address that stays true."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote

import asyncpg
from litestar import Request, Response, get
from litestar.di import NamedDependency

from api.problems import ProblemError
from api.public import permalinks
from ledger import entries
from ledger.account import MAX_POSITION
from ledger.store.database import Database
from ledger.store.queries.aggregates import read_scope
from ledger.store.queries.choices import Choices, read_choices
from ledger.store.queries.gifts import Traces
from ledger.store.queries.head import Head, read_head
from ledger.store.queries.lists import ListedGift, Narrowing, Total
from ledger.store.queries.log import read_first_over
from ledger.store.queries.trace import TooManyPieces
from ledger.trace import State
from public_site import filters, listed, messages
from public_site.filters import DONORS, FIELDS, Filters
from public_site.listed import LISTS
from public_site.site import FRESH, Site
from public_site.words import Words, both

ROWS = 25
"""On a page. Of gifts each is traced for its states, all in one query."""


class Format(NamedTuple):
    """What the same selection is downloaded as: at the list's address with this ending."""

    ending: str
    name: str
    about: str


FORMATS = (
    Format(".csv", "CSV", "全部各行，电子表格可直接打开"),
    Format("", "JSON", "程序读取，每次 50 条，可翻页"),
)


class Chip(NamedTuple):
    """A filter that is set; `path` leads to the same without it."""

    text: str
    path: str


class Option(NamedTuple):
    """What a field can be set to."""

    value: str
    name: str
    is_own: bool


class Group(NamedTuple):
    """Options of one owner; those of nobody stand under no name."""

    owner: str
    options: Sequence[Option]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of the form. `groups` None: typed, not chosen."""

    name: str
    label: str
    typed: str
    wrong: str
    groups: Sequence[Group] | None
    is_needed: bool = False


@get([*both("/data"), *both("/gifts")], include_in_schema=False)
async def data(
    request: Request[Any, Any, Any],
    site: NamedDependency[Site],
    database: NamedDependency[Database],
    traces: NamedDependency[Traces],
) -> Response[str]:
    """One of the lists. `/gifts` is the same for those who look for a gift, not for data."""
    query, say = request.query_params, site.words
    name = query.get("list", "gifts")
    is_list = name in LISTS
    its = LISTS[name if is_list else "gifts"]
    asked = filters.read(query, its.fields, say(its.title), say)
    wrong = {} if is_list else {"list": say("没有「{typed}」这份数据。", typed=name[: filters.MAX_TYPED])}
    before = filters.number(query, "before", MAX_POSITION)
    if before is None:
        wrong["before"] = say("页码不对，请从第一页开始。")
    async with database.snapshot() as connection:
        head, problem = await read_as_of(connection, query, say)
        choices, asked, narrowing = await read_narrowing(connection, asked, head, say)
        wrong |= {**problem, **asked.wrong}
        found: listed.Found = ()
        total = Total(0, 0)
        if not wrong and before is not None and narrowing is not None:
            found = await listed.read_page(connection, name, narrowing, as_of=head.seq, before=before, limit=ROWS + 1)
            is_head = "as_of" not in query
            total = await listed.read_total(connection, name, narrowing, as_of=head.seq, is_head=is_head)
        names = await listed.read_called(connection, found)
        checkpoint = await read_first_over(connection, head.seq)
    shown = found[:ROWS]
    states = {} if "as_of" in query else await _states(traces, shown)
    here = say.address(site.here)
    kept = {"list": "" if name == "gifts" else name, **asked.typed, "as_of": query.get("as_of", "")}
    pinned = {**kept, "as_of": head.seq}
    api = permalinks.address
    return site.page(
        "data",
        head,
        status=400 if wrong else 200,
        headers=FRESH,
        query={**kept, "before": query.get("before", "")},
        is_pinned="as_of" in query,
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
        call=call(f"/api/v1/{name}", {**asked.asked, "as_of": head.seq}),
        figures=filters.address(say.address("/data/figures"), _figured(name, asked)),
        permalink=str(request.base_url).rstrip("/") + filters.address(say.address("/data"), pinned),
        on=entries.beijing_date(entries.moment(head.at)) if head.seq >= 0 else None,
        checkpoint=checkpoint,
    )


async def read_as_of(
    connection: asyncpg.Connection, query: Mapping[str, str], say: Words
) -> tuple[Head, dict[str, str]]:
    """As of which entry, and what is wrong with the one asked for: then it is the last one."""
    as_of = filters.number(query, "as_of")
    try:
        if as_of is not None:
            return await permalinks.read_as_of(connection, as_of), {}
    except ProblemError:
        pass
    head = await read_head(connection)
    typed = query["as_of"][: filters.MAX_TYPED]
    return head, {
        "as_of": say("账本没有第「{typed}」条；最后一条是第 {n} 条。", typed=typed, n=messages.number(head.seq))
    }


async def read_narrowing(
    connection: asyncpg.Connection, asked: Filters, head: Head, say: Words
) -> tuple[Choices, Filters, Narrowing | None]:
    """What the form offers, the filters held to it, and what they leave: None where they cannot be followed."""
    try:
        within, _ = await read_scope(connection, {"org": asked.only.get("org", "")}, as_of=head.seq)
        orgs, only = await read_scope(connection, asked.only, as_of=head.seq)
    except LookupError:  # not registered, or not by then
        choices = await read_choices(connection, {**asked.only, "org": ""})
        return choices, asked.known(choices, say), None
    choices = await read_choices(connection, asked.only, orgs=within)
    asked = asked.known(choices, say)
    only = {name: value for name, value in only.items() if name != "org"}
    bounds = {"since": asked.since, "until": asked.until, "least_fen": asked.least_fen, "most_fen": asked.most_fen}
    return choices, asked, Narrowing(orgs=orgs, only=only, **bounds) if not asked.wrong else None  # type: ignore[arg-type]  # each by its name


def call(path: str, parameters: Mapping[str, str | int]) -> str:
    """A question to the interface, as a program writes it: one parameter a line."""
    lines = [f"{name}={quote(str(value), safe=':,')}" for name, value in parameters.items() if value != ""]
    return "\n".join(
        [f"GET {path}", *(f"  {mark}{line}" for mark, line in zip("?" + "&" * len(lines), lines, strict=False))]
    )


def _figured(name: str, asked: Filters) -> dict[str, str]:
    """The same as figures, as far as they go: by months, without bounds of amount."""
    months = {"since": asked.since, "until": asked.until}
    return {
        "measure": _MEASURES.get(name, ""),
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


def fields(asked: Filters, names: Sequence[str], choices: Choices, say: Words) -> list[Field]:
    """The form, as it was filled in."""
    return [
        Field(
            name=name,
            label=say(filters.NAMES[name]),
            typed=asked.typed.get(name, ""),
            wrong=asked.wrong.get(name, ""),
            groups=_groups(name, asked.typed.get(name, ""), choices, say),
        )
        for name in FIELDS
        if name in names
    ]


def chips(path: str, kept: Mapping[str, object], asked: Filters, choices: Choices, say: Words) -> list[Chip]:
    """What is set, each with the way to the same without it."""
    found = []
    for name, typed in kept.items():
        if name not in filters.NAMES or not typed:
            continue
        text = str(typed)
        if name not in asked.wrong:
            text = _called(name, text, asked, choices, say)
        found.append(Chip(text, filters.address(path, {**kept, name: ""})))
    return found


def _called(name: str, typed: str, asked: Filters, choices: Choices, say: Words) -> str:
    match name:
        case "since":
            return say("{date} 起", date=asked.since)
        case "until":
            return say("至 {date}", date=asked.until)
        case "least":
            return say("{amount} 以上", amount=messages.yuan(asked.least_fen))
        case "most":
            return say("{amount} 以下", amount=messages.yuan(asked.most_fen))
        case "as_of":
            return say("截至第 {n} 条", n=typed)
        case "channel":
            return messages.channel(typed, say)
        case "donor_class":
            return say(DONORS[typed])
        case _:
            return choices.chosen.get(name, typed)


def _groups(name: str, typed: str, choices: Choices, say: Words) -> list[Group] | None:
    """The options of a field, what was typed among them whatever it is."""
    if name == "channel":
        options = [Option(each, messages.channel(each, say), is_own=False) for each in messages.CHANNELS]
    elif name == "donor_class":
        options = [Option(each, say(called), is_own=False) for each, called in DONORS.items()]
    elif name not in choices.offered:
        return None
    else:
        options = []
    groups: dict[str, list[Option]] = {"": options}
    for each in choices.offered.get(name, ()):
        groups.setdefault(each.owner, []).append(Option(each.value, each.name, is_own=True))
    if typed and not any(typed == each.value for options in groups.values() for each in options):
        groups[""].insert(0, Option(typed, choices.chosen.get(name, typed), is_own=name in choices.chosen))
    return [Group(owner, options) for owner, options in groups.items() if options]


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
