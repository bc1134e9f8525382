"""All four that are printed on a fiscal receipt in, the gift's way out; and they go nowhere else."""

import io
import json
from typing import Any

import asyncpg
import httpx
import pytest

from ledger.privacy import FiscalNumbers
from ledger.settings import Settings
from ledger.store.keys import LookupKeys
from ledger.store.queries.fiscal import FiscalReceipts
from tests.support.branch import Branch
from tests.support.checklog import check_log

NUMBERS = FiscalNumbers(check_code="a1B2c3", code="33060126", number="0000012345")
SECOND = FiscalNumbers(check_code="d4e5f6", code="33060126", number="0000012346")
FORM = {"code": "33060126", "number": "0000012345", "check_code": "a1B2c3"}


def typed(numbers: FiscalNumbers = NUMBERS, amount_fen: Any = 50_000, **more: Any) -> dict[str, Any]:
    shown = {"code": numbers.code, "number": numbers.number, "check_code": numbers.check_code}
    return {**shown, "amount_fen": amount_fen, **more}


WRONG = (
    typed(SECOND),
    typed(amount_fen=50_001),
    typed(amount_fen=0),
    typed(code="33060127"),
    typed(number="0000012346"),
    typed(check_code="a1B2c4"),
    typed(check_code=""),
    typed(code="33060126\n0000012345", number=""),
    typed(code="七" * 5_000),
    typed(number="' or 1=1 --", check_code="\x00"),
)


async def look_up(http: httpx.AsyncClient, body: dict[str, Any]) -> httpx.Response:
    return await http.post("/api/v1/trace/fiscal", json=body)


async def test_a_fiscal_receipt_finds_its_gift_by_all_four_and_opens_no_more_than_the_trace(
    branch: Branch, http: httpx.AsyncClient, settings: Settings
) -> None:
    gift = await branch.gift(50_000)
    await branch.issue(gift.seq, 50_000, NUMBERS)
    await branch.allocate(40_000)
    answer = await look_up(http, typed())
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    by_code = (await http.post("/api/v1/trace", json={"code": gift.code})).json()
    assert answer.json() == by_code
    assert by_code["gift"]["fiscal"] == "issued"
    page = await http.post("/trace/fiscal", data=FORM | {"amount": "500"})
    assert page.status_code == 200
    assert "已有 400 元" in page.text
    assert "凭捐赠票据只能查看去向" in page.text
    for kept in ("data-box", "/dossier", "data-code", "trace.js"):
        assert kept not in page.text
    await check_log(settings)


async def test_a_fiscal_receipt_is_understood_as_people_type_it(branch: Branch, http: httpx.AsyncClient) -> None:
    gift = await branch.gift(123_450)
    await branch.issue(gift.seq, 123_450, NUMBERS)
    forms = (
        {"amount": "1234.5"},
        {"amount": " ¥1,234.50元 "},
        {"amount": "１２３４．５０", "number": "００００ ０１２３４５"},
        {"amount": "1234.50", "check_code": "A1b2C3", "code": "3306-0126"},
    )
    for form in forms:
        assert (await http.post("/trace/fiscal", data=FORM | form)).status_code == 200, form
    for amount in ("1234", "1234.500", "0.123450", "123450", "", "万", "1,23450"):
        assert (await http.post("/trace/fiscal", data=FORM | {"amount": amount})).status_code == 404, amount


async def test_unknown_wrong_and_voided_fiscal_receipts_get_the_same_answer(
    branch: Branch, http: httpx.AsyncClient
) -> None:
    gift = await branch.gift(50_000)
    first = await branch.issue(gift.seq, 50_000, NUMBERS)
    unknown = await look_up(http, typed(SECOND))
    await branch.void(gift.seq, first)
    await branch.issue(gift.seq, 50_000, SECOND, replaces=first)
    wrong = [each for each in WRONG if each != typed(SECOND)]
    answers = [unknown] + [await look_up(http, each) for each in (typed(), *wrong)]
    assert {answer.status_code for answer in answers} == {404}
    assert {answer.content for answer in answers} == {answers[0].content}
    assert answers[0].json()["type"] == "/problems/fiscal-receipt-not-found"
    named = [{k: v for k, v in answer.headers.items() if k != "x-request-id"} for answer in answers]
    assert all(headers == named[0] for headers in named)
    forms = [FORM | {"amount": "500"}, FORM | {"amount": "x"}, {}, FORM | {"amount": "500", "check_code": "zzzzzz"}]
    pages = [await http.post("/trace/fiscal", data=each) for each in forms]
    assert {page.status_code for page in pages} == {404}
    assert {page.content for page in pages} == {pages[0].content}
    found = await look_up(http, typed(SECOND))
    assert found.json()["gift"]["seq"] == gift.seq


async def test_unknown_wrong_and_voided_fiscal_receipts_cost_the_same_query(
    branch: Branch, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    gift = await branch.gift(50_000)
    await branch.void(gift.seq, await branch.issue(gift.seq, 50_000, NUMBERS))
    asked: list[tuple[str, int]] = []
    fetchval = asyncpg.Connection.fetchval

    async def counted(self: Any, query: str, *arguments: Any, **more: Any) -> Any:
        asked.append((query, len(arguments[0])))
        return await fetchval(self, query, *arguments, **more)

    receipts = FiscalReceipts(branch.database, LookupKeys.read(settings.lookup))
    monkeypatch.setattr(asyncpg.Connection, "fetchval", counted)
    for each in (typed(), *WRONG):
        numbers = FiscalNumbers(check_code=each["check_code"], code=each["code"], number=each["number"])
        assert await receipts.find(numbers, each["amount_fen"]) is None
    assert len(asked) == 1 + len(WRONG)
    assert len({*asked}) == 1


async def test_an_older_lookup_key_still_finds_the_receipts_of_its_time(branch: Branch, settings: Settings) -> None:
    gift = await branch.gift(50_000)
    await branch.issue(gift.seq, 50_000, NUMBERS)
    now = LookupKeys.read(settings.lookup)
    rotated = LookupKeys(now.current + 1, {**now.keys, now.current + 1: b"k" * 32})
    assert await FiscalReceipts(branch.database, rotated).find(NUMBERS, 50_000) == gift.seq
    forgotten = LookupKeys(now.current + 1, {now.current + 1: b"k" * 32})
    assert await FiscalReceipts(branch.database, forgotten).find(NUMBERS, 50_000) is None


async def test_a_body_that_is_no_fiscal_lookup_is_a_problem(http: httpx.AsyncClient) -> None:
    for body in ({}, {"code": "x"}, typed(amount_fen="50000"), typed(amount_fen=500.5), typed(amount_fen=-1),
                 typed(amount_fen=2**53), typed(more=1), typed(code=None)):  # fmt: skip
        answer = await look_up(http, body)
        assert (answer.status_code, answer.json()["type"]) == (400, "/problems/invalid-request"), body
    too_large = await http.post("/trace/fiscal", content=b"code=" + b"0" * 65_536)
    assert too_large.status_code == 413


async def test_no_number_of_a_fiscal_receipt_reaches_a_log_a_header_or_an_answer(
    branch: Branch,
    http: httpx.AsyncClient,
    without_database: httpx.AsyncClient,
    log: io.StringIO,
    capfd: pytest.CaptureFixture[str],
) -> None:
    gift = await branch.gift(50_000)
    await branch.issue(gift.seq, 50_000, NUMBERS)
    answers: list[httpx.Response] = []
    for client in (http, without_database):
        answers += [
            await look_up(client, typed()),
            await look_up(client, typed(amount_fen=1)),
            await look_up(client, typed(check_code=["a1B2c3"])),
            await client.post("/trace/fiscal", data=FORM | {"amount": "500"}),
            await client.post("/trace/fiscal", data=FORM | {"amount": "501"}),
            await client.get("/trace/fiscal/0000012345"),
            await client.get("/api/v1/trace/fiscal?number=0000012345"),
        ]
    ours = [line for line in log.getvalue().splitlines() if not json.loads(line)["event"].startswith("HTTP Request: ")]
    assert len(ours) >= len(answers)
    said = "".join(ours) + "".join(capfd.readouterr())
    for each in ("33060126", "0000012345", "a1B2c3"):
        assert each not in said
        for answer in answers:
            assert each not in answer.text
            assert each not in str(answer.headers)


async def test_a_gift_shows_what_became_of_its_fiscal_receipt(branch: Branch, http: httpx.AsyncClient) -> None:
    gift = await branch.gift(50_000)

    async def told() -> str:
        state: str = (await http.get(f"/api/v1/entries/{gift.seq}/trace")).json()["gift"]["fiscal"]
        return state

    assert await told() == "none"
    first = await branch.issue(gift.seq, 50_000, NUMBERS)
    assert await told() == "issued"
    await branch.void(gift.seq, first)
    assert await told() == "voided"
    page = await http.post("/trace", data={"code": gift.code})
    assert "已作废，尚未重开" in page.text
