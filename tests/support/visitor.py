"""Speaking HTTP to an application in the test's own event loop."""

from typing import Any, cast

import httpx
from litestar import Litestar


def visitor(app: Litestar) -> httpx.AsyncClient:
    """A client of this application; what it raises becomes the answer it would give."""
    transport = httpx.ASGITransport(cast("Any", app), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://ledger.test")
