"""Copies of a log: what is in the folder was checked, whoever served it and whenever it was cut off."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ledger.cli import app
from ledger.log.policy import Policy
from ledger.log.tile import Bundle, Tile, parse_path
from ledger.verify.finding import WHOLE_LOG
from ledger.verify.replica import Copied, copy
from ledger.verify.rule import Rule
from ledger.verify.source import Copyable, Directory, SourceError
from ledger.verify.verifier import verify
from tests.support.keys import log_signer
from tests.support.merkle import flip
from tests.verify.export import ORIGIN, POLICY, SIGNER, Memory, export, signed

SIZES = [0, 1, 2, 255, 256, 257, 511, 512, 513, 700]
LARGE = [65_535, 65_536, 65_537, 70_000]


def entries(count: int, salt: str = "") -> list[bytes]:
    """A copy knows bytes and no meaning."""
    return [f"entry {i}{salt}".encode() for i in range(count)]


def copied(source: Copyable, folder: Path) -> Copied:
    return copy(source, folder, policy=POLICY)


def served(folder: Path) -> set[str]:
    """The files that a web server would hand out."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def assert_true(folder: Path, log: Memory) -> None:
    """Whatever is in the folder is the log's."""
    for path in served(folder):
        assert (folder / path).read_bytes() == log.files[path], path


@pytest.mark.parametrize("size", SIZES)
def test_a_copy_is_the_log_byte_by_byte(size: int, tmp_path: Path) -> None:
    log = export(entries(size))
    said = copied(log, tmp_path)
    assert (said.findings, said.trouble, said.size, said.fetched) == ((), "", size, size)
    assert said.signed_by == str(SIGNER.key)
    assert served(tmp_path) == {*log.files}
    assert_true(tmp_path, log)


def test_a_copy_of_a_tree_of_three_levels_and_of_its_neighbours_grows_into_the_next(tmp_path: Path) -> None:
    written = entries(LARGE[-1])
    for size in LARGE:
        log = export(written[:size])
        assert copied(log, tmp_path).findings == ()
        assert {*log.files} <= served(tmp_path)
        for path in log.files:
            assert (tmp_path / path).read_bytes() == log.files[path], path
        assert verify(Directory(tmp_path), policy=POLICY, meaning=False, processes=0).counts.keys() <= {
            Rule.CANONICAL, Rule.SEQ_DENSE, Rule.PREV_CHAIN,
        }, "these entries mean nothing, but are where they belong"  # fmt: skip


@pytest.mark.parametrize("old", [0, 1, 255, 256, 257, 512, 700])
def test_a_second_run_fetches_what_is_new(old: int, tmp_path: Path) -> None:
    written = entries(700)
    copied(export(written[:old]), tmp_path)
    log = export(written)
    said = copied(log, tmp_path)
    assert (said.findings, said.size) == ((), 700)
    assert said.fetched == 700 - old // 256 * 256 if old < 700 else said.fetched == 0
    assert (tmp_path / "checkpoint").read_bytes() == log.checkpoint()
    for path in log.files:
        assert (tmp_path / path).read_bytes() == log.files[path], path


class Counting(Memory):
    """Ends, as a process does that is killed, after so many files."""

    left = 10**9

    def _read(self, path: str) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise SourceError("killed")
        return super()._read(path)


@pytest.mark.parametrize("after", [1, 2, 3, 4, 5, 7])
def test_a_copy_that_was_cut_off_serves_the_old_checkpoint_and_goes_on(after: int, tmp_path: Path) -> None:
    written = entries(1_500)
    old, new = export(written[:300]), Counting(export(written).files)
    copied(old, tmp_path)
    new.left = after
    assert copied(new, tmp_path).trouble == "killed"
    assert (tmp_path / "checkpoint").read_bytes() == old.checkpoint()
    assert_true(tmp_path, Memory(new.files | old.files))
    before = {path for path in served(tmp_path) if path.startswith("tile/entries")}
    new.left = 10**9
    said = copied(new, tmp_path)
    assert (said.size, said.findings) == (1_500, ())
    kept = [path for path in before if ".p/" not in path and parse_path(path) != Bundle(index=0)]
    assert said.fetched == 1_500 - 256 * (1 + len(kept))


def test_what_was_left_behind_broken_is_fetched_again(tmp_path: Path) -> None:
    log = Counting(export(entries(1_500)).files)
    bundles: list[str] = []
    for log.left in range(8, 14):  # which files come first is left to threads
        copied(log, tmp_path)
        bundles = [path for path in sorted(served(tmp_path)) if path.startswith("tile/entries")]
        if len(bundles) > 1:
            break
    assert len(bundles) > 1
    (tmp_path / bundles[0]).write_bytes(b"")
    (tmp_path / Tile(level=0, index=1).path).write_bytes(bytes(8192))
    log.left = 10**9
    assert copied(log, tmp_path).findings == ()
    assert_true(tmp_path, log)


LIES: dict[str, tuple[Callable[[dict[str, bytes]], None], int, Rule]] = {
    "an entry changed": (lambda files: change(files, "tile/entries/001", 300), 256, Rule.TILE_HASH),
    "a bundle cut": (lambda files: change(files, "tile/entries/001", 300, cut=True), 256, Rule.BUNDLE_FORM),
    "an unfinished bundle changed": (lambda files: change(files, "tile/entries/002.p/188", 9), 512, Rule.TILE_HASH),
    "an unfinished tile changed": (lambda files: change(files, "tile/0/002.p/188", 9), WHOLE_LOG, Rule.CHECKPOINT_ROOT),
    "a tile above changed": (lambda files: change(files, "tile/1/000.p/2", 9), WHOLE_LOG, Rule.CHECKPOINT_ROOT),
    "a tile above cut": (lambda files: change(files, "tile/1/000.p/2", 9, cut=True), 0, Rule.TILE_HASH),
    "a checkpoint by somebody else": (
        lambda files: files.update(checkpoint=signed(700, bytes(32), signer=log_signer("other.example/log"))),
        WHOLE_LOG,
        Rule.CHECKPOINT_SIGNATURE,
    ),
    "no checkpoint at all": (lambda files: files.update(checkpoint=b"hello\n"), WHOLE_LOG, Rule.CHECKPOINT_FORM),
}


def change(files: dict[str, bytes], path: str, at: int, *, cut: bool = False) -> None:
    data = files[path]
    files[path] = data[:-1] if cut else data[:at] + flip(data[at : at + 1], 1) + data[at + 1 :]


@pytest.mark.parametrize("name", LIES)
@pytest.mark.parametrize("old", [None, 300])
def test_a_lie_is_named_and_never_served(name: str, old: int | None, tmp_path: Path) -> None:
    written = entries(700)
    true = export(written)
    before = export(written[:300])
    if old is not None:
        copied(before, tmp_path)
    lie, seq, rule = LIES[name]
    files = dict(true.files)
    lie(files)
    said = copied(Memory(files), tmp_path)
    (found,) = said.findings
    growth = (WHOLE_LOG, Rule.CHECKPOINT_CONSISTENT)
    assert (found.seq, found.rule) in ([(seq, rule)] if old is None else [(seq, rule), growth])
    assert (tmp_path / "checkpoint").exists() is (old is not None)
    assert_true(tmp_path, Memory(true.files | (before.files if old is not None else {})))
    assert copied(true, tmp_path).size == 700, "and the next run with a true source mends it"


@pytest.mark.parametrize("past", ["another history", "a longer one", "another log"])
def test_a_log_that_does_not_continue_the_folder_is_refused(past: str, tmp_path: Path) -> None:
    now = export(entries(500))
    then = {
        "another history": export(entries(300, " otherwise")),
        "a longer one": export(entries(600)),
        "another log": export(entries(300), origin="other.example/log"),
    }[past]
    copy(then, tmp_path, policy=None)
    held = {path: (tmp_path / path).read_bytes() for path in served(tmp_path)}
    said = copied(now, tmp_path)
    assert [(each.seq, each.rule) for each in said.findings] == [(WHOLE_LOG, Rule.CHECKPOINT_CONSISTENT)]
    assert {path: (tmp_path / path).read_bytes() for path in served(tmp_path)} == held


def with_keys(log: Memory) -> Memory:
    """What a site serves beside its log."""
    retired = f"# signs no more: {log_signer('other.example/log').key}\n"
    keys = {"vkey": f"{SIGNER.key}\n".encode(), "policy": (retired + POLICY.encode()).encode()}
    return Memory(log.files | keys)


def test_keys_and_policy_are_copied_with_the_log_and_renewed_with_it(tmp_path: Path) -> None:
    written = entries(300)
    log = with_keys(export(written[:200]))
    assert copied(log, tmp_path).findings == ()
    assert served(tmp_path) == {*log.files}
    assert_true(tmp_path, log)
    second = log_signer("second.example/log")
    log = with_keys(export(written))
    log.files["vkey"] += f"{second.key}\n".encode()
    assert copied(log, tmp_path).findings == ()
    assert (tmp_path / "vkey").read_bytes() == log.files["vkey"]


WRONG_KEYS = {
    "a vkey that did not sign": {"vkey": f"{log_signer('other.example/log').key}\n".encode()},
    "a vkey that is none": {"vkey": b"hello\n"},
    "no vkey in the file": {"vkey": b""},
    "a policy of another log": {"policy": b"quorum none\n"},
    "a policy that is none": {"policy": b"\xff"},
}


@pytest.mark.parametrize("name", WRONG_KEYS)
@pytest.mark.parametrize("policy", [POLICY, None])
def test_keys_that_do_not_fit_the_checkpoint_are_named_and_never_served(
    name: str, policy: Policy | None, tmp_path: Path
) -> None:
    log = Memory(with_keys(export(entries(9))).files | WRONG_KEYS[name])
    said = copy(log, tmp_path, policy=policy)
    ((found,), (path,)) = (said.findings, WRONG_KEYS[name])
    assert (found.seq, found.rule) == (WHOLE_LOG, Rule.CHECKPOINT_SIGNATURE)
    assert f"{path}: " in found.expected
    assert not {"vkey", "policy", "checkpoint"} & served(tmp_path)


def test_a_copy_is_not_believed_for_the_key_that_lies_in_it(tmp_path: Path) -> None:
    with_keys(export(entries(9))).write(tmp_path / "site")
    CliRunner().invoke(app, ["mirror", str(tmp_path / "site"), str(tmp_path / "copy")])
    assert (tmp_path / "copy" / "vkey").read_text() == f"{SIGNER.key}\n"
    said = CliRunner().invoke(app, ["verify", str(tmp_path / "copy"), "--bytes-only"]).stdout
    assert "not checked: no key given" in said
    assert str(SIGNER.key) not in said
    # Named by somebody, the very same file is a policy like any other.
    policy = ["--policy", str(tmp_path / "copy" / "policy")]
    assert (
        str(SIGNER.key) in CliRunner().invoke(app, ["verify", str(tmp_path / "copy"), "--bytes-only", *policy]).stdout
    )


def test_a_source_without_a_file_is_no_finding_and_no_checkpoint(tmp_path: Path) -> None:
    files = {path: data for path, data in export(entries(700)).files.items() if path != "tile/entries/001"}
    said = copied(Memory(files), tmp_path)
    assert (said.findings, said.trouble) == ((), "tile/entries/001")
    assert not (tmp_path / "checkpoint").exists()


def test_two_copies_into_one_folder_do_not_meet(tmp_path: Path) -> None:
    class Meeting(Memory):
        def checkpoint(self) -> bytes:
            self.met = copied(export(entries(9)), tmp_path)
            return super().checkpoint()

    log = Meeting(export(entries(10)).files)
    assert copied(log, tmp_path).size == 10
    assert "another copy" in log.met.trouble


def test_the_command_copies_a_folder_and_says_so(tmp_path: Path) -> None:
    written = entries(300)
    export(written).write(tmp_path / "site")
    arguments = ["mirror", str(tmp_path / "site"), str(tmp_path / "copy"), "--key", str(SIGNER.key)]
    result = CliRunner().invoke(app, arguments)
    assert (result.exit_code, "300" in result.stdout) == (0, True), result.output
    assert (tmp_path / "copy" / "checkpoint").stat().st_mode & 0o777 == 0o644
    export(entries(400, " otherwise")).write(tmp_path / "site")
    result = CliRunner().invoke(app, arguments)
    assert (result.exit_code, "checkpoint-consistent" in result.stdout) == (1, True)
    arguments[1] = str(tmp_path / "nowhere")
    assert CliRunner().invoke(app, arguments).exit_code == 2


def test_kill_9_in_the_middle_leaves_nothing_false_behind(tmp_path: Path) -> None:
    written = entries(5_000)
    log = export(written)
    log.write(tmp_path / "site")
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from ledger.verify import replica\n"
        "from ledger.verify.source import Directory\n"
        "def tell(done, size):\n"
        "    if done > 2000: os.kill(os.getpid(), signal.SIGKILL)\n"
        "replica.copy(Directory(Path(sys.argv[1])), Path(sys.argv[2]), policy=None, progress=tell)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "site", tmp_path / "copy"], env={**os.environ}, check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert not (tmp_path / "copy" / "checkpoint").exists()
    assert len(served(tmp_path / "copy")) > 10
    said = copied(log, tmp_path / "copy")
    assert (said.size, said.findings) == (5_000, ())
    assert said.fetched < 5_000
    assert_true(tmp_path / "copy", log)
    assert ORIGIN in (tmp_path / "copy" / "checkpoint").read_text()
