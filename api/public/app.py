"""The public application, from its resources."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

import structlog
from litestar import Litestar, MediaType, Request, Response
from litestar.config.compression import CompressionConfig
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.enums import ScopeType
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import OpenAPIResponse
from litestar.plugins.pydantic import PydanticPlugin
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from api import document, problems, reference
from api.desk import Desk
from api.health import healthz, readyz
from api.limits import Limits, Rates
from api.observability import observe
from api.problems import ProblemError
from api.public import (
    asking,
    balances,
    campaigns,
    checkpoints,
    corrections,
    data,
    editions,
    entries,
    events,
    feeds,
    fen,
    figures,
    flows,
    funds,
    imports,
    lineage,
    lists,
    log,
    news,
    organisations,
    pledges,
    projects,
    receipts,
    register_tables,
    search,
    trace,
    years,
)
from api.public import problems as problem_pages
from api.public.downloads import IS_HEAD
from api.public.etags import EXACT, Tagging
from api.public.permalinks import SITE_URL
from api.public.workshop import Workshop
from ledger.opendata.terms import Terms
from ledger.store.database import Database
from ledger.store.keys import LookupKeys
from ledger.store.queries.fiscal import FiscalReceipts
from ledger.store.queries.gifts import Traces
from ledger.store.queries.public_names import PublicNames
from ledger.store.queries.receipts import Receipts
from ledger.store.queries.trace import TooManyPieces
from ledger.store.queries.visits import Visits
from public_site import pages
from public_site.appearance import Appearance
from public_site.search import code_refused
from public_site.site import Press, Site

MAX_BODY_BYTES = 64 * 1024

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
_HEADERS = [
    (b"cache-control", b"public, max-age=10"),  # where nothing else is said
    (b"content-security-policy", _POLICY.encode()),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=()"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
]
_MACHINES = (
    "/api/", data.PACKAGE, data.CATALOGUE, data.IATI, data.GIVING, "/data/editions/", "/feeds/", "/log/", "/schema",
    "/healthz", "/readyz",
)  # fmt: skip
"""Answers below these are never pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What everybody may be told from: the reader's role and the keys that find a receipt."""

    database: Database
    lookup: LookupKeys
    by_index: Database | None = None
    """The same, never scanning a whole table, for look-ups: after a large import the planner takes a scan for cheap
    until somebody has counted the rows. None: `database`."""
    visits: Visits | None = None
    """None counts nobody."""
    rates: Rates = field(default_factory=Rates)
    look: Appearance = field(default_factory=Appearance)
    terms: Terms = field(default_factory=Terms)
    open_data: Path | None = None
    """Folder of the open data's editions."""
    site_url: str = ""
    """Where everybody reaches it, for links with a host; empty: whatever host was asked for."""


def build(resources: Resources) -> Litestar:
    """The application; everything it works with comes in."""
    press = Press(resources.look)
    limits = Limits(resources.visits, resources.rates)
    by_index = resources.by_index or resources.database
    desk = Desk(
        database=resources.database,
        receipts=Receipts(by_index, resources.lookup),
        fiscal_receipts=FiscalReceipts(by_index, resources.lookup),
        traces=Traces(by_index, resources.lookup),
        public_names=PublicNames(by_index, resources.lookup),
        limits=limits,
    )
    workshop = Workshop()
    questions: dict[str, frozenset[str]] = {}

    async def admit(request: Request[Any, Any, Any]) -> Response[str] | None:
        await limits.admit(request)
        if await asking.holds_code(request, resources.database):
            if request.route_handler.resolve_include_in_schema():
                raise ProblemError("invalid-request", "网址里不能有收据编号；请在首页查询")
            return code_refused(press.at(request.scope["path"]))
        asking.check_names(request, questions)
        return None

    handlers = {**problems.HANDLERS, TooManyPieces: lambda *_: problems.problem("trace-too-large")}
    app = Litestar(
        route_handlers=[
            healthz,
            readyz,
            trace.trace_by_code,
            trace.trace_by_fiscal_receipt,
            trace.trace_of_entry,
            trace.trace_of_entry_csv,
            *entries.HANDLERS,
            *events.HANDLERS,
            *organisations.HANDLERS,
            *balances.HANDLERS,
            *campaigns.HANDLERS,
            *checkpoints.HANDLERS,
            *feeds.HANDLERS,
            *fen.HANDLERS,
            *figures.HANDLERS,
            *flows.HANDLERS,
            imports.list_imports,
            *lineage.HANDLERS,
            *lists.HANDLERS,
            *news.HANDLERS,
            pledges.list_pledges,
            *corrections.HANDLERS,
            *data.HANDLERS,
            *editions.HANDLERS,
            *funds.HANDLERS,
            *projects.HANDLERS,
            problem_pages.problems,
            problem_pages.problem,
            *log.HANDLERS,
            *receipts.HANDLERS,
            *register_tables.HANDLERS,
            *search.HANDLERS,
            *years.HANDLERS,
            *reference.HANDLERS,
            *pages.HANDLERS,
        ],
        dependencies={
            "database": Provide(lambda: resources.database, sync_to_thread=False),
            "stopped": Provide(lambda: "", sync_to_thread=False),  # it never writes
            "open_data": Provide(lambda: resources.open_data, sync_to_thread=False),
            "desk": Provide(lambda: desk, sync_to_thread=False),
            "press": Provide(lambda: press, sync_to_thread=False),
            "site": Provide(_site, sync_to_thread=False),
            "terms": Provide(lambda: resources.terms, sync_to_thread=False),
            "workshop": Provide(lambda: workshop, sync_to_thread=False),
        },
        before_request=admit,
        state=State({SITE_URL: resources.site_url}),
        exception_handlers={error: _for_readers(handler, press) for error, handler in handlers.items()},
        openapi_config=OpenAPIConfig(
            title="阳光账本 · 公开接口",
            version="1",
            description="不需要令牌。金额一律为整数，单位：分。每个答复都说明数据截至账本的哪一条（as_of）。",
            path="/schema",
            render_plugins=[JsonRenderPlugin(media_type=MediaType.JSON)],  # none given means viewers from other hosts
            use_handler_docstrings=True,
            operation_id_creator=lambda handler, _method, _path: handler.handler_name,
        ),
        plugins=[PydanticPlugin(validate_strict=None)],  # type: ignore[arg-type]  # None: what the models themselves say
        compression_config=CompressionConfig(
            backend="gzip",
            gzip_compress_level=6,
            minimum_size=1000,
            exclude_opt_key=EXACT,
            middleware_class=Tagging,
        ),
        request_max_body_size=MAX_BODY_BYTES,
        logging_config=None,
    )
    document.correct(app)
    _describe_limits(app)
    questions |= asking.questions(app.openapi_schema)
    app.asgi_handler = _guarded(app.asgi_handler)
    observe(app)
    return app


def _describe_limits(app: Litestar) -> None:
    """Whatever can be busy can be asked too often."""
    for path in (app.openapi_schema.paths or {}).values():
        for operation in filter(None, (path.get, path.post)):
            responses = operation.responses or {}
            if busy := responses.get(str(HTTPStatus.SERVICE_UNAVAILABLE.value)):
                too_many = replace(cast("OpenAPIResponse", busy), description=HTTPStatus.TOO_MANY_REQUESTS.phrase)
                responses[str(HTTPStatus.TOO_MANY_REQUESTS.value)] = too_many


def _site(press: NamedDependency[Press], request: Request[Any, Any, Any]) -> Site:
    """The site in the language of the address."""
    return press.at(request.scope["path"])


Handler = Callable[[Request[Any, Any, Any], Any], Response[Any]]


def _for_readers(handler: Handler, press: Press) -> Handler:
    """The same problem as a page, for those who asked for one."""

    def answer(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        response = handler(request, error)
        path, wanted = request.scope["path"], request.headers.get("accept", "")
        if path.startswith(_MACHINES) or "text/html" not in wanted:
            return response
        slug = response.content["type"].rpartition("/")[2]
        return press.at(path).page(
            "problem",
            None,
            status=problems.TYPES[slug].status,
            headers=dict(response.headers),
            slug=slug,
            detail=error.detail if isinstance(error, ProblemError) and slug == "invalid-request" else "",
            type=problems.TYPES[slug],
            errors=response.content.get("errors", ()),
            request_id=structlog.contextvars.get_contextvars().get("request_id", ""),
        )

    return answer


def _guarded(inner: ASGIApp) -> ASGIApp:
    """Every answer carries the headers that protect its reader, and HEAD is answered like GET, without the body."""

    async def handler(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await inner(scope, receive, send)
            return
        head = scope["method"] == "HEAD"
        scope["state"][IS_HEAD] = head  # what costs much to make is not made for nobody
        asked = cast("HTTPScope", {**scope, "method": "GET"}) if head else scope

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(each for each in _HEADERS if each[0] not in said)]
            elif message["type"] == "http.response.body" and head:
                message["body"] = b""
            await send(message)

        try:
            await inner(asked, receive, answer)
        finally:
            scope["path_template"] = asked.get("path_template", "")  # the log line is written from it

    return handler
