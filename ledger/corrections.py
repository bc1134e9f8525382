"""The right to correct: what goes back, and what was wrong."""

from ledger import account, entries
from ledger.allocations import targeted
from ledger.books import Books
from ledger.command import Effect, Facts, Needs, Proposable, body_of, check_cited, check_day, check_evidence, check_text
from ledger.donations import GIFTS
from ledger.refusals import PolicyMissing


class RefundGift(Proposable, frozen=True, kw_only=True, tag="gift.refunded"):
    """Give a gift back: what of it is neither spent nor held; `amount_fen` 0: all of that."""

    org: str
    ref: int
    on: str
    reason: str
    amount_fen: int = 0
    evidence: tuple[str, ...] = ()


def refund(command: RefundGift, books: Books, facts: Facts, proposal: int) -> Effect:
    """The gift's images that rest in this organisation's inside accounts, in order of the gift's own positions."""
    if books.policy is None:
        raise PolicyMissing
    check_day("on", command.on, latest=facts.today)
    check_text("reason", command.reason)
    check_evidence(command.evidence)
    check_cited(facts, command.ref, GIFTS, command.org)
    takes = targeted(books, facts, command.amount_fen, proposal)
    return Effect(
        body=body_of(entries.GiftRefunded, command),
        org=command.org,
        takes=takes,
        into=account.refunds(command.org),
        by_amount=False,
    )


def needs_refund(command: RefundGift) -> Needs:
    """Where the gift rests now."""
    return Needs(ref=command.ref, images=True)


def refundable(address: str, org: str) -> bool:
    """Whether a gift's money resting here may be given back by this organisation."""
    parsed = account.parse(address)
    return parsed.org == org and parsed.kind in {"fund", "project"}
