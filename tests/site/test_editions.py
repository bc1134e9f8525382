"""The nightly data set on the site: what is in it and its digests, each file as it lies in the folder."""

import hashlib
import re
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest

from api.public.app import Resources, build
from api.public.editions import publish
from ledger.opendata import editions
from ledger.opendata.editions import Edition
from ledger.opendata.terms import Terms
from ledger.store.database import Database
from ledger.store.keys import LookupKeys
from public_site import messages
from tests.support.branch import Branch
from tests.support.reading import text
from tests.support.reported import report
from tests.support.visitor import visitor

SITE = "https://ledger.example.org"


@pytest.fixture
async def site(branch: Branch, reader: Database, tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    """With a folder for editions, which is not there yet."""
    lookup = LookupKeys.read(branch.settings.lookup)
    app = build(Resources(database=reader, lookup=lookup, open_data=tmp_path / "open", site_url=SITE))
    async with visitor(app) as client:
        client.headers["Accept"] = "text/html"
        yield client


async def made(branch: Branch, tmp_path: Path) -> Edition:
    """An edition of what is there now."""
    size = await report(branch.database) + 1
    return await publish(branch.database, Terms(), tmp_path / "open", size, site_url=SITE)


async def test_the_data_page_lists_the_newest_edition_with_rows_and_digests(
    branch: Branch, site: httpx.AsyncClient, tmp_path: Path
) -> None:
    await branch.gift(500)
    assert "每晚的数据集" not in (await site.get("/data")).text
    assert (await site.get("/data/editions")).json() == {"items": [], "next": None}
    first = await made(branch, tmp_path)
    await branch.gift(700)
    second = await made(branch, tmp_path)
    newest = (await site.get("/data/editions", params={"limit": 1})).json()
    older = (await site.get("/data/editions", params={"before": newest["next"]})).json()
    for edition, told, following in ((second, newest, second.size), (first, older, None)):
        (each,) = told["items"]
        assert (each["size"], each["as_of"], told["next"]) == (edition.size, edition.as_of, following)
        assert (await site.get(each["index"])).json()["as_of"] == edition.as_of
    page = (await site.get("/data")).text
    assert f"每晚的数据集：截至第 {second.as_of} 条，{len(second.files)} 个文件" in text(page)
    listed = page.partition("每晚的数据集：")[2]
    rows = re.findall(
        r'<tr><td><a href="([^"]+)">([^<]+)</a></td><td class="num">(\S+)</td><td class="num">(\S+)</td>'
        r'<td class="small"><code>',
        listed,
    )
    assert rows == [
        (
            f"/data/editions/{second.size}/{each.name}",
            each.name,
            "—" if each.rows is None else str(each.rows),
            "—" if each.sum_fen is None else messages.yuan(each.sum_fen),
        )
        for each in second.files
    ]
    for path, name, *_ in rows:
        answer = await site.get(path)
        assert answer.content == (tmp_path / "open/latest" / name).read_bytes()
        assert hashlib.sha256(answer.content).hexdigest() in listed
        assert (await site.head(path)).headers["content-length"] == str(len(answer.content))
    assert f'href="/data/editions/{first.size}/index.json"' in listed
    assert "The nightly data set" in (await site.get("/en/data")).text


async def test_a_file_of_an_edition_never_changes_and_no_other_file_is_served(
    branch: Branch, site: httpx.AsyncClient, tmp_path: Path
) -> None:
    size = (await made(branch, tmp_path)).size
    (tmp_path / "open" / str(size) / "beside.txt").write_text("not in the index")
    (tmp_path / "open" / "secret").mkdir()
    answer = await site.get(f"/data/editions/{size}/gifts.csv")
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-disposition"] == f'attachment; filename="as-of-{size - 1}-gifts.csv"'
    known = {"If-None-Match": answer.headers["etag"]}
    assert (await site.get(f"/data/editions/{size}/gifts.csv", headers=known)).status_code == 304
    sums = await site.get(f"/data/editions/{size}/{editions.SUMS}")
    assert f"{hashlib.sha256(answer.content).hexdigest()}  gifts.csv\n" in sums.text
    for path in ("beside.txt", "..%2f.lock", "%2e%2e", "%00", "gifts.csv%00", "gifts"):
        assert (await site.get(f"/data/editions/{size}/{path}")).status_code in {400, 404}, path
    for other in (f"{size + 1}/gifts.csv", "0/gifts.csv", "latest/gifts.csv", "secret/gifts.csv"):
        assert (await site.get(f"/data/editions/{other}")).status_code == 404, other


async def test_links_to_cite_name_the_site_by_its_setting_and_else_by_the_host_asked_for(
    branch: Branch, site: httpx.AsyncClient, http: httpx.AsyncClient
) -> None:
    await branch.gift(500)
    for path in (
        "/data",
        "/data/figures",
        "/data/datapackage.json",
        "/data/dcat.jsonld",
        "/robots.txt",
        "/sitemap.xml",
    ):
        ours, theirs = (await site.get(path)).text, (await http.get(path)).text
        assert SITE in ours, path
        assert str(http.base_url) not in ours, path
        assert str(http.base_url).rstrip("/") in theirs, path
        assert SITE not in theirs, path
