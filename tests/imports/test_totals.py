from pathlib import Path

import pytest

from ledger.imports.fault import Fault, Unreadable
from ledger.imports.totals import MAX_BYTES, PrintedTotal, read_totals
from tests.imports.checking import write


def test_totals_are_read_to_the_fen_and_never_through_a_float(tmp_path: Path) -> None:
    text = '{"a": {"rows": 60, "published_total": 90071992547409.91}, "b": {"published_total": 100}, "c": {}}'
    assert read_totals(write(tmp_path / "t.json", text)) == {
        "a": PrintedTotal(count=60, sum_fen=2**53 - 1),
        "b": PrintedTotal(sum_fen=10_000),
        "c": PrintedTotal(),
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"a": 1}',
        '{"a": {"published_total": 1e5}}',
        '{"a": {"published_total": NaN}}',
        '{"a": {"published_total": 0.001}}',
        '{"a": {"published_total": [1]}}',
        '{"a": {"rows": -1}}',
        '{"a": {"rows": 1.5}}',
        '{"a": {"rows": true}}',
        "[" * 100_000,
        " " * (MAX_BYTES + 1),
    ],
)
def test_totals_that_are_not_exact_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        read_totals(write(tmp_path / "t.json", text))
    assert refusal.value.fault is Fault.TOTALS_UNREADABLE
