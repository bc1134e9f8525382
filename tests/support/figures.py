"""The figures of everybody together, of those that pages and the interface show of each organisation."""

from dataclasses import fields

import asyncpg

from ledger.store.queries.figures import Figures
from ledger.store.queries.organisations import read_organisations

ORGANISATIONS_MAX = 100


async def read_figures(connection: asyncpg.Connection) -> Figures:
    """What all organisations received, and where it is."""
    found = await read_organisations(connection, after="", limit=ORGANISATIONS_MAX)
    assert 0 < len(found) < ORGANISATIONS_MAX
    return Figures(
        **{
            each.name: sum(getattr(organisation.figures, each.name) for organisation in found)
            for each in fields(Figures)
        }
    )
