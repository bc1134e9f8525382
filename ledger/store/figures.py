"""Figures on their way into the tables: each movement as a row, and sums of them by span, place, gift and month."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from ledger import entries
from ledger.books import Books
from ledger.entries import Entry
from ledger.store import rows
from ledger.store.movements import movements

_Key = tuple[str, str, str, str, str, str, str, str, int]
"""Measure, organisation, fund, project, channel, class, event, month; the number of the shortest span."""

_NO_GIFT = ("", "", "")


class Alike(NamedTuple):
    """What gifts that arrive have in common."""

    block: int
    """Of BLOCK_ENTRIES entries."""
    span: int
    """The shortest one that figures are kept by."""
    on: str
    donors: str
    fund: str
    """Addresses: of the account they come from, and of their fund's."""
    unit: str
    channel: str
    donor_class: str
    event: str
    has_fee: bool


def alike(entry: Entry, body: entries.MoneyReceived, block: int) -> tuple[Alike, int, int]:
    """What the gift has in common with others; what of it went to the fund, and to fees."""
    to_fund, fee = entry.postings[0], entry.postings[1].qty if len(entry.postings) > 1 else 0
    shared = Alike(
        block, entry.seq // rows.FIGURE_SPANS[-1], body.on, to_fund.src, to_fund.dst, to_fund.unit,
        body.channel, body.donor_class, body.event, fee > 0,
    )  # fmt: skip
    return shared, to_fund.qty, fee


@dataclass(slots=True)
class FigureRows:
    """What one batch of entries changes."""

    statements: list[tuple[Any, ...]] = field(default_factory=list)
    """Of movements whose gift the database has to look up, after the rows."""
    _movement: list[tuple[Any, ...]] = field(default_factory=list)
    _sums: dict[_Key, list[int]] = field(default_factory=dict)

    def add(self, entry: Entry, day: date, books: Books) -> None:
        """One entry with postings that is no gift as it arrives. `books`: as they were before it."""
        body, month = entry.body, entry.body.on[:7]  # type: ignore[union-attr]  # every body with postings
        first = entry.seq - entries.part_of(body)[0] + 1
        for n, each in enumerate(movements(entry, books)):
            if each.about:
                about = (*each.place, day, each.entries, each.qty, each.about, [*rows.FIGURE_SPANS])
                self.statements.append((_ABOUT_A_GIFT, entry.seq, n, first, entry.kind, each.measure, *about))
                continue
            gift = _NO_GIFT
            if isinstance(body, entries.MoneyIdentified) and each.measure == "received":
                gift = (body.channel, body.donor_class, body.event)
            where = (each.measure, *each.place, *gift)
            self._movement.append((entry.seq, n, first, entry.kind, *where, day, each.entries, each.qty))
            self._sum((*where, month, entry.seq // rows.FIGURE_SPANS[-1]), each.entries, each.qty)

    def confirm(self, seq: int, body: entries.DeliveryConfirmed) -> None:
        """What arrived as it should, of the funds in the order in which the payment drew on them."""
        if body.outcome == "ok":
            day = date.fromisoformat(body.on)
            self.statements.append((_CONFIRMED, seq, body.ref, body.qty, day, [*rows.FIGURE_SPANS]))

    def tables(self) -> rows.Gathered:
        """The rows."""
        sums: dict[tuple[Any, ...], list[int]] = {}
        for (measure, *where, block), (count, qty) in self._sums.items():
            for span in rows.FIGURE_SPANS:
                key = (span, measure, block * rows.FIGURE_SPANS[-1] // span, *where)
                held = sums.setdefault(key, [0, 0])
                held[0] += count
                held[1] += qty
        return [(rows.MOVEMENT, self._movement), (rows.FIGURE, [(*key, *sums[key]) for key in sorted(sums)])]

    def give(self, gifts: Alike, count: int, qty: int, fee: int) -> None:
        """So many gifts as they arrive, by far the most frequent: their own rows and their postings say the rest.

        `qty`: to the fund; `fee`: of as many of them. What `movements` says of them, by a shorter way; a test compares.
        """
        _, org, fund = gifts.fund.split(":")
        when = (gifts.on[:7], gifts.span)
        self._sum(("held", org, fund, "", *_NO_GIFT, *when), 0, qty)
        if fee:
            self._sum(("fees", org, fund, "", *_NO_GIFT, *when), count, fee)
        self._sum(("received", org, fund, "", gifts.channel, gifts.donor_class, gifts.event, *when), count, qty + fee)

    def _sum(self, key: _Key, count: int, qty: int) -> None:
        if (sums := self._sums.get(key)) is None:
            sums = self._sums[key] = [0, 0]
        sums[0] += count
        sums[1] += qty


# From the entries' own bytes: the gift may be of long ago, and while tables are checked the others are not all there.
_INTO_FIGURE = """
  insert into figure (span, measure, block, org, fund, project, channel, donor_class, event, month, entries, qty)
  select span, measure, seq / span, org, fund, project, channel, donor_class, event, to_char(day, 'YYYY-MM'),
         sum(entries), sum(qty)
  from moved cross join unnest({spans}::integer[]) span group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
  on conflict (span, measure, block, org, fund, project, channel, donor_class, event, month) do update
  set entries = figure.entries + excluded.entries, qty = figure.qty + excluded.qty
"""
_ABOUT_A_GIFT = f"""
  with cited as (
    select convert_from(bytes, 'utf8')::jsonb as said from entry where seq = $12::bigint
  ), gift as (
    select case when cited.said ->> 'kind' = 'gift.refunded' then (
      select convert_from(bytes, 'utf8')::jsonb from entry where seq = (cited.said #>> '{{body,ref}}')::bigint
    ) else cited.said end as said from cited
  ), moved as (
    insert into movement (seq, n, first, kind, measure, org, fund, project, channel, donor_class, event, day, entries,
                          qty)
    select $1::bigint, $2::smallint, $3::bigint, $4, $5,
           coalesce(nullif($6, ''), split_part(said #>> '{{postings,0,2}}', ':', 2)),
           coalesce(nullif($7, ''), split_part(said #>> '{{postings,0,2}}', ':', 3)), $8,
           gift_says.channel, gift_says.donor_class, gift_says.event, $9::date, $10::integer, $11::bigint
    from gift cross join lateral (
      select said #>> '{{body,channel}}', coalesce(said #>> '{{body,donor_class}}', 'unknown'),
             coalesce(said #>> '{{body,event}}', '')
      where $5 in ('refunded', 'voided')
      union all
      select '', '', '' where $5 not in ('refunded', 'voided')
    ) gift_says (channel, donor_class, event)
    returning *
  )
  {_INTO_FIGURE.format(spans="$13")}
"""  # noqa: S608  ours
# `first` of a confirmation names its payment: the next confirmation goes on behind what this one took.
_CONFIRMED = f"""
  with first as (
    select convert_from(bytes, 'utf8')::jsonb as said from entry where seq = $2::bigint
  ), part as (
    select seq, convert_from(bytes, 'utf8')::jsonb as said from entry
    where seq between $2::bigint and $2::bigint - 1 + coalesce((select (said #>> '{{body,part,1}}')::int from first), 1)
  ), paid as (
    select string_to_array(posting ->> 0, ':') as src, (posting ->> 4)::bigint as qty,
           sum((posting ->> 4)::bigint) over (order by part.seq, at) as hi
    from part cross join lateral jsonb_array_elements(said -> 'postings') with ordinality as each (posting, at)
  ), before as (
    select coalesce(sum(qty), 0)::bigint as lo from movement
    where kind = 'delivery.confirmed' and measure = 'confirmed' and first = $2::bigint
  ), confirmed as (
    select src, sum(least(hi, lo + $3::bigint) - greatest(hi - qty, lo))::bigint as qty, min(hi) as hi
    from paid cross join before where hi > lo and hi - qty < lo + $3::bigint group by src
  ), moved as (
    insert into movement (seq, n, first, kind, measure, org, fund, project, channel, donor_class, event, day, entries,
                          qty)
    select $1::bigint, (row_number() over (order by hi) - 1)::smallint, $2::bigint, 'delivery.confirmed', 'confirmed',
           src[2], src[4], src[3], '', '', '', $4::date, (row_number() over (order by hi) = 1)::int, qty
    from confirmed
    returning *
  )
  {_INTO_FIGURE.format(spans="$5")}
"""  # noqa: S608  ours
