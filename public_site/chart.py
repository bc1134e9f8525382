"""Bars of figures, drawn: columns for months, lying bars for names. SVG of our own, classes only, for either screen.

Every number of a picture stands in the table beside it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from markupsafe import Markup

from public_site import messages
from public_site.flow import Caption, rect, svg

WIDE, NARROW = 812, 358
MAX_LINES = 12
"""Bars with a name of their own; the rest is one more."""
MAX_COLUMNS = 60
"""Months: the latest."""
COLOURS = ("c0", "c1", "c2", "c3", "c4")
REST = "c5"
"""More parts than there are colours share it."""

_HEIGHT = 240
_TOP = 8
_FOOT = 24
_CHAR = 14
_DIGIT = 8
_MONTH = 62
"""A month's label."""
_ROW = 44
_TICKS = 4
_LEAST = 2
"""What is there is seen, however small."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One column or line: its parts by colour, in fen; those below zero lie on the other side."""

    label: str
    parts: Sequence[tuple[str, int]]

    @property
    def sum_fen(self) -> int:
        """What stands at its end."""
        return sum(fen for _, fen in self.parts)


class Part(NamedTuple):
    """What a colour stands for, and its sum over all bars."""

    colour: str
    label: str
    sum_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """For wide screens and for phones; the key to the colours, where there is more than one."""

    lying: Markup
    standing: Markup
    key: Sequence[Part]
    is_cut: bool
    """There are more months than columns."""


def draw(
    amounts: Mapping[tuple[str, str], int],
    *,
    are_months: bool,
    rest: str,
    caption: Caption,
    labels: Mapping[str, str] = MappingProxyType({}),
) -> Picture:
    """Bar and part → fen; one part without a name is all there is. `are_months`: the bars, as 2026-07.

    `rest`: what the parts and bars beyond the largest are called together; nothing else has it for a key.
    `labels`: what bars and parts are called, where it is not what they are told apart by.
    """
    parts, bars = Counter[str](), Counter[str]()
    for (bar, part), fen in amounts.items():
        parts[part] += fen
        bars[bar] += fen
    coloured = dict(zip(_largest(parts, len(COLOURS)), COLOURS, strict=False))
    months = [*_months(min(bars), max(bars))] if are_months else []
    names = months[-MAX_COLUMNS:]
    if not are_months:
        names = [*_largest(bars, MAX_LINES), *([rest] if len(bars) > MAX_LINES else [])]
    sums = {name: Counter[str]() for name in dict.fromkeys(names)}
    for (bar, part), fen in amounts.items():
        if bar in sums or not are_months:
            sums[bar if bar in sums else rest][part if part in coloured else rest] += fen
    if len(parts) > len(coloured):
        coloured.setdefault(rest, REST)
    shown = [
        Bar(label=labels.get(name, name), parts=[(colour, its[part]) for part, colour in coloured.items()])
        for name, its in sums.items()
    ]
    kind = _columns if are_months else _lines
    return Picture(
        lying=kind("lying", WIDE, shown, caption),
        standing=kind("standing", NARROW, shown, caption),
        key=[
            Part(colour, labels.get(part, part), sum(its[part] for its in sums.values()))
            for part, colour in coloured.items()
            if part
        ],
        is_cut=len(months) > MAX_COLUMNS,
    )


def _largest(sums: Mapping[str, int], most: int) -> list[str]:
    """The names of the largest, however far below zero."""
    return sorted(sums, key=lambda name: (-abs(sums[name]), name))[:most]


def _months(first: str, last: str) -> Iterable[str]:
    """Every month from the first to the last: those in which nothing happened, too."""
    year, month = map(int, first.split("-"))
    while (at := f"{year:04}-{month:02}") <= last:
        yield at
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)


def _columns(kind: str, width: int, bars: Sequence[Bar], caption: Caption) -> Markup:
    low, high = _reach(bars)
    step = _step(high - low)
    low, high = low // step * step, -(-high // step) * step
    ticks = range(low, high + 1, step)
    labels = [_short(tick) for tick in ticks]
    left = max(map(len, labels)) * _DIGIT + 10
    slot = (width - left) / len(bars)
    thick = max(1, min(48, int(slot * 0.72)))

    def y(fen: int) -> int:
        return _TOP + round((_HEIGHT - _TOP) * (high - fen) / (high - low))

    drawn = [
        Markup(
            '<path class="f-axis" d="M{} {}H{}"/><text class="f-head" x="{}" y="{}" text-anchor="end">{}</text>'
        ).format(left, y(tick), width, left - 8, y(tick) + 4, label)
        for tick, label in zip(ticks, labels, strict=True)
    ]
    every = max(1, -(-_MONTH // max(1, int(slot))))
    for i, bar in enumerate(bars):
        middle = round(left + slot * (i + 0.5))
        for colour, since, to in _stacked(bar):
            top, end = y(to), y(since)
            drawn.append(rect(colour, middle - thick // 2, min(top, end - _LEAST), thick, max(_LEAST, end - top)))
        if (len(bars) - 1 - i) % every == 0:
            drawn.append(
                Markup('<text class="f-head" x="{}" y="{}" text-anchor="middle">{}</text>').format(
                    min(middle, width - _MONTH // 2), _HEIGHT + 18, bar.label
                )
            )
    return svg(kind, width, _HEIGHT + _FOOT, caption, Markup("").join(drawn))


def _lines(kind: str, width: int, bars: Sequence[Bar], caption: Caption) -> Markup:
    low, high = _reach(bars)

    def x(fen: int) -> int:
        return round(width * (fen - low) / (high - low))

    drawn: list[Markup] = []
    for i, bar in enumerate(bars):
        top, shown = i * _ROW, messages.yuan(bar.sum_fen)
        drawn.append(
            Markup(
                '<text class="f-lab" x="0" y="{0}">{1}</text>'
                '<text class="f-num" x="{2}" y="{0}" text-anchor="end">{3}</text>'
            ).format(top + 16, _clipped(bar.label, width - len(shown) * _DIGIT - 16), width, shown)
        )
        for colour, since, to in _stacked(bar):
            drawn.append(rect(colour, x(since), top + 22, max(_LEAST, x(to) - x(since)), 14))
    return svg(kind, width, len(bars) * _ROW, caption, Markup("").join(drawn))


def _reach(bars: Sequence[Bar]) -> tuple[int, int]:
    """From where to where bars reach, zero always among it."""
    ends = [end for bar in bars for _, since, to in _stacked(bar) for end in (since, to)]
    low, high = min([0, *ends]), max([0, *ends])
    return low, high if high > low else low + 1


def _stacked(bar: Bar) -> list[tuple[str, int, int]]:
    """(colour, from, to) of each part: one on another from zero upwards, those below zero downwards."""
    up = down = 0
    found = []
    for colour, fen in bar.parts:
        if fen > 0:
            found.append((colour, up, up + fen))
            up += fen
        elif fen < 0:
            found.append((colour, down + fen, down))
            down += fen
    return found


def _step(reach: int) -> int:
    """Between two lines: 1, 2 or 5 and noughts, so that there are about four."""
    rough = max(1, reach // _TICKS)
    power: int = 10 ** (len(str(rough)) - 1)
    return next(each * power for each in (1, 2, 5, 10) if each * power >= rough)


def _short(fen: int) -> str:
    """An amount beside a line: without the fen where there are none."""
    return messages.yuan(fen).removesuffix(".00")


def _clipped(label: str, room: int) -> str:
    """So much of a label as there is room for. Han characters are twice as wide."""
    width = 0
    for i, each in enumerate(label):
        width += _CHAR if ord(each) > 0x2E80 else _DIGIT
        if width > room:
            return f"{label[: max(0, i - 1)]}…"
    return label
