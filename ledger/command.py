"""What every command and every decision is made of; the commands themselves stand with their capability."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import NamedTuple, TypeVar

import msgspec

from ledger import account, entries
from ledger.account import Account
from ledger.entries import AnyBody, Body, By, Entry
from ledger.line import Span
from ledger.posting import Hold, Posting, Take
from ledger.refusals import Invalid

MAX_TEXT = 500
"""Characters of any one text in an entry."""

MAX_LIST = 50
"""Elements of any one list in an entry's body."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


class Command(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="command", forbid_unknown_fields=True
):
    """Somebody wants something entered. Written as JSON when it waits for approval."""

    maker: str


class Proposable(Command, frozen=True, kw_only=True):
    """A command that policy may submit to other people's approval. Tagged with the kind of its effect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What of the postings a decision has to see."""

    ref: int = -1
    """An entry it cites."""
    images: bool = False
    """Follow the cited entry's positions to where they rest now; else the positions it credited itself."""
    origins: bool = False
    """Where each position that the cited entry credited came from."""
    receipts: bool = False
    """Nothing but the entries of fiscal receipts that speak of the cited gift, and what was refunded of it."""
    images_of: tuple[str, ...] = ()
    """The same, if the cited entry is of one of these kinds."""
    project: tuple[str, str] | None = None
    """All lines of this project (organisation, project)."""
    fee: bool = False
    """Beside images, the fee that the cited gift's own entry took."""
    losses: bool = False
    """What was lost in exchange of the gift `ref`."""
    corrects: int = 0
    """A wrong entry that this one corrects."""
    turnovers: tuple[str, str] | None = None
    """What all accounts of this organisation moved until this day."""


class Origin(NamedTuple):
    """A posting seen from its destination: positions of an account, and the address they came from."""

    account: Account
    span: Span
    address: str


class Gone(NamedTuple):
    """So much of what was cited rests where it cannot be taken, since entry `seq`."""

    address: str
    qty: int
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a decision is given beside the books. Read by the store, or in tests by a model of it."""

    today: str
    """Beijing's date."""
    salt: str = ""
    """Fresh, for a commitment."""
    cited: Entry | None = None
    """The entry that Needs.ref names."""
    cited_qty: int = 0
    """What it moved; of a first part, all parts together."""
    confirmed_qty: int = 0
    """What earlier confirmations say of it."""
    lost_qty: int = 0
    """Of Needs.losses: what was lost in exchange of the cited gift, and of those that it corrects, and stands."""
    refunded_qty: int = 0
    """Of Needs.receipts: what refunds that stand gave back of the cited gift, and of those that it corrects."""
    receipts: tuple[Entry, ...] = ()
    """Of Needs.receipts: in the order of the log."""
    spans: tuple[tuple[Account, Span], ...] = ()
    """Positions that Needs asked for and that no posting consumed, in the order of the cited entry's own positions."""
    gone: tuple[Gone, ...] = ()
    """Of Needs.images: what rests anywhere else."""
    origins: tuple[Origin, ...] = ()
    """Of Needs.origins: the cited entry's postings, all parts of it, in order."""
    first_seqs: Mapping[Account, int] = field(default_factory=dict)
    """Lines of Needs.project → the entry that credited the lowest position neither consumed nor held."""
    wrong: Entry | None = None
    """Of Needs.corrects: that entry."""
    wrong_qty: int = 0
    """What it moved, all its parts together."""
    righted_by: int = 0
    """The right entry that it has already; 0: none."""
    turnovers: tuple[tuple[str, str, int, int], ...] = ()
    """Of Needs.turnovers: address, unit, credited, consumed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a command would do, on the books as they are."""

    body: AnyBody
    org: str
    takes: tuple[Take, ...] = ()
    into: str | tuple[str, ...] = ""
    """The account that gets what is taken; or, take for take, the accounts."""
    by_amount: bool = True
    """First in first out, so a proposal holds amounts; else it holds exactly these positions."""

    allows_fen: int = 0
    """What it lets others move later: an import's sum, which policy weighs as it weighs a movement."""

    @property
    def qty(self) -> int:
        """What moves in all, or may later."""
        return self.allows_fen + sum(take.qty for take in self.takes)

    @property
    def destinations(self) -> list[str]:
        """Take for take, the account that gets it."""
        return [self.into] * len(self.takes) if isinstance(self.into, str) else [*self.into]

    def holds(self) -> list[Hold]:
        """What a proposal of it keeps."""
        if self.by_amount:
            return [Hold(take.account.address, -1, take.qty, take.account.unit) for take in self.takes]
        return [
            Hold(take.account.address, lo, hi - lo, take.account.unit) for take in self.takes for lo, hi in take.spans
        ]


class Draft(msgspec.Struct, frozen=True):
    """A decided entry that waits for its place: number, previous hash and time."""

    body: AnyBody
    by: By
    postings: tuple[Posting, ...] = ()
    code: str = ""
    """The receipt code its `receipt` will bind to its place."""


AnyOf = TypeVar("AnyOf", bound=Body)


def body_of(kind: type[AnyOf], command: Command) -> AnyOf:
    """The body whose fields all stand in the command under the same names. Raises Invalid for a wrong type."""
    try:
        return msgspec.convert(command, kind, from_attributes=True)
    except msgspec.ValidationError as error:
        raise Invalid(str(error)) from error


def check_cited(facts: Facts, ref: int, kind: str | tuple[str, ...], org: str) -> None:
    """The cited entry is of this kind (one of these) and organisation, and the first of its parts. Raises Invalid."""
    cited = facts.cited
    kinds = (kind,) if isinstance(kind, str) else kind
    if cited is None or cited.kind not in kinds or entries.org_of(cited) != org:
        raise Invalid(f"ref: entry {ref} is no {' or '.join(kinds)} of {org}", field="ref")
    index, _ = entries.part_of(cited.body)
    if index != 1:
        raise Invalid(f"ref: cite the first part, entry {cited.seq - index + 1}", field="ref")


def check_quantity(qty: object) -> int:
    """A positive whole number of the smallest unit. Raises Invalid."""
    if type(qty) is not int or not 0 < qty <= account.MAX_POSITION:
        raise Invalid("an amount is a whole number of fen, at least 1")
    return qty


def check_id(what: str, text: str) -> None:
    """Raises Invalid for what cannot stand in an address."""
    if not account.is_id(text):
        raise Invalid(f"{what}: 1 to 32 of a-z, 0-9 and inner hyphens", field=what)


def check_text(what: str, text: str, *, optional: bool = False) -> None:
    """Raises Invalid for an empty or overlong text, or one with control characters."""
    if not (text or optional) or len(text) > MAX_TEXT or not text.isprintable() or text != text.strip():
        raise Invalid(f"{what}: 1 to {MAX_TEXT} printable characters", field=what)


def check_digest(what: str, text: str, *, optional: bool = False) -> None:
    """A hex SHA-256. Raises Invalid."""
    if not (_is_digest(text) or (optional and not text)):
        raise Invalid(f"{what}: 64 hex digits", field=what)


def check_evidence(evidence: tuple[str, ...]) -> None:
    """Evidence files are named by their hex SHA-256. Raises Invalid."""
    if len(evidence) > MAX_LIST or not all(map(_is_digest, evidence)):
        raise Invalid(f"evidence: at most {MAX_LIST} SHA-256 digests, 64 hex digits each", field="evidence")


def check_day(what: str, day: str, *, latest: str = "9999-12-31") -> None:
    """An ISO date, not after `latest`. Raises Invalid."""
    if not _is_day(day):
        raise Invalid(f"{what}: a date such as 2026-11-21", field=what)
    if day > latest:
        raise Invalid(f"{what}: {day} is after {latest}, today in Beijing", field=what)


def _is_digest(text: str) -> bool:
    return _DIGEST.fullmatch(text) is not None


@lru_cache(maxsize=4096)
def _is_day(day: str) -> bool:
    try:
        return date.fromisoformat(day).isoformat() == day
    except ValueError:
        return False
