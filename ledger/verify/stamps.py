"""Stamps: each is of this log as it was, and its token is over just that checkpoint."""

from collections.abc import Iterable
from functools import lru_cache

from ledger.entries import CheckpointStamped
from ledger.log.checkpoint import Checkpoint
from ledger.log.encoding import parse_base64
from ledger.log.errors import MalformedError
from ledger.timestamp import Timestamp, TimestampError, read_token
from ledger.verify.anchor import Anchor, check_continues
from ledger.verify.authority import check_entry
from ledger.verify.entry import Envelope
from ledger.verify.finding import Findings
from ledger.verify.persons import check_digests, is_digest
from ledger.verify.postings import none
from ledger.verify.rule import Rule
from ledger.verify.society import WHOLE_LOG
from ledger.verify.source import Source
from ledger.verify.state import Stamp, State

MAX_TOKEN_BYTES = 32_768

TILES_KEPT = 512
"""Read once for many stamps: 4 MiB at most."""


def stamped(state: State, entry: Envelope, body: CheckpointStamped) -> None:
    """A checkpoint over entries that stand before this one. Its root is for `check_roots`, when all was read."""
    none(state, entry)
    check_entry(state, entry, body, WHOLE_LOG)
    check_digests(state, "root", body.root)
    if not 0 < body.size <= state.position:
        state.find(Rule.STAMP_FORM, f"a checkpoint over 1 to {state.position} entries", body.size)
    elif is_digest(body.root):
        checkpoint = Checkpoint(origin=state.origin, size=body.size, root=bytes.fromhex(body.root))
        token = _token(state, body, checkpoint)
        is_verified = token is not None and bool(state.authorities) and _is_signed(state, token)
        at = "" if token is None else token.at.isoformat().replace("+00:00", "Z")
        state.stamps.append(Stamp(entry.seq, checkpoint, body.authority, at, is_verified))


def check_roots(source: Source, anchor: Anchor, stamps: Iterable[Stamp], findings: Findings) -> None:
    """Each root is that of the log at that size: the signed tree continues it. Raises SourceError."""
    tile = lru_cache(maxsize=TILES_KEPT)(source.tile)
    for stamp in stamps:
        check_continues(tile, anchor, stamp.checkpoint, Rule.STAMP_ROOT, findings, seq=stamp.seq)


def _token(state: State, body: CheckpointStamped, checkpoint: Checkpoint) -> Timestamp | None:
    """The token, if it is one, over this checkpoint."""
    try:
        der = parse_base64(body.token, "token")
    except MalformedError as error:
        state.find(Rule.STAMP_FORM, "a token in base64", error)
        return None
    if not 0 < len(der) <= MAX_TOKEN_BYTES:
        state.find(Rule.STAMP_FORM, f"a token of 1 to {MAX_TOKEN_BYTES} bytes", len(der))
    try:
        token = read_token(der)
        token.check_covers(checkpoint.text)
    except TimestampError as error:
        state.find(Rule.STAMP_IMPRINT, f"a token over the checkpoint of {checkpoint.size} entries", error)
        return None
    return token


def _is_signed(state: State, token: Timestamp) -> bool:
    try:
        token.check_signed(state.authorities)
    except TimestampError as error:
        state.find(Rule.STAMP_SIGNATURE, "a token of an authority that you named", error)
        return False
    return True
