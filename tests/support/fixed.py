"""The same examples in every run, however slow the machine."""

from hypothesis import settings

FIXED = settings(deadline=None, derandomize=True, database=None)
