"""QR codes, read back by a foreign reader: from the SVG of a page, from a picture of a printed one."""

import re
from dataclasses import dataclass

import zxingcpp

_SVG = re.compile(r'<svg width="([\d.]+)mm" height="([\d.]+)mm" viewBox="0 0 (\d+) (\d+)"[^>]*>(.*?)</svg>', re.DOTALL)
_PIXELS = 4
"""Of each module."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A code as a page draws it."""

    side_mm: float
    modules: int
    """On each side, quiet zone and all."""
    dark: frozenset[tuple[int, int]]

    @property
    def module_mm(self) -> float:
        return self.side_mm / self.modules

    @property
    def quiet(self) -> int:
        """Modules of white around it, at the least."""
        along = [each for place in self.dark for each in place]
        return min(*along, self.modules - 1 - max(along))

    @property
    def content(self) -> bytes:
        """What a reader makes of it."""
        side = self.modules * _PIXELS
        pixels = bytearray(b"\xff" * side * side)
        for x, y in self.dark:
            for row in range(y * _PIXELS, (y + 1) * _PIXELS):
                at = row * side + x * _PIXELS
                pixels[at : at + _PIXELS] = bytes(_PIXELS)
        (found,) = read(bytes(pixels), side, side)
        return found


def drawings(html: str) -> list[Drawn]:
    """The codes of a page, in its order."""
    found = []
    for width, height, columns, rows, inside in _SVG.findall(html):
        assert (width, columns) == (height, rows)
        (path,) = re.findall(r'<path stroke="#000" d="([^"]*)"\s*/>', inside)
        found.append(Drawn(float(width), int(columns), frozenset(_dark(path))))
    return found


def _dark(path: str) -> set[tuple[int, int]]:
    """The modules that strokes of one module's width go through."""
    dark = set()
    x, y = 0, 0.0
    for command, numbers in re.findall(r"([Mmh])([-\d. ]+)", path):
        values = [float(each) for each in numbers.split()]
        match command:
            case "M":
                x, y = int(values[0]), values[1]
            case "m":
                x, y = x + int(values[0]), y + values[1]
            case _:
                dark |= {(each, int(y - 0.5)) for each in range(x, x + int(values[0]))}
                x += int(values[0])
    return dark


def read(gray: bytes, width: int, height: int) -> list[bytes]:
    """What the codes in a picture say, from left to right. `gray`: a byte for each pixel, 255 is white."""
    image = memoryview(gray).cast("B", (height, width))
    codes = zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
    return [each.bytes for each in sorted(codes, key=lambda code: code.position.top_left.x)]
