"""Corrections 更正: what was entered wrongly and taken back. Both stay visible."""

from typing import Annotated

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from pydantic import Field

from api.problems import described
from api.public.answers import FRESH, AsOf, Limit, Shape
from ledger.account import MAX_POSITION
from ledger.store.database import Database
from ledger.store.queries.corrections import read_corrections
from ledger.store.queries.head import read_head


class Correction(Shape):
    """一次更正。原记录与更正记录都保留在账本里。"""

    seq: int = Field(description="更正条目的序号")
    ref: int = Field(description="原条目的序号")
    of: str = Field(description="原条目的类型", examples=["money.received"])
    org: str = Field(description="组织编号")
    on: str = Field(description="更正日期（北京时间）")
    ref_on: str = Field(description="原记录的日期（北京时间）")
    left_fen: int = Field(description="收回的金额，单位：分")
    moved_fen: int = Field(description="更正前已经流转、未收回的金额，单位：分")
    reason: str = Field(description="原因")
    statement: str = Field(description="更正说明")
    maker: str = Field(description="经办人代号")
    checkers: list[str] = Field(description="复核人代号")
    righted_by: int | None = Field(description="更正后的条目序号；只撤销、没有重新登记的为空")
    right_fen: int | None = Field(description="更正后的正确金额，单位：分；已流转的部分不再入账")


class CorrectionList(Shape):
    """更正列表，新的在前。"""

    as_of: AsOf
    items: list[Correction] = Field(description="本页的更正")
    next: int | None = Field(description="下一页的 before；没有更多则为空")


@get("/api/v1/corrections", summary="更正", tags=["账本"], responses=described(503))
async def list_corrections(
    database: NamedDependency[Database],
    before: Annotated[int, QueryParameter(description="上一页的 next", ge=0, le=MAX_POSITION)] = MAX_POSITION,
    limit: Limit = 50,
) -> Response[CorrectionList]:
    """登记有误而撤销的条目：改了什么、谁改的、何时、为什么。"""
    async with database.snapshot() as connection:
        head = await read_head(connection)
        found = await read_corrections(connection, before=before, limit=limit + 1)
    items = [Correction.model_validate(each) for each in found[:limit]]
    following = items[-1].seq if len(found) > limit else None
    return Response(CorrectionList(as_of=AsOf.model_validate(head), items=items, next=following), headers=FRESH)
