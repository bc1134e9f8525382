"""A receipt code that opens a gift and the right entries after it; references that their reversal gives up."""

from alembic import op

revision = "0007"
down_revision = "0006"

STATEMENTS = (
    "alter table receipt drop constraint receipt_pkey, add constraint receipt_pkey primary key (digest, seq)",
    # As in gift: what is taken back gives its reference up, and the row stays.
    """
    alter table reference drop constraint reference_pkey, alter column ref drop not null,
      add constraint reference_pkey primary key (seq), add constraint reference_is_unique unique (ref)
    """,
)


def upgrade() -> None:
    """Create all. The writer changes nothing else of a reference."""
    for statement in STATEMENTS:
        op.execute(statement)
    schema = op.get_bind().exec_driver_sql("select current_schema()").scalar_one()
    op.execute(f'grant update (ref) on reference to "{schema}_writer"')
