"""Foreign currency: gifts are booked in CNY at the bank's settlement; amount, currency and rate stay in the entry."""

import re

from ledger import account, entries
from ledger.account import CNY, Account
from ledger.books import Books
from ledger.command import (
    Effect,
    Facts,
    Needs,
    Proposable,
    body_of,
    check_cited,
    check_day,
    check_evidence,
    check_text,
)
from ledger.entries import ExchangeSettled
from ledger.posting import Take
from ledger.refusals import Invalid, PolicyMissing
from ledger.rightings import missing, righted

_CODE = re.compile(r"[A-Z]{3}")
_RATE = re.compile(r"(0|[1-9][0-9]{0,5})(?:\.([0-9]{1,8}))?")

MINOR_DIGITS = {"BHD": 3, "JOD": 3, "JPY": 0, "KRW": 0, "KWD": 3, "OMR": 3, "TND": 3, "VND": 0}
"""Decimal digits of the smallest unit (ISO 4217); two where not named."""


class SettleExchange(Proposable, frozen=True, kw_only=True, tag="exchange.settled"):
    """The settlement of a gift in a foreign currency came to less than was booked."""

    org: str
    ref: int
    amount_fen: int
    on: str
    reason: str
    evidence: tuple[str, ...] = ()
    corrects: int = 0


def check_currency(currency: str, original: int, rate: str, amount_fen: int) -> None:
    """Currency, amount and rate come together, and to the booked fen (give or take the bank's rounding of one).

    Raises Invalid.
    """
    if not (currency or original or rate):
        return
    if not _CODE.fullmatch(currency) or currency == CNY:
        raise Invalid("currency: three letters of ISO 4217, not CNY", field="currency")
    if type(original) is not int or not 0 < original <= account.MAX_POSITION:
        raise Invalid("original: a whole number of the currency's smallest unit", field="original")
    digits = _RATE.fullmatch(rate)
    if digits is None:
        raise Invalid("rate: CNY for one unit, such as 7.1234", field="rate")
    whole, decimals = digits.group(1), digits.group(2) or ""
    scale = 10 ** (len(decimals) + MINOR_DIGITS.get(currency, 2))
    exact = original * int(whole + decimals) * 100
    if abs(amount_fen * scale - exact) > scale:
        raise Invalid(f"amount_fen: {exact // scale} at this rate", field="amount_fen")


def settle(command: SettleExchange, books: Books, facts: Facts, proposal: int) -> Effect:
    """The loss, out of the gift's fund, first in first out: the settlement concerns all of its money alike.

    All losses of a gift together are at most what was booked of it. Raises Invalid.
    """
    qty = missing(command, "exchange.settled", books, facts)
    if books.policy is None:
        raise PolicyMissing
    check_day("on", command.on, latest=facts.today)
    check_text("reason", command.reason)
    check_evidence(command.evidence)
    check_cited(facts, command.ref, "money.received", command.org)
    src = fund_of(command, facts)
    if src is None:
        raise Invalid(f"ref: entry {command.ref} was given in CNY", field="ref")
    _check_bound(command, books, facts, qty)
    return Effect(
        body=righted(body_of(ExchangeSettled, command), command),
        org=command.org,
        takes=(Take(src, tuple(books.lines[src].first_in(qty, proposal))),),
        into=account.losses(command.org),
    )


def needs_gift(command: SettleExchange) -> Needs:
    """The gift it speaks of, and what was lost of it."""
    return Needs(ref=command.ref, losses=True)


def fund_of(command: SettleExchange, facts: Facts) -> Account | None:
    """The fund of the cited gift, if that was given in a foreign currency."""
    body = facts.cited.body if facts.cited is not None else None
    if isinstance(body, entries.MoneyReceived) and body.currency:
        return Account(account.fund(command.org, body.fund), CNY)
    return None


def lines(command: SettleExchange, facts: Facts) -> set[Account]:
    """The fund and the losses."""
    fund = fund_of(command, facts)
    return {Account(account.losses(command.org), CNY)} | ({fund} if fund else set())


def _check_bound(command: SettleExchange, books: Books, facts: Facts, qty: int) -> None:
    """A gift lost in exchange no more than it was; one that was taken back, nothing: its right entry did."""
    if command.ref in books.reversed:
        raise Invalid(f"ref: entry {command.ref} was taken back", field="ref")
    left = (getattr(facts.cited and facts.cited.body, "right_fen", 0) or facts.cited_qty) - facts.lost_qty
    if qty > left:
        raise Invalid(f"amount_fen: {left} of gift {command.ref} can still be lost", field="amount_fen", left=left)
