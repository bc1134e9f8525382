"""The log as static files that any web server can serve: tiles, bundles, keys and policy, then the checkpoint."""

import os
from collections.abc import Callable
from pathlib import Path

from ledger.log.tile import Bundle, Tile, new_bundles, new_tiles
from ledger.store.database import Database
from ledger.store.files import SetupError
from ledger.store.queries import log


async def export(database: Database, folder: Path, *, report: Callable[[int, int], None]) -> int:
    """Write what `folder` does not hold yet; answers the size exported. A reader meanwhile sees whole logs only."""
    note_file = folder / "checkpoint"
    old = log.checkpoint_of(note_file.read_bytes()).size if note_file.exists() else 0
    async with database.snapshot() as connection:
        note = await log.last_checkpoint(connection)
        if note is None:
            raise SetupError(
                "nothing was published yet: make a signing key with `sunledger keygen`, then serve the log"
            )
        beside = {
            "vkey": "".join(f"{key}\n" for key in await log.signing_keys(connection)),
            "policy": await log.served_policy(connection) or "",
        }
        size = log.checkpoint_of(note).size
        if size < old:
            raise SetupError(f"{folder} holds {old} entries, this log was published up to {size}: not the same log")
        wanted: list[Tile | Bundle] = [*new_tiles(old, size), *new_bundles(old, size)]
        for done, each in enumerate(wanted):
            content = await log.read_file(connection, each)
            assert content is not None, "what a checkpoint covers is stored"
            _write(folder / each.path, content)
            report(done + 1, len(wanted))
    for name, text in beside.items():
        if text:
            _write(folder / name, text.encode())
    _write(note_file, note)
    return size


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    staging = path.with_name(f".{path.name}.new")
    with staging.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    staging.replace(path)
