"""Periods: closed with the root of the trial balance; nothing is dated into them afterwards."""

import json
from collections.abc import Callable
from hashlib import sha256

import msgspec
import pytest

from ledger import entries
from ledger.approvals import ApproveProposal
from ledger.command import Command
from ledger.donations import ApproveImport
from ledger.periods import ClosePeriod
from ledger.refusals import Invalid, PeriodIsClosed
from tests.support.model import Pen
from tests.support.society import (
    APPROVER,
    CITY,
    FINANCE,
    USUAL_RULES,
    allocation,
    charge,
    gift,
    identification,
    income,
    open_society,
    payment,
    refund,
    release,
    suspense_return,
    unidentified,
)

OCTOBER = ("2026-10-01", "2026-10-31")
IN_OCTOBER = "2026-10-15"


def closing(first_on: str, last_on: str) -> ClosePeriod:
    return ClosePeriod(maker=FINANCE, org=CITY, first_on=first_on, last_on=last_on)


def closed() -> Pen:
    """October is closed; some money of before is in every account."""
    pen = open_society()
    pen.write(gift(20))
    pen.write(gift(20, "platform"))
    pen.write(allocation(12))
    pen.write(payment(4))
    pen.write(unidentified(9))
    pen.agreed(closing(*OCTOBER), APPROVER)
    return pen


@pytest.mark.parametrize(
    "command",
    [
        lambda _: gift(5),
        lambda _: unidentified(5),
        lambda _: income(5),
        lambda pen: identification(seq(pen, "money.unidentified"), 5),
        lambda pen: suspense_return(seq(pen, "money.unidentified")),
        lambda _: allocation(2),
        lambda pen: release(seq(pen, "money.allocated"), 2),
        lambda _: payment(2),
        lambda pen: refund(seq(pen, "money.received")),
        lambda _: charge(2),
    ],
)
def test_nothing_is_dated_into_a_closed_period(command: Callable[[Pen], Command]) -> None:
    pen = closed()
    wanted = command(pen)
    for on in (IN_OCTOBER, OCTOBER[1], "2026-09-30"):
        with pytest.raises(PeriodIsClosed) as refused:
            pen.write(msgspec.structs.replace(wanted, on=on))  # type: ignore[arg-type]  # each is a command
        assert refused.value.facts["closed_until"] == "2026-10-31"
    pen.write(msgspec.structs.replace(wanted, on="2026-11-01"))  # type: ignore[arg-type]  # likewise


def test_a_period_is_closed_with_the_root_of_its_trial_balance() -> None:
    pen = open_society()
    pen.write(msgspec.structs.replace(gift(20), on=IN_OCTOBER))
    pen.write(msgspec.structs.replace(allocation(12), on=IN_OCTOBER))
    pen.write(gift(7))  # of November: not in it
    entry = pen.agreed(closing(*OCTOBER), APPROVER)
    assert isinstance(entry.body, entries.PeriodClosed)
    rows = [
        ["donors:330800", "CNY", 0, 20],
        ["fund:330800:general", "CNY", 20, 12],
        ["project:330800:relief:general", "CNY", 12, 0],
    ]
    written = json.dumps(rows, separators=(",", ":"))
    assert entry.body.root == sha256(f"sunledger/trial-balance/1\n330800\n2026-10-31\n{written}\n".encode()).hexdigest()


def test_periods_follow_one_another_and_are_over() -> None:
    pen = open_society()
    for first_on, last_on in (("2026-11-01", "2026-11-21"), ("2026-10-31", "2026-10-01")):
        with pytest.raises(Invalid, match="last_on"):
            pen.write(closing(first_on, last_on))
    pen.agreed(closing(*OCTOBER), APPROVER)
    for first_on in ("2026-10-31", "2026-11-02"):
        with pytest.raises(Invalid, match="first_on: 2026-11-01"):
            pen.write(closing(first_on, "2026-11-10"))
    pen.agreed(closing("2026-11-01", "2026-11-10"), APPROVER)


def test_a_period_waits_for_the_rows_of_its_imports() -> None:
    pen = open_society()
    approve = ApproveImport(
        maker=FINANCE, org=CITY, fund="general", channel="bank", name="流水", profile="notice", file="a" * 64, rows=1,
        sum_fen=5, first_on=IN_OCTOBER, last_on=IN_OCTOBER,
    )  # fmt: skip
    batch = pen.agreed(approve, APPROVER)
    with pytest.raises(Invalid) as refused:
        pen.write(closing(*OCTOBER))
    assert refused.value.facts["imports"] == [batch.seq]
    pen.agreed(closing("2026-09-01", "2026-09-30"), APPROVER)
    with pytest.raises(PeriodIsClosed):
        pen.write(msgspec.structs.replace(approve, first_on="2026-09-30"))


def test_what_waits_when_its_period_closes_is_not_entered_any_more() -> None:
    pen = open_society(USUAL_RULES)
    pen.write(gift(20))
    pen.write(allocation(5))
    (made,) = pen.write(msgspec.structs.replace(payment(5), on=IN_OCTOBER))
    pen.agreed(closing(*OCTOBER), APPROVER)
    with pytest.raises(PeriodIsClosed):
        pen.write(ApproveProposal(maker=APPROVER, proposal=made.seq))
    assert made.seq in pen.books.proposals


def test_a_closing_stands_on_what_was_entered_while_it_waited() -> None:
    pen = open_society()
    (made,) = pen.write(closing(*OCTOBER))
    pen.write(msgspec.structs.replace(gift(20), on=IN_OCTOBER))
    *_, entry = pen.write(ApproveProposal(maker=APPROVER, proposal=made.seq))
    assert isinstance(entry.body, entries.PeriodClosed)
    assert pen.turnovers(CITY, OCTOBER[1])
    other = open_society()
    other.write(msgspec.structs.replace(gift(20), on=IN_OCTOBER))
    again = other.agreed(closing(*OCTOBER), APPROVER)
    assert isinstance(again.body, entries.PeriodClosed)
    assert entry.body.root == again.body.root


def seq(pen: Pen, kind: str) -> int:
    return next(entry.seq for entry in pen.entries if entry.kind == kind)
