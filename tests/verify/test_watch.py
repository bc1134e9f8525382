"""A watchdog's visits: what it keeps, and each thing it has to raise the alarm for."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.log.policy import Policy, Witness
from ledger.log.witness import AddCheckpoint
from ledger.settings import Settings
from ledger.verify.kept import KeptCheckpoint
from ledger.verify.source import SourceError
from ledger.verify.watch import Visit, visit
from tests.support.keys import ed25519_cosigner, log_signer
from tests.support.merkle import flip
from tests.support.oddity import Answer, answering, serving
from tests.support.program import environment, free_port, run, running
from tests.support.society import gift
from tests.support.witness import witness
from tests.verify.export import ORIGIN, POLICY, SIGNER, Memory, export, forged
from tests.verify.forgeries.registry import free

NOW_S = 1_800_000_000.0
DAY_S = 86_400.0
COSIGNER = ed25519_cosigner("auditor.example/w1")
WITNESSED = replace(POLICY, witnesses=(Witness(name="w1", key=COSIGNER.key, url="http://w.example"),), quorum="w1")


@pytest.fixture(scope="module")
def written() -> list[bytes]:
    pen = free()
    for i in range(600 - len(pen.written)):
        pen.write(gift(i % 9 + 1))
    return pen.written


@pytest.fixture(scope="module")
def rewritten(written: list[bytes]) -> list[bytes]:
    """The same log with one gift of long ago made out to another donor, and everything after it made to fit."""
    return forged(written, 100, lambda value: value["body"].update(donor="0" * 64))


@pytest.fixture
def kept(tmp_path: Path) -> KeptCheckpoint:
    return KeptCheckpoint(tmp_path / "kept")


def look(
    source: Memory,
    kept: KeptCheckpoint,
    *,
    policy: Policy = POLICY,
    now_s: float = NOW_S,
    seen: dict[str, bytes] | None = None,
) -> Visit:
    return visit(
        source, name="memory", policy=policy, kept=kept, seen_by_witnesses=seen or {}, silence_s=DAY_S, now_s=now_s
    )


def kinds(made: Visit) -> list[str]:
    return [alarm.kind for alarm in made.alarms]


def test_a_growing_log_is_followed(written: list[bytes], kept: KeptCheckpoint) -> None:
    for size, at_s in [(100, NOW_S), (255, NOW_S + 5), (256, NOW_S + 10), (256, NOW_S + 15), (600, NOW_S + 20)]:
        source = export(written[:size])
        made = look(source, kept, now_s=at_s)
        assert (made.exit_code, made.size, made.is_first) == (0, size, size == 100)
        assert kept.read() == source.checkpoint()
    assert kept.since_s() == NOW_S + 20


def test_another_history_is_an_alarm_and_is_kept_as_evidence(
    written: list[bytes], rewritten: list[bytes], kept: KeptCheckpoint
) -> None:
    look(export(written[:300]), kept)
    for size in (300, 301, 600):
        source = export(rewritten[:size])
        made = look(source, kept)
        assert (made.exit_code, kinds(made)) == (1, ["checkpoint-consistent"])
        assert Path(made.evidence).read_bytes() == source.checkpoint()
    assert kept.read() == export(written[:300]).checkpoint()
    assert look(export(written), kept).exit_code == 0


def test_a_log_that_went_back_is_an_alarm(written: list[bytes], kept: KeptCheckpoint) -> None:
    look(export(written[:300]), kept)
    assert kinds(look(export(written[:299]), kept)) == ["checkpoint-consistent"]


def test_a_wrong_tile_cannot_hide_another_history(written: list[bytes], kept: KeptCheckpoint) -> None:
    look(export(written[:300]), kept)
    source = export(written)
    tile = "tile/0/001"
    assert kinds(look(Memory({**source.files, tile: flip(source.files[tile], 3)}), kept)) == ["checkpoint-consistent"]


def test_another_key_is_an_alarm_at_the_first_visit_too(written: list[bytes], kept: KeptCheckpoint) -> None:
    made = look(export(written, signer=log_signer("another.example/log"), origin="another.example/log"), kept)
    assert (made.exit_code, kinds(made), kept.read()) == (1, ["checkpoint-signature"], None)


def test_silence_is_an_alarm_whether_the_log_answers_or_not(written: list[bytes], kept: KeptCheckpoint) -> None:
    look(export(written), kept)
    assert look(export(written), kept, now_s=NOW_S + DAY_S).exit_code == 0
    assert kinds(look(export(written), kept, now_s=NOW_S + DAY_S + 1)) == ["silence"]
    made = look(Gone({}), kept, now_s=NOW_S + DAY_S)
    assert (made.exit_code, made.trouble) == (2, "no answer")
    assert kinds(look(Gone({}), kept, now_s=NOW_S + DAY_S + 1)) == ["silence"]


def test_missing_cosignatures_are_an_alarm(written: list[bytes], kept: KeptCheckpoint) -> None:
    assert kinds(look(export(written), kept, policy=WITNESSED)) == ["checkpoint-quorum"]
    assert look(export(written, cosigners=[COSIGNER], time_s=1), kept, policy=WITNESSED).exit_code == 0


def test_a_newer_cosignature_of_the_same_checkpoint_is_a_sign_of_life(
    written: list[bytes], kept: KeptCheckpoint
) -> None:
    first, second = (export(written, cosigners=[COSIGNER], time_s=time_s) for time_s in (10, 11))
    for source, at_s in [(first, NOW_S), (second, NOW_S + DAY_S), (second, NOW_S + 2 * DAY_S)]:
        assert look(source, kept, policy=WITNESSED, now_s=at_s).exit_code == 0
    assert kinds(look(second, kept, policy=WITNESSED, now_s=NOW_S + 2 * DAY_S + 1)) == ["silence"]


def test_what_a_witness_saw_counts_too(written: list[bytes], rewritten: list[bytes], kept: KeptCheckpoint) -> None:
    """At a first visit nothing is kept: only what others saw tells that this is a history made for us."""
    ours, theirs = export(rewritten), export(written[:300], cosigners=[COSIGNER])
    made = look(ours, kept, seen={"w1": theirs.checkpoint()})
    assert (made.exit_code, kinds(made), kept.read()) == (1, ["checkpoint-consistent"], None)
    assert look(export(written), kept, seen={"w1": theirs.checkpoint(), "w2": b"nonsense"}).exit_code == 0


def test_a_kept_file_that_was_spoilt_is_an_alarm(written: list[bytes], tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("hello")
    assert look(export(written), KeptCheckpoint(tmp_path / "kept")).exit_code == 1
    assert (tmp_path / "kept").read_text() == "hello"


class Gone(Memory):
    """A log that does not answer."""

    def checkpoint(self) -> bytes:
        raise SourceError("no answer")


# --- the command, a witness and web servers, each a process or a socket of its own ---


@pytest.fixture
def told() -> Iterator[tuple[str, list[dict[str, object]]]]:
    """A webhook, and what it was told."""
    posts: list[dict[str, object]] = []

    def take(body: bytes) -> Answer:
        posts.append(json.loads(body))
        return 200, "text/plain", b"thank you\n"

    with answering(take) as url:
        yield url, posts


def test_two_audiences_shown_two_histories_find_out(
    written: list[bytes], rewritten: list[bytes], tmp_path: Path, told: tuple[str, list[dict[str, object]]]
) -> None:
    """Both logs begin alike, then hold another gift. The one audience's log is cosigned by a witness."""
    webhook, posts = told
    variables = environment(Settings())
    log = ("--key", str(SIGNER.key))
    for name, entries in (("one", written), ("other", rewritten)):
        export(entries).write(tmp_path / name)
    with serving(tmp_path / "one") as one, serving(tmp_path / "other") as other:
        watch = ("monitor", "--kept", tmp_path / "kept", *log, "--webhook", webhook)
        first = run(variables, *watch, one)
        assert (first.code, posts) == (0, []), first.err
        assert "first visit" in first.out
        second = run(variables, *watch, other)
        assert second.code == 1
        assert "ALARM checkpoint-consistent" in second.out
        (post,) = posts
        assert (post["verdict"], post["origin"], post["size"]) == ("alarm", ORIGIN, len(written))

        with witness(tmp_path, "w", str(SIGNER.key)) as serving_witness:
            assert serving_witness.add(_asked(written)).status_code == 200
            assert serving_witness.add(_asked(rewritten, old=len(written))).status_code == 422, "no fork is cosigned"
            policy = tmp_path / "policy"
            policy.write_text(f"log {SIGNER.key}\n{serving_witness.line}\nquorum none\n")
            ask = ("monitor", "--policy", policy, "--ask-witnesses", "--kept")
            assert run(variables, *ask, tmp_path / "kept by a", one).code == 0
            late = run(variables, *ask, tmp_path / "kept by b", "--json", other)
            assert (late.code, json.loads(late.out)["alarms"][0]["kind"]) == (1, "checkpoint-consistent")
            assert not (tmp_path / "kept by b").exists()


def test_going_on_it_tells_the_webhook_when_an_alarm_begins_and_when_it_ends(
    written: list[bytes], rewritten: list[bytes], tmp_path: Path, told: tuple[str, list[dict[str, object]]]
) -> None:
    webhook, posts = told
    good, bad = export(written), export(rewritten)
    good.write(tmp_path / "site")
    arguments = ("--key", str(SIGNER.key), "--kept", tmp_path / "kept", "--every", 1, "--webhook", webhook)
    with (
        serving(tmp_path / "site") as url,
        running(environment(Settings()), "monitor", tmp_path, url, *arguments) as it,
    ):
        it.until(lambda: it.text.count(" good ") >= 2, "two visits were made")
        assert not posts
        bad.write(tmp_path / "site")
        it.until(lambda: len(posts) == 1 and it.text.count("ALARM") >= 3, "the alarm goes on")
        good.write(tmp_path / "site")
        it.until(lambda: len(posts) > 1, "it is over")
        assert it.interrupt() == 0
    assert [post["verdict"] for post in posts] == ["alarm", "good"]


def test_what_cannot_be_looked_at_is_code_2(tmp_path: Path) -> None:
    variables = environment(Settings())
    watch = (
        "monitor",
        "--key",
        str(SIGNER.key),
        "--kept",
        tmp_path / "kept",
        "--webhook",
        f"http://127.0.0.1:{free_port()}",
    )
    gone = run(variables, *watch, f"http://127.0.0.1:{free_port()}")
    assert gone.code == 2
    assert "the webhook was not told" in gone.err
    (tmp_path / "kept").mkdir()
    assert run(variables, *watch, "http://127.0.0.1:1").code == 2
    assert run(variables, "monitor", "--kept", tmp_path / "kept", "http://127.0.0.1:1").code == 2
    assert "Traceback" not in gone.err


def _asked(written: list[bytes], old: int = 0) -> AddCheckpoint:
    return AddCheckpoint(old_size=old, proof=(), checkpoint=export(written).checkpoint())
