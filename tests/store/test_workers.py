"""The public application in several processes: one port, one life."""

import os
import signal
import time
from pathlib import Path

import httpx
import pytest

from ledger.settings import Settings
from tests.support.postgres import Cluster
from tests.support.program import POLL_S, WAIT_S_MAX, Running, environment, free_port, run, running

OPENING = ("init", "--origin", "ledger.example.org/log", "--operator", "衢州市红十字会")


@pytest.fixture(scope="module")
async def shared(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    await cluster.create_database("shared_port")
    folder = tmp_path_factory.mktemp("workers") / "data"
    settings = Settings(
        log="shared_port",
        data_dir=folder,
        database_url=cluster.url("shared_port"),
        public_workers=2,
        public_port=free_port(),
    )
    assert run(environment(settings), *OPENING).code == 0
    return settings


def workers(public: Running) -> list[int]:
    """The processes it started."""
    pid = public.process.pid
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_each_answers_and_all_stop_together(shared: Settings, cluster: Cluster, tmp_path: Path) -> None:
    with running(environment(shared), "public", tmp_path) as public:
        public.until_it_answers(shared.public_port)
        one, other = workers(public)
        for each in (one, other):
            assert cluster.server.password.encode() not in Path(f"/proc/{each}/environ").read_bytes(), "they only read"
        for stopped in (one, other):  # whoever is left answers
            os.kill(stopped, signal.SIGSTOP)
            assert httpx.get(f"http://127.0.0.1:{shared.public_port}/readyz").is_success
            os.kill(stopped, signal.SIGCONT)
        assert public.interrupt() == 0
        assert not is_there(one)
        assert not is_there(other)
    assert "Traceback" not in public.text


def test_none_outlives_the_process_that_started_it(shared: Settings, tmp_path: Path) -> None:
    with running(environment(shared), "public", tmp_path) as public:
        public.until_it_answers(shared.public_port)
        started = workers(public)
        public.kill()
    deadline = time.monotonic() + WAIT_S_MAX
    while any(map(is_there, started)):
        assert time.monotonic() < deadline, "they are still there"
        time.sleep(POLL_S)


def test_one_that_dies_takes_the_service_down_with_a_sentence(shared: Settings, tmp_path: Path) -> None:
    with running(environment(shared), "public", tmp_path) as public:
        public.until_it_answers(shared.public_port)
        one, other = workers(public)
        os.kill(one, signal.SIGKILL)
        assert public.process.wait() == 1
        assert not is_there(other)
    assert "a process that served ended by itself" in public.text
    assert "Traceback" not in public.text
