"""Witnesses: the request, every answer of the specification, histories that must never be cosigned."""

from base64 import b64encode
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.log.checkpoint import Checkpoint
from ledger.log.encoding import encode_base64
from ledger.log.errors import MalformedError
from ledger.log.note import Ed25519Verifier, Signature, encode_signatures
from ledger.log.tree import EMPTY_ROOT, consistency_proof, leaf_hash, root_of
from ledger.log.witness import (
    Accepted,
    AddCheckpoint,
    Cosigned,
    Declined,
    Record,
    Refused,
    TryFrom,
    decide,
    monitoring_path,
    read_answer,
)
from tests.support.keys import ORIGIN, ed25519_cosigner, log_signer, ml_dsa_cosigner
from tests.support.merkle import LEAVES, mth, nodes

LOG = log_signer()
KEYS = {ORIGIN: [Ed25519Verifier(LOG.key)]}
FORK = [*LEAVES[:3], leaf_hash(b"another gift"), *LEAVES[4:20]]


def test_a_request_has_golden_bytes() -> None:
    request = _request(5, 8)
    proof = [encode_base64(h) for h in consistency_proof(5, 8, nodes(8))]
    assert request.encode() == "\n".join(["old 5", *proof, "", ""]).encode() + request.checkpoint
    assert AddCheckpoint.parse(request.encode()) == request
    assert AddCheckpoint.parse(_request(0, 8).encode()) == _request(0, 8)
    assert _request(0, 8).encode().startswith(b"old 0\n\nledger.example/log\n8\n")


def test_growth_is_accepted_from_the_first_checkpoint_on() -> None:
    record = None
    for size in (0, 0, 1, 1, 5, 256, 257, 3000, 3000):
        decision = decide(_request(record.size if record else 0, size), record, KEYS)
        assert decision == Accepted(record=Record(size=size, root=mth(0, size)), checkpoint=_checkpoint(size))
        record = decision.record


@given(st.integers(0, 500), st.integers(0, 500))
def test_any_growth_is_accepted(before: int, more: int) -> None:
    decision = decide(_request(before, before + more), _record(before), KEYS)
    assert isinstance(decision, Accepted)
    assert decision.record == _record(before + more)


def test_a_log_nobody_configured_is_404() -> None:
    assert _status(decide(_request(0, 5), None, {})) == 404
    assert _status(decide(_request(0, 5), None, {"other.example/log": KEYS[ORIGIN]})) == 404


def test_a_checkpoint_without_a_trusted_signature_is_403() -> None:
    stranger = log_signer("stranger.example")
    request = replace(_request(0, 5), checkpoint=_checkpoint(5).signed([stranger.sign(_checkpoint(5).text)]))
    assert _status(decide(request, None, KEYS)) == 403
    assert _status(decide(_request(0, 5), None, {ORIGIN: []})) == 403


def test_a_trusted_key_with_a_bad_signature_is_403_whoever_else_signed() -> None:
    forged = Signature(ORIGIN, LOG.key.id, bytes(64))
    old_key = log_signer("ledger.example/log-before")
    keys = {ORIGIN: [*KEYS[ORIGIN], Ed25519Verifier(old_key.key)]}
    request = replace(_request(0, 5), checkpoint=_checkpoint(5).signed([old_key.sign(_checkpoint(5).text), forged]))
    assert _status(decide(request, None, keys)) == 403


def test_an_old_size_above_the_checkpoint_is_400_even_if_it_is_the_recorded_one() -> None:
    request = replace(_request(0, 5), old_size=6)
    assert _status(decide(request, None, KEYS)) == 400
    assert _status(decide(request, _record(6), KEYS)) == 400


@pytest.mark.parametrize("checkpoint", [b"hello\n", b"ledger.example/log\n5\n", b"\n\n", "— a AAAAAAA=\n".encode()])
def test_a_malformed_checkpoint_is_400(checkpoint: bytes) -> None:
    assert _status(decide(AddCheckpoint(old_size=0, proof=(), checkpoint=checkpoint), None, KEYS)) == 400


def test_another_old_size_than_the_recorded_is_409_and_says_which() -> None:
    for record, old in [(None, 5), (_record(5), 0), (_record(5), 4), (_record(8), 5), (_record(9), 8)]:
        refused = decide(_request(old, 8), record, KEYS)
        assert isinstance(refused, Refused)
        assert (refused.status, refused.content_type) == (409, "text/x.tlog.size")
        assert refused.body == f"{record.size if record else 0}\n".encode()


def test_a_wrong_proof_is_422() -> None:
    request = _request(5, 8)
    for proof in ((), request.proof[1:], request.proof[::-1], (*request.proof, bytes(32)), (bytes(32),) * 63):
        assert _status(decide(replace(request, proof=proof), _record(5), KEYS)) == 422


def test_a_proof_from_nothing_is_422() -> None:
    request = replace(_request(0, 8), proof=(bytes(32),))
    assert _status(decide(request, None, KEYS)) == 422
    assert _status(decide(request, Record(size=0, root=EMPTY_ROOT), KEYS)) == 422


def test_the_same_size_with_another_root_is_422() -> None:
    forked = _request(8, 8, root=root_of(FORK[:8]))
    assert _status(decide(forked, _record(8), KEYS)) == 422


def test_the_same_size_with_a_proof_is_422() -> None:
    assert _status(decide(replace(_request(8, 8), proof=(bytes(32),)), _record(8), KEYS)) == 422


def test_an_empty_tree_with_a_root_is_422() -> None:
    assert _status(decide(_request(0, 0, root=mth(0, 1)), None, KEYS)) == 422


def test_a_forked_history_is_never_cosigned() -> None:
    def read(level: int, index: int) -> bytes:
        return root_of(FORK[index << level : (index + 1) << level])

    for old in range(4, 20):
        for size in range(old, 21):
            request = replace(
                _request(old, size, root=root_of(FORK[:size])), proof=tuple(consistency_proof(old, size, read))
            )
            assert _status(decide(request, _record(old), KEYS)) == 422


def test_a_rolled_back_log_is_not_cosigned() -> None:
    for size in range(8):
        for old in range(9):
            request = replace(_request(0, size), old_size=old, proof=())
            assert _status(decide(request, _record(8), KEYS)) in {400, 409}


def test_a_refusal_has_a_body_people_can_read() -> None:
    refused = decide(_request(0, 5), None, {})
    assert isinstance(refused, Refused)
    assert (refused.content_type, refused.body) == ("text/plain; charset=utf-8", b"unknown log ledger.example/log\n")


HASH = encode_base64(bytes(32))
NOTE = "ledger.example/log\n8\n" + HASH + "\n\n— a AAAAAAA=\n"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "\n",
        "old 5\n",
        f"old 5\n{NOTE}",
        f"\nold 5\n\n{NOTE}",
        f"old  5\n\n{NOTE}",
        f"old 05\n\n{NOTE}",
        f"old -5\n\n{NOTE}",
        f"old 5 \n\n{NOTE}",
        f"old\n\n{NOTE}",
        f"5\n\n{NOTE}",
        f"Old 5\n\n{NOTE}",
        f"old 5\r\n\r\n{NOTE}",
        f"old 9223372036854775808\n\n{NOTE}",
        f"old 5\n{b64encode(bytes(31)).decode()}\n\n{NOTE}",
        f"old 5\n{HASH} \n\n{NOTE}",
        f"old 5\n{HASH[:-2]}B=\n\n{NOTE}",
        "old 5\n" + f"{HASH}\n" * 64 + f"\n{NOTE}",
        f"old 5\n\n{NOTE}"[:-1],
        f"old 5\n\n{'x' * 2_000_000}\n",
    ],
)
def test_a_malformed_request_is_refused(body: str) -> None:
    with pytest.raises(MalformedError):
        AddCheckpoint.parse(body.encode())


def test_a_request_may_have_63_hashes() -> None:
    request = AddCheckpoint.parse(("old 5\n" + f"{HASH}\n" * 63 + f"\n{NOTE}").encode())
    assert request.proof == (bytes(32),) * 63
    assert request.claimed().origin == ORIGIN


def test_a_witnesss_lines_join_the_checkpoint() -> None:
    cosigners = [ed25519_cosigner("w.example"), ml_dsa_cosigner("w.example")]
    signatures = tuple(cosigner.sign(_checkpoint(8), time_s=1_700_000_000) for cosigner in cosigners)
    answer = read_answer(200, "text/plain; charset=utf-8", encode_signatures(signatures))
    assert answer == Cosigned(signatures=signatures)


def test_a_409_with_a_size_says_from_where_to_try_again() -> None:
    assert read_answer(409, "text/x.tlog.size", b"5\n") == TryFrom(size=5)
    assert read_answer(409, "Text/X.Tlog.Size; charset=utf-8", b"5\n") == TryFrom(size=5)


@pytest.mark.parametrize(
    ("status", "content_type", "body"),
    [
        (409, "text/plain", b"5\n"),
        (409, "", b""),
        (409, "text/x.tlog.size", b""),
        (409, "text/x.tlog.size", b"05\n"),
        (409, "text/x.tlog.size", b"5"),
        (409, "text/x.tlog.size", b"5\n6\n"),
        (409, "text/x.tlog.size", b"\xff\n"),
        (422, "text/plain", b"consistency of the tree\n"),
    ],
)
def test_a_witness_that_knows_another_history_is_an_alarm(status: int, content_type: str, body: bytes) -> None:
    answer = read_answer(status, content_type, body)
    assert isinstance(answer, Declined)
    assert answer.is_alarm


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b""), (200, b"<html>\n"), (403, b"\xff"), (404, b""), (429, b""), (500, b"oops"), (503, b"")],
)
def test_any_other_answer_is_no_cosignature_and_no_alarm(status: int, body: bytes) -> None:
    answer = read_answer(status, "text/plain", body)
    assert isinstance(answer, Declined)
    assert not answer.is_alarm


def test_what_a_witness_refuses_its_log_understands() -> None:
    conflict = decide(_request(4, 8), _record(5), KEYS)
    forked = decide(_request(8, 8, root=root_of(FORK[:8])), _record(8), KEYS)
    assert isinstance(conflict, Refused)
    assert isinstance(forked, Refused)
    assert read_answer(conflict.status, conflict.content_type, conflict.body) == TryFrom(size=5)
    declined = read_answer(forked.status, forked.content_type, forked.body)
    assert declined == Declined(status=422, reason=forked.reason[:200])


def test_monitors_find_a_log_by_the_hash_of_its_origin() -> None:
    assert (
        monitoring_path("ledger.example/log")
        == "bdc1ad3be5123bf026497b9767b37359fe3392f9749493f2b22c7b481ff13201/checkpoint"
    )


def _checkpoint(size: int, root: bytes | None = None) -> Checkpoint:
    return Checkpoint(origin=ORIGIN, size=size, root=root or mth(0, size))


def _record(size: int) -> Record:
    return Record(size=size, root=mth(0, size))


def _request(old: int, size: int, root: bytes | None = None) -> AddCheckpoint:
    checkpoint = _checkpoint(size, root)
    proof = consistency_proof(old, size, nodes(size)) if old <= size else []
    return AddCheckpoint(old_size=old, proof=tuple(proof), checkpoint=checkpoint.signed([LOG.sign(checkpoint.text)]))


def _status(decision: Accepted | Refused) -> int:
    return decision.status if isinstance(decision, Refused) else 200
