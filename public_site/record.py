"""Pages of the record itself: one entry, all corrections, one fen from its gift to where it is."""

from typing import Annotated

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import PathParameter, QueryParameter

from ledger import account, entries
from ledger.account import MAX_POSITION
from ledger.donations import GIFTS
from ledger.drawing import MAX_SEED, word
from ledger.store.database import Database
from ledger.store.queries.choices import read_choices
from ledger.store.queries.corrections import count_corrections, read_corrections
from ledger.store.queries.entries import read_cited_by, read_reversal, read_written
from ledger.store.queries.fens import draw
from ledger.store.queries.happenings import names_in
from ledger.store.queries.head import read_head
from ledger.store.queries.log import LogState, read_progress
from public_site.form import one_of
from public_site.said import kind_name, said
from public_site.site import FRESH, Site
from public_site.words import both

CORRECTIONS_ON_A_PAGE = 20
MAX_SHOWN_BYTES = 3_000
"""Of the canonical bytes; a longer entry is read at its own address."""

MAX_POSTINGS_SHOWN = 20

Before = Annotated[int, QueryParameter(ge=0, le=MAX_POSITION)]


@get(both("/entries/{seq:int}"), include_in_schema=False)
async def entry(
    seq: Annotated[int, PathParameter(ge=0, le=MAX_POSITION)],
    site: NamedDependency[Site],
    database: NamedDependency[Database],
) -> Response[str]:
    """What one entry says, in words and in the bytes that were hashed."""
    async with database.snapshot() as connection:
        head = await read_head(connection)
        written = await read_written(connection, seq)
        if written is None:
            raise NotFoundException
        progress = await read_progress(connection)
        found = entries.decode(written)
        cited_by = await read_cited_by(connection, seq)
        reversed_by = await read_reversal(connection, seq)
        names = await names_in(connection, [found])
    cites = getattr(found.body, "ref", None)  # a gift's is a digest
    return site.page(
        "entry",
        head,
        headers=FRESH,
        entry=found,
        said=said(found, names, site.words),
        organisation=names.organisations.get(entries.org_of(found), ""),
        on=getattr(found.body, "on", ""),
        decision=getattr(found.body, "decision", ""),
        evidence=getattr(found.body, "evidence", ()),
        cites=cites if isinstance(cites, int) else found.by.proposal or None,
        cited_by=cited_by,
        reversed_by=reversed_by,
        is_gift=found.kind in GIFTS,
        is_published=progress.state(seq) is LogState.PUBLISHED,
        sha256=entries.digest(written),
        written=written[:MAX_SHOWN_BYTES].decode(errors="ignore"),
        size=len(written),
        postings=found.postings[:MAX_POSTINGS_SHOWN],
        kind_of=lambda kind: kind_name(kind, site.words),
    )


@get(both("/corrections"), include_in_schema=False)
async def corrections(
    site: NamedDependency[Site], database: NamedDependency[Database], before: Before = MAX_POSITION
) -> Response[str]:
    """What was entered wrongly: the old one struck through, the correction beside it."""
    async with database.snapshot() as connection:
        head = await read_head(connection)
        count = await count_corrections(connection)
        found = await read_corrections(connection, before=before, limit=CORRECTIONS_ON_A_PAGE + 1)
    shown = found[:CORRECTIONS_ON_A_PAGE]
    return site.page(
        "correction_list",
        head,
        headers=FRESH,
        query={"before": None if before == MAX_POSITION else before},
        corrections=shown,
        count=count,
        kind_of=lambda kind: kind_name(kind, site.words),
        following=shown[-1].seq if len(found) > CORRECTIONS_ON_A_PAGE else None,
    )


@get(both("/fen"), include_in_schema=False)
async def fen(
    site: NamedDependency[Site],
    database: NamedDependency[Database],
    fund: Annotated[str, QueryParameter(pattern=r"^[a-z0-9:-]{0,65}$")] = "",
    seed: Annotated[str, QueryParameter(max_length=MAX_SEED)] = "",
    size: Annotated[int | None, QueryParameter(ge=1, le=MAX_POSITION)] = None,
) -> Response[str]:
    """One fen of a fund, chosen by a published formula, from its gift to where it is under a checkpoint."""
    org, _, its = fund.partition(":")
    is_one = account.is_id(org) and account.is_id(its)
    wrong = site.words("请写明是哪个组织的基金，例如 330800:flood。") if fund and not is_one else ""
    seed = word(seed)
    async with database.snapshot() as connection:
        head = await read_head(connection)
        choices = await read_choices(connection, {"fund": fund})
        drawn = await draw(connection, org, its, seed=seed, size=size) if is_one and seed else None
        way = drawn.way if drawn else []
        names = await names_in(connection, [each for _, each in way])
    return site.page(
        "fen",
        head,
        status=400 if wrong else 200,
        headers=FRESH,
        query={"fund": fund, "seed": seed, "size": size},
        funds=one_of("fund", fund, choices, site.words, wrong=wrong),
        fund=fund,
        seed=seed,
        today=entries.beijing_date(entries.moment(head.at)).isoformat() if head.seq >= 0 else "",
        drawing=drawn.drawing if drawn else None,
        position=drawn.position if drawn else None,
        steps=[(hop, each, said(each, names, site.words)) for hop, each in way],
        is_asked=bool(is_one and seed),
    )


HANDLERS = [entry, corrections, fen]
