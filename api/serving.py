"""An application on a port, until it is told to stop."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from litestar import Litestar


class PortError(Exception):
    """The address or port cannot be had; the message says why."""


class _Server(uvicorn.Server):
    """Leaves signals alone: one Ctrl-C stops all that this process runs, in order."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(app: Litestar, host: str, port: int, *, stop: asyncio.Event) -> None:
    """Answer until `stop` is set; requests that run are finished. Raises PortError."""
    listening = _listen(host, port)
    # Whom to believe about forwarded addresses is a setting of ours (`api.limits`), not a habit of the server's.
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", server_header=False, proxy_headers=False
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        server.should_exit = True
        await serving


def _listen(host: str, port: int) -> socket.socket:
    """Ours rather than uvicorn's, which ends the process where the port is taken."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise PortError(f"{host} port {port}: {error.strerror}; choose another one") from error
