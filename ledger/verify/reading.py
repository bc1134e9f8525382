"""Reading a log from its start: a few files ahead, so that neither disk nor network is waited for."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeAlias

from ledger.log.errors import MalformedError
from ledger.log.tile import Bundle, Tile, new_bundles
from ledger.verify.finding import Findings
from ledger.verify.rule import Rule
from ledger.verify.source import BulkSource, MissingError, Source
from ledger.verify.stretch import Piece, Stretch

THREADS = 8
AHEAD = 32
"""Bundles asked for before they are needed."""

Order: TypeAlias = tuple[Bundle, ...]
"""Bundles to be read and checked together."""

STRETCH_BUNDLES = 16
STRETCH_BYTES = 8_000_000
"""A stretch ends at whichever comes first, so that large entries do not fill the memory."""


def stretches(source: Source, size: int, findings: Findings) -> Iterator[Stretch]:
    """The log of `size` in order. Ends before a bundle that is missing, which is a finding. Raises SourceError."""
    pieces: list[Piece] = []
    read_bytes = 0
    for piece in _pieces(source, size, findings):
        pieces.append(piece)
        read_bytes += piece.length
        if len(pieces) == STRETCH_BUNDLES or read_bytes >= STRETCH_BYTES:
            yield Stretch(pieces=tuple(pieces))
            pieces, read_bytes = [], 0
    if pieces:
        yield Stretch(pieces=tuple(pieces))


def orders(size: int) -> Iterator[Order]:
    """The bundles of a log of `size`, as many at a time as a stretch has."""
    bundles = new_bundles(0, size)
    while order := tuple(islice(bundles, STRETCH_BUNDLES)):
        yield order


def not_whole(bundle: Bundle, findings: Findings) -> None:
    """A bulk source has no such bundle."""
    findings.add(bundle.span.start, Rule.BUNDLE_MISSING, f"{bundle.width} entries ({bundle.path})", "fewer")


def _pieces(source: Source, size: int, findings: Findings) -> Iterator[Piece]:
    if not isinstance(source, BulkSource):
        yield from _pieces_ahead(source, size, findings)
        return
    for order in orders(size):
        found = source.pieces(order)
        yield from found
        if len(found) < len(order):
            not_whole(order[len(found)], findings)
            return


def _pieces_ahead(source: Source, size: int, findings: Findings) -> Iterator[Piece]:
    bundles = new_bundles(0, size)
    asked: deque[tuple[Bundle, Future[Piece]]] = deque()
    with ThreadPoolExecutor(THREADS, thread_name_prefix="read") as pool:
        try:
            while True:
                while len(asked) < AHEAD and (bundle := next(bundles, None)) is not None:
                    asked.append((bundle, pool.submit(_piece, source, bundle)))
                if not asked:
                    return
                bundle, coming = asked.popleft()
                try:
                    yield coming.result()
                except MissingError as error:
                    findings.add(bundle.span.start, Rule.BUNDLE_MISSING, bundle.path, error)
                    return
        finally:
            for _, coming in asked:
                coming.cancel()


def _piece(source: Source, bundle: Bundle) -> Piece:
    """A bundle with the tile of its leaves. What cannot be cut to its width is left to the check of the bytes."""
    try:
        entries = source.bundle(bundle)
    except MalformedError:
        entries = b""
    tile = Tile(level=0, index=bundle.index, width=bundle.width)
    try:
        return Piece(bundle=bundle, entries=entries, tile=source.tile(tile))
    except MissingError:
        return Piece(bundle=bundle, entries=entries, tile=None)
