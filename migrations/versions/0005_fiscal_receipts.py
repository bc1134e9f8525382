"""Campaigns, and the fiscal receipts of gifts."""

from alembic import op

revision = "0005"
down_revision = "0004"

STATEMENTS = (
    """
    create table campaign (
      campaign text primary key,
      org text not null references organisation,
      name text not null,
      filing text not null,
      first_on date not null,
      last_on date not null,
      seq bigint not null references entry,
      gifts bigint not null default 0,
      received_fen bigint not null default 0,
      late_gifts bigint not null default 0,
      late_fen bigint not null default 0,
      constraint campaign_days_in_order check (first_on <= last_on),
      constraint campaign_late_is_received check (late_gifts <= gifts and late_fen <= received_fen)
    )
    """,
    "alter table fund add column campaign text not null default ''",
    "alter table gift add column campaign text not null default ''",
    # Found by all four that are printed on it; a reader may see digests, and no numbers. `seq` is the gift's.
    """
    create table fiscal_receipt (
      digest bytea primary key constraint fiscal_receipt_digest_is_sha256 check (length(digest) = 32),
      key_id smallint not null,
      seq bigint not null,
      issued bigint not null constraint fiscal_receipt_issued_key unique references entry
    )
    """,
    "create index fiscal_receipt_of_gift on fiscal_receipt (seq)",
    """
    create table fiscal_vault (
      issued bigint primary key references entry,
      seq bigint not null,
      number bytea not null constraint fiscal_vault_number_key unique
        constraint fiscal_vault_number_is_sha256 check (length(number) = 32),
      sealed bytea not null
    )
    """,
    "create index fiscal_vault_of_gift on fiscal_vault (seq)",
    # What is said of a receipt is as frequent as gifts, and no more read back at start than these.
    "drop index entry_control",
    """
    create index entry_control on entry (seq)
      where kind not in ('money.received', 'receipt.issued', 'receipt.voided', 'receipt.waived')
    """,
    "create index citation_taken_back on citation (ref) where kind in ('entry.reversed', 'gift.refunded')",
)


def upgrade() -> None:
    """Create all. Of fiscal receipts readers see digests, and no numbers."""
    for statement in STATEMENTS:
        op.execute(statement)
    schema = op.get_bind().exec_driver_sql("select current_schema()").scalar_one()
    writer, reader = f'"{schema}_writer"', f'"{schema}_reader"'
    op.execute(f"grant select, insert, update on campaign to {writer}")
    op.execute(f"grant select, insert on fiscal_receipt, fiscal_vault to {writer}")
    op.execute(f"grant select on campaign, fiscal_receipt to {reader}")
