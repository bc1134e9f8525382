"""Amounts in Chinese capitals: the rule's own examples, and whatever amount there is, read back."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.account import MAX_POSITION
from public_site.capitals import capitals

DIGITS = {digit: value for value, digit in enumerate("零壹贰叁肆伍陆柒捌玖")}
UNITS = {"拾": 10, "佰": 100, "仟": 1_000, "万": 10**4, "亿": 10**8, "元": 1}


def read(text: str) -> int:
    """The fen that capitals say. Written from how people read them, and not from how `capitals` writes."""
    found = re.fullmatch(r"人民币(?:(.+)元)?零?(?:(.)角)?(?:(.)分|整)", text)
    assert found, text
    yuan, jiao, fen = found.groups()
    return _count(yuan or "") * 100 + DIGITS[jiao or "零"] * 10 + DIGITS[fen or "零"]


def _count(text: str) -> int:
    for unit in ("亿", "万"):
        if unit in text:
            high, _, low = text.rpartition(unit)
            return _count(high) * UNITS[unit] + _count(low)
    total = digit = 0
    for each in text:
        if each in DIGITS:
            digit = DIGITS[each]
        else:
            total += digit * UNITS[each]
            digit = 0
    return total + digit


@pytest.mark.parametrize(
    ("fen", "said"),
    [
        (140_950, "壹仟肆佰零玖元伍角整"),
        (600_714, "陆仟零柒元壹角肆分"),
        (168_032, "壹仟陆佰捌拾元叁角贰分"),
        (10_700_053, "壹拾万柒仟元伍角叁分"),
        (1_640_902, "壹万陆仟肆佰零玖元零贰分"),
        (32_504, "叁佰贰拾伍元零肆分"),
    ],
)
def test_the_examples_of_the_rule_are_written_as_it_says(fen: int, said: str) -> None:
    assert capitals(fen) == f"人民币{said}"


@pytest.mark.parametrize(
    ("fen", "said"),
    [
        (0, "零元整"),
        (1, "壹分"),
        (10, "壹角整"),
        (100, "壹元整"),
        (1_000, "壹拾元整"),
        (50_000, "伍佰元整"),
        (100_001, "壹仟元零壹分"),
        (1_000_100, "壹万零壹元整"),
        (10_000_000_100, "壹亿零壹元整"),
        (1_000_000_010_000, "壹佰亿零壹佰元整"),
        (10**14, "壹万亿元整"),
        (MAX_POSITION, "玖拾万零柒佰壹拾玖亿玖仟贰佰伍拾肆万柒仟肆佰零玖元玖角壹分"),
    ],
)
def test_zeros_and_large_units_stand_where_they_are_read(fen: int, said: str) -> None:
    assert capitals(fen) == f"人民币{said}"


@given(st.integers(0, MAX_POSITION) | st.integers(0, 10**7).map(lambda few: few * 100))
def test_every_amount_is_read_back_and_no_zero_stands_twice(fen: int) -> None:
    said = capitals(fen)
    assert read(said) == fen
    assert "零零" not in said
    assert not re.search("零[拾佰仟万亿角分整]", said)
