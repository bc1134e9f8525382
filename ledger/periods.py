"""Periods: closed with the root of the trial balance; nothing is dated into them afterwards."""

import hashlib
from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

from ledger import account, entries
from ledger.books import Books
from ledger.command import Draft, Effect, Facts, Needs, Proposable, check_day
from ledger.refusals import Invalid, PeriodIsClosed, PolicyMissing


class Turnover(NamedTuple):
    """What an account was credited, and what was consumed of it."""

    address: str
    unit: str
    credited: int
    consumed: int


class ClosePeriod(Proposable, frozen=True, kw_only=True, tag="period.closed"):
    """The next period of an organisation: from the day after the last one, to a day that is over."""

    org: str
    first_on: str
    last_on: str


def close(command: ClosePeriod, books: Books, facts: Facts) -> Effect:
    """The period, with the root of everything dated until its last day."""
    if books.policy is None:
        raise PolicyMissing
    books.organisation(command.org)
    check_day("first_on", command.first_on)
    check_day("last_on", command.last_on)
    if not command.first_on <= command.last_on < facts.today:
        raise Invalid(f"last_on: from first_on on, and before {facts.today}, today in Beijing", field="last_on")
    before = books.closed.get(command.org)
    if before is not None and command.first_on != day_after(before):
        raise Invalid(f"first_on: {day_after(before)}, the day after the last closed one", field="first_on")
    entering = sorted(
        number
        for number, each in books.imports.items()
        if each.approved.org == command.org and each.approved.first_on <= command.last_on
    )
    if entering:
        raise Invalid("last_on: rows of this period are still being entered", field="last_on", imports=entering)
    body = entries.PeriodClosed(
        first_on=command.first_on,
        last_on=command.last_on,
        org=command.org,
        root=root(command.org, command.last_on, facts.turnovers),
    )
    return Effect(body=body, org=command.org)


def needs_close(command: ClosePeriod) -> Needs:
    """All that is dated until the last day. Raises Invalid for a day that there is not: no table could be asked."""
    check_day("last_on", command.last_on)
    return Needs(turnovers=(command.org, command.last_on))


def root(org: str, last_on: str, turnovers: Iterable[tuple[str, str, int, int]]) -> str:
    """Hex SHA-256 over the trial balance: every account that was ever moved until that day, by address and unit."""
    rows = sorted([address, unit, credited, consumed] for address, unit, credited, consumed in turnovers)
    text = b"sunledger/trial-balance/1\n%b\n%b\n%b\n" % (org.encode(), last_on.encode(), entries.canonical(rows))
    return hashlib.sha256(text).hexdigest()


def check_effect(effect: Effect, books: Books) -> None:
    """Nothing moves on a day that is closed for one of the organisations concerned. Raises PeriodIsClosed."""
    body = effect.body
    if effect.into:
        touched = {*effect.destinations, *(take.account.address for take in effect.takes)}
        _check(getattr(body, "on", ""), sorted(touched), books)
    elif isinstance(body, entries.ImportApproved):
        _check(body.first_on, {account.fund(body.org, body.fund)}, books)


def check_draft(draft: Draft, books: Books) -> None:
    """The same for what comes in. Raises PeriodIsClosed."""
    if books.closed:
        _check(getattr(draft.body, "on", ""), [posting.dst for posting in draft.postings], books)


def day_after(day: str) -> str:
    """The next day."""
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()


def _check(on: str, addresses: Iterable[str], books: Books) -> None:
    for address in addresses:
        org = account.parse(address).org
        last_on = books.closed.get(org, "")
        if on <= last_on:
            raise PeriodIsClosed(
                f"{org} is closed until {last_on}; date it later", org=org, closed_until=last_on, on=on
            )
