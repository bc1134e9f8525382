"""Doors of the set-up: organisations, staff, policy, events, funds, projects."""

from typing import Annotated, Any, Literal

from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter
from pydantic import Field

from api.admin.answers import Answer, as_command, carry_out, writes
from api.admin.resources import Clerk
from api.fields import (
    CampaignId,
    Day,
    EventId,
    Evidence,
    FundId,
    Id,
    Input,
    OptionalText,
    Org,
    ProjectId,
    Staff,
    Text,
    example,
)
from ledger.account import MAX_POSITION
from ledger.approvals import MAX_APPROVALS, MAX_TIERS, SetPolicy
from ledger.campaigns import RegisterCampaign
from ledger.endings import CloseFund, CloseProject
from ledger.organisations import (
    ChangeOrganisation,
    DeclareEvent,
    DismissStaff,
    EnrolStaff,
    OpenFund,
    OpenProject,
    RegisterOrganisation,
)
from ledger.roles import REQUIRED, Role

Division = Annotated[str, Field(pattern=r"^\d{6}$", description="行政区划代码（GB/T 2260）", examples=["330800"])]
OptionalOrg = Annotated[str, Field(pattern=r"^([a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?)?$", description="组织编号")]


class OrganisationFacts(Input):
    """组织的基本情况。"""

    name: Text = Field(description="名称", examples=["衢州市红十字会"])
    level: Literal["national", "province", "city", "county", "grassroots"] = Field(
        description="层级", examples=["city"]
    )
    parent: OptionalOrg = Field("", description="上级组织编号")
    division: Division
    uscc: str = Field("", pattern=r"^([0-9A-Z]{18})?$", description="统一社会信用代码")


class NewOrganisation(OrganisationFacts):
    """登记组织。"""

    org: Org = Field(examples=["330881"])
    name: Text = Field(description="名称", examples=["江山市红十字会"])


class NewStaff(Input):
    """任命人员。姓名不入账：代号由系统外保管。"""

    staff: Staff
    org: OptionalOrg = Field("", description="组织编号；不填表示整个账本")
    roles: tuple[Annotated[Role, Field(strict=False)], ...] = Field(
        min_length=1, max_length=len(Role), description="职责", examples=[["auditor"]]
    )


class Dismissal(Input):
    """免去人员在某组织的全部职责。"""

    staff: Staff
    org: OptionalOrg = Field("", description="组织编号；不填表示整个账本")


class PolicyRule(Input):
    """一类业务的审批规则。"""

    kind: Literal[tuple(sorted(kind for kind, required in REQUIRED.items() if required.checker))] = Field(  # type: ignore[valid-type]  # the table's kinds
        description="业务类型", examples=["money.disbursed"]
    )
    approvals: tuple[
        tuple[Annotated[int, Field(ge=0, le=MAX_POSITION)], Annotated[int, Field(ge=0, le=MAX_APPROVALS)]], ...
    ] = Field(
        (), max_length=MAX_TIERS, description="[起点金额（分）, 复核人数] 的阶梯", examples=[[[0, 1], [10_000_000, 2]]]
    )
    decision_from: int = Field(-1, ge=-1, le=MAX_POSITION, description="“三重一大”起点金额（分）；-1 表示不要求")


class NewPolicy(Input):
    """审批规则，整体替换此前的规则。"""

    rules: tuple[PolicyRule, ...] = Field(max_length=len(REQUIRED))
    agreement_from: int = Field(
        -1, ge=-1, le=MAX_POSITION, description="从多少分起须有书面捐赠协议；-1 表示不要求", examples=[100_000_000]
    )
    expires_days: int = Field(0, ge=0, le=3_660, description="申请提出后多少天内可以复核同意；0 为不限")


class NewEvent(Input):
    """登记事件。"""

    event: Id = Field(description="事件编号", examples=["typhoon-2026"])
    name: Text = Field(description="名称", examples=["2026 年 8 月衢州台风灾害"])
    began: str = Field(
        "",
        pattern=r"^(\d{4}-\d{2}-\d{2})?$",
        description="事件发生日期（北京时间）；早于这一天的捐款会注明",
        examples=["2026-06-20"],
    )
    emergency: bool = Field(default=False, description="是否突发事件")


class NewCampaign(Input):
    """登记公开募捐活动。"""

    campaign: Id = Field(description="募捐活动编号", examples=["winter-2026"])
    org: Org
    name: Text = Field(description="名称", examples=["2026 年冬季送温暖"])
    filing: Text = Field(description="募捐方案备案编号", examples=["53330000MJ8765432XA26001"])
    first_on: Day = Field(description="备案期限的第一天", examples=["2026-06-20"])
    last_on: Day = Field(description="备案期限的最后一天", examples=["2026-12-31"])


class RestrictionIn(Input):
    """捐赠人限定的用途；不填为非定向。"""

    category: OptionalOrg = Field("", description="类别")
    event: EventId = ""
    project: OptionalOrg = Field("", description="项目编号")
    recipient: OptionalText = Field("", description="受助单位名称")
    region: str = Field("", pattern=r"^(\d{6})?$", description="地区（行政区划代码）")


class NewFund(Input):
    """设立基金。"""

    org: Org
    fund: FundId = Field(examples=["warmth"])
    name: Text = Field(description="名称", examples=["冬季送温暖"])
    restriction: RestrictionIn = RestrictionIn()
    campaign: CampaignId = ""
    spending: tuple[Literal["aid", "purchase", "campaign", "management"], ...] = Field(
        (),
        max_length=4,
        description="可用于：aid 救助、purchase 采购、campaign 募捐成本、management 管理费；不填为前两项",
    )
    receipt_fee_ppm: int = Field(0, ge=0, lt=1_000_000, description="收款时扣除的渠道手续费，百万分之几，不足一分不扣")
    charges: bool = Field(default=False, description="是否允许平台事后扣费")
    management_ppm: int = Field(-1, ge=-1, lt=1_000_000, description="当年管理费占支出的上限，百万分之几；-1 为不限")
    over_ceiling: Literal["refused", "alarmed"] = Field(
        "refused", description="超过上限时：refused 拒绝，alarmed 放行并公示"
    )


class NewProject(Input):
    """设立项目。"""

    org: Org
    project: ProjectId = Field(examples=["warmth-01"])
    name: Text = Field(description="名称", examples=["困难家庭过冬"])
    category: OptionalOrg = Field("", description="类别")
    region: str = Field("", pattern=r"^(\d{6})?$", description="地区（行政区划代码）")
    event: EventId = ""
    budget_fen: int = Field(0, ge=0, le=MAX_POSITION, description="预算（分）")
    starts: Day | Literal[""] = ""
    ends: Day | Literal[""] = ""


class Ending(Input):
    """关闭：结余如何处理，依据什么。"""

    residue: Literal["agreed", "moved", "none", "returned"] = Field(
        description="结余：none 没有、returned 已退还捐赠人、moved 经同意转到相近用途、agreed 按协议使用",
        examples=["none"],
    )
    basis: Text = Field(description="依据，将公开", examples=["款项已全部使用，没有结余。"])
    successor: OptionalOrg = Field("", description="结余转入哪里（moved 时必填）")
    evidence: Evidence = ()


Door = Request[Any, Any, Any]


@writes("/api/v1/organisations", "登记组织", "组织")
async def register_organisation(
    request: Door, data: JSONBody[NewOrganisation], clerk: NamedDependency[Clerk]
) -> Response[Answer]:
    """登记新的组织。"""
    return await carry_out(request, clerk, as_command(RegisterOrganisation, data, clerk.staff))


@writes("/api/v1/organisations/{org:str}/changes", "变更组织", "组织")
async def change_organisation(
    request: Door,
    org: Annotated[str, PathParameter(description="组织编号", examples=example("330800"))],
    data: JSONBody[OrganisationFacts],
    clerk: NamedDependency[Clerk],
) -> Response[Answer]:
    """改名、换上级等；编号不变。"""
    return await carry_out(request, clerk, as_command(ChangeOrganisation, data, clerk.staff, org=org))


@writes("/api/v1/staff", "任命人员", "组织")
async def enrol_staff(request: Door, data: JSONBody[NewStaff], clerk: NamedDependency[Clerk]) -> Response[Answer]:
    """须由另一位管理员复核。"""
    return await carry_out(request, clerk, as_command(EnrolStaff, data, clerk.staff))


@writes("/api/v1/staff/dismissals", "免去职责", "组织")
async def dismiss_staff(request: Door, data: JSONBody[Dismissal], clerk: NamedDependency[Clerk]) -> Response[Answer]:
    """须由另一位管理员复核。"""
    return await carry_out(request, clerk, as_command(DismissStaff, data, clerk.staff))


@writes("/api/v1/policies", "设定审批规则", "组织")
async def set_policy(request: Door, data: JSONBody[NewPolicy], clerk: NamedDependency[Clerk]) -> Response[Answer]:
    """须由另一位管理员复核。首次设定之前不能记账。"""
    return await carry_out(request, clerk, as_command(SetPolicy, data, clerk.staff))


@writes("/api/v1/events", "登记事件", "组织")
async def declare_event(request: Door, data: JSONBody[NewEvent], clerk: NamedDependency[Clerk]) -> Response[Answer]:
    """灾害或募捐活动，可作捐赠的标签。"""
    return await carry_out(request, clerk, as_command(DeclareEvent, data, clerk.staff))


@writes("/api/v1/campaigns", "登记募捐活动", "组织")
async def register_campaign(
    request: Door, data: JSONBody[NewCampaign], clerk: NamedDependency[Clerk]
) -> Response[Answer]:
    """备案编号和期限；基金和捐款可以注明属于它。应急募捐补办备案的，期限可以从过去开始。"""
    return await carry_out(request, clerk, as_command(RegisterCampaign, data, clerk.staff))


@writes("/api/v1/funds", "设立基金", "组织")
async def open_fund(request: Door, data: JSONBody[NewFund], clerk: NamedDependency[Clerk]) -> Response[Answer]:
    """一种限定用途一个基金；非定向也是一个基金。"""
    return await carry_out(request, clerk, as_command(OpenFund, data, clerk.staff))


@writes("/api/v1/projects", "设立项目", "组织")
async def open_project(request: Door, data: JSONBody[NewProject], clerk: NamedDependency[Clerk]) -> Response[Answer]:
    """资金分配的去向。"""
    return await carry_out(request, clerk, as_command(OpenProject, data, clerk.staff))


@writes("/api/v1/funds/{org:str}/{fund:str}/closing", "关闭基金", "组织")
async def close_fund(
    request: Door,
    org: Annotated[str, PathParameter(description="组织编号", examples=example("330800"))],
    fund: Annotated[str, PathParameter(description="基金编号", examples=example("general"))],
    data: JSONBody[Ending],
    clerk: NamedDependency[Clerk],
) -> Response[Answer]:
    """先处理结余，余额为零才能关闭；须另一位管理员复核；关闭后不再变动。"""
    return await carry_out(request, clerk, as_command(CloseFund, data, clerk.staff, org=org, fund=fund))


@writes("/api/v1/projects/{org:str}/{project:str}/closing", "关闭项目", "组织")
async def close_project(
    request: Door,
    org: Annotated[str, PathParameter(description="组织编号", examples=example("330800"))],
    project: Annotated[str, PathParameter(description="项目编号", examples=example("qz-01"))],
    data: JSONBody[Ending],
    clerk: NamedDependency[Clerk],
) -> Response[Answer]:
    """先处理结余，余额为零才能关闭；须管理员复核；关闭后不再变动。"""
    return await carry_out(request, clerk, as_command(CloseProject, data, clerk.staff, org=org, project=project))


HANDLERS = [
    close_fund,
    close_project,
    register_campaign,
    register_organisation,
    change_organisation,
    enrol_staff,
    dismiss_staff,
    set_policy,
    declare_event,
    open_fund,
    open_project,
]
