"""The full list of payments."""

from litestar import Response, get
from litestar.di import NamedDependency
from pydantic import Field

from api.problems import described
from api.public.answers import FRESH, AsOf, Limit, Shape
from api.public.donations import AfterSeq
from ledger.store.database import Database
from ledger.store.queries.disbursements import count_disbursements, read_disbursements
from ledger.store.queries.figures import read_figures
from ledger.store.queries.head import read_head


class Disbursement(Shape):
    """一笔拨付。"""

    seq: int = Field(description="账本条目序号（分条的为第一条）", examples=[12080])
    on: str = Field(description="拨付日期（北京时间）")
    amount_fen: int = Field(description="拨付金额，单位：分")
    returned_fen: int = Field(description="其中收款方退回或更正收回的金额，单位：分")
    org: str = Field(description="组织编号")
    project: str = Field(description="项目编号")
    payee: str = Field(description="收款方；persons 表示受助群众")
    purpose: str = Field(description="用途")
    spending: str = Field(description="支出类型")
    region: str = Field(description="行政区划代码")
    beneficiaries: str = Field(description="受益人数；不足 5 人写作 1-4")


class DisbursementList(Shape):
    """全部拨付，按入账先后。逐页取到底，拨付减退回之和等于 paid_fen。"""

    as_of: AsOf
    count: int = Field(description="全部拨付笔数")
    paid_fen: int = Field(description="已拨付合计（已减去退回），单位：分")
    items: list[Disbursement] = Field(description="本页的拨付")
    next: int | None = Field(description="下一页的 after；没有更多则为空")


@get("/api/v1/disbursements", summary="全部拨付", tags=["收支"], responses=described(503))
async def list_disbursements(
    database: NamedDependency[Database], after: AfterSeq = -1, limit: Limit = 50
) -> Response[DisbursementList]:
    """每一笔拨付：多少钱、哪一天、给谁、做什么。来自哪些捐款，见各条的来源。"""
    async with database.snapshot() as connection:
        head = await read_head(connection)
        figures = await read_figures(connection)
        count = await count_disbursements(connection)
        found = await read_disbursements(connection, after=after, limit=limit + 1)
    answer = DisbursementList(
        as_of=AsOf.model_validate(head),
        count=count,
        paid_fen=figures.paid_fen,
        items=[Disbursement.model_validate(each) for each in found[:limit]],
        next=found[limit - 1].seq if len(found) > limit else None,
    )
    return Response(answer, headers=FRESH)
