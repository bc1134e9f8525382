"""A witness's one file: its keys, and the newest checkpoint of each log that it cosigned.

Both lie in one file on purpose: whoever loses the record loses the key with it, so that no witness starts over and
cosigns, with the same key, a history that contradicts what it cosigned before. An older copy that is put back would
do just that: such a witness has to make a new file.
"""

import os
import sqlite3
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from ledger.log.cosignature import Cosigner
from ledger.log.errors import MalformedError
from ledger.log.key import check_name
from ledger.log.note import Signature, Verifier, open_note
from ledger.log.witness import Accepted, AddCheckpoint, Record, Refused, decide, monitoring_path
from ledger.trouble import Trouble

APPLICATION_ID = 0x534C7701
"""Tells SQLite's own tools, and us, that a file is a witness's."""

BUSY_TIMEOUT_MS = 5_000
"""How long one process waits for another that writes to the same file."""

MAX_EVIDENCE = 1_000
"""Refused checkpoints kept of one log at most: signed by it, not proven to continue what was cosigned."""

LogKeys = Mapping[str, Sequence[Verifier]]
"""The keys trusted for each log, by its origin."""

PrivateKey = Ed25519PrivateKey | MLDSA44PrivateKey


class DataFileError(Trouble):
    """The file is not what it must be; the message says what to do."""


class DataFile:
    """Checks and persists in one transaction. May be used from several threads, and by several processes."""

    def __init__(self, path: Path, *, name: str = "", passphrase: bytes = b"", ml_dsa: bool = False) -> None:
        """Open the file, or make it under this name.

        `ml_dsa`: cosign with an ML-DSA-44 key, too; it is made where there is none. Raises DataFileError.
        """
        self._path = path
        self._lock = threading.Lock()
        self.stopped = ""
        """Why it cosigns no more; empty while it does."""
        _make_private(path, is_named=bool(name))
        self._connection = sqlite3.connect(
            path, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None, check_same_thread=False
        )
        try:
            # Extra: after a commit no power cut brings the rollback journal back, either.
            self._connection.execute("pragma synchronous = extra")
            with self._exclusive() as database:
                self.name = _identity(database, path, name)
                pems = _keys(database, passphrase, ml_dsa=ml_dsa)
            self._cosigners = tuple(Cosigner(self.name, _opened(pem, passphrase, path)) for pem in pems)
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise DataFileError(f"{path}: {error}") from error
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()

    @property
    def vkeys(self) -> list[str]:
        """The public keys it cosigns with, for others' policies."""
        return [str(cosigner.key) for cosigner in self._cosigners]

    def add(self, request: AddCheckpoint, log_keys: LogKeys, *, time_s: int) -> tuple[Signature, ...] | Refused:
        """Cosign a checkpoint that continues the record, or refuse it (c2sp.org/tlog-witness, add-checkpoint).

        Check and record are one transaction, durable before this returns.
        """
        if self.stopped:
            return Refused(status=503, reason=self.stopped)
        try:
            with self._exclusive() as database:
                record = _record(database, request)
                decision = decide(request, record, log_keys)
                if isinstance(decision, Refused):
                    if decision.status == 422:
                        _keep_evidence(database, request, log_keys, decision.reason, time_s)
                    return decision
                signatures = tuple(cosigner.sign(decision.checkpoint, time_s=time_s) for cosigner in self._cosigners)
                _save(database, request, decision, log_keys, signatures)
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
                return Refused(status=503, reason="another process writes to the witness's file")
            # After a failed write or sync nobody knows what is on the disk: not cosigning is always safe.
            self.stopped = f"{self._path}: {error}; look at the disk, then start the witness again"
            return Refused(status=503, reason=self.stopped)
        # Durable. If we stop now the log asks again, and gets a fresh cosignature over the same checkpoint.
        return signatures

    def latest(self, log_id: str) -> bytes | None:
        """The newest cosigned checkpoint of the log whose origin has this hex SHA-256: its note, with our lines."""
        with self._lock:
            found = self._connection.execute("select note from cosigned where log = ?", (log_id,)).fetchone()
        return None if found is None else cast("bytes", found[0])

    def evidence(self, origin: str) -> list[bytes]:
        """Checkpoints that the log signed and that were refused: not proven to continue what was cosigned before."""
        with self._lock:
            rows = self._connection.execute("select note from refused where log = ? order by at_s", (_id(origin),))
            return [note for (note,) in rows]

    @contextmanager
    def _exclusive(self) -> Generator[sqlite3.Connection]:
        """One transaction that nobody else's comes between; kept at the end, undone by an exception."""
        with self._lock:
            self._connection.execute("begin immediate")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("rollback")
                raise
            try:
                self._connection.execute("commit")
            except sqlite3.Error:
                if self._connection.in_transaction:
                    self._connection.execute("rollback")
                raise


def _make_private(path: Path, *, is_named: bool) -> None:
    """The file, for its owner alone: it holds keys."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        if not is_named:
            raise DataFileError(f"{path} does not exist: name the witness with --name to make it") from None
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except FileExistsError:
            return  # another process was quicker
        except OSError as error:
            raise DataFileError(f"{path}: {error.strerror}") from error
        return
    if mode & 0o077:
        raise DataFileError(f"{path} holds keys and others may read it: chmod 600")


def _identity(database: sqlite3.Connection, path: Path, name: str) -> str:
    """The name it cosigns under, for ever; a fresh file is set up with it."""
    (found_id,) = database.execute("pragma application_id").fetchone()
    (tables,) = database.execute("select count(*) from sqlite_master").fetchone()
    if not tables:
        try:
            check_name(name)
        except MalformedError as error:
            raise DataFileError(f"{path} is new, and --name must name the witness: {error}") from error
        for statement in _SCHEMA:
            database.execute(statement)
        database.execute("insert into identity (one, name) values (1, ?)", (name,))
        return name
    if found_id != APPLICATION_ID:
        raise DataFileError(f"{path} is no witness's file")
    (kept,) = database.execute("select name from identity").fetchone()
    if name not in {"", kept}:
        # An Ed25519 cosignature does not cover the name: one key never serves two.
        raise DataFileError(f"{path} is the witness {kept}; another one needs a file of its own")
    return cast("str", kept)


def _keys(database: sqlite3.Connection, passphrase: bytes, *, ml_dsa: bool) -> list[bytes]:
    """The private keys as they are kept, Ed25519 first; what is missing is drawn."""
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    for kind, wanted in (("ed25519", True), ("ml-dsa-44", ml_dsa)):
        there = database.execute("select true from private_key where kind = ?", (kind,)).fetchone()
        if wanted and not there:
            drawn = Ed25519PrivateKey.generate() if kind == "ed25519" else MLDSA44PrivateKey.generate()
            pem = drawn.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
            database.execute("insert into private_key (kind, pem) values (?, ?)", (kind, pem))
    return [pem for (pem,) in database.execute("select pem from private_key order by kind")]


def _opened(pem: bytes, passphrase: bytes, path: Path) -> PrivateKey:
    try:
        key = load_pem_private_key(pem, passphrase or None)
    except (ValueError, TypeError):
        raise DataFileError(f"{path}: its keys do not open with this passphrase") from None
    assert isinstance(key, Ed25519PrivateKey | MLDSA44PrivateKey)
    return key


def _record(database: sqlite3.Connection, request: AddCheckpoint) -> Record | None:
    """What was cosigned last of the request's log."""
    try:
        origin = request.claimed().origin
    except MalformedError:
        return None  # the decision says so, too
    found = database.execute("select size, root from cosigned where log = ?", (_id(origin),)).fetchone()
    return None if found is None else Record(size=found[0], root=found[1])


def _save(
    database: sqlite3.Connection,
    request: AddCheckpoint,
    decision: Accepted,
    log_keys: LogKeys,
    signatures: tuple[Signature, ...],
) -> None:
    """The record, and what monitors are shown: the log's signatures that were checked, and ours. No other's lines."""
    checkpoint = decision.checkpoint
    by_the_log = open_note(request.checkpoint, log_keys[checkpoint.origin]).signatures
    note = checkpoint.signed([*by_the_log, *signatures])
    database.execute(_SAVE, (_id(checkpoint.origin), checkpoint.origin, checkpoint.size, checkpoint.root, note))


def _keep_evidence(
    database: sqlite3.Connection, request: AddCheckpoint, log_keys: LogKeys, reason: str, time_s: int
) -> None:
    """The log signed this, so it may prove two histories; bounded, and the oldest stay."""
    claimed = request.claimed()
    note = claimed.signed(open_note(request.checkpoint, log_keys[claimed.origin]).signatures)
    log = _id(claimed.origin)
    (kept,) = database.execute("select count(*) from refused where log = ?", (log,)).fetchone()
    if kept < MAX_EVIDENCE:
        database.execute(_KEEP, (log, claimed.size, claimed.root, note, reason, time_s))


def _id(origin: str) -> str:
    """How monitors name a log."""
    return monitoring_path(origin).partition("/")[0]


_SCHEMA = (
    f"pragma application_id = {APPLICATION_ID}",
    "create table identity (one integer primary key check (one = 1), name text not null)",
    "create table private_key (kind text primary key, pem blob not null)",
    """
    create table cosigned (
      log text primary key check (length(log) = 64), origin text not null,
      size integer not null check (size >= 0), root blob not null check (length(root) = 32), note blob not null
    )
    """,
    # A record never goes back, whatever code says so.
    """
    create trigger cosigned_never_goes_back before update on cosigned
    when new.size < old.size or (new.size = old.size and new.root <> old.root) or new.log <> old.log
    begin select raise(abort, 'a cosigned checkpoint never goes back'); end
    """,
    """
    create table refused (
      log text not null, size integer not null, root blob not null, note blob not null, reason text not null,
      at_s integer not null, primary key (log, size, root)
    )
    """,
)
_SAVE = """
  insert into cosigned (log, origin, size, root, note) values (?, ?, ?, ?, ?)
  on conflict (log) do update set size = excluded.size, root = excluded.root, note = excluded.note
"""
_KEEP = "insert into refused (log, size, root, note, reason, at_s) values (?, ?, ?, ?, ?, ?) on conflict do nothing"
