"""The tree grown again from the entries, compared with the tiles that are served above the leaves."""

from ledger.log.errors import MalformedError
from ledger.log.tile import FULL_WIDTH, Tile, node_reader, split_hashes
from ledger.log.tree import EMPTY_ROOT, root_at, root_of
from ledger.verify.finding import Findings
from ledger.verify.rule import Rule
from ledger.verify.source import MissingError, Source


class Regrown:
    """Takes the roots of full leaf tiles in order, then the leaves that are left. Keeps one unfinished tile a level."""

    def __init__(self, source: Source, findings: Findings) -> None:
        self._source = source
        self._findings = findings
        self._unfinished: list[list[bytes]] = [[]]
        self._counts = [0]
        """Hashes seen, by level."""

    def add_tile(self, root: bytes) -> None:
        """The root of one more full tile of leaves."""
        assert not self._unfinished[0], "full tiles come before the unfinished one"
        self._counts[0] += FULL_WIDTH
        self._add(1, root)

    def add_leaves(self, leaves: list[bytes]) -> None:
        """The leaves of the unfinished tile at the end."""
        self._unfinished[0] = leaves
        self._counts[0] += len(leaves)

    def finish(self) -> bytes:
        """Compare the unfinished tiles above the leaves; the root of all that was added."""
        for level in range(1, len(self._unfinished)):
            if self._unfinished[level]:
                self._compare(level)
        size = self._counts[0]
        if not size:
            return EMPTY_ROOT
        # Every peak of the tree stands in the last, unfinished tile of its level.
        return root_at(size, node_reader(size, lambda tile: b"".join(self._unfinished[tile.level])))

    def _add(self, level: int, node: bytes) -> None:
        if level == len(self._unfinished):
            self._unfinished.append([])
            self._counts.append(0)
        self._unfinished[level].append(node)
        self._counts[level] += 1
        if len(self._unfinished[level]) == FULL_WIDTH:
            self._compare(level)
            self._add(level + 1, root_of(self._unfinished[level]))
            self._unfinished[level] = []

    def _compare(self, level: int) -> None:
        """The tile as served with the tile as grown."""
        expected = self._unfinished[level]
        tile = Tile(level=level, index=(self._counts[level] - 1) // FULL_WIDTH, width=len(expected))
        first = tile.index * FULL_WIDTH ** (level + 1)
        try:
            found = split_hashes(self._source.tile(tile), tile)
        except MissingError as error:
            self._findings.add(first, Rule.TILE_MISSING, tile.path, error)
        except MalformedError as error:
            self._findings.add(first, Rule.TILE_HASH, tile.path, error)
        else:
            for i, (ours, theirs) in enumerate(zip(expected, found, strict=True)):
                if ours != theirs:
                    seq = first + i * FULL_WIDTH**level
                    self._findings.add(seq, Rule.TILE_HASH, f"{tile.path}: {ours.hex()}", theirs.hex())
                    break
