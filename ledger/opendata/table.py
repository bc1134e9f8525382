"""What a published table has in each column, and what is announced of all of it: the same in every format."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import BinaryIO, Protocol

Value = str | int | bool | date | Sequence[str] | None
Row = Sequence[Value]


class Kind(StrEnum):
    """What the values of a column are."""

    INTEGER = "integer"
    TEXT = "text"
    TEXTS = "texts"
    DAY = "day"
    FLAG = "flag"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column. Money is whole fen, and its name ends with `_fen`."""

    name: str
    kind: Kind
    meaning: str
    is_required: bool

    @property
    def is_money(self) -> bool:
        """Whether its values are fen."""
        return self.name.endswith("_fen")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What stands in these columns is, unless it is empty, the `key` of a row of that table."""

    columns: tuple[str, ...]
    table: str
    key: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A published list or register."""

    name: str
    title: str
    path: str
    """Where its files are, but for their endings."""
    columns: tuple[Column, ...]
    amount: str
    """The column whose sum is announced; empty: there is none."""
    key: tuple[str, ...]
    """Columns that are never empty, and in no two rows the same; none, if there are none."""
    references: tuple[Reference, ...]

    @property
    def amount_at(self) -> int | None:
        """Where the column is that is summed."""
        return [each.name for each in self.columns].index(self.amount) if self.amount else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """What is said of a whole table before its rows are read. `address`: where the same answer stays."""

    seq: int
    at: str
    address: str
    rows: int
    sum_fen: int | None
    """None where nothing is summed."""
    licence: str

    @property
    def facts(self) -> Mapping[str, str]:
        """For a file's own metadata."""
        summed = {} if self.sum_fen is None else {"sum_fen": str(self.sum_fen)}
        return {
            "as_of": str(self.seq),
            "at": self.at,
            "address": self.address,
            "rows": str(self.rows),
            **summed,
            "licence": self.licence,
        }


class Sheet(Protocol):
    """A file that rows are added to: whole once it was closed, or given up."""

    def add(self, rows: Sequence[Row]) -> None:
        """Append rows, whose values stand in the order of the columns."""

    def close(self) -> None:
        """Write the end of the file."""

    def give_up(self) -> None:
        """Nobody wants it any more."""


class SheetMaker(Protocol):
    """Begins a sheet. `folder`: for what it must put aside; it is removed with all that is in it."""

    def __call__(self, file: BinaryIO, table: Table, announced: Announced, folder: str) -> Sheet:
        """Into this file."""
