"""A lineage report of a log as it is now, whose checkpoint nobody signed."""

from base64 import b64encode
from hashlib import sha256

from ledger.store import lineage
from ledger.store.database import Database

LOG = "example.org/log"


async def report(writer: Database) -> int:
    """Publish what is there and report on it; the last entry of that state."""
    async with writer.write() as connection:
        size: int = await connection.fetchval("select seq + 1 from head")
        root = sha256(b"nobody signed it").digest()
        note = f"{LOG}\n{size}\n{b64encode(root).decode()}\n\n— {LOG} {b64encode(bytes(68)).decode()}\n"
        await connection.execute(
            "insert into checkpoint (size, root, note) values ($1, $2, $3) on conflict do nothing",
            size, root, note.encode(),
        )  # fmt: skip
    assert await lineage.report(writer) == size
    return size - 1
