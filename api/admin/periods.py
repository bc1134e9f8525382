"""Doors of periods: closing one."""

from litestar import Response
from litestar.di import NamedDependency
from litestar.params import JSONBody
from pydantic import Field

from api.admin.answers import Answer, as_command, carry_out, writes
from api.admin.money import Door
from api.admin.resources import Clerk
from api.fields import Day, Input, Org
from ledger.periods import ClosePeriod


class NewPeriod(Input):
    """要结账的期间：紧接上一个，且已经过完。"""

    org: Org
    first_on: Day = Field(description="首日：上一个已结账期间末日的次日", examples=["2026-10-01"])
    last_on: Day = Field(description="末日：今天以前", examples=["2026-10-31"])


@writes("/api/v1/periods", "结账", "资金")
async def close_period(request: Door, data: JSONBody[NewPeriod], clerk: NamedDependency[Clerk]) -> Response[Answer]:
    """结账须他人复核；之后不能再有业务记在这些日期，条目载有当时试算平衡表的 SHA-256。"""
    return await carry_out(request, clerk, as_command(ClosePeriod, data, clerk.staff))


HANDLERS = [close_period]
