"""Rows of an approved import."""

import msgspec
import pytest

from ledger import entries
from ledger.approvals import ApproveProposal, SetPolicy
from ledger.donations import AbandonImport, ApproveImport, CompleteImport, ReceiveMoney
from ledger.entries import Rule, Tier
from ledger.organisations import DeclareEvent, DismissStaff
from ledger.refusals import AlreadyThere, ImportMismatch, Invalid, NotAllowed, SamePerson
from tests.support.model import Pen
from tests.support.society import (
    ADMINISTRATOR,
    APPROVER,
    CITY,
    FINANCE,
    OTHER_ADMINISTRATOR,
    OTHER_FINANCE,
    gift,
    open_society,
    settle,
)

CHECKED = ApproveImport(
    maker=FINANCE, org=CITY, fund="flood", channel="bank", event="flood-2026", name="十一月银行流水", profile="bank-a",
    file="f" * 64, rows=3, sum_fen=60, first_on="2026-11-01", last_on="2026-11-20",
)  # fmt: skip


def opened() -> tuple[Pen, int]:
    """A log with an approved import, and its number."""
    pen = open_society()
    return pen, pen.agreed(CHECKED, APPROVER).seq


def row(batch: int, number: int, amount_fen: int = 20) -> ReceiveMoney:
    """One row of it."""
    return msgspec.structs.replace(
        gift(amount_fen, "flood", maker=FINANCE), batch=batch, row=number, channel="bank", event="flood-2026",
        on="2026-11-20",
    )  # fmt: skip


def test_an_import_is_always_approved_by_somebody_else() -> None:
    pen = open_society()
    (made,) = pen.write(CHECKED)
    assert made.kind == "proposal.made"
    *_, approved = pen.write(ApproveProposal(maker=APPROVER, proposal=made.seq))
    assert approved.kind == "import.approved"
    assert approved.by.maker == FINANCE


def test_rows_are_entered_and_counted_to_the_end() -> None:
    pen, batch = opened()
    for number in (1, 2, 5):
        pen.write(row(batch, number))
    (completed,) = pen.write(CompleteImport(maker=FINANCE, batch=batch))
    assert completed.body == entries.ImportCompleted(batch=batch, org=CITY, rows=3, sum_fen=60)
    with pytest.raises(ImportMismatch):
        pen.write(row(batch, 6))


def test_rows_that_were_not_entered_are_counted_as_rejected() -> None:
    pen, batch = opened()
    pen.write(row(batch, 1))
    (completed,) = pen.write(CompleteImport(maker=FINANCE, batch=batch))
    assert completed.body == entries.ImportCompleted(
        batch=batch, org=CITY, rows=1, sum_fen=20, rejected=2, rejected_fen=40
    )


def test_somebody_else_enters_no_row() -> None:
    pen, batch = opened()
    with pytest.raises(ImportMismatch):
        pen.write(msgspec.structs.replace(row(batch, 1), maker=OTHER_FINANCE))
    with pytest.raises(ImportMismatch):
        pen.write(CompleteImport(maker=OTHER_FINANCE, batch=batch))


def test_a_dismissed_maker_enters_no_row() -> None:
    pen, batch = opened()
    pen.write(row(batch, 1))
    settle(pen, DismissStaff(maker=ADMINISTRATOR, staff=FINANCE, org=CITY))
    with pytest.raises(NotAllowed):
        pen.write(row(batch, 2))


def test_an_import_is_not_completed_in_the_name_of_a_dismissed_maker() -> None:
    pen, batch = opened()
    pen.write(row(batch, 1))
    settle(pen, DismissStaff(maker=ADMINISTRATOR, staff=FINANCE, org=CITY))
    with pytest.raises(NotAllowed):
        pen.write(CompleteImport(maker=FINANCE, batch=batch))


def test_an_import_that_cannot_go_on_is_ended_by_somebody_who_checks_imports() -> None:
    pen, batch = opened()
    pen.write(row(batch, 1))
    settle(pen, DismissStaff(maker=ADMINISTRATOR, staff=FINANCE, org=CITY))
    (ended,) = pen.write(AbandonImport(maker=APPROVER, batch=batch))
    assert ended.body == entries.ImportCompleted(batch=batch, org=CITY, rows=1, sum_fen=20, rejected=2, rejected_fen=40)
    assert ended.by.maker == APPROVER
    assert batch not in pen.books.imports
    with pytest.raises(ImportMismatch):
        pen.write(AbandonImport(maker=APPROVER, batch=batch))


@pytest.mark.parametrize(("who", "refusal"), [(FINANCE, SamePerson), (OTHER_FINANCE, NotAllowed)])
def test_neither_its_maker_nor_another_maker_ends_an_import(who: str, refusal: type[NotAllowed]) -> None:
    pen, batch = opened()
    with pytest.raises(refusal):
        pen.write(AbandonImport(maker=who, batch=batch))


def test_a_row_is_entered_once() -> None:
    pen, batch = opened()
    pen.write(row(batch, 2))
    for number in (2, 1):
        with pytest.raises(AlreadyThere):
            pen.write(row(batch, number))


def test_no_more_rows_than_approved() -> None:
    pen, batch = opened()
    for number in (1, 2, 3):
        pen.write(row(batch, number, 1))
    with pytest.raises(ImportMismatch):
        pen.write(row(batch, 4, 1))


def test_no_more_money_than_approved() -> None:
    pen, batch = opened()
    pen.write(row(batch, 1, 40))
    with pytest.raises(ImportMismatch):
        pen.write(row(batch, 2, 21))
    pen.write(row(batch, 2, 20))


@pytest.mark.parametrize(
    "changed",
    [{"on": "2026-10-31"}, {"on": "2026-11-21"}, {"channel": "wechat"}, {"event": ""}, {"fund": "general"},
     {"batch": 3}],
)  # fmt: skip
def test_a_row_beside_what_was_approved_is_refused(changed: dict[str, str]) -> None:
    pen, batch = opened()
    with pytest.raises(ImportMismatch):
        pen.write(msgspec.structs.replace(row(batch, 1), **changed))


def test_two_imports_are_counted_apart() -> None:
    pen, first = opened()
    second = pen.agreed(CHECKED, APPROVER).seq
    pen.write(row(first, 1))
    pen.write(row(second, 1))
    pen.write(CompleteImport(maker=FINANCE, batch=first))
    pen.write(row(second, 2))
    assert pen.books.imports[second].rows == 2


@pytest.mark.parametrize(
    "changed",
    [{"rows": 0}, {"sum_fen": 0}, {"sum_fen": 2**53}, {"last_on": "2026-10-31"}, {"last_on": "2026-11-22"},
     {"first_on": "yesterday"}, {"file": "流水.xlsx"}, {"profile": ""}, {"profile": "x" * 70_000}, {"name": ""},
     {"channel": "Bank"}],
)  # fmt: skip
def test_an_import_nobody_could_check_is_refused(changed: dict[str, str]) -> None:
    pen = open_society()
    with pytest.raises(Invalid):
        pen.write(msgspec.structs.replace(CHECKED, **changed))


@pytest.mark.parametrize(
    "changed",
    [{"donor": "张"}, {"donor": ""}, {"donor": "F" * 64}, {"ref": "1000050001"}, {"donor_class": "friend"},
     {"row": 1}, {"row": -1}, {"batch": "one"}],
)  # fmt: skip
def test_a_gift_carries_commitments_and_nothing_else(changed: dict[str, str]) -> None:
    pen = open_society()
    with pytest.raises((Invalid, ImportMismatch)):
        pen.write(msgspec.structs.replace(gift(5), **changed))


def test_an_import_needs_the_approvals_its_sum_asks_for() -> None:
    pen = open_society()
    tiers = (Tier(0, 1), Tier(CHECKED.sum_fen, 2))
    pen.agreed(
        SetPolicy(maker=ADMINISTRATOR, rules=(Rule(kind="import.approved", approvals=tiers),)), OTHER_ADMINISTRATOR
    )
    (made,) = pen.write(CHECKED)
    (first,) = pen.write(ApproveProposal(maker=APPROVER, proposal=made.seq))
    assert first.kind == "proposal.approved"


def test_an_import_labelled_with_another_event_than_its_fund_is_for_is_refused() -> None:
    pen = open_society()
    pen.write(DeclareEvent(maker=ADMINISTRATOR, event="quake-2026", name="地震"))
    with pytest.raises(Invalid):
        pen.write(msgspec.structs.replace(CHECKED, event="quake-2026"))


def test_rows_that_are_all_there_with_a_sum_that_is_not_do_not_complete() -> None:
    pen, batch = opened()
    for number in (1, 2, 3):
        pen.write(row(batch, number, 10))
    with pytest.raises(ImportMismatch):
        pen.write(CompleteImport(maker=FINANCE, batch=batch))
