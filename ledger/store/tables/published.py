"""The tree as it is published: tiles, checkpoints, keys, witnesses."""

from sqlalchemy import BigInteger
from sqlalchemy import CheckConstraint as Check
from sqlalchemy import text as sql
from sqlmodel import Field

from ledger.store.tables.columns import (
    BigKey,
    Bytes,
    Now,
    Row,
    SmallKey,
    Text,
    TextKey,
    TextOrEmpty,
    TimeOrNone,
)


class TileRow(Row, table=True):
    """A tile of the Merkle tree: full, or as wide as it is yet."""

    __table_args__ = (
        Check("level between 0 and 63", "tile_level_of_the_format"),
        Check("index >= 0", "tile_index_from_zero"),
        Check("length(hashes) between 32 and 8192 and length(hashes) % 32 = 0", "tile_of_whole_hashes"),
    )

    level: SmallKey
    index: BigKey
    hashes: Bytes


class CheckpointRow(Row, table=True):
    """A signed tree head, with the cosignatures that came in."""

    __table_args__ = (
        Check("size >= 0", "checkpoint_size_from_zero"),
        Check("length(root) = 32", "checkpoint_root_is_sha256"),
    )

    size: BigKey
    root: Bytes
    note: Bytes
    published_at: Now


class SigningKeyRow(Row, table=True):
    """A key that signed checkpoints of this log."""

    vkey: TextKey
    since: Now
    retired_at: TimeOrNone


class Witnessing(Row, table=True):
    """Whose cosignatures are asked for, as readers get it: one row once the log has been served."""

    __table_args__ = (Check("one", "witnessing_is_one"),)

    one: bool = Field(primary_key=True, sa_column_kwargs={"server_default": sql("true")})
    policy: Text
    is_required: bool


class WitnessRow(Row, table=True):
    """A witness, and what it said last."""

    __table_args__ = (Check("size >= 0", "witness_size_from_zero"),)

    name: TextKey
    vkey: Text
    url: Text
    size: int = Field(sa_type=BigInteger, sa_column_kwargs={"server_default": sql("0")})
    cosigned_at: TimeOrNone
    trouble: TextOrEmpty
    alarm: TextOrEmpty
