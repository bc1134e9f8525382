"""Checkpoints: golden text, strict reading, forgeries, and what foreign readers say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.log.checkpoint import Checkpoint, open_checkpoint
from ledger.log.cosignature import CosignatureVerifier
from ledger.log.encoding import MAX_SIZE
from ledger.log.errors import MalformedError, SignatureError
from ledger.log.key import VerifierKey
from ledger.log.note import Ed25519Verifier
from ledger.log.tree import EMPTY_ROOT
from tests.support.foreign import foreign
from tests.support.keys import ORIGIN, ed25519_cosigner, log_signer, ml_dsa_cosigner
from tests.support.merkle import mth
from tests.support.vectors import vectors

LOG = log_signer()
CHECKPOINT = Checkpoint(origin=ORIGIN, size=5, root=mth(0, 5))
ROOT = "fKo0Xb2JKmZFTWxlEuo8PqPw0+whvj/C4jdXBf049nI="


def test_a_checkpoint_has_golden_text() -> None:
    assert CHECKPOINT.text.decode() == f"ledger.example/log\n5\n{ROOT}\n"
    assert CHECKPOINT.signed([LOG.sign(CHECKPOINT.text)]).decode() == (
        f"ledger.example/log\n5\n{ROOT}\n\n"
        "— ledger.example/log "
        "yVRLy6ZrJx67nnbZeAsvY5097rkRObM4sKOXsu49S7qHSd8SiP6U8tkUw18cfj/DzhJSQzTHqcMvvEqnWcv1AKBRPwk=\n"
    )
    assert Checkpoint.parse(CHECKPOINT.text) == CHECKPOINT


def test_a_size_is_at_most_what_a_signed_integer_holds() -> None:
    text = f"{ORIGIN}\n9223372036854775807\n{ROOT}\n".encode()
    assert Checkpoint.parse(text).size == MAX_SIZE == 2**63 - 1


def test_the_empty_tree_has_a_checkpoint() -> None:
    empty = Checkpoint(origin=ORIGIN, size=0, root=EMPTY_ROOT)
    assert empty.text == b"ledger.example/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    assert Checkpoint.parse(empty.text) == empty


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=60), st.integers(0, MAX_SIZE)
)
def test_any_checkpoint_comes_back_from_its_text(origin: str, size: int) -> None:
    checkpoint = Checkpoint(origin=origin, size=size, root=mth(0, 3))
    assert Checkpoint.parse(checkpoint.text) == checkpoint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        f"{ORIGIN}\n5\n",
        f"{ORIGIN}\n5\n{ROOT}",
        f"\n5\n{ROOT}\n",
        f"{ORIGIN}\n\n{ROOT}\n",
        f"{ORIGIN}\n05\n{ROOT}\n",
        f"{ORIGIN}\n00\n{ROOT}\n",
        f"{ORIGIN}\n+5\n{ROOT}\n",
        f"{ORIGIN}\n-5\n{ROOT}\n",
        f"{ORIGIN}\n 5\n{ROOT}\n",
        f"{ORIGIN}\n5_0\n{ROOT}\n",
        f"{ORIGIN}\n٥\n{ROOT}\n",
        f"{ORIGIN}\n5.0\n{ROOT}\n",
        f"{ORIGIN}\n0x5\n{ROOT}\n",
        f"{ORIGIN}\n9223372036854775808\n{ROOT}\n",
        f"{ORIGIN}\n{'9' * 5000}\n{ROOT}\n",
        f"{ORIGIN}\r\n5\r\n{ROOT}\r\n",
        f"{ORIGIN}\n5\n{ROOT[:-1]}\n",
        f"{ORIGIN}\n5\n{ROOT} \n",
        f"{ORIGIN}\n5\n{ROOT[:-2]}9=\n",  # stray final bits
        f"{ORIGIN}\n5\n{ROOT.replace('/', '_').replace('+', '-')}_\n",
        f"{ORIGIN}\n5\nAAAA\n",
        f"{ORIGIN}\n5\n{'A' * 44}\n",
        f"{ORIGIN}\n5\n{ROOT}\nan extension line\n",
        f"{ORIGIN}\n5\n{ROOT}\n\n",
        f"{'x' * 256}\n5\n{ROOT}\n",
    ],
)
def test_a_malformed_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        Checkpoint.parse(text.encode())


def test_a_checkpoint_that_could_not_be_read_is_not_made() -> None:
    for origin, size, root in [
        ("", 5, mth(0, 5)),
        ("two\nlines", 5, mth(0, 5)),
        (ORIGIN, -1, mth(0, 5)),
        (ORIGIN, 2**63, mth(0, 5)),
        (ORIGIN, 5, bytes(31)),
    ]:
        with pytest.raises(MalformedError):
            Checkpoint(origin=origin, size=size, root=root)


def test_a_checkpoint_opens_with_its_logs_key_whoever_else_signed() -> None:
    witness = ed25519_cosigner("witness.example/w1")
    data = CHECKPOINT.signed([LOG.sign(CHECKPOINT.text), witness.sign(CHECKPOINT, time_s=1_700_000_000)])
    assert open_checkpoint(data, Ed25519Verifier(LOG.key)) == CHECKPOINT


def test_a_log_may_sign_with_a_post_quantum_key() -> None:
    log = ml_dsa_cosigner(ORIGIN)
    data = CHECKPOINT.signed([log.sign(CHECKPOINT, time_s=1_700_000_000)])
    assert open_checkpoint(data, CosignatureVerifier(log.key)) == CHECKPOINT


@pytest.mark.parametrize(
    ("old", "new"),
    [("log\n", "dog\n"), ("\n5\n", "\n6\n"), (ROOT[:4], "AAAA")],
)
def test_a_checkpoint_changed_after_signing_is_refused(old: str, new: str) -> None:
    data = CHECKPOINT.signed([LOG.sign(CHECKPOINT.text)]).decode().replace(old, new, 1)
    with pytest.raises((SignatureError, MalformedError)):
        open_checkpoint(data.encode(), Ed25519Verifier(LOG.key))


def test_a_checkpoint_signed_in_the_name_of_another_log_is_refused() -> None:
    stranger = log_signer("stranger.example/log")
    with pytest.raises(SignatureError, match=r"origin: expected stranger\.example/log, found ledger\.example/log"):
        open_checkpoint(CHECKPOINT.signed([stranger.sign(CHECKPOINT.text)]), Ed25519Verifier(stranger.key))


def test_a_note_that_is_no_checkpoint_is_refused_even_if_the_log_signed_it() -> None:
    text = b"hello\n"
    with pytest.raises(MalformedError, match="expected three lines, found 1"):
        open_checkpoint(text + b"\n" + LOG.sign(text).encode(), Ed25519Verifier(LOG.key))


def test_the_foreign_logs_checkpoints_verify_and_are_written_as_we_write_them() -> None:
    folder = vectors("tessera-log")
    log = Ed25519Verifier(VerifierKey.parse((folder / "vkey.txt").read_text().strip()))
    paths = list(folder.glob("checkpoint.*"))
    assert len(paths) == 16
    for path in paths:
        data = path.read_bytes()
        checkpoint = open_checkpoint(data, log)
        assert path.name == f"checkpoint.{checkpoint.size}"
        assert data.startswith(checkpoint.text + b"\n")


def test_a_foreign_reader_verifies_our_checkpoint() -> None:
    tlog, signing = foreign("tlog_scales.tlog", "tlog-scales"), foreign("tlog_scales.signing", "tlog-scales")
    witnesses = [ed25519_cosigner("witness.example/w1"), ml_dsa_cosigner("witness.example/w2")]
    signatures = [LOG.sign(CHECKPOINT.text), *(w.sign(CHECKPOINT, time_s=1_700_000_000) for w in witnesses)]
    ours = [LOG.key, *(witness.key for witness in witnesses)]
    theirs = tlog.Checkpoint.from_text(CHECKPOINT.signed(signatures).decode())
    keys = signing.VkeySet(*(signing.Vkey.from_string(str(key)) for key in ours))
    verified = keys.verify(theirs.signatures, theirs)
    assert {key.name for key, _ in verified} == {key.name for key in ours}
    assert (theirs.origin, theirs.size, theirs.root_hash) == (CHECKPOINT.origin, CHECKPOINT.size, CHECKPOINT.root)
