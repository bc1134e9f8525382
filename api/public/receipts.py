"""Receipts to keep: entry and proof as a file or for a QR code; by code also the dossier. Codes come in bodies only."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from api.desk import Desk
from api.problems import ProblemError, answered
from api.public.answers import FRESH, NO_STORE, Seq
from api.public.log import BYTES, OPEN, TEXT
from api.public.trace import Lookup
from ledger.log.errors import MalformedError
from ledger.receipt.compact import encode_compact
from ledger.receipt.receipt import SUFFIX, Receipt
from ledger.store.database import Database
from ledger.store.queries.dossiers import read_dossier, read_receipt
from public_site.dossier import packed

ZIP = "application/zip"


@get(
    "/api/v1/entries/{seq:int}/receipt",
    summary="凭证文件",
    tags=["核验"],
    media_type=TEXT,
    responses=answered(str, "带条目的 .tlog-proof", 404, 503, media_type=TEXT),
)
async def get_receipt(seq: Seq, database: NamedDependency[Database]) -> Response[bytes]:
    """条目的原始字节和证明在一个文件里：C2SP tlog-proof，extra 为条目。"""
    receipt = await _published(database, seq)
    return Response(receipt.encode(), media_type=TEXT, headers={**FRESH, **OPEN, **_saved_as(f"entry-{seq}{SUFFIX}")})


@get(
    "/api/v1/entries/{seq:int}/receipt/compact",
    summary="凭证的二维码形式",
    tags=["核验"],
    media_type=BYTES,
    responses=answered(bytes, "放进二维码的字节", 404, 503, media_type=BYTES),
)
async def get_compact_receipt(seq: Seq, database: NamedDependency[Database]) -> Response[bytes]:
    """同一凭证，压缩到一个二维码放得下；太长的条目没有这种形式。"""
    try:
        data = encode_compact(await _published(database, seq))
    except MalformedError as error:
        raise ProblemError("not-found", "这一条太长，二维码放不下") from error
    return Response(data, media_type=BYTES, headers={**FRESH, **OPEN})


@post(
    "/api/v1/receipt",
    status_code=200,
    summary="凭收据编号取凭证文件",
    tags=["查询"],
    media_type=TEXT,
    responses=answered(str, "带条目的 .tlog-proof", 404, 413, 503, media_type=TEXT),
)
async def receipt_by_code(
    data: JSONBody[Lookup],
    request: Request[Any, Any, Any],
    desk: NamedDependency[Desk],
) -> Response[bytes]:
    """编号不存在、输错或不成编号，答复都一样。"""
    seq = await _found(desk, request, data)
    receipt = await _published(desk.database, seq)
    return Response(receipt.encode(), media_type=TEXT, headers={**NO_STORE, **_saved_as(f"entry-{seq}{SUFFIX}")})


@post(
    "/api/v1/dossier",
    status_code=200,
    summary="凭收据编号查询复制",
    tags=["查询"],
    media_type=ZIP,
    responses=answered(bytes, "zip：条目、证明、摘要、清单", 404, 413, 422, 503, media_type=ZIP),
)
async def dossier_by_code(
    data: JSONBody[Lookup], request: Request[Any, Any, Any], desk: NamedDependency[Desk]
) -> Response[bytes]:
    """一笔捐款的全部条目和每一条的证明。同一检查点之下，字节永远相同。"""
    seq = await _found(desk, request, data)
    async with desk.database.snapshot() as connection:
        found = await read_dossier(connection, desk.traces, seq)
    if found is None:
        raise ProblemError("not-published")
    return Response(packed(found), media_type=ZIP, headers={**NO_STORE, **_saved_as(f"gift-{seq}.zip")})


async def _found(desk: Desk, request: Request[Any, Any, Any], asked: Lookup) -> int:
    seq = await desk.look_up(request, asked.code, asked.seq)
    if seq is None:
        raise ProblemError("receipt-not-found")
    return seq


async def _published(database: Database, seq: int) -> Receipt:
    async with database.snapshot() as connection:
        receipt = await read_receipt(connection, seq)
    if receipt is None:
        raise ProblemError("not-published", headers=OPEN)
    return receipt


def _saved_as(name: str) -> dict[str, str]:
    """The name of the download; a code never stands in it."""
    return {"Content-Disposition": f'attachment; filename="{name}"'}


HANDLERS = [get_receipt, get_compact_receipt, receipt_by_code, dossier_by_code]
