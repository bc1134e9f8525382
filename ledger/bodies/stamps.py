"""Stamps: what an authority outside says about the log's past."""

from ledger.account import Whole
from ledger.bodies.body import Body


class CheckpointStamped(Body, frozen=True):
    """An RFC 3161 authority saw this checkpoint of the log. `token`: its TimeStampToken, DER in base64.

    The token's message imprint is the SHA-256 of the checkpoint's text: origin LF size LF base64(root) LF.
    """

    authority: str
    root: str
    size: Whole
    token: str
