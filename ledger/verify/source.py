"""Where a log is read from: three kinds of file, be they in a folder, behind a URL or in a test's memory.

A log may drop a partial tile once the full one exists (c2sp.org/tlog-tiles): then it is cut from the full one here.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from ledger.log.encoding import HASH_SIZE
from ledger.log.errors import MalformedError
from ledger.log.note import MAX_NOTE_BYTES
from ledger.log.tile import FULL_WIDTH, MAX_ENTRY_BYTES, Bundle, Tile
from ledger.verify.stretch import Piece

MAX_BUNDLE_BYTES = FULL_WIDTH * (2 + MAX_ENTRY_BYTES)
"""What 256 entries of the largest size take."""

CHECKPOINT = "checkpoint"
KEPT = ("vkey", "policy")
"""Beside it, in the log's own words: the keys that sign, one a line, and the policy (c2sp.org/tlog-policy)."""

LOG_FOLDER = "log"
"""Below a site's address the log lies in this folder."""


class SourceError(Exception):
    """The log could not be read, which says nothing about it."""


class MissingError(SourceError):
    """The source answers, and has no such file."""


class Source(Protocol):
    """A log's files. Each raises MissingError or SourceError; tiles and bundles have exactly the width asked for."""

    def checkpoint(self) -> bytes:
        """The signed note."""

    def tile(self, tile: Tile) -> bytes:
        """The hashes of a tile."""

    def bundle(self, bundle: Bundle) -> bytes:
        """The entries of a bundle."""


class Copyable(Source, Protocol):
    """Serves also what says whom to believe. That is worth copying, and proves nothing about the log beside it."""

    def kept(self, name: str) -> bytes:
        """One of KEPT. Raises MissingError, SourceError."""


@runtime_checkable
class BulkSource(Source, Protocol):
    """Reads many bundles in one go, from one thread at a time. Can be pickled: another process opens it for itself."""

    def pieces(self, bundles: Sequence[Bundle]) -> list[Piece]:
        """Bundles that follow one another, with their tiles. Ends before the first whose entries are not all there."""

    def close(self) -> None:
        """Let the connection go."""


class Directory:
    """A static export: `checkpoint`, `tile/<level>/…`, `tile/entries/…`, in the folder or in its folder `log`."""

    def __init__(self, folder: Path) -> None:
        inner = folder / LOG_FOLDER
        is_inside = not (folder / CHECKPOINT).is_file() and (inner / CHECKPOINT).is_file()
        self.folder = inner if is_inside else folder

    def checkpoint(self) -> bytes:
        """The signed note."""
        return self._read(CHECKPOINT, MAX_NOTE_BYTES)

    def kept(self, name: str) -> bytes:
        """Keys or policy that lie beside the log."""
        return self._read(name, MAX_NOTE_BYTES)

    def tile(self, tile: Tile) -> bytes:
        """The hashes of a tile."""
        try:
            return self._read(tile.path, tile.byte_size)
        except MissingError:
            if tile.width == FULL_WIDTH:
                raise
        full = Tile(level=tile.level, index=tile.index)
        return cut_tile(self._read(full.path, full.byte_size), tile)

    def bundle(self, bundle: Bundle) -> bytes:
        """The entries of a bundle."""
        try:
            return self._read(bundle.path, MAX_BUNDLE_BYTES)
        except MissingError:
            if bundle.width == FULL_WIDTH:
                raise
        return cut_bundle(self._read(Bundle(index=bundle.index).path, MAX_BUNDLE_BYTES), bundle)

    def _read(self, path: str, maximum: int) -> bytes:
        try:
            with (self.folder / path).open("rb") as file:
                # One byte more than allowed, so that a file too long is not taken for a shorter one.
                return file.read(maximum + 1)
        except FileNotFoundError:
            raise MissingError(f"{self.folder / path}: no such file") from None
        except OSError as error:
            raise SourceError(f"{self.folder / path}: {error.strerror}") from error


def cut_tile(full: bytes, tile: Tile) -> bytes:
    """A partial tile out of the full one."""
    return full[: tile.width * HASH_SIZE]


def cut_bundle(full: bytes, bundle: Bundle) -> bytes:
    """A partial bundle out of the full one. Raises MalformedError where that holds fewer entries."""
    end = 0
    for _ in range(bundle.width):
        if end + 2 > len(full):
            raise MalformedError(f"{bundle.path}: expected {bundle.width} entries in the full bundle, found fewer")
        end += 2 + int.from_bytes(full[end : end + 2])
    return full[:end]
