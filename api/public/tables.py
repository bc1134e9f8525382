"""What is published as tables: columns are the fields of what the interface answers, so that the two cannot drift."""

from collections.abc import Iterator
from datetime import date
from types import UnionType
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ledger.entries import Restriction
from ledger.opendata.table import Column, Kind, Reference, Table

_KINDS: dict[type, Kind] = {int: Kind.INTEGER, str: Kind.TEXT, date: Kind.DAY, bool: Kind.FLAG}

RESTRICTED = {
    "category": "用途限定：类别",
    "event": "用途限定：事件编号",
    "project": "用途限定：项目编号",
    "recipient": "用途限定：受助方",
    "region": "用途限定：行政区划代码（GB/T 2260）",
}
"""Of what a fund is restricted to each has a column of its own."""
assert tuple(RESTRICTED) == Restriction.__struct_fields__


def _to(table: str, *key: str, via: str = "") -> Reference:
    return Reference(columns=(via,) if via else key, table=table, key=key)


ORG, TO, PARENT = (_to("organisations", "org", via=via) for via in ("", "to", "parent"))
FUND, PROJECT = _to("funds", "org", "fund"), _to("projects", "org", "project")
CAMPAIGN = _to("campaigns", "campaign")
EVENT, RESTRICTED_EVENT = _to("events", "event"), _to("events", "event", via="restriction_event")


def table(  # noqa: PLR0913  what is said of one
    name: str,
    title: str,
    item: type[BaseModel],
    *,
    amount: str = "amount_fen",
    key: tuple[str, ...] = ("seq",),
    references: tuple[Reference, ...] = (),
    room: str = "/api/v1",
) -> Table:
    """Of items of this shape, whose `amount` is summed. Its files are in `room`."""
    columns = tuple(each for named in item.model_fields.items() for each in _columns(*named))
    return Table(
        name=name,
        title=title,
        path=f"{room}/{name}",
        columns=columns,
        amount=amount,
        key=key,
        references=references,
    )


def _columns(name: str, field: FieldInfo) -> Iterator[Column]:
    annotation: Any = field.annotation
    if get_origin(annotation) is dict:
        for inner, meaning in RESTRICTED.items():
            yield Column(name=f"{name}_{inner}", kind=Kind.TEXT, meaning=meaning, is_required=True)
        return
    kinds = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    (kind,) = [each for each in kinds if each is not type(None)]
    yield Column(
        name=name,
        kind=Kind.TEXTS if get_origin(kind) is list else _KINDS[kind],
        meaning=field.description or "",
        is_required=type(None) not in kinds,
    )
