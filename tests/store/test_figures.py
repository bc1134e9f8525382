"""Figures by any dimensions and as of any entry are what somebody counts who reads the entries aloud."""

import itertools
from pathlib import Path
from random import Random  # noqa: TID251  seeded
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings

from ledger import entries
from ledger.account import Account
from ledger.books import Books
from ledger.entries import Entry
from ledger.settings import Settings
from ledger.store import rows, setup
from ledger.store.database import Database
from ledger.store.figures import FigureRows, alike
from ledger.store.movements import movements
from ledger.store.projections import Projector
from ledger.store.queries.aggregates import DIMENSIONS, MEASURES, Question, is_by_lineage, read_aggregate, why_not
from ledger.store.queries.funds import read_funds
from ledger.store.rebuild import rebuild
from tests.support import society
from tests.support.fixed import FIXED
from tests.support.happenings import Happening, happenings, ledger
from tests.support.model import Pen
from tests.support.postgres import Cluster
from tests.support.retold import Amount, Retold

LEDGERS, QUESTIONS, FUNDS = 8, 20, 100
SPANS = (96, 48, 12, 4)
_names = itertools.count()


class Stored:
    """A ledger of the memory, in tables."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @staticmethod
    async def of(
        pen: Pen, cluster: Cluster, template: str, roles_dir: Path, *, size: int | None = None
    ) -> tuple["Stored", str]:
        """Its first `size` entries, or all."""
        name = f"figures_{next(_names)}"
        await cluster.create_database(name, template)
        settings = Settings(roles_dir=roles_dir, database_url=cluster.url(name))
        owner = setup.database(settings, cluster.url(name), "owner", pool_size=1)
        async with owner.write() as connection:
            await connection.executemany(
                "insert into entry (seq, bytes, at, kind, org) values ($1, $2, $3, $4, $5)",
                [
                    (entry.seq, written, entries.moment(entry.at), entry.kind, entries.org_of(entry))
                    for entry, written in zip(pen.entries[:size], pen.written[:size], strict=True)
                ],
            )
        await rebuild(owner, report=lambda _: None)
        await owner.close()
        return Stored(setup.database(settings, cluster.url(name), "reader", pool_size=1)), name


@pytest.fixture
def short_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that small ledgers have long spans, short ones and a tail."""
    monkeypatch.setattr(rows, "FIGURE_SPANS", SPANS)


@hypothesis_settings(FIXED, max_examples=LEDGERS, suppress_health_check=[*HealthCheck])
@given(of=happenings())
async def test_every_figure_is_what_the_entries_say_as_of_any_of_them(
    of: list[Happening], cluster: Cluster, template: str, roles_dir: Path, short_spans: None
) -> None:
    pen = ledger(of)
    stored, name = await Stored.of(pen, cluster, template, roles_dir)
    random = Random(len(pen.entries))
    last = len(pen.entries) - 1
    try:
        async with stored.database.snapshot() as connection:
            for as_of in (None, last, *(random.randrange(len(society.open_society().written), last) for _ in range(3))):
                told = Retold(pen.entries if as_of is None else pen.entries[: as_of + 1])
                adds_up(told)
                funds = await read_funds(connection, org="", after=("", ""), limit=FUNDS, as_of=as_of)
                if as_of == last:
                    assert funds == await read_funds(connection, org="", after=("", ""), limit=FUNDS)
                for measure in MEASURES:
                    await same(connection, told, measure, (), as_of)
                for _ in range(QUESTIONS):
                    measure, by = random.choice([*MEASURES]), tuple(random.sample(DIMENSIONS, random.randint(1, 3)))
                    question = Question(measure=measure, by=by)
                    if not why_not(question) and not is_by_lineage(question):
                        await same(connection, told, measure, by, as_of)
    finally:
        await stored.database.close()
        await cluster.drop_database(name)


def adds_up(told: Retold) -> None:
    """Of every fund."""
    per = {measure: told.grouped(measure, ("fund",)) for measure in MEASURES}
    for key in {each for groups in per.values() for each in groups}:
        fen = {measure: groups.get(key, Amount(0, 0)).fen for measure, groups in per.items()}
        came = fen["received"] + fen["income"] + fen["moved_in"]
        went = fen["paid"] + fen["refunded"] + fen["fees"] + fen["lost"] + fen["voided"] + fen["moved_on"]
        assert came == fen["unspent"] + went, key
        assert fen["unspent"] == fen["held"] + fen["allocated"] + fen["in_transit"]


async def same(
    connection: asyncpg.Connection, told: Retold, measure: str, by: tuple[str, ...], as_of: int | None
) -> None:
    found = await read_aggregate(connection, Question(measure=measure, by=by), as_of=as_of)
    given_ = {cell.keys: Amount(cell.entries, cell.sum_fen) for cell in found}
    wanted = told.grouped(measure, by)
    if not by:
        wanted = wanted or {(): Amount(0, 0)}
    assert {key: each for key, each in given_.items() if any(each)} == {
        key: each for key, each in wanted.items() if any(each)
    }, (measure, by, as_of)


@hypothesis_settings(FIXED, max_examples=LEDGERS)
@given(of=happenings())
def test_a_gift_is_counted_by_the_short_way_as_by_the_long_one(of: list[Happening]) -> None:
    for entry in ledger(of).entries:
        if isinstance(entry.body, entries.MoneyReceived):
            assert short_way(entry) == {
                (each.measure, *each.place): (each.entries, each.qty) for each in movements(entry, Books())
            }


def short_way(entry: Entry) -> dict[tuple[str, ...], tuple[int, int]]:
    figures = FigureRows()
    gifts, qty, fee = alike(entry, entry.body, 0)  # type: ignore[arg-type]
    figures.give(gifts, 1, qty, fee)
    return {key[:4]: (count, qty) for key, (count, qty) in figures._sums.items()}


@hypothesis_settings(FIXED, max_examples=LEDGERS)
@given(of=happenings())
def test_gifts_that_are_alike_add_to_sums_what_each_would_by_itself(of: list[Happening]) -> None:
    by_one, together = Projector(Books(), {}), Projector(Books(), {})
    for entry in ledger(of).entries:
        if isinstance(entry.body, entries.MoneyReceived):
            for projector in (by_one, together):
                for posting in entry.postings:
                    for address in (posting.src, posting.dst):
                        projector._id(Account(address, posting.unit))
            by_one._sum(entry)
            together._sum_gift(entry, entry.body)
    assert sums(together) == sums(by_one)


def sums(projector: Projector) -> list[tuple[Any, ...]]:
    return [row for table, rows in projector.take().tables if table.name in {"rollup", "turnover"} for row in rows]
