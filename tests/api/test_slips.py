"""The receipt slip: printed and printed again, on record, for those who may, and never of what was erased."""

import re
from collections.abc import AsyncGenerator

import httpx
import pytest

from ledger.settings import Settings
from tests.support import office
from tests.support.donor import CONTACT, NAME, REFERENCE, erase, give, readers
from tests.support.office import CITY, Office, gift
from tests.support.qr import drawings

SITE = "https://ledger.example"


@pytest.fixture
async def desk(told: Settings) -> AsyncGenerator[Office]:
    async with office.opened(told.model_copy(update={"site_url": SITE})) as opened:
        yield opened


async def slip(desk: Office, ref: int, *, who: str = "maker", paper: str = "") -> httpx.Response:
    return await desk.get(f"gifts/{ref}/slip{f'?paper={paper}' if paper else ''}", who=who)


def words(page: httpx.Response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page.text.partition("<body>")[2])).strip()


async def test_it_shows_code_amount_day_and_fund_and_its_code_leads_to_the_gift(desk: Office, told: Settings) -> None:
    ref, code = await give(desk)
    page = await slip(desk, ref)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["cache-control"] == "no-store"
    for said in (code, "¥100.00 人民币壹佰元整", "2026-07-01", "非定向捐款", f"第 {ref} 条", SITE, "衢州市红十字会"):
        assert said in words(page)
    for private in (NAME, CONTACT, REFERENCE):
        assert private not in page.text
    (drawn,) = drawings(page.text)
    assert drawn.content.decode() == f"{SITE}/r#{code}"
    assert drawn.module_mm >= 0.4
    async with readers(told) as http:
        found = await http.post("/api/v1/trace", json={"code": drawn.content.decode().partition("#")[2]})
    assert found.json()["gift"]["seq"] == ref


async def test_it_is_printed_again_the_same_and_each_time_it_is_on_record_who_did(desk: Office) -> None:
    ref, _ = await give(desk)
    first, again = await slip(desk, ref), await slip(desk, ref)
    assert first.text == again.text
    read = (await desk.get(f"gifts/{ref}/accesses")).json()
    me = (await desk.get("whoami")).json()["staff"]
    assert [(each["staff"], each["reason"]) for each in read] == [(me, "receipts")] * 2


@pytest.mark.parametrize(("paper", "size"), [("a5", "A5 portrait"), ("80mm", "80mm 150mm")])
async def test_it_is_a_page_for_itself_on_the_paper_that_was_asked_for(desk: Office, paper: str, size: str) -> None:
    ref, _ = await give(desk)
    page = await slip(desk, ref, paper=paper)
    assert f"size: {size};" in page.text
    assert not re.search(r'\b(?:href|src|action)="', page.text)
    assert "style=" not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")


async def test_a_paper_nobody_sells_is_refused_and_the_vault_not_read_for_it(desk: Office) -> None:
    ref, _ = await give(desk)
    answer = await slip(desk, ref, paper="a4")
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/invalid-request")
    assert answer.json()["errors"][0]["field"] == "paper"
    assert (await desk.get(f"gifts/{ref}/accesses")).json() == []


async def test_who_neither_records_gifts_nor_sees_codes_prints_none_and_leaves_no_record(desk: Office) -> None:
    ref, _ = await give(desk)
    refused = await slip(desk, ref, who="checker")
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/role-required")
    assert (await slip(desk, ref, who="administrator")).status_code == 200
    assert len((await desk.get(f"gifts/{ref}/accesses")).json()) == 1
    unknown = await desk.http.get(f"/api/v1/gifts/{ref}/slip")
    assert (unknown.status_code, unknown.json()["type"]) == (401, "/problems/unauthorised")


async def test_a_donor_whose_data_were_erased_has_no_slip(desk: Office) -> None:
    ref, code = await give(desk)
    await erase(desk, ref)
    gone = await slip(desk, ref)
    assert (gone.status_code, gone.json()["type"]) == (410, "/problems/erased")
    assert code not in gone.text


async def test_what_is_no_gift_has_no_slip_and_what_was_taken_back_has_that_of_the_right_entry(desk: Office) -> None:
    nothing = await slip(desk, 0)
    assert (nothing.status_code, nothing.json()["type"]) == (404, "/problems/not-found")
    answer = (await desk.post("gifts", gift(amount_fen=90_000))).json()
    wrong, code = answer["entries"][0]["seq"], answer["receipt_code"]
    asked = {"org": CITY, "ref": wrong, "on": "2026-07-01", "reason": "录入有误", "statement": "多写了一个零。"}
    made = (await desk.post("reversals", asked)).json()["proposal"]
    await desk.post(f"proposals/{made}/approval", who="checker")
    refused = await slip(desk, wrong)
    assert (refused.status_code, refused.json()["type"]) == (404, "/problems/not-found")
    assert "已经撤销" in refused.json()["detail"]
    right = {"org": CITY, "corrects": wrong, "fund": "general", "amount_fen": 9_000, "on": "2026-07-01"}
    seq = (await desk.post("right-gifts", right)).json()["entries"][-1]["seq"]
    page = await slip(desk, seq)
    assert code in words(page)
    assert "¥90.00 人民币玖拾元整" in words(page)


async def test_it_stands_in_the_reference(desk: Office) -> None:
    document = (await desk.http.get("/schema/openapi.json")).json()
    said = document["paths"]["/api/v1/gifts/{ref}/slip"]["get"]
    assert "text/html" in said["responses"]["200"]["content"]
    assert {"401", "403", "404", "410"} <= said["responses"].keys()
    assert "打印收据小票" in (await desk.http.get("/docs")).text
