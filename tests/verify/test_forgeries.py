"""Each lie in an otherwise right log is caught by the rule it breaks, and by no other but what follows from it."""

from importlib import import_module
from pkgutil import iter_modules

import pytest

from ledger.verify.rule import WORDS, Rule
from ledger.verify.verifier import verify
from tests.verify import forgeries
from tests.verify.export import POLICY, export
from tests.verify.forgeries.registry import FORGERIES

MODULES = [import_module(f"{forgeries.__name__}.{each.name}") for each in iter_modules(forgeries.__path__)]
"""Each registers its forgeries."""

_NAMED = {"receipt", "receipt-code", "seq-dense", "prev-chain", "canonical", "stamp-signature"}
BYTES = {
    rule
    for rule in Rule
    if rule.startswith(("checkpoint-", "bundle-", "tile-", "table-", "outside-")) or rule in _NAMED
}
"""Rules about bytes, in test_bytes.py and test_anchor.py; about whose a stamp is, in test_stamps.py; about tables, in
tests/tamper."""


@pytest.mark.parametrize("name", FORGERIES)
def test_caught(name: str) -> None:
    build, rule, followers = FORGERIES[name]
    report = verify(export(build()), policy=POLICY)
    assert [each.rule for each in report.findings] == [rule, *followers], report.text()
    assert report.exit_code == 1
    assert report.replayed == report.hashed == report.size


def test_every_rule_about_entries_catches_something() -> None:
    assert {forgery.rule for forgery in FORGERIES.values()} == set(Rule) - BYTES
    assert all(module.__doc__ for module in MODULES)


def test_every_rule_says_in_both_languages_what_it_asks() -> None:
    assert set(WORDS) == set(Rule)
    assert all(zh and en for zh, en in WORDS.values())
