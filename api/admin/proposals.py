"""Doors of four eyes: what waits, and yes or no."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter, QueryParameter
from pydantic import BaseModel, Field

from api.admin.answers import Answer, carry_out, writes
from api.admin.resources import Clerk
from api.fields import Input, Text, example
from api.problems import ProblemError, described
from ledger.account import MAX_POSITION
from ledger.approvals import ApproveProposal, ExpireProposal, RejectProposal, WithdrawProposal
from ledger.store.queries.proposals import read_organisations, read_proposals
from ledger.store.queries.state import load_proposed
from ledger.store.tables.registers import ProposalRow

Door = Request[Any, Any, Any]
Number = Annotated[
    int, PathParameter(description="申请编号（提交申请的条目序号）", ge=0, le=MAX_POSITION, examples=example(122))
]


class Rejection(Input):
    """驳回。"""

    reason: Text = Field(description="理由，将公开", examples=["数额与评估不符，请重报。"])


class ProposalOut(BaseModel):
    """一件申请。"""

    proposal: int = Field(description="申请编号")
    command: str = Field(description="业务类型")
    org: str = Field(description="组织编号")
    maker: str = Field(description="经办人代号")
    qty: int = Field(description="占用的数额")
    approvals: int = Field(description="已有复核数")
    status: Literal["open", "effected", "rejected", "withdrawn", "expired"]
    resolved_seq: int | None = Field(description="办结条目的序号")
    content: dict[str, Any] | None = Field(None, description="申请的全部内容（仅单件查询时；随捐赠人信息删除后为空）")


class ProposalList(BaseModel):
    """申请列表，新的在前。"""

    proposals: list[ProposalOut]
    next_before: int | None = Field(description="下一页的 before；没有更多则为空")


@get("/api/v1/proposals", summary="申请列表", tags=["复核"], responses=described(401, 403))
async def list_proposals(
    clerk: NamedDependency[Clerk],
    status: Annotated[
        Literal["open", "effected", "rejected", "withdrawn", "expired"] | None,
        QueryParameter(description="只看这种状态", examples=example("open")),
    ] = "open",
    before: Annotated[
        int | None, QueryParameter(ge=0, le=MAX_POSITION, description="只看编号更小的", examples=example(136))
    ] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=100, examples=example(10))] = 50,
) -> ProposalList:
    """待复核的申请。"""
    async with clerk.resources.database.read() as session:
        found = await read_proposals(session, status=status, before=before, limit=limit + 1)
    shown = [_out(row) for row in found[:limit]]
    return ProposalList(proposals=shown, next_before=shown[-1].proposal if len(found) > limit else None)


@get("/api/v1/proposals/{proposal:int}", summary="一件申请", tags=["复核"], responses=described(401, 403, 404))
async def get_proposal(proposal: Number, clerk: NamedDependency[Clerk]) -> ProposalOut:
    """申请的全部内容，供复核人核对。只给在所涉组织或整个账本有职责的人员。"""
    async with clerk.resources.database.read() as session:
        row = await session.get(ProposalRow, proposal)
    if row is None:
        raise ProblemError("not-found")
    async with clerk.resources.database.raw() as connection:
        clerk.resources.sequencer.books.require_any(clerk.staff, await read_organisations(connection, proposal))
        proposed = await load_proposed(connection, proposal)
    content = None if proposed is None else msgspec.to_builtins(proposed.command)
    return _out(row).model_copy(update={"content": content})


@writes("/api/v1/proposals/{proposal:int}/approval", "同意", "复核")
async def approve_proposal(request: Door, proposal: Number, clerk: NamedDependency[Clerk]) -> Response[Answer]:
    """最后一个必需的同意使申请立即生效。"""
    answer = await carry_out(request, clerk, ApproveProposal(maker=clerk.staff, proposal=proposal))
    clerk.resources.intake.wake()
    return answer


@writes("/api/v1/proposals/{proposal:int}/rejection", "驳回", "复核")
async def reject_proposal(
    request: Door,
    proposal: Number,
    data: JSONBody[Rejection],
    clerk: NamedDependency[Clerk],
) -> Response[Answer]:
    """占用的款项随即放开。"""
    command = RejectProposal(maker=clerk.staff, proposal=proposal, reason=data.reason)
    return await carry_out(request, clerk, command)


@writes("/api/v1/proposals/{proposal:int}/withdrawal", "撤回", "复核")
async def withdraw_proposal(request: Door, proposal: Number, clerk: NamedDependency[Clerk]) -> Response[Answer]:
    """只有经办人可以撤回。"""
    return await carry_out(request, clerk, WithdrawProposal(maker=clerk.staff, proposal=proposal))


@writes("/api/v1/proposals/{proposal:int}/expiry", "逾期作废", "复核")
async def expire_proposal(request: Door, proposal: Number, clerk: NamedDependency[Clerk]) -> Response[Answer]:
    """过了审批规则给的期限仍未办结；占用的款项随即放开。"""
    return await carry_out(request, clerk, ExpireProposal(maker=clerk.staff, proposal=proposal))


def _out(row: ProposalRow) -> ProposalOut:
    return ProposalOut(
        proposal=row.seq,
        command=row.command,
        org=row.org,
        maker=row.maker,
        qty=row.qty,
        approvals=row.approvals,
        status=row.status,
        resolved_seq=row.resolved_seq,
    )


HANDLERS = [list_proposals, get_proposal, approve_proposal, reject_proposal, withdraw_proposal, expire_proposal]
