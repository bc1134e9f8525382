"""Tiles against their definition, against a foreign log, and read by a foreign reader."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.log.checkpoint import Checkpoint, open_checkpoint
from ledger.log.errors import MalformedError
from ledger.log.key import VerifierKey
from ledger.log.note import Ed25519Verifier
from ledger.log.tile import (
    Bundle,
    ReadTile,
    Tile,
    decode_bundle,
    encode_bundle,
    grow,
    locate,
    new_bundles,
    new_tiles,
    node_reader,
    parse_path,
    split_hashes,
    tiles_read,
)
from ledger.log.tree import consistency_proof, inclusion_proof, leaf_hash, root_at, root_of, verify_inclusion
from tests.support.foreign import foreign
from tests.support.keys import ORIGIN, log_signer
from tests.support.merkle import LEAVES, entry, mth, nodes
from tests.support.vectors import vectors

EDGE_SIZES = [1, 2, 255, 256, 257, 65_535, 65_536, 65_537, 70_000]

PATHS = {
    "tile/0/000": Tile(level=0, index=0),
    "tile/0/000.p/1": Tile(level=0, index=0, width=1),
    "tile/1/999.p/255": Tile(level=1, index=999, width=255),
    "tile/63/x001/000": Tile(level=63, index=1000),
    "tile/0/x001/x234/067": Tile(level=0, index=1_234_067),
    "tile/0/x001/x234/067.p/8": Tile(level=0, index=1_234_067, width=8),
    "tile/entries/x001/x234/067": Bundle(index=1_234_067),
    "tile/entries/000.p/17": Bundle(index=0, width=17),
    "tile/0/x036/x028/x797/x018/x963/967": Tile(level=0, index=2**63 // 256 - 1),
}


@pytest.mark.parametrize(("path", "tile"), PATHS.items())
def test_a_tile_has_one_path(path: str, tile: Tile | Bundle) -> None:
    assert tile.path == path
    assert parse_path(path) == tile


@given(st.integers(0, 63), st.integers(0, 2**63 // 256 - 1), st.integers(1, 256))
def test_every_path_leads_back_to_its_tile(level: int, index: int, width: int) -> None:
    for tile in (Tile(level=level, index=index, width=width), Bundle(index=index, width=width)):
        assert parse_path(tile.path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0",
        "tile/0/",
        "/tile/0/000",
        "tile/0/000/",
        "tile/00/000",
        "tile/01/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/a/000",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/x001",
        "tile/0/001/002",
        "tile/0/x001/x002",
        "tile/0/X001/002",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/999",
        "tile/0/000.p/1/",
        "tile/0/000.p/1\n",
        "tile/0/000\n",
        "tile/0/٠٠٠",
        "tile/0/../000",
        "tile/0/x036/x028/x797/x018/x963/968",
        "tile/0/x001/x036/x028/x797/x018/x963/968",
        "tile/data/000",
        "tile/Entries/000",
        "checkpoint",
    ],
)
def test_any_other_spelling_of_a_path_is_refused(path: str) -> None:
    with pytest.raises(MalformedError):
        parse_path(path)


@pytest.mark.parametrize(
    ("level", "index", "width"), [(64, 0, 1), (-1, 0, 1), (0, -1, 1), (0, 2**55, 1), (0, 0, 0), (0, 0, 257)]
)
def test_a_tile_outside_every_tree_is_refused(level: int, index: int, width: int) -> None:
    with pytest.raises(MalformedError):
        Tile(level=level, index=index, width=width)


def test_the_tree_of_70000_has_the_tiles_of_the_specification() -> None:
    tiles = list(new_tiles(0, 70_000))
    assert sum(tile.level == 0 and tile.width == 256 for tile in tiles) == 273
    assert [tile.path for tile in tiles if tile.level > 0 or tile.width < 256] == [
        "tile/0/273.p/112",
        "tile/1/000",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
    ]
    assert len(tiles) == 277


def test_the_tree_of_256_has_one_full_tile_and_a_partial_one_above_it() -> None:
    assert [tile.path for tile in new_tiles(0, 256)] == ["tile/0/000", "tile/1/000.p/1"]
    assert [bundle.path for bundle in new_bundles(0, 256)] == ["tile/entries/000"]


def test_a_log_that_did_not_grow_has_nothing_new() -> None:
    for size in (0, 1, 255, 256, 70_000):
        assert list(new_tiles(size, size)) == []
        assert list(new_bundles(size, size)) == []


def test_growth_names_only_what_changed() -> None:
    assert [tile.path for tile in new_tiles(255, 258)] == ["tile/0/000", "tile/0/001.p/2", "tile/1/000.p/1"]
    assert [tile.path for tile in new_tiles(300, 301)] == ["tile/0/001.p/45"]
    assert [bundle.path for bundle in new_bundles(300, 513)] == ["tile/entries/001", "tile/entries/002.p/1"]
    assert next(new_bundles(255, 257)).span == range(256)


def test_a_log_never_shrinks() -> None:
    with pytest.raises(ValueError, match="cannot have grown"):
        list(new_tiles(5, 4))
    with pytest.raises(ValueError, match="cannot have grown"):
        list(new_bundles(5, 4))


@pytest.mark.parametrize("size", EDGE_SIZES)
def test_every_hash_in_every_tile_is_the_one_the_specification_names(size: int) -> None:
    tiles = _grown([size])
    assert list(tiles) == list(new_tiles(0, size))
    for tile, data in tiles.items():
        assert tile.width == 256 or tile.width == (size >> 8 * tile.level) % 256
        span = 256**tile.level
        first = tile.index * 256
        assert split_hashes(data, tile) == [mth(i * span, (i + 1) * span) for i in range(first, first + tile.width)]


@given(st.lists(st.integers(0, 900), min_size=1, max_size=8))
def test_tiles_do_not_depend_on_the_steps_a_log_grew_in(steps: list[int]) -> None:
    sizes = [sum(steps[: i + 1]) for i in range(len(steps))]
    tiles = _grown(sizes)
    for size in sizes:
        for tile in new_tiles(0, size):
            assert tiles[tile] == b"".join(nodes(size)(8 * tile.level, tile.index * 256 + i) for i in range(tile.width))


@given(st.data())
def test_proofs_from_tiles_are_those_from_the_tree(data: st.DataObject) -> None:
    size2 = data.draw(st.integers(1, 3000))
    size1 = data.draw(st.integers(1, size2))
    read = node_reader(size2, _grown([size2]).__getitem__)
    assert inclusion_proof(size1 - 1, size2, read) == inclusion_proof(size1 - 1, size2, nodes(size2))
    assert consistency_proof(size1, size2, read) == consistency_proof(size1, size2, nodes(size2))
    assert root_at(size1, read) == mth(0, size1)


@pytest.mark.parametrize("size", EDGE_SIZES)
def test_proofs_from_tiles_verify_at_their_edges(size: int) -> None:
    read = node_reader(size, _grown([size]).__getitem__)
    for index in {0, 255, 256, 65_535, 65_536, size - 1}:
        if index < size:
            verify_inclusion(index, size, LEAVES[index], inclusion_proof(index, size, read), mth(0, size))
    assert root_at(size, read) == mth(0, size)


def test_a_reader_may_cut_a_partial_tile_from_the_full_one_that_replaced_it() -> None:
    full = {(tile.level, tile.index): data for tile, data in _grown([1024]).items()}
    read = node_reader(300, lambda tile: full[tile.level, tile.index][: tile.byte_size])
    assert inclusion_proof(299, 300, read) == inclusion_proof(299, 300, nodes(300))


def test_each_tile_is_read_once_a_proof_and_known_beforehand() -> None:
    tiles, asked = _grown([70_000]), []

    def read(tile: Tile) -> bytes:
        asked.append(tile)
        return tiles[tile]

    inclusion_proof(69_999, 70_000, node_reader(70_000, read))
    assert asked == tiles_read(70_000, lambda read: inclusion_proof(69_999, 70_000, read))
    assert len(asked) == len(set(asked)) <= 4


def test_a_node_outside_the_tree_is_in_no_tile() -> None:
    assert locate(3, 31, 256) == (Tile(level=0, index=0, width=256), 248, 8)
    for level, index, size in [(3, 31, 255), (0, 5, 5), (8, 1, 256), (8, 0, 255), (0, -1, 5)]:
        with pytest.raises(ValueError, match="not complete"):
            locate(level, index, size)


def test_a_tile_of_another_length_is_refused() -> None:
    for data in (bytes(63), bytes(65), bytes(96), b""):
        with pytest.raises(MalformedError, match=f"tile/0/000.p/2: expected 64 bytes, found {len(data)}"):
            split_hashes(data, Tile(level=0, index=0, width=2))
    with pytest.raises(MalformedError):
        list(grow(2, LEAVES[2:4], lambda _: bytes(32)))


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=256))
def test_a_bundle_gives_back_its_entries(entries: list[bytes]) -> None:
    assert decode_bundle(encode_bundle(entries), Bundle(index=0, width=len(entries))) == entries


def test_a_bundle_is_lengths_and_entries() -> None:
    assert encode_bundle([b"ab", b"", b"c" * 256]) == b"\0\2ab\0\0\1\0" + b"c" * 256


def test_an_entry_is_at_most_65535_bytes() -> None:
    longest = bytes(65_535)
    assert decode_bundle(encode_bundle([longest]), Bundle(index=0, width=1)) == [longest]
    with pytest.raises(MalformedError, match="expected at most 65535 bytes, found 65536"):
        encode_bundle([bytes(65_536)])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"\0\1a",  # one entry too few
        b"\0\1a\0",  # half a length
        b"\0\1a\0\2b",  # half an entry
        b"\0\1a\0\1b\0",  # something after the last entry
        b"\0\1a\0\1b\0\0",  # one entry too many
    ],
)
def test_a_bundle_of_other_than_its_entries_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError, match=r"tile/entries/000\.p/2"):
        decode_bundle(data, Bundle(index=0, width=2))


def test_the_foreign_log_recomputes_from_its_bundles_and_tiles() -> None:
    folder = vectors("tessera-log")
    log = Ed25519Verifier(VerifierKey.parse((folder / "vkey.txt").read_text().strip()))
    checkpoints = {}
    for path in sorted(folder.glob("checkpoint.*")):
        checkpoint = open_checkpoint(path.read_bytes(), log)
        checkpoints[checkpoint.size] = checkpoint
    assert sorted(checkpoints) == list(range(16))
    assert open_checkpoint((folder / "checkpoint").read_bytes(), log) == checkpoints[15]
    for size, checkpoint in checkpoints.items():
        _check_foreign(folder, size, checkpoint)


def _check_foreign(folder: Path, size: int, checkpoint: Checkpoint) -> None:
    """Every partial tile and bundle of the size is there, and agrees with the checkpoint."""
    leaves = []
    for bundle in new_bundles(0, size):
        leaves += [leaf_hash(entry) for entry in decode_bundle((folder / bundle.path).read_bytes(), bundle)]
    tiles = dict(grow(0, leaves, _none))
    assert list(tiles) == list(new_tiles(0, size))
    for tile, data in tiles.items():
        assert data == (folder / tile.path).read_bytes()
    read = node_reader(size, lambda tile: (folder / tile.path).read_bytes())
    assert checkpoint.root == root_of(leaves) == root_at(size, read)


@pytest.mark.parametrize("sizes", [[1], [2, 255, 256, 257], [65_535, 65_536, 65_537], [70_000]])
def test_a_foreign_reader_reads_our_tiles(tmp_path: Path, sizes: list[int]) -> None:
    backend = foreign("tlog_scales.backend", "tlog-scales")
    reader = foreign("tlog_scales.reader", "tlog-scales")
    for tile, data in _grown(sizes).items():
        _write(tmp_path / tile.path, data)
    for before, size in pairwise([0, *sizes]):
        for bundle in new_bundles(before, size):
            _write(tmp_path / bundle.path, encode_bundle(map(entry, bundle.span)))
        checkpoint = Checkpoint(origin=ORIGIN, size=size, root=root_of(LEAVES[:size]))
        (tmp_path / "checkpoint").write_bytes(checkpoint.signed([log_signer().sign(checkpoint.text)]))
        theirs = reader.TilesReader(backend.LocalBackend(tmp_path))
        assert theirs.get_checkpoint().size == size
        assert theirs.calculate_root_hash() == checkpoint.root
        for index in {0, size // 2, size - 1}:
            assert theirs.get_entry(index) == entry(index)
            proof = theirs.get_inclusion_proof(index, size)
            assert proof.node_hashes == inclusion_proof(index, size, nodes(size))
            proof.check(LEAVES[index], checkpoint.root)
        if before:
            ours = consistency_proof(before, size, nodes(size))
            assert theirs.get_consistency_proof(before, size).node_hashes == ours


def _grown(sizes: list[int]) -> dict[Tile, bytes]:
    """All tiles of a log that had these sizes, one after the other."""
    tiles: dict[Tile, bytes] = {}
    read: ReadTile = tiles.__getitem__
    for before, size in pairwise([0, *sizes]):
        new = list(grow(before, LEAVES[before:size], read))
        assert [tile for tile, _ in new] == list(new_tiles(before, size))
        tiles.update(new)
    return tiles


def _none(tile: Tile) -> bytes:
    raise AssertionError(f"nothing was there before: {tile}")


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
