"""Funds: lists and figures."""

from typing import Any

import asyncpg
from litestar import Response, get
from litestar.di import NamedDependency
from pydantic import Field

from api.problems import ProblemError, answered, described
from api.public import permalinks, registers
from api.public.answers import FRESH, AsOf, Figures, FundId, OrgId, Shape, are_ids, cursor
from api.public.asking import Entry
from api.public.permalinks import NOW
from api.public.registers import Asked, Register
from ledger.store.database import Database
from ledger.store.queries import funds
from ledger.store.queries.head import read_head


class ToldFund(Shape):
    """一个基金：一种用途限定之下的钱。"""

    org: str = Field(description="组织编号", examples=["330800"])
    fund: str = Field(description="基金编号", examples=["general"])
    name: str = Field(description="名称")
    seq: int = Field(description="设立条目的序号")
    restriction: dict[str, str] = Field(description="用途限定：项目、事件、地区、类别、受助方；空表示不限定")
    spending: list[str] = Field(description="可支出的类型；空表示救助和采购")
    campaign: str = Field(description="属于哪项募捐活动；没有则为空")
    closed_seq: int | None = Field(description="关闭条目的序号；未关闭则为空")
    successor: str = Field(description="结余转入哪里；没有则为空")


class Fund(ToldFund):
    """一个基金：一种用途限定之下的钱，现在在哪里。"""

    figures: Figures


class FundAnswer(Shape):
    """一个基金，截至某一条。"""

    as_of: AsOf
    fund: Fund


class Cost(Shape):
    """基金一年的支出，其中的管理费。"""

    year: str = Field(description="年份", examples=["2026"])
    spent_fen: int = Field(description="当年支出（分）")
    management_fen: int = Field(description="其中管理费（分）")
    management_ppm: int = Field(description="管理费占支出的百万分之几，舍去余数")
    ceiling_ppm: int | None = Field(description="基金条款的上限，百万分之几；没有约定则为空")
    over: bool = Field(description="是否超过上限")


class CostList(Shape):
    """基金各年的管理费，新的在前。"""

    as_of: AsOf
    items: list[Cost] = Field(description="各年")


class FundList(Shape):
    """基金列表，按组织和编号排列。"""

    as_of: AsOf
    items: list[Fund] = Field(description="本页的基金")
    next: str | None = Field(description="下一页的 after；没有更多则为空", examples=["330800:general"])


async def _read(connection: asyncpg.Connection, asked: Asked, after: str, limit: int) -> list[Fund]:
    found = await funds.read_funds(connection, org=asked.org, after=cursor(after), limit=limit, as_of=asked.then)
    return [Fund.model_validate(each) for each in found]


REGISTER = Register(
    name="funds",
    title="基金",
    about="各基金收到、分配、拨付、退回和留存的金额。带 as_of 的地址永远给出同样的字节。",
    item=Fund,
    page=FundList,
    key=("org", "fund"),
    amount="received_fen",
    read=_read,
    asking=registers.of_one_then,
)


@get(
    "/api/v1/funds/{org:str}/{fund:str}",
    summary="一个基金",
    tags=["收支"],
    responses=answered(FundAnswer, "一个基金", 404, 503),
    exact_bytes=True,
)
async def get_fund(
    org: OrgId,
    fund: FundId,
    database: NamedDependency[Database],
    as_of: Entry = NOW,
) -> Response[bytes]:
    """一个基金收到、分配、拨付、退回和留存的金额。带 as_of 的地址永远给出同样的字节。"""
    if not are_ids(org, fund):
        raise ProblemError("not-found")
    async with database.snapshot() as connection:
        head = await permalinks.read_as_of(connection, as_of)
        found = await funds.read_fund(connection, org, fund, as_of=None if as_of == NOW else as_of)
    if found is None:
        raise ProblemError("not-found")
    answer = FundAnswer(as_of=AsOf.model_validate(head), fund=Fund.model_validate(found))
    canonical = permalinks.address(f"/api/v1/funds/{org}/{fund}", {}, head.seq)
    return permalinks.stated(answer, permalinks.caching(canonical, is_pinned=as_of != NOW))


@get("/api/v1/funds/{org:str}/{fund:str}/costs", summary="管理费比例", tags=["收支"], responses=described(404, 503))
async def get_fund_costs(
    org: OrgId,
    fund: FundId,
    database: NamedDependency[Database],
) -> Response[CostList]:
    """一个基金每年的支出中有多少是管理费，是否超过条款的上限。"""
    if not are_ids(org, fund):
        raise ProblemError("not-found")
    async with database.snapshot() as connection:
        head = await read_head(connection)
        found = await funds.read_costs(connection, org, fund)
    if found is None:
        raise ProblemError("not-found")
    items = [Cost.model_validate(each) for each in found]
    return Response(CostList(as_of=AsOf.model_validate(head), items=items), headers=FRESH)


HANDLERS: list[Any] = [*registers.handlers(REGISTER), get_fund, get_fund_costs]
