"""Subject keys: one for each subject, durable before it is used, never given out twice."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ledger.store.keys import DRAWN_AHEAD, KEY_BYTES, SubjectKey, SubjectKeys


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "subjects.keys"


def draws(path: Path, count: int) -> Iterator[SubjectKey]:
    """As one application draws them, until it ends."""
    with closing(SubjectKeys(path, write=True)) as keys:
        for _ in range(count):
            drawn = keys.draw()
            assert path.read_bytes()[drawn.slot * KEY_BYTES :][:KEY_BYTES] == drawn.key, "the file has it first"
            yield drawn
        yield from keys.draw_many(3)


def test_no_slot_and_no_key_is_given_out_twice_whatever_ended_the_application_before(path: Path) -> None:
    drawn = [*draws(path, 1), *draws(path, DRAWN_AHEAD + 1)]
    with path.open("ab") as torn:
        torn.write(b"half of a key")
    drawn += draws(path, 2)
    assert len({each.slot for each in drawn}) == len({each.key for each in drawn}) == len(drawn)
    with closing(SubjectKeys(path)) as keys:
        assert [keys.read(each.slot) for each in drawn] == [each.key for each in drawn]


def test_a_destroyed_key_is_gone_and_its_neighbours_stay(path: Path) -> None:
    with closing(SubjectKeys(path, write=True)) as keys:
        first, second, third = keys.draw_many(3)
        keys.destroy(second.slot)
        assert [keys.read(each.slot) for each in (first, second, third)] == [first.key, None, third.key]
