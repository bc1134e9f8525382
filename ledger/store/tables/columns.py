"""What columns are made of."""

import re
from datetime import datetime
from typing import Annotated, Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, Computed, LargeBinary, SmallInteger
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import declared_attr
from sqlmodel import Field, SQLModel

# What PostgreSQL itself calls a constraint without a name.
SQLModel.metadata.naming_convention = {
    "pk": "%(table_name)s_pkey",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(constraint_name)s",
}

BY_HAND = {"autoincrement": False}  # numbers come from the log, never from a sequence

# A type stands with its column's options, for an option beside `= Field(…)` would lose the type.
Text = Annotated[str, Field(sa_type=TEXT)]
TextKey = Annotated[str, Field(sa_type=TEXT, primary_key=True)]
TextOrEmpty = Annotated[str, Field(sa_type=TEXT, sa_column_kwargs={"server_default": sql("''")})]
Texts = Annotated[list[str], Field(sa_type=ARRAY(TEXT))]
Small = Annotated[int, Field(sa_type=SmallInteger)]
SmallKey = Annotated[int, Field(sa_type=SmallInteger, primary_key=True, sa_column_kwargs=BY_HAND)]
IntKey = Annotated[int, Field(primary_key=True, sa_column_kwargs=BY_HAND)]
Now = Annotated[datetime, Field(sa_type=sa.DateTime(timezone=True), sa_column_kwargs={"server_default": sql("now()")})]
Big = Annotated[int, Field(sa_type=BigInteger)]
BigOrNone = Annotated[int | None, Field(sa_type=BigInteger)]
BigKey = Annotated[int, Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs=BY_HAND)]
Entry = Annotated[int, Field(sa_type=BigInteger, foreign_key="entry.seq")]
EntryOrNone = Annotated[int | None, Field(sa_type=BigInteger, foreign_key="entry.seq")]
EntryKey = Annotated[int, Field(sa_type=BigInteger, foreign_key="entry.seq", primary_key=True)]
Bytes = Annotated[bytes, Field(sa_type=LargeBinary)]
BytesKey = Annotated[bytes, Field(sa_type=LargeBinary, primary_key=True)]
BigFromZero = Annotated[int, Field(sa_type=BigInteger, sa_column_kwargs={"server_default": sql("0")})]
Time = Annotated[datetime, Field(sa_type=sa.DateTime(timezone=True))]
TimeOrNone = Annotated[datetime | None, Field(sa_type=sa.DateTime(timezone=True))]


def generated(expression: str, kind: Any = BigInteger) -> Any:
    """A column that PostgreSQL computes."""
    return Field(sa_column=sa.Column(kind, Computed(expression, persisted=True), nullable=True))


def foreign(name: str, columns: str, table: str, referred: str) -> sa.ForeignKeyConstraint:
    """Some columns, apart by spaces, that refer to as many of another table."""
    return sa.ForeignKeyConstraint(columns.split(), [f"{table}.{column}" for column in referred.split()], name=name)


class Row(SQLModel):
    """A table is called as its class, without `Row`."""

    @declared_attr.directive
    def __tablename__(cls) -> str:  # noqa: N805  a class's
        """ImportBatchRow reads import_batch."""
        return re.sub(r"(?<!^)([A-Z])", r"_\1", cls.__name__.removesuffix("Row")).lower()
