"""Words: what docs/entries.md asks of the texts, codes and lists of an entry, whoever wrote it."""

import re

from ledger.entries import AnyBody
from ledger.verify.rule import Rule
from ledger.verify.state import State

MAX_TEXT = 500
"""Characters of a text."""

TEXTS = frozenset(
    {
        "authority",
        "basis",
        "filing",
        "name",
        "operator",
        "payee",
        "profile",
        "promiser",
        "purpose",
        "reason",
        "statement",
        "text",
    }
)
"""Fields that are never empty."""

OPTIONAL_TEXTS = frozenset({"decision", "note"})

_USCC = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}")
_USCC_SYMBOLS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def check(state: State, body: AnyBody) -> None:
    """Every text of a body."""
    for name in body.__struct_fields__:
        if name in TEXTS or name in OPTIONAL_TEXTS:
            check_text(state, name, getattr(body, name), is_optional=name in OPTIONAL_TEXTS)


def check_text(state: State, what: str, text: str, *, is_optional: bool = False) -> None:
    """1 to 500 printable characters, without blanks around them."""
    is_empty = not text and not is_optional
    if is_empty or len(text) > MAX_TEXT or not text.isprintable() or text != text.strip():
        state.find(Rule.TEXT_FORM, f"{what}: 1 to {MAX_TEXT} printable characters", repr(text))


def check_ascending(state: State, what: str, listed: tuple[str, ...]) -> None:
    """A list that has one way to be written."""
    if listed != tuple(sorted(set(listed))):
        state.find(Rule.ENTRY_FORM, f"{what}: ascending, none twice", ", ".join(listed))


def check_uscc(state: State, uscc: str) -> None:
    """A unified social credit code has a right check character (GB 32100-2015)."""
    if not uscc:
        return
    if _USCC.fullmatch(uscc):
        values = [_USCC_SYMBOLS.index(symbol) for symbol in uscc]
        if (sum(value * 3**i for i, value in enumerate(values[:-1])) + values[-1]) % len(_USCC_SYMBOLS) == 0:
            return
    state.find(Rule.ID_FORM, "18 characters with a right check character (GB 32100-2015)", uscc)
