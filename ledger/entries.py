"""Entries: what the log holds. Built once as canonical bytes, hashed, stored, served; never written again.

Bytes are RFC 8785 canonical JSON in a profile: ASCII keys, strings, integers within ±(2^53-1), arrays, objects,
booleans; no floats, no null. Absent means empty. Kinds and versions may be added, never changed.
The bodies stand by noun in `ledger.bodies` and are named from here.
"""

import hashlib
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias

import msgspec

from ledger import account
from ledger.account import Whole
from ledger.bodies.body import WHOLE, Body, Part, Spending
from ledger.bodies.campaigns import CampaignRegistered
from ledger.bodies.control import (
    ImportApproved,
    ImportCompleted,
    ProposalApproved,
    ProposalExpired,
    ProposalMade,
    ProposalRejected,
    ProposalWithdrawn,
)
from ledger.bodies.corrections import EntryReversed
from ledger.bodies.endings import FundClosed, ProjectClosed, Residue
from ledger.bodies.erasures import ErasureBasis, ErasureRecorded
from ledger.bodies.exchange import ExchangeSettled
from ledger.bodies.fees import FeeCharged
from ledger.bodies.fiscal import ReceiptIssued, ReceiptVoided, ReceiptWaived, VoidReason, WaiverReason
from ledger.bodies.income import IncomeKind, IncomeReceived
from ledger.bodies.loop import DeliveryConfirmed, FeedbackPublished, Outcome
from ledger.bodies.money import (
    DonorClass,
    GiftRedirected,
    GiftRefunded,
    MoneyAllocated,
    MoneyDisbursed,
    MoneyReceived,
    MoneyReleased,
    MoneyReturned,
)
from ledger.bodies.periods import PeriodClosed
from ledger.bodies.pledges import PledgeEnd, PledgeEnded, PledgeMade
from ledger.bodies.setup import (
    EventDeclared,
    FundOpened,
    Level,
    LogOpened,
    OrganisationChanged,
    OrganisationRegistered,
    OverCeiling,
    PolicySet,
    ProjectOpened,
    Restriction,
    Rule,
    StaffDismissed,
    StaffEnrolled,
    Tier,
)
from ledger.bodies.stamps import CheckpointStamped
from ledger.bodies.suspense import MoneyIdentified, MoneyUnidentified, SuspenseReturned
from ledger.bodies.transfers import TransferReceived, TransferReturned, TransferSent
from ledger.posting import Posting

MAX_BYTES = 65_535
"""An entry bundle writes each entry's length in two bytes (c2sp.org/tlog-tiles)."""

GENESIS_PREV = "0" * 64
"""`prev` of entry 0."""

BEIJING = timedelta(hours=8)
"""Business dates are Beijing's; China keeps no summer time."""


AnyBody: TypeAlias = (
    CampaignRegistered
    | CheckpointStamped
    | DeliveryConfirmed
    | EntryReversed
    | ErasureRecorded
    | EventDeclared
    | ExchangeSettled
    | FeeCharged
    | FeedbackPublished
    | FundClosed
    | FundOpened
    | GiftRedirected
    | GiftRefunded
    | ImportApproved
    | ImportCompleted
    | IncomeReceived
    | LogOpened
    | MoneyAllocated
    | MoneyDisbursed
    | MoneyIdentified
    | MoneyReceived
    | MoneyReleased
    | MoneyReturned
    | MoneyUnidentified
    | OrganisationChanged
    | OrganisationRegistered
    | PeriodClosed
    | PledgeEnded
    | PledgeMade
    | PolicySet
    | ProjectClosed
    | ProjectOpened
    | ProposalApproved
    | ProposalExpired
    | ProposalMade
    | ProposalRejected
    | ProposalWithdrawn
    | ReceiptIssued
    | ReceiptVoided
    | ReceiptWaived
    | StaffDismissed
    | StaffEnrolled
    | SuspenseReturned
    | TransferReceived
    | TransferReturned
    | TransferSent
)

KINDS: dict[str, type[AnyBody]] = {
    "campaign.registered": CampaignRegistered,
    "checkpoint.stamped": CheckpointStamped,
    "delivery.confirmed": DeliveryConfirmed,
    "entry.reversed": EntryReversed,
    "erasure.recorded": ErasureRecorded,
    "event.declared": EventDeclared,
    "exchange.settled": ExchangeSettled,
    "fee.charged": FeeCharged,
    "feedback.published": FeedbackPublished,
    "fund.closed": FundClosed,
    "fund.opened": FundOpened,
    "gift.redirected": GiftRedirected,
    "gift.refunded": GiftRefunded,
    "import.approved": ImportApproved,
    "import.completed": ImportCompleted,
    "income.received": IncomeReceived,
    "log.opened": LogOpened,
    "money.allocated": MoneyAllocated,
    "money.disbursed": MoneyDisbursed,
    "money.identified": MoneyIdentified,
    "money.received": MoneyReceived,
    "money.released": MoneyReleased,
    "money.returned": MoneyReturned,
    "money.unidentified": MoneyUnidentified,
    "org.changed": OrganisationChanged,
    "org.registered": OrganisationRegistered,
    "period.closed": PeriodClosed,
    "pledge.ended": PledgeEnded,
    "pledge.made": PledgeMade,
    "policy.set": PolicySet,
    "project.closed": ProjectClosed,
    "project.opened": ProjectOpened,
    "proposal.approved": ProposalApproved,
    "proposal.expired": ProposalExpired,
    "proposal.made": ProposalMade,
    "proposal.rejected": ProposalRejected,
    "proposal.withdrawn": ProposalWithdrawn,
    "receipt.issued": ReceiptIssued,
    "receipt.voided": ReceiptVoided,
    "receipt.waived": ReceiptWaived,
    "staff.dismissed": StaffDismissed,
    "staff.enrolled": StaffEnrolled,
    "suspense.returned": SuspenseReturned,
    "transfer.received": TransferReceived,
    "transfer.returned": TransferReturned,
    "transfer.sent": TransferSent,
}
"""Every kind of entry, version 1."""

OUTSIDE_COMMITMENT = ("left", "moved", "part", "receipt", "root")
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
    part: Part = getattr(body, "part", ())
    return part or WHOLE


def org_of(entry: Entry) -> str:
    """The organisation whose books the entry is in; empty where it concerns the whole log.

    That of the account which gets the money: transit is in the books of who sends.
    """
    said: str = getattr(entry.body, "org", "")
    return said or (account.parse(entry.postings[0].dst).org if entry.postings else "")


def qty_of(entry: Entry) -> int:
    """What the entry moves in all; its postings are of one unit wherever this is shown."""
    if len(entry.postings) == 1:  # nearly all
        return entry.postings[0].qty
    return sum(posting.qty for posting in entry.postings)
