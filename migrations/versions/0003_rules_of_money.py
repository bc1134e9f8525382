"""Money that is no gift: suspense with its ages, references that no gift carries; clauses of funds, and their cost."""

from alembic import op

revision = "0003"
down_revision = "0002"

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
      add column charges boolean not null default false
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
)

TABLES = "reference suspense cost"


def upgrade() -> None:
    """Create all. What a fund cost is public; what waits in suspense is listed by the admin application."""
    for statement in STATEMENTS:
        op.execute(statement)
    schema = op.get_bind().exec_driver_sql("select current_schema()").scalar_one()
    writer, reader = f'"{schema}_writer"', f'"{schema}_reader"'
    for table in TABLES.split():
        op.execute(f"grant select, insert on {table} to {writer}")
    op.execute(f"grant update on suspense, cost to {writer}")
    op.execute(f"grant select on cost to {reader}")
