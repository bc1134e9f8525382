"""axe-core, which finds what keeps people out of a page: fetched once by npm, held to its digest, never in the tree."""

import asyncio
import base64
import hashlib
import io
import json
import shutil
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import Page

PACKAGE = "axe-core@4.10.3"
SHA512 = "Xm7bpRXnDSX2YE2YFfBk2FnF0ep6tmG7xPh8iHee8MIcrgq762Nkce856dYtJYLkuIoYZvGfTs/PbZhideTcEg=="
_KEPT = Path(tempfile.gettempdir()) / "sunledger-tests" / "axe-core-4.10.3.tgz"
WAIT_S_MAX = 120
OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],  # else most of its time goes into describing what is well
    "preload": False,  # pages have no media, and no rule among these reads style sheets
}


async def script() -> str:
    """The script; a loud skip where npm cannot get it."""
    if not _KEPT.exists():
        await _fetch()
    packed = _KEPT.read_bytes()
    found = base64.b64encode(hashlib.sha512(packed).digest()).decode()
    if found != SHA512:
        _KEPT.unlink()
        pytest.fail(f"{PACKAGE}: expected sha512 {SHA512}, found {found}")
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        file = archive.extractfile("package/axe.min.js")
        assert file is not None
        return file.read().decode()


async def violations(page: Page, axe: str) -> list[Any]:
    """What axe finds on the page that is open: [rule, where] each."""
    if not await page.value("'axe' in window"):
        await page.value(f"{axe}; undefined")
    return list(
        await page.value(
            f"axe.run(document, {json.dumps(OPTIONS)})"
            ".then((all) => all.violations.map((each) => [each.id, each.nodes.map((node) => node.html)]))"
        )
    )


async def _fetch() -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("NO AXE: pages were not tried with axe-core; npm is not installed")
    _KEPT.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        process = await asyncio.create_subprocess_exec(
            npm, "pack", PACKAGE, "--silent",
            cwd=folder, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        async with asyncio.timeout(WAIT_S_MAX):
            failed = await process.wait()
        if failed:
            pytest.skip(f"NO AXE: pages were not tried with axe-core; npm pack {PACKAGE} failed")
        next(Path(folder).glob("*.tgz")).replace(_KEPT)
