"""Entity tags: of every answer that is whole before it is sent, and of no other."""

from collections import Counter
from hashlib import sha256

import httpx

from api.public import lineage
from api.public.data import TABLES
from tests.api.conftest import Told
from tests.api.public.test_doors import paths
from tests.support.asked import operations, send

STREAMED = {f"{each.path}.{suffix}" for each in (*TABLES, lineage.TABLE) for suffix in ("csv", "ndjson")} | {
    "/data/iati/activities.xml",
    "/data/360giving.json",
}
"""As docs/public-api.md names them."""
BUILT = (".parquet", ".xlsx", ".sha256")
KEPT_BY_NOBODY = {"/healthz", "/readyz", "/r", "/en/r"}
TOLD_AGAIN = (
    "etag", "cache-control", "link", "content-language", "content-disposition", "content-security-policy",
    "access-control-allow-origin",
)  # fmt: skip
"""Headers that are of an answer, whether it is sent or not."""


async def answers(public: Told) -> list[httpx.Response]:
    """To every question that may be asked by GET, with its own examples; and every page."""
    asked = [each for each in await operations(public.http) if each.method == "GET"]
    found = [await send(public.http, each, is_whole=True) for each in asked]
    found += [await public.http.get(path) for path in paths(public.app, project="flood-aid")]
    found.append(await public.http.get("/en/data?list=payments&org=330800"))
    missing = {each.url.path for each in found if each.status_code != 200}
    assert all(path.startswith(("/api/v1/", "/log/")) for path in missing), missing
    return [each for each in found if each.status_code == 200]


async def test_whoever_has_an_answer_is_not_sent_it_again(public: Told) -> None:
    untagged = set()
    tagged = Counter[bool]()
    for got in await answers(public):
        address = str(got.url)
        if (etag := got.headers.get("etag")) is None:
            untagged.add(got.url.path)
            continue
        tagged[is_strong := not etag.startswith("W/")] += 1
        assert etag.removeprefix("W/") == f'"{sha256(got.content).hexdigest()}"', address
        assert not (is_strong and "content-encoding" in got.headers), "one strong tag is of the bytes of one encoding"
        plain = await public.http.get(address, headers={"Accept-Encoding": "identity", "If-None-Match": '"another"'})
        assert (plain.status_code, plain.content, plain.headers["etag"]) == (200, got.content, etag), address
        # HEAD builds no file, and so it has no tag of one.
        for method in ("GET",) if got.url.path.endswith(BUILT) else ("GET", "HEAD"):
            again = await public.http.request(method, address, headers={"If-None-Match": f'"another", {etag}'})
            assert (again.status_code, again.content) == (304, b""), address
            assert [again.headers.get(name) for name in TOLD_AGAIN] == [got.headers.get(name) for name in TOLD_AGAIN]
            assert varies(again) >= varies(got), address
            assert not {"content-length", "content-type"} & {*again.headers}, address
    assert min(tagged[True], tagged[False]) > 40
    assert untagged == STREAMED | KEPT_BY_NOBODY


def varies(answer: httpx.Response) -> set[str]:
    return {each.strip() for each in answer.headers.get("vary", "").lower().split(",")} - {""}
