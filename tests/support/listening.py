"""An application on a port of this machine, for what has to come through a real socket: curl, the command line."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from litestar import Litestar

from api.serving import listen, serve


@asynccontextmanager
async def listening(app: Litestar) -> AsyncGenerator[str]:
    """The address it answers on."""
    socket = listen("127.0.0.1", 0)
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(app, socket, stop=stop))
    yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    stop.set()
    await serving
