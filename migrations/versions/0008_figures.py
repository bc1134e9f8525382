"""Figures: what each entry changes of them, and sums by span, place, gift and month. Visits: who asks how often."""

from alembic import op

revision = "0008"
down_revision = "0007"

STATEMENTS = (
    # Gifts as they arrive have no rows here: `gift` and `posting` say the same of them.
    """
    create table movement (
      seq bigint not null references entry,
      n smallint not null,
      first bigint not null,
      kind text not null,
      measure text not null,
      org text not null,
      fund text not null,
      project text not null,
      channel text not null,
      donor_class text not null,
      event text not null,
      day date not null,
      entries integer not null constraint movement_counts_once check (entries in (0, 1)),
      qty bigint not null,
      primary key (seq, n)
    )
    """,
    "create index movement_of_measure on movement (measure, seq)",
    "create index movement_of_kind on movement (kind, measure, first)",
    "create index movement_of_organisation on movement (org, seq)",
    "create index movement_of_project on movement (org, project, seq) where project <> ''",
    # Written with every gift, hence without a foreign key: `rebuild` compares it with the entries.
    """
    create table figure (
      span integer not null,
      measure text not null,
      block bigint not null,
      org text not null,
      fund text not null,
      project text not null,
      channel text not null,
      donor_class text not null,
      event text not null,
      month text not null,
      entries bigint not null,
      qty bigint not null,
      primary key (span, measure, block, org, fund, project, channel, donor_class, event, month)
    ) with (fillfactor = 70)
    """,
    # Who asked how often, under keyed hashes, until its time is over. Nothing that must outlive a crash.
    """
    create unlogged table visit (
      visitor bytea primary key,
      ends timestamptz not null,
      visits bigint not null
    )
    """,
    # The one thing the reader may write. Its names are bound here, so that no search path of a caller's matters.
    """
    create function count_visits(visitors bytea[], costs bigint[], seconds integer[])
    returns table (n bigint, visits bigint, left_s integer)
    language sql volatile security definer
    begin atomic
      with asked as (
        select visitor, sum(cost)::bigint as cost, max(length_s) as length_s
        from unnest(visitors, costs, seconds) as each (visitor, cost, length_s) group by visitor
      ), over as (
        delete from visit where visitor in (
          select visitor from visit where ends <= now() and visitor not in (select visitor from asked)
          limit 100 for update skip locked
        )
      ), counted as (
        insert into visit (visitor, ends, visits)
        select visitor, now() + make_interval(secs => length_s), cost from asked where cost > 0 order by visitor
        on conflict (visitor) do update
        set ends = case when visit.ends <= now() then excluded.ends else visit.ends end,
            visits = case when visit.ends <= now() then 0 else visit.visits end + excluded.visits
        returning visitor, visit.visits, visit.ends
      )
      select each.n, coalesce(counted.visits, known.visits, 0),
             coalesce(ceil(extract(epoch from coalesce(counted.ends, known.ends) - now())), 0)::integer
      from unnest(visitors) with ordinality as each (visitor, n)
      left join counted on counted.visitor = each.visitor
      left join visit known on known.visitor = each.visitor and known.ends > now()
      order by each.n;
    end
    """,
    "create index visit_ends on visit (ends)",
    "revoke all on function count_visits from public",
    # The tree of organisations as of any entry.
    "create index entry_organisation on entry (seq) where kind in ('org.registered', 'org.changed')",
)


def upgrade() -> None:
    """Create all. What is there is counted by `sunledger rebuild`."""
    for statement in STATEMENTS:
        op.execute(statement)
    schema = op.get_bind().exec_driver_sql("select current_schema()").scalar_one()
    writer, reader = f'"{schema}_writer"', f'"{schema}_reader"'
    op.execute(f"grant select, insert on movement, figure to {writer}")
    op.execute(f"grant update on figure to {writer}")
    op.execute(f"grant select on movement, figure to {reader}")
    op.execute(f"grant execute on function count_visits to {reader}")
