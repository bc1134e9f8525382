"""One bit of any stored byte or column: the catalogue is asked for tables and columns, so that a new one is drilled."""

from random import Random  # noqa: TID251  seeded

import asyncpg
import pytest
from sqlmodel import SQLModel

from ledger.store import tables
from ledger.verify.report import Report
from ledger.verify.rule import Rule
from tests.support.acting import acting_as_superuser
from tests.tamper.bits import flipped
from tests.tamper.site import Site

SAMPLES, SAMPLES_OF_BYTES = 1, 3
"""Values of each column that are tried."""

TABLES = sorted(SQLModel.metadata.tables)
assert tables.money.Head.__tablename__ in TABLES, "the classes of the schema are loaded"

ANYWHERE = "*"

NOT_COVERED: dict[tuple[str, str], str] = {
    ("alembic_version", ANYWHERE): "which migrations ran; what they made is compared itself",
    ("access_record", ANYWHERE): "who looked at a donor's data: the operator's own affair, as who may sign in",
    ("checkpoint", "published_at"): "when it was signed, by the operator's clock; nothing else tells",
    ("consent", ANYWHERE): "sealed under the subject's key; that it is of a gift not erased is checked by itself",
    ("credential", ANYWHERE): "who may sign in: the operator's own affair; entries name who did what",
    ("draft", "command"): "a proposal commits to its text: a changed one does not open, and is not entered",
    ("draft", "salt"): "likewise",
    ("fiscal_receipt", "digest"): "as of receipt: the fiscal receipt is not found any more",
    ("fiscal_receipt", "key_id"): "likewise",
    ("fiscal_vault", "number"): "a keyed digest of the operator: the same number might come twice",
    ("fiscal_vault", "sealed"): "sealed under a key of the subject's: it does not open",
    ("head", "epoch"): "the sequencer's own counter",
    ("head", "one"): "says that there is one row",
    ("idempotency", ANYWHERE): "answers to repeated requests: opaque digests, and which entries they were",
    ("lineage_report", "made_at"): "when it was made, by the operator's clock",
    ("public_name", ANYWHERE): "sealed for its gift's entry: a changed one, or another gift's, names nobody",
    ("receipt", "box"): "sealed under the receipt code, which only the donor holds: it does not open for her",
    ("receipt", "digest"): "an HMAC under a key of the operator: the code is not found any more, but in the log itself",
    ("receipt", "key_id"): "which of these keys; likewise",
    ("signing_key", "since"): "when it was first used; checkpoints are tried with every key",
    ("signing_key", "retired_at"): "when it signed last; alike",
    ("visit", ANYWHERE): "who asked how often within the hour: hashes and counts, of nobody's money",
    ("witness", ANYWHERE): "what each witness said last, for readers: its cosignatures are checked, not this",
    ("witnessing", ANYWHERE): "the operator's policy, shown to readers; a verifier brings her own",
    ("vault", "sealed"): "sealed under the subject's key: it does not open",
    ("vault", "slot"): "where that key lies: another key does not open it",
}  # fmt: skip
"""What a check of the tables does not see, and why it need not. Everything else it must see."""


Catalogue = dict[str, list[str]]
"""Table → its columns."""


async def catalogue(site: Site) -> Catalogue:
    found: Catalogue = {}
    async with acting_as_superuser(site.settings) as connection:
        for table, column in await connection.fetch(_COLUMNS):
            found.setdefault(table, []).append(column)
    return found


async def test_every_table_is_drilled_and_every_exception_is_still_one(site: Site) -> None:
    found = await catalogue(site)
    assert {*found} - {table for table, column in NOT_COVERED if column == ANYWHERE} <= {*TABLES}
    for table, column in NOT_COVERED:
        assert column == ANYWHERE or column in found[table], (table, column)


@pytest.mark.parametrize("table", TABLES)
async def test_a_changed_bit_is_caught(site: Site, table: str) -> None:
    if (table, ANYWHERE) in NOT_COVERED:
        return
    random = Random(table)
    async with acting_as_superuser(site.settings) as connection:
        await unshackle(connection, table)
        for column in (await catalogue(site))[table]:
            if (table, column) not in NOT_COVERED:
                await drill(site, connection, table, column, random)
    assert await site.caught() == {"tables": {Rule.TABLE_GUARANTEES}}, "something was not put back"


async def drill(site: Site, connection: asyncpg.Connection, table: str, column: str, random: Random) -> None:
    """Change one value at a time, look, put it back."""
    rows = await connection.fetch(
        f"select ctid, {column} as value from {table} order by {column} is null, md5(ctid::text) limit $1",
        SAMPLES_OF_BYTES,
    )
    assert rows, f"{table} is empty: nothing of it was drilled"
    for row in rows[: SAMPLES_OF_BYTES if isinstance(rows[0]["value"], bytes) else SAMPLES]:
        changed = flipped(row["value"], random.randrange(1 << 16))
        change = f"update {table} set {column} = $1 where ctid = $2 returning ctid"
        ctid = await connection.fetchval(change, changed, row["ctid"])
        caught_by(await site.report(), table, f"{table}.{column}: {row['value']!r} → {changed!r}"[:200])
        await connection.execute(change, row["value"], ctid)


def caught_by(report: Report, table: str, what: str) -> None:
    """Not only by what was dropped to get there: by bytes, or by a finding that names the table."""
    rules = {*report.counts} - {Rule.TABLE_GUARANTEES}
    places = [each.place for each in report.findings if each.rule != Rule.TABLE_GUARANTEES]
    assert rules, what
    assert any(place.startswith((f"{table} ", f"{table} ·")) for place in places) or Rule.TILE_HASH in rules, (
        what,
        places,
    )


async def unshackle(connection: asyncpg.Connection, table: str) -> None:
    """Take away whatever would refuse a change: a superuser can, and so can somebody with the disk in her hands."""
    await connection.execute("set session_replication_role = replica")
    for (statement,) in await connection.fetch(_UNSHACKLE, table):
        await connection.execute(statement)


_COLUMNS = """
  select relname, attname from pg_class join pg_attribute on attrelid = pg_class.oid
  where relnamespace = current_schema()::regnamespace and relkind = 'r' and attnum > 0 and not attisdropped
  order by relname, attnum
"""
_UNSHACKLE = """
  select format('alter table %I drop constraint if exists %I cascade', $1::text, conname) from pg_constraint
  where conrelid = $1::regclass and contype not in ('n', 't')
  union all
  select format('drop index %s', indexrelid::regclass) from pg_index
  where indrelid = $1::regclass and not exists (select from pg_constraint where conindid = indexrelid)
  union all
  select format('alter table %I alter column %I drop expression', $1::text, attname) from pg_attribute
  where attrelid = $1::regclass and attgenerated <> ''
"""
