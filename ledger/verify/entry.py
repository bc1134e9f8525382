"""Entries as the replay reads them: the envelope in one pass, then the body by its kind."""

import hashlib
import re
from datetime import date, datetime, timedelta
from functools import lru_cache

import msgspec

from ledger.account import Whole
from ledger.entries import KINDS, AnyBody, By
from ledger.posting import Posting
from ledger.verify.rule import Rule

VERSION = 1

NO_LINE = -1
"""`src_lo` of a posting out of a source, `lo` of a held amount."""

NO_PROPOSAL = 0
"""In place of a proposal's number: entry 0 opens the log and is none."""

OUTSIDE_COMMITMENT = ("receipt", "left", "moved", "part", "root")
"""Fields of a body that a proposal does not commit to (DESIGN, section 4, Four eyes)."""

_BEIJING = timedelta(hours=8)
_AT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")


class Envelope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """An entry whose body waits for its kind."""

    at: str
    body: msgspec.Raw
    by: By
    kind: str
    prev: str
    seq: Whole
    v: Whole
    postings: tuple[Posting, ...] = ()


class UnreadableError(Exception):
    """Bytes that are no entry of a known kind; names the rule they break."""

    def __init__(self, rule: Rule, expected: object, found: object) -> None:
        super().__init__(rule)
        self.rule = rule
        self.expected = expected
        self.found = found


def read(written: bytes) -> tuple[Envelope, AnyBody]:
    """The entry and its body. Raises UnreadableError."""
    try:
        envelope = _envelopes(written)
        read_body = _bodies.get(envelope.kind)
        if read_body is None or envelope.v != VERSION:
            found = f"{envelope.kind} version {envelope.v}"
            raise UnreadableError(Rule.KIND_KNOWN, f"a kind this verifier knows, version {VERSION}", found)
        body = read_body(envelope.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableError(Rule.ENTRY_FORM, "the fields of its kind", error) from None
    # Absent means empty: a field written out with the value of an absent one is another way to say the same.
    if _encode(body) != bytes(envelope.body) or _encode(envelope) != written:
        raise UnreadableError(Rule.ENTRY_FORM, "no field that says what its absence says", written[:200])
    return envelope, body


def commitment(body: msgspec.Raw, salt: str) -> str:
    """What a proposal of this body commits to (DESIGN, section 4, Four eyes)."""
    fields = {name: value for name, value in _plain(body).items() if name not in OUTSIDE_COMMITMENT}
    return hashlib.sha256(b"sunledger/proposal/1\n%b\n%b\n" % (salt.encode(), _encode(fields))).hexdigest()


@lru_cache(maxsize=65_536)
def is_day(text: str) -> bool:
    """Whether this is a date such as 2026-11-21."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def is_instant(at: str) -> bool:
    """Whether this is a time in UTC with milliseconds."""
    if not _AT.fullmatch(at):
        return False
    try:
        datetime.fromisoformat(at)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=65_536)
def beijing_day(hour: str) -> str:
    """The date in Beijing at an hour such as 2026-11-21T08 (UTC)."""
    try:
        return (datetime.fromisoformat(hour) + _BEIJING).date().isoformat()
    except OverflowError:  # the last hours of the year 9999
        return date.max.isoformat()


_envelopes = msgspec.json.Decoder(Envelope).decode
_bodies = {kind: msgspec.json.Decoder(body).decode for kind, body in KINDS.items()}
_plain = msgspec.json.Decoder(dict[str, object]).decode
_encode = msgspec.json.Encoder(order="sorted").encode
