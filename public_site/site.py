"""What every page is made with: templates in two languages, files under names that change with their content."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import MediaType, Response

from ledger import entries
from ledger.store import clock as clocks
from ledger.store.queries.head import Head
from public_site import appearance, messages
from public_site.appearance import Appearance
from public_site.words import CHINESE, ENGLISH, Language, Words, words_of

FRESH = {"Cache-Control": "public, max-age=10"}
"""The ledger grows all the time; every page says as of which entry it is."""

PRIVATE = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
"""For whoever typed a code, and for nobody's memory."""

_HERE = Path(__file__).parent
_IMPORT = re.compile(rb"(?<=\")\./([a-z_]+\.js)(?=\")")
"""A module named by another one; they import each other in no circle."""

_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".png": "image/png", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of ours, as it is served."""

    content: bytes
    media_type: str


class Section(NamedTuple):
    """A place in the navigation, and the addresses that belong to it."""

    path: str
    name: str
    below: tuple[str, ...]
    is_open: bool = True


SECTIONS = (
    Section("/", "查我的捐赠", ("/trace", "/r", "/certificate")),
    Section("/projects", "项目", ("/projects", "/funds", "/organisations")),
    Section("/goods", "物资", ("/goods",), is_open=False),  # its place; a later issue opens it
    Section("/data", "数据", ("/data", "/gifts", "/entries", "/corrections", "/search")),
    Section("/verify", "核验", ("/verify", "/fen", "/matching")),
)
POSTED = ("/trace", "/dossier", "/certificate")
"""Answers to forms: their address says nothing, so in the other language the reader begins again."""


class Press:
    """Holds what all pages share. One for an application."""

    def __init__(self, look: Appearance | None = None, clock: Callable[[], str] = clocks.now) -> None:
        """`clock`: the time now, as entries write it."""
        self.look = look or Appearance()
        self.clock = clock
        self.assets: dict[str, Asset] = {}
        """By the name they are served under."""
        self._served_as: dict[str, str] = {}
        for path in sorted((_HERE / "static").iterdir()):
            self._serve(path)
        if self.look.emblem:
            self._keep("emblem", "emblem", appearance.suffix(self.look.emblem), self.look.emblem)
        self._environments = {words.language: self._environment(words) for words in (CHINESE, ENGLISH)}

    def at(self, path: str) -> "Site":
        """The site as the reader of this address sees it."""
        words, here = words_of(path)
        return Site(self, words, here)

    def render(self, language: Language, name: str, /, **shown: Any) -> str:
        """The text of a page."""
        return self._environments[language].get_template(f"{name}.html").render(**shown)

    @cached_property
    def modules(self) -> dict[str, str]:
        """What pages run in a browser: the names modules are served under, and the SHA-256 of each as served."""
        served = sorted(each for each in self.assets.items() if each[0].endswith(".js"))
        return {name: hashlib.sha256(asset.content).hexdigest() for name, asset in served}

    def is_old(self, at: datetime) -> bool:
        """Whether that is longer ago than the hours from which pages say so."""
        return entries.moment(self.clock()) - at > timedelta(hours=self.look.stale_hours)

    def _environment(self, words: Words) -> Environment:
        made = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        made.globals.update(
            _=words.html,
            asset=self._served_as.__getitem__,
            emblem=self._served_as.get("emblem", ""),
            channels={name: words(text) for name, text in messages.CHANNELS.items()},
            contact=self.look.contact,
            email=self.look.email,
            language=words.language,
            modules=self.modules,
            receipts={status: words(text) if text else "" for status, text in messages.FISCAL.items()},
            site=self.look.address,
            source=self.look.source,
            sections=[section for section in SECTIONS if section.is_open],
            states={state: words(text) for state, text in messages.STATES.items()},
            to=words.address,
        )
        made.tests["old"] = self.is_old
        made.filters.update({name: getattr(messages, name) for name in ("clock", "moment", "number", "yuan")})
        made.filters.update(
            {
                name: partial(getattr(messages, name), say=words)
                for name in ("channel", "foreign", "heading", "headline", "own", "payee", "persons", "place",
                             "remainder", "spoken")
            }
        )  # fmt: skip
        return made

    def _serve(self, path: Path) -> str:
        """The name a file is served under, which changes with its content and with that of the modules it imports."""
        if path.name not in self._served_as:
            content = path.read_bytes()
            if path.suffix == ".js":
                content = _IMPORT.sub(lambda found: self._serve(path.with_name(found[1].decode())).encode(), content)
            self._keep(path.name, path.stem, path.suffix, content)
        return self._served_as[path.name]

    def _keep(self, known_as: str, stem: str, ending: str, content: bytes) -> None:
        name = f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}{ending}"
        self.assets[name] = Asset(content, _MEDIA_TYPES[ending])
        self._served_as[known_as] = f"/static/{name}"


@dataclass(frozen=True, slots=True)
class Site:
    """Writes pages for the reader of one address: in its language."""

    press: Press
    words: Words
    here: str
    """The Chinese address."""

    def page(  # noqa: PLR0913  each is given by its name
        self,
        name: str,
        head: Head | None,
        /,
        *,
        status: int = 200,
        headers: dict[str, str] | None = None,
        query: Mapping[str, object] | None = None,
        is_pinned: bool = False,
        **shown: Any,
    ) -> Response[str]:
        """The page of this name. `head`: as of which entry; None for a page that says nothing of the ledger.

        `is_pinned`: as of an entry of the reader's choice, which may be as old as she likes.

        `query`: what of the address both languages share, by names of ours; nothing else of it comes into a page.
        """
        asked = {name: value for name, value in (query or {}).items() if value not in {None, ""}}
        after = f"?{urlencode(asked, safe=':')}" if asked else ""
        here = "/" if self.here.startswith(POSTED) else self.here
        text = self.press.render(
            self.words.language,
            name,
            head=head,
            here=here,
            query=asked,
            current=_section(self.here),
            addresses={words.language: words.address(here) + after for words in (CHINESE, ENGLISH)},
            is_answer=self.here.startswith(POSTED),
            is_read_only=self.press.look.is_read_only,
            is_pinned=is_pinned,
            is_stale=head is not None
            and head.seq >= 0
            and not is_pinned
            and self.press.is_old(entries.moment(head.at)),
            **shown,
        )
        said = {"Content-Language": self.words.language}
        return Response(text, status_code=status, media_type=MediaType.HTML, headers=said | (headers or {}))


def _section(path: str) -> str:
    """The section a page belongs to; empty for one that belongs to none."""
    for section in SECTIONS:
        if (
            path == section.path
            or path.startswith(tuple(f"{each}/" for each in section.below))
            or path in section.below
        ):
            return section.path
    return ""
