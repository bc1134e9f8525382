"""Witnesses: whom the log asks to cosign its checkpoints, and how each one stands. Keys that sign no more."""

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    # The policy as readers get it, and whether nothing is published without its quorum.
    """
    create table witnessing (
      one boolean primary key default true constraint witnessing_is_one check (one),
      policy text not null,
      is_required boolean not null
    )
    """,
    # What it said last. An alarm is another history that it knows: it stays until the witness cosigns again.
    """
    create table witness (
      name text primary key,
      vkey text not null,
      url text not null,
      size bigint not null default 0 constraint witness_size_from_zero check (size >= 0),
      cosigned_at timestamptz,
      trouble text not null default '',
      alarm text not null default ''
    )
    """,
    # A key that signs no more is still what older receipts are verified with.
    "alter table signing_key add column retired_at timestamptz",
)


def upgrade() -> None:
    """The writer asks, the reader shows."""
    for statement in STATEMENTS:
        op.execute(statement)
    schema = op.get_bind().exec_driver_sql("select current_schema()").scalar_one()
    op.execute(f'grant select on witnessing, witness to "{schema}_reader"')
    op.execute(f'grant select, insert, update on witnessing, witness to "{schema}_writer"')
    op.execute(f'grant update (retired_at) on signing_key to "{schema}_writer"')
