"""A donor whose data a test looks for everywhere, and where everywhere is."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from api import main as applications
from api.public import app as public
from ledger.settings import Settings
from tests.support.acting import acting_as_superuser
from tests.support.office import Office, gift
from tests.support.visitor import visitor

NAME, CONTACT, REFERENCE = "某某寻访捐赠人", "13800004711", "REF-4711-ERASE"
CONSENT = {"version": "2026-1", "on": "2026-07-01", "form": "full"}


async def give(
    office: Office, *, key: str = "her gift", channel_ref: str = REFERENCE, **more: object
) -> tuple[int, str]:
    """Her gift, with consent to be named in full; its entry and its code."""
    donor = {"name": NAME, "contact": CONTACT, "consent": CONSENT, **more}
    answer = await office.post("gifts", gift(donor=donor, channel_ref=channel_ref), key=key)
    assert answer.status_code == 201, answer.text
    return answer.json()["entries"][0]["seq"], answer.json()["receipt_code"]


async def erase(office: Office, ref: int) -> int:
    """Proposed by finance, agreed to by an administrator; the entry."""
    made = await office.post("erasures", {"org": "330800", "ref": ref, "basis": "request"})
    assert made.status_code == 202, made.text
    done = await office.post(f"proposals/{made.json()['proposal']}/approval", who="administrator")
    assert done.status_code == 201, done.text
    seq: int = done.json()["entries"][-1]["seq"]
    return seq


@asynccontextmanager
async def readers(settings: Settings) -> AsyncGenerator[httpx.AsyncClient]:
    """Everybody, at the public application. Raises SetupError where it does not start."""
    assert settings.database_url is not None
    async with (
        applications.public_resources(settings, settings.database_url) as resources,
        visitor(public.build(resources)) as http,
    ):
        yield http


async def tables(settings: Settings) -> AsyncGenerator[tuple[str, str]]:
    """Every row of every table that the catalogue knows, as text."""
    async with acting_as_superuser(settings) as connection:
        for (table,) in await connection.fetch("select tablename from pg_tables where schemaname = current_schema()"):
            for (row,) in await connection.fetch(_ROWS.format(table)):
                yield table, row


def files(*folders: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file that can be read, the server's own too: heaps, indexes, write-ahead log, messages."""
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                yield path, path.read_bytes()


_ROWS = 'select t::text from "{}" t'
