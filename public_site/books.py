"""Pages with figures: projects, funds, organisations. Each says as of which entry, and adds up."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal, NamedTuple

import asyncpg
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import PathParameter, QueryParameter

from ledger import account
from ledger.store.database import Database
from ledger.store.queries import funds, organisations, projects
from ledger.store.queries.aggregates import Question, read_aggregate
from ledger.store.queries.choices import read_called
from ledger.store.queries.flows import End, Flow, read_flow
from ledger.store.queries.happenings import read_project_news, read_scope_news
from ledger.store.queries.head import read_head
from ledger.store.queries.organisations import Branch
from ledger.store.queries.projects import Project
from ledger.store.queries.registers import count_registered
from public_site import flow, messages
from public_site.flow import Caption, Drawn, Part
from public_site.said import told
from public_site.site import FRESH, Site
from public_site.words import Words, both

Org = Annotated[str, PathParameter()]
OfOrg = Annotated[str, QueryParameter(pattern=r"^[a-z0-9-]{0,32}$")]
After = Annotated[str, QueryParameter(pattern=r"^[a-z0-9:-]{0,65}$")]

PAGE = 30
MAX_ORGANISATIONS = 1_000
NEWS = 12
MAX_ENDS = 200
"""Funds, or payees, of a project's table; the sheet has all."""

CALLED = {
    "came_late": "承接的迟到退款",
    "released": "退回基金",
    "refunded": "退回捐赠人",
    "redirected": "改变用途",
    "voided": "更正作废",
    "went_late": "迟到退款转给承接者",
    "allocated": "已分配未拨付",
}
"""Ends of a flow that are no fund and no payee."""


class Whole(NamedTuple):
    """What a sheet has: it is said where it is offered."""

    rows: int
    sum_fen: int


@get(both("/projects"), include_in_schema=False)
async def project_list(
    site: NamedDependency[Site], database: NamedDependency[Database], org: OfOrg = "", after: After = ""
) -> Response[str]:
    """What money is allocated to, and how far it is spent."""
    async with database.snapshot() as connection:
        head = await read_head(connection)
        found = await projects.read_projects(connection, org=org, after=_cursor(after), limit=PAGE + 1)
        owners = await read_called(connection, "org", {org} if org else {each.org for each in found})
        whole = await _whole(connection, "project", "total_allocated", org)
    if org and org not in owners:
        raise NotFoundException
    following = f"{found[PAGE - 1].org}:{found[PAGE - 1].project}" if len(found) > PAGE else ""
    return site.page(
        "projects",
        head,
        headers=FRESH,
        query={"org": org, "after": after},
        org=org,
        projects=found[:PAGE],
        owners=owners,
        whole=whole,
        following=following,
    )


@get(both("/projects/{org:str}/{project:str}"), include_in_schema=False)
async def project(
    org: Org,
    project: Annotated[str, PathParameter()],
    site: NamedDependency[Site],
    database: NamedDependency[Database],
) -> Response[str]:
    """One project: figures, the flow of its money, what happened lately."""
    _check(org, project)
    async with database.snapshot() as connection:
        head = await read_head(connection)
        found = await projects.read_project(connection, org, project)
        if found is None:
            raise NotFoundException
        its = await organisations.read_organisation(connection, org)
        flows = await read_flow(connection, found)
        news = await told(connection, await read_project_news(connection, org, project, NEWS), site.words)
    return site.page(
        "project",
        head,
        headers=FRESH,
        project=found,
        organisation=its,
        drawn=drawn(found, flows, site.words),
        sides=[_listed(each, site.words) for each in (flows.came, flows.went)],
        is_cut=max(map(_named, (flows.came, flows.went))) > MAX_ENDS,
        whole=Whole(len(flows.came) + len(flows.went), flows.sum_fen),
        news=news,
    )


@get(both("/funds"), include_in_schema=False)
async def fund_list(
    site: NamedDependency[Site], database: NamedDependency[Database], org: OfOrg = "", after: After = ""
) -> Response[str]:
    """Every fund, and where its money is."""
    async with database.snapshot() as connection:
        head = await read_head(connection)
        found = await funds.read_funds(connection, org=org, after=_cursor(after), limit=PAGE + 1)
        owners = await read_called(connection, "org", {org} if org else {each.org for each in found})
        whole = await _whole(connection, "fund", "received", org)
    if org and org not in owners:
        raise NotFoundException
    following = f"{found[PAGE - 1].org}:{found[PAGE - 1].fund}" if len(found) > PAGE else ""
    return site.page(
        "funds",
        head,
        headers=FRESH,
        query={"org": org, "after": after},
        org=org,
        funds=found[:PAGE],
        owners=owners,
        whole=whole,
        following=following,
    )


@get(both("/funds/{org:str}/{fund:str}"), include_in_schema=False)
async def fund(
    org: Org, fund: Annotated[str, PathParameter()], site: NamedDependency[Site], database: NamedDependency[Database]
) -> Response[str]:
    """One fund: what it may be used for, where its money is, what happened lately."""
    _check(org, fund)
    async with database.snapshot() as connection:
        head = await read_head(connection)
        found = await funds.read_fund(connection, org, fund)
        if found is None:
            raise NotFoundException
        its = await organisations.read_organisation(connection, org)
        costs = await funds.read_costs(connection, org, fund)
        its_own = {"event": "", "project": f"{org}:"}
        called = {
            each: (await read_called(connection, each, [key])).get(key)
            for each in its_own.keys() & found.restriction
            for key in (its_own[each] + found.restriction[each],)
        }
        news = await told(connection, await read_scope_news(connection, org, fund, NEWS), site.words)
    return site.page(
        "fund",
        head,
        headers=FRESH,
        fund=found,
        organisation=its,
        costs=costs,
        called=called,
        news=news,
    )


@get(both("/organisations"), include_in_schema=False)
async def organisation_tree(site: NamedDependency[Site], database: NamedDependency[Database]) -> Response[str]:
    """Who keeps books here: a tree, each with what it and those below it received, paid and hold."""
    async with database.snapshot() as connection:
        head = await read_head(connection)
        found = await organisations.read_branches(connection, MAX_ORGANISATIONS + 1)
        whole = await _whole(connection, "organisation", "received")
    shown = found[:MAX_ORGANISATIONS]
    return site.page(
        "organisations",
        head,
        headers=FRESH,
        branches=[*_tree(shown)],
        has_more=len(found) > MAX_ORGANISATIONS,
        whole=whole,
    )


@get(both("/organisations/{org:str}"), include_in_schema=False)
async def organisation(org: Org, site: NamedDependency[Site], database: NamedDependency[Database]) -> Response[str]:
    """One organisation: its own figures, funds and projects, what happened lately."""
    _check(org)
    async with database.snapshot() as connection:
        head = await read_head(connection)
        found = await organisations.read_organisation(connection, org)
        if found is None:
            raise NotFoundException
        its_funds = await funds.read_funds(connection, org=org, after=("", ""), limit=PAGE + 1)
        its_projects = await projects.read_projects(connection, org=org, after=("", ""), limit=PAGE + 1)
        parent = await organisations.read_organisation(connection, found.parent) if found.parent else None
        news = await told(connection, await read_scope_news(connection, org, "", NEWS), site.words)
    return site.page(
        "organisation",
        head,
        headers=FRESH,
        organisation=found,
        parent=parent,
        funds=its_funds[:PAGE],
        has_more_funds=len(its_funds) > PAGE,
        projects=its_projects[:PAGE],
        has_more_projects=len(its_projects) > PAGE,
        news=news,
    )


async def _whole(
    connection: asyncpg.Connection, register: Literal["organisation", "fund", "project"], measure: str, org: str = ""
) -> Whole:
    """Of a register as a sheet, whose sum is that of this measure."""
    (cell,) = await read_aggregate(connection, Question(measure=measure), as_of=None, orgs={org} if org else None)
    return Whole(await count_registered(connection, register, org), cell.sum_fen)


def drawn(project: Project, flows: Flow, say: Words) -> Drawn | None:
    """The picture of a project's money, if it had any. Funds and payees beyond the largest are one part."""
    if not (total := project.figures.came_fen):
        return None
    sources, uses = (_folded(each, say("其他"), flow.MAX_NAMED, say) for each in (flows.came, flows.went))
    return flow.draw(
        sources,
        Part(label=project.name, amount=total, shown=messages.yuan(total), colour=flow.MIDDLE),
        uses,
        Caption(
            title=say("{name}的资金流向", name=project.name),
            about=say("从基金到项目，再到收款方。完整数字见下表。"),
            heads=(say("来自基金"), say("项目|一个"), say("去向")),
        ),
    )


def _listed(ends: Sequence[End], say: Words) -> Sequence[Part]:
    """One side of the table: every fund and every payee, as far as there is room."""
    beyond = _named(ends) - MAX_ENDS + 1
    return _folded(ends, say("其他 {n} 项", n=messages.number(beyond)), MAX_ENDS, say)


def _named(ends: Sequence[End]) -> int:
    """How many funds, or payees."""
    return sum(each.kind not in CALLED for each in ends)


def _folded(ends: Sequence[End], rest: str, most: int, say: Words) -> list[Part]:
    """Funds and payees, those beyond the largest as one; then what else there is."""
    named = [_part(each, i, say) for i, each in enumerate(ends) if each.kind not in CALLED]
    return [*flow.largest(named, rest, most), *(_part(each, 0, say) for each in ends if each.kind in CALLED)]


def _part(end: End, place: int, say: Words) -> Part:
    match end.kind:
        case "fund":
            label, colour = end.name, flow.SOURCE
        case "came_late":
            label, colour = say(CALLED[end.kind]), flow.SOURCE
        case "payee":
            label = messages.payee(end.name, say)
            colour = flow.COLOURS[min(place, len(flow.COLOURS) - 1)]
        case "allocated":
            label, colour = say(CALLED[end.kind]), flow.UNUSED
        case other:
            label, colour = say(CALLED[other]), flow.BACK
    is_own = end.kind not in CALLED and label == end.name
    return Part(label=label, amount=end.amount_fen, shown=messages.yuan(end.amount_fen), colour=colour, is_own=is_own)


def _tree(found: Sequence[Branch]) -> Iterable[tuple[int, Branch]]:
    """Each with its depth, parents before children; one whose parent is not here stands at the root."""
    here = {each.org for each in found}
    children: dict[str, list[Branch]] = {}
    for each in found:
        children.setdefault(each.parent if each.parent in here else "", []).append(each)

    def below(org: str, depth: int) -> Iterable[tuple[int, Branch]]:
        for each in children.get(org, ()):
            yield depth, each
            yield from below(each.org, depth + 1)

    return below("", 0)


def _cursor(after: str) -> tuple[str, str]:
    org, _, its = after.partition(":")
    return org, its


def _check(*ids: str) -> None:
    """What cannot name anything is not asked of the database."""
    if not all(map(account.is_id, ids)):
        raise NotFoundException


HANDLERS = [project_list, project, fund_list, fund, organisation_tree, organisation]
