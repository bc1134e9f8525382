"""Entity tags (RFC 9110, section 8.8.3): an answer that is whole before it is sent is not sent to whoever has it."""

from hashlib import sha256

from litestar.config.compression import CompressionConfig
from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.middleware.compression import CompressionMiddleware
from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Scope, Send

EXACT = "exact_bytes"
"""A handler says so whose answers are never compressed: what is sent is what the tag is of."""


class Tagging(CompressionMiddleware):
    """Compresses answers, whose bytes were digested before.

    The tag is their SHA-256: strong where the handler is `EXACT`, weak where they may be compressed on their way, for
    then one tag is of both encodings.
    """

    def __init__(self, app: ASGIApp, config: CompressionConfig) -> None:
        """Around the handler's own answers, inside of what compresses them."""
        super().__init__(app=_tagged(app), config=config)


def is_known(asked: Headers, etag: str) -> bool:
    """Whether whoever asks has what the tag is of (If-None-Match, RFC 9110, section 13.1.2)."""
    known = {each.strip().removeprefix("W/") for each in asked.get("if-none-match", "").split(",")}
    return bool(known & {etag.removeprefix("W/"), "*"})


def _tagged(inner: ASGIApp) -> ASGIApp:
    async def handler(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or scope["method"] != "GET":
            await inner(scope, receive, send)
            return
        is_exact = EXACT in scope["route_handler"].opt
        start: HTTPResponseStartEvent | None = None

        async def answer(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_whole(message):
                start = message  # it goes out with the tag of the body, which is next
                return
            if start is not None and message["type"] == "http.response.body":
                assert not message["more_body"], "what has a length is one piece"
                digest = sha256(message["body"]).hexdigest()
                headers = MutableScopeHeaders(start)
                headers["ETag"] = f'"{digest}"' if is_exact else f'W/"{digest}"'
                if is_known(Headers.from_scope(scope), headers["ETag"]):
                    _not_modified(start, headers, is_exact=is_exact)
                    message["body"] = b""
                await send(start)
            await send(message)

        await inner(scope, receive, answer)

    return handler


def _is_whole(start: HTTPResponseStartEvent) -> bool:
    """Whether the body is known, may be kept, and has no tag yet: what is sent while it is read has no length."""
    headers = MutableScopeHeaders(start)
    return (
        start["status"] == 200
        and "content-length" in headers
        and "etag" not in headers
        and headers.get("cache-control") != "no-store"
    )


def _not_modified(start: HTTPResponseStartEvent, headers: MutableScopeHeaders, *, is_exact: bool) -> None:
    """What a cache is told of what it has (RFC 9110, section 15.4.5): all but what describes a body."""
    start["status"] = 304
    del headers["content-length"], headers["content-type"]
    if not is_exact:
        headers.extend_header_value("vary", "Accept-Encoding")  # as it was said where it was compressed
