"""A receipt code in, the gift's whole way out; and the code goes nowhere else."""

import asyncio
import io
import json
from random import Random  # noqa: TID251  seeded
from typing import Any

import asyncpg
import httpx
import pytest

from api import main as applications
from api.public.answers import AsOf, Shape, shown
from api.public.permalinks import encode
from api.public.trace import TracedGift, TracedLeaf, TracedStep, WrongGift
from ledger.donations import ApproveImport, CompleteImport
from ledger.privacy import ALPHABET, Identity, printed
from ledger.settings import Settings
from ledger.store import setup
from ledger.store.batch import Sequenced
from ledger.store.keys import LookupKeys
from ledger.store.queries.gifts import Traced, Traces
from ledger.store.queries.receipts import Receipts
from ledger.store.queries.trace import TooManyPieces
from ledger.store.vault import Gift
from tests.support.acting import acting_as_superuser
from tests.support.branch import CITY, FINANCE, Branch

UNKNOWN = "7K3M9XQ2F4HT8WY0"
MALFORMED = ("", "ABC", "七K3M", "U" * 16, "0" * 5_000, "😀", "' or 1=1 --", "%00\x00", "TRACE-ME-TRACE-M")


def mistyped(code: str) -> str:
    """The code with another check character."""
    return code[:-1] + ALPHABET[(ALPHABET.index(code[-1]) + 1) % 32]


async def look_up(http: httpx.AsyncClient, code: str) -> httpx.Response:
    return await http.post("/api/v1/trace", json={"code": code})


async def test_a_code_finds_its_gift_and_every_fen_of_it(branch: Branch, http: httpx.AsyncClient) -> None:
    seq, code = await branch.gift(50_000, "flood", event="flood")
    await branch.allocate(45_000, "flood", "relief")
    paid = await branch.pay(31_250, "relief", beneficiaries="12", evidence=("5" * 64,))
    await branch.confirm(paid, 31_250)
    await branch.refund(seq, 1_000)
    answer = await look_up(http, code)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    found = answer.json()
    assert found["gift"]["seq"] == seq
    assert found["gift"]["event"] == {"id": "flood", "name": "示例市 6 月洪涝灾害"}
    assert {state: fen for state, fen in found["states"].items() if fen} == {
        "confirmed": 31_250,
        "refunded": 1_000,
        "allocated": 12_750,
        "held": 5_000,
    }
    assert sum(leaf["amount_fen"] for leaf in found["leaves"]) == found["gift"]["amount_fen"] == 50_000
    assert found["leaves"][0]["evidence"] == ["5" * 64]
    assert found["as_of"]["seq"] == branch.sequencer.books.seq
    by_entry = await http.get(f"/api/v1/entries/{seq}/trace")
    assert by_entry.json() == found


async def test_what_is_sent_is_what_the_shapes_of_the_description_make_of_it(
    told: Settings,
) -> None:
    """Answers are written without pydantic, which described them: it would have written the same."""
    database = setup.database(told, str(told.database_url), "reader", pool_size=2)
    traces, seen = Traces(database), set[str]()
    async with database.raw() as connection:
        last: int = await connection.fetchval("select seq from head")
    for seq in range(last + 1):
        traced = await traces.of(seq)
        if traced.trace is None:
            continue
        pairs: tuple[tuple[type[Shape], Any], ...] = (
            (AsOf, traced.head),
            (TracedGift, traced.trace.gift),
            *((TracedLeaf, leaf) for leaf in traced.trace.leaves),
            *((TracedStep, step) for step in traced.trace.steps),
            *((WrongGift, wrong) for wrong in traced.wrong),
        )
        for shape, found in pairs:
            sent = found if shape in {TracedLeaf, TracedStep} else shown(shape, found)
            assert encode(sent) == encode(shape.model_validate(found).model_dump())
            seen.add(shape.__name__)
    await database.close()
    assert seen == {"AsOf", "TracedGift", "TracedLeaf", "TracedStep", "WrongGift"}


async def test_look_ups_never_read_a_whole_table(told: Settings) -> None:
    """After a large import the planner knows no better until somebody has counted the rows: six times as dear.

    Nor do they collect all of an account's postings, which looks cheap as long as a log is small.
    """
    async with applications.public_resources(told, str(told.database_url)) as resources:
        assert resources.by_index is not None
        for database, scans in ((resources.by_index, "off"), (resources.database, "on")):
            async with database.raw() as connection:
                assert await connection.fetchval("show enable_seqscan") == scans
                assert await connection.fetchval("show enable_bitmapscan") == scans


async def test_a_code_is_understood_as_people_type_it(branch: Branch, http: httpx.AsyncClient) -> None:
    seq, code = await branch.gift(100)
    full_width = "".join(chr(ord(symbol) + 0xFEE0) for symbol in code)
    for typed in (code.lower(), printed(code), f"  {code[:7]} {code[7:]}\u3000", "－".join(code), full_width):
        assert (await look_up(http, typed)).json()["gift"]["seq"] == seq


async def test_unknown_mistyped_and_malformed_codes_get_the_same_answer(
    branch: Branch, http: httpx.AsyncClient
) -> None:
    _, code = await branch.gift(100)
    answers = [await look_up(http, each) for each in (UNKNOWN, mistyped(code), *MALFORMED)]
    assert {answer.status_code for answer in answers} == {404}
    assert {answer.content for answer in answers} == {answers[0].content}
    assert answers[0].json()["type"] == "/problems/receipt-not-found"
    named = [{k: v for k, v in answer.headers.items() if k != "x-request-id"} for answer in answers]
    assert all(headers == named[0] for headers in named)

    pages = [await http.post("/trace", data={"code": each}) for each in (UNKNOWN, mistyped(code), *MALFORMED)]
    assert {page.status_code for page in pages} == {404}
    assert {page.content for page in pages} == {pages[0].content}


async def test_unknown_mistyped_and_malformed_codes_cost_the_same_queries(
    branch: Branch, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    receipts = Receipts(branch.database, LookupKeys.read(settings.lookup))
    fetch = asyncpg.Connection.fetch

    async def counted(self: Any, query: str, *arguments: Any, **more: Any) -> Any:
        asked.append(len(arguments[0]))
        return await fetch(self, query, *arguments, **more)

    _, code = await branch.gift(100)
    monkeypatch.setattr(asyncpg.Connection, "fetch", counted)
    for each in (UNKNOWN, mistyped(code), *MALFORMED):
        assert await receipts.find(each) == ()
    assert asked == [1] * (2 + len(MALFORMED))


async def test_a_body_that_is_no_lookup_is_a_problem(http: httpx.AsyncClient) -> None:
    for content in (
        b"", b"{", b"[]", b'{"code": 5}', b'{"code": null}', b'{"kode": "x"}', b'{"code": "x", "more": 1}',
        b'{"code": "\xff"}', b'{"code": "\\ud83d"}',
    ):  # fmt: skip
        answer = await http.post("/api/v1/trace", content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400, content
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"] == "/problems/invalid-request"


async def test_a_body_that_is_too_large_is_a_problem(http: httpx.AsyncClient) -> None:
    for path in ("/api/v1/trace", "/trace"):
        answer = await http.post(
            path, content=b'{"code": "%b"}' % (b"0" * 65_536), headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 413
        assert answer.json()["type"] == "/problems/too-large"


async def test_no_code_reaches_a_log_a_header_or_an_answer(
    branch: Branch,
    http: httpx.AsyncClient,
    without_database: httpx.AsyncClient,
    log: io.StringIO,
    capfd: pytest.CaptureFixture[str],
) -> None:
    _, code = await branch.gift(100)
    answers: list[httpx.Response] = []
    for client in (http, without_database):
        for each in (code, mistyped(code), UNKNOWN):
            answers += [
                await look_up(client, each),
                await client.post("/trace", data={"code": each}),
                await client.post("/trace", data={"code": each, each: each}),
                await client.post("/api/v1/trace", json={"code": [each]}),
                await client.post("/api/v1/receipt", json={"code": each}),
                await client.post("/api/v1/dossier", json={"code": each}),
                await client.post("/dossier", data={"code": each}),
                await client.post("/api/v1/trace", content=b'{"code": "%b\xff"}' % each.encode()),
                await client.get(f"/trace/{each}"),
                await client.get(f"/api/v1/entries/{each}"),
                await client.get(f"/r?code={each}"),
                await client.request("TRACE", "/api/v1/trace", content=each.encode()),
            ]
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    ours = [line for line in lines if not line["event"].startswith("HTTP Request: ")]  # the client's own
    assert len(ours) >= len(answers)
    said = json.dumps(ours) + "".join(capfd.readouterr())
    assert "Traceback" in said
    for each in (code, mistyped(code), UNKNOWN):
        for form in (each, each.lower(), printed(each)):
            assert form not in said
            for answer in answers:
                # Her own page alone repeats it, for her browser to check with; no cache keeps that.
                own = answer.request.url.path == "/trace" and answer.status_code == 200
                assert form not in answer.text or (own and answer.headers["cache-control"] == "no-store")
                assert form not in str(answer.headers)


async def test_lookups_in_flight_share_a_query(
    branch: Branch, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = await branch.gifts(range(1, 201))
    receipts = Receipts(branch.database, LookupKeys.read(settings.lookup))
    connections = 0
    raw = branch.database.raw

    def counted() -> Any:
        nonlocal connections
        connections += 1
        return raw()

    monkeypatch.setattr(branch.database, "raw", counted)
    found = await asyncio.gather(*(receipts.find(code) for _, code in given), *(receipts.find("?") for _ in range(50)))
    assert found == [(seq,) for seq, _ in given] + [()] * 50
    assert connections == 1


async def test_a_lookup_that_fails_tells_everybody_who_waits_and_the_next_one_works(
    branch: Branch, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    seq, code = await branch.gift(100)
    receipts = Receipts(branch.database, LookupKeys.read(settings.lookup))

    def down() -> Any:
        raise ConnectionRefusedError

    monkeypatch.setattr(branch.database, "raw", down)
    failed = await asyncio.gather(*(receipts.find(code) for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in failed] == [ConnectionRefusedError] * 3
    monkeypatch.undo()
    assert await receipts.find(code) == (seq,)


async def test_a_caller_that_goes_away_leaves_the_others_their_answers(branch: Branch, settings: Settings) -> None:
    seq, code = await branch.gift(100)
    receipts = Receipts(branch.database, LookupKeys.read(settings.lookup))
    gone, stays = (asyncio.create_task(receipts.find(code)) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays == (seq,)


async def test_without_a_database_the_answer_is_a_problem(branch: Branch, without_database: httpx.AsyncClient) -> None:
    _, code = await branch.gift(100)
    http = without_database
    for answer in (
        await look_up(http, code),
        await http.get("/api/v1/funds"),
        await http.get("/api/v1/entries/0/bytes"),
        await http.get("/readyz"),
    ):
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["retry-after"]
    page = await http.get("/", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert "系统正忙" in page.text
    assert (await http.get("/healthz")).status_code == 200


async def test_after_the_database_came_back_answers_come_back(
    branch: Branch, http: httpx.AsyncClient, settings: Settings
) -> None:
    seq, code = await branch.gift(100)
    assert (await look_up(http, code)).status_code == 200
    async with acting_as_superuser(settings) as connection:
        await connection.execute(
            """select pg_terminate_backend(pid) from pg_stat_activity
               where datname = current_database() and usename like '%reader'"""
        )
    answers = [await look_up(http, code) for _ in range(10)]
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert answers[-1].json()["gift"]["seq"] == seq


async def test_a_gift_of_an_import_says_whether_its_batch_is_complete(branch: Branch, http: httpx.AsyncClient) -> None:
    approve = ApproveImport(
        maker=FINANCE, org=CITY, fund="general", channel="bank", name="六月", profile="notice", file="5" * 64, rows=2,
        sum_fen=700, first_on=branch.today, last_on=branch.today,
    )  # fmt: skip
    batch = await branch.agree(approve)
    row = Gift(
        maker=FINANCE, org=CITY, fund="general", amount_fen=300, channel="bank", channel_ref="", on=branch.today,
        donor_class="person", identity=Identity(name="张*"), batch=batch, row=1,
    )  # fmt: skip
    entered = await branch.sequencer.submit(branch.sealer.seal(row))
    assert isinstance(entered, Sequenced)
    found = (await look_up(http, entered.code)).json()["gift"]
    assert (found["batch"], found["entering"]) == (batch, True)
    assert "同一批的捐款还在录入" in (await http.post("/trace", data={"code": entered.code})).text
    await branch.do(CompleteImport(maker=FINANCE, batch=batch))
    assert not (await look_up(http, entered.code)).json()["gift"]["entering"]
    assert "还在录入" not in (await http.post("/trace", data={"code": entered.code})).text


async def test_gifts_traced_together_are_each_traced_as_alone(branch: Branch, monkeypatch: pytest.MonkeyPatch) -> None:
    """One whose way has too many pieces, and one that is no gift, leave the others their answers."""
    (scattered, _), (whole, _), (waits, _) = await branch.gifts([300, 100, 200])
    *_, allocation = [await branch.allocate(100) for _ in range(4)]
    asked = [scattered, whole, waits, allocation, None]
    alone = [(await Traces(branch.database).of(seq)).trace for seq in asked]
    traces = Traces(branch.database)
    assert [each.trace for each in await asyncio.gather(*map(traces.of, asked))] == alone
    assert [each is None for each in alone] == [False, False, False, True, True]
    monkeypatch.setattr("ledger.store.queries.trace.MAX_PIECES", 3)
    together = await asyncio.gather(*map(traces.of, asked), return_exceptions=True)
    assert isinstance(together[0], TooManyPieces)
    assert [each.trace for each in together[1:] if isinstance(each, Traced)] == alone[1:]


async def test_gifts_traced_at_once_do_not_lose_what_the_others_forget(
    branch: Branch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two queries run at a time; what one drops from memory the other may just have counted on."""
    monkeypatch.setattr("ledger.store.queries.gifts.ENTRIES_KEPT", 9)
    monkeypatch.setattr("ledger.store.queries.gifts.MAX_SHARED", 2)
    gifts = [seq for seq, _ in await branch.gifts([100] * 12)]
    for _ in gifts:
        await branch.allocate(60)
        await branch.allocate(40)
    alone = {seq: (await Traces(branch.database).of(seq)).trace for seq in gifts}
    traces = Traces(branch.database)
    asked = Random(1).choices(gifts, k=2_000)
    assert [each.trace for each in await asyncio.gather(*map(traces.of, asked))] == [alone[seq] for seq in asked]
