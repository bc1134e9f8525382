"""What is no entry: receipts, the vault, names, consents, which may be erased; and what the applications keep."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import BigInteger, Index, LargeBinary
from sqlalchemy import CheckConstraint as Check
from sqlalchemy import text as sql
from sqlmodel import Field

from ledger.store.tables.columns import (
    BY_HAND,
    Big,
    BigKey,
    Bytes,
    BytesKey,
    EntryKey,
    Row,
    Small,
    SmallKey,
    Text,
    TextKey,
    Time,
    TimeOrNone,
)


class ReceiptRow(Row, table=True):
    """A receipt's digest, by which its code is found, and the box only the code opens; each right entry has its own."""

    digest: BytesKey
    key_id: Small
    seq: int = Field(sa_type=BigInteger, primary_key=True, unique=True, sa_column_kwargs=BY_HAND)
    box: Bytes


class VaultRow(Row, table=True):
    """What may be erased, sealed with a key kept elsewhere."""

    __table_args__ = (Check("slot >= 0", "vault_slot_from_zero"),)

    seq: BigKey
    slot: Big
    sealed: Bytes


class FiscalReceiptRow(Row, table=True):
    """What the fiscal receipt of a gift, `seq`, is found by: code, number, check code and amount together."""

    __table_args__ = (
        Check("length(digest) = 32", "fiscal_receipt_digest_is_sha256"),
        Index("fiscal_receipt_of_gift", "seq"),
    )

    digest: BytesKey
    key_id: Small
    seq: Big
    issued: int = Field(sa_type=BigInteger, unique=True, foreign_key="entry.seq")


class FiscalVaultRow(Row, table=True):
    """The numbers of a fiscal receipt, sealed under the key of its gift, `seq`."""

    __table_args__ = (
        Check("length(number) = 32", "fiscal_vault_number_is_sha256"),
        Index("fiscal_vault_of_gift", "seq"),
    )

    issued: EntryKey
    seq: Big
    number: bytes = Field(sa_type=LargeBinary, unique=True)
    sealed: Bytes


class PublicNameRow(Row, table=True):
    """What a donor agreed to be called in public, sealed under the look-up keys."""

    seq: BigKey
    key_id: Small
    sealed: Bytes


class ConsentRow(Row, table=True):
    """What a donor agreed to or withdrew after her gift, sealed under her key."""

    __table_args__ = (Check("n >= 0", "consent_n_from_zero"),)

    seq: BigKey
    n: SmallKey
    sealed: Bytes


class AccessRecord(Row, table=True):
    """Who read what the vault holds of a gift, or of the gifts of an import, and why."""

    seq: EntryKey
    at: datetime = Field(
        sa_type=sa.DateTime(timezone=True),
        primary_key=True,
        sa_column_kwargs={"server_default": sql("clock_timestamp()")},
    )
    staff: TextKey
    reason: Text


class IdempotencyRow(Row, table=True):
    """A request that was answered, so that it is answered alike again."""

    key: BytesKey
    request: Bytes
    first_seq: Big
    last_seq: Big


class DraftRow(Row, table=True):
    """The text of a proposal, which its effect will open."""

    proposal: EntryKey
    command: Bytes
    salt: Text


class CredentialRow(Row, table=True):
    """The digest of a token some staff member signs in with."""

    id: TextKey
    staff: Text
    digest: bytes = Field(sa_type=LargeBinary, unique=True)
    label: Text
    created_at: Time
    revoked_at: TimeOrNone


class VisitRow(Row, table=True):
    """How often somebody asked, under a keyed hash of who it was, until a time. Counted by `count_visits` only."""

    __table_args__ = (Index("visit_ends", "ends"), {"prefixes": ["UNLOGGED"]})

    visitor: BytesKey
    ends: Time
    visits: Big
