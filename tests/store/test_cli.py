"""The command `sunledger`, in processes of its own: what an operator types, and what she is told."""

import re
import signal
import socket
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from ledger.demo import settle
from ledger.privacy import STAFF_ID, parse_code
from ledger.settings import Settings
from ledger.store import embedded
from ledger.store.postmaster import processes
from tests.support.checklog import check_log
from tests.support.postgres import Cluster
from tests.support.program import Ended, environment, free_port, run, running

OPENING = ("init", "--origin", "ledger.example.org/log", "--operator", "衢州市红十字会")


@pytest.fixture(scope="module")
async def opened(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Ended]:
    """A log that `sunledger init` opened, on a database and roles of its own; and what it said."""
    await cluster.create_database("by_command")
    folder = tmp_path_factory.mktemp("command") / "data"
    settings = Settings(log="by_command", data_dir=folder, database_url=cluster.url("by_command"))
    return settings, run(environment(settings), *OPENING)


def told(ended: Ended) -> None:
    """It refused in one sentence of its own."""
    assert ended.code == 1, ended.err
    assert ended.out == ""
    assert ended.err.startswith("sunledger: "), ended.err
    assert ended.err.count("\n") == 1, ended.err
    assert "Traceback" not in ended.err


def modes(folder: Path) -> Iterator[tuple[Path, str]]:
    """Every file and folder of ours, and what others may do with it; PostgreSQL looks after its own."""
    for path in (folder, *folder.rglob("*")):
        if folder / "postgres" not in path.parents:
            yield path, stat.filemode(path.lstat().st_mode)


async def test_init_opens_the_log_and_prints_a_token_for_each_founder(opened: tuple[Settings, Ended]) -> None:
    settings, said = opened
    assert said.code == 0, said.err
    (one, one_token), (other, other_token) = said.lines
    assert all(STAFF_ID.fullmatch(founder) for founder in (one, other))
    assert one != other
    assert one_token != other_token
    (opening,) = await check_log(settings)
    assert opening.kind == "log.opened"
    assert sorted([one, other]) == [*opening.body.administrators]  # type: ignore[union-attr]  # the opening's


def test_what_init_made_is_for_nobody_elses_eyes(opened: tuple[Settings, Ended]) -> None:
    settings, _ = opened
    found = dict(modes(settings.data_dir))
    assert {settings.subject_keys, settings.lookup, settings.roles / "writer.password"} <= {*found}
    assert {mode for path, mode in found.items() if path.is_dir()} == {"drwx------"}
    assert {mode for path, mode in found.items() if path.is_file()} == {"-rw-------"}


def test_a_second_init_is_refused(opened: tuple[Settings, Ended]) -> None:
    settings, _ = opened
    again = run(environment(settings), *OPENING)
    told(again)
    assert "by_command is open" in again.err


def test_an_init_from_another_folder_leaves_the_log_to_its_owner(
    opened: tuple[Settings, Ended], tmp_path: Path
) -> None:
    """It would have given the roles new passwords, and shut the log's own applications out."""
    settings, _ = opened
    told(run(environment(settings, data_dir=tmp_path / "elsewhere"), *OPENING))
    assert not (tmp_path / "elsewhere" / "roles").exists()
    assert run(environment(settings), "token", "list").code == 0


def test_a_migrate_from_another_folder_changes_nobodys_password(opened: tuple[Settings, Ended], tmp_path: Path) -> None:
    settings, _ = opened
    said = run(environment(settings, data_dir=tmp_path / "elsewhere"), "migrate")
    told(said)
    assert "put the password file back" in said.err
    assert run(environment(settings), "token", "list").code == 0


def test_pseudonyms_are_drawn_at_random(opened: tuple[Settings, Ended]) -> None:
    variables = environment(opened[0])
    drawn = [run(variables, "token", "pseudonym").out.strip() for _ in range(2)]
    assert all(STAFF_ID.fullmatch(each) for each in drawn)
    assert drawn[0] != drawn[1]


def test_tokens_are_made_listed_and_revoked(opened: tuple[Settings, Ended]) -> None:
    settings, said = opened
    variables, founder = environment(settings), said.lines[0][0]
    made = run(variables, "token", "create", founder, "--label", "her phone")
    assert (made.code, len(made.lines)) == (0, 1)
    (token,) = made.lines[0]
    listed = run(variables, "token", "list")
    assert token not in listed.out
    (line,) = [words for words in listed.lines if words[4:] == ["her", "phone"]]
    assert (line[1], line[3]) == (founder, "valid")
    assert run(variables, "token", "revoke", line[0]).code == 0
    (line,) = [words for words in run(variables, "token", "list").lines if words[0] == line[0]]
    assert line[3] == "revoked"
    told(run(variables, "token", "revoke", line[0]))
    told(run(variables, "token", "create", "s-zzzzzzzzzzzzz"))


async def test_migrate_and_rebuild_say_what_they_did(opened: tuple[Settings, Ended]) -> None:
    settings, _ = opened
    migrated = run(environment(settings), "migrate")
    assert (migrated.code, migrated.err.splitlines()[-1]) == (0, "up to date")
    built = run(environment(settings), "rebuild")
    assert (built.code, built.err.splitlines()[-1]) == (0, "projections rebuilt from 1 entries")
    await check_log(settings)


def test_expected_trouble_is_a_sentence(opened: tuple[Settings, Ended], cluster: Cluster, tmp_path: Path) -> None:
    nobody = "postgresql://u@127.0.0.1:1/x"
    password = (opened[0].roles / "reader.password").read_text()
    reader = cluster.url("by_command", user="by_command_reader", password=password)
    troubles: list[tuple[dict[str, object], tuple[str, ...], str]] = [
        (
            {"database_url": "mysql://x/x", "admin_port": "x"},
            ("admin",),
            "SUNLEDGER_DATABASE_URL.*SUNLEDGER_ADMIN_PORT",
        ),
        ({"data_dir": tmp_path}, ("token", "list"), "writer.password is missing: run `sunledger init`"),
        ({"database_url": nobody}, ("rebuild",), "the database does not answer"),
        ({"database_url": nobody}, OPENING, "the database does not answer"),
        ({"database_url": cluster.url()}, ("token", "list"), "the database refuses: relation .* does not exist"),
        ({"database_url": reader}, ("migrate",), "the database refuses: permission denied( to alter role|\n)"),
    ]
    with ThreadPoolExecutor() as side_by_side:
        refused = side_by_side.map(lambda each: run(environment(opened[0], **each[0]), *each[1]), troubles)
        for ended, (_, _, sentence) in zip(refused, troubles, strict=True):
            told(ended)
            assert re.search(sentence, ended.err)


def test_an_origin_that_is_none_opens_nothing(tmp_path: Path, opened: tuple[Settings, Ended]) -> None:
    settings, _ = opened
    variables = environment(settings, log="other", data_dir=tmp_path)
    told(run(variables, "init", "--origin", "https://ledger.example.org/", "--operator", "x"))
    assert run(variables, *OPENING).code == 0, "and is no hindrance to a right one"


def test_a_lost_outside_checkpoint_is_adopted_after_a_look_elsewhere(
    opened: tuple[Settings, Ended], tmp_path: Path
) -> None:
    settings, _ = opened
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("only for this test")
    port = free_port()
    ours = environment(settings, signing_passphrase_file=passphrase, admin_port=port)
    assert run(ours, "keygen").code == 0
    told(run(ours, "keygen"))
    with running(ours, "admin", tmp_path) as admin:
        admin.until(settings.outside_checkpoint.exists, "the first checkpoint is signed")
        assert admin.interrupt(signal.SIGHUP) == 0, "its terminal was closed"
    kept = settings.outside_checkpoint.read_bytes()
    copy = tmp_path / "a witness's copy"
    copy.write_bytes(kept)
    told(run(ours, "checkpoint", "adopt", str(copy)))
    settings.outside_checkpoint.unlink()
    refused = run(ours, "admin")
    assert refused.code == 1
    assert "checkpoint adopt" in refused.err
    assert "Traceback" not in refused.err
    assert run(ours, "checkpoint", "adopt", str(copy)).code == 0
    assert settings.outside_checkpoint.read_bytes() == kept
    with running(ours, "admin", tmp_path) as admin:
        admin.until_it_answers(port)
        assert admin.interrupt() == 0


def test_the_embedded_server_is_set_up_by_init_and_stopped_again(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    said = run(environment(settings), *OPENING)
    assert said.code == 0, said.err
    assert len(said.lines) == 2
    assert not processes(settings.cluster)
    assert {mode[4:] for _, mode in modes(settings.data_dir)} == {"------"}


@pytest.fixture
def demonstrated(tmp_path: Path) -> Iterator[Settings]:
    """Settings for `sunledger demo`; whatever the test comes to, no PostgreSQL outlives it."""
    settings = Settings(data_dir=tmp_path, public_port=free_port(), admin_port=free_port())
    yield settings
    embedded.stop_left_behind(settle(settings).cluster, report=print)


def test_the_demo_runs_until_ctrl_c_and_goes_on_another_time_whatever_ended_it(
    demonstrated: Settings, tmp_path: Path
) -> None:
    settings, place = demonstrated, settle(demonstrated)
    in_use = tmp_path / "in use"
    paths = {
        "keys_dir": in_use,
        "roles_dir": in_use,
        "lookup_file": in_use / "lookup",
        "checkpoint_file": in_use / "last",
    }
    with running(environment(settings, **paths), "demo", tmp_path) as demo:
        demo.until(lambda: place.subject_keys.exists() and place.subject_keys.stat().st_size > 0, "gifts are told")
        demo.kill()
    codes: list[list[str]] = []
    for is_killed in (True, False):
        assert processes(place.cluster), "PostgreSQL outlived the demo before"
        with running(environment(settings, **paths), "demo", tmp_path) as demo:
            demo.until(lambda: "administrator sl_" in demo.text, "the demo says its tokens")
            codes.append(look_at_demo(demo.text, settings.public_port, settings.admin_port))
            paid = f"http://127.0.0.1:{settings.public_port}/api/v1/figures?measure=paid&by=channel"
            demo.until(lambda asked=paid: httpx.get(asked).is_success, "the lineage report is made")  # type: ignore[misc]
            if is_killed:
                told(busy := run(environment(settings), "demo", "--reset"))
                assert "stop the demo first" in busy.err
                demo.kill()
            else:
                assert demo.interrupt() == 0
        assert "Traceback" not in demo.text
    assert not processes(place.cluster), "no PostgreSQL is left"
    assert codes[0] == codes[1], "the data are the same"
    assert not in_use.exists(), "the log in use beside it has folders of its own"
    assert {mode[4:] for _, mode in modes(tmp_path / "demo")} == {"------"}
    left = embedded.start(place.cluster, report=print)
    assert run(environment(settings), "demo", "--reset").code == 0
    assert not processes(place.cluster), "thrown away with the data under it"
    assert not (tmp_path / "demo").exists()
    embedded.stop(left)


def look_at_demo(text: str, public_port: int, admin_port: int) -> list[str]:
    """Both addresses answer, each code is one, each token opens; the codes."""
    assert f"http://127.0.0.1:{public_port}/" in text
    assert httpx.get(f"http://127.0.0.1:{public_port}/").status_code == 200
    codes = re.findall(r"(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}", text)
    assert codes
    assert all(map(parse_code, codes))
    tokens = re.findall(r"sl_\S+", text)
    assert len(tokens) == 3
    for token in tokens:
        answer = httpx.get(f"http://127.0.0.1:{admin_port}/api/v1/whoami", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200
    return codes


def test_a_port_that_is_taken_is_a_sentence_and_leaves_nothing_running(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken: int = other.getsockname()[1]
        settings = Settings(data_dir=tmp_path, public_port=free_port(), admin_port=taken)
        refused = run(environment(settings), "demo")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.splitlines()[-1].startswith(f"sunledger: 127.0.0.1 port {taken}: ")
    assert "Traceback" not in refused.err
    assert not processes(tmp_path / "demo" / "postgres")
