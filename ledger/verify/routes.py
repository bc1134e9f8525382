"""From where to where money of each kind goes."""

from collections.abc import Sequence

from ledger import account
from ledger.account import Address

PAYMENT = "money.disbursed"
ALLOCATION = "money.allocated"
RELEASE = "money.released"
REFUND = "gift.refunded"
SUSPENSE_RETURN = "suspense.returned"
FEE = "fee.charged"

OUTFLOWS = frozenset({ALLOCATION, FEE, PAYMENT, RELEASE, REFUND, SUSPENSE_RETURN})
TARGETED = frozenset({RELEASE, REFUND, SUSPENSE_RETURN})
"""They cite an entry; the others take what came first."""


def destination(kind: str, sources: Sequence[Address], into: Address) -> str:
    """The account to which money of this kind goes from there, if it goes anywhere; of allocations, given `into`."""
    src = sources[0]
    is_one = all(each == src for each in sources)
    is_one_org = all(each.org == src.org for each in sources)
    kinds = {each.kind for each in sources}
    match kind:
        case "money.allocated" if is_one and kinds == {"fund"} and into.kind == "project":
            return account.project(src.org, into.rest[0], src.rest[0])
        case "money.released" if is_one and kinds == {"project"}:
            return account.fund(src.org, src.rest[1])
        case "money.disbursed" if is_one_org and kinds == {"project"} and len({each.rest[0] for each in sources}) == 1:
            return account.payees(src.org)
        case "gift.refunded" if is_one_org and kinds <= {"fund", "project"}:
            return account.refunds(src.org)
        case "fee.charged" if is_one and kinds == {"fund"}:
            return account.fees(src.org)
        case "suspense.returned" if is_one and kinds == {"suspense"}:
            return account.refunds(src.org)
        case _:
            return ""
