"""The comparison at the start: untouched it finds nothing, and each way of weakening the database is named."""

from collections.abc import AsyncGenerator
from hashlib import sha256
from pathlib import Path

import asyncpg
import pytest

from api.main import admin_resources, public_resources
from ledger.settings import Settings
from ledger.store import setup
from ledger.store.binaries import major_of
from ledger.store.guarantees import SNAPSHOT, GuaranteesBroken, compare, differences, expected, read_facts, require
from tests.support.acting import acting_as, acting_as_superuser
from tests.support.postgres import Cluster
from tests.support.snapshot import as_json


def missing(name: str, aspect: str) -> str:
    return f"{name}: {aspect} is missing; expected: {expected()[name][aspect]}"


def extra(name: str, aspect: str, found: str) -> str:
    return f"{name}: {aspect} is not expected; found: {found}"


def changed(name: str, aspect: str, found: str) -> str:
    """`found` with an ellipsis for what was expected."""
    wanted = expected()[name][aspect]
    return f"{name}: {aspect} is not as expected: {wanted}; found: {found.replace('…', wanted)}"


POSTING_KEYS = ("dst_account", "has_its_entry", "no_gap", "spends_what_was_credited", "src_account")
RETURN_NEW = "begin return new; end"

TAMPERED: dict[str, tuple[str, list[str]]] = {
    # Constraints.
    "the exclusion dropped": (
        "alter table posting drop constraint posting_nothing_spent_twice",
        [missing("posting", "constraint posting_nothing_spent_twice")],
    ),
    "the exclusion weakened": (
        """alter table posting drop constraint posting_nothing_spent_twice;
           alter table posting add constraint posting_nothing_spent_twice
             exclude using gist (src with =, int8range(src_lo, src_lo + qty) with &&) where (src_lo > 0)""",
        [
            changed(
                "posting",
                "constraint posting_nothing_spent_twice",
                "EXCLUDE USING gist (src WITH =, int8range(src_lo, src_lo + qty) WITH &&) WHERE (src_lo > 0)",
            )
        ],
    ),
    "a check dropped": (
        "alter table posting drop constraint posting_line_ends",
        [missing("posting", "constraint posting_line_ends")],
    ),
    "a check that is not validated": (
        """alter table posting drop constraint posting_line_ends;
           alter table posting add constraint posting_line_ends check (dst_hi <= 9007199254740991) not valid""",
        [changed("posting", "constraint posting_line_ends", "… NOT VALID")],
    ),
    "a check too many": (
        "alter table gift add constraint no_small_gifts check (qty >= 100)",
        [extra("gift", "constraint no_small_gifts", "CHECK (qty >= 100)")],
    ),
    "a unique constraint dropped": (
        "alter table receipt drop constraint receipt_seq_key",
        [missing("receipt", "constraint receipt_seq_key")],
    ),
    "a foreign key dropped": (
        "alter table posting drop constraint posting_has_its_entry",
        [missing("posting", "constraint posting_has_its_entry")],
    ),
    "a foreign key that waits for the commit": (
        "alter table posting alter constraint posting_has_its_entry deferrable initially deferred",
        [changed("posting", "constraint posting_has_its_entry", "… DEFERRABLE INITIALLY DEFERRED")],
    ),
    "foreign keys switched off by their triggers": (
        "alter table posting disable trigger all",
        [changed("posting", f"constraint posting_{key}", "… (its triggers are disabled)") for key in POSTING_KEYS],
    ),
    "the index of a unique constraint out of work": (
        "update pg_index set indisready = false where indexrelid = 'posting_no_overlap'::regclass",
        [changed("posting", "constraint posting_no_overlap", "… (its index is not valid)")],
    ),
    # Columns, indexes and tables.
    "a default changed": (
        "alter table gift alter channel set default 'bank'",
        [changed("gift", "column channel", "… default 'bank'::text")],
    ),
    "a column that may be empty": (
        "alter table posting alter unit drop not null",
        [changed("posting", "column unit", "text")],
    ),
    "a column that is not computed": (
        "alter table posting alter dst_prev drop expression",
        [changed("posting", "column dst_prev", "bigint")],
    ),
    "a column of another type": (
        "alter table gift alter qty type numeric",
        [changed("gift", "column qty", "numeric not null")],
    ),
    "a column that compares otherwise": (
        """alter table account alter unit type text collate "C" """,
        [changed("account", "column unit", 'text collate "C" not null')],
    ),
    "a column too many": (
        "alter table gift add name text",
        [extra("gift", "column name", "text")],
    ),
    "an index dropped": (
        "drop index gift_row_is_unique",
        [missing("gift", "index gift_row_is_unique")],
    ),
    "an index too many": (
        "create unique index daily on gift (day)",
        [extra("gift", "index daily", "CREATE UNIQUE INDEX daily ON gift USING btree (day)")],
    ),
    "a table dropped": ("drop table draft", ["draft is missing"]),
    "a table too many": ("create table copied as select * from vault", ["copied is not expected"]),
    "a view that shows what is locked away": (
        "create view shown as select * from vault; grant select on shown to sunledger_reader",
        ["view shown is not expected"],
    ),
    "postings put beside the table": (
        "create table beside () inherits (posting)",
        ["beside is not expected", extra("posting", "inheritance", "beside from posting")],
    ),
    "a table that a crash empties": (
        "alter table vault set unlogged",
        [extra("vault", "persistence", "unlogged")],
    ),
    # Triggers, functions, rules.
    "a trigger disabled": (
        "alter table entry disable trigger entry_is_insert_only",
        [changed("entry", "trigger entry_is_insert_only", "… (disabled)")],
    ),
    "a trigger for replicas only": (
        "alter table entry enable replica trigger entry_is_insert_only",
        [changed("entry", "trigger entry_is_insert_only", "… (on replicas only)")],
    ),
    "a trigger dropped": (
        "drop trigger entry_is_never_truncated on entry",
        [missing("entry", "trigger entry_is_never_truncated")],
    ),
    "a trigger too many": (
        "create trigger own before insert on gift for each row execute function refuse_change()",
        [
            extra(
                "gift",
                "trigger own",
                "CREATE TRIGGER own BEFORE INSERT ON gift FOR EACH ROW EXECUTE FUNCTION refuse_change()",
            )
        ],
    ),
    "a trigger's function replaced": (
        f"create or replace function refuse_change() returns trigger language plpgsql as '{RETURN_NEW}'",
        [changed("function refuse_change()", "source, as SHA-256", sha256(RETURN_NEW.encode()).hexdigest())],
    ),
    "a function with its owner's rights": (
        "alter function refuse_change() security definer",
        [changed("function refuse_change()", "rights", "its owner's")],
    ),
    "a function with settings of its own": (
        "alter function refuse_change() set session_replication_role = replica",
        [changed("function refuse_change()", "settings", "session_replication_role=replica")],
    ),
    "a function too many": (
        "create function peek() returns setof vault language sql security definer as 'select * from vault'",
        ["function peek() is not expected"],
    ),
    "a rule added": (
        "create rule own as on insert to posting do instead nothing",
        [extra("posting", "rule own", "CREATE RULE own AS ON INSERT TO posting DO INSTEAD NOTHING;")],
    ),
    "rows that are hidden": (
        "alter table posting enable row level security; create policy small on posting using (qty < 100)",
        [extra("posting", "policy small", "there"), extra("posting", "row security", "on")],
    ),
    # Grants and owners.
    "the writer may change entries": (
        "grant update on entry to sunledger_writer",
        [extra("entry", "UPDATE by the writer", "granted")],
    ),
    "the reader may read the vault": (
        "grant select on vault to sunledger_reader",
        [extra("vault", "SELECT by the reader", "granted")],
    ),
    "the reader may read one column of the vault": (
        "grant select (sealed) on vault to sunledger_reader",
        [extra("vault", "SELECT (sealed) by the reader", "granted")],
    ),
    "everyone may read the credentials": (
        "grant select on credential to public",
        [extra("credential", "SELECT by everyone", "granted")],
    ),
    "a stranger may add postings": (
        "create role mallory; grant insert on posting to mallory",
        [extra("posting", "INSERT by the role mallory", "granted")],
    ),
    "the writer may pass a right on": (
        "grant select on posting to sunledger_writer with grant option",
        [changed("posting", "SELECT by the writer", "…, and may be passed on")],
    ),
    "the writer may not add entries": (
        "revoke insert on entry from sunledger_writer",
        [missing("entry", "INSERT by the writer")],
    ),
    "the writer may make tables": (
        "grant create on schema sunledger to sunledger_writer",
        [extra("the schema", "CREATE by the writer", "granted")],
    ),
    "everyone may make functions that the owner finds": (
        "grant create on schema public to public",
        [changed(f"the {role}", "may create in schema public", "true") for role in ("reader", "writer")],
    ),
    "a function that not everyone may call": (
        "revoke execute on function refuse_change() from public",
        [missing("function refuse_change()", "EXECUTE by everyone")],
    ),
    "a table that somebody else owns": (
        "create role mallory; alter table line owner to mallory",
        [changed("line", "owner", "the role mallory")],
    ),
    "the schema owned by somebody else": (
        "create role mallory; alter schema sunledger owner to mallory",
        [changed("the schema", "owner", "the role mallory")],
    ),
    "a function owned by somebody else": (
        "create role mallory; alter function refuse_change() owner to mallory",
        [changed("function refuse_change()", "owner", "the role mallory")],
    ),
    # Roles and sessions.
    "the writer may create roles": (
        "alter role sunledger_writer createrole",
        [changed("the writer", "may create roles", "true")],
    ),
    "the reader passes row security": (
        "alter role sunledger_reader bypassrls",
        [changed("the reader", "passes row security", "true")],
    ),
    "the reader may copy the whole server": (
        "alter role sunledger_reader replication",
        [changed("the reader", "may replicate", "true")],
    ),
    "the writer belongs to the owner": (
        "grant sunledger_owner to sunledger_writer",
        [changed("the writer", "member of", "sunledger_owner")],
    ),
    "the reader writes all data": (
        "grant pg_write_all_data, pg_read_all_data to sunledger_reader",
        [changed("the reader", "member of", "pg_read_all_data, pg_write_all_data")],
    ),
    "the writer's sessions fire no triggers": (
        "alter role sunledger_writer set session_replication_role = replica",
        [changed("the writer", "session_replication_role", "session_replication_role=replica")],
    ),
    "nobody's sessions fire triggers": (
        "alter database guarantees set session_replication_role = replica",
        [
            changed(f"the {role}", "session_replication_role", "session_replication_role=replica")
            for role in ("owner", "reader", "writer")
        ],
    ),
    "the owner may switch triggers off": (
        "grant set on parameter session_replication_role to sunledger_owner",
        [changed("the owner", "may set session_replication_role", "true")],
    ),
    "this connection fires no triggers": (
        "set local session_replication_role = replica",
        [changed("this connection", "session_replication_role", "replica")],
    ),
}

SINCE_18: dict[str, tuple[str, list[str]]] = {
    "a foreign key that is not enforced": (
        "alter table posting alter constraint posting_has_its_entry not enforced",
        [changed("posting", "constraint posting_has_its_entry", "… NOT ENFORCED (its triggers are disabled)")],
    ),
    "a column that may have been empty": (
        """alter table vault alter sealed drop not null;
           alter table vault add constraint sealed not null sealed not valid""",
        [changed("vault", "column sealed", "bytea")],
    ),
}


@pytest.fixture(scope="module")
async def log(
    cluster: Cluster, template: str, roles_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Settings]:
    """A log that every test leaves as it is: what it does to the log is rolled back."""
    await cluster.create_database("guarantees", template)
    yield Settings(
        data_dir=tmp_path_factory.mktemp("guarantees"), roles_dir=roles_dir, database_url=cluster.url("guarantees")
    )
    await cluster.drop_database("guarantees")


async def found_after(log: Settings, statements: str) -> list[str]:
    """The differences a superuser's statements make; they are undone then, those to the server's roles as well."""
    async with acting_as_superuser(log) as superuser:
        transaction = superuser.transaction()
        await transaction.start()
        await superuser.execute(statements)
        found = await differences(superuser)
        await transaction.rollback()
        assert await differences(superuser) == []
        return found


@pytest.mark.parametrize("role", setup.ROLES)
async def test_every_role_finds_an_untouched_log_as_expected(log: Settings, role: setup.RoleName) -> None:
    async with acting_as(role, log) as connection:
        assert await differences(connection) == []
        await require(connection)


async def test_the_committed_snapshot_is_what_a_fresh_migration_gives(log: Settings) -> None:
    async with acting_as_superuser(log) as connection:
        fresh = as_json(await read_facts(connection))
    assert SNAPSHOT.read_text() == fresh, "run python -m tests.support.snapshot and read what has changed"


@pytest.mark.parametrize("what", TAMPERED)
async def test_what_was_tampered_with_is_named(log: Settings, what: str) -> None:
    statements, sentences = TAMPERED[what]
    assert await found_after(log, statements) == sentences


@pytest.mark.parametrize("what", SINCE_18)
async def test_what_18_newly_allows_is_named(cluster: Cluster, log: Settings, what: str) -> None:
    if major_of(cluster.server.bin) < 18:
        pytest.skip("PostgreSQL 18 brought it")
    statements, sentences = SINCE_18[what]
    assert await found_after(log, statements) == sentences


async def test_a_superuser_among_the_roles_is_named(log: Settings) -> None:
    assert "the writer: superuser is not as expected: false; found: true" in await found_after(
        log, "alter role sunledger_writer superuser"
    )


async def test_a_role_that_is_not_there_is_named(log: Settings) -> None:
    found = await found_after(log, "alter role sunledger_reader rename to former_reader")
    assert "the reader is missing" in found
    assert "entry: SELECT by the reader is missing; expected: granted" in found
    assert "entry: SELECT by the role former_reader is not expected; found: granted" in found


async def test_an_owner_who_is_the_writer_is_named(log: Settings) -> None:
    found = await found_after(log, "alter table entry owner to sunledger_writer")
    assert "entry: owner is not as expected: the owner; found: the writer" in found


async def test_an_application_does_not_start_on_a_weakened_database_and_hears_every_reason(settings: Settings) -> None:
    async with acting_as_superuser(settings) as superuser:
        await superuser.execute("alter table posting drop constraint posting_nothing_spent_twice")
        await superuser.execute("alter table entry disable trigger entry_is_never_truncated")
    for role in setup.ROLES:
        async with acting_as(role, settings) as connection:
            with pytest.raises(GuaranteesBroken) as broken:
                await require(connection)
        assert len(broken.value.differences) == 2
        assert "\n- posting: constraint posting_nothing_spent_twice is missing" in str(broken.value)
        assert "\n- entry: trigger entry_is_never_truncated is not as expected" in str(broken.value)
    for application in (admin_resources, public_resources):
        with pytest.raises(GuaranteesBroken):
            async with application(settings, str(settings.database_url)):
                pytest.fail("it started")


async def test_logs_of_any_name_fit_beside_each_other_in_one_database(settings: Settings, tmp_path: Path) -> None:
    assert settings.database_url is not None
    other = Settings(data_dir=tmp_path, log="posting", database_url=settings.database_url)
    await setup.prepare(other, settings.database_url)
    for log in (settings, other):
        for role in setup.ROLES:
            async with acting_as(role, log) as connection:
                assert await differences(connection) == []


async def test_a_database_without_the_log_is_missing_all_of_it(cluster: Cluster) -> None:
    await cluster.create_database("empty")
    connection: asyncpg.Connection = await asyncpg.connect(
        cluster.url("empty"), server_settings={"search_path": "sunledger"}
    )
    found = await differences(connection)
    await connection.close()
    await cluster.drop_database("empty")
    assert {"posting is missing", "entry is missing", "the schema is missing"} <= set(found)


def test_a_thing_with_no_counterpart_is_one_sentence() -> None:
    assert compare({"a": {"x": "1", "y": "2"}}, {"b": {"x": "1"}}) == ["a is missing", "b is not expected"]
    assert compare({"a": {"x": "1", "y": "2"}}, {"a": {"y": "3", "z": "4"}}) == [
        "a: x is missing; expected: 1",
        "a: y is not as expected: 2; found: 3",
        "a: z is not expected; found: 4",
    ]
