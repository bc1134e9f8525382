"""The first pages: find a gift, read where it is. The others stand in the modules named at the end."""

import base64
from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import PathParameter

from api.desk import Desk
from ledger import privacy
from ledger.entries import beijing_date, moment
from ledger.privacy import FiscalNumbers
from ledger.store.database import Database
from ledger.store.queries import log
from ledger.store.queries.corrections import count_corrections
from ledger.store.queries.dossiers import read_box, read_dossier
from ledger.store.queries.gifts import Traced
from ledger.store.queries.happenings import read_latest
from ledger.store.queries.head import read_head
from ledger.store.queries.years import read_year
from ledger.trace import State, Trace
from public_site import about, books, certificate, data, figures, record, search
from public_site.bar import colours, segments
from public_site.dossier import packed
from public_site.messages import fen
from public_site.posted import asked, fields
from public_site.said import told
from public_site.site import FRESH, PRIVATE, Press, Site
from public_site.words import both

IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}

LATEST = 7
MAX_PAYMENTS = 20
"""Payments a page lists one by one; the smallest beyond them as one sum."""

MAX_STEPS = 30
"""Steps a page shows: the newest, and the gift itself."""


@get(both("/"), include_in_schema=False)
async def find(site: NamedDependency[Site], database: NamedDependency[Database]) -> Response[str]:
    """The look-up, this year's figures, what happened lately."""
    async with database.snapshot() as connection:
        head = await read_head(connection)
        year = await read_year(connection, beijing_date(moment(head.at)).year) if head.seq >= 0 else None
        corrections = await count_corrections(connection)
        news = await told(connection, await read_latest(connection, LATEST), site.words)
        witnessed = await log.witnessed(connection)
    return site.page(
        "find",
        head,
        headers=FRESH,
        year=year,
        corrections=corrections,
        news=news,
        witnessed=witnessed,
    )


@get(both("/r"), include_in_schema=False)
async def printed_link(site: NamedDependency[Site], database: NamedDependency[Database]) -> Response[str]:
    """Where printed links lead: `/r#CODE`. The fragment stays in the browser until a module posts it."""
    async with database.raw() as connection:
        head = await read_head(connection)
    return site.page("printed_link", head, headers=PRIVATE)


@post(both("/trace/fiscal"), status_code=200, include_in_schema=False)
async def trace_fiscal(
    request: Request[Any, Any, Any], site: NamedDependency[Site], desk: NamedDependency[Desk]
) -> Response[str]:
    """The same by all four that are printed on the fiscal receipt: the trace, and nothing else that a code opens."""
    code, number, check_code, amount = fields(await request.body(), "code", "number", "check_code", "amount")
    numbers = FiscalNumbers(code=code, number=number, check_code=check_code)
    traced = await desk.traces.of(await desk.look_up_fiscal(request, numbers, fen(amount)))
    if traced.trace is None:
        return site.page("fiscal_not_found", traced.head, status=404, headers=PRIVATE)
    return _page(site, traced, traced.trace)


@post(both("/trace"), status_code=200, include_in_schema=False)
async def trace(
    request: Request[Any, Any, Any], site: NamedDependency[Site], desk: NamedDependency[Desk]
) -> Response[str]:
    """Where the gift is; or that nothing was found, in the same words for every code that finds nothing."""
    typed, wanted = asked(await request.body())
    traced = await desk.trace(request, typed, wanted)
    if traced.trace is None:
        return site.page("not_found", traced.head, status=404, headers=PRIVATE)
    async with desk.database.raw() as connection:
        box = await read_box(connection, traced.trace.gift.seq)
    # Her browser checks with the code that the entry is hers.
    code = privacy.printed(privacy.parse_code(typed) or "")
    return _page(site, traced, traced.trace, code=code, box=base64.b64encode(box).decode())


def _page(site: Site, traced: Traced, found: Trace, *, code: str = "", box: str = "") -> Response[str]:
    """The page; without a code no more than the trace."""
    payments = [leaf for leaf in found.leaves if leaf.state in {State.CONFIRMED, State.UNCONFIRMED}]
    rest = payments[MAX_PAYMENTS:]
    coloured = [each for each in zip(found.leaves, colours(found.leaves), strict=True) if each[0] not in rest]
    return site.page(
        "trace",
        traced.head,
        headers=PRIVATE,
        trace=found,
        donor_name=traced.donor_name,
        code=code,
        is_signed=traced.progress.published > 0,
        box=box,
        leaves=coloured,
        segments=segments(found.leaves),
        rest=rest,
        steps=[*found.steps[:-1][: MAX_STEPS - 1], found.steps[-1]],
        skipped_steps=max(0, len(found.steps) - MAX_STEPS),
        wrong=traced.wrong,
        righted_by=traced.righted_by,
    )


@post(both("/dossier"), status_code=200, include_in_schema=False)
async def dossier(
    request: Request[Any, Any, Any], site: NamedDependency[Site], desk: NamedDependency[Desk]
) -> Response[Any]:
    """The whole record of the gift as a zip, from a form: it works without JavaScript, and its address says nothing."""
    typed, wanted = asked(await request.body())
    seq = await desk.look_up(request, typed, wanted)
    async with desk.database.snapshot() as connection:
        head = await read_head(connection)
        found = None if seq is None else await read_dossier(connection, desk.traces, seq)
    if seq is None:
        return site.page("not_found", head, status=404, headers=PRIVATE)
    if found is None:
        return site.page("not_published", head, status=404, headers=PRIVATE)
    saved_as = {"Content-Disposition": f'attachment; filename="gift-{seq}.zip"'}
    return Response(packed(found), media_type="application/zip", headers={**PRIVATE, **saved_as})


@get("/static/{name:str}", include_in_schema=False)
async def static(name: Annotated[str, PathParameter()], press: NamedDependency[Press]) -> Response[bytes]:
    """A file under the name its content gives it."""
    if (asset := press.assets.get(name)) is None:
        raise NotFoundException
    return Response(asset.content, media_type=asset.media_type, headers=IMMUTABLE)


HANDLERS = [
    find,
    printed_link,
    trace,
    trace_fiscal,
    dossier,
    static,
    *about.HANDLERS,
    *certificate.HANDLERS,
    *books.HANDLERS,
    *data.HANDLERS,
    *figures.HANDLERS,
    *record.HANDLERS,
    *search.HANDLERS,
]
