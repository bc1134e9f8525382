"""Receipts over HTTP: what a donor downloads convinces a verifier that has never seen the site."""

import io
import json
import zipfile
from collections.abc import AsyncGenerator

import httpx
import pytest

from api.public import app as public
from ledger import entries
from ledger.log.policy import Policy
from ledger.receipt.dossier import decode_dossier
from ledger.receipt.reading import read_receipts
from ledger.settings import Settings
from ledger.store import setup
from ledger.store.keys import LookupKeys
from ledger.verify.receipts import verify_receipts
from tests.support.box import open_box
from tests.support.office import CITY, Office, gift, opened
from tests.support.signing import signing
from tests.support.visitor import visitor as visiting

WAIT = {"Prefer": "wait=9"}


@pytest.fixture
async def office(told: Settings) -> AsyncGenerator[Office]:
    async with opened(signing(told)) as office:
        await office.post("gifts", gift(channel_ref="the last of the story"), headers=WAIT)
        yield office


@pytest.fixture
async def visitor(office: Office, told: Settings) -> AsyncGenerator[httpx.AsyncClient]:
    assert told.database_url is not None
    database = setup.database(told, told.database_url, "reader", pool_size=4)
    app = public.build(public.Resources(database=database, lookup=LookupKeys.read(told.lookup)))
    async with visiting(app) as client:
        yield client
    await database.close()


@pytest.fixture
async def policy(visitor: httpx.AsyncClient) -> Policy:
    return Policy.parse((await visitor.get("/log/policy")).text)


@pytest.fixture
async def code(office: Office) -> str:
    """Of a gift of the story that was paid and confirmed in part."""
    return [*office.codes.values()][1]


async def test_a_receipt_file_by_number_and_by_code_is_the_same_and_convinces(
    visitor: httpx.AsyncClient, policy: Policy, code: str
) -> None:
    by_code = await visitor.post("/api/v1/receipt", json={"code": code})
    (receipt,) = read_receipts(by_code.content)
    seq = receipt.proof.index
    by_number = await visitor.get(f"/api/v1/entries/{seq}/receipt")
    assert by_number.content == by_code.content
    assert receipt.entry == (await visitor.get(f"/api/v1/entries/{seq}/bytes")).content
    receipt.verify(policy)
    assert verify_receipts([by_code.content], policy).exit_code == 0
    assert by_code.headers["cache-control"] == "no-store"
    for answer in (by_code, by_number):
        assert answer.headers["content-disposition"] == f'attachment; filename="entry-{seq}.tlog-proof"'
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert by_number.headers["access-control-allow-origin"] == "*"


async def test_the_compact_receipt_is_the_same_receipt(visitor: httpx.AsyncClient, policy: Policy) -> None:
    for seq in (0, 30, 47):
        compact = await visitor.get(f"/api/v1/entries/{seq}/receipt/compact")
        file = await visitor.get(f"/api/v1/entries/{seq}/receipt")
        assert compact.headers["content-type"] == "application/octet-stream"
        assert read_receipts(compact.content) == read_receipts(file.content)
        assert len(compact.content) < 1_700
        assert verify_receipts([compact.content], policy).exit_code == 0


async def test_what_is_not_published_has_no_receipt_yet(visitor: httpx.AsyncClient) -> None:
    for path in ("receipt", "receipt/compact"):
        answer = await visitor.get(f"/api/v1/entries/999999/{path}")
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-published")


async def test_a_log_without_a_key_has_no_receipts(told: Settings) -> None:
    assert told.database_url is not None
    async with opened(told) as office:
        database = setup.database(told, told.database_url, "reader", pool_size=2)
        async with visiting(
            public.build(public.Resources(database=database, lookup=LookupKeys.read(told.lookup)))
        ) as http:
            code = next(iter(office.codes.values()))
            page = await http.post("/dossier", data={"code": code})
            assert (page.status_code, "还没有签名公布" in page.text) == (404, True)
            assert 'id="ver" data-unsigned' in (await http.post("/trace", data={"code": code})).text
            for path in ("receipt", "dossier"):
                answer = await http.post(f"/api/v1/{path}", json={"code": code})
                assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-published")
        await database.close()


async def test_no_code_and_a_wrong_code_are_answered_alike(visitor: httpx.AsyncClient) -> None:
    for path in ("receipt", "dossier"):
        answers = [await visitor.post(f"/api/v1/{path}", json={"code": code}) for code in ("", "0123-4567-89AB-CDE4")]
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.content for answer in answers}) == 1
        assert answers[0].json()["type"] == "/problems/receipt-not-found"


# --- dossier ---


async def dossier_of(visitor: httpx.AsyncClient, code: str) -> bytes:
    answer = await visitor.post("/api/v1/dossier", json={"code": code})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["cache-control"] == "no-store"
    assert code.replace("-", "") not in answer.headers["content-disposition"].replace("-", "")
    return answer.content


async def test_a_dossier_holds_every_entry_of_the_trace_each_proven(
    visitor: httpx.AsyncClient, policy: Policy, code: str
) -> None:
    data = await dossier_of(visitor, code)
    trace = (await visitor.post("/api/v1/trace", json={"code": code})).json()
    receipts = decode_dossier(data)
    assert {each.proof.index for each in receipts} == {step["seq"] for step in trace["steps"]}
    assert len({each.proof.checkpoint for each in receipts}) == 1
    for each in receipts:
        each.verify(policy)
    assert verify_receipts([data], policy).exit_code == 0


async def test_its_summary_says_what_the_page_says(visitor: httpx.AsyncClient, code: str) -> None:
    with zipfile.ZipFile(io.BytesIO(await dossier_of(visitor, code))) as archive:
        summary = archive.read("summary.txt").decode()
    assert summary.startswith("您的 3,000 元，已有 1,399 元拨付使用\n")
    assert "¥1,399.00 + ¥1,000.00 + ¥601.00 = ¥3,000.00" in summary


async def test_its_box_opens_with_the_code_and_opens_the_donor_commitment(
    visitor: httpx.AsyncClient, code: str
) -> None:
    with zipfile.ZipFile(io.BytesIO(await dossier_of(visitor, code))) as archive:
        box = open_box(code.replace("-", ""), archive.read("box.bin"))
    assert box is not None
    assert box.channel.amount_fen == 300_000


async def test_for_one_checkpoint_its_bytes_are_the_same_whatever_is_written_meanwhile(
    visitor: httpx.AsyncClient, office: Office, told: Settings, code: str
) -> None:
    before = await dossier_of(visitor, code)
    told.outside_checkpoint.write_text("nothing is published from here on")
    body = {"org": CITY, "fund": "flood", "project": "flood-aid", "amount_fen": 10_000, "on": "2026-07-02"}
    moved = await office.post("allocations", body)
    assert moved.status_code == 201
    paid = {**body, "spending": "aid", "payee": "persons", "purpose": "x", "region": "330800", "beneficiaries": "9"}
    del paid["fund"]
    proposal = (await office.post("disbursements", paid)).json()["proposal"]
    assert (await office.post(f"proposals/{proposal}/approval", who="checker")).status_code == 201
    trace = (await visitor.post("/api/v1/trace", json={"code": code})).json()
    assert max(step["seq"] for step in trace["steps"]) > proposal, "the trace of now goes on"
    assert await dossier_of(visitor, code) == before


async def test_the_pages_form_downloads_the_same_dossier(visitor: httpx.AsyncClient, code: str) -> None:
    page = await visitor.post("/trace", data={"code": code.lower()})
    assert f'<input type="hidden" name="code" value="{code}">' in page.text
    answer = await visitor.post("/dossier", data={"code": code})
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content == await dossier_of(visitor, code)
    nothing = await visitor.post("/dossier", data={"code": "?"})
    assert (nothing.status_code, "没有查到这个编号" in nothing.text) == (404, True)


async def test_a_renamed_organisation_waits_for_the_checkpoint(
    visitor: httpx.AsyncClient, office: Office, told: Settings, code: str
) -> None:
    """Otherwise one checkpoint would have two dossiers."""
    told.outside_checkpoint.write_text("nothing is published from here on")
    async with office.resources.database.raw() as connection:
        written = await connection.fetchval("select bytes from entry where kind = 'org.registered' and org = $1", CITY)
    body = entries.decode(written).body
    assert isinstance(body, entries.OrganisationRegistered)
    change = {name: getattr(body, name) for name in ("level", "parent", "division", "uscc")}
    answer = await office.post(f"organisations/{CITY}/changes", {**change, "name": "改名红十字会"}, who="administrator")
    assert answer.status_code == 201, answer.text
    answer = await visitor.post("/api/v1/dossier", json={"code": code})
    assert (answer.status_code, json.loads(answer.content)["type"]) == (404, "/problems/not-published")
