"""The first pages: find a gift, read where it is. The others stand in `books`, `record` and `about`."""

import base64
from typing import Annotated, Any
from urllib.parse import parse_qs

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import PathParameter

from ledger import privacy
from ledger.entries import beijing_date, moment
from ledger.store.database import Database
from ledger.store.queries import log
from ledger.store.queries.corrections import count_corrections
from ledger.store.queries.dossiers import read_box, read_dossier
from ledger.store.queries.gifts import Traces
from ledger.store.queries.happenings import names_in, read_latest
from ledger.store.queries.head import read_head
from ledger.store.queries.receipts import Receipts
from ledger.store.queries.years import read_year
from ledger.trace import State
from public_site import about, books, record
from public_site.bar import colours, segments
from public_site.dossier import packed
from public_site.said import said
from public_site.site import FRESH, Press, Site
from public_site.words import both

PRIVATE = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}

MAX_FIELDS = 10
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
        latest = await read_latest(connection, LATEST)
        names = await names_in(connection, latest)
        witnessed = await log.witnessed(connection)
    return site.page(
        "find",
        head,
        headers=FRESH,
        year=year,
        corrections=corrections,
        news=[(entry, said(entry, names, site.words)) for entry in latest],
        witnessed=witnessed,
    )


@get(both("/r"), include_in_schema=False)
async def printed_link(site: NamedDependency[Site], database: NamedDependency[Database]) -> Response[str]:
    """Where printed links lead: `/r#CODE`. The fragment stays in the browser until a module posts it."""
    async with database.raw() as connection:
        head = await read_head(connection)
    return site.page("printed_link", head, headers=PRIVATE)


@post(both("/trace"), status_code=200, include_in_schema=False)
async def trace(
    request: Request[Any, Any, Any],
    site: NamedDependency[Site],
    receipts: NamedDependency[Receipts],
    traces: NamedDependency[Traces],
    database: NamedDependency[Database],
) -> Response[str]:
    """Where the gift is; or that nothing was found, in the same words for every code that finds nothing."""
    typed = _code(await request.body())
    head, progress, found = await traces.of(await receipts.find(typed))
    if found is None:
        return site.page("not_found", head, status=404, headers=PRIVATE)
    async with database.raw() as connection:
        box = await read_box(connection, found.gift.seq)
    payments = [leaf for leaf in found.leaves if leaf.state in {State.CONFIRMED, State.PAID}]
    rest = payments[MAX_PAYMENTS:]
    coloured = [each for each in zip(found.leaves, colours(found.leaves), strict=True) if each[0] not in rest]
    return site.page(
        "trace",
        head,
        headers=PRIVATE,
        trace=found,
        code=privacy.printed(privacy.parse_code(typed) or ""),  # her browser checks with it that the entry is hers
        is_signed=progress.published > 0,
        box=base64.b64encode(box).decode(),
        leaves=coloured,
        segments=segments(found.leaves),
        rest=rest,
        steps=[*found.steps[:-1][: MAX_STEPS - 1], found.steps[-1]],
        skipped_steps=max(0, len(found.steps) - MAX_STEPS),
    )


@post(both("/dossier"), status_code=200, include_in_schema=False)
async def dossier(
    request: Request[Any, Any, Any],
    site: NamedDependency[Site],
    receipts: NamedDependency[Receipts],
    traces: NamedDependency[Traces],
    database: NamedDependency[Database],
) -> Response[Any]:
    """The whole record of the gift as a zip, from a form: it works without JavaScript, and its address says nothing."""
    seq = await receipts.find(_code(await request.body()))
    async with database.snapshot() as connection:
        head = await read_head(connection)
        found = None if seq is None else await read_dossier(connection, traces, seq)
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


def _code(body: bytes) -> str:
    """The form's field. Not by the framework's parser, which keeps the last thousand forms in memory."""
    try:
        fields = parse_qs(body.decode("latin-1"), max_num_fields=MAX_FIELDS)
    except ValueError:
        return ""
    return fields.get("code", [""])[0]


HANDLERS = [find, printed_link, trace, dossier, static, *about.HANDLERS, *books.HANDLERS, *record.HANDLERS]
