"""Lies about closed periods."""

from msgspec import structs

from ledger.donations import ApproveImport
from ledger.periods import ClosePeriod
from ledger.verify.rule import Rule
from tests.support.model import Pen
from tests.support.society import APPROVER, CITY, FINANCE, allocation, gift
from tests.verify.export import forged, read, sealed
from tests.verify.forgeries.registry import forgery, free

OCTOBER = "2026-10-15"


@forgery(Rule.PERIOD_OPEN)
def a_gift_dated_into_a_closed_period() -> list[bytes]:
    pen = _closed()
    pen.write(gift(5))
    return forged(pen.written, -1, lambda value: value["body"].update(on=OCTOBER))


@forgery(Rule.PERIOD_OPEN)
def an_allocation_dated_into_a_closed_period() -> list[bytes]:
    pen = _closed()
    pen.write(allocation(5))
    return forged(pen.written, -1, lambda value: value["body"].update(on=OCTOBER))


@forgery(Rule.PERIOD_ROOT)
def a_period_closed_with_the_root_of_other_balances() -> list[bytes]:
    pen = free()
    pen.write(structs.replace(gift(20), on=OCTOBER))
    other = free()
    other.write(structs.replace(gift(21), on=OCTOBER))
    wrong = other.agreed(_closing("2026-10-01", "2026-10-31"), APPROVER)
    pen.agreed(_closing("2026-10-01", "2026-10-31"), APPROVER)
    return forged(pen.written, -1, lambda value: value["body"].update(root=getattr(wrong.body, "root", "")))


@forgery(Rule.PERIOD_CLOSING)
def a_period_closed_before_it_is_over() -> list[bytes]:
    pen = _closed()
    return forged(pen.written, -1, lambda value: value["body"].update(last_on="2026-11-21"))


@forgery(Rule.PERIOD_CLOSING)
def days_between_two_periods_left_out() -> list[bytes]:
    pen = _closed()
    pen.agreed(_closing("2026-11-01", "2026-11-10"), APPROVER)
    return forged(pen.written, -1, lambda value: value["body"].update(first_on="2026-11-02"))


@forgery(Rule.PERIOD_CLOSING)
def a_period_closed_while_its_rows_are_entered() -> list[bytes]:
    pen = free()
    approve = ApproveImport(
        maker=FINANCE, org=CITY, fund="general", channel="bank", name="流水", profile="notice", file="a" * 64, rows=1,
        sum_fen=5, first_on="2026-11-01", last_on="2026-11-01",
    )  # fmt: skip
    batch = pen.agreed(approve, APPROVER)
    pen.agreed(_closing("2026-10-01", "2026-10-31"), APPROVER)
    log = read(pen.written)
    log[batch.seq]["body"]["first_on"] = OCTOBER
    return sealed(log)


def _closed() -> Pen:
    pen = free()
    pen.write(gift(20))
    pen.agreed(_closing("2026-10-01", "2026-10-31"), APPROVER)
    return pen


def _closing(first_on: str, last_on: str) -> ClosePeriod:
    return ClosePeriod(maker=FINANCE, org=CITY, first_on=first_on, last_on=last_on)
