"""Where money is: the head of the log, entries, accounts, postings, lines, gifts."""

from datetime import date

import sqlalchemy as sa
from sqlalchemy import CheckConstraint as Check
from sqlalchemy import Index, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlmodel import Field

from ledger.store.tables.columns import (
    BY_HAND,
    Big,
    BigKey,
    BigOrNone,
    Bytes,
    EntryKey,
    IntKey,
    Row,
    SmallKey,
    Text,
    TextOrEmpty,
    Time,
    foreign,
    generated,
)

_ROUTINE = ("money.received", "receipt.issued", "receipt.voided", "receipt.waived")
_SOURCES = ("donors", "unidentified", "income", "bought", "found", "repacked")


class Head(Row, table=True):
    """The end of the log and the sequencer's epoch: one row."""

    __table_args__ = (Check("one", "head_is_one"), Check("length(prev) = 32", "head_prev_is_sha256"))

    one: bool = Field(primary_key=True, sa_column_kwargs={"server_default": sql("true")})
    epoch: Big
    seq: Big
    prev: Bytes
    at: Text


class EntryRow(Row, table=True):
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


class AccountRow(Row, table=True):
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


class PostingRow(Row, table=True):
    """Units moved from a source's positions to a destination's; each constraint is a rule of the ledger."""

    __table_args__ = (
        UniqueConstraint("dst", "dst_lo", name="posting_no_overlap"),
        UniqueConstraint("dst", "dst_hi", "seq", name="posting_ends"),
        foreign("posting_has_its_entry", "seq", "entry", "seq"),
        foreign("posting_no_gap", "dst dst_prev dst_prev_seq", "posting", "dst dst_hi seq"),
        foreign("posting_spends_what_was_credited", "src src_cover src_cover_seq", "posting", "dst dst_hi seq"),
        foreign("posting_src_account", "src unit src_has_line", "account", "id unit has_line"),
        foreign("posting_dst_account", "dst unit dst_has_line", "account", "id unit has_line"),
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
    src_hi: int | None = generated("src_lo + qty")
    dst: int
    dst_lo: Big
    dst_hi: int = generated("dst_lo + qty")
    dst_prev: int | None = generated("nullif(dst_lo, 0)")
    dst_prev_seq: BigOrNone
    src_cover: BigOrNone
    src_cover_seq: BigOrNone
    src_has_line: bool = generated("src_lo is not null", sa.Boolean)
    dst_has_line: bool = generated("true", sa.Boolean)


class LineRow(Row, table=True):
    """How far an account's line is credited, consumed and held."""

    __table_args__ = (
        Check("consumed + held <= credited and consumed >= 0 and held >= 0", "line_never_negative"),
        Check("front between 0 and consumed", "line_front_is_consumed"),
        {"postgresql_with": {"fillfactor": 50}},
    )

    account: int = Field(primary_key=True, foreign_key="account.id", sa_column_kwargs=BY_HAND)
    credited: Big
    consumed: Big
    front: Big
    held: Big
    last_seq: Big


class GiftRow(Row, table=True):
    """A gift of money, and what pages list it by."""

    __table_args__ = (
        PrimaryKeyConstraint("seq", postgresql_include=["batch", "campaign"]),  # all that a trace asks for
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
    campaign: TextOrEmpty


class ReferenceRow(Row, table=True):
    """A reference of money that is no gift; those of gifts stand with them."""

    __table_args__ = (UniqueConstraint("ref", name="reference_is_unique"),)

    ref: bytes | None
    seq: EntryKey


class SuspenseRow(Row, table=True):
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


class CitationRow(Row, table=True):
    """An entry that names an earlier one."""

    __table_args__ = (
        Check("ref < seq", "citation_of_the_past"),
        Index("citation_taken_back", "ref", postgresql_where=sql("kind in ('entry.reversed', 'gift.refunded')")),
    )

    ref: EntryKey
    seq: EntryKey
    kind: Text
    qty: Big
