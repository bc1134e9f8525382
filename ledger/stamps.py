"""Stamps: RFC 3161 tokens over checkpoints, entered. What a token says was read before it comes here."""

import base64
import binascii

from ledger import entries
from ledger.books import WHOLE_LOG, Books
from ledger.command import Effect, Proposable, body_of, check_digest, check_text
from ledger.refusals import Invalid

MAX_TOKEN_BYTES = 32_768
"""DER of a token at most: with its certificates most have 1 to 8 thousand. In base64 an entry still holds it."""


class StampCheckpoint(Proposable, frozen=True, kw_only=True, tag="checkpoint.stamped"):
    """An authority answered for a checkpoint of this log."""

    authority: str
    root: str
    size: int
    token: str


def stamp(command: StampCheckpoint, books: Books) -> Effect:
    """Of a checkpoint of the past. Raises Invalid."""
    check_text("authority", command.authority)
    check_digest("root", command.root)
    if type(command.size) is not int or not 0 < command.size <= books.seq + 1:
        raise Invalid(f"size: 1 to {books.seq + 1}, the entries there are", field="size")
    token_bytes(command.token)
    return Effect(body=body_of(entries.CheckpointStamped, command), org=WHOLE_LOG)


def token_bytes(token: str) -> bytes:
    """The token's DER. Raises Invalid for what is not base64 in its one form, or too long."""
    try:
        der = base64.b64decode(token, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid("token: base64 of an RFC 3161 token", field="token") from error
    if base64.b64encode(der).decode() != token or not 0 < len(der) <= MAX_TOKEN_BYTES:
        raise Invalid(f"token: base64, padded, of 1 to {MAX_TOKEN_BYTES} bytes", field="token")
    return der
