"""Where a project's money came from and went, drawn: SVG of our own, classes only, so that the strict policy holds.

Lying for wide screens, standing for phones. What is not used yet is never a colour but a dashed outline. Every number
of the picture stands in a table on the same page.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from public_site.messages import yuan

MAX_NAMED = 4
"""Parts on one side with a name of their own; the rest is one part."""

COLOURS = ("c1", "c2", "c3", "c4")
SOURCE, MIDDLE, REST, UNUSED, BACK = "c5", "c0", "c5", "c6", "c5"

LEAST = 3
"""What is there is seen, however small."""
GAP = 14
STANDING_GAP = 6
THICK = 14
LABEL = 34
"""A label's two lines."""
HEAD = 30
_CHAR = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One end of the flow. `colour`: a class of the palette, c6 what is not used yet."""

    label: str
    amount: int
    shown: str
    """The amount as it is written."""
    colour: str
    is_own: bool = False
    """The label stands so in the ledger, in Chinese."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """What a picture is called, and what it says to those who cannot see it; the heads of its three columns."""

    title: str
    about: str
    heads: tuple[str, str, str] = ("", "", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Both pictures, and their parts: for the key."""

    lying: Markup
    standing: Markup
    sources: Sequence[Part]
    uses: Sequence[Part]


def largest(parts: Sequence[Part], rest: str, most: int = MAX_NAMED) -> list[Part]:
    """The first ones by name, and what remains as one. `parts`: the largest first. Those of one name stay apart."""
    if len(parts) <= most:
        return [*parts]
    fen = sum(part.amount for part in parts[most - 1 :])
    return [*parts[: most - 1], Part(label=rest, amount=fen, shown=yuan(fen), colour=parts[most - 1].colour)]


def draw(sources: Sequence[Part], middle: Part, uses: Sequence[Part], caption: Caption) -> Drawn:
    """Sources and uses come to the same sum, which is the middle's."""
    assert sum(part.amount for part in sources) == middle.amount == sum(part.amount for part in uses)
    return Drawn(
        lying=_lying(sources, middle, uses, caption),
        standing=_standing(sources, middle, uses, caption),
        sources=sources,
        uses=uses,
    )


def _free(room: int, gap: int, *sides: Sequence[Part]) -> int:
    """What amounts are drawn by, of a side this long: one scale for the whole picture."""
    most = max(map(len, sides))
    return room - gap * (most - 1) - LEAST * most


def _spans(parts: Sequence[Part], free: int, gap: int, slot: int = 0) -> list[tuple[int, int]]:
    """(from, to) of each part along a side, to scale; the smallest are as wide as LEAST.

    `slot`: what a label needs; a narrower part stands in the middle of so much, and the side may become longer.
    """
    total = sum(part.amount for part in parts)
    spans, at = [], 0
    for part in parts:
        width = LEAST + free * part.amount // total
        aside = max(slot - width, 0) // 2
        spans.append((at + aside, at + aside + width))
        at += max(width, slot) + gap
    return spans


def _amid(spans: Sequence[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    """The same in the middle of so much."""
    aside = (length - spans[-1][1]) // 2
    return [(since + aside, to + aside) for since, to in spans]


def _whole(*sides: Sequence[tuple[int, int]]) -> int:
    """What the links of a side come to without gaps: the middle's length."""
    return max(sum(to - since for since, to in spans) for spans in sides)


def _shares(spans: Sequence[tuple[int, int]], low: int, high: int) -> list[tuple[int, int]]:
    """The same widths, without gaps, between these two: where the links meet the middle."""
    widths = [to - since for since, to in spans]
    total, done, shares = sum(widths), 0, []
    for width in widths:
        shares.append((low + (high - low) * done // total, low + (high - low) * (done + width) // total))
        done += width
    return shares


def svg(kind: str, width: int, height: int, caption: Caption, inside: Markup) -> Markup:
    """A picture for screens of this kind, named for those who cannot see it. One of a kind on a page."""
    return Markup(
        '<svg class="flow {0}" viewBox="0 0 {1} {2}" role="img" aria-labelledby="{0}-t {0}-d">'
        '<title id="{0}-t">{3}</title><desc id="{0}-d">{4}</desc>{5}</svg>'
    ).format(kind, width, height, caption.title, caption.about, inside)


def _lying(sources: Sequence[Part], middle: Part, uses: Sequence[Part], caption: Caption) -> Markup:
    width, room = 1120, max(260, 62 * max(len(sources), len(uses)))
    left, centre, right = 230, 540, 850
    free = _free(room, GAP, sources, uses)
    into, out = _spans(sources, free, GAP, LABEL), _spans(uses, free, GAP, LABEL)
    length = max(into[-1][1], out[-1][1])
    into, out = _amid(into, length), _amid(out, length)
    low, high = HEAD, HEAD + length
    drawn = [
        Markup('<text class="f-head" x="{}" y="14" text-anchor="{}">{}</text>').format(x, anchor, head)
        for x, anchor, head in (
            (left + THICK, "end", caption.heads[0]),
            (centre, "start", caption.heads[1]),
            (right, "start", caption.heads[2]),
        )
    ]
    top = low + (length - _whole(into, out)) // 2
    end = top + _whole(into, out)
    for side, parts, spans in ((0, sources, into), (1, uses, out)):
        for part, (since, to), (meets, ends) in zip(parts, spans, _shares(spans, top, end), strict=True):
            here, there = (left + THICK, centre) if side == 0 else (right, centre + THICK)
            half = (here + there) // 2
            y0, y1 = low + since, low + to
            colour = MIDDLE if side == 0 else part.colour
            drawn.append(
                Markup(
                    '<path class="f-link {}" d="M{} {}C{} {} {} {} {} {}V{}C{} {} {} {} {} {}z">'
                    "<title>{} {}</title></path>"
                ).format(
                    colour, here, y0, half, y0, half, meets, there, meets, ends, half, ends, half, y1, here, y1,
                    part.label, part.shown,
                )
            )  # fmt: skip
    for side, parts, spans in ((0, sources, into), (1, uses, out)):
        x, text_x, anchor = (left, left - 10, "end") if side == 0 else (right, right + THICK + 10, "start")
        for part, (since, to) in zip(parts, spans, strict=True):
            drawn.append(rect(part.colour, x, low + since, THICK, to - since))
            drawn.append(_label(text_x, low + (since + to) // 2, anchor, part))
    drawn += [
        rect(MIDDLE, centre, top, THICK, end - top),
        _label(centre + THICK + 10, (top + end) // 2, "start", middle),
    ]
    return svg("lying", width, high + LABEL // 2, caption, Markup("").join(drawn))


def _standing(sources: Sequence[Part], middle: Part, uses: Sequence[Part], caption: Caption) -> Markup:
    width, thick, between = 358, 24, 104
    drawn: list[Markup] = []
    free = _free(width, STANDING_GAP, sources, uses)
    into = _amid(_spans(sources, free, STANDING_GAP), width)
    out = _amid(_spans(uses, free, STANDING_GAP), width)
    (inside,) = _amid([(0, _whole(into, out))], width)
    middle_y, below_y = thick + between, 2 * (thick + between)
    for side, parts, spans in ((0, sources, into), (1, uses, out)):
        near, far = (thick, middle_y) if side == 0 else (below_y, middle_y + thick)
        half = (near + far) // 2
        for part, (since, to), (meets, ends) in zip(parts, spans, _shares(spans, *inside), strict=True):
            colour = MIDDLE if side == 0 else part.colour
            drawn.append(
                Markup('<path class="f-link {}" d="M{} {}C{} {} {} {} {} {}H{}C{} {} {} {} {} {}z"/>').format(
                    colour, since, near, since, half, meets, half, meets, far, ends, ends, half, to, half, to, near
                )
            )
    rows = ((0, sources, into), (below_y, uses, out), (middle_y, [middle], [inside]))
    for y, parts, spans in rows:
        for part, (since, to) in zip(parts, spans, strict=True):
            drawn.append(rect(part.colour, since, y, to - since, thick))
            if _fits(part.label, to - since):
                drawn.append(
                    Markup('<text class="f-in{}" x="{}" y="{}" text-anchor="middle">{}</text>').format(
                        " dark" if part.colour == UNUSED else "", (since + to) // 2, y + 16, part.label
                    )
                )
    return svg("standing", width, below_y + thick, caption, Markup("").join(drawn))


def _fits(label: str, width: int) -> bool:
    """Whether a label stands inside its bar; the key below names the others. Han characters are twice as wide."""
    return sum(_CHAR if ord(each) > 0x2E80 else _CHAR // 2 for each in label) + 8 <= width


def rect(colour: str, x: int, y: int, width: int, height: int) -> Markup:
    """A bar of the picture."""
    return Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>').format(colour, x, y, width, height)


def _label(x: int, y: int, anchor: str, part: Part) -> Markup:
    return Markup(
        '<text class="f-lab" x="{0}" y="{1}" text-anchor="{2}">{4}</text>'
        '<text class="f-num" x="{0}" y="{3}" text-anchor="{2}">{5}</text>'
    ).format(x, y - 2, anchor, y + 15, part.label, part.shown)
