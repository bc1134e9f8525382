"""Editions of the open data: made by asking the public interface itself, so that there is no second writer; served."""

import asyncio
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, BinaryIO, cast

import msgspec
from litestar import Litestar, Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.params import PathParameter
from litestar.plugins.pydantic import PydanticPlugin
from litestar.response import Stream
from litestar.types import HTTPScope, Message
from pydantic import Field

from api import problems
from api.fields import example
from api.problems import ProblemError, answered
from api.public import corrections, data, lineage, lists, permalinks, register_tables
from api.public.answers import IMMUTABLE, Before, Limit, Shape
from api.public.downloads import IS_HEAD
from api.public.etags import is_known
from api.public.permalinks import SITE_URL
from api.public.workshop import PIECE_BYTES, Workshop
from ledger.account import MAX_POSITION
from ledger.opendata import editions
from ledger.opendata.editions import Edition, EditionError, File, LeftOut
from ledger.opendata.terms import Terms
from ledger.store.database import Database

_TABLES = (*data.TABLES, lineage.TABLE)
FILES = {
    **{f"{table.name}.{suffix}": (f"{table.path}.{suffix}", table.title) for table in _TABLES for suffix in data.FILES},
    "datapackage.json": (data.PACKAGE, "数据包说明（Frictionless）"),
    "dcat.jsonld": (data.CATALOGUE, "数据目录（DCAT）"),
    "iati-activities.xml": (data.IATI, "项目（IATI 2.03）"),
    "360giving.json": (data.GIVING, "对机构的资助（360Giving）"),
}
"""Name → address and title."""

_INDICES = {editions.INDEX: "application/json", editions.SUMS: "text/plain; charset=utf-8"}

_LEFT_OUT = {"not-configured", "not-found", "too-many-rows"}
"""Problems that leave a file out, and say why."""


class ListedEdition(Shape):
    """一晚的数据集。"""

    size: int = Field(description="签名公布的条数")
    as_of: int = Field(description="截至哪一条")
    index: str = Field(description="它的目录：各文件的行数、合计、大小和 SHA-256")


class EditionList(Shape):
    """每晚的数据集，新的在前。"""

    items: list[ListedEdition] = Field(description="本页的数据集")
    next: int | None = Field(description="下一页的 before；没有更多则为空")


@get(
    "/data/editions",
    summary="每晚的数据集",
    tags=["开放数据"],
    responses=answered(EditionList, "数据集", 503),
    exact_bytes=True,
)
async def list_editions(
    open_data: NamedDependency[Path | None],
    before: Before = MAX_POSITION,
    limit: Limit = 50,
) -> Response[bytes]:
    """运营者每晚公布的数据集有哪些；没有则为空。"""
    found = [size for size in editions.sizes(open_data) if size < before] if open_data else []
    items = [
        ListedEdition(size=size, as_of=size - 1, index=f"/data/editions/{size}/{editions.INDEX}")
        for size in found[:limit]
    ]
    return permalinks.stated(EditionList(items=items, next=found[limit - 1] if len(found) > limit else None))


@get(
    "/data/editions/{size:int}/{name:str}",
    summary="每晚的数据集：一个文件",
    tags=["开放数据"],
    responses=answered(bytes, "文件", 404, 503, media_type="application/octet-stream"),
    exact_bytes=True,
)
async def get_edition_file(
    request: Request[Any, Any, Any],
    open_data: NamedDependency[Path | None],
    size: Annotated[int, PathParameter(description="签名公布的条数", ge=0, le=MAX_POSITION, examples=example(136))],
    name: Annotated[
        str, PathParameter(description="文件名；index.json 列出全部", max_length=64, examples=example("index.json"))
    ],
) -> Response[Any]:
    """运营者每晚公布的数据集。index.json 列出各文件的行数、合计、大小和 SHA-256；SHA256SUMS 供 sha256sum 核对。"""
    edition = editions.read(open_data, size) if open_data else None
    named = {each.name: each.media_type for each in edition.files} | _INDICES if edition else {}
    if open_data is None or edition is None or name not in named:
        raise ProblemError("not-found", "没有这个数据集或文件")
    path = open_data / str(size) / name
    digests = {each.name: each.sha256 for each in edition.files}
    etag = f'"{digests.get(name) or editions.sha256(path)}"'
    headers = {
        **IMMUTABLE,
        "Content-Disposition": f'attachment; filename="as-of-{edition.as_of}-{name}"',
        "Content-Length": str(path.stat().st_size),
        "ETag": etag,
    }
    if is_known(request.headers, etag):
        del headers["Content-Length"]
        return Response(b"", status_code=304, headers=headers)
    pieces = iter(()) if request.scope["state"][IS_HEAD] else _pieces(path)
    return Stream(pieces, media_type=named[name], headers=headers)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


async def publish(database: Database, terms: Terms, folder: Path, size: int, *, site_url: str) -> Edition:
    """The edition of a published state that has a lineage report; `latest` leads to the newest one then.

    One that is there already stays as it is. Raises EditionError.
    """
    with editions.writing(folder):
        if (found := editions.read(folder, size)) is None:
            found = await _make(database, terms, folder, size, site_url)
        editions.point(folder)
    return found


async def _make(database: Database, terms: Terms, folder: Path, size: int, site_url: str) -> Edition:
    async with database.snapshot() as connection:
        head = await permalinks.read_as_of(connection, size - 1)
    app = _application(database, terms, site_url)
    staged = editions.staging(folder, size)
    files: list[File] = []
    left_out: list[LeftOut] = []
    for name, (path, title) in FILES.items():
        target = staged / name
        with target.open("wb") as file:
            answer = await _Answer.of(app, permalinks.address(path, {}, head.seq), file)
        if answer.status != HTTPStatus.OK:
            said = msgspec.json.decode(target.read_bytes())
            target.unlink()
            if said["type"].rpartition("/")[2] not in _LEFT_OUT:
                raise EditionError(f"{name}: {said['title']}: {said['detail']}")
            left_out.append(LeftOut(name=name, why=f"{said['title']}：{said['detail']}"))
            continue
        rows, sum_fen = (answer.headers.get(f"sunledger-{each}") for each in ("rows", "sum-fen"))
        files.append(
            File(
                name=name,
                title=title,
                media_type=answer.headers["content-type"],
                address=site_url + permalinks.address(path, {}, head.seq),
                length=target.stat().st_size,
                sha256=editions.sha256(target),
                rows=int(rows) if rows else None,
                sum_fen=int(sum_fen) if sum_fen else None,
            )
        )
    edition = Edition(
        size=size,
        as_of=head.seq,
        at=head.at,
        licence=terms.licence.name,
        files=tuple(files),
        left_out=tuple(left_out),
    )
    editions.finish(folder, edition)
    return edition


def _application(database: Database, terms: Terms, site_url: str) -> Litestar:
    """The doors of open data alone: nobody is counted, no key is needed."""
    workshop = Workshop()
    return Litestar(
        route_handlers=[
            *lists.HANDLERS,
            *corrections.HANDLERS,
            *lineage.HANDLERS,
            *register_tables.HANDLERS,
            *data.HANDLERS,
        ],
        dependencies={
            "database": Provide(lambda: database, sync_to_thread=False),
            "terms": Provide(lambda: terms, sync_to_thread=False),
            "workshop": Provide(lambda: workshop, sync_to_thread=False),
        },
        state=State({SITE_URL: site_url}),
        exception_handlers=problems.HANDLERS,
        openapi_config=None,
        plugins=[PydanticPlugin(validate_strict=None)],  # type: ignore[arg-type]  # as the public application
        logging_config=None,
    )


class _Answer:
    """An application's answer to one question, asked without a network."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._is_asked = False
        self._whole = asyncio.Event()
        self.status = 0
        self.headers: dict[str, str] = {}

    @classmethod
    async def of(cls, app: Litestar, address: str, file: BinaryIO) -> "_Answer":
        """Its body goes to `file` as it comes. Raises EditionError where it breaks off."""
        path, _, query = address.partition("?")
        answer = cls(file)
        scope: dict[str, Any] = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "", "headers": [],
            "client": None, "server": ("localhost", 80), "state": {IS_HEAD: False},
        }  # fmt: skip
        await app(cast("HTTPScope", scope), answer._receive, answer._send)
        if not answer._whole.is_set():
            raise EditionError(f"{path}: the answer broke off")
        return answer

    async def _receive(self) -> Any:
        if self._is_asked:
            await self._whole.wait()  # nobody leaves before the end
            return {"type": "http.disconnect"}
        self._is_asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
        elif message["type"] == "http.response.body":
            self._file.write(message["body"])
            if not message["more_body"]:
                self._whole.set()


HANDLERS: list[Any] = [list_editions, get_edition_file]
