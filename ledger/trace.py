"""Traces: where every fen of a gift is, and how it got there. What one says; `ledger.tracing` puts it together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, NamedTuple

import msgspec

from ledger.entries import DonorClass


class State(StrEnum):
    """Where money is on its way: one word for each state, and never one word for two. In the order of pages."""

    CONFIRMED = "confirmed"
    """Paid, and the recipients confirmed all of the payment that did not come back."""
    UNCONFIRMED = "unconfirmed"
    """Paid, and that not yet. What figures call paid is both."""
    REFUNDED = "refunded"
    LOST = "lost"
    """Lost in an exchange of currency."""
    FEES = "fees"
    """Kept by a channel or platform, as the fund's clause allows."""
    IN_TRANSIT = "in_transit"
    """Sent to another organisation, not yet received there."""
    VOIDED = "voided"
    """Entered wrongly, and taken back."""
    ALLOCATED = "allocated"
    """In a project, not spent."""
    HELD = "held"
    """In its fund, not allocated."""


FiscalState = Literal["none", "issued", "voided", "anonymous", "declined"]
"""What the log says of a gift's fiscal receipt: nothing; one holds; the last was voided; waived, and why."""


class Named(msgspec.Struct, frozen=True):
    """An id and what it is called."""

    id: str
    name: str


class Began(Named, frozen=True):
    """An event and the day it began."""

    began: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the ids of a trace are called. Funds and projects by (organisation, id)."""

    organisations: Mapping[str, str]
    funds: Mapping[tuple[str, str], str]
    projects: Mapping[tuple[str, str], str]
    events: Mapping[str, str]
    began: Mapping[str, str] = field(default_factory=dict)
    """Events → the day each began, where its entry says so."""
    serves: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Projects by (organisation, id) → the event they are for."""

    def organisation(self, org: str) -> Named:
        """An organisation."""
        return Named(org, self.organisations[org])

    def fund(self, org: str, fund: str) -> Named:
        """A fund of an organisation."""
        return Named(fund, self.funds[org, fund])

    def project(self, org: str, project: str) -> Named:
        """A project of an organisation."""
        return Named(project, self.projects[org, project])


class Campaign(NamedTuple):
    """The campaign a gift belongs to."""

    id: str
    name: str
    last_on: str


class Gift(msgspec.Struct, frozen=True, kw_only=True):
    """A gift as its entry tells it."""

    seq: int
    sha256: str
    on: str
    organisation: Named
    fund: Named
    event: Named | None
    campaign: Named | None
    late: bool
    """It came after the last day of that campaign."""
    fiscal: FiscalState
    amount_fen: int
    channel: str
    donor_class: DonorClass
    batch: int | None
    """The import it came with."""
    entering: bool
    """Rows of that import are still being entered."""
    earlier_than: tuple[Began, ...]
    """Events it was given for, or used for, that began after it was given: it came to a standing fund."""
    currency: str
    original: int
    """In the currency's smallest unit; 0 where the gift was in CNY."""
    rate: str
    corrects: int | None
    """The wrong entry whose place it took."""
    right_fen: int
    """Then, what would have been right: a part of it had gone its way with the wrong entry. 0 for other gifts."""


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """What one entry (all its parts) says of the money it moved, or of the payment it speaks of."""

    seq: int
    on: str
    organisation: Named
    other: Named | None
    """Of a transfer: the organisation at the other end."""
    fund: Named | None
    project: Named | None
    entry_amount_fen: int
    decision: str
    purpose: str
    payee: str
    spending: str
    region: str
    beneficiaries: str
    evidence: tuple[str, ...]


class Leaf(Move, frozen=True, kw_only=True):
    """Where a part of the gift is now, and the entry that put it there."""

    state: State
    amount_fen: int


class Step(Move, frozen=True, kw_only=True):
    """Something that happened to the gift. `amount_fen`: this gift's part; of a statement, in the payment `ref`."""

    kind: str
    amount_fen: int
    ref: int | None
    approvals: int
    reason: str
    outcome: str
    text: str


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """The whole answer. The leaves always sum to the gift."""

    gift: Gift
    states: Mapping[State, int]
    leaves: tuple[Leaf, ...]
    steps: tuple[Step, ...]
    """The newest first."""

    @property
    def reversal(self) -> Step | None:
        """How the gift itself was taken back, if it was."""
        return next((each for each in self.steps if (each.kind, each.ref) == ("entry.reversed", self.gift.seq)), None)

    def __post_init__(self) -> None:
        for shown in (sum(leaf.amount_fen for leaf in self.leaves), sum(self.states.values())):
            assert shown == self.gift.amount_fen, f"entry {self.gift.seq}: {self.gift.amount_fen} fen, {shown} traced"
