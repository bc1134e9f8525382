"""An application on a port, until it is told to stop; where one processor is not enough, in several processes."""

import asyncio
import os
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import uvicorn
from litestar import Litestar
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ledger import collector
from ledger.trouble import Trouble

NEXT_ONE_S = 1e-6
"""A pause so short that it only lets another process run: some 60 µs."""


class ServingError(Trouble):
    """The address or port cannot be had, or a process that served is gone; the message says which."""


class _Connection(HttpToolsProtocol):
    """Of a process that shares its port: while it gets more of them, it lets the others have the next one.

    Whoever is awake first would else take most of those that come together, 29 of 32 here, and one processor rests.
    Connections that come and go do not slow it down: only a number it had not before makes it pause.
    """

    most_open = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if (count := len(self.connections)) > _Connection.most_open:
            time.sleep(NEXT_ONE_S)
        elif count > 1:
            return
        _Connection.most_open = count


class _Server(uvicorn.Server):
    """Leaves signals alone: one Ctrl-C stops all that this process runs, in order."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """Ours rather than uvicorn's, which ends the process where the port is taken. Raises ServingError."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise ServingError(f"{host} port {port}: {error.strerror}; choose another one") from error


async def serve(app: Litestar, listening: socket.socket, *, stop: asyncio.Event) -> None:
    """Answer until `stop` is set; requests that run are finished."""
    # Whom to believe about forwarded addresses is a setting of ours (`api.limits`), not a habit of the server's.
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        proxy_headers=False,
        http=_Connection,
    )
    server = _Server(config)
    collector.ease()
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        server.should_exit = True
        await serving


async def share(
    listening: socket.socket, arguments: list[str], environment: Mapping[str, str], *, workers: int, stop: asyncio.Event
) -> None:
    """Let so many `sunledger …` processes answer on one socket, until `stop` is set or one of them ends.

    Each is told the socket by `--fd`, and stops when its standard input ends, so none outlives this process. Raises
    ServingError where one ended that was not told to: whoever watches the service starts it anew.
    """
    fd = listening.fileno()
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "ledger", *arguments, "--fd", str(fd),
            env={**os.environ, **environment}, stdin=asyncio.subprocess.PIPE, pass_fds=[fd],
        )
        for _ in range(workers)
    ]  # fmt: skip
    ended = [asyncio.create_task(each.wait()) for each in processes]
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([stopping, *ended], return_when=asyncio.FIRST_COMPLETED)
        was_told = stop.is_set()
    finally:
        stopping.cancel()
        for each in processes:
            if each.returncode is None:
                each.terminate()
        await asyncio.wait(ended)
    if not was_told:
        raise ServingError("a process that served ended by itself; the others were stopped")


def watch_input(stop: asyncio.Event) -> None:
    """Set `stop` when standard input ends: then whoever started this process is gone."""
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), stop.set)
