"""People's data: public names, consents, who read the vault; and the grants an erasure needs."""

from alembic import op

revision = "0006"
down_revision = "0005"

STATEMENTS = (
    # Sealed under the look-up keys, which lie outside the database: a dump names nobody.
    """
    create table public_name (
      seq bigint primary key,
      key_id smallint not null,
      sealed bytea not null
    )
    """,
    # What was agreed to or withdrawn after the gift; sealed under its subject's key.
    """
    create table consent (
      seq bigint not null,
      n smallint not null constraint consent_n_from_zero check (n >= 0),
      sealed bytea not null,
      primary key (seq, n)
    )
    """,
    """
    create table access_record (
      seq bigint not null references entry,
      at timestamptz not null default clock_timestamp(),
      staff text not null,
      reason text not null,
      primary key (seq, at, staff)
    )
    """,
)


def upgrade() -> None:
    """Nobody but an erasure or a withdrawal removes; the vault's record is emptied, its slot stays."""
    for statement in STATEMENTS:
        op.execute(statement)
    schema = op.get_bind().exec_driver_sql("select current_schema()").scalar_one()
    writer, reader = f'"{schema}_writer"', f'"{schema}_reader"'
    for table in ("public_name", "consent", "access_record"):
        op.execute(f"grant select, insert on {table} to {writer}")
    op.execute(f"grant delete on public_name, consent, receipt, fiscal_receipt, fiscal_vault to {writer}")
    op.execute(f"grant update (sealed) on vault to {writer}")
    op.execute(f"grant update (command, salt) on draft to {writer}")
    op.execute(f"grant select on public_name to {reader}")
