"""What is logged as it is in use, for as long as a test wants it so."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from api.observability import configure_logging


@contextmanager
def as_in_use() -> Iterator[io.StringIO]:
    """Everything that is logged meanwhile; not configured, tracebacks come with every local variable."""
    root = logging.getLogger()
    handlers, level, before = [*root.handlers], root.level, structlog.get_config()
    configure_logging("DEBUG")
    # A logger that is first used here would keep this configuration, and no later test could look at what it says.
    structlog.configure(**{**structlog.get_config(), "cache_logger_on_first_use": False})
    written = io.StringIO()
    (handler,) = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(written)
    try:
        yield written
    finally:
        root.handlers = handlers
        root.setLevel(level)
        structlog.configure(**before)
