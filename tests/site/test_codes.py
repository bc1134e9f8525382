"""Receipt codes in addresses: refused at every door, kept by no cache, repeated in no answer."""

import httpx
import pytest

from ledger import privacy
from public_site.filters import FIELDS
from tests.support.branch import CITY, Branch
from tests.support.reading import text

PAGES = (
    ("/search", "q"),
    ("/fen", "seed"),
    ("/fen", "fund"),
    *(("/data", each) for each in (*FIELDS, "list", "as_of", "before")),
    *(("/gifts", each) for each in ("fund", "category")),
    *(("/data/figures", each) for each in ("measure", "by", "then", "fund", "region")),
    ("/projects", "org"),
    ("/funds", "after"),
    ("/", "nothing"),
    ("/r", "code"),
)
DOORS = (
    ("/api/v1/search", "q"),
    ("/api/v1/gifts", "fund"),
    ("/api/v1/gifts.csv", "event"),
    ("/api/v1/figures", "category"),
    ("/api/v1/organisations", "after"),
    ("/api/v1/balances", "address"),
    ("/feeds/corrections", "nothing"),
)


def written(code: str) -> tuple[str, ...]:
    return (code, code.lower(), privacy.printed(code), f"  {privacy.printed(code).replace('-', ' ')}\0")


@pytest.mark.parametrize(("path", "name"), PAGES)
async def test_a_page_leads_to_the_look_up_and_does_not_repeat_the_code(
    branch: Branch, http: httpx.AsyncClient, path: str, name: str
) -> None:
    _, code = await branch.gift(5_000)
    for there in (path, f"/en{path}".removesuffix("/")):
        for typed in written(code):
            for asked in ({name: typed}, {"since": "2026-01", name: typed}, {typed: ""}):
                answer = await http.get(there, params=asked)
                _refused(answer, code)
                assert 'method="post" id="lookup"' in answer.text


@pytest.mark.parametrize(("path", "name"), DOORS)
async def test_a_door_of_the_interface_refuses_a_code(
    branch: Branch, http: httpx.AsyncClient, path: str, name: str
) -> None:
    _, code = await branch.gift(5_000)
    for typed in written(code):
        for asked in ({name: typed}, {typed: "1"}):
            answer = await http.get(path, params=asked)
            _refused(answer, code)
            assert answer.json()["type"] == "/problems/invalid-request"


def _refused(answer: httpx.Response, code: str) -> None:
    assert answer.status_code == 400, answer.url
    assert answer.headers["cache-control"] == "no-store"
    said = answer.text + str(answer.headers)
    folded = said.upper().replace("-", "").replace(" ", "")
    assert code not in folded, answer.url


async def test_numbers_and_ids_that_read_as_codes_are_none(branch: Branch, http: httpx.AsyncClient) -> None:
    names = [privacy.code_of([each, *range(10, 24)]).lower() for each in (1, 2)]
    assert all(map(privacy.parse_code, names))
    await branch.fund(names[0], "长名的基金")
    await branch.gift(700, names[0])
    for path in (f"/api/v1/gifts?fund={names[0]}", f"/data?fund={CITY}:{names[0]}", f"/search?q={names[0].upper()}"):
        answer = await http.get(path)
        assert answer.status_code == 200, text(answer.text)
    assert (await http.get(f"/api/v1/gifts?fund={names[1]}")).status_code == 400
    many = "&".join(f"{each}={names[0].upper()[:n]}-{names[0][n:]}" for n, each in enumerate("abcdefghi", 1))
    assert (await http.get(f"/gifts?{many}")).status_code == 400, "nobody asks for so many"
    number = next(each for each in range(10**15, 10**15 + 99) if privacy.parse_code(str(each)))
    for path in (f"/data?before={number}", f"/api/v1/gifts?org={CITY}&after={number}"):
        assert (await http.get(path)).status_code == 200, path
