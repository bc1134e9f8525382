"""Large gifts of a checked sheet beside those of another one."""

from pathlib import Path

import pytest

from ledger.imports import scratch
from ledger.imports.fault import Unreadable
from tests.imports.checking import HUBEI, HUBEI_HEADING, check_sheet, scratch_of, write


def checked(path: Path, *gifts: tuple[str, str, str]) -> Path:
    """The scratch file of a sheet of (batch, donor, yuan), all of one day."""
    body = (
        f"{batch},{row},,2020-01-24,,{donor},{yuan},\r\n" for row, (batch, donor, yuan) in enumerate(gifts, start=1)
    )
    check_sheet(write(path, HUBEI_HEADING + "".join(body)), HUBEI)
    return scratch_of(path)


def test_gifts_alike_in_two_sheets_are_paired_one_to_one(tmp_path: Path) -> None:
    here = checked(tmp_path / "here", *[("a", "某公司", "20000")] * 3, ("a", "甲", "30000"), ("b", "乙", "10000"))
    there = checked(tmp_path / "there", *[("c", "某 公司", "20000")] * 2, ("c", "甲", "30000.01"), ("d", "乙", "10000"))
    with scratch.opened(here) as notes:
        assert notes.large_counts() == {"a": 4, "b": 1}
        assert notes.shared_with(there) == [("a", "c", 2, 4_000_000, 2), ("b", "d", 1, 1_000_000, 6)]


def test_gifts_of_one_day_and_amount_are_paired_one_to_one_and_let_go(tmp_path: Path) -> None:
    here = checked(tmp_path / "here", *[("a", "某公司", "20000")] * 3, ("a", "甲", "30000"), ("b", "乙", "20000"))
    with scratch.opened(here) as notes:
        notes.hold([("2020-01-24", 2_000_000, 2), ("2020-01-25", 3_000_000, 1)])
        assert notes.shared_with_held() == [("a", "", 2, 4_000_000, 2), ("b", "", 1, 2_000_000, 6)]
        assert notes.shared_with_held() == []


@pytest.mark.parametrize("content", [None, b"no database" * 100, b""])
def test_a_scratch_file_that_cannot_be_read_is_told(tmp_path: Path, content: bytes | None) -> None:
    other = tmp_path / "other"
    if content is not None:
        other.write_bytes(content)
    with scratch.opened(checked(tmp_path / "here", ("a", "甲", "30000"))) as notes:
        with pytest.raises(Unreadable):
            notes.shared_with(other)
        assert notes.shared_with_held() == [], "it is of use afterwards"
