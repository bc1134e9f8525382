"""Rate limits: of an address and of look-ups that fail, counted together by applications that share a database."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import Any, cast

import httpx
import pytest

from api.limits import Rates, visitor
from api.public.app import Resources, build
from ledger.settings import Settings
from ledger.store import setup
from ledger.store.database import Database
from ledger.store.keys import LookupKeys
from ledger.store.queries.visits import Visits
from tests.api.public.test_fiscal import NUMBERS
from tests.support.acting import acting_as, acting_as_superuser
from tests.support.branch import Branch

HOME, OTHER, PROXY = "203.0.113.7", "203.0.113.8", "10.0.0.1"
PROXIES = (ip_network("10.0.0.0/8"),)
WRONG = "0000-0000-0000-0000"


@asynccontextmanager
async def worker(settings: Settings, **rates: int) -> AsyncGenerator[Any]:
    """One more application on the log's database, with a pool of its own."""
    assert settings.database_url is not None
    database = setup.database(settings, settings.database_url, "reader", pool_size=2)
    lookup = LookupKeys.read(settings.lookup)
    allowed = Rates(**rates, trusted_proxies=PROXIES)
    yield build(Resources(database=database, lookup=lookup, visits=Visits(database, lookup), rates=allowed))
    await database.close()


def at(app: Any, address: str) -> httpx.AsyncClient:
    """Somebody at this address."""
    transport = httpx.ASGITransport(cast("Any", app), raise_app_exceptions=False, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://ledger.test")


def is_refused(answer: httpx.Response) -> bool:
    if answer.status_code != 429:
        return False
    assert answer.json()["type"] == "/problems/too-many-requests"
    assert 1 <= int(answer.headers["retry-after"]) <= 3600
    assert answer.headers["cache-control"] == "no-store"
    return True


@pytest.mark.parametrize("path", ["/data/figures", "/en/data/figures", "/data", "/"])
async def test_a_reader_who_asks_too_often_is_told_so_on_a_page(branch: Branch, settings: Settings, path: str) -> None:
    async with worker(settings, requests_per_minute=1) as app:
        answers = [await at(app, HOME).get(path, headers={"Accept": "text/html"}) for _ in range(2)]
    assert [each.status_code for each in answers] == [200, 429]
    assert all(each.headers["content-type"].startswith("text/html") for each in answers)


async def test_an_address_may_ask_so_often_of_all_workers_together(branch: Branch, settings: Settings) -> None:
    async with worker(settings, requests_per_minute=4) as one, worker(settings, requests_per_minute=4) as two:
        answers = [await at(each, HOME).get("/api/v1/funds") for each in (one, two, one, two, one, two)]
        assert [is_refused(each) for each in answers] == [False] * 4 + [True] * 2
        assert not is_refused(await at(one, OTHER).get("/api/v1/funds")), "somebody else"
        assert not is_refused(await at(one, HOME).get("/log/checkpoint")), "caches keep these"


async def test_look_ups_that_fail_are_limited_and_good_ones_are_not(branch: Branch, settings: Settings) -> None:
    given = await branch.gift(100)
    async with worker(settings, failures_per_hour=3) as one, worker(settings, failures_per_hour=3) as two:
        for _ in range(5):
            assert (await at(one, HOME).post("/api/v1/trace", json={"code": given.code})).status_code == 200
        codes = [f"{number:016d}" for number in range(3)]
        for app, code in zip((one, two, one), codes, strict=True):
            name = ("trace", "receipt", "dossier")[int(code)]
            assert (await at(app, HOME).post(f"/api/v1/{name}", json={"code": code})).status_code == 404
        for app in (one, two):
            for name in ("trace", "receipt", "dossier"):
                assert is_refused(await at(app, HOME).post(f"/api/v1/{name}", json={"code": given.code}))
            for path in ("/trace", "/dossier"):
                assert is_refused(await at(app, HOME).post(path, data={"code": given.code}))
        assert (await at(two, OTHER).post("/api/v1/trace", json={"code": given.code})).status_code == 200


async def test_a_code_that_fails_is_limited_wherever_it_is_tried(branch: Branch, settings: Settings) -> None:
    async with worker(settings, failures_per_code=2) as one, worker(settings, failures_per_code=2) as two:
        tried = [
            await at(app, address).post("/api/v1/trace", json={"code": WRONG})
            for app, address in ((one, HOME), (two, OTHER), (one, "198.51.100.1"))
        ]
        assert [each.status_code for each in tried] == [404, 404, 429]
        assert (await at(one, HOME).post("/api/v1/trace", json={"code": WRONG[:-1] + "1"})).status_code == 404


async def test_a_code_written_otherwise_is_the_same_code(branch: Branch, settings: Settings) -> None:
    async with worker(settings, failures_per_code=2) as app:
        spellings = (WRONG, " ".join(WRONG.replace("-", "")), "oOoO-" + "\uff10" * 12, f"{WRONG.replace('-', '')} ")
        tried = [
            await at(app, f"198.51.100.{i}").post("/api/v1/trace", json={"code": code})
            for i, code in enumerate(spellings)
        ]
        assert [each.status_code for each in tried] == [404, 404, 429, 429]


async def test_check_codes_of_one_fiscal_receipt_are_not_tried_from_many_addresses(
    branch: Branch, settings: Settings
) -> None:
    """Series and number are sequential: what is left to guess is the check code."""
    gift = await branch.gift(50_000)
    await branch.issue(gift.seq, 50_000, NUMBERS)
    path = "/api/v1/trace/fiscal"
    async with worker(settings, failures_per_code=3) as app:
        said = {"code": NUMBERS.code, "number": NUMBERS.number, "amount_fen": 50_000}
        spelled = [said, {**said, "number": f" {said['number']}"}, {**said, "code": f"{said['code']} "}, said]
        tried = [
            await at(app, f"198.51.100.{i}").post(path, json={**each, "check_code": f"{i:06d}"})
            for i, each in enumerate(spelled)
        ]
        assert [each.status_code for each in tried] == [404, 404, 404, 429]
        right = {**said, "check_code": NUMBERS.check_code}
        assert is_refused(await at(app, OTHER).post(path, json=right)), "it rests for an hour, whoever asks"
        assert (await at(app, OTHER).post(path, json={**right, "number": "0000000000"})).status_code == 404


async def test_a_fiscal_receipt_is_limited_as_a_code_is(branch: Branch, settings: Settings) -> None:
    gift = await branch.gift(50_000)
    await branch.issue(gift.seq, 50_000, NUMBERS)
    said = {"code": NUMBERS.code, "number": NUMBERS.number, "check_code": NUMBERS.check_code}
    path, form = "/api/v1/trace/fiscal", "/trace/fiscal"
    async with worker(settings, failures_per_hour=3, failures_per_code=2) as app:
        for _ in range(4):
            assert (await at(app, HOME).post(path, json={**said, "amount_fen": 50_000})).status_code == 200
        answers = [
            await at(app, OTHER).post(path, json={**said, "amount_fen": 1}),
            await at(app, OTHER).post(form, data={**said, "amount": "0.01"}),
            await at(app, HOME).post(path, json={**said, "amount_fen": 1}),
            await at(app, HOME).post(path, json={**said, "amount_fen": 50_000}),
            await at(app, OTHER).post(form, data={**said, "amount": "500"}),
            await at(app, OTHER).post(path, json={**said, "number": "1", "amount_fen": 2}),
            await at(app, OTHER).post(form, data={**said, "number": "2", "amount": "500"}),
        ]
    assert [each.status_code for each in answers] == [404, 404, 429, 429, 429, 404, 429]


async def test_a_count_begins_anew_when_its_time_is_over_and_leaves_nothing_behind(
    branch: Branch, settings: Settings
) -> None:
    async with worker(settings, requests_per_minute=1) as app, acting_as_superuser(settings) as superuser:
        for address in (HOME, OTHER):
            assert not is_refused(await at(app, address).get("/api/v1/funds"))
        assert is_refused(await at(app, HOME).get("/api/v1/funds"))
        kept = await superuser.fetch("select visitor::text as visitor from visit")
        assert len(kept) == 2
        assert not any(HOME.encode().hex() in row["visitor"] or HOME in row["visitor"] for row in kept)
        await superuser.execute("update visit set ends = now() - interval '1 second'")
        assert not is_refused(await at(app, HOME).get("/api/v1/funds"))
        assert await superuser.fetchval("select count(*) from visit") == 1, "the other one's is gone"


async def test_the_reader_reaches_the_counts_through_the_function_only(branch: Branch, settings: Settings) -> None:
    import asyncpg

    async with acting_as("reader", settings) as reader:
        for statement in ("select * from visit", "delete from visit", "insert into visit values ('', now(), 1)"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await reader.execute(statement)
        await reader.execute("create temp table mine (visitor bytea, ends timestamptz, visits bigint)")
        await reader.execute("alter table mine rename to visit")
        assert await reader.fetchval("select visits from count_visits('{a}', '{3}', '{60}')") == 3
        assert await reader.fetchval("select count(*) from pg_temp.visit") == 0, "another table of the same name"


async def test_nobody_is_turned_away_because_the_counts_are_out_of_reach(branch: Branch, settings: Settings) -> None:
    assert settings.database_url is not None
    database = setup.database(settings, settings.database_url, "reader")
    nowhere = Database("postgresql:///none?host=/nowhere", "none", user="nobody", password="")
    lookup = LookupKeys.read(settings.lookup)
    rates = Rates(requests_per_minute=1, failures_per_hour=1)
    app = build(Resources(database=database, lookup=lookup, visits=Visits(nowhere, lookup), rates=rates))
    for _ in range(3):
        assert (await at(app, HOME).get("/api/v1/funds")).status_code == 200
        assert (await at(app, HOME).post("/api/v1/trace", json={"code": WRONG})).status_code == 404
    await database.close()
    await nowhere.close()


@pytest.mark.parametrize(
    ("peer", "forwarded", "who"),
    [
        (HOME, "", HOME),
        (HOME, "1.2.3.4", HOME),
        (PROXY, "1.2.3.4", "1.2.3.4"),
        (PROXY, f"9.9.9.9, {HOME}", HOME),
        (PROXY, f"9.9.9.9, {HOME}, 10.2.3.4", HOME),
        (PROXY, "", PROXY),
        (PROXY, "10.9.9.9", "10.9.9.9"),
        (f"::ffff:{PROXY}", HOME, HOME),
        (PROXY, "unknown", "unknown"),
        (PROXY, f"9.9.9.9, {HOME}:5678", HOME),
        (PROXY, f"{HOME}:5678, 10.2.3.4:80", HOME),
        (PROXY, "[2001:db8:1:2::9]:80", "2001:db8:1:2::/64"),
        (PROXY, "[2001:db8:1:2::9]", "2001:db8:1:2::/64"),
        (PROXY, f"[::ffff:{HOME}]:443", HOME),
        (PROXY, "[::1]:http", "[::1]:http"),
        ("2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "", "2001:db8:1:2::/64"),
        (f"::ffff:{HOME}", "", HOME),
        ("", "", ""),
    ],
)
def test_who_asks_is_the_last_address_that_is_no_proxy_of_ours(peer: str, forwarded: str, who: str) -> None:
    assert visitor(peer, forwarded, PROXIES) == who


def test_a_proxy_that_is_no_address_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="trusted_proxies"):
        Settings(trusted_proxies="10.0.0.0/8, example.org")
    assert Settings(trusted_proxies="10.0.0.0/8, ::1").proxies == (*PROXIES, ip_network("::1"))
