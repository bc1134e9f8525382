"""The command `sunledger` as users run it: a process of its own, with an environment of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from ledger.settings import Settings

WAIT_S_MAX = 120
POLL_S = 0.05
FIRST_PORT, PORTS = 12_000, 1_000

PROGRAM = Path(sys.executable).with_name("sunledger")


@dataclass(frozen=True, slots=True)
class Ended:
    """What a run came to."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[list[str]]:
        """The words of each line it printed."""
        return [line.split() for line in self.out.splitlines()]


def environment(settings: Settings, **more: object) -> dict[str, str]:
    """Ours without other SUNLEDGER_ variables, and these settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SUNLEDGER_")}
    chosen = {name: value for name, value in settings.model_dump(exclude_defaults=True).items() if value is not None}
    return kept | {f"SUNLEDGER_{name.upper()}": str(value) for name, value in (chosen | more).items()}


def run(variables: Mapping[str, str], *arguments: str | int | Path) -> Ended:
    """Run it to its end."""
    done = subprocess.run(
        [PROGRAM, *map(str, arguments)],
        env=dict(variables),
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=WAIT_S_MAX,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True, slots=True)
class Running:
    """One that serves; what it says goes to a file."""

    process: subprocess.Popen[bytes]
    said: Path

    @property
    def text(self) -> str:
        """What it said so far, on either stream."""
        return self.said.read_text()

    def until_it_answers(self, port: int) -> None:
        """Wait until it is ready to write."""
        self.until(lambda: _is_ready(port), f"port {port} answers")

    def until(self, true: Callable[[], bool], what: str) -> None:
        """Wait, as long as it lives, and not for ever."""
        deadline = time.monotonic() + WAIT_S_MAX
        while not true():
            assert self.process.poll() is None, f"it ended with {self.process.returncode}: {self.text}"
            assert time.monotonic() < deadline, f"waited in vain until {what}: {self.text}"
            time.sleep(POLL_S)

    def kill(self) -> None:
        """Kill it in the middle of whatever it does."""
        self.process.kill()
        self.process.wait()

    def interrupt(self, number: signal.Signals = signal.SIGINT) -> int:
        """Ctrl-C, or another signal that asks it to end; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(WAIT_S_MAX)


@contextmanager
def running(
    variables: Mapping[str, str], command: str, folder: Path, *arguments: str | int | Path
) -> Iterator[Running]:
    """Start one that serves; it is killed if it is still there at the end."""
    said = folder / f"{command}-{time.monotonic_ns()}.log"
    with said.open("wb") as output:
        process = subprocess.Popen(
            [PROGRAM, command, *map(str, arguments)],
            env=dict(variables),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield Running(process, said)
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    """A port nobody listens on, and that nobody is given before it is used.

    What the system gives to whoever connects, or asks for any port, begins at 32768 on Linux and elsewhere higher; each
    worker of the suite draws from a stretch of its own below that, and no port twice.
    """
    for port in _ports:
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("no port is free")


def _ports_of_this_worker() -> Iterator[int]:
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = FIRST_PORT + worker * PORTS
    # Where the last run of the suite ended somebody may still be listening: each begins elsewhere.
    begun = os.getpid() % PORTS
    return iter([*range(first + begun, first + PORTS), *range(first, first + begun)])


_ports = _ports_of_this_worker()


def _is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz").is_success
    except httpx.TransportError:
        return False
