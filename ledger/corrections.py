"""The right to correct: a gift goes back to its donor, or to another purpose she agreed to."""

from collections import Counter
from dataclasses import replace
from typing import Any

from ledger import account, entries
from ledger.account import CNY, Account
from ledger.allocations import check_narrower, targeted
from ledger.books import Books
from ledger.command import (
    Effect,
    Facts,
    Needs,
    Proposable,
    body_of,
    check_cited,
    check_day,
    check_digest,
    check_evidence,
    check_text,
)
from ledger.donations import GIFTS
from ledger.posting import Take
from ledger.refusals import ConsentRequired, NothingLeft, PolicyMissing, RestrictionBroken
from ledger.rightings import missing, righted
from ledger.roles import REQUIRED


class RefundGift(Proposable, frozen=True, kw_only=True, tag="gift.refunded"):
    """Give a gift back: what of it is neither spent nor held; `amount_fen` 0: all of that."""

    org: str
    ref: int
    on: str
    reason: str
    amount_fen: int = 0
    evidence: tuple[str, ...] = ()
    corrects: int = 0


class RedirectGift(Proposable, frozen=True, kw_only=True, tag="gift.redirected"):
    """Let a gift serve another purpose: what of it is neither spent nor held goes to `fund`; `amount_fen` 0: all.

    `consent`: digest of the donor's consent, not needed where the fund keeps every promise of those it leaves.
    """

    org: str
    ref: int
    fund: str
    on: str
    reason: str
    consent: str = ""
    amount_fen: int = 0
    evidence: tuple[str, ...] = ()


def refund(command: RefundGift, books: Books, facts: Facts, proposal: int) -> Effect:
    """The gift's images that rest where the maker answers for them, in order of the gift's own positions."""
    _check(command, books, facts)
    wanted = missing(command, "gift.refunded", books, facts) if command.corrects else command.amount_fen
    return Effect(
        body=righted(body_of(entries.GiftRefunded, command), command),
        org=command.org,
        takes=_take(command, books, facts, proposal, wanted),
        into=account.refunds(command.org),
        by_amount=False,
    )


def redirect(command: RedirectGift, books: Books, facts: Facts, proposal: int) -> Effect:
    """The same images, but for those that are in the fund already, to that fund."""
    _check(command, books, facts)
    check_digest("consent", command.consent, optional=True)
    fund = books.fund(command.org, command.fund)
    into = account.fund(command.org, command.fund)
    facts = replace(facts, spans=tuple(each for each in facts.spans if each[0].address != into))
    takes = _take(command, books, facts, proposal, command.amount_fen)
    if not command.consent:
        _check_narrowing(takes, fund, books)
    return Effect(
        body=body_of(entries.GiftRedirected, command), org=command.org, takes=takes, into=into, by_amount=False
    )


def needs_gift(command: RefundGift | RedirectGift) -> Needs:
    """Where the gift rests now."""
    return Needs(ref=command.ref, images=True)


def lines(command: RefundGift | RedirectGift, facts: Facts) -> set[Account]:
    """Wherever the gift rests, and where it goes."""
    into = account.refunds(command.org) if isinstance(command, RefundGift) else account.fund(command.org, command.fund)
    return {where for where, _ in facts.spans} | {Account(into, CNY)}


def is_place(address: str) -> bool:
    """Whether money resting here can be taken back: on the line of a fund or a project."""
    return account.parse(address).kind in {"fund", "project"}


def _check(command: RefundGift | RedirectGift, books: Books, facts: Facts) -> None:
    if books.policy is None:
        raise PolicyMissing
    check_day("on", command.on, latest=facts.today)
    check_text("reason", command.reason)
    check_evidence(command.evidence)
    check_cited(facts, command.ref, GIFTS, command.org)
    books.require(command.maker, REQUIRED["gift.refunded"].maker, command.org)


def _take(
    command: RefundGift | RedirectGift, books: Books, facts: Facts, proposal: int, wanted: int
) -> tuple[Take, ...]:
    """What is free where the maker holds the role. Raises NothingLeft, which says where the rest is."""
    role = REQUIRED["gift.refunded"].maker
    ours = [each for each in facts.spans if not books.roles(command.maker, _org(each[0])).isdisjoint(role)]
    try:
        return targeted(books, replace(facts, spans=tuple(ours)), wanted, proposal)
    except NothingLeft as refused:
        elsewhere = Counter[str]()
        for where, span in facts.spans:
            if (where, span) not in ours:
                elsewhere[_org(where)] += span.qty
        raise NothingLeft(refused.detail, **refused.facts, **_gone(facts), elsewhere=dict(elsewhere)) from None


def _gone(facts: Facts) -> dict[str, Any]:
    """What of the gift was spent and by which payments, what is in transit and what went back."""
    found: dict[str, Counter[int]] = {"payees": Counter(), "transit": Counter(), "refunds": Counter()}
    for gone in facts.gone:
        found.setdefault(account.parse(gone.address).kind, Counter())[gone.seq] += gone.qty
    return {
        name: [{"entry": seq, "amount_fen": qty} for seq, qty in sorted(found[kind].items())]
        for name, kind in (("spent", "payees"), ("in_transit", "transit"), ("refunded", "refunds"))
    }


def _check_narrowing(takes: tuple[Take, ...], fund: entries.FundOpened, books: Books) -> None:
    """Without the donor's consent, a gift may only go where every promise is kept. Raises ConsentRequired."""
    for take in takes:
        place = account.parse(take.account.address)
        try:
            check_narrower(books.fund(place.org, place.rest[-1]), fund)
        except RestrictionBroken as broken:
            raise ConsentRequired(broken.detail, **broken.facts) from None


def _org(where: Account) -> str:
    return account.parse(where.address).org
