"""A gift and what became of it."""

import asyncpg

from ledger import entries
from ledger.entries import Entry, MoneyIdentified, MoneyReceived
from ledger.store.queries.names import read_names
from ledger.store.queries.trace import forward
from ledger.trace import Found, Trace, assemble, effect_of, effects


async def read_trace(connection: asyncpg.Connection, seq: int) -> Trace | None:
    """Where the gift is and how it got there; None for an entry that is no gift. Raises TooManyPieces.

    Inside one snapshot: all it says is of one moment.
    """
    written: bytes | None = await connection.fetchval(_GIFT, seq)
    if written is None:
        return None
    gift = entries.decode(written)
    assert isinstance(gift.body, MoneyReceived | MoneyIdentified)
    batch = gift.body.batch if isinstance(gift.body, MoneyReceived) else 0
    pieces = await forward(connection, seq)
    moves = await _entries(connection, {piece.seq for piece in pieces if piece.depth})
    citing = await connection.fetch(_CITING, [*effects(moves.values())]) if moves else []
    stated = [entries.decode(row["bytes"]) for row in citing]
    found = Found(
        gift=gift,
        sha256=entries.digest(written),
        pieces=pieces,
        moves=moves,
        totals=await _totals(connection, moves),
        citing=stated,
        entering=bool(batch) and not await connection.fetchval(_COMPLETED, batch),
    )
    names = await read_names(
        connection,
        orgs={entries.org_of(entry) for entry in stated},
        addresses={piece.address for piece in pieces},
        events={gift.body.event} - {""},
    )
    return assemble(found, names)


async def _entries(connection: asyncpg.Connection, seqs: set[int]) -> dict[int, Entry]:
    if not seqs:
        return {}
    found = await connection.fetch("select seq, bytes from entry where seq = any($1)", [*seqs])
    return {row["seq"]: entries.decode(row["bytes"]) for row in found}


async def _totals(connection: asyncpg.Connection, moves: dict[int, Entry]) -> dict[int, int]:
    """Effect → what all its parts moved; the parts are only asked for where there are several."""
    totals = {effect_of(entry): entries.qty_of(entry) for entry in moves.values()}
    split = {first: last for first, last in effects(moves.values()).items() if last > first}
    if split:
        found = await connection.fetch(_TOTALS, [*split], [*split.values()])
        totals |= {row["effect"]: row["qty"] for row in found}
    return totals


_GIFT = "select bytes from entry where seq = $1 and kind in ('money.received', 'money.identified')"
_CITING = """
  select e.bytes from citation c join entry e on e.seq = c.seq
  where c.ref = any($1) and c.kind in ('delivery.confirmed', 'feedback.published') order by e.seq
"""
_TOTALS = """
  select effect, sum(qty)::bigint as qty
  from unnest($1::bigint[], $2::bigint[]) as wanted (effect, last) join posting on seq between effect and last
  group by effect
"""
_COMPLETED = "select completed_seq is not null from import_batch where seq = $1"
