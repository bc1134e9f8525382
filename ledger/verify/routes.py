"""From where to where money of each kind goes."""

from collections.abc import Sequence

from ledger import account
from ledger.account import Address

PAYMENT = "money.disbursed"
ALLOCATION = "money.allocated"
RELEASE = "money.released"
REFUND = "gift.refunded"
REDIRECTION = "gift.redirected"
SUSPENSE_RETURN = "suspense.returned"
FEE = "fee.charged"
EXCHANGE = "exchange.settled"
RETURN = "money.returned"
REVERSAL = "entry.reversed"
SENT = "transfer.sent"
ARRIVED = "transfer.received"
SENT_BACK = "transfer.returned"

TRANSFERS = frozenset({ARRIVED, SENT_BACK})
"""Out of transit."""

TARGETED = frozenset({RELEASE, REDIRECTION, REFUND, RETURN, REVERSAL, SUSPENSE_RETURN}) | TRANSFERS
OF_A_GIFT = frozenset({REFUND, REDIRECTION})
"""They take what a gift has become, of every organisation for which the maker answers; so does a gift's reversal."""

OUTFLOWS = frozenset({ALLOCATION, EXCHANGE, FEE, PAYMENT, SENT}) | TARGETED
"""They cite an entry; the others take what came first."""

VOIDED = "voided"
"""Where a gift that was taken back goes."""

SUSPENSE = "suspense"
"""And one that had been found there."""

_OF_GIFTS = frozenset({SUSPENSE, VOIDED})


def books_of(kind: str, into: Address) -> str:
    """The organisation whose entry it is: of whoever gets the money, or gives up what she had received."""
    return into.rest[0] if kind == REVERSAL and into.kind == "transit" else into.org


def is_homeward(kind: str, into: Address) -> bool:
    """Whether each position goes back to the account it left; else all go to one account."""
    return kind == RETURN or (kind == REVERSAL and into.kind not in _OF_GIFTS)


def is_of_a_gift(kind: str, into: Address) -> bool:
    """Whether it takes what a gift has become, wherever the maker answers for it."""
    return kind in OF_A_GIFT or (kind == REVERSAL and into.kind in _OF_GIFTS)


def destination(kind: str, sources: Sequence[Address], into: Address) -> str:  # noqa: C901, PLR0912  kind by kind
    """The account to which money of this kind goes from there, if it goes anywhere.

    Given `into` where the kind leaves a choice: the project, the other organisation, the fund.
    """
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
        case "gift.refunded" if kinds <= {"fund", "project"}:
            return account.refunds(into.org)
        case "gift.redirected" if kinds <= {"fund", "project"} and into.kind == "fund":
            return account.fund(into.org, into.rest[0])
        case "money.returned" if is_one and kinds == {"payees"} and into.kind == "project" and into.org == src.org:
            return account.project(src.org, *into.rest)
        case "fee.charged" if is_one and kinds == {"fund"}:
            return account.fees(src.org)
        case "exchange.settled" if is_one and kinds == {"fund"}:
            return account.losses(src.org)
        case "suspense.returned" if is_one and kinds == {"suspense"}:
            return account.refunds(src.org)
        case "transfer.sent" if is_one and kinds == {"fund"} and into.kind == "transit" and into.org == src.org:
            return account.transit(src.org, into.rest[0])
        case "transfer.received" if is_one and kinds == {"transit"} and into.kind == "fund" and into.org == src.rest[0]:
            return account.fund(into.org, into.rest[0])
        case "transfer.returned" if is_one and kinds == {"transit"} and into.kind == "fund" and into.org == src.org:
            return account.fund(into.org, into.rest[0])
        case "entry.reversed" if into.kind == VOIDED and (
            kinds <= {"fees", "fund", "project"} or kinds == {"suspense"}
        ):
            return account.voided(into.org)
        case "entry.reversed" if into.kind == SUSPENSE and kinds <= {"fund", "project"}:
            return account.suspense(into.org)
        case "entry.reversed" if is_one and src.kind == "fund" and into.kind == "transit" and into.rest[0] == src.org:
            return account.transit(into.org, src.org)
        case "entry.reversed" if is_one and (src.kind, into.kind) in _BACK and into.org == src.org:
            return ":".join((into.kind, into.org, *into.rest))
        case _:
            return ""


_BACK = {
    ("fees", "fund"),
    ("losses", "fund"),
    ("payees", "project"),
    ("project", "fund"),
    ("refunds", "fund"),
    ("refunds", "project"),
    ("transit", "fund"),
}
"""Accounts that money went to, and those that it left, where an entry of that kind may be taken back."""
