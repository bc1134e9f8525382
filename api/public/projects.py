"""Projects: lists and figures."""

from typing import Any

import asyncpg
from litestar import Response, get
from litestar.di import NamedDependency
from pydantic import Field

from api.problems import ProblemError, described
from api.public import registers
from api.public.answers import FRESH, AsOf, OrgId, ProjectFigures, ProjectId, Shape, are_ids, cursor
from api.public.registers import Asked, Register
from ledger.store.database import Database
from ledger.store.queries import projects
from ledger.store.queries.head import read_head


class ToldProject(Shape):
    """一个项目：钱分配到这里使用。"""

    org: str = Field(description="组织编号", examples=["330800"])
    project: str = Field(description="项目编号", examples=["qz-01"])
    name: str = Field(description="名称")
    seq: int = Field(description="设立条目的序号")
    category: str = Field(description="类别")
    region: str = Field(description="行政区划代码（GB/T 2260）")
    event: str = Field(description="事件编号")
    budget_fen: int = Field(description="预算，单位：分；0 表示未定")
    starts: str = Field(description="开始日期")
    ends: str = Field(description="结束日期")
    closed_seq: int | None = Field(description="关闭条目的序号；未关闭则为空")
    successor: str = Field(description="结余转入哪里；没有则为空")


class Project(ToldProject):
    """一个项目：分配到这里的钱现在在哪里。"""

    figures: ProjectFigures


class ProjectAnswer(Shape):
    """一个项目，截至某一条。"""

    as_of: AsOf
    project: Project


class ProjectList(Shape):
    """项目列表，按组织和编号排列。"""

    as_of: AsOf
    items: list[Project] = Field(description="本页的项目")
    next: str | None = Field(description="下一页的 after；没有更多则为空", examples=["330800:qz-01"])


async def _read(connection: asyncpg.Connection, asked: Asked, after: str, limit: int) -> list[Project]:
    found = await projects.read_projects(connection, org=asked.org, after=cursor(after), limit=limit)
    return [Project.model_validate(each) for each in found]


REGISTER = Register(
    name="projects",
    title="项目",
    about="各项目分配、拨付、退回和未使用的金额。",
    item=Project,
    page=ProjectList,
    key=("org", "project"),
    amount="total_allocated_fen",
    read=_read,
    asking=registers.of_one,
)


@get("/api/v1/projects/{org:str}/{project:str}", summary="一个项目", tags=["收支"], responses=described(404, 503))
async def get_project(
    org: OrgId,
    project: ProjectId,
    database: NamedDependency[Database],
) -> Response[ProjectAnswer]:
    """一个项目分配、拨付、退回和未使用的金额。"""
    if not are_ids(org, project):
        raise ProblemError("not-found")
    async with database.snapshot() as connection:
        head = await read_head(connection)
        found = await projects.read_project(connection, org, project)
    if found is None:
        raise ProblemError("not-found")
    answer = ProjectAnswer(as_of=AsOf.model_validate(head), project=Project.model_validate(found))
    return Response(answer, headers=FRESH)


HANDLERS: list[Any] = [*registers.handlers(REGISTER), get_project]
