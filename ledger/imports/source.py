"""A file as lines of text: plain or gzip, UTF-8 or GB18030, in memory never more than a line and a few buffers."""

import codecs
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ledger.imports.fault import Fault, Unreadable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

LINE_LENGTH = 131_072  # characters; as much as the csv module takes in one cell
_BUFFER = 262_144
_HEAD = 65_536  # bytes that decide about the encoding
_GZIP = b"\x1f\x8b"
_FOREIGN = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF", codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

Observe: TypeAlias = Callable[[memoryview], object]
"""Is shown every byte read from the disk, in order: to hash it, to count it."""


@contextmanager
def open_lines(path: Path, observe: Observe) -> Iterator[Iterator[str]]:
    """The lines with their ends, as the csv module wants them. Bytes that are no text come as lone surrogates."""
    with path.open("rb", buffering=0) as file:
        raw = io.BufferedReader(_Observed(file, observe), _BUFFER)
        try:
            packed = raw.peek(2).startswith(_GZIP)
            # A second buffer: gzip is read in large pieces, not line by line in Python.
            plain = io.BufferedReader(gzip.GzipFile(fileobj=raw, mode="rb"), _BUFFER) if packed else raw
            head = plain.peek(_HEAD)[:_HEAD]
        except (EOFError, gzip.BadGzipFile, zlib.error):
            raise Unreadable(Fault.GZIP_BROKEN) from None
        if not head:
            raise Unreadable(Fault.EMPTY)
        if head.startswith(_FOREIGN) or b"\0" in head:
            raise Unreadable(Fault.NOT_CSV)
        yield _lines(io.TextIOWrapper(plain, encoding=_encoding(head), errors="surrogateescape", newline=""))


def is_text(text: str) -> bool:
    """Whether every byte this was read from was text in the encoding of its file. Asked by row, after reading."""
    if text.isascii():
        return "\0" not in text  # PostgreSQL stores none
    try:
        text.encode()
    except UnicodeEncodeError:  # the exception holds the text, so it goes no further
        return False
    return "\0" not in text


class _Observed(io.RawIOBase):
    """A file that shows what is read from it."""

    def __init__(self, file: io.FileIO, observe: Observe) -> None:
        self._file = file
        self._observe = observe

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer)
        size = self._file.readinto(view)
        self._observe(view[:size])
        return size


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    line_no = 0
    try:
        while line := text.readline(LINE_LENGTH):
            line_no += 1
            if len(line) == LINE_LENGTH:
                raise Unreadable(Fault.LINE_TOO_LONG, line=line_no)
            yield line
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise Unreadable(Fault.GZIP_BROKEN, line=line_no) from None


def _encoding(head: bytes) -> str:
    """UTF-8 if at least half of the lines that are not ASCII are, else GB18030 if that fits more of them.

    By line, because one broken byte makes a file neither; and UTF-8 first, because GB18030 takes most of what is
    written in UTF-8 for other characters, but hardly ever the other way round.
    """
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    lines = [line for line in head.rpartition(b"\n")[0].split(b"\n") if not line.isascii()] or [head]
    fits = {encoding: sum(_decodes(line, encoding) for line in lines) for encoding in ("utf-8", "gb18030")}
    return "gb18030" if fits["utf-8"] * 2 < len(lines) and fits["gb18030"] > fits["utf-8"] else "utf-8"


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
