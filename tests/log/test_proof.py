"""Proof files: golden bytes, verification against a policy, forged receipts."""

from dataclasses import replace

import pytest

from ledger.log.checkpoint import Checkpoint
from ledger.log.encoding import encode_base64
from ledger.log.errors import MalformedError, ProofError, QuorumError, SignatureError, VerificationError
from ledger.log.policy import Policy
from ledger.log.proof import LogProof
from ledger.log.tree import inclusion_proof
from tests.support.foreign import foreign
from tests.support.keys import ORIGIN, ed25519_cosigner, log_signer, ml_dsa_cosigner
from tests.support.merkle import LEAVES, entry, flip, mth, nodes

LOG = log_signer()
W1, W2 = ed25519_cosigner("w1.example"), ed25519_cosigner("w2.example")
POLICY = Policy.parse(
    f"log {LOG.key}\nwitness w1 {W1.key} https://w1.example\nwitness w2 {W2.key} https://w2.example\n"
    "group both all w1 w2\nquorum both\n"
)
TIME_S = 1_700_000_000


def test_a_proof_file_has_golden_bytes() -> None:
    proof = _proof(2, 5)
    assert proof.encode().decode() == GOLDEN
    assert LogProof.parse(GOLDEN.encode()) == proof


def test_extra_data_stands_before_the_index() -> None:
    proof = replace(_proof(2, 5), extra=b"a salt")
    assert proof.encode().decode() == GOLDEN.replace("index 2\n", "extra YSBzYWx0\nindex 2\n")
    assert LogProof.parse(proof.encode()) == proof


def test_a_receipt_verifies_and_says_who_saw_it_when() -> None:
    witnessed = LogProof.parse(_proof(1207, 3000).encode()).verify(entry(1207), POLICY)
    assert witnessed.checkpoint == _checkpoint(3000)
    assert witnessed.cosigned_at_s == {"w1": TIME_S, "w2": TIME_S + 1}


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 65_537, 70_000])
def test_receipts_verify_at_the_edges(size: int) -> None:
    for index in {0, size // 2, size - 1}:
        _proof(index, size).verify(entry(index), POLICY)


def test_a_receipt_of_a_large_log_stays_small() -> None:
    proof = _proof(60_000, 70_000)
    assert len(proof.encode()) < 1300
    extended = replace(
        proof, checkpoint=proof.checkpoint + ml_dsa_cosigner("w3.example").sign(_checkpoint(70_000), time_s=0).encode()
    )
    assert len(extended.encode()) - len(proof.encode()) < 3400
    extended.verify(entry(60_000), POLICY)


def test_a_receipt_for_another_entry_is_refused() -> None:
    with pytest.raises(ProofError, match="inclusion of leaf 2 in the tree of size 5: expected root"):
        _proof(2, 5).verify(entry(3), POLICY)


def test_a_receipt_with_a_changed_index_is_refused() -> None:
    for index in (0, 1, 3, 4, 5, 2**62):
        with pytest.raises(ProofError):
            replace(_proof(2, 5), index=index).verify(entry(2), POLICY)


def test_a_receipt_with_the_checkpoint_of_another_size_is_refused() -> None:
    for size in (4, 6, 3000):
        with pytest.raises(ProofError):
            replace(_proof(2, 5), checkpoint=_proof(2, size).checkpoint).verify(entry(2), POLICY)


def test_a_receipt_without_its_witnesses_is_refused() -> None:
    signed = _checkpoint(5).signed([LOG.sign(_checkpoint(5).text), W1.sign(_checkpoint(5), time_s=TIME_S)])
    with pytest.raises(QuorumError):
        replace(_proof(2, 5), checkpoint=signed).verify(entry(2), POLICY)


def test_a_receipt_from_a_log_with_the_same_name_and_another_key_is_refused() -> None:
    impostor = Policy.parse(f"log {log_signer('impostor.example').key}\nquorum none\n")
    with pytest.raises(SignatureError):
        _proof(2, 5).verify(entry(2), impostor)


def test_a_flipped_bit_anywhere_in_a_receipt_is_refused() -> None:
    encoded = _proof(2, 5).encode()
    for bit in range(8 * len(encoded)):
        with pytest.raises(VerificationError):
            LogProof.parse(flip(encoded, bit)).verify(entry(2), POLICY)


def test_extra_data_is_believed_by_nobody() -> None:
    replace(_proof(2, 5), extra=b"anything").verify(entry(2), POLICY)


HASH = encode_base64(bytes(32))
NOTE = "\nledger.example/log\n1\n" + HASH + "\n\n— a AAAAAAA=\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c2sp.org/tlog-proof@v1\n",
        "c2sp.org/tlog-proof@v1\nindex 2\n",
        f"c2sp.org/tlog-proof@v1\n{NOTE}",
        f"c2sp.org/tlog-proof@v2\nindex 2\n{NOTE}",
        f"\nc2sp.org/tlog-proof@v1\nindex 2\n{NOTE}",
        f"c2sp.org/tlog-proof@v1\r\nindex 2\r\n{NOTE}",
        f"c2sp.org/tlog-proof@v1\nindex 02\n{NOTE}",
        f"c2sp.org/tlog-proof@v1\nindex -2\n{NOTE}",
        f"c2sp.org/tlog-proof@v1\nindex  2\n{NOTE}",
        f"c2sp.org/tlog-proof@v1\nindex\n{NOTE}",
        f"c2sp.org/tlog-proof@v1\n2\n{NOTE}",
        f"c2sp.org/tlog-proof@v1\nIndex 2\n{NOTE}",
        f"c2sp.org/tlog-proof@v1\nindex 2\nextra AAAA\n{NOTE}",
        f"c2sp.org/tlog-proof@v1\nextra AAAA\nextra AAAA\nindex 2\n{NOTE}",
        f"c2sp.org/tlog-proof@v1\nextra A\nindex 2\n{NOTE}",
        f"c2sp.org/tlog-proof@v1\nextra AAAA\n{NOTE}",
        f"c2sp.org/tlog-proof@v1\nindex 2\nAAAA\n{NOTE}",
        f"c2sp.org/tlog-proof@v1\nindex 2\n{HASH}x\n{NOTE}",
        f"c2sp.org/tlog-proof@v1\nindex 2\n{HASH[:-2]}B=\n{NOTE}",
        f"c2sp.org/tlog-proof@v1\nindex 2\n{(HASH + chr(10)) * 64}{NOTE}",
        f"c2sp.org/tlog-proof@v1\nindex 2\n{NOTE}"[:-1],
    ],
)
def test_a_malformed_proof_file_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        LogProof.parse(text.encode())


def test_a_proof_may_have_63_hashes() -> None:
    text = f"c2sp.org/tlog-proof@v1\nindex 2\n{(HASH + chr(10)) * 63}{NOTE}"
    assert LogProof.parse(text.encode()).hashes == (bytes(32),) * 63


def test_a_proof_file_larger_than_anybody_needs_is_refused() -> None:
    with pytest.raises(MalformedError, match="expected at most 2000000 bytes"):
        LogProof.parse(replace(_proof(2, 5), extra=bytes(2_000_000)).encode())


def test_a_foreign_tool_writes_the_same_hashes_and_its_file_verifies_here() -> None:
    tlog = foreign("tlog_scales.tlog", "tlog-scales")
    proof = _proof(1207, 3000)
    theirs = tlog.InclusionProof(1207, 3000, list(proof.hashes))
    theirs.check(LEAVES[1207], mth(0, 3000))
    checkpoint = tlog.Checkpoint.from_text(proof.checkpoint.decode())
    lines = ["c2sp.org/tlog-proof@v1", "index 1207", *map(encode_base64, theirs.node_hashes)]
    written = "\n".join(lines) + "\n\n" + checkpoint.serialize()  # as its `tlog-tiles gen-proof` prints it
    assert written.encode() == proof.encode()
    LogProof.parse(written.encode()).verify(entry(1207), POLICY)


def _checkpoint(size: int) -> Checkpoint:
    return Checkpoint(origin=ORIGIN, size=size, root=mth(0, size))


def _proof(index: int, size: int) -> LogProof:
    checkpoint = _checkpoint(size)
    signatures = [LOG.sign(checkpoint.text), W1.sign(checkpoint, time_s=TIME_S), W2.sign(checkpoint, time_s=TIME_S + 1)]
    return LogProof(
        index=index,
        hashes=tuple(inclusion_proof(index, size, nodes(size))),
        checkpoint=checkpoint.signed(signatures),
    )


GOLDEN = """\
c2sp.org/tlog-proof@v1
index 2
YcoROfaBWEHVuvLQ0tm9nf7pfImN1ve6DAqpQe5sAes=
WkdmL9ijF9lgSaP59HxV3GfKZgUbqjaD27GbL+CaB7A=
SFM123z+yWXxX/dF/GJcQdXqJkaTaTAWWCj3PdS2iFQ=

ledger.example/log
5
fKo0Xb2JKmZFTWxlEuo8PqPw0+whvj/C4jdXBf049nI=

— ledger.example/log yVRLy6ZrJx67nnbZeAsvY5097rkRObM4sKOXsu49S7qHSd8SiP6U8tkUw18cfj/DzhJSQzTHqcMvvEqnWcv1AKBRPwk=
— w1.example Q8fb9AAAAABlU/EAGCfzog9JN516+p+tWPLSIzXMEl3d1e4iXh1OvyUfBd7hDLoYvymMBz0P2EggkAh5htCH21kba7EHt/6uyGjWDQ==
— w2.example +7Xj9AAAAABlU/EBHfD4Qq/yePqL8iFDvQo1oFu3NkkqgSpvkOqMcFWlpZr5T6IdSxWM8YbtfBJQVmvS17EwCm7B1oBe+Igshc1lAA==
"""
