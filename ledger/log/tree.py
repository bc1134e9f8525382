"""The Merkle tree of RFC 6962: hashes, the growing frontier, inclusion and consistency proofs, in O(log n).

A *leaf* is the hash of an entry. A *node* is the hash of a complete aligned subtree: node (level, index) covers the
leaves [index·2^level, (index+1)·2^level). Proofs are made from nodes alone, be they in tiles, memory or a database.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Self

from ledger.log.encoding import HASH_SIZE, MAX_SIZE
from ledger.log.errors import MalformedError, ProofError

EMPTY_ROOT = sha256(b"").digest()
"""The root of the tree without leaves."""

ReadNode = Callable[[int, int], bytes]
"""Answers the hash of node (level, index)."""


def leaf_hash(entry: bytes) -> bytes:
    """The leaf of an entry (RFC 6962, section 2.1)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash over two subtrees (RFC 6962, section 2.1)."""
    return sha256(b"\x01" + left + right).digest()


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over leaves in one go (RFC 6962, section 2.1), hashing pairs from the bottom up."""
    hashes = list(leaves)
    if not hashes:
        return EMPTY_ROOT
    while len(hashes) > 1:
        # An odd last node goes up as it is: the split at the largest power of two, seen from below.
        unpaired = [hashes.pop()] if len(hashes) & 1 else []
        hashes = [
            sha256(b"\x01" + left + right).digest() for left, right in zip(hashes[::2], hashes[1::2], strict=True)
        ]
        hashes += unpaired
    return hashes[0]


class Frontier:
    """The right edge of a growing tree: the roots of its complete subtrees, largest first, one per 1-bit of size."""

    __slots__ = ("_peaks", "size")

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size = size
        self._peaks = list(peaks)
        if not 0 <= size <= MAX_SIZE:
            raise MalformedError(f"frontier: expected a size of 0 to {MAX_SIZE}, found {size}")
        if [len(peak) for peak in self._peaks] != [HASH_SIZE] * size.bit_count():
            raise MalformedError(f"frontier of size {size}: expected {size.bit_count()} hashes of {HASH_SIZE} bytes")

    @classmethod
    def at(cls, size: int, read: ReadNode) -> Self:
        """The frontier of the first `size` leaves, read from nodes."""
        return cls(size, (read(level, index) for level, index in _nodes(0, size)))

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """What `to_bytes` wrote."""
        if len(data) % HASH_SIZE != 8:
            raise MalformedError(f"frontier: expected 8 bytes and whole hashes, found {len(data)} bytes")
        return cls(int.from_bytes(data[:8]), (data[i : i + HASH_SIZE] for i in range(8, len(data), HASH_SIZE)))

    def to_bytes(self) -> bytes:
        """u64be size ‖ peaks, largest first."""
        return self.size.to_bytes(8) + b"".join(self._peaks)

    def append(self, leaf: bytes) -> None:
        """Add one leaf. O(1) on average, O(log n) at worst."""
        peaks, size = self._peaks, self.size
        self.size = size + 1
        while size & 1:
            leaf = sha256(b"\x01" + peaks.pop() + leaf).digest()
            size >>= 1
        peaks.append(leaf)

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add leaves in order."""
        for leaf in leaves:
            self.append(leaf)

    def root(self) -> bytes:
        """The root of the tree as it is now. O(log n)."""
        return _join(self._peaks)

    def copy(self) -> Self:
        """Another frontier of the same tree, to grow on trial."""
        return type(self)(self.size, self._peaks)

    def __repr__(self) -> str:
        return f"Frontier(size={self.size}, root={self.root().hex()})"


def root_at(size: int, read: ReadNode) -> bytes:
    """The root of the tree over the first `size` leaves, read from nodes. O(log n)."""
    return _range_root(0, size, read)


def inclusion_proof(index: int, size: int, read: ReadNode) -> list[bytes]:
    """The audit path of leaf `index` in the tree of `size`, its sibling first (RFC 6962, section 2.1.1). O(log n)."""
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of size {size}")
    siblings = []
    lo, hi = 0, size
    while hi - lo > 1:
        split = _split(lo, hi)
        if index < split:
            siblings.append((split, hi))
            hi = split
        else:
            siblings.append((lo, split))
            lo = split
    return [_range_root(lo, hi, read) for lo, hi in reversed(siblings)]


def consistency_proof(size1: int, size2: int, read: ReadNode) -> list[bytes]:
    """That the tree of `size1` is a prefix of that of `size2` (RFC 6962, section 2.1.2). O(log n).

    Empty for equal sizes, and for size 0, where there is nothing to prove.
    """
    if not 0 <= size1 <= size2:
        raise ValueError(f"a tree of size {size1} cannot have grown to size {size2}")
    if size1 in {0, size2}:
        return []
    parts = []
    lo, hi = 0, size2
    while hi != size1:
        split = _split(lo, hi)
        if size1 <= split:
            parts.append((split, hi))
            hi = split
        else:
            parts.append((lo, split))
            lo = split
    if lo > 0:  # otherwise what is left is the old tree itself, whose root the verifier has
        parts.append((lo, hi))
    return [_range_root(lo, hi, read) for lo, hi in reversed(parts)]


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Check that `leaf` is leaf `index` of the tree of `size` with `root`, or raise ProofError.

    RFC 9162, section 2.1.3.2, with the length of the path known beforehand.
    """
    claim = f"inclusion of leaf {index} in the tree of size {size}"
    if not 0 <= index < size:
        raise ProofError(claim, expected=f"an index below {size}", found=index)
    inner, border = _lengths(index, size - 1)
    _check_proof(claim, proof, inner + border)
    if len(leaf) != HASH_SIZE:  # in a tree of one leaf any bytes would equal themselves
        raise ProofError(claim, expected=f"a leaf of {HASH_SIZE} bytes", found=len(leaf))
    found = _climb(leaf, proof, index, inner)
    if found != root:
        raise ProofError(claim, expected=f"root {root.hex()}", found=found.hex())


def verify_consistency(size1: int, size2: int, root1: bytes, root2: bytes, proof: Sequence[bytes]) -> None:
    """Check that the tree (size1, root1) is a prefix of (size2, root2), or raise ProofError.

    RFC 9162, section 2.1.4.2. Size 0 is refused: every tree grows from the empty one, so a proof of that says nothing,
    and a caller that starts there has nothing to verify.
    """
    claim = f"consistency of the tree of size {size1} with that of size {size2}"
    if not 1 <= size1 <= size2:
        raise ProofError(claim, expected=f"a first size of 1 to {size2}", found=size1)
    if size1 == size2:
        _check_proof(claim, proof, 0)
        if root1 != root2:
            raise ProofError(claim, expected=f"root {root1.hex()}", found=root2.hex())
        return
    # Both trees share the complete subtree that ends at leaf size1 - 1; the path starts there.
    height = (size1 & -size1).bit_length() - 1
    is_old_root = size1 == 1 << height
    path = [root1, *proof] if is_old_root else list(proof)
    last = (size1 - 1) >> height
    inner, border = _lengths(last, (size2 - 1) >> height)
    _check_proof(claim, proof, inner + border + (0 if is_old_root else 1))
    seed, path = path[0], path[1:]
    old_path = [sibling for i, sibling in enumerate(path) if i >= inner or last >> i & 1]  # what the old tree had
    found1 = _climb(seed, old_path, 0, 0)
    if found1 != root1:
        raise ProofError(claim, expected=f"first root {root1.hex()}", found=found1.hex())
    found2 = _climb(seed, path, last, inner)
    if found2 != root2:
        raise ProofError(claim, expected=f"second root {root2.hex()}", found=found2.hex())


def _lengths(index: int, last: int) -> tuple[int, int]:
    """How long the path of leaf `index` is until it meets that of the last leaf, and from there up."""
    inner = (index ^ last).bit_length()
    return inner, (index >> inner).bit_count()


def _climb(node: bytes, path: Sequence[bytes], index: int, inner: int) -> bytes:
    """The root reached from node `index`: bit by bit below `inner`, above it all siblings lie to the left."""
    for i, sibling in enumerate(path):
        is_left = i >= inner or index >> i & 1
        node = node_hash(sibling, node) if is_left else node_hash(node, sibling)
    return node


def _check_proof(claim: str, proof: Sequence[bytes], count: int) -> None:
    if len(proof) != count:
        raise ProofError(claim, expected=f"{count} hashes", found=len(proof))
    for i, sibling in enumerate(proof):
        if len(sibling) != HASH_SIZE:
            raise ProofError(claim, expected=f"{HASH_SIZE} bytes in hash {i} of the proof", found=len(sibling))


def _split(lo: int, hi: int) -> int:
    """Where a tree over the leaves [lo, hi) splits: after the largest power of two below their number."""
    return lo + (1 << ((hi - lo - 1).bit_length() - 1))


def _range_root(lo: int, hi: int, read: ReadNode) -> bytes:
    return _join([read(level, index) for level, index in _nodes(lo, hi)])


def _nodes(lo: int, hi: int) -> Iterator[tuple[int, int]]:
    """The complete subtrees of a tree over the leaves [lo, hi), largest first."""
    while lo < hi:
        level = (hi - lo).bit_length() - 1
        yield level, lo >> level
        lo += 1 << level


def _join(peaks: Sequence[bytes]) -> bytes:
    """The root over complete subtrees, largest first."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root
