"""Lineage reports 来源报告: all of one as a file, for whoever wants to compute with it."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any

from litestar.di import NamedDependency, Provide
from pydantic import Field

from api.problems import ProblemError
from api.public import downloads, figures, permalinks
from api.public.answers import Shape
from api.public.asking import Entry
from api.public.downloads import Whole
from api.public.permalinks import NOW
from api.public.tables import FUND, ORG, table
from ledger.opendata.table import Row
from ledger.opendata.terms import Terms
from ledger.store.database import Database
from ledger.store.queries.aggregates import FEW
from ledger.store.queries.lineage import every_reported, sum_report


class Group(Shape):
    """一个数的一组：来自同一渠道、同一类捐赠人的钱。"""

    measure: str = Field(description="统计的是什么：与 /api/v1/figures 的 measure 相同")
    org: str = Field(description="组织编号")
    fund: str = Field(description="基金编号")
    project: str = Field(description="已分配到的项目编号；空为没有")
    channel: str = Field(description="钱来自哪个渠道的捐款；空为不是捐款")
    donor_class: str = Field(description="钱来自哪类捐赠人的捐款；空为不是捐款")
    month: str = Field(description="业务月份（北京时间）")
    count: int | None = Field(description=f"笔数，计在第一分钱所在的组。结存没有笔数；个人不足 {FEW} 笔时不列")
    sum_fen: int = Field(description="金额，单位：分")


# What groups have in common with no other may be empty (project, channel, class), so there is no key.
TABLE = table("lineage", "来源报告", Group, amount="sum_fen", key=(), references=(ORG, FUND))


async def _whole(database: NamedDependency[Database], terms: NamedDependency[Terms], as_of: Entry = NOW) -> Whole:
    async with database.snapshot() as connection:
        head = await permalinks.read_as_of(connection, as_of)
        try:
            head = await figures.reported(connection, head, as_of)
        except ProblemError as error:
            raise ProblemError("not-found", error.detail, **error.facts) from error
        total = await sum_report(connection, head.seq)

    async def chunks() -> AsyncGenerator[Sequence[Row]]:
        async for found in every_reported(database, as_of=head.seq):
            yield found

    return Whole(head=head, is_pinned=as_of != NOW, total=total, asked={}, chunks=chunks, licence=terms.licence.name)


HANDLERS: list[Any] = [*downloads.handlers(TABLE, Provide(_whole))]
