"""Campaigns: public fundraising as it was filed, and what came in for it."""

from datetime import date
from typing import Annotated, Any

import asyncpg
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import PathParameter
from pydantic import Field

from api.fields import example
from api.problems import ProblemError, described
from api.public import registers
from api.public.answers import FRESH, AsOf, Shape, are_ids
from api.public.registers import Asked, Register
from ledger.store.database import Database
from ledger.store.queries import campaigns
from ledger.store.queries.head import read_head


class ToldCampaign(Shape):
    """一项公开募捐活动。"""

    campaign: str = Field(description="募捐活动编号", examples=["flood-2026"])
    org: str = Field(description="备案的组织编号", examples=["330800"])
    name: str = Field(description="名称")
    filing: str = Field(description="募捐方案备案编号")
    first_on: date = Field(description="备案期限的第一天（北京时间）")
    last_on: date = Field(description="备案期限的最后一天（北京时间）")
    seq: int = Field(description="登记条目的序号")


class Campaign(ToldCampaign):
    """一项公开募捐活动，和为它收到的捐款。"""

    gifts: int = Field(description="捐款笔数")
    received_fen: int = Field(description="收到捐款，单位：分；含期满后到账的，不减更正作废的")
    late_gifts: int = Field(description="其中期满后到账的笔数")
    late_fen: int = Field(description="其中期满后到账的金额，单位：分")
    voided_fen: int = Field(description="更正作废：登记有误而收回的金额，单位：分")


class CampaignAnswer(Shape):
    """一项募捐活动，截至某一条。"""

    as_of: AsOf
    campaign: Campaign


class CampaignList(Shape):
    """募捐活动列表，按编号排列。"""

    as_of: AsOf
    items: list[Campaign] = Field(description="本页的募捐活动")
    next: str | None = Field(description="下一页的 after；没有更多则为空", examples=["flood-2026"])


async def _read(connection: asyncpg.Connection, asked: Asked, after: str, limit: int) -> list[Campaign]:
    found = await campaigns.read_campaigns(connection, org=asked.org, after=after, limit=limit)
    return [Campaign.model_validate(each) for each in found]


REGISTER = Register(
    name="campaigns",
    title="募捐活动",
    about="备案编号、期限，和为它收到的捐款。",
    item=Campaign,
    page=CampaignList,
    key=("campaign",),
    amount="received_fen",
    read=_read,
    asking=registers.of_one,
)


@get("/api/v1/campaigns/{campaign:str}", summary="一项募捐活动", tags=["收支"], responses=described(404, 503))
async def get_campaign(
    campaign: Annotated[str, PathParameter(description="募捐活动编号", examples=example("school-2026"))],
    database: NamedDependency[Database],
) -> Response[CampaignAnswer]:
    """备案编号、期限，和为它收到的捐款。"""
    if not are_ids(campaign):
        raise ProblemError("not-found")
    async with database.snapshot() as connection:
        head = await read_head(connection)
        found = await campaigns.read_campaign(connection, campaign)
    if found is None:
        raise ProblemError("not-found")
    answer = CampaignAnswer(as_of=AsOf.model_validate(head), campaign=Campaign.model_validate(found))
    return Response(answer, headers=FRESH)


HANDLERS: list[Any] = [*registers.handlers(REGISTER), get_campaign]
