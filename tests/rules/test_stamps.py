"""Stamps: what the rules ask of an entry about a timestamp."""

from base64 import b64encode

import pytest
from msgspec import structs

from ledger.entries import MAX_BYTES
from ledger.refusals import Invalid, NotAllowed
from ledger.stamps import MAX_TOKEN_BYTES, StampCheckpoint
from tests.support.society import ADMINISTRATOR, FINANCE, open_society

STAMP = StampCheckpoint(maker=ADMINISTRATOR, authority="tsa.example.org", root="0" * 64, size=3, token="MAMCAQA=")


def test_a_stamp_is_of_entries_that_are_there() -> None:
    pen = open_society()
    there = len(pen.written)
    for size in (0, -1, there + 1):
        with pytest.raises(Invalid, match="size"):
            pen.write(structs.replace(STAMP, size=size))
    (entry,) = pen.write(structs.replace(STAMP, size=there))
    assert (entry.kind, entry.postings) == ("checkpoint.stamped", ())


def test_a_stamp_is_entered_by_an_administrator_of_the_whole_log() -> None:
    with pytest.raises(NotAllowed):
        open_society().write(structs.replace(STAMP, maker=FINANCE))


@pytest.mark.parametrize(
    "wrong",
    [
        {"root": "0" * 63},
        {"root": "A" * 64},
        {"authority": ""},
        {"authority": "two\nlines"},
        {"token": ""},
        {"token": "MAMCAQA"},
        {"token": "MAMCAQB="},  # stray final bits
        {"token": "MAMC\nAQA="},
        {"token": b64encode(bytes(MAX_TOKEN_BYTES + 1)).decode()},
    ],
)
def test_a_stamp_with_a_wrong_value_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        open_society().write(structs.replace(STAMP, **wrong))


def test_the_largest_token_fits_an_entry() -> None:
    pen = open_society()
    pen.write(structs.replace(STAMP, token=b64encode(bytes(MAX_TOKEN_BYTES)).decode(), authority="字" * 500))
    assert len(pen.written[-1]) < MAX_BYTES
