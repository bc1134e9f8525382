"""An application on a port of this machine, for what has to come through a real socket: curl, the command line."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from litestar import Litestar

from api.serving import serve

PAUSE_S = 0.02


@asynccontextmanager
async def listening(app: Litestar) -> AsyncGenerator[str]:
    """The address it answers on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(app, "127.0.0.1", port, stop=stop))
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(PAUSE_S)
        else:
            writer.close()
            await writer.wait_closed()
            break
    yield f"http://127.0.0.1:{port}"
    stop.set()
    await serving
