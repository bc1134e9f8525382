"""Figures: what each entry changes of them, and sums of that by span, place, gift and month."""

from alembic import op

revision = "0008"
down_revision = "0004"

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
