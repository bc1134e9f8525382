"""Receipts by themselves, without the log: does the entry belong to the proof, the proof to the signed checkpoint."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ledger.log.checkpoint import Checkpoint
from ledger.log.errors import VerificationError
from ledger.log.note import parse_note
from ledger.log.policy import Policy
from ledger.log.tree import leaf_hash, verify_inclusion
from ledger.receipt.reading import read_receipts
from ledger.receipt.receipt import Receipt
from ledger.verify.report import FOUND, GOOD, UNCHECKED, instant


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedReceipt:
    """What one receipt amounts to."""

    seq: int
    origin: str = ""
    size: int = 0
    """Of the checkpoint it is proven under."""
    signed_by: str = ""
    """The vkey that signed; empty where no policy said whom to believe."""
    cosigned_at: dict[str, str] = field(default_factory=dict)
    entry: dict[str, Any] = field(default_factory=dict)
    """What the entry says; empty where the receipt does not hold it."""
    wrong: str = ""
    """What does not fit; empty where everything does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptsReport:
    """What the receipts amount to, for people and as JSON."""

    receipts: tuple[CheckedReceipt, ...]
    has_policy: bool
    trouble: str = ""
    checkpoint: str = ""
    """Of the last receipt, signed: what to hold the log to later."""

    @property
    def exit_code(self) -> int:
        """0: all good; 1: something does not fit; 2: could not check."""
        if any(each.wrong for each in self.receipts):
            return FOUND
        return UNCHECKED if self.trouble else GOOD

    def to_json(self) -> bytes:
        """All of it, for programs."""
        verdict = {GOOD: "good", FOUND: "findings", UNCHECKED: "unchecked"}[self.exit_code]
        fields = msgspec.to_builtins(self)
        return msgspec.json.format(msgspec.json.encode({"verdict": verdict, **fields}), indent=2)

    def text(self) -> str:
        """For people, Chinese and English."""
        lines = [line for each in self.receipts for line in _lines(each)]
        match self.exit_code:
            case 0 if not self.has_policy:
                lines.append("✓ 内容与证明相符，签名未核对 entry and proof agree; no key given (--key, --policy)")
            case 0:
                lines.append("✓ 凭证成立 every receipt holds")
            case 1:
                lines.append("✗ 凭证不成立 a receipt does not hold")
            case _:
                lines.append(f"? 未能核对 could not check: {self.trouble}")
        return "\n".join(lines)


def verify_receipts(files: Sequence[bytes], policy: Policy | None) -> ReceiptsReport:
    """Check receipt files, compact receipts and dossiers on their own.

    Without `policy` nobody's signature is believed, and the report says so. A bare proof can only be checked against
    its log.
    """
    checked: list[CheckedReceipt] = []
    trouble = checkpoint = ""
    for data in files:
        try:
            receipts = read_receipts(data)
        except VerificationError as error:
            checked.append(CheckedReceipt(seq=-1, wrong=str(error)))
            continue
        for receipt in receipts:
            checkpoint = receipt.proof.checkpoint.decode()
            if receipt.entry:
                checked.append(_check(receipt, policy))
            else:
                trouble = f"the proof of entry {receipt.proof.index} comes without the entry: name the log, too"
    return ReceiptsReport(
        receipts=tuple(checked), has_policy=policy is not None, trouble=trouble, checkpoint=checkpoint
    )


def _check(receipt: Receipt, policy: Policy | None) -> CheckedReceipt:
    proof = receipt.proof
    try:
        said = json.loads(receipt.entry)
        if not isinstance(said, dict) or said.get("seq") != proof.index:
            return CheckedReceipt(seq=proof.index, wrong=f"the entry in it is not number {proof.index}")
        if policy is None:
            claimed = Checkpoint.parse(parse_note(proof.checkpoint).text)
            verify_inclusion(proof.index, claimed.size, leaf_hash(receipt.entry), proof.hashes, claimed.root)
            return CheckedReceipt(seq=proof.index, origin=claimed.origin, size=claimed.size, entry=said)
        witnessed = receipt.verify(policy)
    except (VerificationError, ValueError, RecursionError) as error:
        return CheckedReceipt(seq=proof.index, wrong=str(error))
    return CheckedReceipt(
        seq=proof.index,
        origin=witnessed.checkpoint.origin,
        size=witnessed.checkpoint.size,
        signed_by=str(witnessed.log.key),
        cosigned_at={name: instant(at) for name, at in witnessed.cosigned_at_s.items()},
        entry=said,
    )


def _lines(receipt: CheckedReceipt) -> list[str]:
    if receipt.wrong:
        return [f"✗ #{receipt.seq}  {receipt.wrong}" if receipt.seq >= 0 else f"✗ {receipt.wrong}"]
    lines = [
        f"条目 entry          #{receipt.seq} {receipt.entry.get('kind', '')}",
        f"账本 log            {receipt.origin}，{receipt.size:,} 条 entries",
    ]
    if receipt.signed_by:
        lines.append(f"签名 signed by      {receipt.signed_by}")
    lines += [f"见证 witness        {name} {at}" for name, at in receipt.cosigned_at.items()]
    return [*lines, f"内容 says           {json.dumps(receipt.entry, ensure_ascii=False, sort_keys=True)}", ""]
