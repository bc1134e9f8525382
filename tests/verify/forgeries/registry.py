"""What a forgery is: a log, the rule that names it, and what follows from it."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from ledger.entries import Rule as PolicyRule
from ledger.verify.rule import Rule
from tests.support.model import Pen
from tests.support.society import USUAL_RULES, open_society


class Forgery(NamedTuple):
    """A log that only these rules object to, the first one by name, the others as a consequence."""

    build: Callable[[], list[bytes]]
    rule: Rule
    followers: tuple[Rule, ...]


FORGERIES: dict[str, Forgery] = {}


def forgery(rule: Rule, *followers: Rule) -> Callable[[Callable[[], list[bytes]]], Callable[[], list[bytes]]]:
    """Register a log under its name."""

    def register(build: Callable[[], list[bytes]]) -> Callable[[], list[bytes]]:
        assert build.__name__ not in FORGERIES
        FORGERIES[build.__name__] = Forgery(build, rule, followers)
        return build

    return register


def free() -> Pen:
    """A society whose policy asks for no approvals beyond the built-in table."""
    return Pen(_opened(()))


def strict() -> Pen:
    """A society with approvals by amount, see USUAL_RULES."""
    return Pen(_opened(USUAL_RULES))


def lawless() -> Pen:
    """A society that has not set a policy yet."""
    return Pen(_opened(None))


@cache
def _opened(rules: tuple[PolicyRule, ...] | None) -> list[bytes]:
    return open_society(rules).written
