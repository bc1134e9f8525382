"""Lies about imports, and about what became of a payment."""

import msgspec

from ledger.disbursements import ConfirmDelivery
from ledger.donations import AbandonImport, ApproveImport, CompleteImport
from ledger.entries import Rule as PolicyRule
from ledger.entries import Tier
from ledger.organisations import DismissStaff
from ledger.verify.rule import Rule
from tests.support.model import TODAY, Pen
from tests.support.society import (
    ADMINISTRATOR,
    APPROVER,
    CITY,
    FINANCE,
    OTHER_APPROVER,
    OTHER_FINANCE,
    PROGRAMME,
    allocation,
    gift,
    handed_back,
    open_society,
    payment,
    reversal,
    settle,
)
from tests.verify.export import forged, read, sealed
from tests.verify.forgeries.registry import forgery, free, strict


@forgery(Rule.DIGEST_FORM)
def evidence_named_after_a_person() -> list[bytes]:
    return forged(_confirmed(), -1, lambda value: value["body"].update(evidence=["张三签收单.jpg"]))


@forgery(Rule.CONFIRMATION)
def more_confirmed_than_was_paid() -> list[bytes]:
    return forged(_confirmed(), -1, lambda value: value["body"].update(qty=6))


@forgery(Rule.CONFIRMATION)
def more_confirmed_than_was_paid_in_two_steps() -> list[bytes]:
    log = read(_confirmed())
    return sealed([*log, log[-1] | {"seq": len(log), "body": log[-1]["body"] | {"qty": 1}}])


@forgery(Rule.CONFIRMATION)
def more_confirmed_than_the_payee_did_not_hand_back() -> list[bytes]:
    pen, paid = _paid()
    pen.write(handed_back(paid, 2))
    pen.write(ConfirmDelivery(maker=PROGRAMME, org=CITY, ref=paid, outcome="ok", qty=3, on=TODAY))
    return forged(pen.written, -1, lambda value: value["body"].update(qty=4))


@forgery(Rule.CONFIRMATION)
def a_confirmation_of_a_payment_that_was_taken_back() -> list[bytes]:
    pen, paid = _paid()
    pen.write(allocation(1))
    other = pen.agreed(payment(1), APPROVER)
    pen.agreed(reversal(paid), APPROVER)
    pen.write(ConfirmDelivery(maker=PROGRAMME, org=CITY, ref=other.seq, outcome="ok", qty=1, on=TODAY))
    return forged(pen.written, -1, lambda value: value["body"].update(ref=paid))


@forgery(Rule.CONFIRMATION)
def a_confirmation_of_what_was_no_payment() -> list[bytes]:
    log = read(_confirmed())
    log[-1]["body"]["ref"] -= 1
    return sealed(log)


@forgery(Rule.IMPORT_ROW)
def a_row_entered_twice() -> list[bytes]:
    return forged(imported(), -1, lambda value: value["body"].update(row=1))


@forgery(Rule.IMPORT_ROW)
def a_row_of_no_import() -> list[bytes]:
    return forged(imported(), -1, lambda value: value["body"].pop("batch"))


@forgery(Rule.IMPORT_AGREES)
def a_row_of_another_channel_than_approved() -> list[bytes]:
    return forged(imported(), -1, lambda value: value["body"].update(channel="wechat"))


@forgery(Rule.IMPORT_AGREES)
def a_row_outside_the_approved_dates() -> list[bytes]:
    return forged(imported(), -1, lambda value: value["body"].update(on="2026-10-31"))


@forgery(Rule.IMPORT_AGREES)
def more_money_entered_than_approved() -> list[bytes]:
    return forged(imported(), -1, lambda value: value["postings"][0].__setitem__(4, 41))


@forgery(Rule.IMPORT_AGREES)
def more_rows_entered_than_approved() -> list[bytes]:
    log = read(imported())
    given = log[-1]["postings"][0]
    third, fourth = (
        log[-1]
        | {
            "seq": len(log) + i,
            "body": log[-1]["body"] | {"row": 3 + i},
            "postings": [[*given[:3], given[3] + 20 + i * 10, 10, "CNY"]],
        }
        for i in range(2)
    )
    return sealed([*log, third, fourth])


@forgery(Rule.IMPORT_COMPLETED)
def an_import_completed_with_rows_nobody_entered() -> list[bytes]:
    return forged(_completed(), -1, lambda value: value["body"].update(rows=3, rejected=1))


@forgery(Rule.ROLE_OF_MAKER)
def an_import_completed_by_somebody_else() -> list[bytes]:
    return forged(_completed(), -1, lambda value: value["by"].update(maker=OTHER_FINANCE))


@forgery(Rule.ROLE_OF_MAKER)
def an_import_completed_in_the_name_of_a_dismissed_maker() -> list[bytes]:
    pen, batch = _entering()
    settle(pen, DismissStaff(maker=ADMINISTRATOR, staff=FINANCE, org=CITY))
    pen.write(AbandonImport(maker=APPROVER, batch=batch))
    return forged(pen.written, -1, lambda value: value["by"].update(maker=FINANCE))


@forgery(Rule.APPROVALS)
def a_large_import_that_one_person_approved() -> list[bytes]:
    pen = Pen(open_society((PolicyRule(kind="import.approved", approvals=(Tier(0, 1), Tier(50, 2))),)).written)
    pen.agreed(SHEET, APPROVER, OTHER_APPROVER)
    *log, _, effect = read(pen.written)
    effect["by"]["checkers"] = [APPROVER]
    return sealed([*log, effect | {"seq": len(log)}])


@forgery(Rule.IMPORT_COMPLETED)
def an_import_completed_twice() -> list[bytes]:
    log = read(_completed())
    return sealed([*log, log[-1] | {"seq": len(log)}])


@forgery(Rule.FUND_KNOWN)
def an_import_into_a_fund_nobody_opened() -> list[bytes]:
    pen = free()
    pen.agreed(SHEET, APPROVER)
    return forged(pen.written, -1, lambda value: value["body"].update(fund="slush"))


SHEET = ApproveImport(
    maker=FINANCE, org=CITY, fund="flood", channel="bank", event="flood-2026", name="十一月银行流水", profile="bank-a",
    file="f" * 64, rows=3, sum_fen=60, first_on="2026-11-01", last_on="2026-11-20",
)  # fmt: skip


def _paid() -> tuple[Pen, int]:
    pen = strict()
    pen.write(gift(6))
    pen.write(allocation(5))
    return pen, pen.agreed(payment(5), APPROVER).seq


def _confirmed() -> list[bytes]:
    pen, paid = _paid()
    pen.write(ConfirmDelivery(maker=PROGRAMME, org=CITY, ref=paid, outcome="ok", qty=5, on=TODAY))
    return pen.written


def _entering() -> tuple[Pen, int]:
    pen = free()
    batch = pen.agreed(SHEET, APPROVER).seq
    given = msgspec.structs.replace(
        gift(20, "flood", maker=FINANCE), batch=batch, channel="bank", event="flood-2026", on="2026-11-20"
    )
    for row in (1, 2):
        pen.write(msgspec.structs.replace(given, row=row))
    return pen, batch


def imported() -> list[bytes]:
    """An import with two of its three rows."""
    return _entering()[0].written


def _completed() -> list[bytes]:
    pen, batch = _entering()
    pen.write(CompleteImport(maker=FINANCE, batch=batch))
    return pen.written
