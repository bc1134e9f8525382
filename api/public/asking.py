"""Parameters that several questions take."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from litestar import Request
from litestar.exceptions import ValidationException
from litestar.openapi.spec import OpenAPI, Parameter
from litestar.params import QueryParameter

from api.fields import example
from api.public.permalinks import NOW
from ledger import privacy
from ledger.account import MAX_POSITION
from ledger.store.database import Database
from ledger.store.queries.search import is_id

_ID = r"^([a-z0-9-]{1,32})?$"
_OWNED = r"^(([a-z0-9-]{1,32}:)?[a-z0-9-]{1,32})?$"

Entry = Annotated[
    int, QueryParameter(description="截至哪一条；-1 为最新", ge=NOW, le=MAX_POSITION, examples=example(135))
]
Org = Annotated[str, QueryParameter(description="只看这个组织及其下级", pattern=_ID, examples=example("330800"))]
Fund = Annotated[
    str,
    QueryParameter(
        description="只看这个基金；基金编号，或“组织编号:基金编号”", pattern=_OWNED, examples=example("330800:flood")
    ),
]
Project = Annotated[
    str,
    QueryParameter(
        description="只看这个项目；项目编号，或“组织编号:项目编号”", pattern=_OWNED, examples=example("flood-aid")
    ),
]
Event = Annotated[str, QueryParameter(description="只看这个事件", pattern=_ID, examples=example("flood-2026-06"))]
Channel = Annotated[str, QueryParameter(description="只看这个渠道", pattern=_ID, examples=example("wechat"))]
DonorClass = Annotated[
    Literal["", "person", "organisation", "unknown"],
    QueryParameter(description="只看这类捐赠人", examples=example("person")),
]
Since = Annotated[
    date | None, QueryParameter(description="从哪个业务日期起（北京时间）；不填为不限", examples=example("2026-06-01"))
]
Until = Annotated[
    date | None, QueryParameter(description="到哪个业务日期止（北京时间）；不填为不限", examples=example("2026-07-31"))
]

MAX_SUSPECTED = 8
"""Of one address: so many are looked for among ids; with more of them it is no question."""

_STRICT = ("/api/", "/data/")
"""Below these a question has no other parameters than its own. Links to pages and feeds are passed on with more."""


def questions(document: OpenAPI) -> dict[str, frozenset[str]]:
    """Address of each question, as a template → the names of its parameters."""
    return {
        path: frozenset(
            each.name for each in item.get.parameters or () if isinstance(each, Parameter) and each.param_in == "query"
        )
        for path, item in (document.paths or {}).items()
        if item.get is not None and path.startswith(_STRICT)
    }


async def holds_code(request: Request[Any, Any, Any], database: Database) -> bool:
    """Whether anything of a question reads as a receipt code: addresses are kept, by caches, histories and logs.

    Numbers are none, nor is the id of anything there is: of what has as many symbols, one in thirty reads as a code.
    """
    if not request.scope["query_string"]:
        return False
    said = {" ".join(each.replace("\x00", " ").split()) for pair in request.query_params.multi_items() for each in pair}
    suspected = [each for each in said if privacy.parse_code(each) and not (each.isascii() and each.isdigit())]
    if not suspected or len(suspected) > MAX_SUSPECTED:
        return bool(suspected)
    async with database.raw() as connection:
        return not all([await is_id(connection, each.lower()) for each in suspected])


def check_names(request: Request[Any, Any, Any], known: Mapping[str, frozenset[str]]) -> None:
    """Raises ValidationException where a GET has a parameter that its door does not know: it would narrow nothing."""
    if not request.scope["query_string"] or request.scope["method"] != "GET":
        return
    names = known.get(request.scope.get("path_template", ""))
    if names is None or not (others := [each for each in request.query_params if each not in names]):
        return
    message = f"没有这个参数；可用的有 {'、'.join(sorted(names))}" if names else "这个地址没有参数"
    raise ValidationException(message, extra=[{"key": each, "message": message} for each in others])
