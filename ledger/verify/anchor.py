"""What the log is held to: its checkpoint, signed by a key of the reader's choice, and what the reader saved before."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from ledger.log.checkpoint import Checkpoint
from ledger.log.errors import MalformedError, ProofError, QuorumError, SignatureError, VerificationError
from ledger.log.note import parse_note
from ledger.log.policy import NONE, Policy
from ledger.log.tile import FULL_WIDTH, Bundle, Tile, decode_bundle, node_reader
from ledger.log.tree import consistency_proof, leaf_hash, verify_consistency, verify_inclusion
from ledger.receipt.reading import read_receipts
from ledger.receipt.receipt import Receipt
from ledger.verify.finding import WHOLE_LOG, Findings
from ledger.verify.rule import Rule
from ledger.verify.source import MissingError, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """A checkpoint, and who stands behind it: nobody, where no policy said whom to believe."""

    checkpoint: Checkpoint
    signed_by: str = ""
    """The vkey of the log's key."""
    cosigned_at_s: Mapping[str, int] = field(default_factory=dict)


def open_anchor(data: bytes, policy: Policy | None, findings: Findings) -> Anchor | None:
    """The checkpoint to check the log against; None where the bytes say nothing."""
    try:
        claimed = Checkpoint.parse(parse_note(data).text)
    except MalformedError as error:
        findings.add(WHOLE_LOG, Rule.CHECKPOINT_FORM, "a signed checkpoint", error)
        return None
    if policy is None:
        return Anchor(checkpoint=claimed)
    try:
        witnessed = policy.open_checkpoint(data)
    except QuorumError as error:
        findings.add(WHOLE_LOG, Rule.CHECKPOINT_QUORUM, f"the quorum {policy.quorum}", error)
        return open_anchor(data, _without_witnesses(policy), findings)
    except (SignatureError, MalformedError) as error:
        findings.add(WHOLE_LOG, Rule.CHECKPOINT_SIGNATURE, _logs_of(policy), error)
        return Anchor(checkpoint=claimed)
    return Anchor(
        checkpoint=witnessed.checkpoint, signed_by=str(witnessed.log.key), cosigned_at_s=witnessed.cosigned_at_s
    )


def check_saved(source: Source, anchor: Anchor, saved: bytes, policy: Policy | None, findings: Findings) -> None:
    """That the log continues a checkpoint which the reader saved before."""
    try:
        old = _open_saved(saved, policy)
    except VerificationError as error:
        findings.add(WHOLE_LOG, Rule.CHECKPOINT_CONSISTENT, "a saved checkpoint of this log", error)
        return
    check_continues(source.tile, anchor, old, Rule.CHECKPOINT_CONSISTENT, findings)


def check_receipt(source: Source, anchor: Anchor, data: bytes, policy: Policy | None, findings: Findings) -> None:
    """That what a receipt proves is still in this log, which continues the receipt's checkpoint.

    `data`: a receipt file or bare `.tlog-proof`, a compact receipt, or a dossier of several.
    """
    try:
        receipts = read_receipts(data)
        old = [_open_saved(each.proof.checkpoint, policy) for each in receipts]
    except VerificationError as error:
        findings.add(WHOLE_LOG, Rule.RECEIPT, "a receipt of this log", error)
        return
    for receipt, checkpoint in zip(receipts, old, strict=True):
        if _is_held(source, anchor, receipt, checkpoint, findings):
            check_continues(source.tile, anchor, checkpoint, Rule.RECEIPT, findings)


def check_continues(  # noqa: PLR0913
    tile: Callable[[Tile], bytes],
    anchor: Anchor,
    old: Checkpoint,
    rule: Rule,
    findings: Findings,
    *,
    seq: int = WHOLE_LOG,
) -> None:
    """That the log continues an older checkpoint; else a finding by this rule, about entry `seq`.

    The proof is built from the tiles that are served; a wrong tile cannot make it come out right.
    """
    new = anchor.checkpoint
    if old.origin != new.origin:
        findings.add(seq, rule, f"the log {old.origin}", new.origin)
    elif old.size > new.size:
        findings.add(seq, rule, f"a log of at least {old.size} entries", f"one of {new.size}")
    elif old.size:  # every log continues the empty one
        try:
            proof = consistency_proof(old.size, new.size, node_reader(new.size, tile))
            verify_consistency(old.size, new.size, old.root, new.root, proof)
        except (MissingError, MalformedError) as error:
            findings.add(seq, rule, f"a proof that it continues the log of size {old.size}", error)
        except ProofError as error:
            findings.add(seq, rule, f"{error.claim}: {error.expected}", error.found)


def _is_held(source: Source, anchor: Anchor, receipt: Receipt, old: Checkpoint, findings: Findings) -> bool:
    """Whether the log serves the very entry that is in the receipt, and that its proof proves."""
    size, proof = anchor.checkpoint.size, receipt.proof
    if proof.index >= size:
        findings.add(WHOLE_LOG, Rule.RECEIPT, f"a log with entry {proof.index}", f"one of {size} entries")
        return False
    try:
        served = _entry(source, proof.index, size)
        verify_inclusion(proof.index, old.size, leaf_hash(receipt.entry or served), proof.hashes, old.root)
    except (MissingError, VerificationError) as error:
        findings.add(proof.index, Rule.RECEIPT, "the entry that the receipt proves", error)
        return False
    if receipt.entry not in {b"", served}:
        findings.add(proof.index, Rule.RECEIPT, receipt.entry.decode(errors="replace"), served.decode(errors="replace"))
        return False
    return True


def _open_saved(data: bytes, policy: Policy | None) -> Checkpoint:
    """A checkpoint of the past: it may have been saved before the witnesses saw it."""
    if policy is None:
        return Checkpoint.parse(parse_note(data).text)
    return _without_witnesses(policy).open_checkpoint(data).checkpoint


def _entry(source: Source, index: int, size: int) -> bytes:
    number, place = divmod(index, FULL_WIDTH)
    bundle = Bundle(index=number, width=min(FULL_WIDTH, size - number * FULL_WIDTH))
    return decode_bundle(source.bundle(bundle), bundle)[place]


def _without_witnesses(policy: Policy) -> Policy:
    return replace(policy, quorum=NONE)


def _logs_of(policy: Policy) -> str:
    return ", ".join(str(log.key) for log in policy.logs) or "no log at all"
