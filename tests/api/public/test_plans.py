"""What the planner makes of a step from piece to piece: one probe, whatever it believes of how many there are."""

from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from ledger.settings import Settings
from ledger.store import setup
from ledger.store.queries import sources, trace
from ledger.store.queries.aggregates import Question, read_aggregate
from tests.support.acting import acting_as_superuser
from tests.support.branch import Branch

GIFTS, PAYMENTS = 300, 60


@pytest.fixture
async def counted_before_it_was_spent(branch: Branch, settings: Settings) -> tuple[int, int]:
    """A gift and the last payment; PostgreSQL counted gifts only, as its sample of ten million finds no payment."""
    async with acting_as_superuser(settings) as connection:
        await connection.execute("alter table posting set (autovacuum_enabled = off)")
        given = [(await branch.gift(100))[0] for _ in range(GIFTS)]
        await connection.execute("analyze posting")
    paid = 0
    for _ in range(PAYMENTS):
        await branch.allocate(100, "general", "relief")
        paid = await branch.pay(100, "relief")
    return given[PAYMENTS // 2], paid


async def test_a_step_asks_for_one_piece_however_few_the_planner_expects(
    counted_before_it_was_spent: tuple[int, int], settings: Settings
) -> None:
    given, paid = counted_before_it_was_spent
    database = setup.database(settings, str(settings.database_url), "reader", by_index=True)
    try:
        async with database.raw() as connection:
            for sql, arguments in (
                (trace._FORWARD, (trace.MAX_PIECES, [given], [given])),
                (trace._BACKWARD, (trace.MAX_PIECES, [paid], [paid])),
                (sources._SOURCES, ([paid], trace.MAX_PIECES, -1, 50)),
            ):
                for node in await explained(connection, sql, *arguments):
                    assert not node.get("Rows Removed by Join Filter"), f"{node['Node Type']} read what it did not need"
                    assert node["Actual Rows"] <= 10, f"{node['Node Type']} read more than a few pieces"
    finally:
        await database.close()


async def test_figures_of_a_tail_ask_for_no_movements_but_those_of_the_tail(
    counted_before_it_was_spent: tuple[int, int], settings: Settings
) -> None:
    """A plan for any tail would else read all movements to join them."""
    _, paid = counted_before_it_was_spent
    asked: list[tuple[Any, ...]] = []

    class Listening:
        async def fetch(self, *question: object) -> list[asyncpg.Record]:
            asked.append(question)
            return []

    await read_aggregate(Listening(), Question(measure="received", by=("month",)), as_of=paid)
    database = setup.database(settings, str(settings.database_url), "reader")
    try:
        async with database.raw() as connection:
            nodes = await explained(connection, *asked[0])
    finally:
        await database.close()
    found = [node for node in nodes if node.get("Relation Name") == "movement"]
    assert len(found) > 1
    assert all("seq >=" in f"{node.get('Index Cond')} {node.get('Filter')}" for node in found)


async def explained(connection: asyncpg.Connection, sql: str, *arguments: object) -> list[dict[str, Any]]:
    """Each node of the plan, carried out."""
    (said,) = await connection.fetchval(f"explain (analyze, format json) {sql}", *arguments)
    return [*_nodes(said["Plan"])]


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", ()):
        yield from _nodes(each)
