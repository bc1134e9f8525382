"""The form of filters: what it offers, what stands in it, and what it leaves of the ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import asyncpg

from api.problems import ProblemError
from api.public import permalinks
from ledger.store.queries.aggregates import read_scope
from ledger.store.queries.choices import Choices, read_choices
from ledger.store.queries.head import Head, read_head
from ledger.store.queries.lists import Narrowing
from public_site import filters, messages
from public_site.filters import DONORS, FIELDS, Filters
from public_site.words import Words


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


def one_of(name: str, typed: str, choices: Choices, say: Words, *, wrong: str = "") -> Field:
    """A field of a form that is no filter: one of them is needed."""
    groups = _groups(name, typed, choices, say)
    return Field(name=name, label=say(filters.NAMES[name]), typed=typed, wrong=wrong, groups=groups, is_needed=True)


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
