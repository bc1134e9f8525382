"""The lineage report is what somebody finds who follows every fen of the ledger by hand."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from random import Random  # noqa: TID251  seeded

import asyncpg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings

from ledger.settings import Settings
from ledger.store import lineage, setup
from ledger.store.files import SetupError
from ledger.store.queries.aggregates import DIMENSIONS, LINEAGE, Question, is_by_lineage, read_aggregate
from ledger.store.queries.lineage import has_report, read_reports
from tests.store.test_figures import Stored, short_spans  # noqa: F401  a fixture
from tests.support import society
from tests.support.acting import acting_as_superuser
from tests.support.branch import Branch
from tests.support.fixed import FIXED
from tests.support.followed import Followed
from tests.support.happenings import Happening, happenings, ledger
from tests.support.postgres import Cluster
from tests.support.reported import report
from tests.support.retold import Amount

LEDGERS, QUESTIONS = 8, 12
MEASURES = (*LINEAGE, "unspent")


@pytest.fixture
async def branch(settings: Settings) -> AsyncGenerator[Branch]:
    async with Branch.open(settings) as opened:
        yield opened


async def publish(database: str, size: int, cluster: Cluster) -> None:
    """A state of the log, as if it were signed."""
    await cluster.execute(
        f"insert into checkpoint (size, root, note) values ({size}, repeat('r', 32)::bytea, 'note')", database
    )


@hypothesis_settings(FIXED, max_examples=LEDGERS, suppress_health_check=[*HealthCheck])
@given(of=happenings())
async def test_every_figure_by_lineage_is_what_following_each_fen_finds(
    of: list[Happening],
    cluster: Cluster,
    template: str,
    roles_dir: Path,
    short_spans: None,  # noqa: F811
) -> None:
    pen = ledger(of)
    stored, name = await Stored.of(pen, cluster, template, roles_dir)
    random = Random(len(pen.entries))
    writer = setup.database(Settings(roles_dir=roles_dir), cluster.url(name), "writer", pool_size=1)
    try:
        sizes = sorted({len(pen.entries), random.randrange(len(society.open_society().written), len(pen.entries))})
        for size in sizes:
            await publish(name, size, cluster)
            assert await lineage.report(writer) == size
        async with stored.database.snapshot() as connection:
            for size in sizes:
                followed = Followed(pen.entries[:size])
                for measure in MEASURES:
                    await same(connection, followed, measure, ("channel", "donor_class"), size)
                for _ in range(QUESTIONS):
                    gift, rest = random.choice(DIMENSIONS[-2:]), random.sample(DIMENSIONS[:-2], random.randint(0, 2))
                    await same(connection, followed, random.choice(MEASURES), (gift, *rest), size)
    finally:
        await writer.close()
        await stored.database.close()
        await cluster.drop_database(name)


async def same(
    connection: asyncpg.Connection, followed: Followed, measure: str, by: tuple[str, ...], size: int
) -> None:
    question = Question(measure=measure, by=by)
    assert is_by_lineage(question)
    found = await read_aggregate(connection, question, as_of=size - 1)
    assert {cell.keys: Amount(*cell[1:]) for cell in found if any(cell[1:])} == {
        key: each for key, each in followed.grouped(measure, by).items() if any(each)
    }, (measure, by, size)


async def test_a_report_is_made_once_and_never_changes(branch: Branch, settings: Settings) -> None:
    await branch.gift(500)
    await branch.allocate(300)
    await branch.pay(200)
    first = await report(branch.database)
    async with branch.database.raw() as connection:
        before = await connection.fetch("select * from lineage")
    assert await report(branch.database) == first
    async with branch.database.raw() as connection:
        assert await connection.fetch("select * from lineage") == before
        assert await read_reports(connection) == [first]
        assert await has_report(connection, first)
        assert not await has_report(connection, first - 1)
    async with acting_as_superuser(settings) as superuser:
        for statement in (
            "update lineage set qty = qty + 1", "delete from lineage", "truncate lineage",
            "update lineage_report set made_at = now()", "delete from lineage_report",
            "truncate lineage_report cascade",
        ):  # fmt: skip
            with pytest.raises(asyncpg.RestrictViolationError):
                await superuser.execute(statement)


async def test_two_who_report_at_once_make_one_report(branch: Branch) -> None:
    await branch.gift(500)
    await branch.allocate(300)
    async with branch.database.write() as connection:
        await connection.execute("insert into checkpoint (size, root, note) values (1, $1, '')", bytes(32))
    assert await asyncio.gather(*(lineage.report(branch.database) for _ in range(3))) == [1, 1, 1]
    async with branch.database.raw() as connection:
        assert len(await read_reports(connection)) == 1


async def test_a_report_that_does_not_add_up_to_the_plain_figures_is_not_kept(
    branch: Branch, settings: Settings
) -> None:
    await branch.gift(500)
    await branch.allocate(300)
    await branch.pay(200)
    async with acting_as_superuser(settings) as superuser:
        await superuser.execute("update movement set qty = qty + 1 where measure = 'paid'")
    with pytest.raises(
        lineage.LineageBroken, match=r"paid by lineage is not the plain figure .*, project 330800:winter"
    ):
        await report(branch.database)
    async with branch.database.raw() as connection:
        assert await read_reports(connection) == []
        assert await connection.fetch("select * from lineage") == []


async def test_nothing_is_reported_before_anything_is_published(branch: Branch) -> None:
    with pytest.raises(SetupError, match="nothing was published yet"):
        await lineage.report(branch.database)
