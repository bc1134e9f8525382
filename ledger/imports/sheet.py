"""Read a sheet of gifts, row by row: each line is a gift, a rejected row, a line of printed totals, or blank."""

import csv
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import msgspec

from ledger.entries import DonorClass
from ledger.imports import amount, day
from ledger.imports.cell import clean, folded, outline
from ledger.imports.fault import Fault, Reason, RowError, Unreadable
from ledger.imports.profile import Field, Profile
from ledger.imports.source import Observe, is_text, open_lines

HEADING_WITHIN = 20  # lines; titles stand above
MAX_LINES = 20_000_000
CONTENT_DIGITS = 16
ROW_LENGTH = 8_192  # characters: 150 names of staff in one donor cell are no more than 1,000
_SCIENTIFIC = re.compile(r"[0-9](?:\.[0-9]+)?[eE]\+[0-9]+")  # what Excel makes of a long number


class Row(msgspec.Struct, frozen=True, gc=False):
    """One gift as the sheet tells it. `row` is the physical line it begins on, counted from 1, heading included."""

    row: int
    batch: str
    on: str
    amount_fen: int
    reference: str
    donor_name: str
    donor_class: DonorClass
    remark: str


class Rejected(msgspec.Struct, frozen=True, gc=False):
    """A row that is not accepted. Quotes no cell. `amount_fen` is 0 where the amount could not be read."""

    row: int
    batch: str
    reason: Reason
    detail: str = ""
    amount_fen: int = 0


class Footer(msgspec.Struct, frozen=True, gc=False):
    """A line of printed totals. What it does not print is None."""

    row: int
    batch: str
    count: int | None
    sum_fen: int | None


Line: TypeAlias = Row | Rejected | Footer


def read(path: Path, profile: Profile, *, start: int = 0, observe: Observe = len) -> Iterator[Line]:
    """The lines of the sheet, in order; memory does not grow with it. Raises `Unreadable`.

    `start` is the `row` of a line read before: reading begins with it, and what stands above is not parsed.
    """
    profile = replace(profile, batch=profile.batch or path.name)
    with open_lines(path, observe) as lines:
        header = _find_header(lines, profile)
        origin = "" if header.columns.keys() & {Field.TRANSACTION_NO, Field.ROW_NO} else _content(path)
        skipped = 0
        if start > header.line:  # a row begins on this line, so no quotation mark is open there
            skipped = sum(1 for _ in islice(lines, start - header.line - 1))
        yield from _lines(lines, header, profile, origin, at=header.line + skipped + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    """Where each field stands; `_NOWHERE` for one the sheet does not have."""

    line: int
    width: int
    columns: dict[Field, int]
    unit: amount.Unit


_NOWHERE = -1


def _find_header(lines: Iterator[str], profile: Profile) -> _Header:
    required = profile.required - ({Field.DONATED_ON} if profile.on else set())
    missing = required
    reader = csv.reader(lines)
    try:
        for cells in islice(reader, HEADING_WITHIN):
            names = [folded(cell) for cell in cells]
            known = [(profile.aliases[name], i) for i, name in enumerate(names) if name in profile.aliases]
            columns = dict(known)
            if required <= columns.keys() and len(columns) > 1:
                if len(columns) < len(known):
                    raise Unreadable(Fault.HEADING_TWICE, line=reader.line_num)
                unit = amount.Unit.WAN if "万元" in names[columns[Field.AMOUNT]] else profile.unit
                return _Header(line=reader.line_num, width=len(cells), columns=columns, unit=unit)
            missing = min(missing, required - columns.keys(), key=len)
    except csv.Error:
        raise Unreadable(Fault.QUOTE_OPEN, line=reader.line_num) from None
    raise Unreadable(Fault.HEADING_MISSING, detail=", ".join(sorted(missing)))


def _lines(  # noqa: C901  one function on purpose: each call in it would be made for millions of rows
    lines: Iterator[str], header: _Header, profile: Profile, origin: str, *, at: int
) -> Iterator[Line]:
    seat = {field: header.columns.get(field, _NOWHERE) for field in Field}
    on_at, amount_at, transaction_at = seat[Field.DONATED_ON], seat[Field.AMOUNT], seat[Field.TRANSACTION_NO]
    name_at, kind_at, remark_at = seat[Field.DONOR_NAME], seat[Field.DONOR_KIND], seat[Field.REMARK]
    notice_at, row_no_at = seat[Field.NOTICE], seat[Field.ROW_NO]
    width, unit, classes = header.width, header.unit, profile.donor_classes
    parse_amount, parse_day = amount.parse, day.parse
    batch = elsewhere = "" if notice_at != _NOWHERE else profile.batch
    for row, cells in _records(lines, at):
        if cells is None:
            yield Rejected(row, elsewhere, Reason.QUOTING)
            continue
        text = "".join(cells)
        if not text or text.isspace():
            continue
        if len(text) > ROW_LENGTH or not is_text(text):
            yield Rejected(row, elsewhere, Reason.TOO_LONG if len(text) > ROW_LENGTH else Reason.UNDECODABLE)
            continue
        if profile.footers and "计" in text and (printed := _printed(cells, header, profile)):
            yield _footer(printed, row, batch, header)
            continue
        if len(cells) != width:
            lines_taken = text.count("\n") + 1  # a stray quotation mark may have swallowed some
            detail = f"{len(cells)} cells on {lines_taken} lines, {width} headings"
            yield Rejected(row, elsewhere, Reason.CELL_COUNT, detail)
            continue
        tidy = str.strip if text.isascii() else clean
        cells.append("")  # what a field without a column reads, at _NOWHERE
        amount_fen = 0
        try:
            if notice_at != _NOWHERE:
                batch = _stated(cells[notice_at], Reason.NOTICE_MISSING)
            amount_fen = parse_amount(tidy(cells[amount_at]), unit)
            on = parse_day(tidy(cells[on_at])) if on_at != _NOWHERE else profile.on
            if transaction_at != _NOWHERE:
                reference = _stated(cells[transaction_at], Reason.REFERENCE_MISSING)
            elif row_no_at != _NOWHERE:
                reference = f"{batch}#{_stated(cells[row_no_at], Reason.REFERENCE_MISSING)}"
            else:
                reference = f"{origin}#{row}"
        except RowError as error:
            yield Rejected(row, batch, error.reason, error.detail, amount_fen)
            continue
        donor_class = classes.get(tidy(cells[kind_at]), "unknown")
        yield Row(row, batch, on, amount_fen, reference, tidy(cells[name_at]), donor_class, tidy(cells[remark_at]))


def _records(lines: Iterator[str], at: int) -> Iterator[tuple[int, list[str] | None]]:
    """Each record with the physical line it begins on; None for one that the quotation marks spoil."""
    reader = csv.reader(lines, strict=True)
    row = at
    while True:
        try:
            for cells in reader:
                yield row, cells
                row = at + reader.line_num
                if row > MAX_LINES:
                    raise Unreadable(Fault.TOO_MANY_ROWS, line=row)
        except csv.Error:
            if at + reader.line_num > row + 1:  # it swallowed whole lines: what is a gift here is anybody's guess
                raise Unreadable(Fault.QUOTE_OPEN, line=row) from None
            yield row, None
            row = at + reader.line_num
        else:
            return


def _content(path: Path) -> str:
    """What a sheet is told by, however its file is called, compressed or encoded: a short digest, for people see it."""
    said = hashlib.sha256()
    with open_lines(path, len) as lines:
        for line in lines:
            said.update(line.rstrip("\r\n").encode("utf-8", "surrogateescape") + b"\n")
    return said.hexdigest()[:CONTENT_DIGITS]


def _stated(cell: str, otherwise: Reason) -> str:
    if not (said := clean(cell)):
        raise RowError(otherwise)
    if _SCIENTIFIC.fullmatch(said):
        raise RowError(Reason.REFERENCE_MANGLED)
    return said


def _printed(cells: Sequence[str], header: _Header, profile: Profile) -> tuple[int | None, str] | None:
    """Count and sum as printed, if this is a line of totals."""
    joined = "|".join(folded(cell) for cell in cells)
    found = next((match.groupdict() for footer in profile.footers if (match := footer.match(joined))), None)
    if found is None:
        return None
    # A line of totals need not have as many cells as the gifts: then the last one that says anything is the sum.
    place = header.columns[Field.AMOUNT] if len(cells) == header.width else joined.rstrip("|").count("|")
    return int(found["count"]) if found.get("count") else None, found.get("sum") or folded(cells[place])


def _footer(printed: tuple[int | None, str], row: int, batch: str, header: _Header) -> Footer | Rejected:
    count, written = printed
    unit = next((unit for unit in (amount.Unit.WAN, amount.Unit.YUAN) if written.endswith(unit.signs)), header.unit)
    try:
        return Footer(row, batch, count, amount.parse(written.rstrip(".,"), unit))
    except RowError as error:
        if count is not None and error.reason is Reason.AMOUNT_MISSING:
            return Footer(row, batch, count, None)
        return Rejected(row, batch, Reason.FOOTER_UNREADABLE, outline(written))
