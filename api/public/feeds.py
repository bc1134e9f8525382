"""Atom feeds (RFC 4287) of projects, organisations and corrections; what robots may read, and a map for them."""

from typing import Any
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement, tostring

from litestar import Request, Response, get
from litestar.di import NamedDependency

from api.problems import ProblemError, answered
from api.public import permalinks
from api.public.answers import FRESH, OrgId, ProjectId, are_ids
from ledger import entries
from ledger.entries import Entry
from ledger.store.database import Database
from ledger.store.queries.happenings import Effect, effects_of
from ledger.store.queries.head import read_head
from ledger.store.queries.news import MAX_NEWS, Subject, read_corrected, read_news, read_subject
from ledger.store.queries.places import read_places
from public_site.words import CHINESE, ENGLISH, both

ATOM, HTML, JSON = "application/atom+xml", "text/html", "application/json"
_HOURLY = {"Cache-Control": "public, max-age=3600"}
_NAMESPACE = "http://www.w3.org/2005/Atom"
_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_XHTML = "http://www.w3.org/1999/xhtml"
LANGUAGES = (CHINESE, ENGLISH)
_DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>\n'

MAX_PLACES = 50_000
"""A site map lists at most so many (sitemaps.org)."""

PAGES = (
    "/", "/organisations", "/funds", "/projects", "/gifts", "/corrections", "/data", "/data/figures", "/verify", "/fen",
    "/matching", "/privacy",
)  # fmt: skip
CLOSED = (
    "/api/v1/trace",
    "/api/v1/search",
    *(closed for page in ("/r$", "/trace", "/certificate", "/dossier", "/search", "/data?", "/data/figures?", "/gifts?")
      for closed in both(page)),
)  # fmt: skip
"""Where codes are typed, and what would only make work: there is no end of selections. `$` is the end of an address
(RFC 9309, section 2.2.3)."""

WORDS = {
    "delivery.confirmed": "受助方签收",
    "entry.reversed": "更正",
    "exchange.settled": "汇兑损失",
    "fee.charged": "平台手续费",
    "gift.redirected": "改变用途",
    "gift.refunded": "退还捐赠人",
    "income.received": "其他收入",
    "money.allocated": "分配到项目",
    "money.disbursed": "拨付",
    "money.released": "项目结余退回基金",
    "money.returned": "收款方退回",
    "transfer.received": "收到转款",
    "transfer.returned": "转款退回",
    "transfer.sent": "转给其他组织",
}
_ANSWERED = answered(str, "Atom（RFC 4287）", 404, 503, media_type=ATOM)


@get(
    "/feeds/projects/{org:str}/{project:str}",
    summary="项目动态（Atom）",
    tags=["订阅"],
    responses=_ANSWERED,
)
async def project_feed(
    org: OrgId,
    project: ProjectId,
    request: Request[Any, Any, Any],
    database: NamedDependency[Database],
) -> Response[bytes]:
    """一个项目的分配、拨付、签收和更正，最近 50 条。"""
    if not are_ids(org, project):
        raise ProblemError("not-found")
    async with database.snapshot() as connection:
        subject = await read_subject(connection, org, project)
        found = await effects_of(connection, await read_news(connection, org, project), MAX_NEWS)
    return _feed(permalinks.origin(request), subject, f"projects/{org}/{project}", found)


@get(
    "/feeds/organisations/{org:str}",
    summary="组织动态（Atom）",
    tags=["订阅"],
    responses=_ANSWERED,
)
async def organisation_feed(
    org: OrgId,
    request: Request[Any, Any, Any],
    database: NamedDependency[Database],
) -> Response[bytes]:
    """一个组织的分配、拨付、转款、签收和更正，最近 50 条。"""
    if not are_ids(org):
        raise ProblemError("not-found")
    async with database.snapshot() as connection:
        subject = await read_subject(connection, org)
        found = await effects_of(connection, await read_news(connection, org), MAX_NEWS)
    return _feed(permalinks.origin(request), subject, f"organisations/{org}", found)


@get("/feeds/corrections", summary="更正（Atom）", tags=["订阅"], responses=_ANSWERED)
async def corrections_feed(request: Request[Any, Any, Any], database: NamedDependency[Database]) -> Response[bytes]:
    """全部更正及其说明，最近 50 条。"""
    async with database.snapshot() as connection:
        subject = await read_subject(connection, "")
        found = await effects_of(connection, await read_corrected(connection), MAX_NEWS)
    return _feed(permalinks.origin(request), subject, "corrections", found)


@get("/robots.txt", include_in_schema=False, media_type="text/plain")
async def robots(request: Request[Any, Any, Any]) -> Response[str]:
    """Everything may be read, but where codes are typed."""
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in CLOSED),
        f"Sitemap: {permalinks.origin(request)}/sitemap.xml",
        "",
    ]
    return Response("\n".join(lines), media_type="text/plain", headers=_HOURLY)


@get("/sitemap.xml", include_in_schema=False)
async def sitemap(request: Request[Any, Any, Any], database: NamedDependency[Database]) -> Response[bytes]:
    """The pages, and those of every organisation, fund and project, in both languages; of the host that was asked."""
    async with database.raw() as connection:
        head = await read_head(connection)
        places = await read_places(connection, limit=MAX_PLACES // len(LANGUAGES) - len(PAGES))
    root = Element("urlset", {"xmlns": _SITEMAP, "xmlns:xhtml": _XHTML})
    for path in (*PAGES, *places):
        versions = {each.language: permalinks.origin(request) + quote(each.address(path)) for each in LANGUAGES}
        for address in versions.values():
            url = SubElement(root, "url")
            SubElement(url, "loc").text = address
            if head.at:
                SubElement(url, "lastmod").text = head.at[:10]
            for language, other in versions.items():
                SubElement(url, "xhtml:link", rel="alternate", hreflang=language, href=other)
    return Response(_DECLARATION + tostring(root, "utf-8"), media_type="application/xml", headers=_HOURLY)


def _feed(origin: str, subject: Subject | None, path: str, found: list[Effect]) -> Response[bytes]:
    """Links are absolute: a reader keeps a feed without its address. Pages come first, which many readers open."""
    if subject is None:
        raise ProblemError("not-found")
    root = Element("feed", {"xmlns": _NAMESPACE, "xml:lang": "zh-Hans"})
    SubElement(root, "id").text = _name(subject, f"/feeds/{path}")
    SubElement(root, "title").text = f"{subject.name} · {'更正' if path == 'corrections' else '动态'}"
    SubElement(root, "updated").text = found[0].entry.at if found else f"{subject.opened_on}T00:00:00Z"
    SubElement(root, "link", rel="self", href=f"{origin}/feeds/{path}")
    SubElement(root, "link", rel="alternate", type=HTML, href=f"{origin}/{path}")
    SubElement(SubElement(root, "author"), "name").text = subject.operator
    for entry, qty in found:
        item = SubElement(root, "entry")
        SubElement(item, "id").text = _name(subject, f"/entries/{entry.seq}")
        SubElement(item, "title").text = _headline(entry, qty)
        SubElement(item, "updated").text = entry.at
        # Versions of the same, so both are alternates; of one type there may be one only (RFC 4287, section 4.1.2).
        SubElement(item, "link", rel="alternate", type=HTML, href=f"{origin}/entries/{entry.seq}")
        SubElement(item, "link", rel="alternate", type=JSON, href=f"{origin}/api/v1/entries/{entry.seq}")
        SubElement(item, "summary").text = _told(entry)
    return Response(_DECLARATION + tostring(root, "utf-8"), media_type=ATOM, headers=FRESH)


def _name(subject: Subject, path: str) -> str:
    """A tag (RFC 4151): the log's own name and the day it was opened on, so that it outlives any host."""
    authority, _, rest = subject.origin.partition("/")
    return f"tag:{authority},{subject.opened_on}:{rest}{path}"


def _headline(entry: Entry, qty: int) -> str:
    """`qty`: what it moved, with all other parts of its effect."""
    fen = entry.body.qty if isinstance(entry.body, entries.DeliveryConfirmed) else qty
    return f"{WORDS.get(entry.kind, entry.kind)} ¥{fen // 100:,}.{fen % 100:02d}"


def _told(entry: Entry) -> str:
    match entry.body:
        case entries.EntryReversed() as body:
            return f"原条目 {body.ref}。{body.statement}"
        case entries.MoneyDisbursed() as body:
            payee = "受助群众" if body.payee == "persons" else body.payee
            return f"{body.on}，付给{payee}：{body.purpose}"
        case body:
            return str(getattr(body, "on", ""))


HANDLERS: list[Any] = [project_feed, organisation_feed, corrections_feed, robots, sitemap]
