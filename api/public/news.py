"""What happened lately: to the whole ledger's money, or that of an organisation, a fund, a project."""

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Annotated, Any

import asyncpg
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from pydantic import Field

from api.fields import example
from api.problems import ProblemError, answered
from api.public import permalinks
from api.public.answers import AsOf, FundId, OrgId, ProjectId, Shape, are_ids
from ledger import entries
from ledger.store.database import Database
from ledger.store.queries.funds import read_fund
from ledger.store.queries.happenings import Effect, read_latest, read_project_news, read_scope_news
from ledger.store.queries.head import Head, read_head
from ledger.store.queries.news import MAX_NEWS, read_subject
from public_site.said import told
from public_site.words import CHINESE

Count = Annotated[int, QueryParameter(description="最多几项", ge=1, le=MAX_NEWS, examples=example(10))]


class NewsItem(Shape):
    """一笔业务；分条的业务为一项。"""

    seq: int = Field(description="账本条目序号（分条的业务为第一条）")
    kind: str = Field(description="条目类型", examples=["money.disbursed"])
    on: date = Field(description="业务日期（北京时间）")
    org: str = Field(description="组织编号")
    tag: str = Field(description="是什么", examples=["拨付"])
    text: str = Field(description="用一句话说")
    amount_fen: int | None = Field(description="金额，单位：分；增加或减少；不涉及金额的为空")


class NewsList(Shape):
    """最近的业务，新的在前。更早的见各个列表。"""

    as_of: AsOf
    items: list[NewsItem] = Field(description="最近的业务")


_answered = partial(answered, NewsList, "最近的业务")


@get("/api/v1/news", summary="最近入账", tags=["账本"], responses=_answered(503), exact_bytes=True)
async def list_news(database: NamedDependency[Database], limit: Count = 20) -> Response[bytes]:
    """全账本最近的业务，包括捐款。"""
    async with database.snapshot() as connection:
        head = await read_head(connection)
        return await _answer(connection, head, await read_latest(connection, limit))


@get(
    "/api/v1/organisations/{org:str}/news",
    summary="一个组织的最近进展",
    tags=["账本"],
    responses=_answered(404, 503),
    exact_bytes=True,
)
async def list_organisation_news(org: OrgId, database: NamedDependency[Database], limit: Count = 20) -> Response[bytes]:
    """动用或收到这个组织的钱的业务；捐款不在其中。"""
    async with database.snapshot() as connection:
        if not are_ids(org) or await read_subject(connection, org) is None:
            raise ProblemError("not-found")
        head = await read_head(connection)
        return await _answer(connection, head, await read_scope_news(connection, org, "", limit))


@get(
    "/api/v1/funds/{org:str}/{fund:str}/news",
    summary="一个基金的最近进展",
    tags=["账本"],
    responses=_answered(404, 503),
    exact_bytes=True,
)
async def list_fund_news(
    org: OrgId, fund: FundId, database: NamedDependency[Database], limit: Count = 20
) -> Response[bytes]:
    """动用或收到这个基金的钱的业务；捐款不在其中。"""
    async with database.snapshot() as connection:
        if not are_ids(org, fund) or await read_fund(connection, org, fund) is None:
            raise ProblemError("not-found")
        head = await read_head(connection)
        return await _answer(connection, head, await read_scope_news(connection, org, fund, limit))


@get(
    "/api/v1/projects/{org:str}/{project:str}/news",
    summary="一个项目的最近进展",
    tags=["账本"],
    responses=_answered(404, 503),
    exact_bytes=True,
)
async def list_project_news(
    org: OrgId,
    project: ProjectId,
    database: NamedDependency[Database],
    limit: Count = 20,
) -> Response[bytes]:
    """动用或收到这个项目的钱的业务，和它们的签收、反馈。"""
    async with database.snapshot() as connection:
        if not are_ids(org, project) or await read_subject(connection, org, project) is None:
            raise ProblemError("not-found")
        head = await read_head(connection)
        return await _answer(connection, head, await read_project_news(connection, org, project, limit))


async def _answer(connection: asyncpg.Connection, head: Head, news: Sequence[Effect]) -> Response[bytes]:
    items = [
        NewsItem(
            seq=entry.seq,
            kind=entry.kind,
            on=getattr(entry.body, "on"),  # noqa: B009  every kind that is news has it
            org=entries.org_of(entry),
            tag=said.tag,
            text=said.text,
            amount_fen=said.amount_fen,
        )
        for entry, said in await told(connection, news, CHINESE)
    ]
    return permalinks.stated(NewsList(as_of=AsOf.model_validate(head), items=items))


HANDLERS: list[Any] = [list_news, list_organisation_news, list_fund_news, list_project_news]
