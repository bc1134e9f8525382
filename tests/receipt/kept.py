"""Receipts as donors keep them, made without a store."""

from hashlib import sha256

from ledger.entries import canonical
from ledger.log.checkpoint import Checkpoint
from ledger.log.cosignature import Cosigner
from ledger.log.policy import Group, Log, Policy, Witness
from ledger.log.proof import LogProof
from ledger.log.tree import leaf_hash, node_hash
from ledger.receipt.receipt import Receipt
from tests.support.keys import ed25519_cosigner, log_signer, ml_dsa_cosigner

ORIGIN = "yangguang.redcross-example.org.cn/ledger/zhejiang"
SIGNER = log_signer(ORIGIN)
WITNESSES = [
    ed25519_cosigner("witness.audit-office.example.gov.cn/w1"),
    ed25519_cosigner("transparency.university.example.edu.cn"),
]
POST_QUANTUM = ml_dsa_cosigner("archive.example.org/w3")
POLICY = Policy(
    logs=(Log(key=SIGNER.key),),
    witnesses=tuple(
        Witness(name=f"w{i}", key=each.key, url="https://witness.example/") for i, each in enumerate(WITNESSES)
    ),
    groups=(Group(name="both", threshold=2, members=("w0", "w1")),),
    quorum="both",
)
SIZE = 10_000_000
INDEX = 6_543_210
"""As deep as a leaf lies in a tree of that size: 24 hashes."""


def digest(number: int) -> bytes:
    """A hash that no compression shortens."""
    return sha256(b"%d" % number).digest()


def gift(seq: int = INDEX) -> bytes:
    """The longest gift that is realistic: every field there, long names, large numbers."""
    donor, receipt, ref, prev = (digest(number).hex() for number in range(4))
    fund = "emergency-relief-2031-typhoon"
    return canonical(
        {
            "at": "2031-11-21T08:00:00.123Z",
            "body": {
                "batch": 9871205,
                "channel": "unionpay",
                "donor": donor,
                "donor_class": "organisation",
                "event": "typhoon-2031-zhejiang-coast",
                "fund": fund,
                "on": "2031-11-21",
                "receipt": receipt,
                "ref": ref,
                "row": 149_192,
            },
            "by": {"maker": "s-7h2d4p3w6c5ra"},
            "kind": "money.received",
            "postings": [
                ["donors:330802-01", -1, f"fund:330802-01:{fund}", 987_654_321_012, 123_456_789_012, "CNY"],
            ],
            "prev": prev,
            "seq": seq,
            "v": 1,
        }
    )


def receipt(
    entry: bytes = b"", *, index: int = INDEX, size: int = SIZE, cosigners: list[Cosigner] | None = None
) -> Receipt:
    """Of an entry in a tree of that size, whose other leaves nobody ever made."""
    entry = entry or gift(index)
    path, root = _path(leaf_hash(entry), index, size)
    checkpoint = Checkpoint(origin=ORIGIN, size=size, root=root)
    cosignatures = [each.sign(checkpoint, time_s=1_953_000_000) for each in cosigners or WITNESSES]
    note = checkpoint.signed([SIGNER.sign(checkpoint.text), *cosignatures])
    return Receipt(entry=entry, proof=LogProof(index=index, hashes=tuple(path), checkpoint=note))


def _path(leaf: bytes, index: int, size: int) -> tuple[list[bytes], bytes]:
    """A path of invented siblings, as long as it has to be, and the root they lead to (RFC 9162, section 2.1.3.2)."""
    path: list[bytes] = []
    last = size - 1
    while last:
        if index & 1 or index < last:
            sibling = digest(1_000 + len(path))
            path.append(sibling)
            leaf = node_hash(sibling, leaf) if index & 1 else node_hash(leaf, sibling)
        index, last = index >> 1, last >> 1
    return path, leaf
