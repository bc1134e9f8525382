"""The compact receipt: small enough for a QR code, exact, and nothing in it can make its reader fall over."""

import base64
import re
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.log.checkpoint import Checkpoint
from ledger.log.errors import MalformedError, VerificationError
from ledger.log.note import parse_note
from ledger.receipt.compact import DICTIONARY, MAX_COMPACT_BYTES, VERSION, decode_compact, encode_compact
from ledger.receipt.reading import read_receipts
from tests.receipt.kept import INDEX, ORIGIN, POLICY, POST_QUANTUM, SIZE, WITNESSES, digest, gift, receipt
from tests.support.fixed import FIXED
from tests.support.merkle import flip

GOLDEN = Path(__file__).with_name("compact.b64")
FORMATS = Path(__file__).resolve().parents[2] / "docs/formats.md"


def test_the_longest_gift_in_ten_million_with_two_witnesses_fits_1_7_kb() -> None:
    kept = receipt()
    assert len(kept.proof.hashes) == 24
    assert len(encode_compact(kept)) < 1_700


def test_what_is_decoded_is_what_was_encoded_to_the_byte() -> None:
    kept = receipt()
    again = decode_compact(encode_compact(kept))
    assert again == kept
    assert again.encode() == kept.encode()
    assert set(again.verify(POLICY).cosigned_at_s) == {"w0", "w1"}


@pytest.mark.parametrize(("index", "size"), [(0, 1), (0, 2), (1, 2), (255, 256), (256, 257), (2**53 - 2, 2**53 - 1)])
def test_any_place_in_a_log_of_any_size(index: int, size: int) -> None:
    kept = receipt(index=index, size=size)
    assert decode_compact(encode_compact(kept)) == kept
    kept.verify(POLICY)


def test_signatures_of_other_kinds_are_left_out() -> None:
    kept = receipt(cosigners=[*WITNESSES, POST_QUANTUM])
    again = decode_compact(encode_compact(kept))
    assert [each.name for each in parse_note(again.proof.checkpoint).signatures] == [
        ORIGIN, *(each.key.name for each in WITNESSES)
    ]  # fmt: skip
    again.verify(POLICY)


def test_a_checkpoint_without_an_ed25519_signature_has_no_compact_form() -> None:
    kept = receipt()
    text, _, _ = kept.proof.checkpoint.rpartition(b"\n\n")
    other = POST_QUANTUM.sign(parse_checkpoint(kept.proof.checkpoint), time_s=1)
    note = text + b"\n\n" + other.encode()
    with pytest.raises(MalformedError, match="Ed25519"):
        encode_compact(replace(kept, proof=replace(kept.proof, checkpoint=note)))


def test_an_entry_too_long_for_a_qr_code_has_no_compact_form() -> None:
    with pytest.raises(MalformedError, match=f"at most {MAX_COMPACT_BYTES} bytes"):
        encode_compact(receipt(b"".join(map(digest, range(100)))))


def test_every_bit_counts() -> None:
    """A bit turned is refused, or decodes to what does not verify; in a length it is nearly always refused."""
    data = encode_compact(receipt())
    for bit in range(0, len(data) * 8, 3):
        with pytest.raises(VerificationError):
            decode_compact(flip(data, bit)).verify(POLICY)


def test_cut_short_or_followed_by_more_it_is_refused() -> None:
    data = encode_compact(receipt())
    for end in range(len(data)):
        with pytest.raises(MalformedError):
            decode_compact(data[:end])
    for more in (b"\0", b"x", data):
        with pytest.raises(MalformedError):
            decode_compact(data + more)


@FIXED
@given(st.binary(max_size=400) | st.binary(max_size=400).map(VERSION.__add__))
def test_whatever_is_scanned_is_decoded_or_refused(data: bytes) -> None:
    try:
        kept = decode_compact(data)
    except MalformedError:
        return
    assert decode_compact(encode_compact(kept)) == kept


@FIXED
@given(data=st.data())
def test_whatever_is_changed_in_a_good_one_is_decoded_or_refused(data: st.DataObject) -> None:
    written = bytearray(encode_compact(receipt()))
    for _ in range(data.draw(st.integers(1, 8))):
        written[data.draw(st.integers(0, len(written) - 1))] = data.draw(st.integers(0, 255))
    try:
        kept = decode_compact(bytes(written))
    except MalformedError:
        return
    assert decode_compact(encode_compact(kept)) == kept


def test_a_stream_that_swells_is_refused_before_it_fills_the_memory() -> None:
    data = encode_compact(receipt(b"x"))
    packer = zlib.compressobj(wbits=-15, zdict=DICTIONARY)
    bomb = packer.compress(bytes(1_000_000)) + packer.flush()
    packer = zlib.compressobj(level=9, wbits=-15, memLevel=9, zdict=DICTIONARY)
    short = packer.compress(b"x") + packer.flush()
    with pytest.raises(MalformedError, match="65535"):
        decode_compact(data.removesuffix(short) + bomb)


def test_a_reader_knows_the_form_by_its_first_byte() -> None:
    kept = receipt()
    assert read_receipts(encode_compact(kept)) == read_receipts(kept.encode()) == [kept]


def test_version_1_never_changes() -> None:
    """A code printed today is read for ever. Add versions, never edit this file."""
    assert decode_compact(base64.b64decode(GOLDEN.read_text())) == receipt()


def test_the_documentation_takes_it_apart_byte_by_byte() -> None:
    """docs/formats.md, carried out without our decoder."""
    data, kept = encode_compact(receipt()), receipt()
    (block,) = re.findall(r"dictionary of version 1:\n\n```text\n(.*?)\n```", FORMATS.read_text(), re.DOTALL)
    assert "".join(block.split("\n")).encode() == DICTIONARY
    assert data[0] == 1
    assert (int.from_bytes(data[1:9]), int.from_bytes(data[9:17])) == (INDEX, SIZE)
    root, count = data[17:49], data[49]
    at = 50 + 32 * count
    assert [data[i : i + 32] for i in range(50, at, 32)] == [*kept.proof.hashes]
    origin = data[at + 1 : at + 1 + data[at]]
    at += 1 + len(origin)
    lines = []
    signatures, at = data[at], at + 1
    for _ in range(signatures):
        kind, length = data[at], data[at + 1]
        name, at = data[at + 2 : at + 2 + length] or origin, at + 2 + length
        size = 4 + {1: 64, 4: 72}[kind]
        lines.append(f"— {name.decode()} {base64.b64encode(data[at : at + size]).decode()}\n")
        at += size
    text = f"{origin.decode()}\n{SIZE}\n{base64.b64encode(root).decode()}\n\n{''.join(lines)}"
    assert text.encode() == kept.proof.checkpoint
    # Any inflater will do: a stored block that holds the dictionary, then what stands here.
    stored = b"\0" + len(DICTIONARY).to_bytes(2, "little") + (len(DICTIONARY) ^ 0xFFFF).to_bytes(2, "little")
    assert zlib.decompress(stored + DICTIONARY + data[at:], wbits=-15) == DICTIONARY + gift()


def parse_checkpoint(note: bytes) -> Checkpoint:
    return Checkpoint.parse(parse_note(note).text)
