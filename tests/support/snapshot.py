"""Write ledger/store/guarantees.json: what a fresh migration gives. Run `python -m tests.support.snapshot`."""

import asyncio
import json
import tempfile
from pathlib import Path

import asyncpg

from ledger.settings import Settings
from ledger.store import setup
from ledger.store.guarantees import SNAPSHOT, Facts, read_facts
from tests.support.postgres import Cluster


def as_json(facts: Facts) -> str:
    """One line an aspect, in order: a change of the schema is a readable difference."""
    return json.dumps(facts, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


async def of_a_fresh_migration() -> Facts:
    """The facts of a log that nobody has used."""
    cluster = Cluster()
    try:
        with tempfile.TemporaryDirectory(prefix="sunledger-test-") as folder:
            settings = Settings(data_dir=Path(folder))
            await setup.prepare(settings, cluster.url())
        connection = await asyncpg.connect(cluster.url(), server_settings={"search_path": f"{settings.log}, public"})
        try:
            return await read_facts(connection)
        finally:
            await connection.close()
    finally:
        cluster.stop()


if __name__ == "__main__":
    SNAPSHOT.write_text(as_json(asyncio.run(of_a_fresh_migration())))
