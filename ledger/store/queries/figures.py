"""Sums for pages: what was received and where it is now, to the fen. Each set has to add up before anybody sees it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from ledger import account
from ledger.donations import GIFTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Where what came in is now.

    received + income + moved_in = held + allocated + paid + refunded + fees + lost + moved_out + voided.
    `received_fen`: donations, those identified in suspense among them. Suspense itself is in none of these.
    `voided_fen`: taken back because it was entered wrongly.
    `moved_in_fen`, `moved_out_fen`: from and to another fund or organisation, late returns of a closed fund to its
    successor among them; of the whole ledger the difference is in transit. An organisation's are the sums of its
    funds'. Of a fund that got late returns and gave some, they are less by what it did both of.
    """

    gift_count: int
    received_fen: int
    income_fen: int
    moved_in_fen: int
    held_fen: int
    allocated_fen: int
    paid_fen: int
    refunded_fen: int
    fees_fen: int
    lost_fen: int
    moved_out_fen: int
    voided_fen: int

    def __post_init__(self) -> None:
        came = self.received_fen + self.income_fen + self.moved_in_fen
        inside = self.held_fen + self.allocated_fen
        gone = self.paid_fen + self.refunded_fen + self.fees_fen + self.lost_fen + self.voided_fen
        now = inside + gone + self.moved_out_fen
        assert came == now, f"{came} fen came in, {now} found"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFigures:
    """Where what was ever allocated to a project is now.

    total_allocated + came_late = allocated + paid + released + refunded + redirected + voided + went_late.
    `came_late_fen`, `went_late_fen`: what payees of a closed project had, and what came home to its successor; of a
    project that did both, the difference.
    """

    total_allocated_fen: int
    came_late_fen: int
    allocated_fen: int
    paid_fen: int
    released_fen: int
    refunded_fen: int
    redirected_fen: int
    voided_fen: int
    went_late_fen: int

    def __post_init__(self) -> None:
        now = self.allocated_fen + self.paid_fen + self.back_fen + self.went_late_fen
        assert self.came_fen == now, f"{self.came_fen} fen came in, {now} found"

    @property
    def came_fen(self) -> int:
        """All that the project ever had."""
        return self.total_allocated_fen + self.came_late_fen

    @property
    def back_fen(self) -> int:
        """What went back where it came from, or elsewhere."""
        return self.released_fen + self.refunded_fen + self.redirected_fen + self.voided_fen


class Tally:
    """Figures of some organisations: what came in and went out from the rollups, what rests from the lines."""

    def __init__(self, moved: Iterable[Iterable[Any]], resting: Iterable[Iterable[Any]]) -> None:
        """`moved`: organisation, fund, project, kind, entries, fen. `resting`: address, fen."""
        self._moved: Counter[tuple[str, ...]] = Counter()
        self._gifts: Counter[tuple[str, ...]] = Counter()
        self._resting: Counter[tuple[str, ...]] = Counter()
        for org, fund, project, kind, count, qty in moved:
            for scope in ((org,), (org, "fund", fund), (org, "project", project)):
                self._moved[kind, *scope] += qty
                if kind in GIFTS:
                    self._gifts[scope] += count
        self._came_late: Counter[tuple[str, ...]] = Counter()
        self._went_late: Counter[tuple[str, ...]] = Counter()
        for (kind, org, *its), qty in self._moved.items():
            if kind == LATE and its[:1] == ["fund"]:
                for whose in ((org,), (org, *its)):
                    self._came_late[whose] += max(qty, 0)
                    self._went_late[whose] += max(-qty, 0)
        for address, qty in resting:
            kind, org, ids = account.parse(address)
            self._resting[kind, org] += qty
            if kind in {"fund", "project"}:
                self._resting[kind, org, "fund", ids[-1]] += qty
            if kind == "project":
                self._resting[kind, org, "project", ids[0]] += qty

    def organisation(self, org: str) -> Figures:
        """Everything an organisation received. What left it is read from where it went."""
        return self._figures(org, paid=self._resting["payees", org])

    def fund(self, org: str, fund: str) -> Figures:
        """What one fund received. What left it is read from the movements."""
        scope = (org, "fund", fund)
        return self._figures(*scope, paid=self._paid(*scope))

    def project(self, org: str, project: str) -> ProjectFigures:
        """What was allocated to one project, of whatever fund."""
        scope = (org, "project", project)
        late = self._moved[LATE, *scope]
        return ProjectFigures(
            total_allocated_fen=self._moved["money.allocated", *scope],
            came_late_fen=max(late, 0),
            allocated_fen=self._resting["project", *scope],
            paid_fen=self._paid(*scope),
            released_fen=self._moved["money.released", *scope],
            refunded_fen=self._moved["gift.refunded", *scope],
            redirected_fen=self._moved["gift.redirected", *scope],
            voided_fen=self._moved["entry.reversed", *scope],
            went_late_fen=max(-late, 0),
        )

    def _paid(self, *scope: str) -> int:
        """What payees got and did not hand back."""
        return self._moved["money.disbursed", *scope] - self._moved["money.returned", *scope]

    def _figures(self, *scope: str, paid: int) -> Figures:
        return Figures(
            gift_count=self._gifts[scope],
            received_fen=sum(self._moved[kind, *scope] for kind in GIFTS),
            income_fen=self._moved["income.received", *scope],
            moved_in_fen=moved_in({kind: self._moved[kind, *scope] for kind in MOVING}) + self._came_late[scope],
            held_fen=self._resting["fund", *scope],
            allocated_fen=self._resting["project", *scope],
            paid_fen=paid,
            refunded_fen=self._moved["gift.refunded", *scope],
            fees_fen=self._moved["fees", *scope],
            lost_fen=self._moved["exchange.settled", *scope],
            moved_out_fen=moved_out({kind: self._moved[kind, *scope] for kind in MOVING}) + self._went_late[scope],
            voided_fen=self._moved["entry.reversed", *scope],
        )


async def read_tally(connection: asyncpg.Connection, orgs: Sequence[str]) -> Tally:
    """What the figures of these organisations are made of."""
    return Tally(await connection.fetch(_MOVED, orgs), await connection.fetch(_RESTING, orgs))


LATE = "late"
"""In a rollup, in place of a kind: what a successor got late (above zero), or a closed fund or project gave (below)."""

MOVING = ("gift.redirected", "redirected", "transfer.received", "transfer.returned", "transfer.sent")
"""Kinds that take money from one fund or organisation to another."""


def moved_in(moved: Mapping[str, int]) -> int:
    """What came from another one."""
    return moved["transfer.received"] + moved["redirected"]


def moved_out(moved: Mapping[str, int]) -> int:
    """What went to another one, or is on its way there."""
    return moved["transfer.sent"] - moved["transfer.returned"] + moved["gift.redirected"]


_MOVED = """
  select org, fund, project, kind, sum(entries)::bigint, sum(qty)::bigint from rollup
  where org = any($1) group by org, fund, project, kind
"""
_RESTING = """
  select a.address, l.credited - l.consumed as qty from account a join line l on l.account = a.id where a.org = any($1)
"""
