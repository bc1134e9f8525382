"""A date as typed into a sheet, read into YYYY-MM-DD. A time of day is dropped: the ledger shows days."""

import re
from datetime import date
from functools import lru_cache

from ledger.imports.cell import narrow, outline
from ledger.imports.fault import Reason, RowError

_TIME = r"(?:[ T][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?"
_DATES = re.compile(
    r"(?P<y>(?:19|20)[0-9]{2})(?:(?P<separator>[-/.])(?P<m>[0-9]{1,2})(?P=separator)(?P<d>[0-9]{1,2})"
    r"|年(?P<m2>[0-9]{1,2})月(?P<d2>[0-9]{1,2})日|(?P<m3>[0-9]{2})(?P<d3>[0-9]{2}))" + _TIME
)
_SERIAL = re.compile(r"[0-9]{5}")
_SERIAL_ZERO = date(
    1899, 12, 30
).toordinal()  # Excel counts from 1 January 1900 and believes in a 29 February of that year


@lru_cache(maxsize=4096)  # a sheet has few days
def parse(text: str) -> str:
    """The day as YYYY-MM-DD, of the years 1900 to 2099."""
    if not text:
        raise RowError(Reason.DATE_MISSING)
    plain = narrow(text)
    if match := _DATES.fullmatch(plain):
        year, month, day = (
            match["y"],
            match["m"] or match["m2"] or match["m3"],
            match["d"] or match["d2"] or match["d3"],
        )
        try:
            return date(int(year), int(month), int(day)).isoformat()
        except ValueError:
            raise RowError(Reason.DATE_UNREADABLE, outline(text)) from None
    if _SERIAL.fullmatch(plain) and (found := date.fromordinal(_SERIAL_ZERO + int(plain))).year < 2100:
        return found.isoformat()
    raise RowError(Reason.DATE_UNREADABLE, outline(text))
