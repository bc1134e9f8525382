"""Periods: what is closed stays as it is."""

from ledger.bodies.body import Body


class PeriodClosed(Body, frozen=True):
    """Nothing of this organisation is dated on or before `last_on` any more; `root`: of its trial balance of then."""

    first_on: str
    last_on: str
    org: str
    root: str
