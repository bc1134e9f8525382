"""The replay: entry after entry, by nothing but their bytes, each rule of DESIGN, section 4, in one place."""

from collections.abc import Callable, Sequence
from typing import Any

from cryptography.x509 import Certificate

from ledger import account
from ledger.account import AccountClass
from ledger.verify import (
    campaigns,
    deliveries,
    endings,
    erasures,
    fiscal,
    gifts,
    outflows,
    periods,
    pledges,
    proposals,
    runs,
    setup,
    stamps,
    suspense,
    words,
)
from ledger.verify.entry import Envelope, UnreadableError, beijing_day, is_instant, read
from ledger.verify.finding import Findings
from ledger.verify.references import References
from ledger.verify.rule import Rule
from ledger.verify.state import NONE, Stamp, State

Handler = Callable[[State, Envelope, Any], None]

HANDLERS: dict[str, Handler] = {
    "campaign.registered": campaigns.registered,
    "checkpoint.stamped": stamps.stamped,
    "delivery.confirmed": deliveries.confirmed,
    "entry.reversed": outflows.enter,
    "erasure.recorded": erasures.recorded,
    "event.declared": setup.event_declared,
    "exchange.settled": outflows.enter,
    "fee.charged": outflows.enter,
    "feedback.published": deliveries.feedback,
    "fund.closed": endings.fund_closed,
    "fund.opened": setup.fund_opened,
    "gift.redirected": outflows.enter,
    "gift.refunded": outflows.enter,
    "import.approved": gifts.import_approved,
    "import.completed": gifts.import_completed,
    "income.received": suspense.income,
    "log.opened": setup.log_opened,
    "money.allocated": outflows.enter,
    "money.disbursed": outflows.enter,
    "money.identified": suspense.identified,
    "money.received": gifts.received,
    "money.released": outflows.enter,
    "money.returned": outflows.enter,
    "money.unidentified": suspense.unidentified,
    "org.changed": setup.organisation_changed,
    "org.registered": setup.organisation_registered,
    "period.closed": periods.closed,
    "pledge.ended": pledges.ended,
    "pledge.made": pledges.made,
    "policy.set": setup.policy_set,
    "project.closed": endings.project_closed,
    "project.opened": setup.project_opened,
    "proposal.approved": proposals.approved,
    "proposal.expired": proposals.expired,
    "proposal.made": proposals.made,
    "proposal.rejected": proposals.rejected,
    "proposal.withdrawn": proposals.withdrawn,
    "receipt.issued": fiscal.issued,
    "receipt.voided": fiscal.voided,
    "receipt.waived": fiscal.waived,
    "staff.dismissed": setup.staff_dismissed,
    "staff.enrolled": setup.staff_enrolled,
    "suspense.returned": outflows.enter,
    "transfer.received": outflows.enter,
    "transfer.returned": outflows.enter,
    "transfer.sent": outflows.enter,
}
"""What is asked of each kind of entry."""

GIFT = "money.received"
"""Nearly every entry; it holds no text."""


class Replay:
    """Reads a log from its start. Findings are collected; what can be followed is followed."""

    def __init__(self, origin: str, findings: Findings, authorities: Sequence[Certificate] = ()) -> None:
        """`authorities`: certificates whose timestamps count."""
        self._state = State(
            findings=findings, references=References(findings), origin=origin, authorities=tuple(authorities)
        )

    @property
    def size(self) -> int:
        """How many entries were read."""
        return self._state.position + 1

    def step(self, written: bytes) -> None:
        """Read one more entry."""
        state = self._state
        state.position += 1
        try:
            entry, body = read(written)
        except UnreadableError as error:
            state.find(error.rule, error.expected, error.found)
            return
        if entry.at != state.at:
            _check_time(state, entry.at)
        if state.run is not None or state.due is not None:
            runs.settle(state, entry, body)
        if state.position == 0 and entry.kind != "log.opened":
            state.find(Rule.LOG_OPENED, "log.opened", entry.kind)
        if entry.kind != GIFT:
            words.check(state, body)
        HANDLERS[entry.kind](state, entry, body)
        if state.approved != NONE and entry.kind != "proposal.approved":
            state.approved = NONE
        state.kinds[entry.kind] += 1

    def finish(self) -> None:
        """What only the end shows: a cut split, a reference that came twice."""
        runs.finish(self._state)
        self._state.references.close()

    def close(self) -> None:
        """Let the temporary files go."""
        self._state.references.discard()

    @property
    def kinds(self) -> dict[str, int]:
        """How many entries of each kind, of those that could be read."""
        return dict(sorted(self._state.kinds.items()))

    @property
    def stamps(self) -> list[Stamp]:
        """What authorities outside are said to have seen."""
        return self._state.stamps

    @property
    def totals_fen(self) -> dict[str, int]:
        """What came in, and where it is now: inside the organisations, paid, given back."""
        totals = {"received": 0, "resting": 0}
        for line in self._state.lines.values():
            balance = line.credited - line.consumed.total
            is_inside = account.CLASSES[line.place.kind][0] is AccountClass.INSIDE
            where = "resting" if is_inside else line.place.kind
            totals[where] = totals.get(where, 0) + balance
            totals["received"] += balance
        return totals


def _check_time(state: State, at: str) -> None:
    """`at` is a time in UTC, and never goes back."""
    if not is_instant(at):
        state.find(Rule.TIME_ORDER, "a time such as 2026-11-21T08:00:00.123Z", at)
        return
    if at < state.at:
        state.find(Rule.TIME_ORDER, f"not before {state.at}", at)
        return
    state.at = at
    state.day = beijing_day(at[:13])
