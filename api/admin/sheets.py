"""Doors of sheets: hand one in, see its check, as whoever sent it and as whoever approves what it proposes."""

from pathlib import Path
from typing import Annotated, Any

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter
from litestar.response import File, Stream
from pydantic import BaseModel, Field

from api.admin.imports import require_imports
from api.admin.proposals import Number
from api.admin.resources import Clerk
from api.fields import EventId, FundId, Input, Org, Text, example
from api.problems import ProblemError, described
from ledger.account import MAX_POSITION
from ledger.donations import ApproveImport
from ledger.imports.profile import PROFILES
from ledger.imports.report import rejected_csv
from ledger.roles import REQUIRED
from ledger.store.queries.state import load_proposed
from ledger.store.sheets import Job
from ledger.store.staging import MAX_SHEET_BYTES, SCRATCH, Manifest

Door = Request[Any, Any, Any]
SheetId = Annotated[
    str, PathParameter(description="表格编号", pattern="^[0-9a-f]{16}$", examples=example("0123456789abcdef"))
]
MAX_NOTICES = 1_000
SHEET_GONE = "表格已不在：申请已经办结，或表格遗失 (the sheet is gone: the proposal is resolved, or the sheet was lost)"
NOT_KEPT = "核对时没有留存结果，可请经办人重新提交 (the check kept no report: have the sheet sent again)"


class StagedSheet(BaseModel):
    """已接收的表格。"""

    sheet: str = Field(description="表格编号")


class Printed(Input):
    """一份公示自己印出的合计。"""

    count: int | None = Field(None, ge=0, le=MAX_POSITION)
    sum_fen: int | None = Field(None, ge=0, le=MAX_POSITION)


class NewImport(Input):
    """核对整张表格，并按批次提交申请。"""

    profile: str = Field(description="表格样式", examples=sorted(PROFILES))
    name: Text = Field(description="表格名称：没有批次列时作为批次名", examples=["第三批公示"])
    org: Org
    fund: FundId
    event: EventId = ""
    totals: dict[str, Printed] = Field(default_factory=dict, max_length=MAX_NOTICES, description="批次 → 公示合计")


class NotProposed(BaseModel):
    """一个不能提交的批次。"""

    batch: str = Field(description="批次")
    type: str = Field(description="问题类型")
    title: str = Field(description="原因")
    detail: str


class Check(BaseModel):
    """核对的进展和结果。"""

    state: str = Field(description="checking 核对中；checked 已核对；refused 表格不能用；failed 系统出错")
    read_bytes: int
    size_bytes: int
    detail: str = ""
    report: dict[str, Any] | None = None
    proposals: dict[str, int] = Field(default_factory=dict, description="批次 → 申请编号；其他批次不能提交也不受影响")
    already_proposed: dict[str, int] = Field(
        default_factory=dict, description="批次 → 同一张表格先前已提交、尚待复核的申请编号；不再另提申请"
    )
    not_proposed: list[NotProposed] = Field(default_factory=list, description="无误但未能提交的批次及原因")
    resumed: dict[str, list[int]] = Field(
        default_factory=dict, description="批次 → 已批准、正以这张表格继续录入的导入编号；不再另提申请"
    )
    namesakes: dict[str, list[int]] = Field(
        default_factory=dict, description="批次 → 以前同名而表格不同的导入编号：可能是同一份公示，请核对后再批准"
    )


class ProposedCheck(BaseModel):
    """一件导入申请所依据的核对。"""

    proposal: int = Field(description="申请编号")
    batch: str = Field(description="申请导入的批次")
    rows: int = Field(description="申请导入的笔数")
    sum_fen: int = Field(description="申请导入的金额（分）")
    sheet: str = Field("", description="表格编号；为空表示表格已不在")
    absent: str = Field("", description="没有核对结果的原因；为空表示有")
    report: dict[str, Any] | None = Field(None, description="整张表格的核对结果，与经办人所见相同；不含姓名")
    namesakes: list[int] = Field(
        default_factory=list, description="以前同名而表格不同的导入编号：可能是同一份公示，请核对后再批准"
    )


@post(
    "/api/v1/sheets",
    summary="上传表格",
    tags=["导入"],
    responses=described(401, 403, 413),
    request_max_body_size=MAX_SHEET_BYTES,
)
async def stage_sheet(request: Door, clerk: NamedDependency[Clerk]) -> StagedSheet:
    """请求体就是 CSV 文件（可用 gzip 压缩）。此时什么都不入账。"""
    makers = REQUIRED["import.approved"].maker
    if all(
        clerk.resources.sequencer.books.roles(clerk.staff, org).isdisjoint(makers)
        for org in clerk.resources.sequencer.books.organisations
    ):
        raise ProblemError("role-required")
    return StagedSheet(sheet=await clerk.resources.sheets.staging.stage(request.stream()))


@post(
    "/api/v1/sheets/{sheet:str}/check",
    summary="核对表格",
    tags=["导入"],
    responses=described(401, 403, 404),
    status_code=202,
)
async def check_sheet(sheet: SheetId, data: JSONBody[NewImport], clerk: NamedDependency[Clerk]) -> Check:
    """先核对整张表格，再把无误的批次提交申请。重复提交同一张表格，得到同一结果。"""
    clerk.resources.sequencer.books.require(clerk.staff, REQUIRED["import.approved"].maker, data.org)
    manifest = Manifest(
        profile=data.profile,
        name=data.name,
        maker=clerk.staff,
        org=data.org,
        fund=data.fund,
        event=data.event,
        totals={name: (total.count, total.sum_fen) for name, total in data.totals.items()},
    )
    return _check(clerk.resources.sheets.begin(sheet, manifest))


@get("/api/v1/sheets/{sheet:str}/check", summary="核对结果", tags=["导入"], responses=described(401, 403, 404))
async def get_check(sheet: SheetId, clerk: NamedDependency[Clerk]) -> Check:
    """进展和结果。"""
    return _check(clerk.resources.sheets.job(sheet))


@get("/api/v1/sheets/{sheet:str}/rejected.csv", summary="未通过的行", tags=["导入"], responses=described(401, 403, 404))
async def get_rejected(sheet: SheetId, clerk: NamedDependency[Clerk]) -> File:
    """每一行及原因；不含姓名。"""
    job = clerk.resources.sheets.job(sheet)
    if job.report is None:
        raise ProblemError("not-found")
    path = clerk.resources.sheets.staging.rejected(sheet)
    if not path.exists():
        raise ProblemError("not-found")
    return File(path=path, filename="rejected.csv", media_type="text/csv")


@get(
    "/api/v1/proposals/{proposal:int}/check",
    summary="导入申请的核对结果",
    tags=["导入"],
    responses=described(401, 403, 404),
)
async def get_proposed_check(proposal: Number, clerk: NamedDependency[Clerk]) -> ProposedCheck:
    """供复核人在同意之前查看：未通过的行、与公示合计不符的批次、疑似重复。只给本组织经办或复核导入的人员。"""
    sheets = clerk.resources.sheets
    command, folder = await _proposed(clerk, proposal)
    report = None if folder is None else sheets.staging.report(folder.name)
    absent = SHEET_GONE if folder is None else "" if report is not None else NOT_KEPT
    namesakes = await sheets.namesakes(command.org, [command.name], command.file)
    return ProposedCheck(
        proposal=proposal,
        batch=command.name,
        rows=command.rows,
        sum_fen=command.sum_fen,
        sheet="" if folder is None else folder.name,
        absent=absent,
        report=report,
        namesakes=namesakes.get(command.name, []),
    )


@get(
    "/api/v1/proposals/{proposal:int}/rejected.csv",
    summary="导入申请的表格中未通过的行",
    tags=["导入"],
    responses=described(401, 403, 404),
)
async def get_proposed_rejected(proposal: Number, clerk: NamedDependency[Clerk]) -> Stream:
    """核对结果只列出前 200 行，这里是每一行及原因；不含姓名。"""
    _, folder = await _proposed(clerk, proposal)
    if folder is None:
        raise ProblemError("not-found", SHEET_GONE)
    return Stream(rejected_csv(folder / SCRATCH), media_type="text/csv; charset=utf-8")


async def _proposed(clerk: Clerk, proposal: int) -> tuple[ApproveImport, Path | None]:
    """What a proposal asks to import, and where the sheet lies from which it would be entered.

    Raises the problem `not-found` for what is no such proposal, and NotAllowed.
    """
    async with clerk.resources.database.raw() as connection:
        proposed = await load_proposed(connection, proposal)
    if proposed is None or not isinstance(proposed.command, ApproveImport):
        raise ProblemError("not-found", "这一条不是导入申请")
    command = proposed.command
    require_imports(clerk, command.org)
    found = clerk.resources.sheets.staging.find(command.file)
    return command, None if found is None else found[0]


def _check(job: Job) -> Check:
    if job.refused is not None:
        return Check(state="refused", read_bytes=job.read, size_bytes=job.size, detail=job.refused.detail)
    if not job.done:
        return Check(state="checking", read_bytes=job.read, size_bytes=job.size)
    return Check(
        state="failed" if job.failed else "checked",
        read_bytes=job.size,
        size_bytes=job.size,
        report=None if job.report is None else job.report.as_json(),
        proposals=job.proposals,
        already_proposed=job.already_proposed,
        not_proposed=[
            NotProposed(batch=name, type=f"/problems/{refused.slug}", title=refused.title, detail=refused.detail)
            for name, refused in job.not_proposed.items()
        ],
        resumed=job.resumed,
        namesakes=job.namesakes,
    )


HANDLERS = [stage_sheet, check_sheet, get_check, get_rejected, get_proposed_check, get_proposed_rejected]
