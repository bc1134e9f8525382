"""Money that is no gift: suspense with its ages, and references that no gift carries."""

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
)

TABLES = "reference suspense"


def upgrade() -> None:
    """Create both. Neither is public: what waits is listed by the admin application."""
    for statement in STATEMENTS:
        op.execute(statement)
    schema = op.get_bind().exec_driver_sql("select current_schema()").scalar_one()
    writer = f'"{schema}_writer"'
    for table in TABLES.split():
        op.execute(f"grant select, insert on {table} to {writer}")
    op.execute(f"grant update on suspense to {writer}")
