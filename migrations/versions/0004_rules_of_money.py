"""Suspense and other references, clauses of funds and their cost, turnovers by day, closed periods."""

from alembic import op

revision = "0004"
down_revision = "0003"

STATEMENTS = (
    # Beside gift.ref: the sequencer looks in both, since a reference is in the log once.
    """
    create table reference (
      ref bytea primary key,
      seq bigint not null references entry
    )
    """,
    """
    create table suspense (
      seq bigint primary key references entry,
      org text not null,
      channel text not null,
      day date not null,
      qty bigint not null,
      left_fen bigint not null,
      constraint suspense_within_its_entry check (left_fen between 0 and qty)
    )
    """,
    "create index suspense_open on suspense (org, day, seq) where left_fen > 0",
    """
    alter table fund
      add column management_ppm integer not null default -1,
      add column over_ceiling text not null default 'refused',
      add column receipt_fee_ppm integer not null default 0,
      add column charges boolean not null default false,
      add column closed_seq bigint references entry,
      add column successor text not null default ''
    """,
    """
    alter table project
      add column closed_seq bigint references entry,
      add column successor text not null default ''
    """,
    """
    create table cost (
      org text not null,
      fund text not null,
      year text not null,
      management bigint not null,
      spent bigint not null,
      primary key (org, fund, year),
      constraint cost_management_is_spent check (management between 0 and spent)
    )
    """,
    # Written with every gift, hence without a foreign key: `rebuild` compares it with the postings.
    """
    create table turnover (
      account integer not null,
      day date not null,
      block bigint not null,
      credited bigint not null,
      consumed bigint not null,
      primary key (account, day, block)
    ) with (fillfactor = 70)
    """,
    """
    create table period (
      org text not null,
      last_on date not null,
      first_on date not null,
      root bytea not null constraint period_root_is_sha256 check (length(root) = 32),
      seq bigint not null references entry,
      primary key (org, last_on)
    )
    """,
    "create index account_of_organisation on account (org)",
    "create index entry_correction on entry (seq) where kind = 'entry.reversed'",
    """
    create table pledge (
      seq bigint primary key references entry,
      org text not null,
      fund text not null,
      promiser text not null,
      amount_fen bigint not null constraint pledge_of_something check (amount_fen > 0),
      day date not null,
      due text not null,
      outcome text not null,
      ended_seq bigint references entry
    )
    """,
    "create index pledge_of_organisation on pledge (org, seq)",
    """
    alter table proposal drop constraint proposal_status, add constraint proposal_status
      check (status in ('open', 'effected', 'rejected', 'withdrawn', 'expired'))
    """,
)

TABLES = "reference suspense cost turnover period pledge"


def upgrade() -> None:
    """Create all. Costs, turnovers and periods are public; what waits in suspense is for staff."""
    for statement in STATEMENTS:
        op.execute(statement)
    schema = op.get_bind().exec_driver_sql("select current_schema()").scalar_one()
    writer, reader = f'"{schema}_writer"', f'"{schema}_reader"'
    for table in TABLES.split():
        op.execute(f"grant select, insert on {table} to {writer}")
    op.execute(f"grant update on suspense, cost, turnover, pledge, fund, project to {writer}")
    op.execute(f"grant update (ref) on gift to {writer}")  # a gift that is taken back gives its reference up
    op.execute(f"grant select on cost, turnover, period, pledge to {reader}")
