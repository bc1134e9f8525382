"""The one place that reads the clock for the log."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from ledger import entries

BEHIND_S_MAX = 2
"""A clock this far behind the last entry has been set back: writing stops."""

DRIFT_S_MAX = 60
"""A clock that moved this far against the monotonic one was changed under us: writing stops."""


def boot_time_s() -> float:
    """Monotonic seconds that go on while the machine is suspended, where the system counts them."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class ClockError(Exception):
    """The clock cannot be right; nothing is written until somebody has looked."""


class Clock:
    """Gives each batch its `at`, never less than the one before."""

    def __init__(self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = boot_time_s) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._offset_s = wall() - monotonic()

    def at(self, last: str) -> str:
        """The time for the next batch; `last` is the head's `at`, empty for an empty log. Raises ClockError."""
        now_s = self._wall()
        drift_s = now_s - self._monotonic() - self._offset_s
        if abs(drift_s) > DRIFT_S_MAX:
            raise ClockError(f"the clock moved {drift_s:.0f} s against the monotonic clock")
        now = entries.instant(datetime.fromtimestamp(now_s, UTC))
        if now >= last:
            return now
        behind_s = (entries.moment(last) - entries.moment(now)).total_seconds()
        if behind_s > BEHIND_S_MAX:
            raise ClockError(f"the clock is {behind_s:.1f} s behind the last entry, {last}")
        return last


def now() -> str:
    """The time as entries write it, for readers: how old something is. Never for an entry."""
    return entries.instant(datetime.fromtimestamp(time.time(), UTC))


def today(at: str) -> str:
    """Beijing's date at this time."""
    return entries.beijing_date(entries.moment(at)).isoformat()
