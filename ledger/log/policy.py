"""Policies: which logs a verifier believes, and which witnesses must have cosigned (c2sp.org/tlog-policy).

Keys come from the verifier's own policy file, never from the log.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Self

from ledger.log.checkpoint import Checkpoint
from ledger.log.cosignature import cosigned_at_s, verifier_of
from ledger.log.encoding import parse_decimal
from ledger.log.errors import MalformedError, QuorumError, SignatureError
from ledger.log.key import ED25519, ED25519_COSIGNATURE, ML_DSA_44_COSIGNATURE, VerifierKey
from ledger.log.note import open_note

MAX_LINES = 1000
"""Lines read of one policy at most."""

NONE = "none"
"""The quorum that asks for no witness."""

_BLANKS = re.compile(r"[ \t]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_NOT_IN_A_WORD = re.compile(r"[\x00-\x20\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A log that is believed. The name of its key is the origin of its checkpoints."""

    key: VerifierKey
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A witness, under the name it has in this policy. Always give the URL: some parsers demand it."""

    name: str
    key: VerifierKey
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Has witnessed once `threshold` of its members, witnesses or groups before it, have."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessedCheckpoint:
    """A checkpoint that satisfied a policy: which of its logs signed, and when which of its witnesses cosigned."""

    checkpoint: Checkpoint
    log: Log
    cosigned_at_s: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Logs, witnesses, groups, and the name of the witness or group that must have witnessed, or `none`."""

    logs: tuple[Log, ...] = ()
    witnesses: tuple[Witness, ...] = ()
    groups: tuple[Group, ...] = ()
    quorum: str = NONE

    def __post_init__(self) -> None:
        _check_keys("log", [log.key for log in self.logs], {ED25519, ML_DSA_44_COSIGNATURE})
        _check_keys("witness", [w.key for w in self.witnesses], {ED25519_COSIGNATURE, ML_DSA_44_COSIGNATURE})
        for url in [log.url for log in self.logs] + [witness.url for witness in self.witnesses]:
            if url:
                _check_word("URL", url)
        defined = {NONE}
        for witness in self.witnesses:
            _define(witness.name, defined)
        free = defined - {NONE}
        for group in self.groups:
            _define(group.name, defined)
            if not 1 <= group.threshold <= len(group.members):
                raise MalformedError(
                    f"group {group.name}: expected a threshold of 1 to {len(group.members)}, found {group.threshold}"
                )
            for member in group.members:
                # Each name counts towards one group only, so that no witness counts twice.
                if member not in free:
                    raise MalformedError(f"group {group.name}: expected a name defined before and free, found {member}")
                free.remove(member)
            free.add(group.name)
        if self.quorum not in defined:
            raise MalformedError(f"quorum: expected a name defined before or none, found {self.quorum}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """The policy in a file. What is no UTF-8 may come in as surrogate escapes; it is opaque here."""
        lines = list(_lines(text))
        quorums = sum(words[0] == "quorum" for _, words in lines)
        if quorums != 1:
            raise MalformedError(f"policy: expected one quorum line, found {quorums}")
        policy = cls()
        for number, words in lines:
            try:
                policy = policy._with_line(words)
            except MalformedError as error:
                raise MalformedError(f"policy line {number}: {error}") from None
        return policy

    def encode(self) -> str:
        """The policy as a file. Witnesses must have their URLs."""
        return "".join(f"{line}\n" for line in self._encoded_lines())

    def is_witnessed_by(self, names: Iterable[str]) -> bool:
        """Whether cosignatures by these witnesses, named as in the policy, are enough."""
        met = {witness.name for witness in self.witnesses} & set(names)
        for group in self.groups:
            if sum(member in met for member in group.members) >= group.threshold:
                met.add(group.name)
        return self.quorum == NONE or self.quorum in met

    def witnessed_at_s(self, times_s: Mapping[str, int]) -> int | None:
        """The latest moment at or after which enough witnesses cosigned; None where too few did.

        `times_s`: when each did, by its name in the policy.
        """
        for time_s in sorted(times_s.values(), reverse=True):
            if self.is_witnessed_by(name for name, each in times_s.items() if each >= time_s):
                return time_s
        return None

    def open_checkpoint(self, data: bytes) -> WitnessedCheckpoint:
        """The checkpoint in a signed note that one of the logs signed and enough of the witnesses cosigned.

        Raises MalformedError, SignatureError or QuorumError. Lines by keys the policy does not name are ignored.
        """
        keys = [log.key for log in self.logs] + [witness.key for witness in self.witnesses]
        note = open_note(data, map(verifier_of, keys))
        checkpoint = Checkpoint.parse(note.text)
        named = [log for log in self.logs if log.key.name == checkpoint.origin]
        signers = [log for log in named if any(s.is_by(log.key) for s in note.signatures)]
        if not signers:
            raise SignatureError(f"checkpoint: expected a signature by a log named {checkpoint.origin}, found none")
        times_s: dict[str, int] = {}
        for witness in self.witnesses:
            if times := [cosigned_at_s(s) for s in note.signatures if s.is_by(witness.key)]:
                times_s[witness.name] = max(times)
        if not self.is_witnessed_by(times_s):
            found = ", ".join(times_s) or "none"
            raise QuorumError(f"cosignatures: expected enough for the quorum {self.quorum}, found {found}")
        return WitnessedCheckpoint(checkpoint=checkpoint, log=signers[0], cosigned_at_s=times_s)

    def _with_line(self, words: list[str]) -> Self:
        """This policy and one line more, checked as a whole: thus names are defined before they are used."""
        match words:
            case ["log", vkey, *url] if len(url) <= 1:
                log = Log(key=VerifierKey.parse(vkey), url="".join(url))
                return replace(self, logs=(*self.logs, log))
            case ["witness", name, vkey, *url] if len(url) <= 1:
                witness = Witness(name=name, key=VerifierKey.parse(vkey), url="".join(url))
                return replace(self, witnesses=(*self.witnesses, witness))
            case ["group", name, rule, *members]:
                group = Group(name=name, threshold=_threshold(rule, len(members)), members=tuple(members))
                return replace(self, groups=(*self.groups, group))
            case ["quorum", name]:
                return replace(self, quorum=name)
            case _:
                line = " ".join(words)[:80]
                raise MalformedError(f"expected a log, witness, group or quorum with what it needs, found {line!r}")

    def _encoded_lines(self) -> Iterator[str]:
        for log in self.logs:
            yield f"log {log.key} {log.url}".rstrip()
        for witness in self.witnesses:
            if not witness.url:
                raise MalformedError(f"witness {witness.name}: expected a URL, which some parsers demand")
            yield f"witness {witness.name} {witness.key} {witness.url}"
        for group in self.groups:
            rule = {1: "any", len(group.members): "all"}.get(group.threshold, str(group.threshold))
            yield f"group {group.name} {rule} {' '.join(group.members)}"
        yield f"quorum {self.quorum}"


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Number and words of each line that is neither empty nor a comment. Only space and tab part words."""
    if control := _CONTROL.search(text):
        raise MalformedError(f"policy: expected no control character but tab and newline, found {control[0]!r}")
    lines = text.split("\n")
    if len(lines) > MAX_LINES:
        raise MalformedError(f"policy: expected at most {MAX_LINES} lines, found {len(lines)}")
    for number, line in enumerate(lines, start=1):
        words = [word for word in _BLANKS.split(line) if word]
        if words and not words[0].startswith("#"):
            yield number, words


def _threshold(rule: str, members: int) -> int:
    match rule:
        case "any":
            return 1
        case "all":
            return members
        case _:
            return parse_decimal(rule, "threshold of a group")


def _define(name: str, defined: set[str]) -> None:
    _check_word("name in a policy", name)
    if name in defined:
        raise MalformedError(f"name in a policy: expected a new one, found {name} again")
    defined.add(name)


def _check_word(what: str, word: str) -> None:
    if not word or _NOT_IN_A_WORD.search(word):
        raise MalformedError(f"{what}: expected a word without blanks or control characters, found {word[:80]!r}")


def _check_keys(role: str, keys: list[VerifierKey], types: set[int]) -> None:
    """Right types, and no key twice, under whatever name: it would count as two."""
    seen = set()
    for key in keys:
        if key.type not in types:
            expected = " or ".join(f"{t:02x}" for t in sorted(types))
            raise MalformedError(f"{role} key {key.name}: expected type {expected}, found {key.type:02x}")
        if key.public_key in seen:
            raise MalformedError(
                f"{role} key {key.name}: expected each key once, found {key.public_key[:8].hex()}… again"
            )
        seen.add(key.public_key)
