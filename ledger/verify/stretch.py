"""A stretch of the log checked as bytes: canonical form, numbers, chain, leaves against their tiles.

A pure function of what was read, so that it may run in another process. What joins two stretches (the hash that the
first entry names, the roots above the tiles) is answered, and checked where all of it comes together.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any

import msgspec

from ledger.log.encoding import HASH_SIZE
from ledger.log.errors import MalformedError
from ledger.log.tile import FULL_WIDTH, Bundle, Tile, decode_bundle
from ledger.log.tree import root_of
from ledger.verify.finding import Findings
from ledger.verify.rule import Rule

MAX_DEPTH = 8
"""Arrays and objects within one another in an entry; every kind needs fewer."""

MAX_INTEGER = 2**53 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A bundle and the tile of its leaves, as they were read; None for a tile that is missing."""

    bundle: Bundle
    entries: bytes | list[bytes]
    """As they are served, in one; or apart already, and as many as there should be."""
    tile: bytes | None

    def apart(self) -> list[bytes]:
        """Each entry's bytes. Raises MalformedError."""
        return self.entries if isinstance(self.entries, list) else decode_bundle(self.entries, self.bundle)

    @property
    def length(self) -> int:
        """Of all entries, in bytes."""
        return sum(map(len, self.entries)) if isinstance(self.entries, list) else len(self.entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Pieces that follow one another."""

    pieces: tuple[Piece, ...]

    @property
    def size(self) -> int:
        """How many entries."""
        return sum(piece.bundle.width for piece in self.pieces)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a stretch amounts to."""

    first: int
    """The number of the first entry."""
    size: int
    """How many entries."""
    findings: Findings
    first_prev: str | None
    """What the first entry names as the hash of the one before; None where it cannot be read."""
    last_digest: str | None
    """The hash of the last entry's bytes."""
    leaves: list[bytes]
    """The leaves of an unfinished tile at the end."""
    roots: list[bytes]
    """The roots of the full tiles."""


def check(stretch: Stretch) -> Checked:
    """Check one stretch."""
    findings = Findings()
    first_prev: str | None = None
    prev: str | None = None
    roots: list[bytes] = []
    leaves: list[bytes] = []
    for piece in stretch.pieces:
        first = piece.bundle.span.start
        try:
            entries = piece.apart()
        except MalformedError as error:
            findings.add(first, Rule.BUNDLE_FORM, f"{piece.bundle.width} entries", error)
            # Go on with the hashes that are claimed: what they claim is compared with the signed root all the same.
            leaves = _hashes(piece.tile, piece.bundle.width)
            prev = None
        else:
            found, digest = _check_entries(entries, first, prev, findings)
            if piece is stretch.pieces[0]:
                first_prev = found
            prev = digest
            leaves = [sha256(b"\x00" + entry).digest() for entry in entries]  # RFC 6962, section 2.1
            _check_tile(piece, leaves, findings)
        if len(leaves) == FULL_WIDTH:
            roots.append(root_of(leaves))
            leaves = []
    return Checked(
        first=stretch.pieces[0].bundle.span.start,
        size=stretch.size,
        findings=findings,
        first_prev=first_prev,
        last_digest=prev,
        leaves=leaves,
        roots=roots,
    )


def _check_entries(entries: list[bytes], first: int, prev: str | None, findings: Findings) -> tuple[str | None, str]:
    """Form, number and chain of each; returns the `prev` of the first one and the hash of the last one."""
    first_prev: str | None = None
    for seq, written in enumerate(entries, first):
        try:
            value = _decode(written)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            findings.add(seq, Rule.CANONICAL, "a JSON object of strings, integers, arrays, objects, booleans", error)
            value = {}
        else:
            _check_written(seq, written, value, findings)
            if value.get("seq") != seq:
                findings.add(seq, Rule.SEQ_DENSE, seq, value.get("seq"))
            if seq == first:
                found = value.get("prev")
                first_prev = found if isinstance(found, str) else ""
            if prev is not None and value.get("prev") != prev:
                findings.add(seq, Rule.PREV_CHAIN, prev, value.get("prev"))
        prev = sha256(written).hexdigest()
    assert prev is not None, "a bundle has entries"
    return first_prev, prev


def _check_written(seq: int, written: bytes, value: dict[str, Any], findings: Findings) -> None:
    """RFC 8785 in the ledger's profile: the one way to write it, and keys in ASCII."""
    if _encode(value) != written:
        findings.add(seq, Rule.CANONICAL, "the canonical form (RFC 8785)", written[:200])
    elif not written.isascii() and not _has_ascii_keys(value):
        findings.add(seq, Rule.CANONICAL, "keys in ASCII", written[:200])


def _has_ascii_keys(value: object) -> bool:
    match value:
        case dict():
            return all(key.isascii() and _has_ascii_keys(each) for key, each in value.items())
        case list():
            return all(map(_has_ascii_keys, value))
        case _:
            return True


def _check_tile(piece: Piece, leaves: list[bytes], findings: Findings) -> None:
    first = piece.bundle.span.start
    path = Tile(level=0, index=piece.bundle.index, width=piece.bundle.width).path
    if piece.tile is None:
        findings.add(first, Rule.TILE_MISSING, path, "nothing")
    elif piece.tile != b"".join(leaves):
        claimed = _hashes(piece.tile, len(leaves))
        i = next((i for i, (a, b) in enumerate(zip(leaves, claimed, strict=True)) if a != b), 0)
        findings.add(
            first + i, Rule.TILE_HASH, f"{path}: {leaves[i].hex()}", claimed[i].hex() or f"{len(piece.tile)} bytes"
        )


def _hashes(tile: bytes | None, width: int) -> list[bytes]:
    """As many hashes as there should be, whatever is there."""
    data = tile or b""
    return [data[i * HASH_SIZE : (i + 1) * HASH_SIZE] for i in range(width)]


def _value_type() -> Any:
    """What an entry may hold: no null, no float, no integer beyond ±(2^53-1)."""
    scalar = str | Annotated[int, msgspec.Meta(ge=-MAX_INTEGER, le=MAX_INTEGER)] | bool
    value: Any = scalar
    for _ in range(MAX_DEPTH - 1):
        value = scalar | list[value] | dict[str, value]
    return dict[str, value]


_decode = msgspec.json.Decoder(_value_type()).decode
_encode = msgspec.json.Encoder(order="sorted").encode
