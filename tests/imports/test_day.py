from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.imports.day import parse
from ledger.imports.fault import Reason, RowError

DAYS = st.dates(min_value=date(1950, 1, 1), max_value=date(2099, 12, 31))


@given(DAYS)
def test_a_day_is_the_same_in_every_form_it_is_typed_in(day: date) -> None:
    serial = (day - date(1899, 12, 30)).days
    for text in (
        day.isoformat(),
        f"{day.year}/{day.month}/{day.day}",
        f"{day.year}.{day.month}.{day.day}",
        f"{day.year}年{day.month}月{day.day}日",
        f"{day:%Y%m%d}",
        f"{day} 23:59:59",
        f"{day}T00:00",
        str(serial),
    ):
        assert parse(text) == day.isoformat()


def test_an_excel_serial_counts_as_excel_does() -> None:
    assert parse("43853") == "2020-01-23"
    assert date(2020, 1, 23) - timedelta(days=43853) == date(1899, 12, 30)


@pytest.mark.parametrize(
    "text",
    [
        "2020-02-30",
        "2020-13-01",
        "2020-1/3",
        "截至28日",
        "1月28日",
        "20-01-28",
        "0020-01-28",
        "2200-01-01",
        "99999",
        "1e4",
        "٢٠٢٠-01-01",
    ],
)
def test_a_date_that_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(RowError) as refusal:
        parse(text)
    assert refusal.value.reason is Reason.DATE_UNREADABLE


def test_a_missing_date_is_refused() -> None:
    with pytest.raises(RowError) as refusal:
        parse("")
    assert refusal.value.reason is Reason.DATE_MISSING
