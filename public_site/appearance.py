"""What an operator's own site looks like: emblem, whom to tell of a mistake, when the data are called old."""

import re
from dataclasses import dataclass

from ledger.settings import Settings
from ledger.store.files import SetupError

MAX_EMBLEM_BYTES = 8 * 1024
"""It comes with the first view of every page, which is small."""

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """`emblem`: the operator's own authorised one, as SVG or PNG; without it a neutral seal is shown.

    `address`: the site's, in links that are printed. `contact`: an e-mail address, a telephone number, or a sentence.
    `source`: where the source of the program that runs here is; empty: nothing is said of it.
    Nobody draws an emblem here.
    """

    address: str = "http://127.0.0.1:8000"
    emblem: bytes = b""
    contact: str = ""
    source: str = ""
    stale_hours: int = 72
    is_read_only: bool = False

    @classmethod
    def of(cls, settings: Settings) -> "Appearance":
        """As the settings say it. Raises SetupError for an emblem that cannot be shown."""
        emblem = b""
        if settings.emblem is not None:
            try:
                emblem = settings.emblem.read_bytes()
            except OSError as error:
                raise SetupError(f"{settings.emblem}: {error.strerror}") from error
            if not suffix(emblem):
                raise SetupError(f"{settings.emblem}: an emblem is an SVG or PNG file")
            if len(emblem) > MAX_EMBLEM_BYTES:
                raise SetupError(f"{settings.emblem}: an emblem has at most {MAX_EMBLEM_BYTES:,} bytes")
        return cls(
            address=settings.site,
            emblem=emblem,
            contact=settings.contact.strip(),
            source=settings.source_url or "",
            stale_hours=settings.stale_hours,
            is_read_only=settings.read_only,
        )

    @property
    def email(self) -> str:
        """The contact, where it is an e-mail address."""
        return self.contact if _EMAIL.fullmatch(self.contact) else ""


def suffix(emblem: bytes) -> str:
    """`.svg` or `.png`, by what the file is; empty for anything else."""
    if emblem.startswith(b"\x89PNG\r\n\x1a\n"):
        return ".png"
    return ".svg" if b"<svg" in emblem[:1024] else ""
