"""A receipt code that opens a gift and the right entries after it; references that their reversal gives up."""

from alembic import op

revision = "0007"
down_revision = "0004"

STATEMENTS = (
    "alter table receipt drop constraint receipt_pkey, add constraint receipt_pkey primary key (digest, seq)",
)


def upgrade() -> None:
    """Beside it, what the writer may take back of references that are no gift's."""
    for statement in STATEMENTS:
        op.execute(statement)
    schema = op.get_bind().exec_driver_sql("select current_schema()").scalar_one()
    op.execute(f'grant delete on reference to "{schema}_writer"')
