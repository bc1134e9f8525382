"""Organisations: lists and figures."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import asyncpg
from litestar import Response, get
from litestar.di import NamedDependency
from pydantic import Field

from api.problems import ProblemError, described
from api.public import registers
from api.public.answers import FRESH, AsOf, Figures, OrgId, Shape, are_ids
from api.public.registers import Asked, Register
from ledger.store.database import Database
from ledger.store.queries import organisations
from ledger.store.queries.head import read_head


class Together(Shape):
    """一个组织和它的所有下级之和。"""

    gift_count: int = Field(description="捐款笔数")
    received_fen: int = Field(description="收到捐款，单位：分")
    paid_fen: int = Field(description="已拨付（含已签收），单位：分")
    inside_fen: int = Field(description="尚未拨付：已入账未分配与已分配未拨付，单位：分")


class ToldOrganisation(Shape):
    """一个在此记账的红十字会。"""

    org: str = Field(description="组织编号", examples=["330800"])
    name: str = Field(description="名称")
    level: str = Field(description="层级：national、province、city、county、grassroots")
    parent: str = Field(description="上级组织编号；空表示没有")
    division: str = Field(description="行政区划代码（GB/T 2260）")
    uscc: str = Field(description="统一社会信用代码")
    seq: int = Field(description="最近一次登记条目的序号")


class Organisation(ToldOrganisation):
    """一个在此记账的红十字会：它自己的数，和连同所有下级的数。"""

    figures: Figures
    with_below: Together


class OrganisationAnswer(Shape):
    """一个组织，截至某一条。"""

    as_of: AsOf
    organisation: Organisation


class OrganisationList(Shape):
    """组织列表，按编号排列。"""

    as_of: AsOf
    items: list[Organisation] = Field(description="本页的组织")
    next: str | None = Field(description="下一页的 after；没有更多则为空", examples=["330800"])


@get("/api/v1/organisations/{org:str}", summary="一个组织", tags=["收支"], responses=described(404, 503))
async def get_organisation(org: OrgId, database: NamedDependency[Database]) -> Response[OrganisationAnswer]:
    """一个组织收到、分配、拨付、退回和留存的金额，和连同所有下级的主要各数。"""
    if not are_ids(org):
        raise ProblemError("not-found")
    async with database.snapshot() as connection:
        head = await read_head(connection)
        found = await organisations.read_organisation(connection, org)
        if found is None:
            raise ProblemError("not-found")
        (its,) = await _with_below(connection, [found])
    return Response(OrganisationAnswer(as_of=AsOf.model_validate(head), organisation=its), headers=FRESH)


async def _with_below(
    connection: asyncpg.Connection, found: Sequence[organisations.Organisation]
) -> list[Organisation]:
    """The same, each with the sums over all below it."""
    branches = {each.org: each for each in await organisations.read_branches_of(connection, [its.org for its in found])}
    names = [field.name for field in fields(organisations.Organisation)]
    return [
        Organisation.model_validate({**{name: getattr(each, name) for name in names}, "with_below": branches[each.org]})
        for each in found
    ]


async def _read(connection: asyncpg.Connection, _: Asked, after: str, limit: int) -> list[Organisation]:
    found = await organisations.read_organisations(connection, after=after, limit=limit)
    return await _with_below(connection, found)


REGISTER = Register(
    name="organisations",
    title="组织",
    about="各组织收到、分配、拨付、退回和留存的金额，和连同所有下级的主要各数。",
    item=Organisation,
    page=OrganisationList,
    key=("org",),
    amount="received_fen",
    read=_read,
    asking=registers.of_all,
)

HANDLERS: list[Any] = [*registers.handlers(REGISTER), get_organisation]
