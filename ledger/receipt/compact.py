"""The receipt as few bytes, for a QR code: numbers and hashes in binary, the entry compressed, Ed25519 signatures only.

docs/formats.md specifies it byte by byte. Decoding gives back the entry's exact bytes and a `.tlog-proof`; checking is
the same as for a file (`Receipt.verify`).
"""

import zlib
from collections.abc import Iterator

from ledger.log.checkpoint import Checkpoint
from ledger.log.encoding import HASH_SIZE, MAX_PROOF_HASHES
from ledger.log.errors import MalformedError
from ledger.log.key import ED25519, ED25519_COSIGNATURE
from ledger.log.note import MAX_SIGNATURES, Signature, parse_note
from ledger.log.proof import LogProof
from ledger.log.tile import MAX_ENTRY_BYTES
from ledger.receipt.receipt import Receipt

VERSION = b"\x01"

MAX_COMPACT_BYTES = 2_953
"""What the largest QR code holds (version 40, level L, bytes)."""

PAYLOAD_SIZES = {ED25519: 64, ED25519_COSIGNATURE: 8 + 64}
"""Signature type → bytes behind the key id."""

DICTIONARY = (
    b'"reason":"part":[1,2],"outcome":"ok","qty":"text":"money.released","gift.refunded","refunds:"'
    b'"delivery.confirmed","feedback.published","beneficiaries":"1-4","decision":"evidence":["'
    b'"payee":"persons","project":"purpose":"region":"spending":"aid"},"purchase"'
    b'"checkers":["s-"],"proposal":,"salt":"money.disbursed","payees:"money.allocated","project:'
    b'","channel":"cash","channel":"alipay","channel":"bank","channel":"wechat","donor":"'
    b'{"at":"2026-T00:00:00.000Z","body":{"batch":,"channel":"wechat","donor":"","donor_class":"organisation"'
    b'","donor_class":"person","event":"","fund":"general","on":"2026-","receipt":"","ref":"","row":},'
    b'"by":{"maker":"s-"},"kind":"money.received","postings":[["donors:330800",-1,"fund:330800:general",'
    b'0,,"CNY"]],"prev":"","seq":,"v":1}'
)
"""What entries have in common, for zlib (RFC 1950, FDICT) to refer to. Part of version 1: never changed."""


def encode_compact(receipt: Receipt) -> bytes:
    """The receipt in its compact form, without signatures other than Ed25519.

    Raises MalformedError where it does not fit a QR code or holds no Ed25519 signature.
    """
    note = parse_note(receipt.proof.checkpoint)
    checkpoint = Checkpoint.parse(note.text)
    signatures = [(kind, each) for each in note.signatures if (kind := _ed25519_type(each))]
    if not signatures:
        raise MalformedError("compact receipt: expected a checkpoint with an Ed25519 signature")
    data = b"".join(
        (
            VERSION,
            receipt.proof.index.to_bytes(8),
            checkpoint.size.to_bytes(8),
            checkpoint.root,
            len(receipt.proof.hashes).to_bytes(1),
            *receipt.proof.hashes,
            _labelled(checkpoint.origin),
            len(signatures).to_bytes(1),
            *(_encode_signature(kind, each, checkpoint.origin) for kind, each in signatures),
            _deflate(receipt.entry),
        )
    )
    if len(data) > MAX_COMPACT_BYTES:
        raise MalformedError(f"compact receipt: expected at most {MAX_COMPACT_BYTES} bytes, found {len(data)}")
    return data


def decode_compact(data: bytes) -> Receipt:
    """The receipt of a compact form. Nothing in it is believed yet. Raises MalformedError, and nothing else."""
    if len(data) > MAX_COMPACT_BYTES:
        raise MalformedError(f"compact receipt: expected at most {MAX_COMPACT_BYTES} bytes, found {len(data)}")
    reader = _Reader(data)
    if (version := reader.take(1)) != VERSION:
        raise MalformedError(f"compact receipt: expected version 01, found {version.hex()}")
    index, size, root = reader.number(8), reader.number(8), reader.take(HASH_SIZE)
    count = reader.number(1)
    if count > MAX_PROOF_HASHES:
        raise MalformedError(f"compact receipt: expected at most {MAX_PROOF_HASHES} hashes, found {count}")
    hashes = tuple(reader.take(HASH_SIZE) for _ in range(count))
    checkpoint = Checkpoint(origin=reader.text(), size=size, root=root)
    signatures = tuple(_signatures(reader, checkpoint.origin))
    # What the checkpoint's own reader would refuse is refused here: a name with a blank, for instance.
    note = checkpoint.signed(signatures)
    if parse_note(note).signatures != signatures:
        raise MalformedError("compact receipt: expected signatures as a note holds them")
    proof = LogProof.parse(LogProof(index=index, hashes=hashes, checkpoint=note).encode())
    return Receipt(entry=_inflate(reader.rest()), proof=proof)


def _ed25519_type(signature: Signature) -> int:
    """The type of an Ed25519 signature, told by its length; 0 for any other."""
    return next((kind for kind, size in PAYLOAD_SIZES.items() if len(signature.payload) == size), 0)


def _encode_signature(kind: int, signature: Signature, origin: str) -> bytes:
    name = "" if signature.name == origin else signature.name  # a log signs under its origin
    return kind.to_bytes(1) + _labelled(name) + signature.key_id + signature.payload


def _signatures(reader: "_Reader", origin: str) -> Iterator[Signature]:
    count = reader.number(1)
    if not 1 <= count <= MAX_SIGNATURES:
        raise MalformedError(f"compact receipt: expected 1 to {MAX_SIGNATURES} signatures, found {count}")
    for _ in range(count):
        kind = reader.number(1)
        if kind not in PAYLOAD_SIZES:
            raise MalformedError(f"compact receipt: expected a signature of type 01 or 04, found {kind:02x}")
        name = reader.text()
        if name == origin:
            raise MalformedError("compact receipt: expected no name where it is the origin")
        yield Signature(name or origin, reader.take(4), reader.take(PAYLOAD_SIZES[kind]))


def _labelled(text: str) -> bytes:
    """One byte for the length, then the text."""
    data = text.encode()
    if len(data) > 255:
        raise MalformedError(f"compact receipt: expected names of 255 bytes at most, found {text[:80]!r}…")
    return len(data).to_bytes(1) + data


def _deflate(entry: bytes) -> bytes:
    if not 1 <= len(entry) <= MAX_ENTRY_BYTES:
        raise MalformedError(f"compact receipt: expected an entry of 1 to {MAX_ENTRY_BYTES} bytes, found {len(entry)}")
    packer = zlib.compressobj(level=9, wbits=-15, memLevel=9, zdict=DICTIONARY)
    return packer.compress(entry) + packer.flush()


def _inflate(data: bytes) -> bytes:
    """The entry: one complete stream of bounded length, with nothing behind it."""
    unpacker = zlib.decompressobj(wbits=-15, zdict=DICTIONARY)
    try:
        entry = unpacker.decompress(data, MAX_ENTRY_BYTES + 1)
    except zlib.error as error:
        raise MalformedError(f"compact receipt: expected a compressed entry: {error}") from None
    if not entry or len(entry) > MAX_ENTRY_BYTES or not unpacker.eof or unpacker.unused_data:
        raise MalformedError(f"compact receipt: expected one compressed entry of {MAX_ENTRY_BYTES} bytes at most")
    return entry


class _Reader:
    """Takes a form apart from its beginning. Raises MalformedError where it is too short."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        found = self._data[self._at : self._at + size]
        if len(found) != size:
            raise MalformedError(f"compact receipt: expected {size} bytes at {self._at}, found {len(found)}")
        self._at += size
        return found

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size))

    def text(self) -> str:
        data = self.take(self.number(1))
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise MalformedError(f"compact receipt: expected UTF-8, found {data[:40]!r}") from None

    def rest(self) -> bytes:
        return self._data[self._at :]
