"""One JSON line a request, with its id and the route's template: never a path, a body or a header."""

import logging
import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:  # commands that serve nothing log, too, and are there sooner without the framework
    from litestar import Litestar
    from litestar.types import ASGIApp, Message, Receive, Scope, Send

_log = structlog.get_logger("http")


def configure_logging(level: str) -> None:
    """Everything that logs, libraries too, as JSON lines on standard error with the request's id."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for library in ("uvicorn.error", "httpx"):  # httpx would log each question to a witness
        logging.getLogger(library).setLevel(logging.WARNING)


def observe(app: "Litestar") -> None:
    """Wrap the whole application: Litestar's own middleware does not run for unknown paths."""
    app.asgi_handler = _observed(app.asgi_handler)


def _observed(inner: "ASGIApp") -> "ASGIApp":
    async def handler(scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] != "http":  # type: ignore[comparison-overlap]  # its types are strings
            await inner(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        began = time.perf_counter()
        status = 0

        async def answer(message: "Message") -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await inner(scope, receive, answer)
        finally:
            _log.info(
                "request",
                method=scope.get("method"),
                route=_template(scope),
                status=status,
                ms=round((time.perf_counter() - began) * 1000, 1),
            )

    return handler


def _template(scope: "Scope") -> str:
    """The route as it was declared, so that nothing somebody typed reaches a log."""
    template: str | Callable[..., Any] | None = scope.get("path_template")
    return template if isinstance(template, str) and template else "unknown"
