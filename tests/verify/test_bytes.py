"""The log as bytes: whatever is changed, dropped, added or moved, some named check sees it."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from ledger import entries
from ledger.log.key import VerifierKey
from ledger.log.policy import Log, Policy
from ledger.log.tile import FULL_WIDTH, Bundle, Tile, grow
from ledger.log.tree import leaf_hash, root_of
from ledger.verify.finding import Findings
from ledger.verify.regrown import Regrown
from ledger.verify.report import Report
from ledger.verify.rule import Rule
from ledger.verify.source import Directory
from ledger.verify.verifier import verify
from tests.support.foreign import foreign
from tests.support.merkle import LEAVES, flip, mth
from tests.support.society import gift
from tests.support.vectors import vectors
from tests.verify.export import POLICY, Memory, export, nothing, read, sealed
from tests.verify.forgeries.registry import free

EDGES = [0, 1, 2, 255, 256, 257, 65_535, 65_536, 65_537, 70_000]
SAMPLES = 40
"""Bits turned in each file."""


@pytest.fixture(scope="module")
def written() -> list[bytes]:
    """A log of two full tiles and a bit."""
    pen = free()
    for i in range(2 * FULL_WIDTH + 60 - len(pen.written)):
        pen.write(gift(i % 9 + 1))
    return pen.written


@pytest.fixture(scope="module")
def log(written: list[bytes]) -> Memory:
    return export(written)


def check(log: Memory) -> Report:
    return verify(log, policy=POLICY, meaning=False)


def rules(log: Memory) -> list[Rule]:
    return [each.rule for each in check(log).findings]


def changed(log: Memory, path: str, data: bytes | None) -> Memory:
    files = dict(log.files)
    if data is None:
        del files[path]
    else:
        files[path] = data
    return Memory(files)


def test_an_honest_log_holds(log: Memory, written: list[bytes]) -> None:
    report = verify(log, policy=POLICY)
    assert report.exit_code == 0
    assert report.hashed == report.replayed == report.size == len(written)
    assert report.root == root_of(map(leaf_hash, written)).hex()


def test_foreign_tools_agree(log: Memory, written: list[bytes], tmp_path: Path) -> None:
    report = check(log)
    tree = foreign("pymerkle", "pymerkle").InmemoryTree(algorithm="sha256")
    for each in written:
        tree.append_entry(each)
    assert tree.get_root().hex() == report.root
    canonical = foreign("rfc8785", "rfc8785").dumps
    assert all(canonical(msgspec.json.decode(each)) == each for each in written[:80])
    log.write(tmp_path)
    backend, reader = (foreign(f"tlog_scales.{name}", "tlog-scales") for name in ("backend", "reader"))
    theirs = reader.TilesReader(backend.LocalBackend(tmp_path))
    assert theirs.get_checkpoint().size == report.size
    assert theirs.calculate_root_hash().hex() == report.root


def test_a_foreign_log_holds_as_bytes_but_for_its_entries() -> None:
    """Its entries are not ours to read; its tiles, root and signature are."""
    folder = vectors("tessera-log")
    policy = Policy(logs=(Log(key=VerifierKey.parse((folder / "vkey.txt").read_text().strip())),))
    report = verify(Directory(folder), policy=policy, meaning=False)
    assert report.signed_by
    assert report.hashed == report.size > 0
    assert set(report.counts) == {Rule.CANONICAL}


def test_every_turned_bit_is_seen(log: Memory) -> None:
    for path, data in log.files.items():
        bits = len(data) * 8
        for bit in {*range(0, bits, max(bits // SAMPLES, 1)), *range(16), bits - 1}:
            report = check(changed(log, path, flip(data, bit)))
            assert report.exit_code == 1, f"{path}: bit {bit}"
            seen = set(report.counts)
            if path == "checkpoint":
                assert seen & {Rule.CHECKPOINT_FORM, Rule.CHECKPOINT_SIGNATURE}
            elif path.startswith("tile/entries/"):
                assert seen & {Rule.BUNDLE_FORM, Rule.TILE_HASH}
            else:
                assert seen == {Rule.TILE_HASH}


def test_every_bit_of_a_checkpoint_counts(log: Memory) -> None:
    data = log.files["checkpoint"]
    for bit in range(len(data) * 8):
        assert verify(changed(log, "checkpoint", flip(data, bit)), policy=POLICY, meaning=False).exit_code == 1


def test_a_wrong_hash_is_named_with_its_entry(log: Memory, written: list[bytes]) -> None:
    path = Tile(level=0, index=1).path
    data = flip(log.files[path], (7 * 32 + 3) * 8)
    (finding,) = check(changed(log, path, data)).findings
    assert (finding.rule, finding.seq) == (Rule.TILE_HASH, 256 + 7)
    assert leaf_hash(written[256 + 7]).hex() in finding.expected
    assert finding.found == data[7 * 32 : 8 * 32].hex()


def test_one_changed_letter_is_named_with_its_entry(log: Memory, written: list[bytes]) -> None:
    path = Bundle(index=1).path
    entry = written[300]
    bad = entry.replace(b'"channel":"wechat"', b'"channel":"weibo!"')
    assert bad != entry
    report = check(changed(log, path, log.files[path].replace(entry, bad)))
    assert {(each.rule, each.seq) for each in report.findings} == {
        (Rule.TILE_HASH, 300),
        (Rule.PREV_CHAIN, 301),
        (Rule.TILE_HASH, 256),
        (Rule.CHECKPOINT_ROOT, -1),
    }


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("tile/0/001", Rule.TILE_MISSING),
        ("tile/0/002.p/60", Rule.TILE_MISSING),
        ("tile/1/000.p/2", Rule.TILE_MISSING),
        ("tile/entries/001", Rule.BUNDLE_MISSING),
        ("tile/entries/002.p/60", Rule.BUNDLE_MISSING),
    ],
)
def test_a_missing_file_is_named(log: Memory, path: str, rule: Rule) -> None:
    report = verify(changed(log, path, None), policy=POLICY)
    assert [each.rule for each in report.findings] == [rule]
    assert report.findings[0].expected == path
    if rule is Rule.BUNDLE_MISSING:
        assert report.hashed == report.replayed == Bundle(index=int(path[13:16])).span.start
    else:
        assert report.replayed == report.size


def test_a_bundle_cut_short_is_malformed(log: Memory) -> None:
    path = "tile/entries/001"
    for data in (log.files[path][:-1], log.files[path] + b"\0", b""):
        report = verify(changed(log, path, data), policy=POLICY)
        assert report.findings[0].rule is Rule.BUNDLE_FORM
        assert report.replayed == 256, "nothing after what cannot be read is judged"
        assert Rule.CHECKPOINT_ROOT not in report.counts, "the hashes it should have are compared all the same"


def test_a_tile_of_the_wrong_length_is_seen(log: Memory) -> None:
    for path in ("tile/0/001", "tile/1/000.p/2"):
        for data in (log.files[path][:-1], log.files[path] + bytes(32), b""):
            assert rules(changed(log, path, data)) == [Rule.TILE_HASH]


@pytest.mark.parametrize("renumbered", [False, True])
def test_an_entry_deleted_in_the_middle_is_seen(written: list[bytes], renumbered: bool) -> None:  # noqa: FBT001
    log = read(written)
    del log[100]
    if renumbered:
        for seq, value in enumerate(log):
            value["seq"] = seq
    report = verify(export(sealed(log)), policy=POLICY)
    first = report.findings[0]
    assert (first.seq, first.rule) == (100, Rule.LINE_TILED if renumbered else Rule.SEQ_DENSE)


def test_an_entry_deleted_without_mending_the_chain_is_seen(written: list[bytes]) -> None:
    found = rules(export(written[:100] + written[101:]))
    assert found[:2] == [Rule.SEQ_DENSE, Rule.PREV_CHAIN]


@pytest.mark.parametrize("cut", [1, 256, 257])
def test_the_chain_is_checked_across_bundles_and_stretches(written: list[bytes], cut: int) -> None:
    log = read(written)
    log[cut]["prev"] = "0" * 64
    mended = sealed(log)  # would be honest
    log[cut]["prev"] = "0" * 64
    broken = [*mended[:cut], entries.canonical(log[cut]), *mended[cut + 1 :]]
    after = [each.seq for each in check(export(broken)).findings if each.rule is Rule.PREV_CHAIN]
    assert after == [cut, cut + 1]


def test_an_inserted_entry_is_seen(written: list[bytes]) -> None:
    log = read(written)
    log.insert(100, dict(log[100]))
    assert rules(export(sealed(log)))[0] is Rule.SEQ_DENSE


def test_two_entries_in_the_wrong_order_are_seen(written: list[bytes]) -> None:
    log = read(written)
    log[100], log[101] = log[101], log[100]
    assert rules(export(sealed(log))) == [Rule.SEQ_DENSE, Rule.SEQ_DENSE]


def test_two_swapped_amounts_are_seen(written: list[bytes]) -> None:
    log = read(written)
    one, other = log[100]["postings"][0], log[101]["postings"][0]
    one[4], other[4] = other[4], one[4]
    report = verify(export(sealed(log)), policy=POLICY)
    assert [each.rule for each in report.findings] == [Rule.LINE_TILED, Rule.LINE_TILED]


NOT_CANONICAL: dict[str, Callable[[bytes], bytes]] = {
    "a blank": lambda each: each.replace(b'"v":1', b'"v": 1'),
    "a newline at the end": lambda each: each + b"\n",
    "keys in another order": lambda each: each.replace(b'"seq":200,"v":1', b'"v":1,"seq":200'),
    "a key twice": lambda each: each.replace(b'"v":1', b'"v":1,"v":1'),
    "an escaped letter": lambda each: each.replace(b'"wechat"', b'"\\u0077echat"'),
    "a float": lambda each: each.replace(b'"v":1', b'"v":1.0'),
    "an exponent": lambda each: each.replace(b'"v":1', b'"v":1e0'),
    "a null": lambda each: each.replace(b'"v":1', b'"v":null'),
    "a large integer": lambda each: each.replace(b'"v":1', b'"v":9007199254740993'),
    "minus nought": lambda each: each.replace(b'"v":1', b'"v":-0'),
    "a byte order mark": lambda each: b"\xef\xbb\xbf" + each,
    "bytes that are no UTF-8": lambda each: each.replace(b"wechat", b"\xff\xfe"),
    "half a character": lambda each: each.replace(b"wechat", b"\\ud800"),
    "a key that is not ASCII": lambda each: each.replace(b'"v":1', '"v":1,"值":1'.encode()),
    "an array": lambda _: b"[]",
    "nothing": lambda _: b"",
    "deep nesting": lambda each: each.replace(b'"v":1', b'"v":' + b"[" * 5_000 + b"]" * 5_000),
}


@pytest.mark.parametrize("name", NOT_CANONICAL)
def test_what_is_not_canonical_is_named(written: list[bytes], name: str) -> None:
    bad = NOT_CANONICAL[name](written[200])
    assert bad != written[200]
    report = check(export([*written[:200], bad, *written[201:]]))
    assert (report.findings[0].seq, report.findings[0].rule) == (200, Rule.CANONICAL)
    assert set(report.counts) <= {Rule.CANONICAL, Rule.PREV_CHAIN, Rule.SEQ_DENSE}


@pytest.mark.parametrize("size", EDGES)
def test_the_tree_is_grown_again_at_every_size(size: int) -> None:
    files = {tile.path: data for tile, data in grow(0, LEAVES[:size], nothing)}
    findings = Findings()
    regrown = Regrown(Memory(files), findings)
    for start in range(0, size, FULL_WIDTH):
        leaves = LEAVES[start : min(start + FULL_WIDTH, size)]
        if len(leaves) == FULL_WIDTH:
            regrown.add_tile(root_of(leaves))
        else:
            regrown.add_leaves(leaves)
    assert regrown.finish() == mth(0, size)
    assert not findings.listed


def test_wrong_tiles_high_up_are_named_with_their_first_entry() -> None:
    size = 70_000
    files = {tile.path: data for tile, data in grow(0, LEAVES[:size], nothing)}
    for tile, hash_index, seq in (
        (Tile(level=1, index=0), 3, 3 * 256),
        (Tile(level=1, index=1, width=17), 16, 65_536 + 16 * 256),
        (Tile(level=2, index=0, width=1), 0, 0),
    ):
        findings = Findings()
        bad = Memory(files | {tile.path: flip(files[tile.path], hash_index * 256)})
        regrown = Regrown(bad, findings)
        for start in range(0, size - FULL_WIDTH + 1, FULL_WIDTH):
            regrown.add_tile(root_of(LEAVES[start : start + FULL_WIDTH]))
        regrown.add_leaves(LEAVES[size - size % FULL_WIDTH : size])
        assert regrown.finish() == mth(0, size)
        (finding,) = findings.listed
        assert (finding.rule, finding.seq) == (Rule.TILE_HASH, seq)


def test_other_processes_find_the_same(written: list[bytes]) -> None:
    bad = read(written)
    bad[300]["prev"] = "f" * 64
    log = export([*map(entries.canonical, bad)])
    here, there = (verify(log, policy=POLICY, processes=processes) for processes in (0, 1))
    assert here.counts == there.counts
    assert here.findings == there.findings
    assert here.exit_code == 1


def test_an_empty_log_holds() -> None:
    report = verify(export([]), policy=POLICY)
    assert (report.exit_code, report.size, report.root) == (0, 0, sha256(b"").hexdigest())
