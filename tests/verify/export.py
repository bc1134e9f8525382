"""Logs as an auditor finds them: exported as files, and forged the careful way, with every hash and signature right."""

import json
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

from ledger import entries
from ledger.log.checkpoint import Checkpoint
from ledger.log.cosignature import Cosigner
from ledger.log.errors import MalformedError
from ledger.log.note import Ed25519Signer
from ledger.log.policy import Log, Policy
from ledger.log.tile import Bundle, Tile, encode_bundle, grow, new_bundles
from ledger.log.tree import leaf_hash, root_of
from ledger.verify.source import MissingError
from tests.support.keys import log_signer

ORIGIN = "ledger.example.org/log"
"""What `tests.support.society` opens."""

SIGNER = log_signer(ORIGIN)
POLICY = Policy(logs=(Log(key=SIGNER.key),))

Value = dict[str, Any]
"""An entry as JSON."""


class Memory:
    """A log's files, by path: a source without a disk."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = dict(files)

    def checkpoint(self) -> bytes:
        return self._read("checkpoint")

    def tile(self, tile: Tile) -> bytes:
        return self._read(tile.path)

    def bundle(self, bundle: Bundle) -> bytes:
        return self._read(bundle.path)

    def kept(self, name: str) -> bytes:
        return self._read(name)

    def write(self, folder: Path) -> None:
        """As a static export."""
        for path, data in self.files.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)

    def _read(self, path: str) -> bytes:
        if path not in self.files:
            raise MissingError(path)
        return self.files[path]


def export(
    written: Iterable[bytes],
    *,
    origin: str = ORIGIN,
    signer: Ed25519Signer = SIGNER,
    cosigners: Iterable[Cosigner] = (),
    time_s: int = 0,
) -> Memory:
    """Tiles, bundles and a signed checkpoint of these entries."""
    log = [*written]
    leaves = [leaf_hash(each) for each in log]
    files = {tile.path: data for tile, data in grow(0, leaves, nothing)}
    for bundle in new_bundles(0, len(log)):
        files[bundle.path] = encode_bundle(log[bundle.span.start : bundle.span.stop])
    files["checkpoint"] = signed(
        len(log), root_of(leaves), origin=origin, signer=signer, cosigners=cosigners, time_s=time_s
    )
    return Memory(files)


def signed(  # noqa: PLR0913
    size: int,
    root: bytes,
    *,
    origin: str = ORIGIN,
    signer: Ed25519Signer = SIGNER,
    cosigners: Iterable[Cosigner] = (),
    time_s: int = 0,
) -> bytes:
    """A checkpoint."""
    checkpoint = Checkpoint(origin=origin, size=size, root=root)
    cosignatures = [each.sign(checkpoint, time_s=time_s) for each in cosigners]
    return checkpoint.signed([signer.sign(checkpoint.text), *cosignatures])


def read(written: Iterable[bytes]) -> list[Value]:
    """The entries as JSON, to be forged."""
    return [json.loads(each) for each in written]


def sealed(values: Iterable[Value], *, recommitted: bool = True) -> list[bytes]:
    """Entries encoded again, chained again; proposals commit again to what their effects say."""
    log = [*values]
    if recommitted:
        _recommit(log)
    written: list[bytes] = []
    prev = entries.GENESIS_PREV
    for value in log:
        value["prev"] = prev
        written.append(entries.canonical(value))
        prev = sha256(written[-1]).hexdigest()
    return written


def forged(written: Iterable[bytes], seq: int, change: Callable[[Value], object]) -> list[bytes]:
    """The log with one entry changed, and everything after it built anew."""
    log = read(written)
    change(log[seq])
    return sealed(log)


def appended(written: Iterable[bytes], **fields: Any) -> list[bytes]:
    """The log with one more entry, which says of itself what is not told here as the one before does."""
    log = read(written)
    return sealed([*log, {**log[-1], "seq": len(log), **fields}])


def _recommit(log: list[Value]) -> None:
    said = {each["by"]["proposal"]: each for each in log if "proposal" in each["by"]}
    for made in log:
        if made["kind"] == "proposal.made":
            effect = said.get(made["seq"] - made["body"].get("part", [1])[0] + 1)
            if effect is not None:
                made["body"]["commitment"] = commitment(effect["body"], effect["by"].get("salt", ""))


def commitment(body: Value, salt: str) -> str:
    """What a proposal of this body says."""
    plain = {name: field for name, field in body.items() if name not in {"left", "moved", "part", "receipt", "root"}}
    return sha256(b"sunledger/proposal/1\n%b\n%b\n" % (salt.encode(), entries.canonical(plain))).hexdigest()


def nothing(tile: Tile) -> bytes:
    """The tiles of a log before its first entry."""
    raise MalformedError(f"{tile.path}: a log that starts from nothing has no partial tile")
