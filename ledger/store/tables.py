"""The schema as SQLModel classes: what ordinary reads go through, and what tests compare the migrations with.

Classes are for reading. Nothing is ever built from input with them: they check nothing. Triggers, grants and owners are
in the migrations only; `guarantees` compares those.
"""

import re
from datetime import date, datetime
from typing import Annotated, Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, Computed, Index, LargeBinary, SmallInteger, UniqueConstraint
from sqlalchemy import CheckConstraint as Check
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT, ExcludeConstraint
from sqlalchemy.orm import declared_attr
from sqlmodel import Field, SQLModel

# What PostgreSQL itself calls a constraint without a name.
SQLModel.metadata.naming_convention = {
    "pk": "%(table_name)s_pkey",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(constraint_name)s",
}

_BY_HAND = {"autoincrement": False}  # numbers come from the log, never from a sequence

_ROUTINE = ("money.received", "receipt.issued", "receipt.voided", "receipt.waived")

_SOURCES = ("donors", "unidentified", "income", "bought", "found", "repacked")

# A type stands with its column's options, for an option beside `= Field(…)` would lose the type.
Text = Annotated[str, Field(sa_type=TEXT)]
TextKey = Annotated[str, Field(sa_type=TEXT, primary_key=True)]
Texts = Annotated[list[str], Field(sa_type=ARRAY(TEXT))]
Small = Annotated[int, Field(sa_type=SmallInteger)]
SmallKey = Annotated[int, Field(sa_type=SmallInteger, primary_key=True, sa_column_kwargs=_BY_HAND)]
IntKey = Annotated[int, Field(primary_key=True, sa_column_kwargs=_BY_HAND)]
Now = Annotated[datetime, Field(sa_type=sa.DateTime(timezone=True), sa_column_kwargs={"server_default": sql("now()")})]
Big = Annotated[int, Field(sa_type=BigInteger)]
BigOrNone = Annotated[int | None, Field(sa_type=BigInteger)]
BigKey = Annotated[int, Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs=_BY_HAND)]
Entry = Annotated[int, Field(sa_type=BigInteger, foreign_key="entry.seq")]
EntryOrNone = Annotated[int | None, Field(sa_type=BigInteger, foreign_key="entry.seq")]
EntryKey = Annotated[int, Field(sa_type=BigInteger, foreign_key="entry.seq", primary_key=True)]
Bytes = Annotated[bytes, Field(sa_type=LargeBinary)]
BytesKey = Annotated[bytes, Field(sa_type=LargeBinary, primary_key=True)]
BigFromZero = Annotated[int, Field(sa_type=BigInteger, sa_column_kwargs={"server_default": sql("0")})]
Time = Annotated[datetime, Field(sa_type=sa.DateTime(timezone=True))]
TimeOrNone = Annotated[datetime | None, Field(sa_type=sa.DateTime(timezone=True))]


def _generated(expression: str, kind: Any = BigInteger) -> Any:
    return Field(sa_column=sa.Column(kind, Computed(expression, persisted=True), nullable=True))


def _foreign(name: str, columns: str, table: str, referred: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(columns.split(), [f"{table}.{column}" for column in referred.split()], name=name)


class _Row(SQLModel):
    @declared_attr.directive
    def __tablename__(cls) -> str:  # noqa: N805  a class's
        """ImportBatchRow reads import_batch."""
        return re.sub(r"(?<!^)([A-Z])", r"_\1", cls.__name__.removesuffix("Row")).lower()


class Head(_Row, table=True):
    """The end of the log and the sequencer's epoch: one row."""

    __table_args__ = (Check("one", "head_is_one"), Check("length(prev) = 32", "head_prev_is_sha256"))

    one: bool = Field(primary_key=True, sa_column_kwargs={"server_default": sql("true")})
    epoch: Big
    seq: Big
    prev: Bytes
    at: Text


class EntryRow(_Row, table=True):
    """An entry's bytes, and what is asked of them most."""

    __table_args__ = (
        Check("seq >= 0", "entry_seq_from_zero"),
        Check("length(bytes) between 1 and 65535", "entry_fits_a_bundle"),
        Index("entry_control", "seq", postgresql_where=sql(f"kind not in {_ROUTINE}")),
        Index("entry_correction", "seq", postgresql_where=sql("kind = 'entry.reversed'")),
        Index("entry_organisation", "seq", postgresql_where=sql("kind in ('org.registered', 'org.changed')")),
        Index("entry_stamp", "seq", postgresql_where=sql("kind = 'checkpoint.stamped'")),
    )

    seq: BigKey
    bytes: Bytes
    at: Time
    kind: Text
    org: Text


class AccountRow(_Row, table=True):
    """An address and the unit counted there."""

    __table_args__ = (
        UniqueConstraint("address", "unit", name="account_address_unit_key"),
        UniqueConstraint("id", "unit", "has_line", name="account_id_unit_has_line_key"),
        Check(f"has_line <> (split_part(address, ':', 1) in {_SOURCES})", "account_without_a_line_is_a_source"),
        Check("org = split_part(address, ':', 2)", "account_org_is_in_its_address"),
        Check("unit = 'CNY' or unit like 'item:_%'", "account_counts_money_or_an_item"),
        Index("account_of_organisation", "org"),
    )

    id: IntKey
    address: Text
    unit: Text
    has_line: bool
    org: Text


class PostingRow(_Row, table=True):
    """Units moved from a source's positions to a destination's; each constraint is a rule of the ledger."""

    __table_args__ = (
        UniqueConstraint("dst", "dst_lo", name="posting_no_overlap"),
        UniqueConstraint("dst", "dst_hi", "seq", name="posting_ends"),
        _foreign("posting_has_its_entry", "seq", "entry", "seq"),
        _foreign("posting_no_gap", "dst dst_prev dst_prev_seq", "posting", "dst dst_hi seq"),
        _foreign("posting_spends_what_was_credited", "src src_cover src_cover_seq", "posting", "dst dst_hi seq"),
        _foreign("posting_src_account", "src unit src_has_line", "account", "id unit has_line"),
        _foreign("posting_dst_account", "dst unit dst_has_line", "account", "id unit has_line"),
        Check("n >= 0", "posting_n_from_zero"),
        Check("qty > 0", "posting_moves_something"),
        Check("src_lo >= 0", "posting_src_from_zero"),
        Check("dst_lo >= 0", "posting_dst_from_zero"),
        Check("dst_hi <= 9007199254740991", "posting_line_ends"),
        Check("(dst_lo = 0) = (dst_prev_seq is null)", "posting_first_starts_the_line"),
        Check("dst_prev_seq <= seq", "posting_follows_the_past"),
        Check("src_cover_seq < seq", "posting_spends_the_past"),
        Check("src <> dst", "posting_not_to_itself"),
        Check("(src_lo is null) = (src_cover is null)", "posting_line_is_covered"),
        Check("(src_lo is null) = (src_cover_seq is null)", "posting_cover_has_its_entry"),
        Check("src_lo + qty <= src_cover", "posting_within_its_cover"),
        ExcludeConstraint(
            (sa.column("src"), "="),
            (sql("int8range(src_lo, src_lo + qty)"), "&&"),
            using="gist",
            where=sql("src_lo is not null"),
            name="posting_nothing_spent_twice",
        ),
        Index("posting_by_source", "src", "src_lo", postgresql_where=sql("src_lo is not null")),
    )

    seq: BigKey
    n: SmallKey
    unit: Text
    qty: Big
    src: int
    src_lo: BigOrNone
    src_hi: int | None = _generated("src_lo + qty")
    dst: int
    dst_lo: Big
    dst_hi: int = _generated("dst_lo + qty")
    dst_prev: int | None = _generated("nullif(dst_lo, 0)")
    dst_prev_seq: BigOrNone
    src_cover: BigOrNone
    src_cover_seq: BigOrNone
    src_has_line: bool = _generated("src_lo is not null", sa.Boolean)
    dst_has_line: bool = _generated("true", sa.Boolean)


class LineRow(_Row, table=True):
    """How far an account's line is credited, consumed and held."""

    __table_args__ = (
        Check("consumed + held <= credited and consumed >= 0 and held >= 0", "line_never_negative"),
        Check("front between 0 and consumed", "line_front_is_consumed"),
        {"postgresql_with": {"fillfactor": 50}},
    )

    account: int = Field(primary_key=True, foreign_key="account.id", sa_column_kwargs=_BY_HAND)
    credited: Big
    consumed: Big
    front: Big
    held: Big
    last_seq: Big


class GiftRow(_Row, table=True):
    """A gift of money, and what pages list it by."""

    __table_args__ = (
        UniqueConstraint("ref", name="gift_ref_is_unique"),
        Check("(batch is null) = (row is null)", "gift_row_of_a_batch"),
        Index("gift_row_is_unique", "batch", "row", unique=True, postgresql_where=sql("batch is not null")),
    )

    seq: BigKey
    account: int
    qty: Big
    channel: Text
    donor_class: Text
    event: Text
    day: date
    ref: bytes | None
    batch: BigOrNone
    row: int | None
    campaign: Annotated[str, Field(sa_type=TEXT, sa_column_kwargs={"server_default": sql("''")})]


class ReferenceRow(_Row, table=True):
    """A reference of money that is no gift; those of gifts stand with them."""

    __table_args__ = (UniqueConstraint("ref", name="reference_is_unique"),)

    ref: bytes | None
    seq: EntryKey


class SuspenseRow(_Row, table=True):
    """Money whose donor is not known yet, and how much of it waits."""

    __table_args__ = (
        Check("left_fen between 0 and qty", "suspense_within_its_entry"),
        Index("suspense_open", "org", "day", "seq", postgresql_where=sql("left_fen > 0")),
    )

    seq: EntryKey
    org: Text
    channel: Text
    day: date
    qty: Big
    left_fen: Big


class OrganisationRow(_Row, table=True):
    """A Red Cross society as it was last registered or changed."""

    org: TextKey
    name: Text
    level: Text
    parent: Text
    division: Text
    uscc: Text
    seq: Entry


class EventRow(_Row, table=True):
    """What people give for, such as an earthquake."""

    event: TextKey
    name: Text
    emergency: bool
    seq: Entry


class CampaignRow(_Row, table=True):
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


class FundRow(_Row, table=True):
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
    successor: Annotated[str, Field(sa_type=TEXT, sa_column_kwargs={"server_default": sql("''")})]
    campaign: Annotated[str, Field(sa_type=TEXT, sa_column_kwargs={"server_default": sql("''")})]


class CostRow(_Row, table=True):
    """What a fund paid in a year, and what of it was management."""

    __table_args__ = (Check("management between 0 and spent", "cost_management_is_spent"),)

    org: TextKey
    fund: TextKey
    year: TextKey
    management: Big
    spent: Big


class TurnoverRow(_Row, table=True):
    """What an account was credited and what was consumed of it, by business day and block of entries."""

    __table_args__ = (
        sa.PrimaryKeyConstraint("account", "day", "block"),
        {"postgresql_with": {"fillfactor": 70}},
    )

    account: int = Field(sa_column_kwargs=_BY_HAND)
    day: date
    block: Big
    credited: Big
    consumed: Big


class PeriodRow(_Row, table=True):
    """A closed period, and the root of its trial balance."""

    __table_args__ = (Check("length(root) = 32", "period_root_is_sha256"),)

    org: TextKey
    last_on: date = Field(primary_key=True)
    first_on: date
    root: Bytes
    seq: Entry


class PledgeRow(_Row, table=True):
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


class ProjectRow(_Row, table=True):
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
    successor: Annotated[str, Field(sa_type=TEXT, sa_column_kwargs={"server_default": sql("''")})]


class StaffRow(_Row, table=True):
    """The roles a pseudonym holds in an organisation."""

    staff: TextKey
    org: TextKey
    roles: Texts
    seq: Entry


class ProposalRow(_Row, table=True):
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


class ImportBatchRow(_Row, table=True):
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


class CitationRow(_Row, table=True):
    """An entry that names an earlier one."""

    __table_args__ = (
        Check("ref < seq", "citation_of_the_past"),
        Index("citation_taken_back", "ref", postgresql_where=sql("kind in ('entry.reversed', 'gift.refunded')")),
    )

    ref: EntryKey
    seq: EntryKey
    kind: Text
    qty: Big


class RollupRow(_Row, table=True):
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


class MovementRow(_Row, table=True):
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


class FigureRow(_Row, table=True):
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


class ReceiptRow(_Row, table=True):
    """A receipt's digest, by which its code is found, and the box only the code opens; each right entry has its own."""

    digest: BytesKey
    key_id: Small
    seq: int = Field(sa_type=BigInteger, primary_key=True, unique=True, sa_column_kwargs=_BY_HAND)
    box: Bytes


class VaultRow(_Row, table=True):
    """What may be erased, sealed with a key kept elsewhere."""

    __table_args__ = (Check("slot >= 0", "vault_slot_from_zero"),)

    seq: BigKey
    slot: Big
    sealed: Bytes


class FiscalReceiptRow(_Row, table=True):
    """What the fiscal receipt of a gift, `seq`, is found by: code, number, check code and amount together."""

    __table_args__ = (
        Check("length(digest) = 32", "fiscal_receipt_digest_is_sha256"),
        Index("fiscal_receipt_of_gift", "seq"),
    )

    digest: BytesKey
    key_id: Small
    seq: Big
    issued: int = Field(sa_type=BigInteger, unique=True, foreign_key="entry.seq")


class FiscalVaultRow(_Row, table=True):
    """The numbers of a fiscal receipt, sealed under the key of its gift, `seq`."""

    __table_args__ = (
        Check("length(number) = 32", "fiscal_vault_number_is_sha256"),
        Index("fiscal_vault_of_gift", "seq"),
    )

    issued: EntryKey
    seq: Big
    number: bytes = Field(sa_type=LargeBinary, unique=True)
    sealed: Bytes


class PublicNameRow(_Row, table=True):
    """What a donor agreed to be called in public, sealed under the look-up keys."""

    seq: BigKey
    key_id: Small
    sealed: Bytes


class ConsentRow(_Row, table=True):
    """What a donor agreed to or withdrew after her gift, sealed under her key."""

    __table_args__ = (Check("n >= 0", "consent_n_from_zero"),)

    seq: BigKey
    n: SmallKey
    sealed: Bytes


class AccessRecord(_Row, table=True):
    """Who read what the vault holds of a gift, or of the gifts of an import, and why."""

    seq: EntryKey
    at: datetime = Field(
        sa_type=sa.DateTime(timezone=True),
        primary_key=True,
        sa_column_kwargs={"server_default": sql("clock_timestamp()")},
    )
    staff: TextKey
    reason: Text


class IdempotencyRow(_Row, table=True):
    """A request that was answered, so that it is answered alike again."""

    key: BytesKey
    request: Bytes
    first_seq: Big
    last_seq: Big


class DraftRow(_Row, table=True):
    """The text of a proposal, which its effect will open."""

    proposal: EntryKey
    command: Bytes
    salt: Text


class CredentialRow(_Row, table=True):
    """The digest of a token some staff member signs in with."""

    id: TextKey
    staff: Text
    digest: bytes = Field(sa_type=LargeBinary, unique=True)
    label: Text
    created_at: Time
    revoked_at: TimeOrNone


class TileRow(_Row, table=True):
    """A tile of the Merkle tree: full, or as wide as it is yet."""

    __table_args__ = (
        Check("level between 0 and 63", "tile_level_of_the_format"),
        Check("index >= 0", "tile_index_from_zero"),
        Check("length(hashes) between 32 and 8192 and length(hashes) % 32 = 0", "tile_of_whole_hashes"),
    )

    level: SmallKey
    index: BigKey
    hashes: Bytes


class CheckpointRow(_Row, table=True):
    """A signed tree head, with the cosignatures that came in."""

    __table_args__ = (
        Check("size >= 0", "checkpoint_size_from_zero"),
        Check("length(root) = 32", "checkpoint_root_is_sha256"),
    )

    size: BigKey
    root: Bytes
    note: Bytes
    published_at: Now


class LineageReport(_Row, table=True):
    """A published state of the log that has a lineage report: so many entries."""

    size: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="checkpoint.size", sa_column_kwargs=_BY_HAND)
    made_at: Now


class LineageRow(_Row, table=True):
    """A measure as of a report, by the channel and class of the gifts that its money came with."""

    __table_args__ = (
        sa.PrimaryKeyConstraint("size", "measure", "org", "fund", "project", "channel", "donor_class", "month"),
        Check("entries >= 0", "lineage_counts_from_zero"),
    )

    size: int = Field(
        sa_type=BigInteger, primary_key=True, foreign_key="lineage_report.size", sa_column_kwargs=_BY_HAND
    )
    measure: TextKey
    org: TextKey
    fund: TextKey
    project: TextKey
    channel: TextKey
    donor_class: TextKey
    month: TextKey
    entries: Big
    qty: Big


class SigningKeyRow(_Row, table=True):
    """A key that signed checkpoints of this log."""

    vkey: TextKey
    since: Now
    retired_at: TimeOrNone


class Witnessing(_Row, table=True):
    """Whose cosignatures are asked for, as readers get it: one row once the log has been served."""

    __table_args__ = (Check("one", "witnessing_is_one"),)

    one: bool = Field(primary_key=True, sa_column_kwargs={"server_default": sql("true")})
    policy: Text
    is_required: bool


class WitnessRow(_Row, table=True):
    """A witness, and what it said last."""

    __table_args__ = (Check("size >= 0", "witness_size_from_zero"),)

    name: TextKey
    vkey: Text
    url: Text
    size: int = Field(sa_type=BigInteger, sa_column_kwargs={"server_default": sql("0")})
    cosigned_at: TimeOrNone
    trouble: str = Field(sa_type=TEXT, sa_column_kwargs={"server_default": sql("''")})
    alarm: str = Field(sa_type=TEXT, sa_column_kwargs={"server_default": sql("''")})


class VisitRow(_Row, table=True):
    """How often somebody asked, under a keyed hash of who it was, until a time. Counted by `count_visits` only."""

    __table_args__ = (Index("visit_ends", "ends"), {"prefixes": ["UNLOGGED"]})

    visitor: BytesKey
    ends: Time
    visits: Big
