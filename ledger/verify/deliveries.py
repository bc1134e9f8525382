"""The loop: what the recipient says arrived, and what a payment did."""

from ledger.entries import DeliveryConfirmed, FeedbackPublished
from ledger.verify.authority import check_entry
from ledger.verify.entry import Envelope
from ledger.verify.persons import check_evidence, check_few
from ledger.verify.postings import none
from ledger.verify.rule import Rule
from ledger.verify.state import Payment, State


def confirmed(state: State, entry: Envelope, body: DeliveryConfirmed) -> None:
    """All confirmations of a payment together are at most what was paid and did not come back until then."""
    none(state, entry)
    check_entry(state, entry, body, body.org)
    state.check_on(body.on)
    check_evidence(state, body.evidence)
    payment = _payment(state, body)
    if payment is None:
        return
    payment.confirmed += body.qty
    kept = payment.qty - payment.returned
    if body.qty <= 0 or payment.confirmed > kept:
        state.find(Rule.CONFIRMATION, f"at most {kept} in all", payment.confirmed)


def feedback(state: State, entry: Envelope, body: FeedbackPublished) -> None:
    """A statement about a payment of that organisation."""
    none(state, entry)
    check_entry(state, entry, body, body.org)
    state.check_on(body.on)
    check_evidence(state, body.evidence)
    check_few(state, body.beneficiaries)
    _payment(state, body)


def _payment(state: State, body: DeliveryConfirmed | FeedbackPublished) -> Payment | None:
    """The payment that is cited, by its first part."""
    payment = state.payments.get(body.ref)
    if payment is None or payment.org != body.org:
        state.find(Rule.CONFIRMATION, f"a payment of {body.org}", body.ref)
        return None
    return payment
