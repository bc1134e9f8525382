"""After many gifts came at once: have the server read what look-ups ask for, so that the first donors need not wait.

An import of millions pushes older pages out of the server's memory, and part of its own. Look-ups come at random over
all gifts; until each page was asked for once, some of them wait for the disk.
"""

from ledger.store.database import Database

STEP = 100_000
"""Entries that one statement reads: short of the time a statement may take, and of what a stop waits for."""

_END = "select coalesce(max(seq) + 1, 0) from entry"
_READ = (
    # By index, and with a column the index lacks: what is read in bulk goes past the server's memory.
    "select count(bytes) from entry where seq >= $1 and seq < $2",
    "select count(seq) from gift where seq >= $1 and seq < $2",
    "select count(qty) from posting where seq >= $1 and seq < $2",
)
_READ_CODES = "select count(digest) from receipt where digest >= $1 and digest < $2"
_AFTER = b"\xff" * 32
"""Behind a first byte: after every digest that begins with it."""


async def prewarm(by_index: Database) -> None:
    """Read what look-ups read, of every gift, one page after the other. Raises what reading raises."""
    async with by_index.raw() as connection:
        end: int = await connection.fetchval(_END)
        for first in range(0, end, STEP):
            for question in _READ:
                await connection.fetchval(question, first, first + STEP)
        for beginning in (bytes([byte]) for byte in range(256)):
            await connection.fetchval(_READ_CODES, beginning, beginning + _AFTER)
