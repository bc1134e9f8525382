"""What each role of the database may do, by trying."""

import asyncpg
import pytest
from sqlmodel import SQLModel

from ledger.settings import Settings
from ledger.store import setup
from ledger.store.erasures import OF_A_GIFT
from tests.support.acting import acting_as

TABLES = tuple(sorted(SQLModel.metadata.tables))
PUBLIC = (
    "account campaign checkpoint citation cost entry event figure fiscal_receipt fund gift head import_batch line"
    " lineage lineage_report movement organisation period pledge posting project proposal public_name receipt rollup"
    " signing_key tile turnover witness witnessing"
)
CHANGES = ("insert into {} default values", "delete from {}", "truncate {}", "truncate {} cascade")


@pytest.mark.parametrize(
    "statement",
    [
        "update entry set kind = 'x'",
        "delete from entry where seq = 9",
        "truncate entry cascade",
        "insert into entry values (3, '{}', now(), 'x', '') on conflict (seq) do update set bytes = excluded.bytes",
        "merge into entry using head on entry.seq = 9 when matched then delete",
    ],
)
async def test_nobody_changes_an_entry(unchanged: Settings, refused_writer: asyncpg.Connection, statement: str) -> None:
    before = await refused_writer.fetch("select * from entry order by seq")
    async with acting_as("owner", unchanged) as owner:
        with pytest.raises(asyncpg.RestrictViolationError, match="entries are only ever added"):
            await owner.execute(statement)
    for role in ("writer", "reader"):
        async with acting_as(role, unchanged) as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    assert await refused_writer.fetch("select * from entry order by seq") == before


@pytest.mark.parametrize(
    "table",
    [
        "posting",
        "account",
        "gift",
        "citation",
        "receipt",
        "vault",
        "idempotency",
        "draft",
        "public_name",
        "consent",
        "access_record",
        "lineage",
        "lineage_report",
    ],
)
async def test_the_writer_adds_but_never_changes(refused_writer: asyncpg.Connection, table: str) -> None:
    column = next(iter(SQLModel.metadata.tables[table].columns)).name
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await refused_writer.execute(f"update {table} set {column} = {column}")


@pytest.mark.parametrize("table", TABLES)
async def test_the_writer_removes_nothing_but_a_donors_data(refused_writer: asyncpg.Connection, table: str) -> None:
    for statement in (f"delete from {table}", f"truncate {table} cascade"):
        if table in OF_A_GIFT and statement.startswith("delete"):
            continue
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await refused_writer.execute(statement)


@pytest.mark.parametrize("table", [*TABLES, "alembic_version"])
async def test_the_reader_writes_nothing(unchanged: Settings, table: str) -> None:
    async with acting_as("reader", unchanged) as reader:
        column = await reader.fetchval(
            "select attname from pg_attribute where attrelid = $1::text::regclass and attnum = 1", table
        )
        for change in (*CHANGES, f"update {{}} set {column} = {column}"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await reader.execute(change.format(table))


@pytest.mark.parametrize("table", [*TABLES, "alembic_version"])
async def test_the_reader_sees_the_public_tables_only(unchanged: Settings, table: str) -> None:
    async with acting_as("reader", unchanged) as reader:
        if table in PUBLIC.split():
            await reader.fetch(f"select * from {table}")
        else:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await reader.fetch(f"select * from {table}")
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await reader.execute(f"copy {table} to stdout")


@pytest.mark.parametrize(
    "statement",
    [
        "create table own (id integer)",
        "create function own() returns integer language sql as 'select 1'",
        "create table public.own (id integer)",
        "alter table entry disable trigger entry_is_insert_only",
        "alter table posting drop constraint posting_nothing_spent_twice",
        "create trigger own before insert on posting for each row execute function refuse_change()",
        "create rule own as on insert to posting do instead nothing",
        "set session_replication_role = replica",
        "set role sunledger_owner",
        "grant sunledger_owner to sunledger_reader",
    ],
)
@pytest.mark.parametrize("role", ["writer", "reader"])
async def test_writer_and_reader_cannot_lift_a_rule(unchanged: Settings, role: setup.RoleName, statement: str) -> None:
    async with acting_as(role, unchanged) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
