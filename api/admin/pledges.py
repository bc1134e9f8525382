"""Doors of pledges: promises, and what became of them."""

from typing import Literal

from litestar import Response
from litestar.di import NamedDependency
from litestar.params import JSONBody
from pydantic import Field

from api.admin.answers import Answer, as_command, carry_out, writes
from api.admin.money import Door
from api.admin.resources import Clerk
from api.fields import Day, Fen, FundId, Input, OptionalText, Org, Seq, Text
from ledger.pledges import EndPledge, MakePledge


class NewPledge(Input):
    """一项认捐。"""

    org: Org
    fund: FundId
    amount_fen: Fen
    promiser: Text = Field(description="认捐单位名称；个人写 person", examples=["person"])
    on: Day
    due: Day | Literal[""] = Field("", description="约定到账日期")


class PledgeEnding(Input):
    """认捐的结果。"""

    org: Org
    ref: Seq = Field(description="认捐条目的序号", examples=[92])
    outcome: Literal["fulfilled", "lapsed", "withdrawn"] = Field(
        description="fulfilled 已兑现、withdrawn 已撤回、lapsed 已失效"
    )
    on: Day
    note: OptionalText = Field("", description="说明，将公开")


@writes("/api/v1/pledges", "登记认捐", "资金")
async def make_pledge(request: Door, data: JSONBody[NewPledge], clerk: NamedDependency[Clerk]) -> Response[Answer]:
    """只是承诺，不计入任何余额；到账时另行登记捐款。"""
    return await carry_out(request, clerk, as_command(MakePledge, data, clerk.staff))


@writes("/api/v1/pledge-endings", "了结认捐", "资金")
async def end_pledge(request: Door, data: JSONBody[PledgeEnding], clerk: NamedDependency[Clerk]) -> Response[Answer]:
    """兑现、撤回或失效；一项认捐只了结一次。"""
    return await carry_out(request, clerk, as_command(EndPledge, data, clerk.staff))


HANDLERS = [make_pledge, end_pledge]
