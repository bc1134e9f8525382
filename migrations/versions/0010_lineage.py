"""Lineage reports: of each published state that has one, what was paid and what waits, by the gifts it came from."""

from alembic import op

revision = "0010"
down_revision = "0009"

STATEMENTS = (
    """
    create table lineage_report (
      size bigint primary key references checkpoint,
      made_at timestamptz not null default now()
    )
    """,
    """
    create table lineage (
      size bigint not null references lineage_report,
      measure text not null,
      org text not null,
      fund text not null,
      project text not null,
      channel text not null,
      donor_class text not null,
      month text not null,
      entries bigint not null constraint lineage_counts_from_zero check (entries >= 0),
      qty bigint not null,
      primary key (size, measure, org, fund, project, channel, donor_class, month)
    )
    """,
    # An address with its entry gives the same bytes for ever: what was reported once stays.
    *(
        f"create trigger {name} before {what} execute function refuse_change()"
        for name, what in (
            ("lineage_report_is_insert_only", "update or delete on lineage_report for each row"),
            ("lineage_report_is_never_truncated", "truncate on lineage_report for each statement"),
            ("lineage_is_insert_only", "update or delete on lineage for each row"),
            ("lineage_is_never_truncated", "truncate on lineage for each statement"),
        )
    ),
)


def upgrade() -> None:
    """Create both, empty: `sunledger lineage` makes the reports."""
    for statement in STATEMENTS:
        op.execute(statement)
    schema = op.get_bind().exec_driver_sql("select current_schema()").scalar_one()
    op.execute(f'grant select, insert on lineage_report, lineage to "{schema}_writer"')
    op.execute(f'grant select on lineage_report, lineage to "{schema}_reader"')
