"""How many pages the embedded PostgreSQL keeps: by the memory there is for it."""

import os
from pathlib import Path

import asyncpg
import pytest

from ledger.store import embedded

GIGABYTE = 2**30


@pytest.mark.parametrize(
    ("memory", "mb"),
    [(256 * 2**20, 128), (512 * 2**20, 204), (2 * GIGABYTE, 819), (24 * GIGABYTE, 9830), (256 * GIGABYTE, 16_384)],
)
def test_two_fifths_of_the_memory_within_bounds(memory: int, mb: int) -> None:
    assert embedded.buffers_mb(memory) == mb


@pytest.mark.parametrize(("says", "limit"), [("1073741824\n", GIGABYTE), ("max\n", None), (None, None)])
def test_a_container_has_its_own_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str | None, limit: int | None
) -> None:
    if says is not None:
        (tmp_path / "memory.max").write_text(says)
    monkeypatch.setattr(embedded, "LIMIT_OF_CONTAINER", tmp_path / "memory.max")
    assert embedded.memory_of_machine() == (limit or os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))


async def test_the_server_is_started_with_them(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("buffers")
    for passed in (folder, *folder.parents[:2]):  # as root, the server runs under another account, and may pass
        passed.chmod(0o711)
    server = embedded.start(folder / "data", report=lambda _: None, settings={"fsync": "off"})
    try:
        connection = await asyncpg.connect(server.url())
        kept = await connection.fetchval(
            "select setting::bigint * 8192 / 1048576 from pg_settings where name = 'shared_buffers'"
        )
        await connection.close()
    finally:
        embedded.stop(server)
    assert kept == embedded.buffers_mb(embedded.memory_of_machine())
