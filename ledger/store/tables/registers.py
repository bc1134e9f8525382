"""What entries say of organisations, people and plans, as it is now."""

from datetime import date
from typing import Annotated, Any

from sqlalchemy import CheckConstraint as Check
from sqlalchemy import Index
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB, TEXT
from sqlmodel import Field

from ledger.store.tables.columns import (
    Big,
    BigFromZero,
    Bytes,
    Entry,
    EntryKey,
    EntryOrNone,
    Row,
    Text,
    TextKey,
    TextOrEmpty,
    Texts,
)


class OrganisationRow(Row, table=True):
    """A Red Cross society as it was last registered or changed."""

    org: TextKey
    name: Text
    level: Text
    parent: Text
    division: Text
    uscc: Text
    seq: Entry


class EventRow(Row, table=True):
    """What people give for, such as an earthquake."""

    event: TextKey
    name: Text
    emergency: bool
    seq: Entry


class CampaignRow(Row, table=True):
    """A filed public fundraising, and what came in for it."""

    __table_args__ = (
        Check("first_on <= last_on", "campaign_days_in_order"),
        Check("late_gifts <= gifts and late_fen <= received_fen", "campaign_late_is_received"),
    )

    campaign: TextKey
    org: str = Field(sa_type=TEXT, foreign_key="organisation.org")
    name: Text
    filing: Text
    first_on: date
    last_on: date
    seq: Entry
    gifts: BigFromZero
    received_fen: BigFromZero
    late_gifts: BigFromZero
    late_fen: BigFromZero


class FundRow(Row, table=True):
    """Money under one restriction."""

    org: str = Field(sa_type=TEXT, primary_key=True, foreign_key="organisation.org")
    fund: TextKey
    name: Text
    restriction: dict[str, Any] = Field(sa_type=JSONB)
    spending: Texts
    seq: Entry
    management_ppm: int = Field(sa_column_kwargs={"server_default": sql("-1")})
    over_ceiling: Annotated[str, Field(sa_type=TEXT, sa_column_kwargs={"server_default": sql("'refused'")})]
    receipt_fee_ppm: int = Field(sa_column_kwargs={"server_default": sql("0")})
    charges: bool = Field(sa_column_kwargs={"server_default": sql("false")})
    closed_seq: EntryOrNone
    successor: TextOrEmpty
    campaign: TextOrEmpty


class CostRow(Row, table=True):
    """What a fund paid in a year, and what of it was management."""

    __table_args__ = (Check("management between 0 and spent", "cost_management_is_spent"),)

    org: TextKey
    fund: TextKey
    year: TextKey
    management: Big
    spent: Big


class PeriodRow(Row, table=True):
    """A closed period, and the root of its trial balance."""

    __table_args__ = (Check("length(root) = 32", "period_root_is_sha256"),)

    org: TextKey
    last_on: date = Field(primary_key=True)
    first_on: date
    root: Bytes
    seq: Entry


class PledgeRow(Row, table=True):
    """A promise, and what became of it."""

    __table_args__ = (Check("amount_fen > 0", "pledge_of_something"), Index("pledge_of_organisation", "org", "seq"))

    seq: EntryKey
    org: Text
    fund: Text
    promiser: Text
    amount_fen: Big
    day: date
    due: Text
    outcome: Text
    ended_seq: EntryOrNone


class ProjectRow(Row, table=True):
    """What money is allocated to."""

    org: str = Field(sa_type=TEXT, primary_key=True, foreign_key="organisation.org")
    project: TextKey
    name: Text
    category: Text
    region: Text
    event: Text
    budget_fen: Big
    starts: Text
    ends: Text
    seq: Entry
    closed_seq: EntryOrNone
    successor: TextOrEmpty


class StaffRow(Row, table=True):
    """The roles a pseudonym holds in an organisation."""

    staff: TextKey
    org: TextKey
    roles: Texts
    seq: Entry


class ProposalRow(Row, table=True):
    """A command that waits for, or had, its second pair of eyes."""

    __table_args__ = (
        Check("status in ('open', 'effected', 'rejected', 'withdrawn', 'expired')", "proposal_status"),
        Index("proposal_open", "seq", postgresql_where=sql("status = 'open'")),
    )

    seq: EntryKey
    command: Text
    org: Text
    maker: Text
    qty: Big
    approvals: int
    status: Text
    resolved_seq: EntryOrNone


class ImportBatchRow(Row, table=True):
    """An approved sheet, and how much of it is entered."""

    __table_args__ = (Check("entered_rows <= rows and entered_fen <= sum_fen", "import_batch_within_approval"),)

    seq: EntryKey
    org: Text
    fund: Text
    channel: Text
    name: Text
    profile: Text
    maker: Text
    rows: int
    sum_fen: Big
    entered_rows: int
    entered_fen: Big
    completed_seq: EntryOrNone
