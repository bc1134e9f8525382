"""Pages about the ledger: how to check it, how money is matched, privacy, whom to tell of a mistake."""

import shlex
from itertools import pairwise
from typing import Annotated, Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from api.public import permalinks
from ledger.account import MAX_POSITION
from ledger.log.checkpoint import Checkpoint
from ledger.store.database import Database
from ledger.store.queries import log
from ledger.store.queries.head import read_head
from ledger.store.queries.news import read_subject
from ledger.store.queries.stamps import Stamped, read_stamps
from public_site.site import FRESH, Site
from public_site.words import both

CHECKPOINTS = 10
STAMPS = 5
KEPT = {"Cache-Control": "public, max-age=300"}


@get(both("/verify"), include_in_schema=False)
async def verify(
    request: Request[Any, Any, Any], site: NamedDependency[Site], database: NamedDependency[Database]
) -> Response[str]:
    """Checkpoints, witnesses, stamps, and how to check everything without this site."""
    async with database.snapshot() as connection:
        head = await read_head(connection)
        checkpoints = await log.read_checkpoints(connection, CHECKPOINTS + 1)
        witnessed = await log.witnessed(connection)
        keys = await log.signing_keys(connection)
        stamps = await read_stamps(connection, STAMPS)
        subject = await read_subject(connection, "") if stamps else None
    added = [newer.size - older.size for newer, older in pairwise(checkpoints)]
    if len(checkpoints) <= CHECKPOINTS and checkpoints:
        added.append(checkpoints[-1].size)  # the first one of all
    return site.page(
        "checking",
        head,
        headers=FRESH,
        checkpoints=[*zip(checkpoints[:CHECKPOINTS], added, strict=False)],
        witnessed=witnessed,
        address=shlex.quote(permalinks.origin(request)),
        key=shlex.quote(keys[0]) if keys and checkpoints else "",
        stamps=stamps,
        stamped=_text(subject.origin, stamps[0]) if subject is not None else (),
    )


@get(both("/matching"), include_in_schema=False)
async def matching(site: NamedDependency[Site]) -> Response[str]:
    """How a gift is matched with a payment: what is exact, and what is convention."""
    return site.page("matching", None, headers=KEPT)


@get(both("/privacy"), include_in_schema=False)
async def privacy(site: NamedDependency[Site]) -> Response[str]:
    """What is public of people, and what is not."""
    return site.page("privacy", None, headers=KEPT)


@get(both("/report"), include_in_schema=False)
async def report(
    site: NamedDependency[Site],
    entry: Annotated[int | None, QueryParameter(ge=0, le=MAX_POSITION)] = None,
) -> Response[str]:
    """发现不符: whom to tell, with the entry's number filled in."""
    return site.page("report", None, headers=KEPT, query={"entry": entry}, entry=entry)


def _text(origin: str, stamp: Stamped) -> list[str]:
    """The three lines that were stamped, as a shell takes them."""
    text = Checkpoint(origin=origin, size=stamp.size, root=stamp.root).text.decode()
    return [shlex.quote(line) for line in text.splitlines()]


HANDLERS = [verify, matching, privacy, report]
