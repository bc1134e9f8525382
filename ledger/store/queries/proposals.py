"""What waits, or waited, for a second pair of eyes."""

from collections.abc import Sequence

import asyncpg
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from ledger import account, entries
from ledger.store.queries.entries import read_range
from ledger.store.tables.registers import ProposalRow


async def read_proposals(
    session: AsyncSession, *, status: str | None, before: int | None, limit: int
) -> Sequence[ProposalRow]:
    """The newest; of one status, with a number below `before`, where these are given."""
    query = select(ProposalRow).order_by(col(ProposalRow.seq).desc()).limit(limit)
    if status is not None:
        query = query.where(ProposalRow.status == status)
    if before is not None:
        query = query.where(col(ProposalRow.seq) < before)
    return (await session.exec(query)).all()


async def read_organisations(connection: asyncpg.Connection, proposal: int) -> set[str]:
    """The organisations whose people have to agree, or had to, as `Proposal.orgs` has them of an open one."""
    (first,) = await read_range(connection, proposal, proposal)
    _, count = entries.part_of(first.body)
    parts = await read_range(connection, proposal, proposal + count - 1)
    made = [entry.body for entry in parts if isinstance(entry.body, entries.ProposalMade)]
    return {made[0].org, *account.answering(hold.address for body in made for hold in body.holds)}
