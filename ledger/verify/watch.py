"""A watchdog's visit: is the log still the one that was seen last, is it alive, do witnesses stand behind it.

It reads the checkpoint and a few tiles, so it may come often; `verify` reads everything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from ledger.log.policy import Policy
from ledger.verify.anchor import Anchor, check_saved, open_anchor
from ledger.verify.finding import Finding, Findings
from ledger.verify.kept import KeptCheckpoint
from ledger.verify.report import FOUND, GOOD, UNCHECKED
from ledger.verify.rule import Rule
from ledger.verify.source import Source, SourceError

SILENCE = "silence"
"""The alarm that nothing newer was seen for too long; the others are named by the rule that did not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """What is wrong. `kind`: a rule's name, or silence."""

    kind: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What a visit came to."""

    source: str
    at: str
    origin: str = ""
    size: int = 0
    is_first: bool = False
    """Nothing was kept before: what was found is believed, if its signature holds."""
    cosigned_at: Mapping[str, str]
    alarms: tuple[Alarm, ...]
    evidence: str = ""
    """Where a checkpoint lies that contradicts the kept one."""
    trouble: str = ""
    """Why the log could not be read; that alone is no alarm."""

    @property
    def exit_code(self) -> int:
        """0: all good; 1: alarms; 2: could not look."""
        if self.alarms:
            return FOUND
        return UNCHECKED if self.trouble else GOOD

    @property
    def verdict(self) -> str:
        """The exit code in a word."""
        return {GOOD: "good", FOUND: "alarm", UNCHECKED: "unchecked"}[self.exit_code]

    def to_json(self) -> bytes:
        """All of it, for programs."""
        return msgspec.json.encode({"verdict": self.verdict, **msgspec.to_builtins(self)})

    def text(self) -> str:
        """For people: a line, and one for each alarm."""
        seen = f"{self.origin or self.source}: {self.size} entries" if self.size else self.source
        lines = [f"{self.at} {self.verdict} {seen}{' (first visit)' if self.is_first else ''}"]
        lines += [f"  cosigned by {name} at {at}" for name, at in self.cosigned_at.items()]
        lines += [f"  ALARM {alarm.kind}: expected {alarm.expected}; found {alarm.found}" for alarm in self.alarms]
        lines += [f"  evidence: {self.evidence}"] if self.evidence else []
        lines += [f"  {self.trouble}"] if self.trouble else []
        return "\n".join(lines)


def visit(  # noqa: PLR0913  each is a choice of its own
    source: Source,
    *,
    name: str,
    policy: Policy,
    kept: KeptCheckpoint,
    seen_by_witnesses: Mapping[str, bytes],
    silence_s: float,
    now_s: float,
) -> Visit:
    """Look at the log once, and keep its checkpoint if nothing contradicts the one kept before.

    `seen_by_witnesses`: notes that witnesses show to monitors. `silence_s`: after how many seconds without a newer
    checkpoint, or a newer cosignature of the same one, a log counts as silent.
    """
    findings = Findings()
    old, since_s = kept.read(), kept.since_s()
    anchor, note, trouble = None, b"", ""
    try:
        note = source.checkpoint()
        anchor = open_anchor(note, policy, findings)
        if anchor is not None and old is not None:
            check_saved(source, anchor, old, policy, findings)
        if anchor is not None:
            _check_witnessed(source, anchor, seen_by_witnesses, policy, findings)
    except SourceError as error:
        trouble = str(error)
    contradicted = any(finding.rule != Rule.CHECKPOINT_QUORUM for finding in findings.listed)
    evidence = ""
    if contradicted and old is not None and note:
        evidence = str(kept.set_aside(note, now_s=now_s))
    if anchor is not None and not contradicted and not trouble and _is_newer(anchor, old, policy):
        kept.replace(note, now_s=now_s)
        since_s = now_s
    return Visit(
        source=name,
        at=_instant(now_s),
        origin=anchor.checkpoint.origin if anchor else "",
        size=anchor.checkpoint.size if anchor else 0,
        is_first=old is None and not contradicted and not trouble,
        cosigned_at={witness: _instant(at_s) for witness, at_s in anchor.cosigned_at_s.items()} if anchor else {},
        alarms=(*map(_alarm, findings.ordered()), *_silence(since_s, silence_s, now_s)),
        evidence=evidence,
        trouble=trouble,
    )


def _check_witnessed(
    source: Source, anchor: Anchor, seen: Mapping[str, bytes], policy: Policy, findings: Findings
) -> None:
    """That the log continues what each witness cosigned: one shown to others would be another history."""
    for note in seen.values():
        theirs = open_anchor(note, policy, Findings())
        if theirs is None or not theirs.signed_by:
            continue  # not the log's: a witness that shows nonsense says nothing against the log
        if theirs.checkpoint.size <= anchor.checkpoint.size:  # a larger one is compared at the next visit
            check_saved(source, anchor, note, policy, findings)


def _is_newer(anchor: Anchor, old: bytes | None, policy: Policy) -> bool:
    """More entries, or a newer sign of life of a witness."""
    if old is None:
        return True
    before = open_anchor(old, policy, Findings())
    if before is None or before.checkpoint.size != anchor.checkpoint.size:
        return True
    return max(anchor.cosigned_at_s.values(), default=0) > max(before.cosigned_at_s.values(), default=0)


def _silence(since_s: float | None, silence_s: float, now_s: float) -> tuple[Alarm, ...]:
    if since_s is None or now_s - since_s <= silence_s:
        return ()
    return (
        Alarm(
            kind=SILENCE, expected=f"something newer within {silence_s:.0f} s", found=f"none since {_instant(since_s)}"
        ),
    )


def _alarm(finding: Finding) -> Alarm:
    return Alarm(kind=finding.rule.value, expected=finding.expected, found=finding.found)


def _instant(time_s: float) -> str:
    return f"{datetime.fromtimestamp(time_s, UTC):%Y-%m-%dT%H:%M:%SZ}"
