"""核验 names what a site's pages run in a browser: each module by the SHA-256 of what is served; and the source."""

import re
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from ledger import cli
from ledger.settings import Settings
from public_site import site
from public_site.appearance import Appearance
from tests.site.test_standing import page, witnessed
from tests.support.branch import Branch

STATIC = Path(site.__file__).parent / "static"
SOURCE = "https://code.example.org/sunshine?at=v0.1.0&raw"


async def listed(http: httpx.AsyncClient, language: str = "") -> list[tuple[str, str]]:
    """Digest and name of each, as the page has them."""
    shown = (await http.get(f"{language}/verify")).text
    (lines,) = re.findall(r'id="modules".*?<pre[^>]*>(.*?)</pre>', shown, re.DOTALL)
    return re.findall(r"^([0-9a-f]{64})  (\S+)$", lines, re.MULTILINE)


async def test_every_module_is_listed_by_the_digest_of_what_is_served(http: httpx.AsyncClient) -> None:
    found = await listed(http)
    assert await listed(http, "/en") == found
    assert {name.partition(".")[0] for _, name in found} == {path.stem for path in STATIC.glob("*.js")}
    for digest, name in found:
        content = (await http.get(f"/static/{name}")).content
        assert sha256(content).hexdigest() == digest, name
        imported = {*re.findall(r'"\./([\w.]+\.js)"', content.decode())}
        assert imported <= {each for _, each in found}, name
    said = CliRunner().invoke(cli.app, ["modules"])
    assert (said.exit_code, said.stdout) == (0, "".join(f"{digest}  {name}\n" for digest, name in found))


async def test_the_page_of_a_gift_runs_nothing_that_is_not_listed(branch: Branch, http: httpx.AsyncClient) -> None:
    _, code = await branch.gift(5_000)
    pages = [(await http.post("/trace", data={"code": code})).text, (await http.get("/r")).text]
    run = {name for each in pages for name in re.findall(r'<script[^>]* src="/static/([^"]+)"', each)}
    assert {"trace", "panel_chinese", "printed_link"} == {name.partition(".")[0] for name in run}
    assert run <= {name for _, name in await listed(http)}


@pytest.mark.parametrize("path", ["/verify", "/en/verify"])
def test_the_page_leads_to_the_source_where_the_operator_names_it_and_nowhere_else(
    settings: Settings, path: str
) -> None:
    for source, is_named in ((SOURCE, True), (None, False)):
        look = Appearance.of(settings.model_copy(update={"source_url": source}))
        shown = page(path, witnessed("none", None, None), look)
        assert (f'<a href="{SOURCE.replace("&", "&amp;")}">' in shown) == is_named
        assert ("pipx install" in shown) == is_named
        assert "Apache-2.0" in shown
