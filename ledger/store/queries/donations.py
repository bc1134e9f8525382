"""Every gift, one by one, in the order of the log: nobody is named."""

from dataclasses import dataclass
from datetime import date

import asyncpg

from ledger import account
from ledger.entries import DonorClass


@dataclass(frozen=True, slots=True, kw_only=True)
class Donation:
    """A gift as it was entered."""

    seq: int
    on: date
    amount_fen: int
    org: str
    fund: str
    channel: str
    donor_class: DonorClass
    event: str
    is_before_event: bool
    """Given before the event it is for began."""
    reversed_by: int | None
    """The entry that took it back, because it was entered wrongly."""


async def read_donations(connection: asyncpg.Connection, *, after: int, limit: int) -> list[Donation]:
    """Those with a number above `after`, by number: later gifts only ever follow."""
    found = []
    for row in await connection.fetch(_PAGE, after, limit):
        place = account.parse(row["address"])
        found.append(
            Donation(
                seq=row["seq"],
                on=row["day"],
                amount_fen=row["qty"],
                org=place.org,
                fund=place.rest[-1],
                channel=row["channel"],
                donor_class=row["donor_class"],
                event=row["event"],
                is_before_event=row["day"].isoformat() < row["began"],
                reversed_by=row["reversed_by"],
            )
        )
    return found


_PAGE = """
  select g.seq, g.day, g.qty, a.address, g.channel, g.donor_class, g.event,
         coalesce((select convert_from(e.bytes, 'utf8')::jsonb #>> '{body,began}'
                   from event join entry e using (seq) where event.event = g.event), '') as began,
         (select min(c.seq) from citation c where c.ref = g.seq and c.kind = 'entry.reversed') as reversed_by
  from gift g join account a on a.id = g.account
  where g.seq > $1 order by g.seq limit $2
"""
