"""README.md, carried out: its commands run in a shell against both applications, and print what it says they print."""

import asyncio
import html
import json
import os
import re
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from api.admin import app as admin
from api.public import app as public
from ledger.settings import Settings
from ledger.store import setup
from ledger.store.keys import LookupKeys
from tests.support.listening import listening
from tests.support.office import Office, opened
from tests.support.signing import signing

README = (Path(__file__).resolve().parents[1] / "README.md").read_text()
_BLOCK = re.compile(r"^<!-- tested: (.+?) -->\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_END = "--- end of a block ---"
SCRIPT_S_MAX = 120


class Block(NamedTuple):
    """A block of README that says it is tested, and as what."""

    use: str
    text: str


BLOCKS = [Block(*found) for found in _BLOCK.findall(README)]


class Running(NamedTuple):
    """The demo's office with both applications listening."""

    office: Office
    admin_url: str
    public_url: str


@pytest.fixture
async def running(told: Settings) -> AsyncGenerator[Running]:
    told = signing(told)
    assert told.database_url is not None
    async with AsyncExitStack() as stack:
        office = await stack.enter_async_context(opened(told))
        reader = setup.database(told, told.database_url, "reader")
        stack.push_async_callback(reader.close)
        app = public.build(public.Resources(database=reader, lookup=LookupKeys.read(told.lookup)))
        public_url = await stack.enter_async_context(listening(app))
        yield Running(office, await stack.enter_async_context(listening(admin.build(office.resources))), public_url)


def agree(said: Any, found: Any) -> bool:
    """Whether README's answer is the one found; … stands for what differs from run to run."""
    if said == "…":
        return isinstance(found, str)
    if isinstance(said, dict):
        return isinstance(found, dict) and [*said] == [*found] and all(agree(said[key], found[key]) for key in said)
    if isinstance(said, list):
        return isinstance(found, list) and len(said) == len(found) and all(map(agree, said, found))
    return bool(said == found)


@pytest.mark.needs("curl")
async def test_the_commands_print_what_readme_says(running: Running, tmp_path: Path) -> None:
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    tokens = f"ADMIN={running.admin_url} PUBLIC={running.public_url}\n" + "".join(
        f"{name.upper()}={running.office.tokens[name]}\n" for name in ("maker", "checker")
    )
    script = ["set -euo pipefail"]
    expected: list[Block | None] = []
    for tested in BLOCKS:
        match tested.use:
            case "tokens":
                names = re.findall(r"\b([A-Z]+)=", tested.text)
                assert names == re.findall(r"\b([A-Z]+)=", tokens)
                script.append(tokens)
            case "run":
                script.append(f"{tested.text}echo; echo '{_END}'")
                expected.append(None)
            case "answer" | "printed":
                expected[-1] = tested
            case _:
                pass
    done = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        "\n".join(script),
        cwd=tmp_path,
        env={**os.environ, "SUNLEDGER_ADMIN_URL": running.admin_url, "COLUMNS": "200"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(SCRIPT_S_MAX):
        output, _ = await done.communicate()
    printed = output.decode().split(_END)[:-1]
    assert done.returncode == 0, output.decode()
    assert len(printed) == len(expected) >= 9
    for block, found in zip(expected, printed, strict=True):
        if block is None:
            continue
        if block.use == "answer":
            assert agree(json.loads(block.text), json.loads(found)), (block.text, found)
        else:
            lines = [line.rstrip() for line in found.splitlines()]
            for line in block.text.splitlines():
                assert line in lines, (line, found)


async def test_the_page_shows_what_readme_shows(running: Running) -> None:
    (block,) = (block for block in BLOCKS if block.use == "page of the second code")
    code = [*running.office.codes.values()][1]
    async with httpx.AsyncClient() as http:
        page = (await http.post(f"{running.public_url}/trace", data={"code": code})).text
    shown = "".join(html.unescape(re.sub(r"<[^>]+>", "", page)).split())
    for line in block.text.splitlines():
        for part in re.split(r"\s{2,}", line.strip()):
            assert "".join(part.split()) in shown, part


def test_every_block_that_says_so_is_tested() -> None:
    assert README.count("<!-- tested:") == len(BLOCKS)
    assert {block.use for block in BLOCKS} == {"answer", "page of the second code", "printed", "run", "tokens"}
