"""A whole list as a file, in each format: the same rows, columns, count and sum."""

from base64 import b64encode
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, BinaryIO, Literal

from litestar import MediaType, Request, Response, get
from litestar.di import NamedDependency, Provide
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter
from litestar.response import Stream

from api.fields import example
from api.problems import ProblemError, answered
from api.public import permalinks
from api.public.etags import is_known
from api.public.permalinks import BYTE_ORDER_MARK, CSV
from api.public.workshop import Workshop, in_thread, while_there
from ledger.opendata import parquet, workbook
from ledger.opendata.table import Announced, Row, SheetMaker, Table
from ledger.store.queries.head import Head
from ledger.store.queries.lists import Total

NDJSON = "application/x-ndjson"

Suffix = Literal["csv", "ndjson", "parquet", "xlsx"]

IS_HEAD = "is_head"
"""Of a request's state: whether nobody will read what is answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """All of a list, narrowed, as of an entry: what is announced, and its rows in the order of the columns."""

    head: Head
    is_pinned: bool
    total: Total
    asked: Mapping[str, str | int]
    chunks: Callable[[], AsyncGenerator[Sequence[Row]]]
    licence: str


def handlers(table: Table, whole: Provide, more: Mapping[str, Provide] | None = None) -> list[HTTPRouteHandler]:
    """The addresses of a list's files. `whole`: the dependency that says what was asked for; `more`: what it needs."""
    dependencies = {"whole": whole, **(more or {})}
    operation = f"download_{table.path.removeprefix('/api/v1/').replace('/', '_')}"
    announced = "行数与金额之和见 Sunledger-Rows、Sunledger-Sum-Fen" if table.amount else "行数见 Sunledger-Rows"
    about_streamed = f"全部，一行一项。{announced} 头和文件名；不完整则连接中断。"
    about_built = f"全部，一行一项。{announced} 头和文件名；SHA-256 见 Repr-Digest 头。"

    @get(
        f"{table.path}.csv",
        operation_id=operation,
        summary=f"{table.title}（CSV）",
        description=about_streamed,
        tags=["下载"],
        responses=answered(str, table.title, 404, 503, media_type=CSV),
        dependencies=dependencies,
    )
    async def as_csv(request: Request[Any, Any, Any], whole: NamedDependency[Whole]) -> Stream:
        return csv(request, table, whole)

    @get(
        f"{table.path}.ndjson",
        operation_id=f"{operation}_ndjson",
        summary=f"{table.title}（NDJSON）",
        description=about_streamed,
        tags=["下载"],
        responses=answered(str, table.title, 404, 503, media_type=NDJSON),
        dependencies=dependencies,
    )
    async def as_ndjson(request: Request[Any, Any, Any], whole: NamedDependency[Whole]) -> Stream:
        headers = _headers(table, whole, "ndjson")
        return streamed(request, _ndjson(table, whole), NDJSON, headers, is_empty=not whole.total.rows)

    @get(
        f"{table.path}.parquet",
        operation_id=f"{operation}_parquet",
        summary=f"{table.title}（Parquet）",
        description=about_built,
        tags=["下载"],
        responses=answered(bytes, table.title, 404, 503, media_type=parquet.MEDIA_TYPE),
        dependencies=dependencies,
        exact_bytes=True,
    )
    async def as_parquet(
        request: Request[Any, Any, Any], workshop: NamedDependency[Workshop], whole: NamedDependency[Whole]
    ) -> Response[Any]:
        making = partial(_build, parquet.ParquetSheet, table, whole, "parquet")
        return await _answer(request, workshop, making, parquet.MEDIA_TYPE, _headers(table, whole, "parquet"))

    @get(
        f"{table.path}.xlsx",
        operation_id=f"{operation}_xlsx",
        summary=f"{table.title}（Excel）",
        description=f"{about_built}最多 {workbook.MOST_ROWS} 行，超过则不答复。",
        tags=["下载"],
        responses=answered(bytes, table.title, 404, 422, 503, media_type=workbook.MEDIA_TYPE),
        dependencies=dependencies,
        exact_bytes=True,
    )
    async def as_workbook(
        request: Request[Any, Any, Any], workshop: NamedDependency[Workshop], whole: NamedDependency[Whole]
    ) -> Response[Any]:
        making = partial(_build, _workbook(table, whole), table, whole, "xlsx")
        return await _answer(request, workshop, making, workbook.MEDIA_TYPE, _headers(table, whole, "xlsx"))

    @get(
        f"{table.path}.sha256",
        operation_id=f"{operation}_sha256",
        summary=f"{table.title}（SHA-256）",
        description="其中一种文件的 SHA-256 和文件名，一行，供 sha256sum --check 核对。为此当场生成一遍，不发送。",
        tags=["下载"],
        responses=answered(str, table.title, 404, 422, 503, media_type=MediaType.TEXT),
        dependencies=dependencies,
    )
    async def as_digest(
        request: Request[Any, Any, Any],
        workshop: NamedDependency[Workshop],
        whole: NamedDependency[Whole],
        of: Annotated[Suffix, QueryParameter(description="哪一种文件", examples=example("csv"))] = "csv",
    ) -> Response[Any]:
        canonical = permalinks.address(f"{table.path}.sha256", {**whole.asked, "of": of}, whole.head.seq)
        headers = permalinks.caching(canonical, is_pinned=whole.is_pinned)
        if request.scope["state"][IS_HEAD]:
            return Stream(iter(()), media_type=MediaType.TEXT, headers=headers)
        sha256 = await while_there(request, _digest(workshop, table, whole, of))
        name = permalinks.file_name(table.name, whole.head.seq, whole.total.rows, _sum(table, whole), suffix=of)
        return Response(f"{sha256.hex()}  {name}\n", media_type=MediaType.TEXT, headers=headers)

    return [as_csv, as_ndjson, as_parquet, as_workbook, as_digest]


def csv(request: Request[Any, Any, Any], table: Table, whole: Whole) -> Stream:
    """All of a list as CSV."""
    return streamed(request, _csv(table, whole), CSV, _headers(table, whole, "csv"))


def streamed(
    request: Request[Any, Any, Any],
    pieces: AsyncGenerator[str | bytes],
    media_type: str,
    headers: Mapping[str, str],
    *,
    is_empty: bool = False,
) -> Stream:
    """Sent while it is read, so without ETag and length. For HEAD nothing is read."""
    if not request.scope["state"][IS_HEAD]:
        return Stream(pieces, media_type=media_type, headers=headers)
    # What has a piece is compressed, and says so. This one is not sent.
    return Stream(iter(() if is_empty else (b"\n",)), media_type=media_type, headers=headers)


def _address(table: Table, whole: Whole, suffix: str) -> str:
    return permalinks.address(f"{table.path}.{suffix}", whole.asked, whole.head.seq)


def _headers(table: Table, whole: Whole, suffix: str) -> dict[str, str]:
    return {
        **permalinks.caching(_address(table, whole, suffix), is_pinned=whole.is_pinned),
        **permalinks.attachment(table.name, whole.head.seq, whole.total.rows, _sum(table, whole), suffix=suffix),
    }


def _sum(table: Table, whole: Whole) -> int | None:
    """What is announced; None of a table that nothing is summed of."""
    return whole.total.sum_fen if table.amount else None


async def _checked(table: Table, whole: Whole) -> AsyncGenerator[Sequence[Row]]:
    """The rows that were announced, or an error: never fewer in silence."""
    count = sum_fen = 0
    at = table.amount_at
    async for found in whole.chunks():
        count += len(found)
        if at is not None:
            sum_fen += sum(row[at] for row in found)  # type: ignore[misc]  # a column of fen
        yield found
    assert (count, sum_fen) == whole.total, f"{whole.total} announced, {count} rows of {sum_fen} fen found"


async def _csv(table: Table, whole: Whole) -> AsyncGenerator[bytes]:
    yield (BYTE_ORDER_MARK + permalinks.csv_line([each.name for each in table.columns])).encode()
    async for found in _checked(table, whole):
        yield "".join(map(permalinks.csv_line, found)).encode()


async def _ndjson(table: Table, whole: Whole) -> AsyncGenerator[bytes]:
    names = [each.name for each in table.columns]
    async for found in _checked(table, whole):
        yield b"".join(permalinks.encode(dict(zip(names, row, strict=True))) + b"\n" for row in found)


def _workbook(table: Table, whole: Whole) -> SheetMaker:
    """What makes one. Raises ProblemError where it cannot hold so much."""
    if whole.total.rows > workbook.MOST_ROWS:
        raise ProblemError(
            "too-many-rows",
            f"一个工作表最多 {workbook.MOST_ROWS} 行，这里有 {whole.total.rows} 行；请下载 CSV 或 Parquet",
            csv=_address(table, whole, "csv"),
            parquet=_address(table, whole, "parquet"),
        )
    return workbook.WorkbookSheet


async def _digest(workshop: Workshop, table: Table, whole: Whole, of: Suffix) -> bytes:
    """The SHA-256 of the file, made once more for it. Raises ProblemError as the file itself would."""
    if of in {"csv", "ndjson"}:
        return await workshop.digest((_csv if of == "csv" else _ndjson)(table, whole))
    maker = parquet.ParquetSheet if of == "parquet" else _workbook(table, whole)
    made = await workshop.build(partial(_build, maker, table, whole, of))
    made.close()
    return made.sha256


async def _build(  # noqa: PLR0913, PLR0917
    maker: SheetMaker, table: Table, whole: Whole, suffix: str, file: BinaryIO, folder: str
) -> None:
    announced = Announced(
        seq=whole.head.seq,
        at=whole.head.at,
        address=_address(table, whole, suffix),
        rows=whole.total.rows,
        sum_fen=_sum(table, whole),
        licence=whole.licence,
    )
    sheet = maker(file, table, announced, folder)
    try:
        async for found in _checked(table, whole):
            await in_thread(sheet.add, found)
        await in_thread(sheet.close)
    except BaseException:
        sheet.give_up()
        raise


async def _answer(
    request: Request[Any, Any, Any],
    workshop: Workshop,
    making: Callable[[BinaryIO, str], Awaitable[None]],
    media_type: str,
    headers: Mapping[str, str],
) -> Response[Any]:
    """The file that is made. HEAD has no length and no digest: RFC 9110, section 9.3.2, allows what costs much."""
    if request.scope["state"][IS_HEAD]:
        return Stream(iter(()), media_type=media_type, headers=headers)
    made = await while_there(request, workshop.build(making))
    etag = f'"{made.sha256.hex()}"'
    said = {**headers, "ETag": etag, "Repr-Digest": f"sha-256=:{b64encode(made.sha256).decode()}:"}
    if is_known(request.headers, etag):
        made.close()
        return Response(b"", status_code=304, headers=said)
    return Stream(made.pieces(), media_type=media_type, headers={**said, "Content-Length": str(made.size)})
