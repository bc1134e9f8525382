"""Two languages: what is written is Chinese, and English stands beside it in `english/*.toml`, key by key.

A key is the Chinese text itself, with `{names}` for what is put in; behind a `|` stands, unsaid, which of its meanings.
Where English counts (`{n}`), its value is a pair:
one, many.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

from markupsafe import Markup

Language: TypeAlias = Literal["zh-Hans", "en"]

PREFIX = "/en"
"""English pages stand below it, each at the address of its Chinese one."""

_FOLDER = Path(__file__).with_name("english")


@cache
def english() -> Mapping[str, str | list[str]]:
    """The whole catalogue. A text that stands in two files is a mistake that stops the start."""
    found: dict[str, str | list[str]] = {}
    for path in sorted(_FOLDER.glob("*.toml")):
        for text, translated in tomllib.loads(path.read_text()).items():
            assert text not in found, f"{path.name}: {text!r} is translated twice"
            found[text] = translated
    return found


class Words:
    """Says things in one language."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language

    def __call__(self, text: str, /, **values: Any) -> str:
        """The text as people read it, with these values in it."""
        return self._template(text, values).format(**values)

    def html(self, text: str, /, **values: Any) -> Markup:
        """The same for a page: what is written may hold tags, what is put in cannot."""
        return Markup(self._template(text, values)).format(**values)  # noqa: S704  ours; format() escapes the values

    def address(self, path: str) -> str:
        """Where the page of this Chinese address is in this language."""
        if self.language == "zh-Hans" or not path.startswith("/"):
            return path
        return PREFIX + (path if path != "/" else "")

    def _template(self, text: str, values: Mapping[str, Any]) -> str:
        if self.language == "zh-Hans":
            return text.partition("|")[0]
        found = english().get(text, text)  # a test holds the catalogue complete; a Chinese page is better than none
        if isinstance(found, str):
            return found
        return found[str(values.get("n")) != "1"]


CHINESE = Words("zh-Hans")
ENGLISH = Words("en")


def words_of(path: str) -> tuple[Words, str]:
    """The language of an address, and the Chinese address of the same page."""
    if path == PREFIX:
        return ENGLISH, "/"
    if path.startswith(f"{PREFIX}/"):
        return ENGLISH, path.removeprefix(PREFIX)
    return CHINESE, path


def both(path: str) -> list[str]:
    """The addresses of a page: in Chinese, in English."""
    return [CHINESE.address(path), ENGLISH.address(path)]
