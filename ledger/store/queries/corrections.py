"""Corrections for everybody: what was taken back, by which entry, when and why. The newest first."""

from dataclasses import dataclass

import asyncpg

from ledger import entries


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """One reversal: the old entry `ref`, and what the reversal says of it."""

    seq: int
    ref: int
    of: str
    org: str
    on: str
    ref_on: str
    left_fen: int
    moved_fen: int
    reason: str
    statement: str
    maker: str
    checkers: tuple[str, ...]
    righted_by: int | None
    """The right entry, if there is one yet."""
    right_fen: int | None


async def read_corrections(connection: asyncpg.Connection, *, before: int, limit: int) -> list[Correction]:
    """Those with a number below `before`."""
    found: list[Correction] = []
    for row in await connection.fetch(_PAGE, before, limit):
        entry, old = entries.decode(row["bytes"]), entries.decode(row["old"])
        body = entry.body
        assert isinstance(body, entries.EntryReversed)
        right = None if row["right"] is None else entries.decode(row["right"]).body
        found.append(
            Correction(
                seq=entry.seq,
                ref=body.ref,
                of=body.of,
                org=body.org,
                on=body.on,
                ref_on=getattr(old.body, "on", ""),
                left_fen=body.left,
                moved_fen=body.moved,
                reason=body.reason,
                statement=body.statement,
                maker=entry.by.maker,
                checkers=entry.by.checkers,
                righted_by=row["righted_by"],
                right_fen=None if right is None else right.right_fen,  # type: ignore[union-attr]  # what cites has it
            )
        )
    return found


# Of a reversal in parts the first one only: the others say the same. Citations of parts share one `ref`.
_PAGE = """
  select e.bytes, old.bytes as old, r.seq as righted_by, r.bytes as right
  from entry e
  join citation c on c.seq = e.seq
  join entry old on old.seq = c.ref
  left join lateral (
    select seq, bytes from entry
    where seq = (select min(seq) from citation mine where mine.ref = old.seq and mine.kind = old.kind)
  ) r on true
  where e.kind = 'entry.reversed' and e.seq < $1
    and not exists (select from citation earlier where earlier.ref = c.ref and earlier.kind = c.kind
                    and earlier.seq < c.seq)
  order by e.seq desc limit $2
"""
