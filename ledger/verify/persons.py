"""People's data: what DESIGN, section 5, asks of an entry's words, as far as bytes can show it."""

import re

from ledger.verify.rule import Rule
from ledger.verify.state import State

MAX_EVIDENCE = 50

FEW = "1-4"
"""The count where fewer than five persons are meant."""

_COUNT = re.compile(r"1-4|[5-9]|[1-9][0-9]+")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_DIVISION = re.compile(r"[0-9]{6}")
_STAFF = re.compile(r"s-[a-z2-7]{13}")


def check_few(state: State, beneficiaries: str, region: str = "") -> None:
    """Below five persons the count is 1-4, and the region at least the prefecture."""
    if beneficiaries and not _COUNT.fullmatch(beneficiaries):
        state.find(Rule.PERSONS_PROTECTED, "a count from 5, or 1-4", beneficiaries)
    elif beneficiaries == FEW and region and not region.endswith("00"):
        state.find(Rule.PERSONS_PROTECTED, "at least the prefecture, for fewer than five persons", region)


def check_digests(state: State, what: str, *digests: str) -> None:
    """Commitments, salts and evidence files are 32 bytes in hex, and nothing that could be read or guessed."""
    for digest in digests:
        if not is_digest(digest):
            state.find(Rule.DIGEST_FORM, f"{what}: 64 hex digits", digest)


def check_evidence(state: State, evidence: tuple[str, ...]) -> None:
    """Files by their digests, a bounded number."""
    if len(evidence) > MAX_EVIDENCE:
        state.find(Rule.DIGEST_FORM, f"at most {MAX_EVIDENCE} evidence files", len(evidence))
    check_digests(state, "evidence", *evidence)


def check_division(state: State, division: str) -> None:
    """A place is a code of GB/T 2260, or is not said."""
    if division and not _DIVISION.fullmatch(division):
        state.find(Rule.ID_FORM, "a division of six digits (GB/T 2260)", division)


def is_digest(text: str) -> bool:
    """A SHA-256 in hex."""
    return _DIGEST.fullmatch(text) is not None


def is_pseudonym(text: str) -> bool:
    """s- and 13 symbols of base32."""
    return _STAFF.fullmatch(text) is not None
