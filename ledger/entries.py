"""Entries: what the log holds. Built once as canonical bytes, hashed, stored, served; never written again.

Bytes are RFC 8785 canonical JSON in a profile: ASCII keys, strings, integers within ±(2^53-1), arrays, objects,
booleans; no floats, no null. Absent means empty. Kinds and versions may be added, never changed.
"""

import hashlib
from datetime import UTC, date, datetime, timedelta
from typing import Literal, TypeAlias, cast

import msgspec

from ledger import account
from ledger.account import Whole
from ledger.posting import NO_LINE, Hold, Posting

MAX_BYTES = 65_535
"""An entry bundle writes each entry's length in two bytes (c2sp.org/tlog-tiles)."""

GENESIS_PREV = "0" * 64
"""`prev` of entry 0."""

BEIJING = timedelta(hours=8)
"""Business dates are Beijing's; China keeps no summer time."""


class Body(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What an entry says beside its postings. A field with its default value is absent from the bytes.

    Defaults are values Python keeps once (empty, small numbers): msgspec tells a default by identity.
    """


class Restriction(Body, frozen=True):
    """What a project must have before this fund's money may reach it; empty: unrestricted.

    `recipient` is carried by the fund's line to the end, where it must equal the payee.
    """

    category: str = ""
    event: str = ""
    project: str = ""
    recipient: str = ""
    region: str = ""


class Tier(msgspec.Struct, frozen=True, array_like=True):
    """From this amount (fen, or pieces) this many approvals."""

    from_qty: Whole
    approvals: Whole


class Rule(Body, frozen=True):
    """Asked of one kind: approvals by amount; from which amount a decision document 三重一大 (-1: never)."""

    kind: str
    approvals: tuple[Tier, ...] = ()
    decision_from: Whole = -1


Part: TypeAlias = tuple[Whole, ...]
"""(i, k): this entry is the i-th of the k that one effect was split into; absent where it is the only one."""

WHOLE: Part = (1, 1)

Level = Literal["national", "province", "city", "county", "grassroots"]
Outcome = Literal["ok", "short", "damaged"]
DonorClass = Literal["person", "organisation", "unknown"]
Spending = Literal["aid", "purchase", "campaign", "management"]


# --- set-up -----------------------------------------------------------------------------------------------------------


class LogOpened(Body, frozen=True):
    """Entry 0: the log's origin (the name its checkpoints carry), its operator, two founding administrators."""

    administrators: tuple[str, ...]
    operator: str
    origin: str


class OrganisationRegistered(Body, frozen=True):
    """An organisation keeps books here. Its id stays when it moves or is renamed; `division` is GB/T 2260."""

    division: str
    level: Level
    name: str
    org: str
    parent: str = ""
    uscc: str = ""


class OrganisationChanged(OrganisationRegistered, frozen=True):
    """The organisation's facts from now on, all of them."""


class StaffEnrolled(Body, frozen=True):
    """A pseudonym holds these roles in an organisation (none named: in the whole log). Adds to what it held."""

    roles: tuple[str, ...]
    staff: str
    org: str = ""


class StaffDismissed(Body, frozen=True):
    """A pseudonym holds no role in this organisation any more."""

    staff: str
    org: str = ""


class PolicySet(Body, frozen=True):
    """Replaces the policy: kinds not named need what the built-in table asks."""

    rules: tuple[Rule, ...] = ()


class EventDeclared(Body, frozen=True):
    """A disaster or campaign that gifts can be labelled with."""

    event: str
    name: str
    emergency: bool = False


class FundOpened(Body, frozen=True):
    """Money under one restriction, and what its fee clause lets it be spent on (none named: aid and purchase)."""

    fund: str
    name: str
    org: str
    restriction: Restriction
    spending: tuple[Spending, ...] = ()


class ProjectOpened(Body, frozen=True):
    """What money is allocated to."""

    name: str
    org: str
    project: str
    budget_fen: Whole = 0
    category: str = ""
    ends: str = ""
    event: str = ""
    region: str = ""
    starts: str = ""


# --- money ---


class MoneyReceived(Body, frozen=True):
    """A gift. `ref`: see privacy.reference; `donor` and `receipt`: commitments; `batch`, `row`: of an import."""

    channel: str
    donor: str
    fund: str
    on: str
    batch: Whole = 0
    donor_class: DonorClass = "unknown"
    event: str = ""
    receipt: str = ""
    ref: str = ""
    row: Whole = 0


class MoneyAllocated(Body, frozen=True):
    """From a fund to a project of the same organisation, first in first out."""

    on: str
    decision: str = ""
    part: Part = ()


class MoneyReleased(Body, frozen=True):
    """Back from the project to its fund: what is left of the allocation `ref`."""

    on: str
    reason: str
    ref: Whole
    part: Part = ()


class MoneyDisbursed(Body, frozen=True):
    """Paid to an institution, or to persons. `beneficiaries`: a count, or `1-4` where fewer than five."""

    on: str
    payee: str
    project: str
    purpose: str
    spending: Spending
    beneficiaries: str = ""
    decision: str = ""
    evidence: tuple[str, ...] = ()
    part: Part = ()
    region: str = ""


class GiftRefunded(Body, frozen=True):
    """Given back to the donor: what of the gift `ref` was neither spent nor held."""

    on: str
    reason: str
    ref: Whole
    evidence: tuple[str, ...] = ()
    part: Part = ()


# --- the loop ---


class DeliveryConfirmed(Body, frozen=True):
    """The recipient says what arrived of the payment `ref`, in its unit."""

    on: str
    org: str
    outcome: Outcome
    qty: Whole
    ref: Whole
    evidence: tuple[str, ...] = ()


class FeedbackPublished(Body, frozen=True):
    """What the payment `ref` did, with evidence."""

    on: str
    org: str
    ref: Whole
    text: str
    beneficiaries: str = ""
    evidence: tuple[str, ...] = ()


# --- control ---


class ProposalMade(Body, frozen=True):
    """Somebody wants `command` done: what it would hold, where it would go, a salted commitment of its body.

    An open proposal is named by the number of this entry (of its first part).
    """

    commitment: str
    command: str
    holds: tuple[Hold, ...] = ()
    into: tuple[str, ...] = ()
    org: str = ""
    part: Part = ()


class ProposalApproved(Body, frozen=True):
    """One approval; the last one needed is followed by the effect, in the same transaction."""

    proposal: Whole
    org: str = ""


class ProposalRejected(Body, frozen=True):
    """A checker said no; what was held is free again."""

    proposal: Whole
    reason: str
    org: str = ""


class ProposalWithdrawn(Body, frozen=True):
    """Its maker took it back; what was held is free again."""

    proposal: Whole
    org: str = ""


class ImportApproved(Body, frozen=True):
    """A checked file of gifts may be entered, row by row, each citing this entry as `batch`."""

    channel: str
    file: str
    first_on: str
    fund: str
    last_on: str
    name: str
    org: str
    profile: str
    rows: Whole
    sum_fen: Whole
    event: str = ""


class ImportCompleted(Body, frozen=True):
    """All rows are decided: entered (rows, sum) + rejected = approved."""

    batch: Whole
    org: str
    rows: Whole
    sum_fen: Whole
    rejected: Whole = 0
    rejected_fen: Whole = 0


AnyBody: TypeAlias = (
    DeliveryConfirmed
    | EventDeclared
    | FeedbackPublished
    | FundOpened
    | GiftRefunded
    | ImportApproved
    | ImportCompleted
    | LogOpened
    | MoneyAllocated
    | MoneyDisbursed
    | MoneyReceived
    | MoneyReleased
    | OrganisationChanged
    | OrganisationRegistered
    | PolicySet
    | ProjectOpened
    | ProposalApproved
    | ProposalMade
    | ProposalRejected
    | ProposalWithdrawn
    | StaffDismissed
    | StaffEnrolled
)

KINDS: dict[str, type[AnyBody]] = {
    "delivery.confirmed": DeliveryConfirmed,
    "event.declared": EventDeclared,
    "feedback.published": FeedbackPublished,
    "fund.opened": FundOpened,
    "gift.refunded": GiftRefunded,
    "import.approved": ImportApproved,
    "import.completed": ImportCompleted,
    "log.opened": LogOpened,
    "money.allocated": MoneyAllocated,
    "money.disbursed": MoneyDisbursed,
    "money.received": MoneyReceived,
    "money.released": MoneyReleased,
    "org.changed": OrganisationChanged,
    "org.registered": OrganisationRegistered,
    "policy.set": PolicySet,
    "project.opened": ProjectOpened,
    "proposal.approved": ProposalApproved,
    "proposal.made": ProposalMade,
    "proposal.rejected": ProposalRejected,
    "proposal.withdrawn": ProposalWithdrawn,
    "staff.dismissed": StaffDismissed,
    "staff.enrolled": StaffEnrolled,
}
"""Every kind of entry, version 1."""

OUTSIDE_COMMITMENT = ("part", "receipt")
"""Fields an effect gets when it happens; a proposal does not commit to them."""


class By(Body, frozen=True):
    """Who answers for the entry: pseudonyms. The salt opens the proposal's commitment."""

    maker: str
    checkers: tuple[str, ...] = ()
    proposal: Whole = 0
    salt: str = ""


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One entry of the log."""

    at: str
    body: AnyBody
    by: By
    kind: str
    prev: str
    seq: Whole
    v: Whole
    postings: tuple[Posting, ...] = ()


class _Envelope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """An entry whose body waits for its kind."""

    at: str
    body: msgspec.Raw
    by: By
    kind: str
    prev: str
    seq: Whole
    v: Whole
    postings: tuple[Posting, ...] = ()


class NotCanonicalError(ValueError):
    """Bytes that are no entry, or not the one way to write it."""


_encoder = msgspec.json.Encoder(order="sorted")  # 'deterministic' leaves the fields of structs unsorted
_envelopes = msgspec.json.Decoder(_Envelope)
_bodies = {kind: msgspec.json.Decoder(body) for kind, body in KINDS.items()}

canonical = _encoder.encode
"""RFC 8785 bytes of anything inside the profile."""


def encode(entry: Entry) -> bytes:
    """The entry's bytes. The checks of commands and the split into parts keep them below MAX_BYTES."""
    written = _encoder.encode(entry)
    assert len(written) <= MAX_BYTES, "an entry that no bundle can hold"
    return written


def decode(written: bytes) -> Entry:
    """The entry these bytes are. Raises NotCanonicalError for anything encode() would not have written."""
    if len(written) > MAX_BYTES:
        raise NotCanonicalError(f"{len(written)} bytes are no entry: at most {MAX_BYTES}")
    try:
        envelope = _envelopes.decode(written)
        body = _bodies[envelope.kind].decode(envelope.body)
    except (msgspec.DecodeError, KeyError, UnicodeDecodeError, RecursionError) as error:
        raise NotCanonicalError(f"not an entry: {error}") from error
    entry = Entry(
        at=envelope.at,
        body=body,
        by=envelope.by,
        kind=envelope.kind,
        postings=envelope.postings,
        prev=envelope.prev,
        seq=envelope.seq,
        v=envelope.v,
    )
    if envelope.v != 1 or _encoder.encode(entry) != written:
        raise NotCanonicalError("an entry, but not in its canonical form")
    return entry


def digest(written: bytes) -> str:
    """What the next entry's `prev` is: hex SHA-256 of the bytes."""
    return hashlib.sha256(written).hexdigest()


def commitment(body: AnyBody, salt: str) -> str:
    """What a proposal says of the body it would enter, and what the effect opens byte for byte."""
    plain = {k: v for k, v in msgspec.to_builtins(body).items() if k not in OUTSIDE_COMMITMENT}
    text = b"sunledger/proposal/1\n%b\n%b\n" % (salt.encode(), canonical(plain))
    return hashlib.sha256(text).hexdigest()


def kind_of(body: AnyBody) -> str:
    """The kind whose body this is."""
    return _KIND_OF[type(body)]


_KIND_OF: dict[type[AnyBody], str] = {body: kind for kind, body in KINDS.items()}


def instant(moment: datetime) -> str:
    """`at`: UTC, milliseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def moment(at: str) -> datetime:
    """The time `at` says."""
    return datetime.fromisoformat(at)


def beijing_date(moment: datetime) -> date:
    """The business date of a moment."""
    return (moment.astimezone(UTC) + BEIJING).date()


def part_of(body: AnyBody) -> Part:
    """(i, k) of the effect this entry belongs to; (1, 1) for an undivided one."""
    return cast("Part", getattr(body, "part", ())) or WHOLE


def org_of(entry: Entry) -> str:
    """The organisation whose books the entry is in; empty where it concerns the whole log."""
    if entry.postings:
        first = entry.postings[0]
        return account.parse(first.dst if first.src_lo == NO_LINE else first.src).org
    return cast("str", getattr(entry.body, "org", ""))


def qty_of(entry: Entry) -> int:
    """What the entry moves in all; its postings are of one unit wherever this is shown."""
    return sum(posting.qty for posting in entry.postings)
