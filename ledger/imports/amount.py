"""An amount as typed into a sheet, read exactly into a whole number of fen."""

import re
from enum import Enum
from functools import lru_cache

from ledger.imports.cell import narrow, outline
from ledger.imports.fault import Reason, RowError

MAX_FEN = 2**53 - 1  # what an entry can hold (DESIGN.md, section 4)


class Unit(Enum):
    """What one of the amount column is worth: the power of ten that turns it into fen, and how the unit is written."""

    YUAN = 2, ("元",)
    WAN = 6, ("万元", "万")

    def __init__(self, places: int, signs: tuple[str, ...]) -> None:
        self.places = places
        self.signs = signs


# [0-9], not \d, which takes the digits of every script. Commas only where they part thousands: 1,23 may be a decimal.
_AMOUNT = re.compile(r"¥?(-?)([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.([0-9]+))?(万元|万|元)?")


@lru_cache(maxsize=4096)  # amounts repeat: 149,192 gifts by QR code have some thousand different ones
def parse(text: str, unit: Unit = Unit.YUAN) -> int:
    """The amount in fen, more than zero. Anything that is not exactly one amount is a `RowError`."""
    if not text:
        raise RowError(Reason.AMOUNT_MISSING)
    match = _AMOUNT.fullmatch(narrow(text))
    if match is None or (match[4] and match[4] not in unit.signs):
        raise RowError(Reason.AMOUNT_UNREADABLE, outline(text))
    if match[1]:
        raise RowError(Reason.AMOUNT_NEGATIVE, outline(text))
    whole, fraction = match[2].replace(",", ""), (match[3] or "").rstrip("0")
    if whole[0] == "0" and len(whole) > 1:  # a code or a number of a document, not an amount
        raise RowError(Reason.AMOUNT_UNREADABLE, outline(text))
    if len(fraction) > unit.places:
        raise RowError(Reason.AMOUNT_BELOW_FEN, outline(text))
    digits = whole + fraction.ljust(unit.places, "0")
    fen = int(digits) if len(digits) <= 20 else MAX_FEN + 1
    if fen > MAX_FEN:
        raise RowError(Reason.AMOUNT_TOO_LARGE, outline(text))
    if not fen:
        raise RowError(Reason.AMOUNT_ZERO)
    return fen
