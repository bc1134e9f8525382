"""What is asked of a stamp before it is entered: that it is over a checkpoint which this log published."""

import asyncpg

from ledger.refusals import Invalid
from ledger.stamps import StampCheckpoint, token_bytes
from ledger.store.queries.log import checkpoint_of, read_checkpoint
from ledger.timestamp import TimestampError, read_token


async def check_published(connection: asyncpg.Connection, command: StampCheckpoint) -> None:
    """Size and root are those of a published checkpoint, and the token is over its text. Raises Invalid.

    A published checkpoint never changes, so what held here holds when the stamp is entered. Who signed the token is not
    looked at: each reader names the authorities she believes.
    """
    note = await read_checkpoint(connection, command.size)
    if note is None:
        raise Invalid(f"size: no checkpoint over {command.size} entries was published", field="size")
    checkpoint = checkpoint_of(note)
    if checkpoint.root.hex() != command.root:
        raise Invalid(
            f"root: that of the checkpoint over {command.size} entries is {checkpoint.root.hex()}", field="root"
        )
    try:
        read_token(token_bytes(command.token)).check_covers(checkpoint.text)
    except TimestampError as error:
        raise Invalid(f"token: {error}", field="token") from error
