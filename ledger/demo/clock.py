"""The story's clock: days pass in it while nobody waits for them."""

import time
from pathlib import Path

from ledger.store.clock import Clock

DAYS = 8
"""How far behind the clock on the wall the story begins: longer than the policy lets a proposal wait."""

_DAY_S = 86_400


class StoryClock(Clock):
    """Runs some days behind until the story lets them pass; from then on it is the clock on the wall."""

    def __init__(self, notes: Path) -> None:
        """`notes`: a file that is there once the story is told."""
        self._run_behind(0 if notes.exists() else DAYS)

    def let_days_pass(self) -> None:
        """Now it is today."""
        self._run_behind(0)

    def _run_behind(self, days: int) -> None:
        Clock.__init__(self, wall=lambda: time.time() - days * _DAY_S)
