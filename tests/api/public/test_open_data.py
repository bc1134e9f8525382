"""Open data over generated ledgers: every format holds the same rows, which sum to what the entries say."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings

from ledger import entries
from ledger.entries import Entry
from ledger.store.queries.registers import KEYS
from tests.support.fixed import FIXED
from tests.support.happenings import Happening, happenings, ledger
from tests.support.model import Pen
from tests.support.packages import broken_keys
from tests.support.postgres import Cluster
from tests.support.published import PHASES, published

LEDGERS = 2
AMOUNT = {
    "gifts": "amount_fen",
    "allocations": "amount_fen",
    "transfers": "amount_fen",
    "payments": "amount_fen",
    "corrections": "left_fen",
}
SUFFIXES = ("csv", "ndjson", "parquet", "xlsx")


@hypothesis_settings(FIXED, max_examples=LEDGERS, phases=PHASES, suppress_health_check=[*HealthCheck])
@given(of=happenings())
async def test_every_format_sums_to_what_the_entries_say_and_keys_hold(
    of: list[Happening], cluster: Cluster, template: str, roles_dir: Path, tmp_path: Path
) -> None:
    pen = ledger(of)
    async with published(pen, cluster, template, roles_dir, tmp_path) as http:
        for name, amount in AMOUNT.items():
            told = [*told_of(name, pen.entries)]
            wanted = (len(told), sum(told))
            page = (await http.get(f"/api/v1/{name}?limit=1")).json()
            assert (page["count"], page["sum_fen"]) == wanted, name
            for suffix in SUFFIXES:
                answer = await http.get(f"/api/v1/{name}.{suffix}")
                announced = (int(answer.headers["sunledger-rows"]), int(answer.headers["sunledger-sum-fen"]))
                assert announced == wanted, (name, suffix)
                assert added_up(answer.content, suffix, amount, tmp_path) == wanted, (name, suffix)
        package = (await http.get("/data/datapackage.json")).json()
        sheets = {each["name"]: lines_of((await http.get(each["path"])).content) for each in package["resources"]}
        assert min(len(sheets[each]) for each in ("gifts", "payments", "projects")) > 0
        assert broken_keys(package, sheets) == []


@hypothesis_settings(FIXED, max_examples=LEDGERS, phases=PHASES, suppress_health_check=[*HealthCheck])
@given(of=happenings())
async def test_a_file_as_of_an_entry_is_the_same_after_more_entries(
    of: list[Happening], cluster: Cluster, template: str, roles_dir: Path, tmp_path: Path
) -> None:
    pen = ledger(of)
    middle = len(pen.entries) * 2 // 3
    while entries.part_of(pen.entries[middle].body)[0] != 1:
        middle -= 1
    before = Pen(pen.written[:middle])
    paths = [f"/api/v1/{name}.{suffix}" for name in AMOUNT for suffix in SUFFIXES]
    paths += [f"/api/v1/registers/{name}.csv" for name in KEYS]
    async with published(before, cluster, template, roles_dir, tmp_path) as http:
        then = {path: await http.get(path) for path in paths}
    async with published(pen, cluster, template, roles_dir, tmp_path) as http:
        for answer in then.values():
            pinned = answer.links["canonical"]["url"]
            again, once_more = await http.get(pinned), await http.get(pinned)
            assert again.content == answer.content == once_more.content, pinned
            assert "immutable" in again.headers["cache-control"]


def told_of(name: str, log: Sequence[Entry]) -> Any:
    """The amounts of a list, from the entries alone; an effect in parts is one."""
    found: dict[int, int] = {}
    for entry in log:
        first = entry.seq - entries.part_of(entry.body)[0] + 1
        match name, entry.body:
            case (
                ("gifts", entries.MoneyReceived() | entries.MoneyIdentified())
                | ("allocations", entries.MoneyAllocated())
                | ("transfers", entries.TransferSent())
                | ("payments", entries.MoneyDisbursed())
            ):
                found[first] = found.get(first, 0) + sum(each.qty for each in entry.postings)
            case "corrections", entries.EntryReversed() as body:
                found[first] = body.left
            case _:
                pass
    return found.values()


def lines_of(content: bytes) -> list[dict[str, str]]:
    """Of a CSV."""
    return [*csv.DictReader(io.StringIO(content.decode("utf-8-sig")))]


def added_up(content: bytes, suffix: str, amount: str, folder: Path) -> tuple[int, int]:
    """Rows and sum, as somebody else's program finds them."""
    match suffix:
        case "csv":
            lines = lines_of(content)
            return len(lines), sum(int(each[amount]) for each in lines)
        case "ndjson":
            items = [json.loads(each) for each in content.splitlines()]
            return len(items), sum(each[amount] for each in items)
        case "parquet":
            (folder / "it.parquet").write_bytes(content)
            question = f"select count(*), coalesce(sum({amount}), 0)::bigint from '{folder}/it.parquet'"
            ((count, fen),) = duckdb.execute(question).fetchall()
            return count, fen
        case _:
            rows = [*openpyxl.load_workbook(io.BytesIO(content), read_only=True).worksheets[0].values]
            at = rows[0].index(amount)
            return len(rows) - 1, sum(int(row[at]) for row in rows[1:])
