"""A year of the whole ledger, as the first page sums it."""

from typing import Annotated, Any, Literal

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import PathParameter
from pydantic import Field

from api.fields import example
from api.problems import answered
from api.public import permalinks
from api.public.answers import AsOf, Shape
from api.public.asking import Entry
from api.public.permalinks import NOW
from ledger.store.database import Database
from ledger.store.queries.years import read_year

Equation = Literal[
    "opening + received + income = paid + refunded + fees + lost + voided + held + allocated + in_transit"
]
EQUATION: Equation = (
    "opening + received + income = paid + refunded + fees + lost + voided + held + allocated + in_transit"
)


class Year(Shape):
    """全账本一年的收支，按业务日期（北京时间）。单位：分。各数永远相符，不符则不答复。待查款不在其中。"""

    year: int = Field(description="年份", examples=[2026])
    gift_count: int = Field(description="捐款笔数")
    opening_fen: int = Field(description="上年结余：未分配、未使用和在途")
    received_fen: int = Field(description="收到捐款")
    income_fen: int = Field(description="其他收入，不是捐款")
    paid_fen: int = Field(description="已拨付，减去收款方退回的")
    refunded_fen: int = Field(description="已退回捐赠人")
    fees_fen: int = Field(description="渠道手续费")
    lost_fen: int = Field(description="汇兑损失")
    voided_fen: int = Field(description="更正作废")
    held_fen: int = Field(description="年末已入账未分配；今年的，截至 as_of")
    allocated_fen: int = Field(description="年末已分配未拨付；今年的，截至 as_of")
    in_transit_fen: int = Field(description="年末组织之间在途；今年的，截至 as_of")
    equation: Equation = Field(EQUATION, description="各数的关系")


class YearAnswer(Shape):
    """一年，截至某一条。"""

    as_of: AsOf
    year: Year


@get(
    "/api/v1/years/{year:int}",
    summary="一年的收支总账",
    tags=["统计"],
    responses=answered(YearAnswer, "收支总账", 404, 503),
    exact_bytes=True,
)
async def get_year(
    year: Annotated[int, PathParameter(description="年份", ge=1, le=9999, examples=example(2026))],
    database: NamedDependency[Database],
    as_of: Entry = NOW,
) -> Response[bytes]:
    """全账本一年里收到、支出和年末留存的金额。带 as_of 的地址永远给出同样的字节。"""
    async with database.snapshot() as connection:
        head = await permalinks.read_as_of(connection, as_of)
        found = await read_year(connection, year, as_of=None if as_of == NOW else as_of)
    answer = YearAnswer(as_of=AsOf.model_validate(head), year=Year.model_validate(found))
    canonical = permalinks.address(f"/api/v1/years/{year}", {}, head.seq)
    return permalinks.stated(answer, permalinks.caching(canonical, is_pinned=as_of != NOW))


HANDLERS: list[Any] = [get_year]
