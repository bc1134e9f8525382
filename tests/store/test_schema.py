"""The schema by itself: what the database refuses whoever asks, each time by the constraint that is the rule."""

from collections import defaultdict
from random import Random  # noqa: TID251  seeded
from typing import Any

import asyncpg
import pytest

from ledger.account import MAX_POSITION
from ledger.settings import Settings
from tests.support.acting import acting_as
from tests.support.first_rows import (
    ACCOUNTS,
    ALLOCATION,
    DONORS,
    ENTRIES,
    FUND,
    GIFT,
    GOOD,
    LARGEST_GIFT,
    LATER_GIFT,
    MASKS,
    NEW_LINE,
    NO_LINE,
    OTHER_FUND,
    PAYEES,
    PROJECT,
    SECOND_GIFT,
    Row,
    post,
)

ACCEPTED: dict[str, list[Row]] = {
    "the next positions of a fund": [GOOD],
    "a hole left for later": [GOOD | {"src_lo": 100}],
    "two postings of one entry into one line": [GOOD, GOOD | {"n": 1, "src_lo": 100, "dst_lo": 100, "dst_prev_seq": 4}],
    "what a later entry credited, by one later still": [
        LATER_GIFT,
        GOOD | {"seq": 7, "src_lo": 150, "src_cover": 250, "src_cover_seq": 6},
    ],
    "a line to its very end": [LARGEST_GIFT],
}
REFUSED: dict[str, tuple[str, list[Row]]] = {
    "a double spend": ("posting_nothing_spent_twice", [GOOD | {"src_lo": 59}]),
    "a double spend of the very same positions": ("posting_nothing_spent_twice", [GOOD | {"src_lo": 0, "qty": 60}]),
    "a double spend in one statement": (
        "posting_nothing_spent_twice",
        [GOOD, GOOD | {"n": 1, "dst_lo": 100, "dst_prev_seq": 4}],
    ),
    "a gap in a line": ("posting_no_gap", [GOOD | {"dst_lo": 61}]),
    "a line that starts with a gap": ("posting_first_starts_the_line", [GOOD | {"dst_lo": 61, "dst_prev_seq": None}]),
    "a gap after a line's start that another line has": (
        "posting_no_gap",
        [GOOD | {"dst": PAYEES, "dst_lo": 60}],
    ),
    "a start that follows something": ("posting_first_starts_the_line", [GOOD | {"dst": PAYEES, "dst_lo": 0}]),
    "an overlap": ("posting_no_gap", [GOOD | {"dst_lo": 59}]),
    "an overlap from the start": ("posting_no_overlap", [GOOD | NEW_LINE]),
    "an overlap in one statement": ("posting_no_overlap", [GOOD, GOOD | {"n": 1, "src_lo": 100}]),
    "a credit that follows another entry's than it says": ("posting_no_gap", [GOOD | {"dst_prev_seq": 2}]),
    "a credit before the one it follows": (
        "posting_follows_the_past",
        [LATER_GIFT, LATER_GIFT | {"seq": 5, "dst_lo": 250, "dst_prev_seq": 6}],
    ),
    "more than was credited": ("posting_within_its_cover", [GOOD | {"src_lo": 140}]),
    "what nobody credited": ("posting_spends_what_was_credited", [GOOD | {"src_lo": 150, "src_cover": 190}]),
    "a cover another entry credited": ("posting_spends_what_was_credited", [GOOD | {"src_cover_seq": 1}]),
    "a line without a cover": ("posting_line_is_covered", [GOOD | {"src_cover": None}]),
    "a cover without its entry": ("posting_cover_has_its_entry", [GOOD | {"src_cover_seq": None}]),
    "spending before its credit": (
        "posting_spends_the_past",
        [LATER_GIFT, GOOD | {"seq": 5, "src_lo": 150, "src_cover": 250, "src_cover_seq": 6}],
    ),
    "spending what its own entry credits": (
        "posting_spends_the_past",
        [LATER_GIFT, GOOD | {"seq": 6, "n": 1, "src_lo": 150, "src_cover": 250, "src_cover_seq": 6}],
    ),
    "a circle in one statement": (
        "posting_spends_the_past",
        [
            GOOD | NEW_LINE | {"src": OTHER_FUND, "src_lo": 0, "src_cover": 40, "src_cover_seq": 4, "dst": PAYEES},
            GOOD | NEW_LINE | {"n": 1, "src": PAYEES, "src_lo": 0, "src_cover": 40, "src_cover_seq": 4,
                               "dst": OTHER_FUND},
        ],
    ),
    "a circle of two entries": (
        "posting_spends_what_was_credited",
        [
            GOOD | NEW_LINE | {"seq": 5, "src": OTHER_FUND, "src_lo": 0, "src_cover": 40, "src_cover_seq": 4,
                               "dst": PAYEES},
            GOOD | NEW_LINE | {"seq": 4, "src": PAYEES, "src_lo": 0, "src_cover": 40, "src_cover_seq": 3,
                               "dst": OTHER_FUND},
        ],
    ),
    "a posting to itself": ("posting_not_to_itself", [GOOD | {"dst": FUND, "dst_lo": 150, "dst_prev_seq": 2}]),
    "the unit of neither account": ("posting_src_account", [GOOD | {"unit": "item:mask"}]),
    "an account of another unit": ("posting_dst_account", [GOOD | NEW_LINE | {"dst": MASKS}]),
    "a source with a line": ("posting_spends_what_was_credited", [GOOD | {"src": DONORS}]),
    "a line without positions": ("posting_src_account", [GOOD | NO_LINE]),
    "a credit to a source": ("posting_dst_account", [GOOD | NEW_LINE | {"dst": DONORS}]),
    "an account nobody knows": ("posting_src_account", [GOOD | NO_LINE | {"src": 77}]),
    "a negative position consumed": ("posting_src_from_zero", [GOOD | {"src_lo": -40}]),
    "a negative position credited": ("posting_dst_from_zero", [GOOD | {"dst_lo": -40}]),
    "a posting without its entry": ("posting_has_its_entry", [GOOD | {"seq": ENTRIES}]),
    "a posting with the number of another": ("posting_pkey", [GOOD | {"seq": 3}]),
    "a posting numbered below 0": ("posting_n_from_zero", [GOOD | {"n": -1}]),
    "a quantity of 0": ("posting_moves_something", [GOOD | {"qty": 0}]),
    "a negative quantity": ("posting_moves_something", [GOOD | {"qty": -40}]),
    "a quantity beyond 2^53-1": ("posting_line_ends", [LARGEST_GIFT | {"qty": MAX_POSITION + 1}]),
    "a line beyond 2^53-1": (
        "posting_line_ends",
        [LARGEST_GIFT, LARGEST_GIFT | {"seq": 5, "qty": 1, "dst_lo": MAX_POSITION, "dst_prev_seq": 4}],
    ),
}  # fmt: skip

INSERTS_REFUSED: dict[str, tuple[str, str]] = {
    "a fund that gives without having": (
        "account_without_a_line_is_a_source",
        "account values (9, 'fund:330800:flood-2', 'CNY', false, '330800')",
    ),
    "a source that keeps": (
        "account_without_a_line_is_a_source",
        "account values (9, 'income:330800:dues', 'CNY', true, '330800')",
    ),
    "another organisation's account than its address says": (
        "account_org_is_in_its_address",
        "account values (9, 'fund:330800:flood-2', 'CNY', true, '330802')",
    ),
    "an account of a unit there is not": (
        "account_counts_money_or_an_item",
        "account values (9, 'fund:330800:general', 'cny', true, '330800')",
    ),
    "an account for the second time": (
        "account_address_unit_key",
        "account values (9, 'fund:330800:general', 'CNY', true, '330800')",
    ),
    "an entry numbered below 0": ("entry_seq_from_zero", "entry values (-1, '{}', now(), 'x', '')"),
    "an entry with a number that is taken": ("entry_pkey", "entry values (3, '{}', now(), 'x', '')"),
    "an empty entry": ("entry_fits_a_bundle", "entry values (99, '', now(), 'x', '')"),
    "an entry that fits no bundle": (
        "entry_fits_a_bundle",
        "entry values (99, convert_to(repeat('x', 65536), 'UTF8'), now(), 'x', '')",
    ),
    "more consumed than credited": ("line_never_negative", "line values (2, 150, 151, 0, 0, 2)"),
    "more consumed and held than credited": ("line_never_negative", "line values (2, 150, 100, 0, 51, 2)"),
    "less than nothing consumed": ("line_front_is_consumed", "line values (2, 150, -1, -1, 0, 2)"),
    "less than nothing held": ("line_never_negative", "line values (2, 150, 0, 0, -1, 2)"),
    "a front beyond what is consumed": ("line_front_is_consumed", "line values (2, 150, 60, 61, 0, 2)"),
    "a front below 0": ("line_front_is_consumed", "line values (2, 150, 60, -1, 0, 2)"),
    "the line of no account": ("line_account_fkey", "line values (77, 0, 0, 0, 0, 0)"),
    "a reference for the second time": (
        "gift_ref_is_unique",
        "gift values (2, 2, 50, 'bank', 'person', '', '2026-11-22', 'reference', null, null)",
    ),
    "a row of no batch": (
        "gift_row_of_a_batch",
        "gift values (2, 2, 50, 'bank', 'person', '', '2026-11-22', null, null, 2)",
    ),
    "a row of a batch for the second time": (
        "gift_row_is_unique",
        "gift values (2, 2, 50, 'bank', 'person', '', '2026-11-22', null, 5, 1)",
    ),
    "a citation of what is to come": ("citation_of_the_past", "citation values (4, 4, 'x', 1)"),
    "a status there is not": ("proposal_status", "proposal values (4, 'x', '330800', 's-1', 0, 0, 'lost', null)"),
    "more rows than were approved": (
        "import_batch_within_approval",
        "import_batch values (5, '330800', 'general', 'bank', 'n', 'p', 's-1', 1, 100, 2, 100, null)",
    ),
    "more fen than were approved": (
        "import_batch_within_approval",
        "import_batch values (5, '330800', 'general', 'bank', 'n', 'p', 's-1', 1, 100, 1, 101, null)",
    ),
    "a second receipt of one gift": ("receipt_seq_key", "receipt values ('another', 1, 1, 'box')"),
    "a slot below 0": ("vault_slot_from_zero", "vault values (1, -1, 'sealed')"),
}
"""What the writer may insert as long as it is right."""


async def post_one_by_one(connection: asyncpg.Connection, postings: list[Row]) -> None:
    """Each row by a statement of one transaction."""
    async with connection.transaction():
        for posting in postings:
            await post(connection, [posting])


async def count(connection: asyncpg.Connection, table: str) -> int:
    return int(await connection.fetchval(f"select count(*) from {table}"))


@pytest.mark.parametrize("what", ACCEPTED)
async def test_the_database_takes_good_postings(writer: asyncpg.Connection, what: str) -> None:
    for posting in ACCEPTED[what]:
        await post(writer, [posting])
    assert await count(writer, "posting") == 3 + len(ACCEPTED[what])


@pytest.mark.parametrize("what", REFUSED)
async def test_the_database_refuses_wrong_money(refused_writer: asyncpg.Connection, what: str) -> None:
    constraint, postings = REFUSED[what]
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
        await post(refused_writer, postings)
    assert refused.value.constraint_name == constraint
    assert await count(refused_writer, "posting") == 3


@pytest.mark.parametrize("what", REFUSED)
async def test_a_second_statement_of_a_transaction_is_refused_as_one(
    refused_writer: asyncpg.Connection, what: str
) -> None:
    """No rule waits for the end of the transaction, and none sees only its own statement's rows."""
    _, postings = REFUSED[what]
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await post_one_by_one(refused_writer, postings)
    assert await count(refused_writer, "posting") == 3


async def test_copy_is_refused_as_insert_is(refused_writer: asyncpg.Connection) -> None:
    row = GOOD | {"src_lo": 59}
    with pytest.raises(asyncpg.ExclusionViolationError) as refused:
        await refused_writer.copy_records_to_table("posting", records=[tuple(row.values())], columns=list(row))
    assert refused.value.constraint_name == "posting_nothing_spent_twice"


async def test_what_is_computed_cannot_be_given(refused_writer: asyncpg.Connection) -> None:
    for column in ("src_hi", "dst_hi", "dst_prev", "src_has_line", "dst_has_line"):
        with pytest.raises(asyncpg.GeneratedAlwaysError):
            await post(refused_writer, [GOOD | {column: 1}])


async def test_positions_beyond_every_number_are_refused(refused_writer: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.NumericValueOutOfRangeError):
        await post(refused_writer, [LARGEST_GIFT | {"qty": 2**63 - 1, "dst_lo": 1, "dst_prev_seq": 1}])


async def test_whatever_random_postings_say_money_is_neither_made_nor_spent_twice(writer: asyncpg.Connection) -> None:
    random = Random(20261122)
    postings: list[Row] = [GIFT, SECOND_GIFT, ALLOCATION]
    await writer.execute(
        "insert into entry select seq, '{}', now(), 'x', '' from generate_series($1, 299) seq", ENTRIES
    )
    for _ in range(ATTEMPTS):
        posting = with_lies(random, plausible(random, postings))
        try:
            await post(writer, [posting])
        except (asyncpg.IntegrityConstraintViolationError, asyncpg.NotNullViolationError):
            continue
        postings.append(posting)
    assert ATTEMPTS // 8 < len(postings) < ATTEMPTS // 2, "some are right, and more are wrong"
    rows = await writer.fetch("select seq, unit, qty, src, src_lo, dst, dst_lo from posting order by seq, n")
    assert len(rows) == len(postings)
    check_money([dict(row) for row in rows])


ATTEMPTS = 2_000


def plausible(random: Random, postings: list[Row]) -> dict[str, Any]:
    """A posting that goes on where the lines end."""
    ends = {posting["dst"]: (posting["dst_lo"] + posting["qty"], posting["seq"]) for posting in postings}
    src = random.choice([DONORS, DONORS, *ends])
    dst = random.choice([FUND, PROJECT, PAYEES, OTHER_FUND])
    cover, cover_seq = ends.get(src, (None, None))
    dst_lo, dst_prev_seq = ends.get(dst, (0, None))
    qty = random.randint(1, 4)
    return {
        "seq": max(0 if cover_seq is None else cover_seq + 1, dst_prev_seq or 0),
        "n": random.randrange(500),
        "unit": "CNY",
        "qty": qty,
        "src": src,
        "src_lo": None if cover is None else random.randrange(cover),
        "src_cover": cover,
        "src_cover_seq": cover_seq,
        "dst": dst,
        "dst_lo": dst_lo,
        "dst_prev_seq": dst_prev_seq,
    }


def with_lies(random: Random, posting: dict[str, Any]) -> Row:
    """The same with a wrong value here and there."""
    return {
        column: value
        if random.random() < 0.95
        else random.choice(
            ("CNY", "item:mask") if column == "unit" else (None, 0, (value or 0) + random.randint(-3, 3))
        )
        for column, value in posting.items()
    }


def check_money(postings: list[dict[str, Any]]) -> None:
    """Lines have no gap and no overlap; nothing is consumed twice, nor before an earlier entry has credited it."""
    sources = {number for number, _, _, has_line in ACCOUNTS if not has_line}
    credited: dict[int, set[int]] = defaultdict(set)
    consumed: dict[int, set[int]] = defaultdict(set)
    for seq in sorted({posting["seq"] for posting in postings}):
        own = [posting for posting in postings if posting["seq"] == seq]
        for posting in own:
            if posting["src"] in sources:
                assert posting["src_lo"] is None
            else:
                taken = set(range(posting["src_lo"], posting["src_lo"] + posting["qty"]))
                assert taken <= credited[posting["src"]], f"spent before it was there: {posting}"
                assert not taken & consumed[posting["src"]], f"spent twice: {posting}"
                consumed[posting["src"]] |= taken
        for posting in own:
            new = set(range(posting["dst_lo"], posting["dst_lo"] + posting["qty"]))
            assert not new & credited[posting["dst"]], f"credited twice: {posting}"
            credited[posting["dst"]] |= new
        for positions in credited.values():
            assert positions == set(range(len(positions))), "a line has a gap"
    assert not sources & {number for number, positions in credited.items() if positions}
    made = sum(posting["qty"] for posting in postings if posting["src"] in sources)
    assert sum(map(len, credited.values())) - sum(map(len, consumed.values())) == made


@pytest.mark.parametrize("what", INSERTS_REFUSED)
async def test_the_database_refuses(refused_writer: asyncpg.Connection, what: str) -> None:
    constraint, row = INSERTS_REFUSED[what]
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
        await refused_writer.execute(f"insert into {row}")
    assert refused.value.constraint_name == constraint


async def test_there_is_one_head_and_the_writer_cannot_add_or_remove_one(
    unchanged: Settings, refused_writer: asyncpg.Connection
) -> None:
    for statement in ("insert into head values (true, 0, 0, 'x', '')", "delete from head"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await refused_writer.execute(statement)
    with pytest.raises(asyncpg.CheckViolationError, match="head_prev_is_sha256"):
        await refused_writer.execute("update head set prev = 'short'")
    async with acting_as("owner", unchanged) as owner:
        with pytest.raises(asyncpg.CheckViolationError, match="head_is_one"):
            await owner.execute("insert into head select false, epoch, seq, prev, at from head")
