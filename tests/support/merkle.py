"""The tree as the standard defines it, slowly, to compare the quick one with."""

from functools import lru_cache
from hashlib import sha256

from ledger.log.tree import ReadNode

LEAVES = [sha256(b"\x00entry %d" % i).digest() for i in range(70_000)]
"""The leaves of `entry(0)`, `entry(1)`, … hashed here by hand."""


def entry(index: int) -> bytes:
    """The entry whose leaf is LEAVES[index]."""
    return b"entry %d" % index


@lru_cache(maxsize=1_000_000)
def mth(lo: int, hi: int) -> bytes:
    """MTH(D[lo:hi]) by the recursive definition (RFC 6962, section 2.1)."""
    if hi - lo == 0:
        return sha256(b"").digest()
    if hi - lo == 1:
        return LEAVES[lo]
    k = 1
    while 2 * k < hi - lo:
        k *= 2
    return sha256(b"\x01" + mth(lo, lo + k) + mth(lo + k, hi)).digest()


def nodes(size: int) -> ReadNode:
    """The nodes of the tree over the first `size` leaves; any other is no node of it."""

    def read(level: int, index: int) -> bytes:
        lo, hi = index << level, (index + 1) << level
        assert 0 <= lo < hi <= size, f"node ({level}, {index}) is not complete in a tree of size {size}"
        return mth(lo, hi)

    return read


def path(index: int, lo: int, hi: int) -> list[bytes]:
    """PATH(index, D[lo:hi]) by the recursive definition (RFC 6962, section 2.1.1)."""
    if hi - lo == 1:
        return []
    k = 1
    while 2 * k < hi - lo:
        k *= 2
    if index < lo + k:
        return [*path(index, lo, lo + k), mth(lo + k, hi)]
    return [*path(index, lo + k, hi), mth(lo, lo + k)]


def flip(data: bytes, bit: int) -> bytes:
    """The bytes with one bit turned; bits are counted through and around."""
    bit %= 8 * len(data)
    return data[: bit // 8] + bytes([data[bit // 8] ^ 1 << bit % 8]) + data[bit // 8 + 1 :]
