"""Signed notes and keys: golden strings, a foreign note, published edge cases, forgeries."""

from base64 import b64encode
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.log.cosignature import verifier_of
from ledger.log.errors import MalformedError, SignatureError
from ledger.log.key import ED25519, ED25519_COSIGNATURE, VerifierKey, key_id
from ledger.log.note import Ed25519Signer, Ed25519Verifier, Note, Signature, open_note, parse_note
from tests.support.keys import ed25519_cosigner, log_signer, ml_dsa_cosigner
from tests.support.merkle import flip
from tests.support.vectors import cases

TEXT = "一份捐赠\n\n— not a signature\n".encode()
ALICE = log_signer("alice.example")
BOB = log_signer("bob.example")

# The example of the format's first implementation, golang.org/x/mod/sumdb/note.
FOREIGN_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
FOREIGN_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
).encode()


def test_a_foreign_note_opens_with_its_key() -> None:
    key = VerifierKey.parse(FOREIGN_VKEY)
    assert str(key) == FOREIGN_VKEY
    opened = open_note(FOREIGN_NOTE, [Ed25519Verifier(key)])
    assert opened.text == FOREIGN_NOTE[: FOREIGN_NOTE.index("—".encode()) - 1]
    assert opened.encode() == FOREIGN_NOTE


def test_a_signed_note_has_golden_bytes() -> None:
    assert str(ALICE.key) == "alice.example+cdcd4f3b+AT+fvtRht93WR+/UMqUgFrkFeB5H7ub/xbbaQpHNsKQe"
    assert Note(b"hello\n", (ALICE.sign(b"hello\n"),)).encode().decode() == (
        "hello\n"
        "\n"
        "— alice.example zc1PO2HDTu6h/Qab7CgNjCnD1mj5JzGuoWN0eTUf77X/Q5/5EIvBw9Xca6xAnwrzbEAkfbsepsQbqcuZnrfy1P09EgQ=\n"
    )


def test_the_same_key_under_another_name_or_type_has_another_id() -> None:
    public_key = ALICE.key.public_key
    ids = {key_id(name, kind, public_key) for name in ("a", "b") for kind in (ED25519, ED25519_COSIGNATURE)}
    assert len(ids) == 4


def test_a_note_gives_back_text_and_verified_signatures() -> None:
    data = _note(ALICE.sign(TEXT), BOB.sign(TEXT))
    assert open_note(data, [_verifier(ALICE), _verifier(BOB)]) == Note(TEXT, (ALICE.sign(TEXT), BOB.sign(TEXT)))
    assert open_note(data, [_verifier(BOB)]) == Note(TEXT, (BOB.sign(TEXT),))


def test_the_text_ends_at_the_last_blank_line() -> None:
    text = b"one\n\ntwo\n\n"
    assert open_note(Note(text, (ALICE.sign(text),)).encode(), [_verifier(ALICE)]).text == text


def test_signatures_by_unknown_keys_are_ignored_whatever_they_hold() -> None:
    stranger = Signature("stranger.example", b"\1\2\3\4", b"no signature at all")
    same_name = Signature(ALICE.key.name, b"\1\2\3\4", bytes(64))
    same_id = Signature("stranger.example", ALICE.key.id, bytes(64))
    data = _note(stranger, same_name, same_id, ALICE.sign(TEXT))
    assert open_note(data, [_verifier(ALICE)]).signatures == (ALICE.sign(TEXT),)


def test_a_note_that_nobody_known_signed_is_refused() -> None:
    with pytest.raises(SignatureError, match=r"expected one by bob\.example\+.*, found alice\.example\+"):
        open_note(_note(ALICE.sign(TEXT)), [_verifier(BOB)])
    with pytest.raises(SignatureError, match="expected one by no key at all"):
        open_note(_note(ALICE.sign(TEXT)), [])


def test_a_bad_signature_by_a_known_key_spoils_the_good_one_beside_it() -> None:
    forged = Signature(BOB.key.name, BOB.key.id, BOB.sign(b"another text\n").payload)
    data = _note(ALICE.sign(TEXT), forged)
    with pytest.raises(SignatureError, match=r"bob\.example"):
        open_note(data, [_verifier(ALICE), _verifier(BOB)])
    assert open_note(data, [_verifier(ALICE)]).signatures == (ALICE.sign(TEXT),)


def test_a_second_signature_by_a_known_key_is_checked_too() -> None:
    forged = Signature(ALICE.key.name, ALICE.key.id, bytes(64))
    with pytest.raises(SignatureError):
        open_note(_note(ALICE.sign(TEXT), forged), [_verifier(ALICE)])


def test_a_signature_under_another_name_is_refused() -> None:
    forged = Signature(BOB.key.name, BOB.key.id, ALICE.sign(TEXT).payload)
    with pytest.raises(SignatureError):
        open_note(_note(forged), [_verifier(BOB)])


@given(st.integers(0, 10_000))
def test_a_flipped_bit_in_text_or_signature_is_refused(bit: int) -> None:
    text = flip(b"One gift, 12345 fen\n"[:-1], bit) + b"\n"
    signature = ALICE.sign(b"One gift, 12345 fen\n")
    with pytest.raises((SignatureError, MalformedError)):
        open_note(Note(text, (signature,)).encode(), [_verifier(ALICE)])
    flipped = Signature(signature.name, signature.key_id, flip(signature.payload, bit))
    with pytest.raises(SignatureError):
        open_note(_note(flipped), [_verifier(ALICE)])


@pytest.mark.parametrize("count", [1, 16, 100])
def test_up_to_a_hundred_signatures_are_read(count: int) -> None:
    strangers = [Signature(f"w{i}.example", bytes(4), bytes(2428)) for i in range(count - 1)]
    assert open_note(_note(*strangers, ALICE.sign(TEXT)), [_verifier(ALICE)]).text == TEXT


def test_more_signatures_or_bytes_than_anybody_needs_are_refused() -> None:
    strangers = [Signature(f"w{i}.example", bytes(4), bytes(64)) for i in range(100)]
    with pytest.raises(MalformedError, match="expected at most 100, found 101"):
        open_note(_note(*strangers, ALICE.sign(TEXT)), [_verifier(ALICE)])
    with pytest.raises(MalformedError, match="expected at most 1000000 bytes"):
        open_note(b"x" * 1_000_000 + b"\n" + _note(ALICE.sign(TEXT)), [_verifier(ALICE)])


SIGNED = ALICE.sign(b"text\n").encode().decode()
ENCODED = SIGNED.split(" ")[2].removesuffix("\n")


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        "text\n",
        "text\n\n",
        SIGNED,
        f"text\n{SIGNED}",  # no blank line
        f"text\n\n{SIGNED}"[:-1],  # no newline at the end
        f"text\n\n{SIGNED}\n",  # a blank line after the signatures
        f"text\n\n{SIGNED}and more\n",
        f"te\rxt\n\n{SIGNED}",
        f"te\txt\n\n{SIGNED}",
        f"te\0xt\n\n{SIGNED}",
        f"te\x1fxt\n\n{SIGNED}",
        f"text\n\n- alice.example {ENCODED}\n",  # a hyphen for the dash
        f"text\n\n—alice.example {ENCODED}\n",
        f"text\n\n— alice.example  {ENCODED}\n",
        f"text\n\n— alice.example {ENCODED} \n",
        f"text\n\n—  {ENCODED}\n",
        f"text\n\n— alice+example {ENCODED}\n",
        f"text\n\n— alice\u00a0example {ENCODED}\n",
        f"text\n\n— alice\u3000example {ENCODED}\n",
        f"text\n\n— alice\u2028example {ENCODED}\n",
        f"text\n\n— alice.example {ENCODED.rstrip('=')}\n",  # no padding
        f"text\n\n— alice.example {ENCODED.replace('A', '-')}*\n",
        "text\n\n— alice.example AAAA\n",  # too short for a key id
        "text\n\n— alice.example AAAAAA==\n",  # a key id and no signature
        "text\n\n— alice.example AAAAAAB=\n",  # stray final bits
    ],
)
def test_a_malformed_note_is_refused(note: str) -> None:
    with pytest.raises(MalformedError):
        open_note(note.encode(), [_verifier(ALICE)])


@pytest.mark.parametrize("text", [b"\xff\n", b"\xed\xa0\x80\n", b"\xc0\x80\n"])
def test_what_is_not_utf8_is_neither_read_nor_signed(text: bytes) -> None:
    with pytest.raises(MalformedError, match="expected UTF-8"):
        parse_note(text + b"\n" + SIGNED.encode())
    with pytest.raises(MalformedError, match="expected UTF-8"):
        ALICE.sign(text)


def test_a_text_no_reader_would_accept_is_not_signed() -> None:
    for text in (b"", b"no newline", b"tab\t\n", b"return\r\n"):
        with pytest.raises(MalformedError):
            ALICE.sign(text)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]) | st.just("\n")))
def test_any_text_comes_back_as_it_was_signed(text: str) -> None:
    signed = f"{text}\n".encode()
    assert open_note(Note(signed, (ALICE.sign(signed),)).encode(), [_verifier(ALICE)]).text == signed


@pytest.mark.parametrize(
    "key",
    [
        ALICE.key,
        ed25519_cosigner("witness.example/w1").key,
        ml_dsa_cosigner("witness.example/w2").key,
        log_signer("衢州市红十字会").key,
    ],
)
def test_a_vkey_names_its_key(key: VerifierKey) -> None:
    assert VerifierKey.parse(str(key)) == key
    assert verifier_of(key).key == key


VKEY = str(ALICE.key)
NAME, ID, KEY = VKEY.split("+", 2)


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "+",
        "++",
        NAME,
        f"{NAME}+{ID}",
        f"+{ID}+{KEY}",
        f"{NAME}+{ID}+",
        f"{NAME}+{ID.upper()}+{KEY}",
        f"{NAME}+{ID[1:]}+{KEY}",
        f"{NAME}+00000000+{KEY}",
        f"other.example+{ID}+{KEY}",
        f"{NAME}+{ID}+{KEY}\n",
        f"{NAME}+{ID}+{KEY[:-4]}",
        f"alice example+{ID}+{KEY}",
        f"{NAME}+{ID}+{b64encode(bytes([2]) + ALICE.key.public_key).decode()}",  # ECDSA's type
        "\udc80+00000000+AAAA",
    ],
)
def test_a_malformed_vkey_is_refused(vkey: str) -> None:
    with pytest.raises(MalformedError):
        VerifierKey.parse(vkey)


@pytest.mark.parametrize("size", [0, 31, 33, 1312])
def test_a_public_key_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(MalformedError, match=f"expected 32 bytes, found {size}"):
        VerifierKey("alice.example", ED25519, bytes(size))


def test_a_signature_type_nobody_here_reads_is_refused() -> None:
    for kind in (0x00, 0x02, 0x05, 0xFF):
        with pytest.raises(MalformedError, match=f"expected a signature type of 01, 04, 06, found {kind:02x}"):
            VerifierKey("alice.example", kind, ALICE.key.public_key)


def test_bytes_that_are_no_point_of_the_curve_are_refused() -> None:
    with pytest.raises(MalformedError, match="expected a point of the Ed25519 curve"):
        VerifierKey("alice.example", ED25519, (2).to_bytes(32, "little"))


def test_low_order_and_non_canonical_keys_of_the_published_edge_cases_are_refused() -> None:
    published = cases("ed25519/ed25519vectors.json")
    assert len(published) == 914
    for case in published:
        flags = set(case["flags"] or [])
        assert _is_refused(case["key"]) == bool(flags & {"low_order_A", "non_canonical_A"}), case["number"]


@pytest.mark.parametrize("y", [2**255 - 19, 2**255 - 19 + 3, 2**255 - 1])
def test_a_second_encoding_of_a_key_is_refused(y: int) -> None:
    with pytest.raises(MalformedError, match="expected a canonical Ed25519 key"):
        VerifierKey("alice.example", ED25519, y.to_bytes(32, "little"))


def test_what_is_answered_to_the_other_published_edge_cases_is_on_record() -> None:
    """Under the keys that are left, the check without cofactor and with R compared as bytes: 86 yes, 302 no."""
    answers = Counter[bool]()
    for case in cases("ed25519/ed25519vectors.json"):
        if _is_refused(case["key"]):
            continue
        verifier = Ed25519Verifier(VerifierKey("edge.example", ED25519, bytes.fromhex(case["key"])))
        try:
            verifier.verify(case["msg"].encode(), bytes.fromhex(case["sig"]))
            accepts = True
        except SignatureError:
            accepts = False
        assert accepts != bool({"low_order_residue", "non_canonical_R"} & set(case["flags"] or [])), case["number"]
        answers[accepts] += 1
    assert answers == {True: 86, False: 302}


def _is_refused(public_key: str) -> bool:
    try:
        VerifierKey("edge.example", ED25519, bytes.fromhex(public_key))
    except MalformedError:
        return True
    return False


def _note(*signatures: Signature) -> bytes:
    return Note(TEXT, signatures).encode()


def _verifier(signer: Ed25519Signer) -> Ed25519Verifier:
    return Ed25519Verifier(signer.key)
