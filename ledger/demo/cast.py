"""Who and what the story is about. Names from the planning documents; no person's."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ledger.entries import Level

FOUNDER, SECOND = "s-aaaaaaaaaaaaa", "s-bbbbbbbbbbbbb"
MAKER, CHECKER = "s-finance2demoa", "s-approve2demoa"
CITY, COUNTY = "330800", "330824"
FLOOD = "flood-2026-06"

ORGANISATIONS: tuple[tuple[str, str, "Level", str], ...] = (
    ("100000", "中国红十字会总会", "national", ""),
    ("330000", "浙江省红十字会", "province", "100000"),
    (CITY, "衢州市红十字会", "city", "330000"),
    (COUNTY, "开化县红十字会", "county", CITY),
    ("330802", "柯城区红十字会", "county", CITY),
)
