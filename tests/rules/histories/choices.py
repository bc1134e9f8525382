"""What a history chooses from: amounts, days, funds, people; and what is set up before it begins."""

from typing import TypeAlias

from hypothesis import strategies as st

from ledger.approvals import SetPolicy
from ledger.entries import Rule, Spending, Tier
from ledger.organisations import OpenFund, OpenProject
from tests.support.model import TODAY
from tests.support.society import (
    ADMINISTRATOR,
    APPROVER,
    AUDITOR,
    BOTH,
    BOTH_CITIES,
    CASHIER,
    CITY,
    FINANCE,
    FUNDS,
    HOSPITAL,
    OTHER_APPROVER,
    OTHER_FINANCE,
    PROGRAMME,
    PROJECTS,
    SHOP,
    THIRD_APPROVER,
    USUAL_RULES,
    open_society,
    settle,
)

EXTRA = tuple(f"extra-{number}" for number in range(1, 5))
"""Funds and projects that a history may open and close again; the first two are there."""


def _opened() -> list[bytes]:
    pen = open_society(USUAL_RULES)
    settle(pen, SetPolicy(maker=ADMINISTRATOR, rules=USUAL_RULES, expires_days=3))
    for name in EXTRA[:2]:
        settle(pen, OpenFund(maker=ADMINISTRATOR, org=CITY, fund=name, name=name))
        settle(pen, OpenProject(maker=ADMINISTRATOR, org=CITY, project=name, name=name))
    return pen.written


OPENED = _opened()

POLICIES: tuple[tuple[Rule, ...], ...] = (
    USUAL_RULES,
    (),
    tuple(
        Rule(kind=kind, approvals=(Tier(0, 1),))
        for kind in ("money.allocated", "money.disbursed", "money.released", "gift.refunded")
    ),
    (
        Rule(kind="money.allocated", approvals=(Tier(2, 2), Tier(5, 1)), decision_from=5),
        Rule(kind="gift.refunded", approvals=(Tier(0, 2),)),
        Rule(kind="exchange.settled", approvals=(Tier(0, 1),)),
        Rule(kind="pledge.made", approvals=(Tier(0, 1),)),
    ),
)

FIRST = (
    ("general", "relief"),
    ("flood", "relief"),
    ("schools", "school"),
    ("district", "bridge"),
    ("bridge", "bridge"),
    ("hospital", "relief"),
    ("office", "anything"),
    ("platform", "anything"),
)
"""Where each fund's money may go."""

DAYS = ("2026-10-31", "2026-11-10", "2026-11-20")

Foreign: TypeAlias = tuple[str, int, str, int]
"""Currency, amount in its smallest unit, rate, and what that is in fen."""

FOREIGN: tuple[Foreign, ...] = (
    ("USD", 1, "7.1234", 7),
    ("JPY", 2, "0.0488", 9),
    ("EUR", 1, "8", 8),
    ("KWD", 4, "23.15", 9),
)

amounts = st.integers(1, 12)
some = st.integers(0, 6)
whichever = st.integers(0, 30)
"""Chooses among what is there."""
days = st.sampled_from([TODAY, *DAYS])
funds = st.sampled_from([*FUNDS, *EXTRA[:2], "general", "general", "flood"])
projects = st.sampled_from([*PROJECTS, *EXTRA[:2], "relief", "bridge"])
makers = st.sampled_from([FINANCE, FINANCE, FINANCE, OTHER_FINANCE, PROGRAMME, BOTH, BOTH_CITIES, AUDITOR])
cashiers = st.sampled_from([CASHIER, CASHIER, OTHER_FINANCE, PROGRAMME])
payees = st.sampled_from([SHOP, HOSPITAL])
checkers = st.sampled_from([APPROVER, OTHER_APPROVER, THIRD_APPROVER, BOTH, BOTH, FINANCE])
spendings: st.SearchStrategy[Spending] = st.sampled_from(["aid", "aid", "purchase", "management", "campaign"])
