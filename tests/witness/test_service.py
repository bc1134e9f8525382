"""`sunledger witness` over HTTP, in a process of its own: every status of c2sp.org/tlog-witness, and its death."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from ledger.log.checkpoint import Checkpoint
from ledger.log.cosignature import verifier_of
from ledger.log.note import Ed25519Verifier, encode_signatures, open_note, parse_signatures
from ledger.log.tree import leaf_hash, root_of
from ledger.log.witness import MAX_REQUEST_BYTES, monitoring_path
from ledger.settings import Settings
from tests.support.foreign import foreign
from tests.support.keys import ORIGIN, log_signer
from tests.support.merkle import LEAVES
from tests.support.program import environment, free_port, run
from tests.support.witness import LOG, VKEY, Serving, request, signed, witness

OTHER_ROOT = root_of([*LEAVES[:4], leaf_hash(b"another gift"), *LEAVES[5:8]])


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    with witness(tmp_path, "w", VKEY) as started:
        yield started


def test_every_answer_of_the_specification(serving: Serving) -> None:
    answer = serving.add(request(0, 8))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    note = signed(8) + encode_signatures(parse_signatures(answer.content))
    open_note(note, [verifier_of(serving.keys[0])])
    assert serving.add(request(8, 8)).status_code == 200

    conflict = serving.add(request(0, 9))
    assert (conflict.status_code, conflict.headers["content-type"], conflict.text) == (409, "text/x.tlog.size", "8\n")
    stranger = log_signer("stranger.example/log")
    theirs = Checkpoint(origin="stranger.example/log", size=8, root=bytes(32))
    assert serving.add(b"old 0\n\n" + theirs.signed([stranger.sign(theirs.text)])).status_code == 404
    ours = Checkpoint(origin=ORIGIN, size=9, root=bytes(32))
    assert serving.add(b"old 8\n\n" + ours.signed([stranger.sign(ours.text)])).status_code == 403
    assert serving.add(request(9, 8)).status_code == 400
    for malformed in (b"", b"hello", b"old 08\n\n" + signed(8), b"\xff", b"old 8\n\nhello\n"):
        assert serving.add(malformed).status_code == 400
    assert serving.add(b"old 8\n\n" + signed(9)).status_code == 422
    assert serving.add(request(8, 8, OTHER_ROOT)).status_code == 422
    assert serving.add(b"x" * (MAX_REQUEST_BYTES + 1)).status_code == 413
    assert httpx.get(f"{serving.url}/add-checkpoint").status_code == 405


def test_monitors_and_policies_are_served(serving: Serving) -> None:
    path = f"{serving.url}/{monitoring_path(ORIGIN)}"
    assert httpx.get(path).status_code == 404
    serving.add(request(0, 5))
    serving.add(request(5, 8))
    answer = httpx.get(path)
    assert answer.headers["access-control-allow-origin"] == "*"
    note = open_note(answer.content, [Ed25519Verifier(LOG.key), verifier_of(serving.keys[0])])
    assert Checkpoint.parse(note.text).size == 8
    assert len(note.signatures) == 2
    assert httpx.get(f"{serving.url}/vkey").text == f"{serving.keys[0]}\n"
    assert httpx.get(f"{serving.url}/{'z' * 64}/checkpoint").status_code == 404


def test_a_foreign_verifier_accepts_both_of_its_cosignatures(tmp_path: Path) -> None:
    tlog, signing = foreign("tlog_scales.tlog", "tlog-scales"), foreign("tlog_scales.signing", "tlog-scales")
    with witness(tmp_path, "w", VKEY, more=("--ml-dsa",)) as serving:
        note = signed(8) + serving.add(request(0, 8)).content
    ours = [LOG.key, *serving.keys]
    theirs = tlog.Checkpoint.from_text(note.decode())
    verified = signing.VkeySet(*(signing.Vkey.from_string(str(key)) for key in ours)).verify(theirs.signatures, theirs)
    assert len(verified) == len(ours) == 3


def test_killed_at_any_moment_it_contradicts_nothing_it_said(tmp_path: Path) -> None:
    """Clients race while the process is killed; what was answered must stand in what the next one remembers."""
    port, size = free_port(), 0
    for _ in range(4):
        with witness(tmp_path, "w", VKEY, port=port) as serving, ThreadPoolExecutor(4) as clients:
            assert _recorded(serving) >= size, "an answered cosignature was forgotten"
            size = _recorded(serving)
            racing = [clients.submit(_grow, serving, size) for _ in range(4)]
            serving.running.until(lambda s=serving, n=size: _recorded(s) > n + 5, "it cosigned something")  # type: ignore[misc]
            serving.running.kill()
            answered = [each.result() for each in racing]
            size = max(size, *answered)
    with witness(tmp_path, "w", VKEY, port=port) as serving:
        assert _recorded(serving) >= size
        assert serving.add(request(_recorded(serving), 60_000)).status_code == 200


def test_expected_trouble_is_a_sentence(tmp_path: Path) -> None:
    variables = environment(Settings())
    missing = run(variables, "witness", tmp_path / "none.db", "--log", VKEY)
    assert (missing.code, missing.err.count("\n")) == (1, 1)
    assert "--name" in missing.err
    no_log = run(variables, "witness", tmp_path / "w.db", "--name", "w.example")
    assert no_log.code == 2
    assert "at least one log" in no_log.err
    no_key = run(variables, "witness", tmp_path / "w.db", "--name", "w.example", "--log", "nonsense")
    assert no_key.code == 2
    assert "Traceback" not in missing.err + no_log.err + no_key.err


def _recorded(serving: Serving) -> int:
    """What it shows monitors."""
    answer = httpx.get(f"{serving.url}/{monitoring_path(ORIGIN)}")
    return Checkpoint.parse(answer.content.partition(b"\n\n")[0] + b"\n").size if answer.is_success else 0


def _grow(serving: Serving, size: int) -> int:
    """Hand in larger and larger trees until the witness is gone; the largest it cosigned for us."""
    best = 0
    with httpx.Client() as client:
        while True:
            try:
                answer = client.post(f"{serving.url}/add-checkpoint", content=request(size, size + 1).encode())
            except httpx.TransportError:
                return best
            if answer.status_code == 200:
                best = size = size + 1
            else:
                assert answer.status_code == 409
                size = int(answer.text)
