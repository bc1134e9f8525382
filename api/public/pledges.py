"""Pledges: promises, never in any balance."""

from datetime import date

from litestar import Response, get
from litestar.di import NamedDependency
from pydantic import Field

from api.problems import ProblemError, described
from api.public.answers import FRESH, AsOf, Before, Limit, OrgId, Shape, are_ids
from ledger.account import MAX_POSITION
from ledger.store.database import Database
from ledger.store.queries.head import read_head
from ledger.store.queries.pledges import read_pledges


class Pledge(Shape):
    """一项认捐。只是承诺，不计入任何余额和合计。"""

    seq: int = Field(description="认捐条目的序号")
    org: str = Field(description="组织编号")
    fund: str = Field(description="认捐给哪个基金")
    promiser: str = Field(description="认捐单位；person 表示个人")
    amount_fen: int = Field(description="认捐金额，单位：分")
    on: date = Field(description="认捐日期（北京时间）")
    due: str = Field(description="约定到账日期；空表示没有约定")
    outcome: str = Field(description="结果：fulfilled 已兑现、withdrawn 已撤回、lapsed 已失效；空表示未了结")
    ended_seq: int | None = Field(description="了结条目的序号")


class PledgeList(Shape):
    """认捐列表，新的在前。"""

    as_of: AsOf
    items: list[Pledge] = Field(description="本页的认捐")
    next: int | None = Field(description="下一页的 before；没有更多则为空")


@get("/api/v1/organisations/{org:str}/pledges", summary="认捐", tags=["收支"], responses=described(404, 422, 503))
async def list_pledges(
    org: OrgId,
    database: NamedDependency[Database],
    before: Before = MAX_POSITION,
    limit: Limit = 50,
) -> Response[PledgeList]:
    """一个组织收到的认捐。承诺与到账分开列示。"""
    if not are_ids(org):
        raise ProblemError("not-found")
    async with database.snapshot() as connection:
        head = await read_head(connection)
        found = await read_pledges(connection, org, before=before, limit=limit + 1)
    items = [Pledge.model_validate(each) for each in found[:limit]]
    answer = PledgeList(
        as_of=AsOf.model_validate(head), items=items, next=items[-1].seq if len(found) > limit else None
    )
    return Response(answer, headers=FRESH)
