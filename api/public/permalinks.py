"""Answers with an address that stays true: as of a given entry they are the same bytes for ever."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeVar
from urllib.parse import urlencode

import asyncpg
import msgspec
from litestar import Request, Response

from api.problems import ProblemError
from api.public.answers import FRESH, IMMUTABLE, Shape
from ledger import entries
from ledger.account import MAX_POSITION
from ledger.store.queries.entries import read_written
from ledger.store.queries.head import Head, read_head

Format = Literal["json", "csv"]
AnyResponse = TypeVar("AnyResponse", bound=Response[Any])

NOW = -1
"""As `as_of`: whatever the last entry is."""

SITE_URL = "site_url"
"""Of the application's state: the operator's address of the site; empty where nobody set one."""

CSV = "text/csv"
BYTE_ORDER_MARK = "\ufeff"
"""Without it spreadsheets take Chinese text for something else."""

encode = msgspec.json.encode


async def read_as_of(connection: asyncpg.Connection, as_of: int) -> Head:
    """The head, or the entry asked for in its place. Raises ProblemError for an entry that is not there yet."""
    head = await read_head(connection)
    if as_of in {NOW, head.seq}:
        return head
    written = await read_written(connection, as_of) if as_of <= MAX_POSITION else None
    if written is None:
        raise ProblemError("not-found", "账本还没有这一条")
    return Head(as_of, entries.decode(written).at, head.operator)


def address(path: str, asked: Mapping[str, str | int], seq: int) -> str:
    """Where the same answer stays. Parameters in the order of their names, without those left empty."""
    parameters = {name: value for name, value in sorted(asked.items()) if value != ""}
    return f"{path}?{urlencode({**parameters, 'as_of': seq})}"


def origin(request: Request[Any, Any, Any]) -> str:
    """The site as links name it, without a slash at its end: by the operator's setting, else by the host asked for."""
    return request.app.state.get(SITE_URL) or str(request.base_url).rstrip("/")


def caching(canonical: str, *, is_pinned: bool) -> dict[str, str]:
    """How long an answer may be kept, and where it stays."""
    return {**(IMMUTABLE if is_pinned else FRESH), "Link": f'<{canonical}>; rel="canonical"'}


def stated(answer: Shape, headers: Mapping[str, str] = FRESH) -> Response[bytes]:
    """This answer as JSON."""
    return Response(answer.model_dump_json().encode(), media_type="application/json", headers=headers)


def sheet(rows: Iterable[Sequence[object]], headers: Mapping[str, str]) -> Response[bytes]:
    """These rows as CSV, the names of the columns first."""
    return Response((BYTE_ORDER_MARK + "".join(map(csv_line, rows))).encode(), media_type=CSV, headers=headers)


def wants_csv(request: Request[Any, Any, Any]) -> bool:
    """Whether whoever asks would rather have CSV than JSON (`Accept`, RFC 9110, section 12.5.1)."""
    return request.accept.best_match(["application/json", CSV]) == CSV


def negotiated(response: AnyResponse) -> AnyResponse:
    """An answer at an address that has it in JSON and in CSV: caches keep both."""
    response.set_header("Vary", "Accept")
    return response


def csv_line(cells: Sequence[object]) -> str:
    """One line (RFC 4180). Text that a spreadsheet would take for a formula gets an apostrophe before it."""
    return ",".join(map(_cell, cells)) + "\r\n"


def attachment(name: str, seq: int, rows: int, sum_fen: int | None, *, suffix: str = "csv") -> dict[str, str]:
    """Row count and sum, in headers and in the file's name, so that a file that was cut off is noticed.

    `sum_fen`: None where nothing is summed.
    """
    summed = {} if sum_fen is None else {"Sunledger-Sum-Fen": str(sum_fen)}
    return {
        "Content-Disposition": f'attachment; filename="{file_name(name, seq, rows, sum_fen, suffix=suffix)}"',
        "Sunledger-As-Of": str(seq),
        "Sunledger-Rows": str(rows),
        **summed,
    }


def file_name(name: str, seq: int, rows: int, sum_fen: int | None, *, suffix: str) -> str:
    """What a sheet is called where it is kept."""
    fen = "" if sum_fen is None else f"-fen-{sum_fen}"
    return f"{name}-as-of-{seq}-rows-{rows}{fen}.{suffix}"


def _cell(value: object) -> str:
    if isinstance(value, list | tuple):
        value = " ".join(value)
    if not isinstance(value, str):
        return "" if value is None else str(value)
    if value.startswith(("=", "+", "-", "@", "\t", "\r")):
        value = f"'{value}"
    return '"' + value.replace('"', '""') + '"' if any(each in value for each in '",\r\n') else value
