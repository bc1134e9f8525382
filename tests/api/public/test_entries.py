"""Entries as they are read, as they were hashed, and where their money came from."""

import hashlib
import json

import httpx
import pytest

from ledger import entries
from ledger.store.queries import sources
from tests.support.branch import Branch


async def test_the_bytes_are_those_that_were_hashed(branch: Branch, http: httpx.AsyncClient) -> None:
    seq, _ = await branch.gift(12_345)
    await branch.allocate(100)
    exact = await http.get(f"/api/v1/entries/{seq}/bytes", headers={"Accept-Encoding": "gzip"})
    assert exact.headers["content-type"] == "application/json"
    assert "content-encoding" not in exact.headers
    assert exact.headers["cache-control"] == "public, max-age=31536000, immutable"
    entry = entries.decode(exact.content)
    assert entry.seq == seq
    digest = hashlib.sha256(exact.content).hexdigest()
    assert exact.headers["etag"] == f'"{digest}"'
    after = await http.get(f"/api/v1/entries/{seq + 1}")
    assert after.json()["entry"]["prev"] == digest
    read = (await http.get(f"/api/v1/entries/{seq}")).json()
    assert read["sha256"] == digest
    assert read["entry"] == json.loads(exact.content)
    assert read["log_state"] == "sequenced"
    assert read["links"] == {
        "bytes": f"/api/v1/entries/{seq}/bytes",
        "proof": None,
        "receipt": None,
        "previous": f"/api/v1/entries/{seq - 1}",
        "trace": f"/api/v1/entries/{seq}/trace",
        "sources": None,
    }


async def test_bytes_that_are_known_are_not_sent_again(http: httpx.AsyncClient) -> None:
    first = await http.get("/api/v1/entries/0/bytes")
    for known in (first.headers["etag"], f'"other", W/{first.headers["etag"]}', "*"):
        again = await http.get("/api/v1/entries/0/bytes", headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
    other = await http.get("/api/v1/entries/0/bytes", headers={"If-None-Match": '"other"'})
    assert other.content == first.content


async def test_what_is_not_in_the_log_is_a_problem(http: httpx.AsyncClient) -> None:
    for path in ("", "/bytes", "/trace", "/sources"):
        for seq, status in (("999999", 404), (str(2**53), 400), ("-1", 400), ("x", 404), ("1.5", 404)):
            answer = await http.get(f"/api/v1/entries/{seq}{path}")
            assert answer.status_code == status, (seq, path)
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["cache-control"] == "no-store"


async def test_a_payment_names_the_gifts_it_came_from(branch: Branch, http: httpx.AsyncClient) -> None:
    given = await branch.gifts([100] * 25)
    await branch.allocate(1_500)
    await branch.allocate(700)
    paid = await branch.pay(2_130)
    listed: list[dict[str, int]] = []
    after = -1
    while True:
        page = (await http.get(f"/api/v1/entries/{paid}/sources?limit=10&after={after}")).json()
        assert (page["gift_count"], page["amount_fen"], page["seq"]) == (22, 2_130, paid)
        listed += page["items"]
        if page["next"] is None:
            break
        after = page["next"]
    assert [each["seq"] for each in listed] == [seq for seq, _ in given[:22]]
    assert [each["amount_fen"] for each in listed] == [100] * 21 + [30]
    assert {each["gift_amount_fen"] for each in listed} == {100}
    beyond = (await http.get(f"/api/v1/entries/{paid}/sources?after=999999")).json()
    assert (beyond["items"], beyond["next"], beyond["gift_count"]) == ([], None, 22)


async def test_a_gift_and_a_fund_came_from_nothing(branch: Branch, http: httpx.AsyncClient) -> None:
    seq, _ = await branch.gift(100)
    assert (await http.get(f"/api/v1/entries/{seq}/sources")).status_code == 404
    assert (await http.get("/api/v1/entries/0/sources")).status_code == 404
    assert (await http.get("/api/v1/entries/0/trace")).status_code == 404


async def test_sources_beyond_what_is_counted_are_refused_and_not_cut(
    branch: Branch, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await branch.gifts([1] * 30)
    await branch.allocate(30)
    paid = await branch.pay(30)
    monkeypatch.setattr(sources, "MAX_SOURCE_PIECES", 20)
    answer = await http.get(f"/api/v1/entries/{paid}/sources")
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/trace-too-large")


async def test_a_trace_beyond_what_is_shown_is_refused_and_not_cut(
    branch: Branch, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    seq, code = await branch.gift(100)
    for _ in range(5):
        await branch.allocate(10)
    monkeypatch.setattr("ledger.store.queries.trace.MAX_PIECES", 4)
    answer = await http.get(f"/api/v1/entries/{seq}/trace")
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/trace-too-large")
    page = await http.post("/trace", data={"code": code}, headers={"Accept": "text/html"})
    assert page.status_code == 422
    assert "去向过于分散" in page.text


async def test_an_effect_in_parts_is_one_movement(
    branch: Branch, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.posting.MAX_POSTINGS", 2)
    given = await branch.gifts([10] * 7)
    for seq, _ in given[1::2]:
        await branch.refund(seq)  # holes
    allocated = await branch.allocate(40)
    for part in (allocated, allocated + 1):
        found = (await http.get(f"/api/v1/entries/{part}/sources")).json()
        assert (found["seq"], found["amount_fen"], found["gift_count"]) == (allocated, 40, 4)
    for seq, _ in given[::2]:
        (leaf,) = (await http.get(f"/api/v1/entries/{seq}/trace")).json()["leaves"]
        assert (leaf["seq"], leaf["amount_fen"], leaf["entry_amount_fen"]) == (allocated, 10, 40)
