"""Foreign currency: what a gift says of it comes to the booked fen, and a loss is of the fund of such a gift."""

import re

from ledger.account import CNY, MAX_POSITION
from ledger.entries import ExchangeSettled, MoneyReceived
from ledger.verify.line import Line
from ledger.verify.rule import Rule
from ledger.verify.state import State

_RATE = re.compile(r"(?:0|[1-9][0-9]{0,5})(?:\.[0-9]{1,8})?")
_DECIMALS = dict.fromkeys(("JPY", "KRW", "VND"), 0) | dict.fromkeys(("BHD", "JOD", "KWD", "OMR", "TND"), 3)
"""ISO 4217; two for the others."""


def given(state: State, seq: int, body: MoneyReceived, fen: int, org: str) -> None:
    """Currency, amount and rate together; booked at that rate, give or take one fen."""
    expected = f"{body.original} {body.currency} at {body.rate}"
    if not (len(body.currency) == 3 and body.currency.isascii() and body.currency.isupper() and body.currency != CNY):
        state.find(Rule.CURRENCY, "a currency of ISO 4217 other than CNY", body.currency or "none")
    elif not 0 < body.original <= MAX_POSITION or not _RATE.fullmatch(body.rate):
        state.find(Rule.CURRENCY, "an amount in its smallest unit, and a rate", expected)
    else:
        state.foreign[seq] = (org, body.fund, fen)
        whole, _, fraction = body.rate.partition(".")
        unit = 10 ** (_DECIMALS.get(body.currency, 2) + len(fraction))
        exact = 100 * body.original * int(whole + fraction)
        if not exact - unit <= fen * unit <= exact + unit:
            state.find(Rule.CURRENCY, f"{expected}: {exact // unit} fen", fen)


def is_of_gift(state: State, body: ExchangeSettled, src: Line) -> bool:
    """The cited gift was given in a foreign currency to the fund that bears the loss, and was not taken back."""
    place = src.place
    if state.foreign.get(body.ref, ())[:2] == (place.org, place.rest[0]) and body.ref not in state.reversed:
        return True
    state.find(Rule.CURRENCY, f"a gift to {src} in a foreign currency", body.ref)
    return False


def check_bound(state: State, body: ExchangeSettled) -> None:
    """With this loss, what was lost of the gift, also as the wrong entries it corrects, is no more than was booked."""
    if body.ref not in state.foreign:
        return  # said where its fund is compared
    *_, booked = state.foreign[body.ref]
    lost = state.taken_of(body.ref, state.lost)
    if lost > booked:
        state.find(Rule.CURRENCY, f"at most {booked} fen lost of gift {body.ref}", lost)
