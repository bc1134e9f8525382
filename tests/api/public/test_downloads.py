"""Whole lists as files: the same columns and rows in each format, whole or not at all, and nothing left behind."""

import asyncio
import csv
import hashlib
import io
import json
import re
import socket
import tempfile
import threading
from base64 import b64encode
from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO

import duckdb
import httpx
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from api.problems import ProblemError
from api.public import workshop
from api.public.app import Resources, build
from api.public.data import FILES, TABLES
from api.public.workshop import Workshop
from ledger.opendata import parquet, workbook
from ledger.settings import Settings
from ledger.store import setup
from ledger.store.keys import LookupKeys
from ledger.store.queries import corrections, lists, registers
from tests.api.public.test_contract import served
from tests.support.branch import Branch
from tests.support.visitor import visitor

NAMES = [each.name for each in TABLES]
DAYS = {"on", "first_on", "last_on", "began"}
BUILT = ("parquet", "xlsx")


def sheets_of(content: bytes) -> dict[str, list[tuple[Any, ...]]]:
    book = openpyxl.load_workbook(io.BytesIO(content))
    return {sheet.title: [*sheet.values] for sheet in book.worksheets}


async def test_every_format_has_the_columns_and_rows_that_the_interface_answers(
    some: Branch, http: httpx.AsyncClient
) -> None:
    for table in TABLES:
        names = [each.name for each in table.columns]
        items = [told(each, names) for each in (await http.get(f"/api/v1/{table.name}")).json()["items"]]
        got = {suffix: (await http.get(f"{table.path}.{suffix}")).content for suffix in FILES}
        assert [json.loads(each) for each in got["ndjson"].splitlines()] == items
        sheet = [*csv.DictReader(io.StringIO(got["csv"].decode("utf-8-sig")))]
        assert sheet == [{name: as_text(value) for name, value in each.items()} for each in items]
        assert next(csv.reader(io.StringIO(got["csv"].decode("utf-8-sig")))) == names
        read = pq.read_table(io.BytesIO(got["parquet"]))
        assert read.column_names == names
        assert [as_json(each) for each in read.to_pylist()] == items
        rows = sheets_of(got["xlsx"])[table.title]
        shown = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
        assert [{name: each[name] for name in names} for each in shown] == [as_cells(each) for each in items]


def told(item: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """What a table has of an item: all of a list's, a register's without figures; each restriction by itself."""
    given = {f"restriction_{name}": value for name, value in item.get("restriction", {}).items()} | item
    return {name: given.get(name, "") if name.startswith("restriction_") else given[name] for name in names}


def as_text(value: Any) -> str:
    """As a spreadsheet is to read it."""
    text = " ".join(value) if isinstance(value, list) else "" if value is None else str(value)
    return f"'{text}" if text.startswith("=") else text


def as_json(row: dict[str, Any]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, date) else value for name, value in row.items()}


def as_cells(item: dict[str, Any]) -> dict[str, Any]:
    """As openpyxl reads it: no empty text, lists with spaces, days as moments."""

    def cell(name: str, value: Any) -> Any:
        if name in DAYS and value:
            return datetime.fromisoformat(value)
        text = " ".join(value) if isinstance(value, list) else value
        return text if text != "" else None

    return {name: cell(name, value) for name, value in item.items()}


async def test_the_digest_of_each_file_is_there_before_it_is_fetched(some: Branch, http: httpx.AsyncClient) -> None:
    for table in TABLES:
        for suffix in FILES:
            file = await http.get(f"{table.path}.{suffix}?as_of=25")
            told = await http.get(f"{table.path}.sha256?of={suffix}&as_of=25")
            name = re.search('filename="(.+)"', file.headers["content-disposition"])
            assert name is not None
            assert told.text == f"{hashlib.sha256(file.content).hexdigest()}  {name[1]}\n"
            assert "immutable" in told.headers["cache-control"]
    assert (await http.get("/api/v1/gifts.sha256")).text.endswith(".csv\n")
    narrowed = await http.get("/api/v1/gifts.sha256?of=ndjson&fund=flood&least_fen=2")
    assert "rows-2-fen-13045.ndjson" in narrowed.text
    assert (await http.get("/api/v1/gifts.sha256?of=zip")).status_code == 400
    assert (await http.get("/api/v1/gifts.sha256?org=nobody")).status_code == 404


async def test_filters_apply_and_the_file_is_called_after_what_is_in_it(some: Branch, http: httpx.AsyncClient) -> None:
    for suffix, media_type in FILES.items():
        answer = await http.get(f"/api/v1/gifts.{suffix}?fund=flood&least_fen=2")
        assert answer.headers["content-type"].startswith(media_type)
        assert (answer.headers["sunledger-rows"], answer.headers["sunledger-sum-fen"]) == ("2", "13045")
        assert f"rows-2-fen-13045.{suffix}" in answer.headers["content-disposition"]
    found = pq.read_table(io.BytesIO((await http.get("/api/v1/gifts.parquet?fund=flood&least_fen=2")).content))
    assert found["amount_fen"].to_pylist() == [12_345, 700]
    assert (await http.get("/api/v1/gifts.parquet?org=nobody")).status_code == 404


async def test_what_must_be_whole_comes_with_its_length_and_digest(some: Branch, http: httpx.AsyncClient) -> None:
    for suffix in BUILT:
        answer = await http.get(f"/api/v1/gifts.{suffix}", headers={"accept-encoding": "gzip"})
        digest = hashlib.sha256(answer.content)
        assert "content-encoding" not in answer.headers
        assert int(answer.headers["content-length"]) == len(answer.content)
        assert answer.headers["repr-digest"] == f"sha-256=:{b64encode(digest.digest()).decode()}:"
        assert answer.headers["etag"] == f'"{digest.hexdigest()}"'
        known = await http.get(f"/api/v1/gifts.{suffix}", headers={"if-none-match": answer.headers["etag"]})
        assert (known.status_code, known.content) == (304, b"")


@pytest.mark.parametrize("suffix", ["csv", "ndjson"])
async def test_no_row_is_read_for_who_asks_by_head(
    some: Branch, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    read: list[str] = []
    for module, function in (
        (lists, "read_gifts"),
        (lists, "read_effects"),
        (corrections, "read_corrections"),
        (registers, "read_items"),
    ):
        monkeypatch.setattr(module, function, noting(getattr(module, function), read))
    for table in TABLES:
        head = await http.head(f"{table.path}.{suffix}")
        assert (head.status_code, head.content, read) == (200, b"", []), table.name
        got = await http.get(f"{table.path}.{suffix}")
        assert read, table.name
        assert own(head) == own(got), table.name
        read.clear()


def noting(function: Any, calls: list[str]) -> Any:
    """The same, and who was called is kept."""

    async def noted(*given: Any, **named: Any) -> Any:
        calls.append(function.__name__)
        return await function(*given, **named)

    return noted


def own(answer: httpx.Response) -> dict[str, str]:
    """Its headers, without what no two answers share."""
    return {name: value for name, value in answer.headers.items() if name not in {"x-request-id", "date"}}


async def test_nothing_is_built_for_who_asks_by_head(
    some: Branch, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workshop, "FILES", 0)
    for suffix in BUILT:
        answer = await http.head(f"/api/v1/gifts.{suffix}")
        assert (answer.status_code, answer.headers["sunledger-rows"], answer.content) == (200, "4", b"")
        assert "content-length" not in answer.headers


async def test_parquet_has_whole_fen_days_and_the_meaning_of_each_column(
    some: Branch, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    (tmp_path / "gifts.parquet").write_bytes((await http.get("/api/v1/gifts.parquet")).content)
    schema = pq.read_schema(tmp_path / "gifts.parquet")
    assert (schema.field("amount_fen").type, schema.field("on").type) == (pa.int64(), pa.date32())
    assert (schema.field("seq").nullable, schema.field("batch").nullable) == (False, True)
    assert schema.field("channel").metadata[b"description"].decode() == "渠道"
    assert (schema.metadata[b"sunledger.rows"], schema.metadata[b"sunledger.sum_fen"]) == (b"4", b"14045")
    asked = f"select fund, sum(amount_fen)::bigint from '{tmp_path}/gifts.parquet' group by fund order by fund"
    assert duckdb.execute(asked).fetchall() == [("flood", 13_046), ("general", 999)]


async def test_a_workbook_explains_itself_and_takes_no_text_for_a_formula(
    some: Branch, http: httpx.AsyncClient
) -> None:
    sheets = sheets_of((await http.get("/api/v1/payments.xlsx")).content)
    rows = sheets["付款"]
    found = dict(zip(rows[0], rows[1], strict=True))
    assert (found["amount_fen"], found["amount_yuan"], found["payee"]) == (9_007, 90.07, "=衢州医院")
    book = openpyxl.load_workbook(io.BytesIO((await http.get("/api/v1/payments.xlsx")).content))
    assert book["付款"].cell(2, rows[0].index("payee") + 1).data_type == "s"
    about = {row[0]: row[1] for row in sheets["说明"]}
    assert (about["公布的行数"], about["公布的合计 amount_fen（分）"]) == (1, 9_007)
    column = openpyxl.utils.get_column_letter(rows[0].index("amount_fen") + 1)
    assert about["本表自己加出的合计（分）"] == f"=SUM('付款'!{column}2:{column}2)"
    assert set(rows[0]) - {each for each in rows[0] if each.endswith("_yuan")} <= about.keys()


async def test_the_bytes_do_not_depend_on_how_many_rows_are_read_at_once(
    some: Branch, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "ROW_GROUP_ROWS", 3)
    before = [(await http.get(f"/api/v1/gifts.{suffix}")).content for suffix in FILES]
    monkeypatch.setattr(lists, "CHUNK_ROWS", 1)
    assert [(await http.get(f"/api/v1/gifts.{suffix}")).content for suffix in FILES] == before
    assert pq.ParquetFile(io.BytesIO(before[2])).num_row_groups == 2


async def test_a_workbook_of_too_many_rows_is_refused_and_others_are_named(
    some: Branch, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 3)
    answer = await http.get("/api/v1/gifts.xlsx")
    said = answer.json()
    assert (answer.status_code, said["type"]) == (422, "/problems/too-many-rows")
    assert (await http.get("/api/v1/gifts.sha256?of=xlsx")).status_code == 422
    assert "CSV" in said["detail"]
    for suffix in ("csv", "parquet"):
        assert (await http.get(said[suffix])).headers["sunledger-rows"] == "4"
    assert (await http.get("/api/v1/gifts.xlsx?least_fen=2")).status_code == 200


async def test_a_file_that_lacks_a_row_is_not_sent(
    some: Branch, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: object, **__: object) -> list[lists.ListedGift]:
        return []

    monkeypatch.setattr(lists, "read_gifts", nothing)
    for suffix in BUILT:
        assert (await http.get(f"/api/v1/gifts.{suffix}")).json()["type"] == "/problems/internal-error"


async def test_more_files_than_there_may_be_are_busy(
    some: Branch, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setattr(workshop, "FILES", 0)
    await busy(http)
    monkeypatch.undo()
    monkeypatch.setattr(workshop, "BUILDS", 0)
    monkeypatch.setattr(workshop, "WAIT_S", 0)
    assert settings.database_url is not None
    database = setup.database(settings, settings.database_url, "reader")
    async with visitor(build(Resources(database=database, lookup=LookupKeys.read(settings.lookup)))) as nobodys_turn:
        await busy(nobodys_turn)
    await database.close()


async def busy(http: httpx.AsyncClient) -> None:
    for suffix in BUILT:
        answer = await http.get(f"/api/v1/gifts.{suffix}")
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/busy")
        assert "retry-after" in answer.headers
    for suffix in ("csv", "ndjson"):
        assert (await http.get(f"/api/v1/gifts.{suffix}")).status_code == 200


async def test_who_goes_away_leaves_nothing_behind(
    some: Branch, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aside = tmp_path / "aside"
    aside.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(aside))
    begun, given_up = threading.Event(), threading.Event()

    async def never(*_: object, **__: object) -> list[lists.ListedGift]:
        begun.set()
        try:
            return await asyncio.Event().wait()  # type: ignore[return-value]  # it does not
        finally:
            given_up.set()

    monkeypatch.setattr(lists, "read_gifts", never)
    with served(settings) as address:
        for suffix in BUILT:
            begun.clear()
            given_up.clear()
            client = socket.create_connection(("127.0.0.1", httpx.URL(address).port or 0))
            client.sendall(f"GET /api/v1/gifts.{suffix} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            await asyncio.to_thread(begun.wait)
            assert [*aside.iterdir()]
            client.close()
            await asyncio.to_thread(given_up.wait)
    assert not [*aside.iterdir()]


async def test_a_file_ends_when_it_was_read_or_given_up() -> None:
    async def make(file: BinaryIO, _: str) -> None:
        file.write(b"all of it")

    async def fail(_: BinaryIO, __: str) -> None:
        raise ProblemError("busy")

    shop = Workshop()
    read, unread, half = [await shop.build(make) for _ in range(3)]
    assert shop.files == 3
    assert b"".join([each async for each in read.pieces()]) == b"all of it"
    assert shop.files == 2
    del unread
    assert shop.files == 1
    pieces = half.pieces()
    await anext(pieces)
    await pieces.aclose()
    del half, pieces
    with pytest.raises(ProblemError):
        await shop.build(fail)
    assert shop.files == 0
