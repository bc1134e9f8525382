"""The totals a notice prints, kept in a file of their own: {batch: {"rows": count, "published_total": yuan}}."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.imports import amount
from ledger.imports.fault import Fault, RowError, Unreadable

MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedTotal:
    """What a notice says of itself; None for what it does not say."""

    count: int | None = None
    sum_fen: int | None = None


def read_totals(path: Path) -> Mapping[str, PrintedTotal]:
    """The printed totals by batch. JSON numbers are taken as they are written: no float on the way."""
    with path.open("rb") as file:
        written = file.read(MAX_BYTES + 1)
    if len(written) > MAX_BYTES:
        raise Unreadable(Fault.TOTALS_UNREADABLE, detail=f"more than {MAX_BYTES} bytes")
    try:
        told = json.loads(written, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        raise Unreadable(Fault.TOTALS_UNREADABLE) from None
    if not isinstance(told, dict):
        raise Unreadable(Fault.TOTALS_UNREADABLE, detail="not an object")
    return {batch: _printed(batch, printed) for batch, printed in told.items()}


def _printed(batch: str, printed: Any) -> PrintedTotal:
    if not isinstance(printed, dict):
        raise Unreadable(Fault.TOTALS_UNREADABLE, detail=f"{batch}: not an object")
    count, total = printed.get("rows"), printed.get("published_total")
    if count is not None and not (isinstance(count, str) and count.isascii() and count.isdigit() and len(count) < 16):
        raise Unreadable(Fault.TOTALS_UNREADABLE, detail=f"{batch}: rows")
    try:
        sum_fen = None if total is None else amount.parse(total if isinstance(total, str) else "?")
    except RowError as error:
        raise Unreadable(Fault.TOTALS_UNREADABLE, detail=f"{batch}: published_total: {error}") from None
    return PrintedTotal(count=None if count is None else int(count), sum_fen=sum_fen)
