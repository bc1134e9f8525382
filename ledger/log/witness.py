"""Witnesses: the add-checkpoint request, what a witness decides, and what a log reads from the answer.

c2sp.org/tlog-witness. The decision is pure; the service checks and persists atomically, and before it replies.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from ledger.log.checkpoint import Checkpoint
from ledger.log.encoding import MAX_PROOF_HASHES, encode_base64, parse_decimal, parse_hash, parse_text
from ledger.log.errors import MalformedError, ProofError, SignatureError
from ledger.log.note import MAX_NOTE_BYTES, Signature, Verifier, open_note, parse_note, parse_signatures
from ledger.log.tree import EMPTY_ROOT, verify_consistency

SIZE_CONTENT_TYPE = "text/x.tlog.size"
"""The content type of a 409 that says from which size to try again."""

MAX_REQUEST_BYTES = MAX_NOTE_BYTES + 4096
"""Bytes read of one request at most: a note, and 63 hashes before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCheckpoint:
    """The body of `POST <prefix>/add-checkpoint`: a signed checkpoint, proven consistent with `old_size`."""

    old_size: int
    proof: tuple[bytes, ...]
    checkpoint: bytes

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """The request in a body. Raises MalformedError, which a witness answers with 400."""
        if len(data) > MAX_REQUEST_BYTES:
            raise MalformedError(f"add-checkpoint: expected at most {MAX_REQUEST_BYTES} bytes, found {len(data)}")
        head, blank, checkpoint = parse_text(data, "add-checkpoint").partition("\n\n")
        old, *hashes = head.split("\n")
        if not blank or not old.startswith("old "):
            raise MalformedError(
                f"add-checkpoint: expected old <size>, a blank line, a checkpoint, found {head[:80]!r}"
            )
        if len(hashes) > MAX_PROOF_HASHES:
            raise MalformedError(f"add-checkpoint: expected at most {MAX_PROOF_HASHES} hashes, found {len(hashes)}")
        return cls(
            old_size=parse_decimal(old.removeprefix("old "), "old size"),
            proof=tuple(parse_hash(line, f"hash {i} of the consistency proof") for i, line in enumerate(hashes)),
            checkpoint=checkpoint.encode(),
        )

    def encode(self) -> bytes:
        """The body of the request."""
        lines = [f"old {self.old_size}", *map(encode_base64, self.proof)]
        return "\n".join(lines).encode() + b"\n\n" + self.checkpoint

    def claimed(self) -> Checkpoint:
        """The checkpoint as it claims to be: its origin says whose record to load. Raises MalformedError."""
        return Checkpoint.parse(parse_note(self.checkpoint).text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The latest checkpoint of a log that a witness cosigned."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """Persist the record, then cosign the checkpoint."""

    record: Record
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Nothing changes; answer with this status. A 409 carries the size of the record."""

    status: int
    reason: str
    recorded_size: int | None = None

    @property
    def content_type(self) -> str:
        """The content type of the answer."""
        return "text/plain; charset=utf-8" if self.recorded_size is None else SIZE_CONTENT_TYPE

    @property
    def body(self) -> bytes:
        """The body of the answer."""
        return f"{self.reason if self.recorded_size is None else self.recorded_size}\n".encode()


def decide(
    request: AddCheckpoint, record: Record | None, log_keys: Mapping[str, Iterable[Verifier]]
) -> Accepted | Refused:
    """What a witness answers, given its record of the request's origin, if any, and the keys it trusts by origin.

    The same size again is accepted: it refreshes the time. Never accepts a checkpoint inconsistent with the record.
    """
    try:
        claimed = request.claimed()
    except MalformedError as error:
        return Refused(status=400, reason=str(error))
    trusted = log_keys.get(claimed.origin)
    if trusted is None:
        return Refused(status=404, reason=f"unknown log {claimed.origin}")
    try:
        checkpoint = Checkpoint.parse(open_note(request.checkpoint, trusted).text)
    except SignatureError as error:
        return Refused(status=403, reason=str(error))
    recorded_size = record.size if record else 0
    if request.old_size > checkpoint.size:
        return Refused(status=400, reason=f"old size {request.old_size} is above the size {checkpoint.size}")
    if request.old_size != recorded_size:
        return Refused(
            status=409,
            reason=f"old size {request.old_size} is not the recorded {recorded_size}",
            recorded_size=recorded_size,
        )
    try:
        _check_growth(request, record, checkpoint)
    except ProofError as error:
        return Refused(status=422, reason=str(error))
    return Accepted(record=Record(size=checkpoint.size, root=checkpoint.root), checkpoint=checkpoint)


def _check_growth(request: AddCheckpoint, record: Record | None, checkpoint: Checkpoint) -> None:
    """Raise ProofError unless the checkpoint continues the record."""
    if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
        raise ProofError("checkpoint of size 0", expected=f"root {EMPTY_ROOT.hex()}", found=checkpoint.root.hex())
    if record is None or record.size == 0:
        if request.proof:
            raise ProofError("growth from size 0", expected="no proof", found=f"{len(request.proof)} hashes")
        return
    verify_consistency(record.size, checkpoint.size, record.root, checkpoint.root, request.proof)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigned:
    """The witness cosigned. Its lines are claims until the note they join was opened with its key."""

    signatures: tuple[Signature, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TryFrom:
    """The witness stands at another size: prove growth from there. A size the log never had is an alarm."""

    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """The witness did not cosign."""

    status: int
    reason: str

    @property
    def is_alarm(self) -> bool:
        """Whether the witness says that it knows another history, so that somebody must look before anything else."""
        return self.status in {409, 422}


def read_answer(status: int, content_type: str, body: bytes) -> Cosigned | TryFrom | Declined:
    """What a log reads from a witness's answer.

    A 409 of another content type is never a hint to try again: a widespread witness says so that it knows another tree
    of the same size.
    """
    try:
        if status == 200:
            return Cosigned(signatures=parse_signatures(body))
        if status == 409 and content_type.partition(";")[0].strip().lower() == SIZE_CONTENT_TYPE:
            return TryFrom(size=parse_decimal(parse_text(body, "size in a 409").removesuffix("\n"), "size in a 409"))
    except MalformedError as error:
        return Declined(status=status, reason=str(error))
    return Declined(status=status, reason=body[:200].decode(errors="replace").strip())


def monitoring_path(origin: str) -> str:
    """Where below a witness's monitoring prefix the latest checkpoint of a log is found."""
    return f"{sha256(origin.encode()).hexdigest()}/checkpoint"
