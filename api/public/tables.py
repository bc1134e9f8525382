"""The published lists as tables: columns are the fields of what the interface answers, so that the two cannot drift."""

from datetime import date
from types import UnionType
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from ledger.opendata.table import Column, Kind, Table

_KINDS: dict[type, Kind] = {int: Kind.INTEGER, str: Kind.TEXT, date: Kind.DAY, bool: Kind.FLAG}


def table(name: str, title: str, item: type[BaseModel], amount: str = "amount_fen") -> Table:
    """Of items of this shape, whose `amount` is summed."""
    columns = []
    for field_name, field in item.model_fields.items():
        annotation: Any = field.annotation
        kinds = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
        (kind,) = [each for each in kinds if each is not type(None)]
        columns.append(
            Column(
                name=field_name,
                kind=Kind.TEXTS if get_origin(kind) is list else _KINDS[kind],
                meaning=field.description or "",
                is_required=type(None) not in kinds,
            )
        )
    return Table(name=name, title=title, columns=tuple(columns), amount=amount)
