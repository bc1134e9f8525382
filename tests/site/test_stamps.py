"""Stamps on the page: which checkpoint, by whom, when, and the command that checks it without this site."""

import html
import re
import subprocess
from base64 import b64encode
from collections.abc import AsyncGenerator
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from api.public.app import Resources, build
from ledger.log.checkpoint import Checkpoint
from ledger.settings import Settings
from ledger.stamps import StampCheckpoint
from ledger.store import setup
from ledger.store.keys import LookupKeys
from ledger.timestamp import read_token
from public_site.about import STAMPS
from public_site.messages import clock
from tests.support.authority import authority, stamp
from tests.support.branch import FOUNDER, Branch
from tests.support.office import Office
from tests.support.visitor import visitor


@pytest.fixture
async def page(office: Office, told: Settings) -> AsyncGenerator[httpx.AsyncClient]:
    assert told.database_url is not None
    database = setup.database(told, told.database_url, "reader", pool_size=2)
    async with visitor(build(Resources(database=database, lookup=LookupKeys.read(told.lookup)))) as client:
        client.headers["Accept"] = "text/html"
        yield client
    await database.close()


async def published(office: Office) -> Checkpoint:
    said = (await office.get("checkpoint")).json()
    return Checkpoint(origin=said["origin"], size=said["size"], root=bytes.fromhex(said["root"]))


async def entered(office: Office, checkpoint: Checkpoint, token: bytes) -> int:
    answer = await office.post("stamps", stamp(checkpoint, token), who="administrator")
    assert answer.status_code == 201, answer.text
    return int(answer.json()["entries"][0]["seq"])


def run(command: str, folder: Path) -> str:
    """What a shell in that folder says."""
    done = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, check=False)
    return (done.stdout + done.stderr).decode()


async def test_a_stamp_is_shown_and_checked_by_the_command_beside_it(
    office: Office, page: httpx.AsyncClient, tmp_path: Path
) -> None:
    checkpoint = await published(office)
    token = authority().stamp(checkpoint)
    seq = await entered(office, checkpoint, token)
    said = (await page.get("/verify")).text
    row = re.search(r'id="stamps".*?<tbody.*?<tr.*?</tr>', said, re.DOTALL)
    assert row is not None
    for each in (clock(read_token(token).at), f">{checkpoint.size:,}<", "tsa.example.org", f"/entries/{seq}"):
        assert each in row[0]
    saved = await page.get(f"/log/stamps/{seq}")
    assert saved.content == token
    assert f'filename="stamp-{seq}.der"' in saved.headers["content-disposition"]

    (tmp_path / f"stamp-{seq}.der").write_bytes(saved.content)
    (tmp_path / "authority.pem").write_bytes(authority().root.read_bytes())
    command = re.search(r"(printf .*?)</pre>", said, re.DOTALL)
    assert command is not None
    assert "Verification: OK" in run(html.unescape(command[1]), tmp_path)
    (tmp_path / "authority.pem").write_bytes(authority("another").root.read_bytes())
    assert "Verification: FAILED" in run(html.unescape(command[1]), tmp_path)


async def test_the_newest_stamps_come_first_and_the_page_says_that_nobody_checked_them(
    office: Office, page: httpx.AsyncClient
) -> None:
    checkpoint = await published(office)
    numbers = [await entered(office, checkpoint, authority().stamp(checkpoint)) for _ in range(STAMPS + 1)]
    for language, words in (("", "本站没有替您核对"), ("/en", "this site has not checked for you")):
        said = (await page.get(f"{language}/verify")).text
        assert [int(each) for each in re.findall(r"/log/stamps/(\d+)", said)] == numbers[:0:-1]
        assert words in said
    first = (await page.get("/api/v1/stamps", params={"limit": STAMPS})).json()
    assert [each["seq"] for each in first["items"]] == numbers[:0:-1]
    for each in first["items"]:
        assert (each["size"], each["root"], each["authority"]) == (
            checkpoint.size, checkpoint.root.hex(), "tsa.example.org",
        )  # fmt: skip
        token = read_token((await page.get(each["token"])).content)
        assert datetime.fromisoformat(each["at"]) == token.at
    rest = (await page.get("/api/v1/stamps", params={"before": first["next"]})).json()
    assert ([each["seq"] for each in rest["items"]], rest["next"]) == (numbers[:1], None)


async def test_a_log_without_stamps_says_nothing_of_them(office: Office, page: httpx.AsyncClient) -> None:
    assert "stamps" not in (await page.get("/verify")).text
    for seq in (0, await office.size()):
        answer = await page.get(f"/log/stamps/{seq}", headers={"Accept": "application/json"})
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")


async def test_a_token_that_cannot_be_read_is_shown_as_that(branch: Branch, http: httpx.AsyncClient) -> None:
    """Entered past the door, which reads each; the page must stand nevertheless."""
    unreadable = StampCheckpoint(
        maker=FOUNDER, authority="tsa.example.org", root="0" * 64, size=1, token=b64encode(b"no token").decode()
    )
    seq = await branch.do(unreadable)
    said = await http.get("/verify")
    assert (said.status_code, "读不出时刻" in said.text, f"/log/stamps/{seq}" in said.text) == (200, True, True)
    (listed,) = (await http.get("/api/v1/stamps")).json()["items"]
    assert (listed["seq"], listed["at"]) == (seq, None)
