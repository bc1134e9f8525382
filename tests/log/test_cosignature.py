"""Cosignatures of both types: what is signed, when, and what is refused."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import mldsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from ledger.log.checkpoint import Checkpoint
from ledger.log.cosignature import CosignatureVerifier, Cosigner, cosigned_at_s, verifier_of
from ledger.log.encoding import MAX_SIZE
from ledger.log.errors import MalformedError, SignatureError
from ledger.log.key import ED25519_COSIGNATURE, VerifierKey
from ledger.log.note import Ed25519Verifier, Signature, open_note
from tests.support.foreign import foreign
from tests.support.keys import ORIGIN, ed25519_cosigner, log_signer, ml_dsa_cosigner
from tests.support.merkle import flip, mth

CHECKPOINT = Checkpoint(origin=ORIGIN, size=5, root=mth(0, 5))
TIME_S = 1_700_000_000
W1 = ed25519_cosigner("witness.example/w1")
W2 = ml_dsa_cosigner("witness.example/w2")
COSIGNERS = pytest.mark.parametrize("cosigner", [W1, W2], ids=["ed25519", "ml-dsa-44"])


@COSIGNERS
@pytest.mark.parametrize("time_s", [0, 1, TIME_S, MAX_SIZE])
def test_a_cosignature_verifies_and_says_when(cosigner: Cosigner, time_s: int) -> None:
    signature = cosigner.sign(CHECKPOINT, time_s=time_s)
    opened = open_note(CHECKPOINT.signed([signature]), [verifier_of(cosigner.key)])
    assert opened.signatures == (signature,)
    assert cosigned_at_s(signature) == time_s


def test_an_ed25519_cosignature_is_over_time_and_checkpoint_text() -> None:
    signature = W1.sign(CHECKPOINT, time_s=TIME_S)
    message = b"cosignature/v1\ntime 1700000000\n" + CHECKPOINT.text
    plain = Ed25519Verifier(VerifierKey(W1.key.name, 0x01, W1.key.public_key))
    plain.verify(message, signature.payload[8:])
    assert signature.payload[:8] == TIME_S.to_bytes(8)
    assert len(signature.payload) == 8 + 64
    assert signature.encode().decode() == (
        "— witness.example/w1 "
        "S9R6xwAAAABlU/EANy7xXkh8jYpyd8uMhPO2eRCdWrvSisgNEWNkHzWCcqRikTAhkVvnOoHxLgbD7wsYRNJIwSJFFzKKDWAMxXi8BA==\n"
    )


def test_an_ml_dsa_cosignature_is_over_the_subtree_message() -> None:
    signature = W2.sign(CHECKPOINT, time_s=TIME_S)
    message = (
        b"subtree/v1\n\0"
        b"\x12witness.example/w2"
        b"\0\0\0\0\x65\x53\xf1\0"
        b"\x12ledger.example/log"
        b"\0\0\0\0\0\0\0\0"
        b"\0\0\0\0\0\0\0\5" + CHECKPOINT.root
    )
    public_key = mldsa.MLDSA44PublicKey.from_public_bytes(W2.key.public_key)
    public_key.verify(signature.payload[8:], message)
    assert len(signature.payload) == 8 + 2420
    assert len(W2.key.public_key) == 1312
    assert W2.key.id.hex() == "ffd24634"


@COSIGNERS
@given(st.data())
def test_a_flipped_bit_in_a_cosignature_is_refused(cosigner: Cosigner, data: st.DataObject) -> None:
    signature = cosigner.sign(CHECKPOINT, time_s=TIME_S)
    flipped = flip(signature.payload, data.draw(st.integers(0, 8 * len(signature.payload) - 1)))
    with pytest.raises(SignatureError):
        CosignatureVerifier(cosigner.key).verify(CHECKPOINT.text, flipped)


@COSIGNERS
def test_a_cosignature_moved_to_another_checkpoint_is_refused(cosigner: Cosigner) -> None:
    payload = cosigner.sign(CHECKPOINT, time_s=TIME_S).payload
    verifier = CosignatureVerifier(cosigner.key)
    verifier.verify(CHECKPOINT.text, payload)
    for other in (
        replace(CHECKPOINT, origin="other.example/log"),
        replace(CHECKPOINT, size=6),
        replace(CHECKPOINT, root=mth(0, 6)),
    ):
        with pytest.raises(SignatureError):
            verifier.verify(other.text, payload)


@COSIGNERS
def test_a_cosignature_with_a_later_time_put_on_is_refused(cosigner: Cosigner) -> None:
    payload = cosigner.sign(CHECKPOINT, time_s=TIME_S).payload
    with pytest.raises(SignatureError):
        CosignatureVerifier(cosigner.key).verify(CHECKPOINT.text, (TIME_S + 1).to_bytes(8) + payload[8:])


@COSIGNERS
def test_a_cosignature_without_a_whole_time_and_a_signature_is_refused(cosigner: Cosigner) -> None:
    verifier = CosignatureVerifier(cosigner.key)
    for payload in (b"", bytes(7), bytes(8), bytes(64), (2**63).to_bytes(8) + bytes(64)):
        with pytest.raises(SignatureError):
            verifier.verify(CHECKPOINT.text, payload)


def test_a_time_beyond_the_format_is_refused_even_if_the_witness_signed_it() -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    late = Cosigner("late.example", key)
    signature = key.sign(b"cosignature/v1\ntime 9223372036854775808\n" + CHECKPOINT.text)
    with pytest.raises(SignatureError, match=r"late\.example: expected a time and a signature"):
        CosignatureVerifier(late.key).verify(CHECKPOINT.text, (2**63).to_bytes(8) + signature)


def test_an_ml_dsa_cosignature_under_another_cosigners_name_is_refused() -> None:
    other = VerifierKey("witness.example/other", W2.key.type, W2.key.public_key)
    with pytest.raises(SignatureError):
        CosignatureVerifier(other).verify(CHECKPOINT.text, W2.sign(CHECKPOINT, time_s=TIME_S).payload)


def test_a_logs_signature_passed_off_as_a_cosignature_is_refused() -> None:
    log = log_signer()
    as_witness = VerifierKey(ORIGIN, ED25519_COSIGNATURE, log.key.public_key)
    forged = Signature(ORIGIN, as_witness.id, TIME_S.to_bytes(8) + log.sign(CHECKPOINT.text).payload)
    with pytest.raises(SignatureError):
        open_note(CHECKPOINT.signed([forged]), [verifier_of(as_witness)])


@COSIGNERS
def test_only_checkpoints_are_cosigned(cosigner: Cosigner) -> None:
    with pytest.raises(MalformedError):
        CosignatureVerifier(cosigner.key).verify(b"hello\n", cosigner.sign(CHECKPOINT, time_s=TIME_S).payload)


@COSIGNERS
@pytest.mark.parametrize("time_s", [-1, 2**63])
def test_a_time_nobody_could_read_is_not_signed(cosigner: Cosigner, time_s: int) -> None:
    with pytest.raises(ValueError, match="time: expected"):
        cosigner.sign(CHECKPOINT, time_s=time_s)


def test_a_logs_key_is_not_taken_for_a_witnesss_nor_the_other_way_round() -> None:
    with pytest.raises(ValueError, match="expected type 04 or 06, found 01"):
        CosignatureVerifier(log_signer().key)
    with pytest.raises(ValueError, match="expected type 01, found 04"):
        Ed25519Verifier(W1.key)


def test_the_longest_names_fit_a_cosignature() -> None:
    name = "w" * 255
    checkpoint = replace(CHECKPOINT, origin="o" * 255)
    for cosigner in (ed25519_cosigner(name), ml_dsa_cosigner(name)):
        CosignatureVerifier(cosigner.key).verify(checkpoint.text, cosigner.sign(checkpoint, time_s=TIME_S).payload)
    with pytest.raises(MalformedError, match="expected at most 255 bytes"):
        ml_dsa_cosigner(f"{name}w")


def test_a_foreign_cosigner_is_verified_here() -> None:
    tlog, signing = foreign("tlog_scales.tlog", "tlog-scales"), foreign("tlog_scales.signing", "tlog-scales")
    theirs = signing.MLDSA44CosignatureSigner("witness.example/theirs", bytes(range(32)))
    line = theirs.sign(tlog.Checkpoint(ORIGIN, CHECKPOINT.size, CHECKPOINT.root, [])).serialize()
    key = VerifierKey.parse(theirs.vkey.serialize())
    opened = open_note(CHECKPOINT.text + b"\n" + f"{line}\n".encode(), [verifier_of(key)])
    assert cosigned_at_s(opened.signatures[0]) > TIME_S
