"""Ask an HTTP/1.1 server on this machine as fast as it answers, and say how long each answer took.

The load is closed: a connection sends its next request when it has the whole answer to the one before. A slow server is
therefore asked less often, and a latency belongs to the number of connections it is printed with.

Two figures say whether to believe a run. `connections_busy` is how many connections waited for an answer on average:
well below `connections`, the client or its source of requests was the slower side. `client_cpu_share` is how much of
one processor this process took, for the client shares them with the server it measures.
"""

import asyncio
import contextlib
import ipaddress
import math
import time
from collections import Counter
from collections.abc import AsyncIterable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Self

ANSWER_HEAD_LIMIT = 1 << 16
ANSWER_TIMEOUT_S = 30.0
CONNECTION_LIMIT = 4096
STUCK_CHECK_INTERVAL_S = 1.0


class Request(NamedTuple):
    """One request; `host` and `content-length` are added when it is sent."""

    method: str
    path: str
    headers: Mapping[str, str] = {}
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a run came to; times run from the first byte sent to the last byte of the answer."""

    connections: int
    answers: int
    elapsed_s: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float
    statuses: Mapping[int, int]
    connections_busy: float
    client_cpu_share: float

    @property
    def requests_per_second(self) -> float:
        """Answers received, whatever their status, for each second from the first request to the last answer."""
        return self.answers / self.elapsed_s

    def only(self, *expected: int) -> Self:
        """Return the run, but fail when an answer had another status: refusals are quick and flatter the figure."""
        if not self.statuses.keys() <= set(expected):
            raise UnexpectedStatusError(f"expected only {sorted(expected)}, received {dict(self.statuses)}")
        return self


class UnexpectedStatusError(Exception):
    """Answers came that the measurement is not about."""


async def load(  # noqa: PLR0913 — each is a dimension of the load, and passed by name
    requests: Iterable[Request] | AsyncIterable[Request],
    *,
    host: str = "127.0.0.1",
    port: int,
    connections: int,
    count: int | None = None,
    seconds: float | None = None,
) -> Load:
    """Send requests over so many connections, until `count` were sent, `seconds` have passed or there are no more."""
    if not ipaddress.ip_address(host).is_loopback:
        raise ValueError(f"{host} is not a loopback address; this client loads no other machine")
    if count is None and seconds is None:
        raise ValueError("say how long: a count of requests, seconds or both")
    if not 1 <= connections <= CONNECTION_LIMIT:
        raise ValueError(f"{connections} connections; from 1 to {CONNECTION_LIMIT} are possible")
    opened = [Connection(host=host, port=port) for _ in range(connections)]
    try:
        for connection in opened:
            await connection.open()
        cpu_before_s, started_at = time.process_time(), time.perf_counter()
        source = Source(
            requests,
            left=math.inf if count is None else count,
            until=math.inf if seconds is None else started_at + seconds,
        )
        tally = Tally()
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(fail_when_stuck(opened))
            senders = [group.create_task(send_all(connection, source, tally)) for connection in opened]
            await asyncio.wait(senders)
            watch.cancel()
        ended_at, cpu_after_s = time.perf_counter(), time.process_time()
    finally:
        for connection in opened:
            await connection.close()
    return tally.load(connections=connections, elapsed_s=ended_at - started_at, client_cpu_s=cpu_after_s - cpu_before_s)


@dataclass(slots=True, kw_only=True)
class Tally:
    """Latencies and statuses while they come in."""

    latencies_s: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    def load(self, *, connections: int, elapsed_s: float, client_cpu_s: float) -> Load:
        """Sum up."""
        if not self.latencies_s:
            raise ValueError("no request was sent")
        ordered_ms = sorted(latency_s * 1000 for latency_s in self.latencies_s)
        return Load(
            connections=connections,
            answers=len(ordered_ms),
            elapsed_s=elapsed_s,
            p50_ms=percentile(ordered_ms, 50),
            p90_ms=percentile(ordered_ms, 90),
            p99_ms=percentile(ordered_ms, 99),
            max_ms=ordered_ms[-1],
            statuses=dict(sorted(self.statuses.items())),
            connections_busy=sum(self.latencies_s) / elapsed_s,
            client_cpu_share=client_cpu_s / elapsed_s,
        )


def percentile(ordered: list[float], percent: int) -> float:
    """Return the smallest value that at least `percent` of them do not exceed (nearest rank)."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


class Source:
    """The requests, drawn one at a time by whichever connection is free."""

    def __init__(self, requests: Iterable[Request] | AsyncIterable[Request], *, left: float, until: float) -> None:
        self._drawn_now = iter(requests) if isinstance(requests, Iterable) else None
        self._drawn_later = aiter(requests) if isinstance(requests, AsyncIterable) else None
        self._one_at_a_time = asyncio.Lock()  # an async generator must not be asked twice at once
        self._left = left
        self._until = until

    async def next(self) -> Request | None:
        """Draw the next request; None when the load is over."""
        if self._left <= 0 or time.perf_counter() >= self._until:
            return None
        self._left -= 1
        if self._drawn_now is not None:
            return next(self._drawn_now, None)
        assert self._drawn_later is not None
        async with self._one_at_a_time:
            return await anext(self._drawn_later, None)


async def send_all(connection: "Connection", source: Source, tally: Tally) -> None:
    """Keep one connection busy until the source is empty."""
    while (request := await source.next()) is not None:
        if connection.closed_by_server:
            await connection.open()
        status, latency_s = await connection.exchange(request)
        tally.statuses[status] += 1
        tally.latencies_s.append(latency_s)


async def fail_when_stuck(connections: Iterable["Connection"]) -> None:
    """Bound every wait for an answer, by one task: a timer for each request would be felt in the figures."""
    while True:
        await asyncio.sleep(STUCK_CHECK_INTERVAL_S)
        oldest = time.perf_counter() - ANSWER_TIMEOUT_S
        for connection in connections:
            if connection.waiting_since < oldest:
                raise TimeoutError(f"no answer to {connection.asked} within {ANSWER_TIMEOUT_S:.0f} s")


class Connection:
    """One kept-alive connection: RFC 9112, as much of it as a server behind no proxy answers with."""

    def __init__(self, *, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter | None = None
        self._told_to_close = False
        self.waiting_since = math.inf
        self.asked = ""

    async def open(self) -> None:
        """Connect, again if need be."""
        await self.close()
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port, limit=ANSWER_HEAD_LIMIT)
        self._told_to_close = False

    async def close(self) -> None:
        """Hang up, without waiting until a server that does not read has taken what is left to send."""
        if self._writer is not None:
            self._writer.transport.abort()
            with contextlib.suppress(ConnectionError):
                await self._writer.wait_closed()
            self._writer = None

    @property
    def closed_by_server(self) -> bool:
        """Whether the server hung up, or said that it will: after a while without a request it may."""
        return self._told_to_close or self._reader.at_eof()

    async def exchange(self, request: Request) -> tuple[int, float]:
        """Send one request and take in its whole answer; return the status and the seconds it took."""
        assert self._writer is not None
        message = encode(request, authority=self._authority)
        self.asked = f"{request.method} {request.path}"
        self.waiting_since = sent_at = time.perf_counter()
        try:
            self._writer.write(message)
            await self._writer.drain()
            status = await self._answer(method=request.method)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise ConnectionError(f"the server hung up instead of answering {self.asked}") from error
        self.waiting_since = math.inf
        return status, time.perf_counter() - sent_at

    async def _answer(self, *, method: str) -> int:
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        status = int(head[9:12])
        self._told_to_close = b"\r\nconnection: close\r\n" in head or head.startswith(b"http/1.0")
        # RFC 9112, section 6.3: what ends the answer, in this order.
        if method == "HEAD" or status in {204, 304}:
            return status
        if b"\r\ntransfer-encoding: chunked\r\n" in head:
            await self._chunks()
        elif (at := head.find(b"\r\ncontent-length:")) >= 0:
            await self._reader.readexactly(int(head[at + 17 : head.index(b"\r\n", at + 17)]))
        else:
            self._told_to_close = True
            while await self._reader.read(ANSWER_HEAD_LIMIT):
                pass
        return status

    async def _chunks(self) -> None:
        """Take in a chunked body (RFC 9112, section 7.1)."""
        while size := int((await self._reader.readuntil(b"\r\n")).partition(b";")[0], 16):
            await self._reader.readexactly(size + 2)
        while await self._reader.readuntil(b"\r\n") != b"\r\n":
            pass  # trailers


def encode(request: Request, *, authority: str) -> bytes:
    """Write the request as it goes over the wire."""
    head = f"{request.method} {request.path} HTTP/1.1\r\nhost: {authority}\r\n"
    for name, value in request.headers.items():
        head += f"{name}: {value}\r\n"
    if request.body or request.method in {"POST", "PUT", "PATCH"}:
        head += f"content-length: {len(request.body)}\r\n"
    return f"{head}\r\n".encode("ascii") + request.body
