"""Registers: organisations, funds, projects, campaigns. A page as JSON, or all of it as CSV, at one address."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_origin

import asyncpg
from litestar import Request, Response, get
from litestar.di import NamedDependency, Provide
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec

from api.problems import ProblemError, described
from api.public import permalinks
from api.public.answers import FRESH, After, AsOf, Limit, OrgFilter, Shape
from api.public.permalinks import CSV
from ledger.entries import Restriction
from ledger.store.database import Database
from ledger.store.queries.aggregates import MAX_ROWS
from ledger.store.queries.head import read_head

Path = tuple[str, ...]
"""Where a value stands in an item: a field's name, and that of a field in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """Everything of a kind, in the order of its ids."""

    name: str
    title: str
    about: str
    item: type[Shape]
    page: type[Shape]
    """Of `as_of`, `items` and `next`."""
    key: Path
    """Fields of an item that a cursor is made of."""
    amount: str
    """The figure whose sum is announced with all of it."""
    read: Callable[[asyncpg.Connection, str, str, int], Awaitable[Sequence[Shape]]]
    """So many items after a cursor, of one organisation if it is named."""
    is_owned: bool = True
    """Whether they are somebody's, so that one organisation's can be asked for."""


def handlers(register: Register) -> list[HTTPRouteHandler]:
    """The addresses of a register."""
    path, sheet_name = f"/api/v1/{register.name}", f"{register.name}.csv"
    dependencies = {"whose": Provide(_of_one if register.is_owned else _of_all, sync_to_thread=False)}

    @get(
        path,
        operation_id=f"list_{register.name}",
        summary=f"{register.title}列表",
        description=f"{register.about}Accept: text/csv 得到全部，一行一项，与 {sheet_name} 相同。",
        tags=["收支"],
        responses={200: ResponseSpec(register.page, description=register.title), **described(422, 503)},
        dependencies=dependencies,
        exact_bytes=True,
    )
    async def listed(
        request: Request[Any, Any, Any],
        database: NamedDependency[Database],
        whose: NamedDependency[str],
        after: After = "",
        limit: Limit = 50,
    ) -> Response[bytes]:
        if permalinks.wants_csv(request):
            return permalinks.negotiated(await _sheet(request, database, register, whose))
        async with database.snapshot() as connection:
            head = await read_head(connection)
            found = await register.read(connection, whose, after, limit + 1)
        items = found[:limit]
        following = ":".join(getattr(items[-1], each) for each in register.key) if len(found) > limit else None
        page = {"as_of": AsOf.model_validate(head), "items": items, "next": following}
        return permalinks.negotiated(permalinks.stated(request, register.page.model_validate(page)))

    @get(
        f"/api/v1/{sheet_name}",
        operation_id=f"download_{register.name}",
        summary=f"{register.title}（CSV）",
        description=f"全部，一行一项。行数与 {register.amount} 之和见 Sunledger-Rows、Sunledger-Sum-Fen 头和文件名。",
        tags=["下载"],
        responses={
            200: ResponseSpec(str, media_type=CSV, description=register.title, generate_examples=False),
            **described(422, 503),
        },
        dependencies=dependencies,
        exact_bytes=True,
    )
    async def sheet(
        request: Request[Any, Any, Any], database: NamedDependency[Database], whose: NamedDependency[str]
    ) -> Response[bytes]:
        return await _sheet(request, database, register, whose)

    return [listed, sheet]


async def _sheet(request: Request[Any, Any, Any], database: Database, register: Register, org: str) -> Response[bytes]:
    async with database.snapshot() as connection:
        head = await read_head(connection)
        found = await register.read(connection, org, "", MAX_ROWS + 1)
    if len(found) > MAX_ROWS:
        raise ProblemError("too-many-rows", f"超过 {MAX_ROWS} 行；请翻页，或分组织下载")
    columns = dict(_columns(register.item))
    rows = [[_at(each, where) for where in columns.values()] for each in found]
    sum_fen = sum(_at(each, columns[register.amount]) for each in found)
    lines = map(permalinks.csv_line, [[*columns], *rows])
    headers = {**FRESH, **permalinks.attachment(register.name, head.seq, len(rows), sum_fen)}
    return permalinks.exactly(request, (permalinks.BYTE_ORDER_MARK + "".join(lines)).encode(), CSV, headers)


def _of_one(org: OrgFilter = "") -> str:
    return org


def _of_all() -> str:
    return ""


def _columns(shape: type[Shape]) -> Iterator[tuple[str, Path]]:
    """Name → where it stands: of what an item holds in itself the fields, too; its `figures` under their own names."""
    for name, field in shape.model_fields.items():
        kind: Any = field.annotation
        if isinstance(kind, type) and issubclass(kind, Shape):
            prefix = "" if name == "figures" else f"{name}_"
            yield from ((f"{prefix}{inner}", (name, *where)) for inner, where in _columns(kind))
        elif get_origin(kind) is dict:  # what a fund is restricted to, as far as it is
            yield from ((f"{name}_{inner}", (name, inner)) for inner in Restriction.__struct_fields__)
        elif get_origin(kind) is not Literal:  # how figures hang together, in each row the same
            yield name, (name,)


def _at(item: Shape, where: Path) -> Any:
    found: Any = item
    for name in where:
        found = found.get(name, "") if isinstance(found, dict) else getattr(found, name)
    return found
