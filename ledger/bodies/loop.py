"""The loop: what the recipients say of a payment."""

from typing import Literal

from ledger.account import Whole
from ledger.bodies.body import Body

Outcome = Literal["ok", "short", "damaged"]


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
