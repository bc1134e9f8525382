"""Open data as a whole: descriptions for machines (Frictionless, DCAT), and the formats of IATI and 360Giving."""

from collections.abc import AsyncGenerator, Mapping
from typing import Any

import asyncpg
import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.response import Stream

from api.problems import ProblemError, answered
from api.public import corrections, lineage, lists, permalinks, register_tables
from api.public.asking import Entry
from api.public.downloads import NDJSON, streamed
from api.public.permalinks import CSV, NOW
from ledger.disbursements import PERSONS
from ledger.opendata import giving, iati, parquet, workbook
from ledger.opendata.giving import Grant, LeftOut
from ledger.opendata.package import JSON_LD, Described, Publication, catalogue, data_package
from ledger.opendata.terms import Terms
from ledger.store.database import Database
from ledger.store.queries.activities import read_activities, read_names_as_of, read_transactions
from ledger.store.queries.corrections import sum_corrections
from ledger.store.queries.head import Head
from ledger.store.queries.lineage import has_report, sum_report
from ledger.store.queries.lists import ListedEffect, Narrowing, Total, count_effects, count_gifts, every_row
from ledger.store.queries.registers import KEYS, count_items

TABLES = (*lists.TABLES, corrections.TABLE, *register_tables.TABLES)
"""Those that there are as of every entry."""
FILES = {"csv": CSV, "ndjson": NDJSON, "parquet": parquet.MEDIA_TYPE, "xlsx": workbook.MEDIA_TYPE}
"""Suffix → media type."""

PACKAGE, CATALOGUE = "/data/datapackage.json", "/data/dcat.jsonld"
IATI, GIVING = "/data/iati/activities.xml", "/data/360giving.json"


@get(
    PACKAGE,
    summary="数据包说明（Frictionless）",
    tags=["开放数据"],
    responses=answered(dict[str, Any], "Data Package 2.0", 404, 503),
    exact_bytes=True,
)
async def get_datapackage(
    request: Request[Any, Any, Any],
    database: NamedDependency[Database],
    terms: NamedDependency[Terms],
    as_of: Entry = NOW,
) -> Response[bytes]:
    """各个列表和名册的 CSV：地址、行数、合计、每一列的含义和类型。"""
    said = await _publication(request, database, terms, PACKAGE, as_of)
    content = permalinks.encode(data_package(said, terms))
    headers = _caching(PACKAGE, said.seq, is_pinned=as_of != NOW and _is_settled(said))
    return Response(content, media_type="application/json", headers=headers)


@get(
    CATALOGUE,
    summary="数据目录（DCAT）",
    tags=["开放数据"],
    responses=answered(dict[str, Any], "DCAT 3", 404, 503, media_type=JSON_LD),
    exact_bytes=True,
)
async def get_catalogue(
    request: Request[Any, Any, Any],
    database: NamedDependency[Database],
    terms: NamedDependency[Terms],
    as_of: Entry = NOW,
) -> Response[bytes]:
    """供数据门户收录：数据集、各种格式的下载地址、许可、发布者。"""
    said = await _publication(request, database, terms, CATALOGUE, as_of)
    content = permalinks.encode(catalogue(said, terms))
    headers = _caching(CATALOGUE, said.seq, is_pinned=as_of != NOW and _is_settled(said))
    return Response(content, media_type=JSON_LD, headers=headers)


@get(
    IATI,
    operation_id="get_iati_activities",
    summary="项目（IATI 2.03）",
    tags=["开放数据"],
    responses=answered(str, "IATI 2.03", 404, 503, media_type=iati.MEDIA_TYPE),
)
async def get_iati(
    request: Request[Any, Any, Any],
    database: NamedDependency[Database],
    terms: NamedDependency[Terms],
    as_of: Entry = NOW,
) -> Stream:
    """每个项目是一项活动：拨入、拨付、支出，退回和更正为负数。运营者没有 IATI 组织标识则没有。"""
    if not terms.iati_org:
        raise ProblemError("not-configured", "SUNLEDGER_IATI_ORG")
    async with database.snapshot() as connection:
        head = await permalinks.read_as_of(connection, as_of)
        found = await read_activities(connection, head.seq)
    if not found:
        raise ProblemError("not-found", "还没有项目")

    async def written() -> AsyncGenerator[str]:
        yield iati.opening(head.at)
        for each in found:
            async with database.raw() as connection:
                moved = await read_transactions(connection, each.org, each.project, head.seq)
            yield iati.activity(each, moved, terms, head.operator)
        yield iati.CLOSING

    return streamed(request, written(), iati.MEDIA_TYPE, _caching(IATI, head.seq, is_pinned=as_of != NOW))


@get(
    GIVING,
    operation_id="get_360giving",
    summary="对机构的资助（360Giving）",
    tags=["开放数据"],
    responses=answered(dict[str, Any], "360Giving 1.4", 404, 503, media_type=giving.MEDIA_TYPE),
)
async def get_giving(
    request: Request[Any, Any, Any],
    database: NamedDependency[Database],
    terms: NamedDependency[Terms],
    as_of: Entry = NOW,
) -> Stream:
    """付给机构的资助和转给其他组织的款项。付给个人的不列，只说明笔数和合计。运营者没有 360Giving 前缀则没有。"""
    if not terms.giving_prefix:
        raise ProblemError("not-configured", "SUNLEDGER_GIVING_PREFIX")
    async with database.snapshot() as connection:
        head = await permalinks.read_as_of(connection, as_of)
        names = await read_names_as_of(connection, head.seq)
        projects = {(each.org, each.project): each.name for each in await read_activities(connection, head.seq)}
    left_out = LeftOut(giving.PERSONS), LeftOut(giving.NO_GRANT)
    grants = _grants(database, head, names, projects, left_out)
    first = await anext(grants, None)
    if first is None:
        raise ProblemError("not-found", "还没有对机构的资助")

    async def written() -> AsyncGenerator[bytes]:
        yield b'{"grants":[' + giving.grant(first, terms, head.at)
        async for each in grants:
            yield b"," + giving.grant(each, terms, head.at)
        said = msgspec.json.encode(giving.closing(left_out, terms, head.operator, head.at, head.seq))
        yield b"]," + said.removeprefix(b"{") + b"\n"

    return streamed(request, written(), giving.MEDIA_TYPE, _caching(GIVING, head.seq, is_pinned=as_of != NOW))


async def _grants(
    database: Database,
    head: Head,
    names: Mapping[str, str],
    projects: Mapping[tuple[str, str], str],
    left_out: tuple[LeftOut, LeftOut],
) -> AsyncGenerator[Grant]:
    """Aid to institutions, then transfers; what is none of them is counted in `left_out`: to persons, and the rest."""
    to_persons, no_grant = left_out
    async for chunk in every_row(database, "payments", Narrowing(), as_of=head.seq):
        for each in chunk:
            assert isinstance(each, ListedEffect)
            if each.said["payee"] == PERSONS:
                to_persons.add(each.amount_fen)
            elif each.said["spending"] != "aid":
                no_grant.add(each.amount_fen)
            else:
                yield _paid(each, names, projects[each.org, each.project])
    async for chunk in every_row(database, "transfers", Narrowing(), as_of=head.seq):
        for each in chunk:
            assert isinstance(each, ListedEffect)
            yield _sent(each, names)


def _paid(each: ListedEffect, names: Mapping[str, str], project: str) -> Grant:
    return Grant(
        id=f"payment-{each.seq}",
        title=each.said["purpose"],
        description=f"项目：{project}。账本第 {each.seq} 条",
        awarded_fen=each.amount_fen,
        disbursed_fen=each.amount_fen - each.undone_fen,
        on=str(each.on),
        funder=each.org,
        funder_name=names[each.org],
        recipient="",
        recipient_name=each.said["payee"],
        programme=f"{each.org}:{each.project}",
        programme_name=project,
        region=each.said["region"],
    )


def _sent(each: ListedEffect, names: Mapping[str, str]) -> Grant:
    receiver = each.said["to"]
    return Grant(
        id=f"transfer-{each.seq}",
        title=f"转款给{names[receiver]}",
        description=f"出自基金：{'、'.join(each.funds)}。账本第 {each.seq} 条",
        awarded_fen=each.amount_fen,
        disbursed_fen=each.received_fen,
        on=str(each.on),
        funder=each.org,
        funder_name=names[each.org],
        recipient=receiver,
        recipient_name=names[receiver],
        is_regrant=True,
    )


async def _publication(
    request: Request[Any, Any, Any], database: Database, terms: Terms, path: str, as_of: int
) -> Publication:
    """With whole addresses, each of them as of the entry."""
    base = permalinks.origin(request)
    async with database.snapshot() as connection:
        head = await permalinks.read_as_of(connection, as_of)
        if not head.at:
            raise ProblemError("not-found", "账本还是空的")
        tables = (*TABLES, lineage.TABLE) if await has_report(connection, head.seq) else TABLES
        totals = {each.name: await _count(connection, each.name, head.seq) for each in tables}

    def address(of: str) -> str:
        return base + permalinks.address(of, {}, head.seq)

    found = [
        Described(
            name=each.name,
            title=each.title,
            files={suffix: (address(f"{each.path}.{suffix}"), kind) for suffix, kind in FILES.items()},
            table=each,
            rows=totals[each.name].rows,
            sum_fen=totals[each.name].sum_fen,
        )
        for each in tables
    ]
    if terms.iati_org:
        found.append(Described(name="iati", title="项目（IATI 2.03）", files={"xml": (address(IATI), iati.MEDIA_TYPE)}))
    if terms.giving_prefix:
        files = {"json": (address(GIVING), giving.MEDIA_TYPE)}
        found.append(Described(name="360giving", title="对机构的资助（360Giving）", files=files))
    return Publication(operator=head.operator, seq=head.seq, at=head.at, home=address(path), data=found)


async def _count(connection: asyncpg.Connection, name: str, as_of: int) -> Total:
    match name:
        case "gifts":
            return await count_gifts(connection, Narrowing(), as_of=as_of)
        case "corrections":
            return Total(*await sum_corrections(connection, before=as_of + 1))
        case "lineage":
            return await sum_report(connection, as_of)
        case register if register in KEYS:
            return Total(await count_items(connection, register, as_of=as_of), 0)
        case _:
            return await count_effects(connection, name, Narrowing(), as_of=as_of)


def _caching(path: str, seq: int, *, is_pinned: bool) -> dict[str, str]:
    return permalinks.caching(permalinks.address(path, {}, seq), is_pinned=is_pinned)


def _is_settled(said: Publication) -> bool:
    """Whether it stays as it is: a state that has no lineage report yet may get one, which is then described, too."""
    return any(each.name == lineage.TABLE.name for each in said.data)


HANDLERS: list[Any] = [get_datapackage, get_catalogue, get_iati, get_giving]
