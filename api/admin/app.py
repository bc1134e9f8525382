"""The admin application, from its resources."""

from typing import Any

from litestar import HttpMethod, Litestar, MediaType, Request, Router
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.plugins.pydantic import PydanticPlugin

from api import document, problems, reference
from api.admin import (
    donors,
    fiscal,
    imports,
    money,
    organisations,
    periods,
    pledges,
    proposals,
    rightings,
    sheets,
    slips,
    staff,
    stamps,
    standing,
    suspense,
    transfers,
)
from api.admin.problems import problem
from api.admin.resources import WITHOUT_ROLE, Clerk, Resources
from api.health import healthz, readyz
from api.observability import observe

MAX_BODY_BYTES = 64 * 1024


def build(resources: Resources) -> Litestar:
    """The application; everything it works with comes in."""

    async def known(request: Request[Any, Any, Any]) -> None:
        request.state.staff = who = await resources.doorkeeper.staff(request)
        if request.method == HttpMethod.GET and WITHOUT_ROLE not in request.route_handler.opt:
            books = resources.sequencer.books
            books.require_any(who, books.staff.get(who, ()))

    def clerk(request: Request[Any, Any, Any]) -> Clerk:
        return Clerk(request.state.staff, resources)

    inside = Router(
        path="/",
        before_request=known,  # not a guard: those are each given a copy of the request, whose headers are read anew
        route_handlers=[
            *staff.HANDLERS,
            *organisations.HANDLERS,
            *money.HANDLERS,
            *fiscal.HANDLERS,
            *donors.HANDLERS,
            *rightings.HANDLERS,
            *slips.HANDLERS,
            *suspense.HANDLERS,
            *periods.HANDLERS,
            *pledges.HANDLERS,
            *transfers.HANDLERS,
            *standing.HANDLERS,
            *stamps.HANDLERS,
            *proposals.HANDLERS,
            *sheets.HANDLERS,
            *imports.HANDLERS,
        ],
        security=[{"token": []}],
    )
    app = Litestar(
        route_handlers=[healthz, readyz, problem, *reference.HANDLERS, inside],
        dependencies={
            "database": Provide(lambda: resources.database, sync_to_thread=False),
            "stopped": Provide(lambda: resources.sequencer.stopped, sync_to_thread=False),
            "clerk": Provide(clerk, sync_to_thread=False),
        },
        exception_handlers=problems.HANDLERS,
        openapi_config=OpenAPIConfig(
            title="阳光账本 · 管理接口",
            version="1",
            path="/schema",
            render_plugins=[JsonRenderPlugin(media_type=MediaType.JSON)],  # none given means viewers from other hosts
            operation_id_creator=lambda handler, _method, _path: handler.handler_name,
            components=Components(
                security_schemes={"token": SecurityScheme(type="http", scheme="bearer", description="访问令牌")}
            ),
        ),
        plugins=[PydanticPlugin(validate_strict=None)],  # type: ignore[arg-type]  # None: what the models themselves say
        request_max_body_size=MAX_BODY_BYTES,
        logging_config=None,
    )
    document.correct(app)
    observe(app)
    return app
