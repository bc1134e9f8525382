"""Registers: organisations, funds, projects, campaigns, events. A page as JSON, or all of it as CSV, at one address."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_origin

import asyncpg
from litestar import Request, Response, get
from litestar.di import NamedDependency, Provide
from litestar.handlers import HTTPRouteHandler

from api.problems import ProblemError, answered
from api.public import permalinks
from api.public.answers import FRESH, After, AsOf, Limit, OrgFilter, Shape
from api.public.asking import Entry
from api.public.permalinks import CSV, NOW
from api.public.tables import RESTRICTED
from ledger.store.database import Database
from ledger.store.queries.aggregates import MAX_ROWS
from ledger.store.queries.head import Head

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
    """The figure whose sum is announced with all of it; empty: there is none."""
    read: Callable[[asyncpg.Connection, "Asked", str, int], Awaitable[Sequence[Shape]]]
    """What was asked for: so many items after a cursor."""
    asking: Callable[..., "Asked"]
    """What can be asked for: `of_all`, `of_all_then`, `of_one`, `of_one_then`."""


class Asked(NamedTuple):
    """Of a register: one organisation's items only, as of an entry. What is left out does not narrow it."""

    org: str = ""
    as_of: int = NOW

    @property
    def then(self) -> int | None:
        """As queries take it."""
        return None if self.as_of == NOW else self.as_of


def of_all() -> Asked:
    """Whatever there is, now."""
    return Asked()


def of_all_then(as_of: Entry = NOW) -> Asked:
    """Whatever there is, and can be told of any entry."""
    return Asked(as_of=as_of)


def of_one(org: OrgFilter = "") -> Asked:
    """What is somebody's, now."""
    return Asked(org)


def of_one_then(org: OrgFilter = "", as_of: Entry = NOW) -> Asked:
    """What is somebody's, and can be told of any entry."""
    return Asked(org, as_of)


def handlers(register: Register) -> list[HTTPRouteHandler]:
    """The addresses of a register."""
    path, sheet_name = f"/api/v1/{register.name}", f"{register.name}.csv"
    announced = "行数见 Sunledger-Rows "
    if register.amount:
        announced = f"行数与 {register.amount} 之和见 Sunledger-Rows、Sunledger-Sum-Fen "
    dependencies = {"asked": Provide(register.asking, sync_to_thread=False)}

    @get(
        path,
        operation_id=f"list_{register.name}",
        summary=f"{register.title}列表",
        description=f"{register.about}Accept: text/csv 得到全部，一行一项，与 {sheet_name} 相同。",
        tags=["收支"],
        responses=answered(register.page, register.title, 404, 422, 503),
        dependencies=dependencies,
        exact_bytes=True,
    )
    async def listed(
        request: Request[Any, Any, Any],
        database: NamedDependency[Database],
        asked: NamedDependency[Asked],
        after: After = "",
        limit: Limit = 50,
    ) -> Response[bytes]:
        if permalinks.wants_csv(request):
            return permalinks.negotiated(await _sheet(database, register, asked))
        async with database.snapshot() as connection:
            head = await permalinks.read_as_of(connection, asked.as_of)
            found = await register.read(connection, asked, after, limit + 1)
        items = found[:limit]
        following = ":".join(getattr(items[-1], each) for each in register.key) if len(found) > limit else None
        page = {"as_of": AsOf.model_validate(head), "items": items, "next": following}
        headers = _headers(register, path, asked, head, after=after, limit=limit)
        return permalinks.negotiated(permalinks.stated(register.page.model_validate(page), headers))

    @get(
        f"/api/v1/{sheet_name}",
        operation_id=f"download_{register.name}",
        summary=f"{register.title}（CSV）",
        description=f"全部，一行一项。{announced}头和文件名。",
        tags=["下载"],
        responses=answered(str, register.title, 404, 422, 503, media_type=CSV),
        dependencies=dependencies,
        exact_bytes=True,
    )
    async def sheet(database: NamedDependency[Database], asked: NamedDependency[Asked]) -> Response[bytes]:
        return await _sheet(database, register, asked)

    return [listed, sheet]


async def _sheet(database: Database, register: Register, asked: Asked) -> Response[bytes]:
    async with database.snapshot() as connection:
        head = await permalinks.read_as_of(connection, asked.as_of)
        found = await register.read(connection, asked, "", MAX_ROWS + 1)
    if len(found) > MAX_ROWS:
        raise ProblemError("too-many-rows", f"超过 {MAX_ROWS} 行；请翻页，或分组织下载")
    columns = dict(columns_of(register.item))
    rows = [[value_at(each, where) for where in columns.values()] for each in found]
    sum_fen = sum(value_at(each, columns[register.amount]) for each in found) if register.amount else None
    headers = {
        **_headers(register, f"/api/v1/{register.name}.csv", asked, head),
        **permalinks.attachment(register.name, head.seq, len(rows), sum_fen),
    }
    return permalinks.sheet([[*columns], *rows], headers)


def _headers(register: Register, path: str, asked: Asked, head: Head, **paging: str | int) -> dict[str, str]:
    """How long an answer may be kept; where it stays, if it can."""
    if register.asking not in {of_all_then, of_one_then}:
        return FRESH
    canonical = permalinks.address(path, {"org": asked.org, **paging}, head.seq)
    return permalinks.caching(canonical, is_pinned=asked.as_of != NOW)


def columns_of(shape: type[Shape]) -> Iterator[tuple[str, Path]]:
    """Name → where it stands: of what an item holds in itself the fields, too; its `figures` under their own names."""
    for name, field in shape.model_fields.items():
        kind: Any = field.annotation
        if isinstance(kind, type) and issubclass(kind, Shape):
            prefix = "" if name == "figures" else f"{name}_"
            yield from ((f"{prefix}{inner}", (name, *where)) for inner, where in columns_of(kind))
        elif get_origin(kind) is dict:  # what a fund is restricted to, as far as it is
            yield from ((f"{name}_{inner}", (name, inner)) for inner in RESTRICTED)
        elif get_origin(kind) is not Literal:  # how figures hang together, in each row the same
            yield name, (name,)


def value_at(item: Shape | Mapping[str, Any], where: Path) -> Any:
    """What stands there in an item."""
    found: Any = item
    for name in where:
        found = found.get(name, "") if isinstance(found, dict) else getattr(found, name)
    return found
