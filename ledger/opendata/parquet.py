"""A table as Apache Parquet: whole fen as int64, days as date32, several texts as a list."""

from collections.abc import Sequence
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from ledger.opendata.table import Announced, Column, Kind, Row, Table

MEDIA_TYPE = "application/vnd.apache.parquet"
ROW_GROUP_ROWS = 65_536
"""What is held in memory of a table, in columns of a few bytes each."""

_TYPES: dict[Kind, pa.DataType] = {
    Kind.INTEGER: pa.int64(),
    Kind.TEXT: pa.string(),
    Kind.TEXTS: pa.list_(pa.string()),
    Kind.DAY: pa.date32(),
    Kind.FLAG: pa.bool_(),
}


class ParquetSheet:
    """Rows in groups. The same rows make the same bytes, as long as the library is the same."""

    def __init__(self, file: BinaryIO, table: Table, announced: Announced, folder: str) -> None:  # noqa: ARG002
        said = {f"sunledger.{name}": value for name, value in announced.facts.items()}
        self._schema = pa.schema([_field(each) for each in table.columns], metadata=said)
        self._writer = pq.ParquetWriter(file, self._schema, compression="zstd")
        self._waiting: list[pa.RecordBatch] = []
        self._count = 0

    def add(self, rows: Sequence[Row]) -> None:
        """Append rows."""
        if not rows:
            return
        columns = [
            pa.array(values, field.type) for values, field in zip(zip(*rows, strict=True), self._schema, strict=True)
        ]
        self._waiting.append(pa.record_batch(columns, schema=self._schema))
        self._count += len(rows)
        while self._count >= ROW_GROUP_ROWS:
            self._write(ROW_GROUP_ROWS)

    def close(self) -> None:
        """Write the last group and the footer."""
        if self._count:
            self._write(self._count)
        self._writer.close()

    def give_up(self) -> None:
        """End the file as it is."""
        self._writer.close()

    def _write(self, rows: int) -> None:
        # In one piece, so that the bytes do not depend on how many rows came at once.
        whole = pa.Table.from_batches(self._waiting, self._schema).combine_chunks()
        self._writer.write_table(whole.slice(0, rows), row_group_size=ROW_GROUP_ROWS)
        self._waiting = whole.slice(rows).to_batches()
        self._count -= rows


def _field(column: Column) -> pa.Field:
    return pa.field(
        column.name, _TYPES[column.kind], nullable=not column.is_required, metadata={"description": column.meaning}
    )
