"""One cell of a sheet: as people meant it, as it is compared, and as an outline that gives nobody away."""

import re
import unicodedata

OUTLINE_LENGTH = 24  # more of a broken cell helps nobody

# Zero-width characters, soft hyphen, byte-order mark and the marks that turn the direction of writing: nobody typed
# them on purpose. Spaces of other widths become a plain space, and do not vanish: two amounts in one cell stay two.
_INVISIBLE = dict.fromkeys(
    (
        0xAD,
        0x61C,
        0xFEFF,
        *range(0x200B, 0x2010),
        *range(0x202A, 0x202F),
        *range(0x2060, 0x2065),
        *range(0x2066, 0x206A),
    )
)
_SPACES = dict.fromkeys((0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000), " ")
_UNSEEN: dict[int, str | None] = {**_INVISIBLE, **_SPACES}
# Only these, not NFKC: it would turn 10² into 102 and ① into 1.
_FULL_WIDTH: dict[int, str] = {
    **{0xFF10 + digit: str(digit) for digit in range(10)},
    **{ord(wide): narrow for wide, narrow in zip("，．￥－−／：", ",.¥--/:", strict=True)},
}
_BRACKETS = str.maketrans("[]{}<>【】〔〕〈〉《》「」", "()" * 8)


def clean(cell: str) -> str:
    """The cell without what cannot be seen, and without space around it."""
    return cell.strip() if cell.isascii() else cell.translate(_UNSEEN).strip()


def narrow(cell: str) -> str:
    """Digits and punctuation of a number or date in their narrow form."""
    return cell if cell.isascii() else cell.translate(_FULL_WIDTH)


def folded(cell: str) -> str:
    """The one form in which headings, and names, are compared: NFKC, no spaces, round brackets, lower case."""
    return "".join(unicodedata.normalize("NFKC", clean(cell)).split()).translate(_BRACKETS).casefold()


def outline(cell: str) -> str:
    """The shape of a cell: 9 for a digit, a for a Latin letter, 字 for another. No name or number is repeated."""
    shape = re.sub(r"[^\W\d_a-zA-Z]", "字", re.sub(r"[a-zA-Z]", "a", re.sub(r"\d", "9", cell[:OUTLINE_LENGTH])))
    return "".join(c if c.isprintable() else "?" for c in shape) + ("…" if len(cell) > OUTLINE_LENGTH else "")
