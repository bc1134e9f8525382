"""The witness's file: what it cosigned it remembers, whatever dies, and never contradicts."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from ledger.log.cosignature import cosigned_at_s, verifier_of
from ledger.log.key import VerifierKey
from ledger.log.note import Ed25519Verifier, Signature, open_note, parse_note
from ledger.log.tree import leaf_hash, root_of
from ledger.log.witness import Refused, monitoring_path
from ledger.witness.datafile import DataFile, DataFileError
from tests.support.keys import ORIGIN
from tests.support.merkle import LEAVES
from tests.support.witness import LOG, request, signed

NAME = "audit.example/witness"
KEYS = {ORIGIN: [Ed25519Verifier(LOG.key)]}
LOG_ID = monitoring_path(ORIGIN).partition("/")[0]
NOW = 1_800_000_000
OTHER_ROOT = root_of([*LEAVES[:4], leaf_hash(b"another gift"), *LEAVES[5:8]])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "witness.db"


@pytest.fixture
def file(path: Path) -> Iterator[DataFile]:
    with closing(DataFile(path, name=NAME)) as opened:
        yield opened


def status(answer: tuple[Signature, ...] | Refused) -> int:
    return answer.status if isinstance(answer, Refused) else 200


def test_it_is_for_its_owners_eyes_and_keeps_its_key(path: Path) -> None:
    with closing(DataFile(path, name=NAME)) as first:
        vkeys = first.vkeys
    assert stat.filemode(path.stat().st_mode) == "-rw-------"
    with closing(DataFile(path)) as again:
        assert (again.name, again.vkeys) == (NAME, vkeys)


def test_a_passphrase_encrypts_the_keys(path: Path) -> None:
    DataFile(path, name=NAME, passphrase=b"only for this test").close()
    assert b"ENCRYPTED PRIVATE KEY" in path.read_bytes()
    for wrong in (b"", b"another"):
        with pytest.raises(DataFileError, match="do not open with this passphrase"):
            DataFile(path, passphrase=wrong)
    DataFile(path, passphrase=b"only for this test").close()


def test_what_is_no_witnesss_file_is_refused(path: Path, tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="--name"):
        DataFile(path)
    assert not path.exists()
    with pytest.raises(DataFileError, match="no space and no plus"):
        DataFile(path, name="a b")
    DataFile(tmp_path / "good.db", name=NAME).close()
    with pytest.raises(DataFileError, match="another one needs a file of its own"):
        DataFile(tmp_path / "good.db", name="other.example/witness")
    (tmp_path / "good.db").chmod(0o644)
    with pytest.raises(DataFileError, match="chmod 600"):
        DataFile(tmp_path / "good.db")
    with closing(sqlite3.connect(tmp_path / "foreign.db")) as foreign:
        foreign.execute("create table x (y)")
    (tmp_path / "foreign.db").chmod(0o600)
    with pytest.raises(DataFileError, match="no witness's file"):
        DataFile(tmp_path / "foreign.db", name=NAME)
    (tmp_path / "text.db").write_text("hello" * 1000)
    (tmp_path / "text.db").chmod(0o600)
    with pytest.raises(DataFileError, match="not a database"):
        DataFile(tmp_path / "text.db", name=NAME)


def test_a_file_whose_making_was_interrupted_is_made_anew(path: Path) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    with pytest.raises(DataFileError, match="--name"):
        DataFile(path)
    DataFile(path, name=NAME).close()


def test_a_cosignature_verifies_and_is_shown_to_monitors(file: DataFile) -> None:
    (signature,) = _cosigned(file.add(request(0, 8), KEYS, time_s=NOW))
    shown = file.latest(LOG_ID)
    assert shown is not None
    (vkey,) = file.vkeys
    verifiers = [*KEYS[ORIGIN], verifier_of(VerifierKey.parse(vkey))]
    assert open_note(shown, verifiers).signatures[1] == signature
    assert len(parse_note(shown).signatures) == 2
    assert cosigned_at_s(signature) == NOW
    assert file.latest("0" * 64) is None


def test_lines_of_strangers_are_not_shown_to_monitors(file: DataFile) -> None:
    stranger = Signature("stranger.example", b"1234", bytes(64)).encode()
    asked = request(0, 8)
    padded = type(asked)(old_size=0, proof=(), checkpoint=asked.checkpoint + stranger)
    assert status(file.add(padded, KEYS, time_s=NOW)) == 200
    assert b"stranger" not in (file.latest(LOG_ID) or b"stranger")


def test_an_ml_dsa_key_is_made_once_and_cosigns_beside_the_other(path: Path) -> None:
    with closing(DataFile(path, name=NAME)) as plain:
        (ed25519,) = plain.vkeys
    with closing(DataFile(path, ml_dsa=True)) as both:
        first, second = both.vkeys
        assert first == ed25519
        signatures = _cosigned(both.add(request(0, 8), KEYS, time_s=NOW))
        for signature, vkey in zip(signatures, (first, second), strict=True):
            verifier_of(VerifierKey.parse(vkey)).verify(parse_note(signed(8)).text, signature.payload)
    with closing(DataFile(path)) as still:
        assert still.vkeys == [first, second]


def test_it_remembers_across_a_restart(path: Path) -> None:
    with closing(DataFile(path, name=NAME)) as file:
        assert status(file.add(request(0, 8), KEYS, time_s=NOW)) == 200
    with closing(DataFile(path)) as file:
        refused = file.add(request(0, 9), KEYS, time_s=NOW)
        assert isinstance(refused, Refused)
        assert (refused.status, refused.recorded_size) == (409, 8)
        assert status(file.add(request(8, 9), KEYS, time_s=NOW)) == 200


def test_another_history_is_refused_and_kept_as_evidence(file: DataFile) -> None:
    file.add(request(0, 8), KEYS, time_s=NOW)
    forked = request(8, 8, OTHER_ROOT)
    assert [status(file.add(forked, KEYS, time_s=NOW)) for _ in range(3)] == [422] * 3
    assert file.evidence(ORIGIN) == [signed(8, OTHER_ROOT)]
    assert status(file.add(request(8, 9), KEYS, time_s=NOW)) == 200


def test_of_two_at_once_only_one_grows_from_the_same_size(path: Path) -> None:
    """Two processes with the file open, eight threads each: as if the lock in one process were not there."""
    with closing(DataFile(path, name=NAME)) as one, closing(DataFile(path)) as other, ThreadPoolExecutor(16) as threads:
        one.add(request(0, 1), KEYS, time_s=NOW)
        size = 1
        for _ in range(20):
            asked = [request(size, size + 1 + i) for i in range(16)]
            answers = list(
                threads.map(lambda i, all_=asked: (one, other)[i % 2].add(all_[i], KEYS, time_s=NOW), range(16))
            )
            won = [i for i, answer in enumerate(answers) if status(answer) == 200]
            assert len(won) == 1
            assert {status(answer) for answer in answers} == {200, 409}
            size += 1 + won[0]


def test_the_file_itself_refuses_to_go_back(file: DataFile, path: Path) -> None:
    file.add(request(0, 8), KEYS, time_s=NOW)
    with closing(sqlite3.connect(path)) as connection:
        for change in ("size = 7", "root = zeroblob(32)"):
            with pytest.raises(sqlite3.IntegrityError, match="never goes back"):
                connection.execute(f"update cosigned set {change}")


def test_a_file_that_cannot_be_written_stops_it_for_good(file: DataFile) -> None:
    file.add(request(0, 8), KEYS, time_s=NOW)
    file._connection.execute("pragma query_only = on")
    assert status(file.add(request(8, 9), KEYS, time_s=NOW)) == 503
    file._connection.execute("pragma query_only = off")
    assert status(file.add(request(8, 9), KEYS, time_s=NOW)) == 503
    assert "start the witness again" in file.stopped


def _cosigned(answer: tuple[Signature, ...] | Refused) -> tuple[Signature, ...]:
    assert not isinstance(answer, Refused), answer
    return answer
