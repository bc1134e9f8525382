"""What waits, or waited, for a second pair of eyes."""

from collections.abc import Sequence

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

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
