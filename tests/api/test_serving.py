"""How a process takes connections of a port that it shares with others."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlsplit

import pytest
from litestar import Litestar, get

from api import serving
from tests.support.listening import listening


@get("/", sync_to_thread=False)
def here() -> str:
    """Somebody is there."""
    return "here"


@asynccontextmanager
async def connected(address: str) -> AsyncGenerator[None]:
    """A connection that was taken, and stays open."""
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(address).port)
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
    yield
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("time", ["first", "second"])
async def test_others_get_their_turn_only_while_a_process_has_more_and_more(
    monkeypatch: pytest.MonkeyPatch, time: str
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("api.serving.time.sleep", pauses.append)
    async with listening(Litestar([here], logging_config=None)) as address, connected(address):
        pauses.clear()
        async with AsyncExitStack() as together:
            for _ in range(5):
                await together.enter_async_context(connected(address))
        assert pauses == [serving.NEXT_ONE_S] * 5, time
        async with connected(address):  # behind the end of those
            pauses.clear()
        for _ in range(5):
            async with connected(address):
                pass
        assert not pauses, "those that come and go wait for nobody"
