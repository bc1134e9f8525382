"""Search: organisations, funds, projects and events by name. Nobody's name, and no receipt code, here or elsewhere."""

from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency

from ledger.store.database import Database
from ledger.store.queries.head import read_head
from ledger.store.queries.search import MAX_TEXT, Hit, read_hits
from public_site.site import FRESH, PRIVATE, Site
from public_site.words import both

HITS = 30
KINDS = {"organisation": "组织|一个", "fund": "基金|一个", "project": "项目|一个", "event": "事件"}


@get(both("/search"), include_in_schema=False)
async def search(
    request: Request[Any, Any, Any], site: NamedDependency[Site], database: NamedDependency[Database]
) -> Response[str]:
    """What is called so."""
    typed = " ".join(request.query_params.get("q", "").replace("\x00", " ").split())[:MAX_TEXT]
    async with database.snapshot() as connection:
        head = await read_head(connection)
        found = await read_hits(connection, typed, limit=HITS)
    return site.page(
        "search",
        head,
        headers=FRESH,
        query={"q": typed},
        typed=typed,
        is_code=False,
        hits=[(KINDS[hit.kind], hit, _path(hit), _data(hit)) for hit in found],
    )


def code_refused(site: Site) -> Response[str]:
    """Whatever page was asked for with a receipt code in its address: it is not repeated, and the look-up is here."""
    return site.page("search", None, status=400, headers=PRIVATE, typed="", is_code=True, hits=[])


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
