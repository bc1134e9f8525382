"""The tamper drill: each attack is made as superuser on a copy of a published log, and the test says who catches it.

bytes, meaning: `sunledger verify` of anybody. tables: of the operator's own database. saved checkpoint, receipt,
receipt code, witness, outside file: what is kept where no superuser reaches. Whoever is not named saw nothing wrong.
"""

from dataclasses import replace
from hashlib import sha256
from typing import Any

import asyncpg
import pytest

from ledger import entries
from ledger.log.checkpoint import Checkpoint
from ledger.log.policy import Witness
from ledger.log.proof import LogProof
from ledger.log.tree import Frontier, leaf_hash
from ledger.store.files import SetupError
from ledger.verify.report import Report
from ledger.verify.rule import Rule
from ledger.verify.verifier import verify
from tests.support.acting import acting_as
from tests.support.keys import ed25519_cosigner, log_signer
from tests.tamper.conftest import Days
from tests.tamper.site import ORIGIN, Caught, Site, entries_of, policy_of, publish, rewrite
from tests.verify.export import Value, export, forged, read

VICTIM = 200
"""A gift of yesterday; everything from here on is rewritten."""


def assert_caught(found: Caught, **expected: set[Any]) -> None:
    """These, and nobody else; each at least as this. Spaces in a name are written as underscores."""
    assert {who: {*rules} for who, rules in found.items()}.keys() == {who.replace("_", " ") for who in expected}, found
    for who, rules in expected.items():
        assert rules <= found[who.replace("_", " ")], found


def another_donor(value: Value) -> None:
    value["body"]["donor"] = "0" * 64


async def replace_bytes(connection: asyncpg.Connection, seq: int, written: bytes) -> None:
    await connection.execute("update entry set bytes = $2 where seq = $1", seq, written)


async def test_a_log_that_nobody_touched_is_good(site: Site) -> None:
    assert await site.caught() == {}


# --- entries, by somebody who does not care about hashes ---


async def test_deleting_the_last_entries(site: Site) -> None:
    async def attack(connection: asyncpg.Connection) -> None:
        await connection.execute("delete from entry where seq > (select seq - 10 from head)")

    await site.attack(attack)
    assert_caught(
        await site.caught(),
        bytes={Rule.BUNDLE_MISSING},
        tables={Rule.TABLE_HEAD, Rule.TABLE_ROW, Rule.TABLE_TILE, Rule.TABLE_CHECKPOINT, Rule.TABLE_KEPT},
        outside_file={Rule.OUTSIDE_CHECKPOINT},
    )


async def test_deleting_in_the_middle(site: Site) -> None:
    async def attack(connection: asyncpg.Connection) -> None:
        await connection.execute("delete from entry where seq = 900")

    await site.attack(attack)
    assert_caught(
        await site.caught(),
        bytes={Rule.BUNDLE_MISSING},
        tables={Rule.TABLE_ENTRY, Rule.TABLE_TILE, Rule.TABLE_CHECKPOINT},
        receipt={Rule.RECEIPT},
        outside_file={Rule.OUTSIDE_CHECKPOINT},
    )


@pytest.mark.parametrize("is_head_moved", [False, True])
async def test_an_entry_beyond_a_gap(site: Site, *, is_head_moved: bool) -> None:
    """What the writer's own role may insert: nothing in the table refuses the number (decision 13)."""
    async with acting_as("writer", site.settings) as writer:
        await writer.execute(
            "insert into entry select seq + 2, bytes, at, kind, org from entry order by seq desc limit 1"
        )
        if is_head_moved:
            await writer.execute("update head set seq = seq + 2")
    tables = {Rule.TABLE_ENTRY, Rule.TABLE_REPLAY, *(() if is_head_moved else (Rule.TABLE_HEAD,))}
    assert_caught(await site.caught(), bytes={Rule.PREV_CHAIN}, tables=tables)


async def test_inserting_an_entry(site: Site) -> None:
    async def attack(connection: asyncpg.Connection) -> None:
        await connection.execute("update entry set seq = seq + 1000001 where seq >= 300")
        await connection.execute("update entry set seq = seq - 1000000 where seq >= 1000000")
        await connection.execute("insert into entry select 300, bytes, at, kind, org from entry where seq = 310")

    await site.attack(attack)
    assert_caught(
        await site.caught(),
        bytes={Rule.SEQ_DENSE, Rule.PREV_CHAIN, Rule.TILE_HASH, Rule.CHECKPOINT_ROOT},
        meaning={Rule.LINE_TILED},
        tables={Rule.TABLE_ENTRY, Rule.TABLE_TILE, Rule.TABLE_CHECKPOINT, Rule.TABLE_HEAD},
        receipt={Rule.RECEIPT},
        receipt_code={Rule.RECEIPT_CODE},
        outside_file={Rule.OUTSIDE_CHECKPOINT},
    )


async def test_reordering_two_entries(site: Site) -> None:
    async def attack(connection: asyncpg.Connection) -> None:
        one, other = [
            row["bytes"] for row in await connection.fetch("select bytes from entry where seq in (1100, 1101)")
        ]
        await replace_bytes(connection, 1100, other)
        await replace_bytes(connection, 1101, one)

    await site.attack(attack)
    assert_caught(
        await site.caught(),
        bytes={Rule.SEQ_DENSE, Rule.PREV_CHAIN, Rule.TILE_HASH, Rule.CHECKPOINT_ROOT},
        meaning={Rule.LINE_TILED},
        tables={Rule.TABLE_ENTRY, Rule.TABLE_REPLAY, Rule.TABLE_TILE},
        outside_file={Rule.OUTSIDE_CHECKPOINT},
    )


async def test_swapping_two_amounts(site: Site) -> None:
    """In the entries alone: 1100 and 1101 are gifts of different amounts, and change them without new hashes."""

    async def attack(connection: asyncpg.Connection) -> None:
        rows = [row["bytes"] for row in await connection.fetch("select bytes from entry where seq in (1100, 1101)")]
        (one, other) = [value["postings"][0][4] for value in read(rows)]
        assert one != other
        await replace_bytes(connection, 1100, rows[0].replace(b',%d,"CNY"' % one, b',%d,"CNY"' % other))
        await replace_bytes(connection, 1101, rows[1].replace(b',%d,"CNY"' % other, b',%d,"CNY"' % one))

    await site.attack(attack)
    assert_caught(
        await site.caught(),
        bytes={Rule.PREV_CHAIN, Rule.TILE_HASH, Rule.CHECKPOINT_ROOT},
        meaning={Rule.LINE_TILED},
        tables={Rule.TABLE_REPLAY, Rule.TABLE_TILE},
        outside_file={Rule.OUTSIDE_CHECKPOINT},
    )


async def test_deleting_what_a_fiscal_receipt_is_found_and_read_by(site: Site) -> None:
    async def attack(connection: asyncpg.Connection) -> None:
        await connection.execute("delete from fiscal_receipt where issued = (select min(issued) from fiscal_receipt)")
        await connection.execute("delete from fiscal_vault where issued = (select max(issued) from fiscal_vault)")

    await site.attack(attack)
    assert_caught(await site.caught(), tables={Rule.TABLE_KEPT})


async def test_emptying_values_that_may_not_be_empty(site: Site) -> None:
    async def attack(connection: asyncpg.Connection) -> None:
        for table, column in (("entry", "bytes"), ("checkpoint", "root"), ("checkpoint", "note"), ("tile", "hashes")):
            await connection.execute(f"alter table {table} alter {column} drop not null")
        await connection.execute("update entry set bytes = null where seq between 256 and 511")
        await connection.execute("update tile set hashes = null where level = 0 and index = 1")
        await connection.execute(
            "update checkpoint set root = null, note = null where size = (select min(size) from checkpoint)"
        )
        await connection.execute("delete from head")

    await site.attack(attack)
    found = await site.caught()
    assert found["bytes"] >= {Rule.BUNDLE_FORM, Rule.TILE_HASH}
    assert found["tables"] >= {Rule.TABLE_ENTRY, Rule.TABLE_TILE, Rule.TABLE_CHECKPOINT, Rule.TABLE_HEAD}
    assert "trouble" not in found


async def test_an_entry_that_no_table_could_hold(site: Site) -> None:
    """A second event of the same name, at the end and rightly chained: the tables have no place for it."""
    written = await entries_of(site.settings)
    (event,) = [value for value in read(written) if value["kind"] == "event.declared"]
    before = {name: field for name, field in read(written)[-1].items() if name != "postings"}
    twice = {**before, **{name: event[name] for name in ("kind", "body", "by")}, "seq": len(written)}
    last = entries.canonical({**twice, "prev": sha256(written[-1]).hexdigest()})

    async def attack(connection: asyncpg.Connection) -> None:
        await connection.execute(
            "insert into entry select seq + 1, $1, at, 'event.declared', '' from entry order by seq desc limit 1", last
        )
        await connection.execute("update head set seq = seq + 1, prev = sha256($1)", last)

    await site.attack(attack)
    assert_caught(await site.caught(), tables={Rule.TABLE_REPLAY})


async def test_an_entry_with_a_number_that_no_column_could_hold(site: Site) -> None:
    """Good bytes of a gift: row 2^40 of its sheet, among so many gifts that all of them go in by COPY."""
    gift = read(await entries_of(site.settings))[VICTIM]
    forged_gift = entries.canonical({**gift, "body": {**gift["body"], "batch": 1, "row": 2**40}})

    async def attack(connection: asyncpg.Connection) -> None:
        await replace_bytes(connection, VICTIM, forged_gift)

    await site.attack(attack)
    found = await site.caught()
    assert found["tables"] >= {Rule.TABLE_REPLAY}
    assert "trouble" not in found


# --- tables, with every entry left alone: nobody but the operator's own check can see them ---


async def test_a_posting_added_to_an_old_entry(site: Site) -> None:
    """With the line moved on, so that the database's own constraints are content."""

    async def attack(connection: asyncpg.Connection) -> None:
        await connection.execute(
            """insert into posting (seq, n, unit, qty, src, src_lo, dst, dst_lo, dst_prev_seq)
               select p.seq, p.n + 1, p.unit, 5, p.src, null, p.dst, l.credited, p.seq
               from posting p join line l on l.account = p.dst where p.seq = 1100"""
        )
        account = await connection.fetchval("select dst from posting where seq = 1100 and n = 0")
        await connection.execute("update line set credited = credited + 5 where account = $1", account)

    await site.attack(attack)
    assert_caught(await site.caught(), tables={Rule.TABLE_ROW})
    places = [each.place for each in (await site.report()).findings]
    assert "posting seq=1100 n=1" in places
    assert any(place.startswith("line account=") and place.endswith("· credited") for place in places)


async def test_a_proposal_that_is_said_to_be_open_though_it_was_resolved(site: Site) -> None:
    async def attack(connection: asyncpg.Connection) -> None:
        await connection.execute("update proposal set status = 'open' where seq = (select min(seq) from proposal)")

    await site.attack(attack)
    (finding,) = (await site.report()).findings
    assert (finding.rule, finding.expected, finding.found) == (Rule.TABLE_ROW, "effected", "open")
    assert finding.place == f"proposal seq={finding.seq} · status"


@pytest.mark.parametrize(
    ("change", "what", "found"),
    [
        (
            "alter table posting drop constraint posting_nothing_spent_twice",
            "posting: constraint posting_nothing_spent_twice",
            "no such thing",
        ),
        (
            "alter table line drop constraint line_never_negative",
            "line: constraint line_never_negative",
            "no such thing",
        ),
        ("alter table entry disable trigger user", "entry: trigger entry_is_insert_only", "(disabled)"),
        ("alter table tile disable trigger all", "tile: trigger tile_only_grows", "(disabled)"),
        ("grant update on entry to sunledger_writer", "entry: UPDATE by the writer", "granted"),
        ("grant select on vault to sunledger_reader", "vault: SELECT by the reader", "granted"),
        ("grant delete on checkpoint to public", "checkpoint: DELETE by everyone", "granted"),
        ("alter function refuse_change() security definer", "function refuse_change(): rights", "its owner's"),
    ],
)
async def test_a_guarantee_taken_away(site: Site, change: str, what: str, found: str) -> None:
    """Dropped constraint, disabled trigger, added grant: before anything was done with it."""

    async def attack(connection: asyncpg.Connection) -> None:
        await connection.execute(change)

    await site.attack(attack)
    assert_caught(await site.caught(), tables={Rule.TABLE_GUARANTEES})
    said = {each.place: each.found for each in (await site.report()).findings}
    assert said[what].endswith(found), said


# --- everything rewritten, hashes, tiles and projections included ---


async def test_a_rewritten_log_without_the_key(site: Site) -> None:
    written = forged(await entries_of(site.settings), VICTIM, another_donor)
    await rewrite(site, written, None)
    assert_caught(
        await site.caught(),
        bytes={Rule.CHECKPOINT_ROOT},
        tables={Rule.TABLE_CHECKPOINT},
        saved_checkpoint={Rule.CHECKPOINT_CONSISTENT},
        receipt={Rule.RECEIPT},
        receipt_code={Rule.RECEIPT_CODE},
        outside_file={Rule.OUTSIDE_CHECKPOINT},
    )


async def test_a_log_rewritten_and_signed_with_a_key_of_the_attackers(site: Site) -> None:
    written = forged(await entries_of(site.settings), VICTIM, another_donor)
    await rewrite(site, written, log_signer(ORIGIN))
    assert_caught(
        await site.caught(),
        bytes={Rule.CHECKPOINT_SIGNATURE},
        tables={Rule.TABLE_CHECKPOINT},
        saved_checkpoint={Rule.CHECKPOINT_CONSISTENT},
        receipt={Rule.RECEIPT},
        receipt_code={Rule.RECEIPT_CODE},
        outside_file={Rule.OUTSIDE_CHECKPOINT},
        witness={"403"},
    )


async def test_a_log_rewritten_by_the_operator_with_her_own_key(site: Site) -> None:
    """Flawless by itself, in every byte, rule and table. Only what others kept shows it, and the file outside."""
    written = forged(await entries_of(site.settings), VICTIM, another_donor)
    await rewrite(site, written, site.signer)
    assert_caught(
        await site.caught(),
        saved_checkpoint={Rule.CHECKPOINT_CONSISTENT},
        receipt={Rule.RECEIPT},
        receipt_code={Rule.RECEIPT_CODE},
        witness={"422"},
        outside_file={Rule.OUTSIDE_CHECKPOINT},
    )


async def test_a_log_rewritten_by_the_operator_who_also_replaces_the_outside_file(site: Site) -> None:
    """One saved checkpoint, one receipt or one witness is enough, and nothing less."""
    written = forged(await entries_of(site.settings), VICTIM, another_donor)
    await rewrite(site, written, site.signer)
    site.settings.outside_checkpoint.write_bytes(signed(site, written))
    assert_caught(
        await site.caught(),
        saved_checkpoint={Rule.CHECKPOINT_CONSISTENT},
        receipt={Rule.RECEIPT},
        receipt_code={Rule.RECEIPT_CODE},
        witness={"422"},
    )


# --- checkpoints ---


async def test_a_checkpoint_signed_by_somebody_else(site: Site) -> None:
    stranger = log_signer(ORIGIN)

    async def attack(connection: asyncpg.Connection) -> None:
        size, root = await connection.fetchrow("select size, root from checkpoint order by size desc limit 1")
        said = Checkpoint(origin=ORIGIN, size=size, root=root)
        note = said.signed([stranger.sign(said.text)])
        await connection.execute("update checkpoint set note = $2 where size = $1", size, note)

    await site.attack(attack)
    assert_caught(
        await site.caught(), bytes={Rule.CHECKPOINT_SIGNATURE}, tables={Rule.TABLE_CHECKPOINT}, witness={"403"},
    )  # fmt: skip


async def test_an_old_checkpoint_shown_again(site: Site) -> None:
    """Everything since is hidden, and nothing that is shown is false: visitors of today know better."""

    async def attack(connection: asyncpg.Connection) -> None:
        await connection.execute("delete from checkpoint where size = (select max(size) from checkpoint)")

    await site.attack(attack)
    # The lineage report of the newer one is left over.
    assert_caught(await site.caught(), tables={Rule.TABLE_ROW}, receipt_code={Rule.RECEIPT_CODE}, witness={"409"})


async def test_two_audiences_shown_two_histories(site: Site) -> None:
    """Each is flawless to whoever sees only it; the first two people who compare, or one witness, end it."""
    written = await entries_of(site.settings)
    other = forged(written, VICTIM, another_donor)
    one_side, other_side = (export(each, origin=ORIGIN, signer=site.signer) for each in (written, other))
    for side, its_past, their_past in ((one_side, written, other), (other_side, other, written)):
        assert verify(side, policy=site.policy, saved=signed(site, its_past[:500])).exit_code == 0
        report = verify(side, policy=site.policy, saved=signed(site, their_past[:500]))
        assert {*report.counts} == {Rule.CHECKPOINT_CONSISTENT}
    await rewrite(site, other, site.signer)
    assert await site.witness_status() == 422


# --- yesterday's database, restored ---


async def test_yesterdays_database_beside_the_outside_file(restored: Site) -> None:
    """The start is refused, too: signing would begin a second history."""
    assert_caught(
        await restored.caught(),
        receipt_code={Rule.RECEIPT_CODE},
        outside_file={Rule.OUTSIDE_CHECKPOINT},
        witness={"409"},
    )
    with pytest.raises(SetupError, match="an older copy was restored"):
        await publish(restored.settings)


async def test_yesterdays_database_without_the_outside_file(restored: Site) -> None:
    restored.settings.outside_checkpoint.unlink()
    assert_caught(
        await restored.caught(),
        receipt_code={Rule.RECEIPT_CODE},
        outside_file={Rule.OUTSIDE_CHECKPOINT},
        witness={"409"},
    )
    with pytest.raises(SetupError, match="checkpoint adopt"):
        await publish(restored.settings)


async def test_yesterdays_database_and_yesterdays_outside_file(restored: Site, days: Days) -> None:
    """A whole machine put back: here only somebody who saw today can tell."""
    outside = restored.settings.outside_checkpoint
    outside.write_bytes((days.yesterday / outside.relative_to(restored.settings.data_dir)).read_bytes())
    assert_caught(await restored.caught(), receipt_code={Rule.RECEIPT_CODE}, witness={"409"})


# --- evidence of something else ---


async def test_a_proof_for_another_leaf(site: Site) -> None:
    proof = LogProof.parse(site.receipt)
    for index in (proof.index - 1, VICTIM):
        forged_proof = LogProof(index=index, hashes=proof.hashes, checkpoint=proof.checkpoint)
        report = await looked_at(site, receipts=[forged_proof.encode()])
        assert {*report.counts} == {Rule.RECEIPT}


async def test_a_receipt_code_of_nobody(site: Site) -> None:
    report = await looked_at(site, codes=["0123456789ABCDE4"])
    assert {*report.counts} == {Rule.RECEIPT_CODE}


async def test_the_wrong_witness(site: Site) -> None:
    """A cosignature by somebody the auditor never named does not count."""
    named, other = ed25519_cosigner("auditor.example/w1"), ed25519_cosigner("friend.example/w2")
    policy = replace(
        site.policy, witnesses=(Witness(name="w1", key=named.key, url="https://witness.example/"),), quorum="w1"
    )
    written = await entries_of(site.settings)
    for cosigner, expected in ((named, set()), (other, {Rule.CHECKPOINT_QUORUM})):
        log = export(written, origin=ORIGIN, signer=site.signer, cosigners=[cosigner], time_s=1_763_712_000)
        assert {*verify(log, policy=policy, meaning=False).counts} == expected


async def test_the_key_of_another_log(site: Site) -> None:
    stranger = log_signer("ledger.example.net/log")
    report = await looked_at(replace(site, policy=policy_of(stranger)))
    assert {*report.counts} == {Rule.CHECKPOINT_SIGNATURE}


async def looked_at(site: Site, **more: Any) -> Report:
    """What anybody's check of the entries says."""
    written = await entries_of(site.settings)
    log = export(written, origin=ORIGIN, signer=site.signer)
    return verify(log, policy=site.policy, **more)


def signed(site: Site, written: list[bytes]) -> bytes:
    """A checkpoint by the log's own key."""
    frontier = Frontier()
    frontier.extend(map(leaf_hash, written))
    said = Checkpoint(origin=ORIGIN, size=len(written), root=frontier.root())
    return said.signed([site.signer.sign(said.text)])
