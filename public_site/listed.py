"""The rows of the five lists as a page shows them: gifts, allocations, payments, transfers, corrections."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import asyncpg

from ledger import account
from ledger.disbursements import PERSONS
from ledger.store.queries.corrections import Correction, Only, read_corrections, sum_corrections
from ledger.store.queries.lists import (
    ListedEffect,
    ListedGift,
    Narrowing,
    Total,
    count_effects,
    count_gifts,
    read_effects,
    read_gifts,
)
from ledger.store.queries.names import read_names
from ledger.trace import Names, State
from public_site import messages
from public_site.filters import GIFT, PLACES
from public_site.said import kind_name
from public_site.words import Words


class List(NamedTuple):
    """A list, by its name in the interface."""

    title: str
    fields: tuple[str, ...]
    """What narrows it."""
    heads: tuple[str, str, str]
    """Over `Row.who`, `Row.about` and `Row.now`."""


_BOUNDS = ("since", "until", "least", "most")
LISTS = {
    "gifts": List("捐款|全部", (*PLACES, *GIFT, *_BOUNDS), ("渠道", "基金|一个", "现在")),
    "allocations": List("分配|全部", (*PLACES, *_BOUNDS), ("项目|一个", "来自基金", "后来")),
    "payments": List("拨付|全部", (*PLACES, *_BOUNDS), ("收款方", "用途", "后来")),
    "transfers": List("转款|全部", ("org", "fund", "event", *_BOUNDS), ("收款组织", "来自基金", "后来")),
    "corrections": List("更正|全部", ("org", "since", "until"), ("原记录", "原因", "后来")),
}

Found = Sequence[ListedGift] | Sequence[ListedEffect] | Sequence[Correction]


class Text(NamedTuple):
    """What stands in a cell."""

    text: str
    path: str = ""
    is_own: bool = False
    """It stands so in the ledger, in Chinese."""


class Tag(NamedTuple):
    """What became of it, or of a part."""

    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row, whatever list it is of."""

    seq: int
    on: str
    who: Text
    about: tuple[Text, ...]
    now: tuple[Tag, ...]
    amount_fen: int


async def read_page(  # noqa: PLR0913  which list, which of it, which page
    connection: asyncpg.Connection, name: str, narrowing: Narrowing, *, as_of: int, before: int, limit: int
) -> Found:
    """Those with a number below `before`, the newest first."""
    if name == "corrections":
        only = _only(narrowing)
        return await read_corrections(connection, before=min(before, as_of + 1), limit=limit, only=only, as_of=as_of)
    if name == "gifts":
        return await read_gifts(connection, narrowing, as_of=as_of, before=before, limit=limit)
    return await read_effects(connection, name, narrowing, as_of=as_of, before=before, limit=limit)


async def read_total(
    connection: asyncpg.Connection, name: str, narrowing: Narrowing, *, as_of: int, is_head: bool
) -> Total:
    """Of the whole list. `is_head`: `as_of` is the last entry there is."""
    if name == "corrections":
        return Total(*await sum_corrections(connection, before=as_of + 1, only=_only(narrowing)))
    if name == "gifts":
        return await count_gifts(connection, narrowing, as_of=as_of, is_head=is_head)
    return await count_effects(connection, name, narrowing, as_of=as_of)


async def read_called(connection: asyncpg.Connection, found: Found) -> Names:
    """What the rows name, by its name."""
    orgs, addresses = set[str](), set[str]()
    for each in found:
        match each:
            case ListedGift():
                addresses.add(account.fund(each.org, each.fund))
            case ListedEffect():
                orgs.add(each.said.get("to", each.org))
                addresses |= {account.fund(each.org, fund) for fund in each.funds}
                if each.project:
                    addresses.add(account.project(each.org, each.project, each.funds[0]))
            case Correction():
                orgs.add(each.org)
    return await read_names(connection, orgs=orgs, addresses=addresses, events=())


def rows(found: Found, names: Names, states: Mapping[int, Sequence[tuple[State, int]] | None], say: Words) -> list[Row]:
    """As people read them. `states`: of each gift, where its money is now; None where it went too many ways."""
    shown: list[Row] = []
    for each in found:
        match each:
            case ListedGift():
                shown.append(_gift(each, names, states, say))
            case ListedEffect():
                shown.append(_effect(each, names, say))
            case Correction():
                shown.append(_correction(each, say))
    return shown


def _gift(gift: ListedGift, names: Names, states: Mapping[int, Sequence[tuple[State, int]] | None], say: Words) -> Row:
    its = states.get(gift.seq, _undone(gift))
    early = (Tag(say("早于事件"), "warn"),) if gift.is_before_event else ()
    if its is None:
        now: tuple[Tag, ...] = (Tag(say("去向很多，见该条")),)
    else:
        several = len(its) > 1 or gift.seq not in states
        now = tuple(
            Tag(say(messages.STATES[state]) + (f" {messages.yuan(fen)}" if several else ""), state)
            for state, fen in its
        )
    return Row(
        seq=gift.seq,
        on=str(gift.on),
        who=Text(messages.channel(gift.channel, say)),
        about=(_fund(gift.org, gift.fund, names), _organisation(gift.org, names)),
        now=(*now, *early),
        amount_fen=gift.amount_fen,
    )


def _undone(gift: ListedGift) -> list[tuple[State, int]]:
    """What of the gift was given back or voided: all that a list of the past knows."""
    return [
        (state, fen) for state, fen in ((State.REFUNDED, gift.refunded_fen), (State.VOIDED, gift.voided_fen)) if fen
    ]


def _effect(effect: ListedEffect, names: Names, say: Words) -> Row:
    org, said, yuan = effect.org, effect.said, messages.yuan
    funds = tuple(_fund(org, fund, names) for fund in effect.funds)
    project = (
        Text(names.project(org, effect.project).name, f"/projects/{org}/{effect.project}", True)
        if effect.project
        else None
    )
    back = (Tag(say("退回 {amount}", amount=yuan(effect.undone_fen)), "warn"),) if effect.undone_fen else ()
    if "payee" in said:
        payee = said["payee"]
        who = Text(messages.payee(payee, say), is_own=payee != PERSONS)
        about = (*([project] if project else []), Text(said["purpose"], is_own=True))
        confirmed = effect.confirmed_fen
        now = (Tag(say("已签收 {amount}", amount=yuan(confirmed)), "ok"), *back) if confirmed else back
    elif "to" in said:
        who = _organisation(said["to"], names)
        about = (*funds, _organisation(org, names))
        way = effect.amount_fen - effect.received_fen - effect.undone_fen
        arrived = (Tag(say("已收到 {amount}", amount=yuan(effect.received_fen)), "ok"),) if effect.received_fen else ()
        now = (*arrived, *back, *((Tag(say("在途 {amount}", amount=yuan(way))),) if way > 0 else ()))
    else:
        assert project is not None, "an allocation has a project"
        who, about, now = project, (*funds, _organisation(org, names)), back
    return Row(seq=effect.seq, on=str(effect.on), who=who, about=about, now=now, amount_fen=effect.amount_fen)


def _correction(each: Correction, say: Words) -> Row:
    moved = (Tag(say("另有 {amount} 已流转", amount=messages.yuan(each.moved_fen)), "warn"),) if each.moved_fen else ()
    right = each.right_fen
    righted = () if right is None else (Tag(say("更正为 {amount}", amount=messages.yuan(right)), "ok"),)
    return Row(
        seq=each.seq,
        on=each.on,
        who=Text(f"{kind_name(each.of, say)} {messages.number(each.ref)}", f"/entries/{each.ref}"),
        about=(Text(each.reason, is_own=True),),
        now=(*righted, *moved),
        amount_fen=each.left_fen,
    )


def _fund(org: str, fund: str, names: Names) -> Text:
    return Text(names.fund(org, fund).name, f"/funds/{org}/{fund}", is_own=True)


def _organisation(org: str, names: Names) -> Text:
    return Text(names.organisation(org).name, f"/organisations/{org}", is_own=True)


def _only(narrowing: Narrowing) -> Only:
    return Only(narrowing.orgs, narrowing.since, narrowing.until)
