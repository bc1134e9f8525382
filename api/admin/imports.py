"""Doors of imports that were approved: follow how one is entered, end it, fetch its receipt codes."""

import csv
import io
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import PathParameter
from litestar.response import File, Stream
from pydantic import BaseModel, Field

from api.admin.answers import Answer, carry_out, writes
from api.admin.resources import Clerk, Resources
from api.fields import example
from api.problems import ProblemError, described
from ledger import privacy
from ledger.account import MAX_POSITION
from ledger.donations import AbandonImport
from ledger.roles import REQUIRED
from ledger.store.donors import record_access
from ledger.store.queries.batches import read_newest, read_sealed
from ledger.store.refused_rows import RefusedRow
from ledger.store.tables.registers import ImportBatchRow
from ledger.store.vault import open_record

Door = Request[Any, Any, Any]
BatchId = Annotated[int, PathParameter(description="批准条目的序号", ge=0, le=MAX_POSITION, examples=example(27))]
CODES_AT_ONCE = 5_000
REFUSED_SHOWN = 20


class RefusedRowOut(BaseModel):
    """录入时未被接受的一行；不含姓名。"""

    row: int = Field(description="表格中的行号")
    reason: str = Field(description="问题类型的末段")
    title: str = Field(description="原因")
    detail: str


class ImportOut(BaseModel):
    """一个已批准的批次。"""

    batch: int = Field(description="批次编号（批准条目的序号）")
    org: str
    fund: str
    channel: str
    name: str
    rows: int
    sum_fen: int
    entered_rows: int
    entered_fen: int
    completed_seq: int | None = Field(description="完成条目的序号；为空表示正在录入")
    halted: str = Field("", description="不能继续录入的原因；为空表示正常。可重新上传同一表格，或由复核人终止")
    refused: list[RefusedRowOut] = Field(
        default_factory=list, description="录入时未被接受的行，最多 20 行（仅单件查询时）；全部见 refused.csv"
    )


@get("/api/v1/imports", summary="导入批次", tags=["导入"], responses=described(401, 403))
async def list_imports(clerk: NamedDependency[Clerk]) -> list[ImportOut]:
    """最近 200 个批次，新的在前。"""
    async with clerk.resources.database.read() as session:
        found = await read_newest(session, limit=200)
    return [_import(row, clerk.resources.intake.halted) for row in found]


@get("/api/v1/imports/{batch:int}", summary="一个批次", tags=["导入"], responses=described(401, 403, 404))
async def get_import(batch: BatchId, clerk: NamedDependency[Clerk]) -> ImportOut:
    """录入到第几笔，能否继续，哪些行未被接受。"""
    row = await _row(clerk.resources, batch)
    intake = clerk.resources.intake
    refused = [_refused(each) for each in intake.refused.first(batch, REFUSED_SHOWN)]
    return _import(row, intake.halted).model_copy(update={"refused": refused})


@get(
    "/api/v1/imports/{batch:int}/refused.csv",
    summary="录入时未被接受的行",
    tags=["导入"],
    responses=described(401, 403, 404),
)
async def get_refused(batch: BatchId, clerk: NamedDependency[Clerk]) -> File:
    """每一行及原因；不含姓名。核对时未通过的行不在其中。"""
    path = clerk.resources.intake.refused.path(batch)
    if not path.exists():
        raise ProblemError("not-found")
    return File(path=path, filename=path.name, media_type="text/csv")


@writes("/api/v1/imports/{batch:int}/abandonment", "终止导入", "导入")
async def abandon_import(request: Door, batch: BatchId, clerk: NamedDependency[Clerk]) -> Response[Answer]:
    """由经办人以外有复核职责的人终止：已录入的保留，其余计为未录入。表格之后仍可重新上传。"""
    answer = await carry_out(request, clerk, AbandonImport(maker=clerk.staff, batch=batch))
    clerk.resources.intake.wake()  # to clear the sheet away
    return answer


@get("/api/v1/imports/{batch:int}/codes.csv", summary="收据编号", tags=["导入"], responses=described(401, 403, 404))
async def get_import_codes(batch: BatchId, clerk: NamedDependency[Clerk]) -> Stream:
    """批次中每一笔的收据编号，供开具收据。只给本组织经办或复核导入的人员，并记入查阅记录。"""
    row = await _row(clerk.resources, batch)
    require_imports(clerk, row.org)
    async with clerk.resources.database.raw() as connection:
        await record_access(connection, batch, staff=clerk.staff, reason="receipts")
    return Stream(
        _codes(clerk.resources, batch), media_type="text/csv; charset=utf-8", headers={"Cache-Control": "no-store"}
    )


async def _codes(resources: Resources, batch: int) -> AsyncIterator[str]:
    """Lines of CSV, read from the vault in runs."""
    yield "row,seq,on,amount_fen,channel_ref,receipt_code\r\n"
    after = 0
    while True:
        async with resources.database.raw() as connection:
            found = await read_sealed(connection, batch, after=after, limit=CODES_AT_ONCE)
        if not found:
            return
        lines = io.StringIO()
        writer = csv.writer(lines)
        for seq, row, slot, sealed in found:
            after = row
            key = resources.subjects.read(slot)
            if key is None or not sealed:
                continue  # erased: there is no receipt any more
            record = open_record(key, sealed)
            gift = record.channel
            writer.writerow((row, seq, gift.on, gift.amount_fen, gift.channel_ref, privacy.printed(record.code)))
        yield lines.getvalue()


def require_imports(clerk: Clerk, org: str) -> None:
    """Raises NotAllowed unless this person prepares or checks imports there."""
    required = REQUIRED["import.approved"]
    clerk.resources.sequencer.books.require(clerk.staff, (*required.maker, *required.checker), org)


async def _row(resources: Resources, batch: int) -> ImportBatchRow:
    async with resources.database.read() as session:
        row = await session.get(ImportBatchRow, batch)
    if row is None:
        raise ProblemError("not-found")
    return row


def _import(row: ImportBatchRow, halted: Mapping[int, str]) -> ImportOut:
    return ImportOut(
        batch=row.seq,
        org=row.org,
        fund=row.fund,
        channel=row.channel,
        name=row.name,
        rows=row.rows,
        sum_fen=row.sum_fen,
        entered_rows=row.entered_rows,
        entered_fen=row.entered_fen,
        completed_seq=row.completed_seq,
        halted=halted.get(row.seq, "") if row.completed_seq is None else "",
    )


def _refused(each: RefusedRow) -> RefusedRowOut:
    return RefusedRowOut(row=each.row, reason=each.reason, title=each.title, detail=each.detail)


HANDLERS = [
    list_imports,
    get_import,
    get_refused,
    abandon_import,
    get_import_codes,
]
