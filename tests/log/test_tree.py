"""The tree against its definition, against published vectors and against forged proofs."""

from base64 import b64decode
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.log.errors import MalformedError, ProofError
from ledger.log.tree import (
    EMPTY_ROOT,
    Frontier,
    ReadNode,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_at,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from tests.support.foreign import foreign
from tests.support.merkle import LEAVES, entry, flip, mth, nodes, path
from tests.support.vectors import cases

EDGE_SIZES = [0, 1, 2, 3, 255, 256, 257, 65_535, 65_536, 65_537, 70_000]
SIZES = st.integers(1, 3000)


def test_the_hashes_are_those_of_the_reference_tree() -> None:
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    leaves = [leaf_hash(bytes.fromhex(text)) for text in inputs]
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert leaves[0].hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert root_of(leaves[:2]) == node_hash(*leaves[:2])
    assert root_of(leaves[:2]).hex() == "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
    assert root_of(leaves).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def test_the_published_inclusion_cases_are_answered_as_wanted() -> None:
    published = cases("merkle-inclusion.json")
    assert len(published) == 98
    assert [case["case"] for case in published if _refuses_inclusion(case) != case["wantErr"]] == []


def test_the_published_consistency_cases_are_answered_as_wanted() -> None:
    published = cases("merkle-consistency.json")
    assert len(published) == 98
    assert [case["case"] for case in published if _refuses_consistency(case) != case["wantErr"]] == []


@pytest.mark.parametrize("size", EDGE_SIZES)
def test_frontier_quick_root_and_definition_agree(size: int) -> None:
    frontier = Frontier()
    frontier.extend(LEAVES[:size])
    assert frontier.size == size
    assert frontier.root() == root_of(LEAVES[:size]) == root_at(size, nodes(size)) == mth(0, size)


def test_the_frontier_has_the_right_root_after_each_append() -> None:
    frontier = Frontier()
    for size in range(600):
        assert frontier.root() == root_of(LEAVES[:size]) == mth(0, size)
        frontier.append(LEAVES[size])


@given(st.integers(0, 3000), st.integers(0, 300))
def test_a_frontier_grows_on_from_what_was_kept_of_it(size: int, more: int) -> None:
    read_back = Frontier.at(size, nodes(size))
    stored = Frontier.from_bytes(read_back.to_bytes())
    trial = stored.copy()
    trial.extend(LEAVES[size : size + more])
    assert trial.root() == mth(0, size + more)
    assert stored.size == size
    assert stored.root() == mth(0, size)


def test_a_frontier_is_kept_as_its_size_and_its_peaks() -> None:
    frontier = Frontier()
    frontier.extend(LEAVES[:5])
    assert frontier.to_bytes() == (5).to_bytes(8) + mth(0, 4) + LEAVES[4]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        (1).to_bytes(8),
        (1).to_bytes(8) + bytes(31),
        (1).to_bytes(8) + bytes(64),
        (3).to_bytes(8) + bytes(32),
        (2**63).to_bytes(8) + bytes(32),
    ],
)
def test_a_frontier_with_other_hashes_than_its_size_needs_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        Frontier.from_bytes(data)


@given(st.data())
def test_an_inclusion_proof_is_the_path_of_the_standard_and_verifies(data: st.DataObject) -> None:
    size = data.draw(SIZES)
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, nodes(size))
    assert proof == path(index, 0, size)
    verify_inclusion(index, size, LEAVES[index], proof, mth(0, size))


@given(st.data())
def test_a_consistency_proof_verifies(data: st.DataObject) -> None:
    size2 = data.draw(SIZES)
    size1 = data.draw(st.integers(1, size2))
    proof = consistency_proof(size1, size2, nodes(size2))
    verify_consistency(size1, size2, mth(0, size1), mth(0, size2), proof)


def test_every_proof_of_every_small_tree_verifies() -> None:
    for size in range(1, 34):
        for index in range(size):
            proof = inclusion_proof(index, size, nodes(size))
            verify_inclusion(index, size, LEAVES[index], proof, mth(0, size))
            verify_consistency(
                index + 1, size, mth(0, index + 1), mth(0, size), consistency_proof(index + 1, size, nodes(size))
            )


@pytest.mark.parametrize("size", EDGE_SIZES[1:])
def test_proofs_verify_at_the_edges_of_tiles(size: int) -> None:
    root = mth(0, size)
    for index in {0, 1, 254, 255, 256, 65_534, 65_535, 65_536, size // 2, size - 2, size - 1}:
        if 0 <= index < size:
            verify_inclusion(index, size, LEAVES[index], inclusion_proof(index, size, nodes(size)), root)
            proof = consistency_proof(index + 1, size, nodes(size))
            verify_consistency(index + 1, size, mth(0, index + 1), root, proof)


def test_a_proof_reads_few_nodes_of_a_large_tree() -> None:
    asked = []

    def read(level: int, index: int) -> bytes:
        asked.append((level, index))
        return bytes(32)

    size = 2**62 - 1  # the raggedest tree there is
    assert len(inclusion_proof(2**61, size, read)) <= 63
    assert len(consistency_proof(2**61 + 1, size, read)) <= 63
    assert len(asked) <= 4 * 63


def test_a_proof_of_what_is_not_in_the_tree_is_not_made() -> None:
    for index, size in [(0, 0), (5, 5), (-1, 5)]:
        with pytest.raises(ValueError, match="no leaf"):
            inclusion_proof(index, size, nodes(size))
    with pytest.raises(ValueError, match="cannot have grown"):
        consistency_proof(6, 5, nodes(5))


def test_from_the_empty_tree_and_to_itself_there_is_nothing_to_prove() -> None:
    assert consistency_proof(0, 5, nodes(5)) == []
    assert consistency_proof(5, 5, nodes(5)) == []


def test_consistency_with_the_empty_tree_is_no_evidence() -> None:
    for size in (0, 5):
        with pytest.raises(ProofError, match=f"expected a first size of 1 to {size}, found 0"):
            verify_consistency(0, size, EMPTY_ROOT, mth(0, size), [])


@given(st.data())
def test_a_flipped_bit_anywhere_in_an_inclusion_proof_is_refused(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 3000))
    index = data.draw(st.integers(0, size - 1))
    bit = data.draw(st.integers(0, 255))
    proof, leaf, root = inclusion_proof(index, size, nodes(size)), LEAVES[index], mth(0, size)
    at = data.draw(st.integers(0, len(proof) - 1))
    flipped = [*proof[:at], flip(proof[at], bit), *proof[at + 1 :]]
    for forged in (
        (index, size, leaf, flipped, root),
        (index, size, flip(leaf, bit), proof, root),
        (index, size, leaf, proof, flip(root, bit)),
        (index ^ 1 << bit % 64, size, leaf, proof, root),
    ):
        with pytest.raises(ProofError):
            verify_inclusion(*forged)


@given(st.data())
def test_a_flipped_bit_anywhere_in_a_consistency_proof_is_refused(data: st.DataObject) -> None:
    size2 = data.draw(st.integers(2, 3000))
    size1 = data.draw(st.integers(1, size2 - 1))
    bit = data.draw(st.integers(0, 255))
    proof, root1, root2 = consistency_proof(size1, size2, nodes(size2)), mth(0, size1), mth(0, size2)
    at = data.draw(st.integers(0, len(proof) - 1))
    flipped = [*proof[:at], flip(proof[at], bit), *proof[at + 1 :]]
    for forged in (
        (size1, size2, root1, root2, flipped),
        (size1, size2, flip(root1, bit), root2, proof),
        (size1, size2, root1, flip(root2, bit), proof),
    ):
        with pytest.raises(ProofError):
            verify_consistency(*forged)


@pytest.mark.parametrize("size", range(1, 20))
def test_a_leaf_verifies_at_its_own_index_only(size: int) -> None:
    for index, claimed in product(range(size), range(2 * size)):
        proof = inclusion_proof(index, size, nodes(size))
        if claimed != index:
            with pytest.raises(ProofError):
                verify_inclusion(claimed, size, LEAVES[index], proof, mth(0, size))


def test_a_leaf_beyond_the_size_is_refused_even_with_the_path_of_a_larger_tree() -> None:
    verify_inclusion(1, 2, LEAVES[1], [LEAVES[0]], mth(0, 2))
    with pytest.raises(ProofError, match="expected an index below 1, found 1"):
        verify_inclusion(1, 1, LEAVES[1], [LEAVES[0]], mth(0, 2))


def test_an_inner_node_passed_off_as_an_entry_is_refused() -> None:
    size = 8
    pair = LEAVES[2] + LEAVES[3]
    proof = inclusion_proof(2, size, nodes(size))[1:]
    with pytest.raises(ProofError):
        verify_inclusion(1, 4, leaf_hash(pair), proof, mth(0, size))


def test_a_shortened_and_a_lengthened_path_are_refused_for_their_length() -> None:
    proof = inclusion_proof(2, 8, nodes(8))
    for forged in (proof[:-1], proof[1:], [*proof, bytes(32)], []):
        with pytest.raises(ProofError, match="expected 3 hashes, found"):
            verify_inclusion(2, 8, LEAVES[2], forged, mth(0, 8))


def test_a_path_of_joined_hashes_is_refused_for_their_size() -> None:
    proof = inclusion_proof(2, 8, nodes(8))
    with pytest.raises(ProofError, match="expected 32 bytes in hash 1 of the proof, found 31"):
        verify_inclusion(2, 8, LEAVES[2], [proof[0], proof[1][:31], proof[1][31:] + proof[2]], mth(0, 8))


def test_a_history_rewritten_under_the_old_root_is_refused() -> None:
    rewritten = [*LEAVES[:3], leaf_hash(b"another gift"), *LEAVES[4:9]]
    read = _reader(rewritten)
    proof = consistency_proof(5, 9, read)
    with pytest.raises(ProofError, match="first root"):
        verify_consistency(5, 9, mth(0, 5), root_of(rewritten), proof)
    with pytest.raises(ProofError, match=r"first root|second root"):
        verify_consistency(5, 9, mth(0, 5), root_of(rewritten), consistency_proof(5, 9, nodes(9)))


def test_another_tree_of_the_same_size_is_refused() -> None:
    with pytest.raises(ProofError, match=f"expected root {mth(0, 5).hex()}, found {mth(1, 6).hex()}"):
        verify_consistency(5, 5, mth(0, 5), mth(1, 6), [])


def test_a_shrunken_log_is_refused() -> None:
    with pytest.raises(ProofError, match="expected a first size of 1 to 4, found 5"):
        verify_consistency(5, 4, mth(0, 5), mth(0, 4), [])


def test_a_failed_proof_says_what_was_expected_and_found() -> None:
    with pytest.raises(ProofError) as raised:
        verify_inclusion(2, 8, LEAVES[3], inclusion_proof(2, 8, nodes(8)), mth(0, 8))
    assert raised.value.claim == "inclusion of leaf 2 in the tree of size 8"
    assert raised.value.expected == f"root {mth(0, 8).hex()}"
    assert str(raised.value) == f"{raised.value.claim}: expected {raised.value.expected}, found {raised.value.found}"


def test_a_foreign_tree_has_the_same_roots_and_paths() -> None:
    pymerkle = foreign("pymerkle", "pymerkle")
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for size in range(1, 301):
        tree.append_entry(entry(size - 1))
        assert tree.get_root() == root_of(LEAVES[:size])
    for size, index in [(1, 0), (2, 1), (7, 3), (256, 255), (257, 256), (300, 150)]:
        theirs = tree.prove_inclusion(index + 1, size).path  # it counts from one, and begins with the leaf
        assert theirs[0] == LEAVES[index]
        assert theirs[1:] == inclusion_proof(index, size, nodes(size))


def _refuses_inclusion(case: dict[str, Any]) -> bool:
    proof = [b64decode(text) for text in case["proof"] or []]
    leaf, root = b64decode(case["leafHash"]), b64decode(case["root"])
    try:
        verify_inclusion(case["leafIdx"], case["treeSize"], leaf, proof, root)
    except ProofError:
        return True
    return False


def _refuses_consistency(case: dict[str, Any]) -> bool:
    proof = [b64decode(text) for text in case["proof"] or []]
    root1, root2 = b64decode(case["root1"]), b64decode(case["root2"])
    try:
        verify_consistency(case["size1"], case["size2"], root1, root2, proof)
    except ProofError:
        return True
    return False


def _reader(leaves: list[bytes]) -> ReadNode:
    return lambda level, index: root_of(leaves[index << level : (index + 1) << level])
