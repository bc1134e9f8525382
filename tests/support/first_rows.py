"""Rows that a schema takes before tests try what it refuses: two gifts, and an allocation of the first."""

from collections.abc import Mapping
from typing import Any

import asyncpg

from ledger.account import MAX_POSITION

DONORS, FUND, PROJECT, PAYEES, OTHER_FUND, MASKS = range(1, 7)
ACCOUNTS = [
    (DONORS, "donors:330800", "CNY", False),
    (FUND, "fund:330800:general", "CNY", True),
    (PROJECT, "project:330800:qz-09:general", "CNY", True),
    (PAYEES, "payees:330800", "CNY", True),
    (OTHER_FUND, "fund:330800:flood", "CNY", True),
    (MASKS, "stock:330800:w1:12-1", "item:mask", True),
]
ENTRIES = 10
Row = Mapping[str, Any]

NO_LINE = {"src_lo": None, "src_cover": None, "src_cover_seq": None}
NEW_LINE = {"dst_lo": 0, "dst_prev_seq": None}
GIFT = {"seq": 1, "n": 0, "unit": "CNY", "qty": 100, "src": DONORS, **NO_LINE, "dst": FUND, **NEW_LINE}
SECOND_GIFT = GIFT | {"seq": 2, "qty": 50, "dst_lo": 100, "dst_prev_seq": 1}
ALLOCATION = GIFT | {
    "seq": 3,
    "qty": 60,
    "src": FUND,
    "src_lo": 0,
    "src_cover": 150,
    "src_cover_seq": 2,
    "dst": PROJECT,
}
GOOD = ALLOCATION | {"seq": 4, "qty": 40, "src_lo": 60, "dst_lo": 60, "dst_prev_seq": 3}
LATER_GIFT = GIFT | {"seq": 6, "dst_lo": 150, "dst_prev_seq": 2}
LARGEST_GIFT = GIFT | {"seq": 4, "dst": OTHER_FUND, "qty": MAX_POSITION}

BEFORE = (
    "gift values (1, 2, 100, 'bank', 'person', '', '2026-11-22', 'reference', 5, 1)",
    "receipt values ('digest', 1, 1, 'box')",
)
"""What these collide with."""


async def begin(writer: asyncpg.Connection) -> None:
    """Two gifts to a fund, and an allocation of the first one's 60 fen."""
    for number, address, unit, has_line in ACCOUNTS:
        await writer.execute("insert into account values ($1, $2, $3, $4, '330800')", number, address, unit, has_line)
    await writer.execute(
        "insert into entry select seq, '{}', now(), 'money.received', '330800' from generate_series(0, $1) seq",
        ENTRIES - 1,
    )
    for posting in (GIFT, SECOND_GIFT, ALLOCATION):
        await post(writer, [posting])
    for row in BEFORE:
        await writer.execute(f"insert into {row}")


async def post(connection: asyncpg.Connection, postings: list[Row]) -> None:
    """All rows by one statement."""
    columns = list(postings[0])
    values = [posting[column] for posting in postings for column in columns]
    places = [
        "(" + ", ".join(f"${row * len(columns) + place}" for place in range(1, len(columns) + 1)) + ")"
        for row in range(len(postings))
    ]
    await connection.execute(f"insert into posting ({', '.join(columns)}) values {', '.join(places)}", *values)
