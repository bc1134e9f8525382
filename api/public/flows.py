"""The flow of a project's money: every fund it came from, every payee it went to. JSON and CSV at one address."""

from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from pydantic import Field

from api.problems import ProblemError, answered
from api.public import permalinks
from api.public.answers import AsOf, OrgId, ProjectId, Shape, are_ids
from api.public.asking import Entry
from api.public.permalinks import CSV, NOW
from ledger.store.database import Database
from ledger.store.queries.aggregates import MAX_ROWS
from ledger.store.queries.flows import Flow, Kind, read_flow
from ledger.store.queries.head import Head
from ledger.store.queries.projects import read_project


class FlowEnd(Shape):
    """钱从哪里来，或到了哪里。"""

    kind: Kind = Field(description="fund 基金，payee 收款方；其他为项目的同名数字，如 allocated 已分配未拨付")
    fund: str = Field(description="基金编号；不是基金的为空")
    name: str = Field(description="基金或收款方的名称；persons 表示受助群众；其他为空")
    amount_fen: int = Field(description="金额，单位：分。收款方退回的已扣除")


class FlowAnswer(Shape):
    """一个项目的资金流向，截至某一条。两边各自相加，都等于 sum_fen。"""

    as_of: AsOf
    came: list[FlowEnd] = Field(description="从哪里来")
    went: list[FlowEnd] = Field(description="到了哪里")
    sum_fen: int = Field(description="累计到过这个项目的钱，单位：分")


@get(
    "/api/v1/projects/{org:str}/{project:str}/flow",
    summary="一个项目的资金流向",
    tags=["收支"],
    responses=answered(FlowAnswer, "来源和去向", 404, 422, 503),
    exact_bytes=True,
)
async def get_flow(
    org: OrgId,
    project: ProjectId,
    request: Request[Any, Any, Any],
    database: NamedDependency[Database],
    as_of: Entry = NOW,
) -> Response[bytes]:
    """来自哪些基金，到了哪些收款方，各有多少。带 as_of 的地址永远给出同样的字节。

    Accept: text/csv 得到 CSV，与 flow.csv 相同。
    """
    head, flow = await _read(database, org, project, as_of)
    if permalinks.wants_csv(request):
        return permalinks.negotiated(_sheet(org, project, head, flow, as_of))
    content = {
        "as_of": {"seq": head.seq, "at": head.at},
        "came": [each._asdict() for each in flow.came],
        "went": [each._asdict() for each in flow.went],
        "sum_fen": flow.sum_fen,
    }
    headers = _caching(org, project, "flow", head, as_of)
    return permalinks.negotiated(Response(permalinks.encode(content), media_type="application/json", headers=headers))


@get(
    "/api/v1/projects/{org:str}/{project:str}/flow.csv",
    summary="一个项目的资金流向（CSV）",
    tags=["收支"],
    responses=answered(str, "来源和去向，一行一项", 404, 422, 503, media_type=CSV),
    exact_bytes=True,
)
async def get_flow_csv(
    org: OrgId, project: ProjectId, database: NamedDependency[Database], as_of: Entry = NOW
) -> Response[bytes]:
    """与 flow 相同的数：来的在 came_fen，去的在 went_fen，两列之和相等，见 Sunledger-Sum-Fen 头。"""
    head, flow = await _read(database, org, project, as_of)
    return _sheet(org, project, head, flow, as_of)


async def _read(database: Database, org: str, project: str, as_of: int) -> tuple[Head, Flow]:
    if not are_ids(org, project):
        raise ProblemError("not-found")
    async with database.snapshot() as connection:
        head = await permalinks.read_as_of(connection, as_of)
        found = await read_project(connection, org, project)
        if found is None or found.seq > head.seq:
            raise ProblemError("not-found")
        flow = await read_flow(connection, found, as_of=None if as_of == NOW else as_of)
    if len(flow.came) + len(flow.went) > MAX_ROWS:
        raise ProblemError("too-many-rows", f"超过 {MAX_ROWS} 行；请下载付款列表 /api/v1/payments.csv")
    return head, flow


def _sheet(org: str, project: str, head: Head, flow: Flow, as_of: int) -> Response[bytes]:
    rows: list[list[object]] = [["kind", "fund", "name", "came_fen", "went_fen"]]
    rows += [[*each, None] for each in flow.came]
    rows += [[*each[:-1], None, each.amount_fen] for each in flow.went]
    headers = {
        **_caching(org, project, "flow.csv", head, as_of),
        **permalinks.attachment(f"{project}-flow", head.seq, len(rows) - 1, flow.sum_fen),
    }
    return permalinks.sheet(rows, headers)


def _caching(org: str, project: str, name: str, head: Head, as_of: int) -> dict[str, str]:
    canonical = permalinks.address(f"/api/v1/projects/{org}/{project}/{name}", {}, head.seq)
    return permalinks.caching(canonical, is_pinned=as_of != NOW)


HANDLERS: list[Any] = [get_flow, get_flow_csv]
