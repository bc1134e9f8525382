"""What comes out of a printer: a page as PDF, its sheets, what is read on them, and a picture of one."""

import asyncio
import re
import shutil
import tempfile
import unicodedata
from base64 import b64decode
from pathlib import Path

import pytest

from tests.support import qr
from tests.support.browser import WAIT_S_MAX, Browser, Page

DPI = 200
_POINTS_MM = 25.4 / 72
_BOX = re.compile(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]")
_GRAY = """
(async () => {{
  const image = await createImageBitmap(await (await fetch("data:image/png;base64,{0}")).blob());
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, image.width, image.height).data;
  let gray = "";
  for (let i = 1; i < pixels.length; i += 4) gray += String.fromCharCode(pixels[i]);
  return [btoa(gray), image.width, image.height];
}})()
"""


async def printed(page: Page) -> bytes:
    """The page that is open, as PDF, on the paper its style asks for and without a browser's head and foot."""
    answer = await page.send("Page.printToPDF", preferCSSPageSize=True)
    return b64decode(answer["data"])


def sheets_mm(pdf: bytes) -> list[tuple[int, int]]:
    """Width and height of each sheet."""
    return [(round(float(w) * _POINTS_MM), round(float(h) * _POINTS_MM)) for w, h in _BOX.findall(pdf)]


async def codes_seen(browser: Browser, file: Path, count: int) -> list[bytes]:
    """What so many QR codes on the first sheet of a PDF say, seen at 200 dots an inch in the browser's own viewer."""
    (width_mm, height_mm), *_ = sheets_mm(file.read_bytes())
    async with browser.page() as viewer, browser.page() as painter:
        await viewer.send(
            "Emulation.setDeviceMetricsOverride",
            width=round(width_mm / 25.4 * 96) + 40,
            height=round(height_mm / 25.4 * 96) + 20,
            deviceScaleFactor=DPI / 96,
            mobile=False,
        )
        await viewer.open(f"{file.as_uri()}#toolbar=0&navpanes=0&zoom=100")
        async with asyncio.timeout(WAIT_S_MAX):
            while True:  # the viewer tells nobody when it has drawn the sheet
                try:
                    shot = await viewer.send("Page.captureScreenshot", format="png")
                except RuntimeError:  # the viewer is being opened
                    continue
                gray, width, height = await painter.value(_GRAY.format(shot["data"]))
                found = qr.read(b64decode(gray), width, height)
                if len(found) >= count:
                    return found


async def codes_rastered(file: Path) -> list[bytes]:
    """The same by poppler, which shares no code with the browser."""
    with tempfile.TemporaryDirectory() as folder:
        await _poppler("pdftoppm", "-r", str(DPI), "-gray", "-singlefile", str(file), f"{folder}/sheet")
        picture = (Path(folder) / "sheet.pgm").read_bytes()
    head = re.match(rb"P5\s+(\d+)\s+(\d+)\s+255\s", picture)
    assert head is not None
    return qr.read(picture[head.end() :], int(head[1]), int(head[2]))


async def text_of(file: Path) -> str:
    """What can be read on a PDF, by poppler: without blanks, with characters for radicals that look like them."""
    said = (await _poppler("pdftotext", str(file), "-")).decode()
    return "".join(unicodedata.normalize("NFKC", said).split())


async def _poppler(program: str, *arguments: str) -> bytes:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"NO POPPLER: printed pages were not looked at by {program}; apt-get install poppler-utils")
    process = await asyncio.create_subprocess_exec(found, *arguments, stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(WAIT_S_MAX):
        said, _ = await process.communicate()
    assert process.returncode == 0, program
    return said
