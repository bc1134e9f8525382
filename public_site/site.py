"""What every page is made with: templates, files under names that change with their content."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import MediaType, Response

from ledger.store.queries.head import Head
from public_site import messages

_HERE = Path(__file__).parent
_IMPORT = re.compile(rb"(?<=\")\./([a-z_]+\.js)(?=\")")
"""A module named by another one; they import each other in no circle."""

_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of ours, as it is served."""

    content: bytes
    media_type: str


class Site:
    """Writes pages."""

    def __init__(self) -> None:
        self.assets: dict[str, Asset] = {}
        """By the name they are served under."""
        self._served_as: dict[str, str] = {}
        for path in sorted((_HERE / "static").iterdir()):
            self._serve(path)
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(
            asset=self._served_as.__getitem__,
            states=messages.STATES,
            channels=messages.CHANNELS,
            receipts=messages.FISCAL,
        )
        words = (
            "channel",
            "clock",
            "foreign",
            "heading",
            "headline",
            "moment",
            "payee",
            "persons",
            "place",
            "remainder",
            "spoken",
            "yuan",
        )
        self._templates.filters.update({word: getattr(messages, word) for word in words})

    def _serve(self, path: Path) -> str:
        """The name a file is served under, which changes with its content and with that of the modules it imports."""
        if path.name not in self._served_as:
            content = path.read_bytes()
            if path.suffix == ".js":
                content = _IMPORT.sub(lambda found: self._serve(path.with_name(found[1].decode())).encode(), content)
            name = f"{path.stem}.{hashlib.sha256(content).hexdigest()[:12]}{path.suffix}"
            self.assets[name] = Asset(content, _MEDIA_TYPES[path.suffix])
            self._served_as[path.name] = f"/static/{name}"
        return self._served_as[path.name]

    def page(
        self,
        name: str,
        head: Head | None,
        *,
        status: int = 200,
        headers: dict[str, str] | None = None,
        **shown: Any,
    ) -> Response[str]:
        """The page of this name. `head`: as of which entry; None for a page that says nothing of the ledger."""
        text = self._templates.get_template(f"{name}.html").render(head=head, **shown)
        return Response(text, status_code=status, media_type=MediaType.HTML, headers=headers or {})
