"""Stamps are found without reading all that is no gift: the page that shows them is asked for by everybody."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """An index of few rows."""
    op.execute("create index entry_stamp on entry (seq) where kind = 'checkpoint.stamped'")
