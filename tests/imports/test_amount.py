import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.imports.amount import MAX_FEN, Unit, parse
from ledger.imports.fault import Reason, RowError

WHOLE_FEN = st.integers(min_value=1, max_value=MAX_FEN)


def printed(fen: int, separator: str = "") -> str:
    return f"{fen // 100:{separator}}.{fen % 100:02}"


@given(WHOLE_FEN)
def test_every_amount_comes_back_as_it_was_printed(fen: int) -> None:
    assert parse(printed(fen)) == fen
    assert parse(printed(fen, ",")) == fen
    assert parse("￥" + printed(fen).translate({ord("0") + i: 0xFF10 + i for i in range(10)})) == fen


@given(WHOLE_FEN)
def test_an_amount_in_ten_thousands_is_shifted_exactly(fen: int) -> None:
    assert parse(f"{fen // 10**6}.{fen % 10**6:06}", Unit.WAN) == fen


@given(st.text(alphabet="0123456789０９٣²½.,，．-+eE ¥￥元万()_\u200b\u00a0", max_size=12) | st.text(max_size=12))
@example("1_000")
@example("1e5")
@example("10²")
@example("٣")
@example("1 000")
def test_nothing_is_accepted_that_is_not_exactly_one_amount(text: str) -> None:
    try:
        fen = parse(text)
    except RowError:
        return
    digits = text.translate({0xFF10 + i: str(i) for i in range(10)} | {ord("，"): ",", ord("．"): "."})
    plain = digits.removesuffix("元").lstrip("¥￥")
    assert len(digits) - len(plain) <= 2
    assert re.fullmatch(r"[0-9,]+(\.[0-9]+)?", plain)
    whole, _, fraction = plain.partition(".")
    groups = whole.split(",")
    assert all(len(group) == 3 for group in groups[1:])
    assert len(groups) == 1 or 1 <= len(groups[0]) <= 3
    assert 0 < fen <= MAX_FEN
    assert int("".join(groups)) * 100 + int(fraction.ljust(2, "0")[:2]) == fen
    assert not fraction[2:].strip("0")


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("100", 10_000),
        ("100.0", 10_000),
        ("100.000", 10_000),
        ("0.01", 1),
        ("1,234.50", 123_450),
        ("１００", 10_000),
        ("¥100", 10_000),
        ("￥１，２３４．５", 123_450),
        ("100元", 10_000),
        ("90071992547409.91", MAX_FEN),
    ],
)
def test_an_amount_is_read_in_the_forms_people_type(text: str, fen: int) -> None:
    assert parse(text) == fen


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", Reason.AMOUNT_MISSING),
        ("-5", Reason.AMOUNT_NEGATIVE),
        ("－5", Reason.AMOUNT_NEGATIVE),
        ("0", Reason.AMOUNT_ZERO),
        ("0.00", Reason.AMOUNT_ZERO),
        ("1.001", Reason.AMOUNT_BELOW_FEN),
        ("90071992547409.92", Reason.AMOUNT_TOO_LARGE),
        ("9" * 5000, Reason.AMOUNT_TOO_LARGE),
        *(
            (text, Reason.AMOUNT_UNREADABLE)
            for text in ("1e5", "1,23", "1,2345", "12,34,567", "1.2.3", ".5", "5.", "+5")
        ),
        *(
            (text, Reason.AMOUNT_UNREADABLE)
            for text in ("(5)", "约100", "1 000", "0100", "1.5万", "1.5万元", "10²", "nan")
        ),
    ],
)
def test_an_amount_that_is_not_exact_is_refused_with_its_reason(text: str, reason: Reason) -> None:
    with pytest.raises(RowError) as refusal:
        parse(text)
    assert refusal.value.reason is reason


def test_an_amount_in_ten_thousands_may_not_say_yuan() -> None:
    assert parse("1.5万元", Unit.WAN) == parse("1.5万", Unit.WAN) == parse("1.5", Unit.WAN) == 1_500_000
    with pytest.raises(RowError):
        parse("1.5元", Unit.WAN)
