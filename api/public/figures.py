"""Figures by up to three dimensions: sums and counts, as of any entry, as JSON or CSV."""

from dataclasses import replace
from typing import Annotated, Any, Literal

import asyncpg
from litestar import Request, Response, get
from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter
from pydantic import Field

from api.fields import example
from api.problems import ProblemError, answered
from api.public import permalinks
from api.public.answers import AsOf, Shape
from api.public.asking import Channel, DonorClass, Entry, Event, Fund, Org, Project
from api.public.permalinks import NOW
from ledger.store.database import Database
from ledger.store.queries.aggregates import (
    DIMENSIONS,
    FEW,
    MAX_ROWS,
    MEASURES,
    Cell,
    Question,
    counts,
    is_by_lineage,
    read_aggregate,
    read_scope,
    summed,
    why_not,
)
from ledger.store.queries.head import Head
from ledger.store.queries.lineage import MAX_REPORTS, has_report, read_reports

MeasureName = Literal[
    "received", "income", "moved_in", "held", "allocated", "in_transit", "unspent", "paid", "refunded", "fees", "lost",
    "voided", "moved_on", "total_allocated", "returned", "confirmed",
]  # fmt: skip
_MEASURES = "；".join(f"{name} {measure.zh}" for name, measure in MEASURES.items())

MeasureAsked = Annotated[MeasureName, QueryParameter(description=_MEASURES, examples=example("received"))]
_ONE = f"({'|'.join(DIMENSIONS)})"
By = Annotated[
    str,
    QueryParameter(
        description=f"按什么统计，逗号分隔，最多三个：{'、'.join(DIMENSIONS)}",
        pattern=f"^({_ONE}(,{_ONE}){{0,{len(DIMENSIONS) - 1}}})?$",
        examples=example("month,fund"),
    ),
]
Category = Annotated[
    str,
    QueryParameter(description="只看这个类别", max_length=64, pattern=r"^[^\x00]*$", examples=example("relief")),
]
Region = Annotated[
    str,
    QueryParameter(
        description="只看这个地区及其下级（GB/T 2260）", pattern=r"^([0-9]{6})?$", examples=example("330800")
    ),
]
_MONTH = r"^([0-9]{4}-[0-9]{2})?$"
Since = Annotated[
    str, QueryParameter(description="从哪个月起；不填为不限", pattern=_MONTH, examples=example("2026-05"))
]
Until = Annotated[
    str, QueryParameter(description="到哪个月止；不填为不限", pattern=_MONTH, examples=example("2026-07"))
]


class FigureRow(Shape):
    """一组。组的各维度（如 month、org）与数字并列。"""

    month: str | None = Field(None, description="业务月份（北京时间）")
    org: str | None = Field(None, description="组织编号：只是它自己的，不含下级")
    fund: str | None = Field(None, description="基金，带所属组织：330800:flood")
    project: str | None = Field(None, description="项目，带所属组织：已分配到的，或基金限定的；空为没有")
    event: str | None = Field(None, description="事件编号：捐款为捐赠人所指，其他为项目的，或基金限定的")
    region: str | None = Field(None, description="行政区划代码：项目的，或基金限定的")
    category: str | None = Field(None, description="类别：项目的，或基金限定的")
    channel: str | None = Field(None, description="钱来自哪个渠道的捐款；空为不是捐款")
    donor_class: str | None = Field(None, description="钱来自哪类捐赠人的捐款；空为不是捐款")
    count: int | None = Field(description=f"笔数。结存没有笔数；个人不足 {FEW} 笔时不列")
    sum_fen: int = Field(description="金额，单位：分")


class FiguresAnswer(Shape):
    """统计结果。各行之和恒等于合计。"""

    as_of: AsOf
    measure: MeasureName = Field(description="统计的是什么")
    by: list[str] = Field(description="按什么统计")
    href: str = Field(description="永久地址：永远是同样的答复")
    rows: list[FigureRow] = Field(description="各组，按维度排列")
    count: int | None = Field(description="合计笔数；有任何一行不列笔数时也不列")
    sum_fen: int = Field(description="合计金额，单位：分")


def asked(  # noqa: PLR0913, PLR0917  each narrows it
    measure: MeasureAsked,
    by: By = "",
    org: Org = "",
    fund: Fund = "",
    project: Project = "",
    event: Event = "",
    channel: Channel = "",
    donor_class: DonorClass = "",
    region: Region = "",
    category: Category = "",
    since: Since = "",
    until: Until = "",
) -> Question:
    """The question, if it has an exact answer. Raises ProblemError with the reason otherwise."""
    values = {
        "org": org, "fund": fund, "project": project, "event": event, "channel": channel, "donor_class": donor_class,
        "region": region, "category": category,
    }  # fmt: skip
    only = {name: value for name, value in values.items() if value}
    question = Question(measure=measure, by=tuple(filter(None, by.split(","))), only=only, since=since, until=until)
    if reason := why_not(question):
        raise ProblemError("figure-not-exact", reason)
    return question


_ASKED = {"question": Provide(asked, sync_to_thread=False)}


@get(
    "/api/v1/figures",
    summary="统计",
    tags=["统计"],
    responses=answered(FiguresAnswer, "各组与合计", 404, 422, 503),
    dependencies=_ASKED,
    exact_bytes=True,
)
async def get_figures(
    request: Request[Any, Any, Any],
    database: NamedDependency[Database],
    question: NamedDependency[Question],
    as_of: Entry = NOW,
) -> Response[bytes]:
    """一个数，按最多三个维度分组。带 as_of 的地址永远给出同样的字节。

    Accept: text/csv 得到 CSV，与 figures.csv 相同。

    付款和结存按渠道、捐赠人类别分组或筛选时，数字出自来源报告：截至报告的那一条；不写 as_of 用最新的一份。
    """
    head, cells = await _read(database, question, as_of)
    written = _sheet if permalinks.wants_csv(request) else _answer
    return permalinks.negotiated(written(question, head, cells, is_pinned=as_of != NOW))


@get(
    "/api/v1/figures.csv",
    summary="统计（CSV）",
    tags=["统计"],
    responses=answered(str, "各组，一行一组", 404, 422, 503, media_type="text/csv"),
    dependencies=_ASKED,
    exact_bytes=True,
)
async def get_figures_csv(
    database: NamedDependency[Database],
    question: NamedDependency[Question],
    as_of: Entry = NOW,
) -> Response[bytes]:
    """与 /api/v1/figures 相同的数。行数与合计见 Sunledger-Rows、Sunledger-Sum-Fen 头和文件名。"""
    head, cells = await _read(database, question, as_of)
    return _sheet(question, head, cells, is_pinned=as_of != NOW)


async def _read(database: Database, question: Question, as_of: int) -> tuple[Head, list[Cell]]:
    async with database.snapshot() as connection:
        head = await permalinks.read_as_of(connection, as_of)
        if is_by_lineage(question):
            head = await reported(connection, head, as_of)
        try:
            orgs, only = await read_scope(connection, question.only, as_of=head.seq)
        except LookupError as error:
            raise ProblemError("not-found", "没有这个组织") from error
        narrowed = replace(question, only=only)
        is_now = as_of == NOW and not is_by_lineage(question)
        cells = await read_aggregate(connection, narrowed, as_of=None if is_now else head.seq, orgs=orgs)
    if len(cells) > MAX_ROWS:
        raise ProblemError("too-many-rows", f"超过 {MAX_ROWS} 行")
    return head, cells


async def reported(connection: asyncpg.Connection, head: Head, as_of: int) -> Head:
    """The state that the figures by lineage are as of. Raises ProblemError, which names those with a report."""
    if as_of != NOW and await has_report(connection, as_of):
        return head
    reports = await read_reports(connection)
    if as_of == NOW and reports:
        return await permalinks.read_as_of(connection, reports[0])
    detail = (
        f"截至以下各条有来源报告（最多列 {MAX_REPORTS} 份）：{'、'.join(map(str, reports))}"
        if reports
        else "还没有做过"
    )
    raise ProblemError("no-lineage-report", detail, reports=reports)


def _answer(question: Question, head: Head, cells: list[Cell], *, is_pinned: bool) -> Response[bytes]:
    counted = counts(question, cells)
    count, sum_fen = summed(cells)
    canonical = _canonical("/api/v1/figures", question, head)
    content = {
        "as_of": {"seq": head.seq, "at": head.at},
        "measure": question.measure,
        "by": question.by,
        "href": canonical,
        "rows": [
            {**dict(zip(question.by, cell.keys, strict=True)), "count": shown, "sum_fen": cell.sum_fen}
            for cell, shown in zip(cells, counted, strict=True)
        ],
        "count": None if None in counted or not MEASURES[question.measure].is_counted else count,
        "sum_fen": sum_fen,
    }
    headers = permalinks.caching(canonical, is_pinned=is_pinned)
    return Response(permalinks.encode(content), media_type="application/json", headers=headers)


def _sheet(question: Question, head: Head, cells: list[Cell], *, is_pinned: bool) -> Response[bytes]:
    rows: list[list[object]] = [[*question.by, "count", "sum_fen"]]
    rows += [[*cell.keys, shown, cell.sum_fen] for cell, shown in zip(cells, counts(question, cells), strict=True)]
    headers = {
        **permalinks.caching(_canonical("/api/v1/figures.csv", question, head), is_pinned=is_pinned),
        **permalinks.attachment(question.measure, head.seq, len(cells), summed(cells)[1]),
    }
    return permalinks.sheet(rows, headers)


def _canonical(path: str, question: Question, head: Head) -> str:
    asked = {
        "measure": question.measure,
        "by": ",".join(question.by),
        **question.only,
        "since": question.since,
        "until": question.until,
    }
    return permalinks.address(path, asked, head.seq)


HANDLERS: list[Any] = [get_figures, get_figures_csv]
