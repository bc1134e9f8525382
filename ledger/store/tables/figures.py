"""Sums: by block, by day, by every dimension; and lineage reports."""

from datetime import date

import sqlalchemy as sa
from sqlalchemy import BigInteger, Index
from sqlalchemy import CheckConstraint as Check
from sqlalchemy import text as sql
from sqlmodel import Field

from ledger.store.tables.columns import (
    BY_HAND,
    Big,
    BigKey,
    EntryKey,
    IntKey,
    Now,
    Row,
    SmallKey,
    Text,
    TextKey,
)


class TurnoverRow(Row, table=True):
    """What an account was credited and what was consumed of it, by business day and block of entries."""

    __table_args__ = (
        sa.PrimaryKeyConstraint("account", "day", "block"),
        {"postgresql_with": {"fillfactor": 70}},
    )

    account: int = Field(sa_column_kwargs=BY_HAND)
    day: date
    block: Big
    credited: Big
    consumed: Big


class RollupRow(Row, table=True):
    """Sums of one block of entries."""

    __table_args__ = (
        sa.PrimaryKeyConstraint("org", "fund", "project", "kind", "day", "block"),
        {"postgresql_with": {"fillfactor": 70}},
    )

    block: BigKey
    org: TextKey
    fund: TextKey
    project: TextKey
    kind: TextKey
    day: date = Field(primary_key=True)
    entries: Big
    qty: Big


class MovementRow(Row, table=True):
    """What an entry, other than a gift as it arrives, changed of a figure."""

    __table_args__ = (
        Index("movement_of_measure", "measure", "seq"),
        Index("movement_of_kind", "kind", "measure", "first"),
        Index("movement_of_organisation", "org", "seq"),
        Index("movement_of_project", "org", "project", "seq", postgresql_where=sql("project <> ''")),
        Check("entries in (0, 1)", "movement_counts_once"),
    )

    seq: EntryKey
    n: SmallKey
    first: Big
    kind: Text
    measure: Text
    org: Text
    fund: Text
    project: Text
    channel: Text
    donor_class: Text
    event: Text
    day: date
    entries: int
    qty: Big


class FigureRow(Row, table=True):
    """Changes of a figure by all entries of a span: the `block`-th one of `span` entries."""

    __table_args__ = (
        sa.PrimaryKeyConstraint(
            "span", "measure", "block", "org", "fund", "project", "channel", "donor_class", "event", "month"
        ),
        {"postgresql_with": {"fillfactor": 70}},
    )

    span: IntKey
    measure: TextKey
    block: BigKey
    org: TextKey
    fund: TextKey
    project: TextKey
    channel: TextKey
    donor_class: TextKey
    event: TextKey
    month: TextKey
    entries: Big
    qty: Big


class LineageReport(Row, table=True):
    """A published state of the log that has a lineage report: so many entries."""

    size: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="checkpoint.size", sa_column_kwargs=BY_HAND)
    made_at: Now


class LineageRow(Row, table=True):
    """A measure as of a report, by the channel and class of the gifts that its money came with."""

    __table_args__ = (
        sa.PrimaryKeyConstraint("size", "measure", "org", "fund", "project", "channel", "donor_class", "month"),
        Check("entries >= 0", "lineage_counts_from_zero"),
    )

    size: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="lineage_report.size", sa_column_kwargs=BY_HAND)
    measure: TextKey
    org: TextKey
    fund: TextKey
    project: TextKey
    channel: TextKey
    donor_class: TextKey
    month: TextKey
    entries: Big
    qty: Big
