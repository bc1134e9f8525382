"""A real browser, headless, driven over its debugging protocol: the system's Chromium, found on the path."""

import asyncio
import itertools
import json
import shutil
import tempfile
from base64 import b64decode, b64encode
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

WAIT_S_MAX = 60
MAX_MESSAGE_BYTES = 64 * 1024 * 1024
_OF_THE_OLD_BODY = {"content-length", "content-encoding", "etag"}
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


class Page:
    """One tab. What it says on its console and what it asks for is kept."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._changes: dict[str, Callable[[bytes], bytes]] = {}
        self._forging: list[asyncio.Task[None]] = []
        self.said: list[str] = []
        """Errors: of scripts, of the policy, of the network."""
        self.asked: list[str] = []
        """Addresses of all requests."""
        self._reader = asyncio.create_task(self._read())

    async def ready(self) -> None:
        """Listen to everything."""
        for domain in ("Page", "Runtime", "Network", "Log"):
            await self.send(f"{domain}.enable")

    async def close(self) -> None:
        self._reader.cancel()
        await asyncio.gather(self._reader, *self._forging, return_exceptions=True)

    async def send(self, method: str, **parameters: Any) -> Any:
        """One command of the protocol, and its answer."""
        number = next(self._numbers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        async with asyncio.timeout(WAIT_S_MAX):
            return await self._answers[number]

    async def size(self, width: int, height: int = 844) -> None:
        """The screen."""
        await self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )

    async def before_scripts(self, script: str) -> None:
        """Runs in every page before its own scripts: what another browser would be like."""
        await self.send("Page.addScriptToEvaluateOnNewDocument", source=script)

    async def open(self, address: str) -> None:
        await self.send("Page.navigate", url=address)

    async def value(self, expression: str) -> Any:
        """What an expression comes to in the page."""
        answer = await self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def until(self, expression: str) -> Any:
        """Wait until it comes to something true; pages on their way are waited for."""
        async with asyncio.timeout(WAIT_S_MAX):
            while True:
                try:
                    if found := await self.value(expression):
                        return found
                except (AssertionError, RuntimeError):  # the page is being replaced
                    pass
                await asyncio.sleep(0.02)

    async def instead(self, changes: Mapping[str, Callable[[bytes], bytes]]) -> None:
        """Let what comes from addresses that end so be changed on its way: what a forger would serve."""
        self._changes = dict(changes)
        await self.send(
            "Fetch.enable", patterns=[{"urlPattern": f"*{end}", "requestStage": "Response"} for end in changes]
        )

    async def _forge(self, paused: dict[str, Any]) -> None:
        number, address = paused["requestId"], paused["request"]["url"]
        change = next((self._changes[end] for end in self._changes if address.endswith(end)), None)
        if change is None or paused.get("responseStatusCode") != 200:
            await self.send("Fetch.continueRequest", requestId=number)
            return
        body = await self.send("Fetch.getResponseBody", requestId=number)
        data = b64decode(body["body"]) if body["base64Encoded"] else body["body"].encode()
        kept = [each for each in paused["responseHeaders"] if each["name"].lower() not in _OF_THE_OLD_BODY]
        await self.send(
            "Fetch.fulfillRequest",
            requestId=number,
            responseCode=200,
            responseHeaders=kept,
            body=b64encode(change(data)).decode(),
        )

    async def picture(self, file: Path) -> None:
        """The whole page as PNG."""
        shot = await self.send("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        file.write_bytes(b64decode(shot["data"]))

    async def _read(self) -> None:
        async for text in self._socket:
            message = json.loads(text)
            if "id" in message:
                waiting = self._answers.pop(message["id"])
                if waiting.done():
                    continue
                if "error" in message:
                    waiting.set_exception(RuntimeError(message["error"]["message"]))
                else:
                    waiting.set_result(message["result"])
                continue
            if message["method"] == "Fetch.requestPaused":
                self._forging.append(asyncio.create_task(self._forge(message["params"])))
            else:
                self._note(message["method"], message["params"])

    def _note(self, method: str, told: dict[str, Any]) -> None:
        match method:
            case "Network.requestWillBeSent":
                self.asked.append(told["request"]["url"])
            case "Runtime.exceptionThrown":
                self.said.append(told["exceptionDetails"].get("exception", {}).get("description", "exception"))
            case "Log.entryAdded" if told["entry"]["level"] == "error":
                self.said.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")
            case "Runtime.consoleAPICalled" if told["type"] in {"error", "warning"}:
                self.said.append(str(told["args"]))
            case _:
                pass


class Browser:
    """A running one, with no memory of earlier runs."""

    def __init__(self, address: str) -> None:
        self._address = address

    @asynccontextmanager
    async def page(self) -> "AsyncGenerator[Page]":
        """A new tab."""
        async with httpx.AsyncClient() as client:
            made = (await client.put(f"{self._address}/json/new?about:blank")).json()
            async with connect(made["webSocketDebuggerUrl"], max_size=MAX_MESSAGE_BYTES) as socket:
                page = Page(socket)
                await page.ready()
                yield page
                await page.close()
            await client.get(f"{self._address}/json/close/{made['id']}")


@asynccontextmanager
async def browser(*arguments: str) -> AsyncGenerator[Browser]:
    """Start one; skip the test, loudly, where there is none."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("NO BROWSER: pages were not tried in Chromium; apt-get install chromium")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process = await asyncio.create_subprocess_exec(
            program,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--remote-debugging-port=0",
            f"--user-data-dir={folder}",
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            yield Browser(await _address(process, Path(folder) / "DevToolsActivePort"))
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def _address(process: asyncio.subprocess.Process, told: Path) -> str:
    async with asyncio.timeout(WAIT_S_MAX):
        while not told.exists() or not told.read_text().strip():
            assert process.returncode is None, f"the browser ended with {process.returncode}"
            await asyncio.sleep(0.05)
    return f"http://127.0.0.1:{told.read_text().split()[0]}"
