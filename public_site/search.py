"""Search: organisations, funds, projects and events by name. Nobody's name, and no receipt code."""

from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency

from ledger import privacy
from ledger.store.database import Database
from ledger.store.queries.head import read_head
from ledger.store.queries.search import MAX_TEXT, Hit, read_hits
from public_site.site import FRESH, Site
from public_site.words import both

HITS = 30
KINDS = {"organisation": "组织|一个", "fund": "基金|一个", "project": "项目|一个", "event": "事件"}
_CODE = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}


@get(both("/search"), include_in_schema=False)
async def search(
    request: Request[Any, Any, Any], site: NamedDependency[Site], database: NamedDependency[Database]
) -> Response[str]:
    """What is called so. A receipt code is not repeated, nor kept: the page leads to the look-up."""
    typed = " ".join(request.query_params.get("q", "").replace("\x00", " ").split())[:MAX_TEXT]
    is_code = privacy.parse_code(typed) is not None
    async with database.snapshot() as connection:
        head = await read_head(connection)
        found = [] if is_code else await read_hits(connection, typed, limit=HITS)
    return site.page(
        "search",
        head,
        status=400 if is_code else 200,
        headers=_CODE if is_code else FRESH,
        query={} if is_code else {"q": typed},
        typed="" if is_code else typed,
        is_code=is_code,
        hits=[(KINDS[hit.kind], hit, _path(hit), _data(hit)) for hit in found],
    )


def _path(hit: Hit) -> str:
    """Its page; of an event the gifts for it."""
    match hit.kind:
        case "organisation":
            return f"/organisations/{hit.id}"
        case "event":
            return _data(hit)
        case kind:
            return f"/{kind}s/{hit.org}/{hit.id}"


def _data(hit: Hit) -> str:
    """The gifts narrowed to it."""
    match hit.kind:
        case "organisation":
            return f"/data?org={hit.id}"
        case "event":
            return f"/data?event={hit.id}"
        case kind:
            return f"/data?{kind}={hit.org}:{hit.id}"


HANDLERS = [search]
