"""The red cross is protected by law, and nobody's to draw: it is on no page, paper or picture of ours."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from ledger.settings import Settings
from tests.support import office
from tests.support.office import Office

PAGES_MAX = 150
_SIGN = re.compile(r"[✚✙➕✝☩⛑🏥🩹]|&#(?:x27[12]|x2795|10133|10009|10010|10011)|clip-path:\s*polygon")
_SHAPE = re.compile(r'<polygon[^>]*points="([^"]*)"|<path[^>]*\bd="([^"]*)"')
_CORNERS = 12
"""Of a cross."""


def crosses(text: str) -> list[str]:
    """Signs and outlines in a page, a style or a picture that are crosses."""
    found = _SIGN.findall(text)
    for points, drawn in _SHAPE.findall(text):
        if points and len(re.findall(r"[\d.]+[ ,]+[\d.]+", points)) == _CORNERS:
            found.append(points)
        for part in re.split(r"[Mm]", drawn):
            edges = re.findall(r"[HhVv][\d. -]+", part)
            if len(edges) in {_CORNERS - 1, _CORNERS} and not re.search(r"[LlCcSsQqAa]", part):
                found.append(part)
    return found


@pytest.mark.parametrize(
    "drawn",
    [
        "<b>✚</b>",
        "i { clip-path: polygon(0 0) }",
        '<svg><path d="M10 0h10v10h10v10h-10v10h-10v-10h-10v-10h10z"/></svg>',
        '<svg><polygon points="1 0 2 0 2 1 3 1 3 2 2 2 2 3 1 3 1 2 0 2 0 1 1 1"/></svg>',
    ],
)
def test_a_cross_is_noticed(drawn: str) -> None:
    assert crosses(drawn)


async def pages(http: httpx.AsyncClient, desk: Office) -> AsyncIterator[tuple[str, str]]:
    """Every page that links lead to, and those that a code opens, on screen and on paper."""
    for code in desk.codes.values():
        for path in ("/trace", "/certificate"):
            yield f"{path} {code}", (await http.post(path, data={"code": code})).text
        seq = (await http.post("/api/v1/trace", json={"code": code})).json()["gift"]["seq"]
        yield f"slip {seq}", (await desk.get(f"gifts/{seq}/slip")).text
    seen, ahead = {"/"}, ["/"]
    while ahead and len(seen) < PAGES_MAX:
        page = await http.get(path := ahead.pop(0))
        yield path, page.text
        if page.headers["content-type"].startswith("text/html"):
            links = {*re.findall(r'href="(/[^"?#]*)"', page.text)} - seen
            wanted = sorted(
                link for link in links if not re.match(r"/(api|log|schema|data/open)|/entries/|/en/.", link)
            )
            seen |= {*wanted}
            ahead += wanted


async def test_no_red_cross_is_drawn_anywhere(demo: httpx.AsyncClient, told: Settings) -> None:
    seen = []
    unsigned = told.model_copy(update={"signing_key": told.data_dir / "none.pem"})  # the site's own signs
    async with office.opened(unsigned) as desk:
        async for path, content in pages(demo, desk):
            assert not crosses(content), path
            seen.append(path)
            for file in re.findall(r'"(/static/[^"]+)"', content):
                if file not in seen:
                    assert not crosses((await demo.get(file)).text), file
                    seen.append(file)
    for kind in ("/certificate ", "slip ", "/projects/", "/organisations/", "/funds/", "/static/"):
        assert [path for path in seen if path.startswith(kind)], kind
