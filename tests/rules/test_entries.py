"""The bytes of entries: golden ones, a foreign encoder's, and forged ones."""

import re
import typing
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import entries
from ledger.entries import KINDS, NotCanonicalError
from ledger.posting import Posting
from tests.rules.golden import make
from tests.support.fixed import FIXED
from tests.support.foreign import foreign
from tests.support.society import gift, open_society

GOLDEN = Path(make.__file__).parent
FILES = sorted(GOLDEN.glob("*.json"))

each_file = pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])


def golden(name: str) -> bytes:
    """The bytes that an entry of this kind, or one with all of its fields, was first written with."""
    return (GOLDEN / f"{name}.json").read_bytes()


@each_file
def test_golden_bytes_are_read_and_written_exactly(path: Path) -> None:
    entry = entries.decode(path.read_bytes())
    assert entry.kind == path.stem.removesuffix(".full") == entries.kind_of(entry.body)
    assert entries.encode(entry) == path.read_bytes()


@each_file
def test_golden_bytes_are_canonical_to_a_foreign_encoder(path: Path) -> None:
    rfc8785 = foreign("rfc8785", "rfc8785")
    assert rfc8785.dumps(msgspec.json.decode(path.read_bytes())) == path.read_bytes()


def test_an_event_says_when_it_began_only_where_that_is_known() -> None:
    assert b'"began":"2026-06-20"' in golden("event.declared.full")
    assert b"began" not in golden("event.declared")


def test_every_kind_has_golden_bytes_and_a_maker() -> None:
    files = make.files()
    assert {path.name for path in GOLDEN.glob("*.json")} == files.keys() >= {f"{kind}.json" for kind in KINDS}
    assert {name: (GOLDEN / name).read_bytes() for name in files} == files


def test_every_field_stands_in_golden_bytes() -> None:
    written = {each for path in FILES for each in fields_written(entries.decode(path.read_bytes()))}
    assert {kind for kind, _ in written} >= {entries.Entry, entries.By, *KINDS.values()}
    assert written == {(kind, field) for kind, _ in written for field in kind.__struct_encode_fields__}


def fields_written(value: object) -> Iterator[tuple[type[msgspec.Struct], str]]:
    """Every field of every object in the bytes of this value, with the struct that it is of."""
    if isinstance(value, msgspec.Struct):
        plain = msgspec.to_builtins(value)
        if isinstance(plain, dict):  # an array has no names
            yield from ((type(value), field) for field in plain)
        value = msgspec.structs.astuple(value)
    if isinstance(value, tuple):
        for each in value:
            yield from fields_written(each)


def test_golden_bytes_are_never_written_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make, "FOLDER", tmp_path)
    (tmp_path / "log.opened.json").write_bytes(b"as it was")
    make.main()
    assert (tmp_path / "log.opened.json").read_bytes() == b"as it was"
    assert {path.name for path in tmp_path.iterdir()} == make.files().keys()


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a field's type."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return st.builds(kind, **{each.name: values(each.type) for each in msgspec.structs.fields(kind)})
    if kind in {str, bool}:
        return st.booleans() if kind is bool else texts
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        return st.lists(values(arguments[0]), max_size=3).map(tuple)
    if origin is UnionType or origin is typing.Union:
        return st.one_of(*map(values, arguments))
    assert kind is int or arguments[0] is int
    return st.integers(-(2**53) + 1, 2**53 - 1)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
by_kind = st.sampled_from(sorted(KINDS)).flatmap(
    lambda kind: st.builds(
        entries.Entry,
        at=texts,
        body=values(KINDS[kind]),
        by=values(entries.By),
        kind=st.just(kind),
        postings=st.lists(values(Posting), max_size=3).map(tuple),
        prev=texts,
        seq=st.integers(0, 2**53 - 1),
        v=st.just(1),
    )
)


@given(by_kind)
@settings(FIXED, max_examples=400)
def test_our_encoder_and_a_foreign_one_agree_on_any_entry(entry: entries.Entry) -> None:
    rfc8785 = foreign("rfc8785", "rfc8785")
    written = entries.encode(entry)
    assert written == rfc8785.dumps(msgspec.to_builtins(entry))
    assert entries.decode(written) == entry


@FIXED
@given(st.dictionaries(st.text(st.characters(max_codepoint=127)), st.integers(-(2**53) + 1, 2**53 - 1) | texts))
def test_our_encoder_and_a_foreign_one_agree_on_any_object_in_the_profile(plain: dict[str, Any]) -> None:
    assert entries.canonical(plain) == foreign("rfc8785", "rfc8785").dumps(plain)


def replaced(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    """The bytes with one thing written otherwise."""

    def forge(written: bytes) -> bytes:
        assert old in written
        return written.replace(old, new, 1)

    return forge


FORGED: dict[str, Callable[[bytes], bytes]] = {
    "a space after a colon": replaced(b'"seq":', b'"seq": '),
    "a space at the end": lambda written: written + b" ",
    "a line feed at the end": lambda written: written + b"\n",
    "a byte at the end": lambda written: written + b"\0",
    "a second object": lambda written: written + written,
    "a byte order mark": lambda written: b"\xef\xbb\xbf" + written,
    "UTF-16": lambda written: written.decode().encode("utf-16"),
    "reordered keys": lambda written: re.sub(rb'("seq":\d+),("v":1)', rb"\2,\1", written),
    "reordered keys in the body": lambda written: re.sub(rb'("decision":"[^"]+"),("on":"[^"]+")', rb"\2,\1", written),
    "a float": replaced(b"120000", b"120000.0"),
    "an exponent": replaced(b"120000", b"12e4"),
    "a leading zero": replaced(b"120000", b"0120000"),
    "minus zero": replaced(b'general",0,', b'general",-0,'),
    "an integer beyond 2^53-1": replaced(b"120000", b"9007199254740992"),
    "an integer beyond -(2^53-1)": replaced(b"120000", b"-9007199254740992"),
    "an integer beyond 64 bits": replaced(b"120000", b"99999999999999999999"),
    "an integer as a string": replaced(b"120000", b'"120000"'),
    "a boolean for an integer": replaced(b'"v":1', b'"v":true'),
    "null": replaced(b'"on":"2026-11-21"', b'"on":null'),
    "null for a field that may be absent": replaced(b'"decision":"', b'"decision":null,"x":"'),
    "a duplicate key": replaced(b'"v":1', b'"v":1,"v":1'),
    "a duplicate key in the body": replaced(b'"on":', b'"on":"2026-11-20","on":'),
    "an explicit default": replaced(b'"part":[1,2]', b'"part":[]'),
    "an explicit empty text": lambda written: re.sub(rb'"decision":"[^"]+"', b'"decision":""', written),
    "an explicit zero": lambda written: re.sub(rb'"proposal":\d+', b'"proposal":0', written),
    "an unknown field": replaced(b'"v":1', b'"v":1,"z":1'),
    "an unknown field in the body": replaced(b'"on":', b'"note":"","on":'),
    "another body's field": replaced(b'"on":', b'"fund":"general","on":'),
    "a missing field": replaced(b',"on":"2026-11-21"', b""),
    "an unknown kind": replaced(b"money.allocated", b"money.multiplied"),
    "another kind": replaced(b"money.allocated", b"money.released"),
    "version 0": replaced(b'"v":1', b'"v":0'),
    "version 2": replaced(b'"v":1', b'"v":2'),
    "no version": replaced(b',"v":1', b""),
    "a posting of five": replaced(b',1,"CNY"]', b',"CNY"]'),
    "a posting of seven": replaced(b'"CNY"]', b'"CNY",1]'),
    "an escaped letter": replaced(b'"on"', b'"\\u006fn"'),
    "an escaped slash": replaced(b"fund:330800", b"\\/und:330800"),
    "an escaped Chinese letter": replaced("红".encode(), b"\\u7ea2"),
    "upper-case hexadecimals in an escape": replaced("红".encode(), b"\\u001F"),
    "a lone surrogate": replaced("红".encode(), b"\\ud800"),
    "a lone surrogate as bytes": replaced("红".encode(), b"\xed\xa0\x80"),
    "two surrogates the wrong way round": replaced("红".encode(), b"\\udc00\\ud800"),
    "invalid UTF-8": replaced("红".encode(), b"\xff\xfe"),
    "overlong UTF-8": replaced("红".encode(), b"\xc0\xaf"),
    "a control character": replaced("红".encode(), b"\x07"),
    "a comment": replaced(b'"v":1', b'/**/"v":1'),
    "a comma before the end": replaced(b'"v":1', b'"v":1,'),
    "an array": lambda written: b"[" + written + b"]",
    "a text": lambda written: b'"' + written.hex().encode() + b'"',
    "nothing": lambda written: written[:0],
    "half of it": lambda written: written[: len(written) // 2],
    "a bottomless body": lambda written: b'{"body":' + b"[" * (len(written) * 50),
    "too many bytes": lambda written: re.sub(rb'"decision":"', b'"decision":"' + b"x" * 65_535, written),
}


@pytest.mark.parametrize("forgery", FORGED)
def test_a_forged_encoding_is_refused(forgery: str) -> None:
    written = FORGED[forgery](golden("money.allocated"))
    assert written != golden("money.allocated")
    with pytest.raises(NotCanonicalError):
        entries.decode(written)


@FIXED
@given(st.sampled_from(sorted(KINDS)), st.data())
def test_a_changed_byte_is_never_read_as_the_same_entry(kind: str, data: st.DataObject) -> None:
    right = golden(kind)
    i = data.draw(st.integers(0, len(right) - 1))
    wrong = bytearray(right)
    wrong[i] = data.draw(st.integers(0, 255).filter(lambda byte: byte != right[i]))
    try:
        assert entries.encode(entries.decode(bytes(wrong))) == bytes(wrong)
    except NotCanonicalError:
        return
    assert entries.digest(bytes(wrong)) != entries.digest(right)


def test_a_default_that_came_as_another_object_is_left_out_too() -> None:
    pen = open_society()
    unknown = str(b"unknown", "ascii")
    (received,) = pen.write(msgspec.structs.replace(gift(5), donor_class=unknown, event=str(b"", "ascii")))
    assert b"donor_class" not in pen.written[-1]
    assert entries.decode(pen.written[-1]) == received


def test_a_commitment_leaves_out_what_an_effect_gets_when_it_happens() -> None:
    body = entries.MoneyAllocated(on="2026-11-21", decision="红〔2026〕12号")
    part = msgspec.structs.replace(body, part=(2, 3))
    text = 'sunledger/proposal/1\nsalt\n{"decision":"红〔2026〕12号","on":"2026-11-21"}\n'
    assert entries.commitment(body, "salt") == sha256(text.encode()).hexdigest()
    assert entries.commitment(part, "salt") == entries.commitment(body, "salt")
    assert entries.commitment(body, "pepper") != entries.commitment(body, "salt")


def test_times_are_written_in_utc_and_dated_in_beijing() -> None:
    late = entries.moment("2026-11-20T16:00:00.007Z")
    assert entries.instant(late) == "2026-11-20T16:00:00.007Z"
    assert entries.beijing_date(late).isoformat() == "2026-11-21"
