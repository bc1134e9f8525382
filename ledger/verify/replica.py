"""A copy of a log in a folder, checked while it is made: nothing gets its name there before it was checked.

From the root down: the signed root proves the unfinished tiles, each tile proves those below it, the lowest ones prove
the entries. So a web server may serve the folder at any moment. A copy that was cut off goes on with what it has: what
is there already is checked again, unless the folder's own checkpoint covers it.
"""

import fcntl
import os
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from ledger.log.checkpoint import Checkpoint
from ledger.log.errors import MalformedError, ProofError, VerificationError
from ledger.log.key import VerifierKey
from ledger.log.note import parse_note
from ledger.log.policy import NONE, Log, Policy
from ledger.log.tile import FULL_WIDTH, Bundle, Tile, decode_bundle, node_reader, partial_tiles, split_hashes
from ledger.log.tree import EMPTY_ROOT, consistency_proof, leaf_hash, root_at, root_of, verify_consistency
from ledger.verify.anchor import Anchor, open_anchor
from ledger.verify.finding import WHOLE_LOG, Finding, Findings
from ledger.verify.rule import Rule
from ledger.verify.source import CHECKPOINT, KEPT, Copyable, Directory, MissingError, SourceError

THREADS = 8
AHEAD = 32
"""Bundles asked for before they are needed."""

Progress = Callable[[int, int], None]


class _StopError(Exception):
    """Something was found: nothing that rests on it is copied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What a run came to."""

    size: int = 0
    """Entries under the checkpoint that the folder has now."""
    fetched: int = 0
    """Entries that were fetched in this run."""
    signed_by: str = ""
    """The vkey of the key that signed; empty where no policy said whom to believe."""
    findings: tuple[Finding, ...] = ()
    trouble: str = ""
    """Why the copy could not be finished; empty if it was."""


def copy(source: Copyable, folder: Path, *, policy: Policy | None, progress: Progress | None = None) -> Copied:
    """Bring the folder up to the source's checkpoint. Whatever happens, what is served from it stays true."""
    findings = Findings()
    replica = _Replica(source, folder, policy, findings, progress or _untold)
    trouble = ""
    try:
        with _alone_in(folder):
            replica.run()
    except _StopError:
        pass
    except SourceError as error:
        trouble = str(error)
    except OSError as error:
        trouble = f"{folder}: {error.strerror or error}"
    return Copied(
        size=replica.size,
        fetched=replica.fetched,
        signed_by=replica.signed_by,
        findings=findings.ordered(),
        trouble=trouble,
    )


@contextmanager
def _alone_in(folder: Path) -> Generator[None]:
    """Two copies at once could put an older checkpoint in the place of a newer one. Raises SourceError."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise SourceError(f"another copy into {folder} is running") from None
    finally:
        os.close(descriptor)


class _Replica:
    def __init__(
        self, source: Copyable, folder: Path, policy: Policy | None, findings: Findings, progress: Progress
    ) -> None:
        self._source = source
        self._mine = Directory(folder)
        self._folder = self._mine.folder
        self._policy = policy
        self._findings = findings
        self._progress = progress
        self._made: set[Path] = set()
        self.size = 0
        self.fetched = 0
        self.signed_by = ""

    def run(self) -> None:
        """Copy. Raises _StopError, SourceError, OSError."""
        note = self._source.checkpoint()
        anchor = open_anchor(note, self._policy, self._findings)
        if anchor is None or self._findings.counts:
            raise _StopError
        old = self._checkpoint_here()
        self.size = 0 if old is None else old.size
        self._check_growth(anchor, old)
        new = anchor.checkpoint
        proven = self._prove_edge(new)
        self._copy_tiles(new.size, proven)
        self._copy_entries(self.size, new.size, proven)
        kept = self._fitting(note)
        os.sync()
        for name, content in kept.items():
            self._write(name, content)
        # All it covers is durable. If we stop now, the old checkpoint is served beside files that it does not name.
        self._write(CHECKPOINT, note)
        os.sync()
        self.size = new.size
        self.signed_by = anchor.signed_by

    def _checkpoint_here(self) -> Checkpoint | None:
        """What an earlier run came to."""
        try:
            return Checkpoint.parse(parse_note(self._mine.checkpoint()).text)
        except MissingError:
            return None
        except MalformedError as error:
            raise SourceError(f"{self._folder} holds a checkpoint that is none: {error}") from error

    def _check_growth(self, anchor: Anchor, old: Checkpoint | None) -> None:
        """The log continues what the folder holds. Wrong tiles cannot make it seem so."""
        if old is None:
            return
        new, rule = anchor.checkpoint, Rule.CHECKPOINT_CONSISTENT
        if old.origin != new.origin:
            self._stop(WHOLE_LOG, rule, f"the log {old.origin}", new.origin)
        if old.size > new.size:
            self._stop(WHOLE_LOG, rule, f"a log of at least {old.size} entries", f"one of {new.size}")
        if not old.size:
            return
        try:
            proof = consistency_proof(old.size, new.size, node_reader(new.size, self._source.tile))
            verify_consistency(old.size, new.size, old.root, new.root, proof)
        except (MissingError, MalformedError) as error:
            self._stop(WHOLE_LOG, rule, f"a proof that it continues the log of size {old.size}", error)
        except ProofError as error:
            self._stop(WHOLE_LOG, rule, f"{error.claim}: {error.expected}", error.found)

    def _prove_edge(self, new: Checkpoint) -> "_Proven":
        """The unfinished tiles: together they hash to the root."""
        proven = _Proven(new.size)
        for tile in partial_tiles(new.size):
            proven.add(tile, self._fetch_tile(tile))
        root = root_at(new.size, node_reader(new.size, proven.read)) if new.size else EMPTY_ROOT
        if root != new.root:
            self._stop(WHOLE_LOG, Rule.CHECKPOINT_ROOT, f"root {new.root.hex()}", root.hex())
        for tile in partial_tiles(new.size):
            if tile.level:
                self._write(tile.path, proven.read(tile))
        return proven

    def _copy_tiles(self, size: int, proven: "_Proven") -> None:
        """The full tiles above the leaves, from the top down: each is proven by a hash of the one above."""
        for level in range(proven.top, 0, -1):
            for index in range((size >> 8 * level) // FULL_WIDTH):
                tile = Tile(level=level, index=index)
                expected = proven.root(tile)
                hashes = self._tile_here(tile)
                if hashes is None or root_of(hashes) != expected:
                    hashes = self._fetch_tile(tile)
                    if (found := root_of(hashes)) != expected:
                        self._stop(index * FULL_WIDTH ** (level + 1), Rule.TILE_HASH, f"{tile.path}: {expected.hex()}",
                                   found.hex())  # fmt: skip
                    self._write(tile.path, b"".join(hashes))
                proven.add(tile, hashes)

    def _copy_entries(self, old_size: int, size: int, proven: "_Proven") -> None:
        """Bundles with their tiles of leaves, a few asked for ahead."""
        done = old_size // FULL_WIDTH * FULL_WIDTH
        with ThreadPoolExecutor(THREADS, thread_name_prefix="copy") as pool:
            for bundle, coming in self._ahead(pool, done // FULL_WIDTH, size, proven):
                self._keep(bundle, coming.result(), proven)
                done += bundle.width
                self._progress(done, size)

    def _ahead(
        self, pool: ThreadPoolExecutor, first: int, size: int, proven: "_Proven"
    ) -> Iterator[tuple[Bundle, "Future[bytes | None]"]]:
        indexes = iter(range(first, -(-size // FULL_WIDTH)))
        asked: deque[tuple[Bundle, Future[bytes | None]]] = deque()
        try:
            while True:
                while len(asked) < AHEAD and (index := next(indexes, None)) is not None:
                    bundle = Bundle(index=index, width=min(FULL_WIDTH, size - index * FULL_WIDTH))
                    asked.append((bundle, pool.submit(self._read_bundle, bundle, proven)))
                if not asked:
                    return
                yield asked.popleft()
        finally:
            for _, coming in asked:
                coming.cancel()

    def _read_bundle(self, bundle: Bundle, proven: "_Proven") -> bytes | None:
        """The bundle as the source has it; None where the folder has it already, and right."""
        tile = Tile(level=0, index=bundle.index, width=bundle.width)
        if all((self._folder / each.path).is_file() for each in (bundle, tile)):
            try:
                written = self._mine.bundle(bundle)
                leaves = [leaf_hash(entry) for entry in decode_bundle(written, bundle)]
                if proven.is_root(tile, leaves) and self._mine.tile(tile) == b"".join(leaves):
                    return None
            except (MissingError, MalformedError):
                pass
        return self._source.bundle(bundle)

    def _keep(self, bundle: Bundle, written: bytes | None, proven: "_Proven") -> None:
        if written is None:
            return
        first = bundle.span.start
        tile = Tile(level=0, index=bundle.index, width=bundle.width)
        try:
            leaves = [leaf_hash(entry) for entry in decode_bundle(written, bundle)]
        except MalformedError as error:
            self._stop(first, Rule.BUNDLE_FORM, f"{bundle.width} entries", error)
        if not proven.is_root(tile, leaves):
            self._stop(first, Rule.TILE_HASH, f"{bundle.path}: the entries that were signed", "others")
        self._write(bundle.path, written)
        self._write(tile.path, b"".join(leaves))
        self.fetched += bundle.width

    def _tile_here(self, tile: Tile) -> list[bytes] | None:
        try:
            return split_hashes(self._mine.tile(tile), tile)
        except (MissingError, MalformedError):
            return None

    def _fetch_tile(self, tile: Tile) -> list[bytes]:
        try:
            return split_hashes(self._source.tile(tile), tile)
        except MalformedError as error:
            self._stop(tile.index * FULL_WIDTH ** (tile.level + 1), Rule.TILE_HASH, tile.path, error)

    def _fitting(self, note: bytes) -> dict[str, bytes]:
        """Keys and policy as the source has them, if it has any.

        That the checkpoint opens with each is all they can be held to: of who made them they say nothing.
        """
        found: dict[str, bytes] = {}
        for name in KEPT:
            try:
                found[name] = self._source.kept(name)
                _policy_of(name, found[name].decode()).open_checkpoint(note)
            except MissingError:
                pass
            except (VerificationError, UnicodeDecodeError) as error:
                self._stop(WHOLE_LOG, Rule.CHECKPOINT_SIGNATURE, f"{name}: keys that the checkpoint opens with", error)
        return found

    def _stop(self, seq: int, rule: Rule, expected: object, found: object) -> NoReturn:
        self._findings.add(seq, rule, expected, found)
        raise _StopError

    def _write(self, path: str, content: bytes) -> None:
        """Whole or not at all."""
        file = self._folder / path
        if file.parent not in self._made:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._made.add(file.parent)
        staging = file.with_name(f".{file.name}.new")
        staging.write_bytes(content)
        staging.replace(file)


class _Proven:
    """Hashes that the root proves: of unfinished tiles, and of full ones above the leaves. One for 256 entries."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._tiles: dict[tuple[int, int], list[bytes]] = {}
        self.top = 0
        """The highest level that has a tile."""
        while size >> 8 * (self.top + 1):
            self.top += 1

    def add(self, tile: Tile, hashes: list[bytes]) -> None:
        """One more tile that was proven."""
        self._tiles[tile.level, tile.index] = hashes

    def read(self, tile: Tile) -> bytes:
        """An unfinished tile."""
        return b"".join(self._tiles[tile.level, tile.index])

    def root(self, tile: Tile) -> bytes:
        """What the hashes of a full tile hash to."""
        above, place = divmod(tile.index, FULL_WIDTH)
        return self._tiles[tile.level + 1, above][place]

    def is_root(self, tile: Tile, hashes: list[bytes]) -> bool:
        """Whether these are the hashes of this tile."""
        if tile.width < FULL_WIDTH:
            return self._tiles[tile.level, tile.index] == hashes
        return self.root(tile) == root_of(hashes)


def _policy_of(name: str, text: str) -> Policy:
    """Its keys; no witness is asked for, since a checkpoint may be published before they have seen it."""
    if name == "policy":
        return replace(Policy.parse(text), quorum=NONE)
    return Policy(logs=tuple(Log(key=VerifierKey.parse(line)) for line in text.splitlines()))


def _untold(_read: int, _size: int) -> None: ...
