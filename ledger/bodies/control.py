"""Control: proposals and imports."""

from ledger.account import Whole
from ledger.bodies.body import Body, Part
from ledger.posting import Hold


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


class ProposalExpired(Body, frozen=True):
    """Nobody decided in the days that the policy gives; what was held is free again."""

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
