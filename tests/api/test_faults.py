"""What is answered where the database refuses, and where it does not answer: a bug is no reason to try again."""

from collections.abc import AsyncGenerator

import pytest

from ledger.settings import Settings
from tests.support.acting import acting_as_superuser
from tests.support.office import Office, gift, opened
from tests.support.postgres import Cluster


@pytest.fixture
async def office(told: Settings) -> AsyncGenerator[Office]:
    async with opened(told) as office:
        yield office


async def test_a_gift_that_a_constraint_refuses_is_a_bug_and_holds_up_no_other(told: Settings, office: Office) -> None:
    async with acting_as_superuser(told) as superuser:
        await superuser.execute("alter table gift add constraint none_of_these check (qty <> 77) not valid")
    answer = await office.post("gifts", gift(amount_fen=77, channel_ref="refused"))
    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/internal-error")
    assert "retry-after" not in answer.headers
    assert (await office.post("gifts", gift(channel_ref="fine"))).status_code == 201


async def test_a_statement_that_is_wrong_is_a_bug_by_hand_and_by_sqlmodel(told: Settings, office: Office) -> None:
    async with acting_as_superuser(told) as superuser:
        await superuser.execute("alter table draft rename to gone; alter table import_batch rename to gone_too")
    for path in ("proposals/0/check", "imports"):
        answer = await office.get(path)
        assert (answer.status_code, answer.json()["type"]) == (500, "/problems/internal-error"), path


async def test_a_database_that_lets_nobody_in_is_busy_and_written_to_again_when_it_does(
    told: Settings, office: Office, cluster: Cluster
) -> None:
    assert (await office.get("imports")).status_code == 200
    name = str(told.database_url).rpartition("/")[2].partition("?")[0]
    await cluster.execute(f'alter database "{name}" allow_connections false')
    await cluster.execute(f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'")
    answer = await office.get("imports")
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/busy")
    assert answer.headers["retry-after"] == "5"
    await cluster.execute(f'alter database "{name}" allow_connections true')
    assert (await office.get("imports")).status_code == 200
    assert (await office.post("gifts", gift(channel_ref="fine"))).status_code == 201
