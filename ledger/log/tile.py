"""Tiles: the tree and its entries cut into files that never change (c2sp.org/tlog-tiles).

Node (8·l, i) is hash i mod 256 of tile i // 256 at level l; the nodes of levels between are hashed from these.
A *partial* tile is the last, unfinished one of its level; it is never hashed into the level above.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from ledger.log.encoding import HASH_SIZE, MAX_SIZE, parse_decimal
from ledger.log.errors import MalformedError
from ledger.log.tree import ReadNode, root_of

FULL_WIDTH = 256
"""Hashes in a full tile, entries in a full bundle."""

MAX_LEVEL = 63
MAX_INDEX = MAX_SIZE // FULL_WIDTH
MAX_ENTRY_BYTES = 65_535
"""What the length prefix of a bundle can say."""

_TILE_HEIGHT = 8
_PATH = re.compile(r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/([0-9]{1,3}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """Where a tile of hashes stands: level, index within the level, and how many hashes it has."""

    level: int
    index: int
    width: int = FULL_WIDTH

    def __post_init__(self) -> None:
        if not 0 <= self.level <= MAX_LEVEL:
            raise MalformedError(f"tile level: expected 0 to {MAX_LEVEL}, found {self.level}")
        _check_place(self.index, self.width)

    @property
    def path(self) -> str:
        """The path below the log's URL."""
        return f"tile/{self.level}/{_place(self.index, self.width)}"

    @property
    def byte_size(self) -> int:
        """How many bytes the tile has."""
        return self.width * HASH_SIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Where an entry bundle stands: the entries whose leaves are in the level 0 tile of the same index and width."""

    index: int
    width: int = FULL_WIDTH

    def __post_init__(self) -> None:
        _check_place(self.index, self.width)

    @property
    def path(self) -> str:
        """The path below the log's URL."""
        return f"tile/entries/{_place(self.index, self.width)}"

    @property
    def span(self) -> range:
        """The indexes of its entries."""
        return range(self.index * FULL_WIDTH, self.index * FULL_WIDTH + self.width)


ReadTile = Callable[[Tile], bytes]
"""Answers the bytes of a tile; a reader may cut a partial tile from a wider one of the same level and index."""


def parse_path(path: str) -> Tile | Bundle:
    """The tile or bundle at a path below the log's URL. Each has one path; any other spelling is refused."""
    match = _PATH.fullmatch(path)
    if match is None:
        raise MalformedError(f"tile path: expected tile/<level or entries>/<index>[.p/<width>], found {path[:80]!r}")
    kind, place, partial = match.groups()
    index = int(place.replace("x", "").replace("/", ""))
    width = FULL_WIDTH if partial is None else parse_decimal(partial, "tile width", maximum=FULL_WIDTH - 1)
    found: Tile | Bundle
    if kind == "entries":
        found = Bundle(index=index, width=width)
    else:
        found = Tile(level=parse_decimal(kind, "tile level"), index=index, width=width)
    if found.path != path:  # a leading group of zeros
        raise MalformedError(f"tile path: expected {found.path}, found {path}")
    return found


def new_tiles(old_size: int, size: int) -> Iterator[Tile]:
    """The tiles that a tree of `size` has and one of `old_size` had not, level by level; from 0, all of them."""
    for level in range(MAX_LEVEL + 1):
        for index, width in _grown(old_size >> _TILE_HEIGHT * level, size >> _TILE_HEIGHT * level):
            yield Tile(level=level, index=index, width=width)


def partial_tiles(size: int) -> list[Tile]:
    """The unfinished tiles of a tree of `size`, one a level at most: what `grow` reads."""
    tiles = []
    for level in range(MAX_LEVEL + 1):
        index, width = divmod(size >> _TILE_HEIGHT * level, FULL_WIDTH)
        if width:
            tiles.append(Tile(level=level, index=index, width=width))
    return tiles


def new_bundles(old_size: int, size: int) -> Iterator[Bundle]:
    """The entry bundles that a log of `size` has and one of `old_size` had not."""
    for index, width in _grown(old_size, size):
        yield Bundle(index=index, width=width)


def grow(old_size: int, leaves: Sequence[bytes], read: ReadTile) -> Iterator[tuple[Tile, bytes]]:
    """The new tiles and their bytes when `leaves` join a tree of `old_size`, in the order of `new_tiles`.

    Reads the partial tiles of the old tree, one a level. Nothing else of the tree is touched, so the work is O(leaves).
    """
    hashes, count = leaves, old_size
    for level in range(MAX_LEVEL + 1):
        if not hashes:
            return
        first, width = divmod(count, FULL_WIDTH)
        old = _read(Tile(level=level, index=first, width=width), read) if width else []
        hashes = [*old, *hashes]
        full_roots = []
        for start in range(0, len(hashes), FULL_WIDTH):
            chunk = hashes[start : start + FULL_WIDTH]
            tile, data = Tile(level=level, index=first + start // FULL_WIDTH, width=len(chunk)), b"".join(chunk)
            assert len(data) == tile.byte_size, "a leaf that is not a hash"
            yield tile, data
            if tile.width == FULL_WIDTH:
                full_roots.append(root_of(chunk))
        hashes, count = full_roots, first


def node_reader(size: int, read: ReadTile) -> ReadNode:
    """Nodes of the tree of `size`, from its tiles: what `tree.inclusion_proof` and its like ask for.

    Each tile is read once and kept as long as the reader, so make one per proof or per batch of proofs.
    """
    hashes_of = cache(lambda tile: _read(tile, read))

    def read_node(level: int, index: int) -> bytes:
        tile, first, count = locate(level, index, size)
        return root_of(hashes_of(tile)[first : first + count])

    return read_node


def tiles_read(size: int, prove: Callable[[ReadNode], object]) -> list[Tile]:
    """The tiles that `prove` reads from the tree of `size`: who fetches asynchronously gets them first, then proves.

    `tiles_read(size, lambda read: inclusion_proof(index, size, read))`
    """
    tiles: dict[Tile, None] = {}

    def note(level: int, index: int) -> bytes:
        tiles[locate(level, index, size)[0]] = None
        return bytes(HASH_SIZE)  # which tiles are read does not depend on what stands in them

    prove(note)
    return list(tiles)


def locate(level: int, index: int, size: int) -> tuple[Tile, int, int]:
    """In which tile of the tree of `size` node (level, index) is found: the root over `count` hashes from `first`."""
    tile_level, height = divmod(level, _TILE_HEIGHT)
    tile_index, first = divmod(index << height, FULL_WIDTH)
    count = 1 << height
    width = min((size >> _TILE_HEIGHT * tile_level) - tile_index * FULL_WIDTH, FULL_WIDTH)
    if index < 0 or first + count > width:
        raise ValueError(f"node ({level}, {index}) is not complete in a tree of size {size}")
    return Tile(level=tile_level, index=tile_index, width=width), first, count


def split_hashes(data: bytes, tile: Tile) -> list[bytes]:
    """The hashes of a tile."""
    if len(data) != tile.byte_size:
        raise MalformedError(f"{tile.path}: expected {tile.byte_size} bytes, found {len(data)}")
    return [data[i : i + HASH_SIZE] for i in range(0, len(data), HASH_SIZE)]


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """The bytes of an entry bundle: u16be length ‖ entry, one after the other."""
    chunks = []
    for i, entry in enumerate(entries):
        if len(entry) > MAX_ENTRY_BYTES:
            raise MalformedError(f"entry {i} of a bundle: expected at most {MAX_ENTRY_BYTES} bytes, found {len(entry)}")
        chunks += [len(entry).to_bytes(2), entry]
    return b"".join(chunks)


def decode_bundle(data: bytes, bundle: Bundle) -> list[bytes]:
    """The entries of a bundle, exactly as many as its width."""
    entries: list[bytes] = []
    start = 0
    while start < len(data):
        end = start + 2 + int.from_bytes(data[start : start + 2])
        entries.append(data[start + 2 : end])
        start = end
    if start != len(data) or len(entries) != bundle.width:  # cut short, the last length points beyond the end
        raise MalformedError(
            f"{bundle.path}: expected {bundle.width} entries in {start} bytes, found {len(entries)} in {len(data)}"
        )
    return entries


def _read(tile: Tile, read: ReadTile) -> list[bytes]:
    return split_hashes(read(tile), tile)


def _grown(before: int, after: int) -> Iterator[tuple[int, int]]:
    """Index and width of what changes when a level grows from `before` to `after` items."""
    if not 0 <= before <= after:
        raise ValueError(f"a log of size {before} cannot have grown to size {after}")
    first = before // FULL_WIDTH
    end = -(-after // FULL_WIDTH) if after > before else first
    for index in range(first, end):
        yield index, min(after - index * FULL_WIDTH, FULL_WIDTH)


def _check_place(index: int, width: int) -> None:
    if not 0 <= index <= MAX_INDEX:
        raise MalformedError(f"tile index: expected 0 to {MAX_INDEX}, found {index}")
    if not 1 <= width <= FULL_WIDTH:
        raise MalformedError(f"tile width: expected 1 to {FULL_WIDTH}, found {width}")


def _place(index: int, width: int) -> str:
    """Groups of three digits, all but the last behind an x, so that no file is also a folder."""
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = "/x".join(digits[i : i + 3] for i in range(0, len(digits), 3))
    head, slash, last = groups.rpartition("/x")
    place = f"x{head}/{last}" if slash else last
    return place if width == FULL_WIDTH else f"{place}.p/{width}"
