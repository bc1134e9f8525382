"""docs/open-data.md: its downloads and questions are run, its columns are those of the files."""

import re
from pathlib import Path

import duckdb
import httpx
import pytest

from api.public import lineage
from api.public.app import Resources, build
from api.public.data import FILES, TABLES
from ledger.settings import Settings
from ledger.store import setup
from ledger.store.keys import LookupKeys
from tests.support.visitor import visitor

PAGE = (Path(__file__).parents[3] / "docs/open-data.md").read_text()


async def test_the_questions_are_answered_from_the_downloads(
    told: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert told.database_url is not None
    database = setup.database(told, told.database_url, "reader")
    async with visitor(build(Resources(database=database, lookup=LookupKeys.read(told.lookup)))) as http:
        for name, address in re.findall(r'^curl -o (\S+) "(\S+)"$', PAGE, re.MULTILINE):
            answer = await http.get(httpx.URL(address).raw_path.decode())
            assert answer.status_code == 200, address
            (tmp_path / name).write_bytes(answer.content)
        received = (await http.get("/api/v1/figures?measure=received&as_of=60")).json()["sum_fen"]
    await database.close()
    monkeypatch.chdir(tmp_path)
    questions = re.findall(r"^```sql\n(.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL)
    answers = [duckdb.execute(each).fetchall() for each in questions]
    assert len(answers) == 4
    assert all(answers)
    assert sum(row[-1] for row in answers[0]) == received > 0


def test_every_column_is_told_as_the_files_describe_it() -> None:
    told = {
        name: re.findall(r"^\| `(\w+)` \| (\w+)(, may be missing)? \| (.+) \|$", text, re.MULTILINE)
        for name, text in re.findall(r"^### \S+ `(\w+)`\n(.*?)(?=^###|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    }
    assert told == {
        table.name: [
            (each.name, each.kind, "" if each.is_required else ", may be missing", each.meaning)
            for each in table.columns
        ]
        for table in (*TABLES, lineage.TABLE)
    }


def test_every_list_and_format_is_told() -> None:
    for table in (*TABLES, lineage.TABLE):
        assert f"`{table.path}.…`" in PAGE
    for suffix in FILES:
        assert f"| `.{suffix}` |" in PAGE
