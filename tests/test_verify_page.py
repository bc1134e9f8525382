"""docs/verify.md and the page 核验, carried out: each command runs in a shell against the public application."""

import asyncio
import html
import os
import re
import shutil
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from api.public import app as public
from ledger.privacy import parse_code
from ledger.settings import Settings
from ledger.store import setup, signing
from ledger.store.keys import LookupKeys
from ledger.store.queries import log
from ledger.verify.rule import Rule
from tests.support.authority import authority, stamp
from tests.support.foreign import foreign
from tests.support.listening import listening
from tests.support.office import gift, opened

PAGE = (Path(__file__).resolve().parents[1] / "docs/verify.md").read_text()
BLOCKS = re.findall(r"^<!-- tested: (\w+) -->\n```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
GIFTS = 30
"""Since the last visit."""
_END = "--- end of a block ---"
SCRIPT_S_MAX = 120


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Where the auditor works."""
    (tmp_path / "desk").mkdir()
    (tmp_path / "desk" / ".venv").symlink_to(Path(sys.executable).parent.parent)
    return tmp_path / "desk"


@pytest.fixture
async def variables(told: Settings, tmp_path: Path, desk: Path) -> AsyncGenerator[str]:
    """A signed log that grew since an auditor saved its checkpoint; her files are in the folder."""
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("only for this test")
    settings = told.model_copy(update={"signing_passphrase_file": passphrase})
    signing.create(settings.signing, settings.passphrase)
    async with AsyncExitStack() as stack:
        office = await stack.enter_async_context(opened(settings))
        publisher = office.resources.publisher
        assert publisher is not None

        async def published() -> bytes:
            assert await publisher.wait_for(await office.size() - 1, 60)
            async with office.resources.database.raw() as connection:
                note = await log.last_checkpoint(connection)
            assert note is not None
            return note

        (desk / "saved").write_bytes(await published())
        answers = [(await office.post("gifts", gift(channel_ref=f"since {i}"))).json() for i in range(GIFTS)]
        answer = answers[-1]
        (desk / "code").write_text(f"{parse_code(answer['receipt_code'])}\n")
        (desk / "number").write_text(f"{answer['entries'][0]['seq']}\n")
        checkpoint = log.checkpoint_of(await published())
        stamped = await office.post("stamps", stamp(checkpoint, authority().stamp(checkpoint)), who="administrator")
        (desk / "stamped").write_text(f"{stamped.json()['entries'][0]['seq']}\n")
        shutil.copy(authority().root, desk / "authorities.pem")
        await published()
        async with office.resources.database.raw() as connection:
            (key,) = await log.signing_keys(connection)
        reader = setup.database(settings, str(settings.database_url), "reader")
        stack.push_async_callback(reader.close)
        app = public.build(public.Resources(database=reader, lookup=LookupKeys.read(settings.lookup)))
        yield f"SITE={await stack.enter_async_context(listening(app))} KEY='{key}'\n"


@pytest.mark.needs("curl", "openssl", "xxd")
async def test_the_commands_print_what_the_page_says(variables: str, desk: Path) -> None:
    foreign("tlog_scales.reader", "tlog-scales")
    script, expected = ["set -uo pipefail"], []
    for use, text in BLOCKS:
        match use:
            case "variables":
                assert re.findall(r"^([A-Z]+)=", text, re.MULTILINE) == re.findall(r"\b([A-Z]+)=", variables)[:2]
                script.append(variables)
            case "run":
                script.append(f"{text}echo; echo '{_END}'")
                expected.append("")
            case _:
                expected[-1] = text
    output = await run("\n".join(script), desk)
    printed = output.split(_END)[:-1]
    assert len(printed) == len(expected) == 11, output
    for wanted, found in zip(expected, printed, strict=True):
        lines = [line.strip() for line in found.splitlines()]
        assert wanted, "each block says what it prints"
        for line in wanted.splitlines():
            assert line in lines, f"{line}\n{found}"


@pytest.mark.parametrize("language", ["", "/en"])
async def test_the_commands_of_the_sites_own_page_get_a_reader_there(variables: str, desk: Path, language: str) -> None:
    """As they are copied, in the folder of the receipt file under the name that the site gives it."""
    site, key = re.findall(r"='?([^\s']+)", variables)
    number = (desk / "number").read_text().strip()
    async with httpx.AsyncClient(base_url=site, headers={"Accept": "text/html"}) as http:
        page = (await http.get(f"{language}/verify")).text
        receipt = await http.get(f"/api/v1/entries/{number}/receipt")
    (name,) = re.findall(r'filename="([^"]+)"', receipt.headers["content-disposition"])
    (desk / name).write_bytes(receipt.content)
    (commands,) = [each for each in re.findall(r"<pre[^>]*>(.*?)</pre>", page, re.DOTALL) if "mirror" in each]
    typed = html.unescape(commands)
    assert typed.startswith(f"SITE={site}\nKEY={key}\n")
    steps = "".join(f'{each}\necho "$? {_END}"\n' for each in typed.splitlines())
    *_, mirrored, verified, checked, _ = (await run(f'PATH=".venv/bin:$PATH"\n{steps}', desk)).split(_END)
    assert (desk / "ledger" / "policy").exists()
    said = {mirrored: "fetched", verified: "✓ 全部通过 everything holds", checked: "✓ 凭证成立 every receipt holds"}
    for each, expected in said.items():
        assert each.endswith("0 "), each
        assert expected in each
        assert key in each, "and the signature was checked"


async def run(script: str, folder: Path) -> str:
    """What a shell in that folder prints."""
    done = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        script,
        cwd=folder,
        env={**os.environ, "COLUMNS": "200"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(SCRIPT_S_MAX):
        output, _ = await done.communicate()
    return output.decode()


def test_the_page_names_rules_that_exist() -> None:
    attacks = PAGE.split("## Who notices")[1]
    assert set(re.findall(r"`([a-z]+-[a-z]+)`", attacks)) <= set(Rule)
