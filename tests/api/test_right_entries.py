"""Right entries, over HTTP, on a real database: the wrong one stays, the code opens both, everybody sees why."""

import base64
import re
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest

from api.public.app import Resources, build
from ledger import privacy
from ledger.settings import Settings
from ledger.store import setup
from ledger.store.audit import tables
from ledger.store.keys import LookupKeys
from ledger.store.queries.figures import read_tally
from ledger.verify.finding import Findings
from ledger.verify.rule import Rule
from tests.support.box import open_box
from tests.support.checklog import check_log
from tests.support.figures import read_figures
from tests.support.office import CITY, Office, gift, opened
from tests.support.visitor import visitor

DAY = "2026-07-01"
CORRECTION = {"org": CITY, "on": DAY, "reason": "金额录入有误", "statement": "原记录多记一位，现予更正。"}


@pytest.fixture
async def office(told: Settings) -> AsyncGenerator[Office]:
    async with opened(told) as office:
        for path, body in (
            ("funds", {"org": CITY, "fund": "pooled", "name": "pooled"}),
            ("projects", {"org": CITY, "project": "beds", "name": "病床"}),
        ):
            answer = await office.post(path, body, who="administrator")
            assert answer.status_code == 201, answer.text
        yield office


@pytest.fixture
async def public(told: Settings, office: Office) -> AsyncGenerator[httpx.AsyncClient]:
    """The public application beside the office, with the reader's password."""
    assert told.database_url is not None
    database = setup.database(told, told.database_url, "reader")
    async with visitor(build(Resources(database=database, lookup=LookupKeys.read(told.lookup)))) as http:
        yield http
    await database.close()


async def agreed(office: Office, path: str, body: object) -> dict[str, Any]:
    """Have something entered, by two people where that is needed; the answer."""
    answer = await office.post(path, body)
    if answer.status_code == 202:
        answer = await office.post(f"proposals/{answer.json()['proposal']}/approval", who="checker")
    assert answer.status_code == 201, answer.text
    entered: dict[str, Any] = answer.json()
    return entered


async def seq_of(office: Office, path: str, body: object) -> int:
    seq: int = (await agreed(office, path, body))["entries"][-1]["seq"]
    return seq


async def partly_paid(office: Office) -> tuple[int, str]:
    """A gift of a hundred yuan, twenty of which were paid before anybody saw that it should have been fifty."""
    given = await agreed(office, "gifts", gift(fund="pooled", donor={"name": "王某"}))
    await agreed(
        office, "allocations", {"org": CITY, "fund": "pooled", "project": "beds", "amount_fen": 3_000, "on": DAY}
    )
    paid = {"org": CITY, "project": "beds", "amount_fen": 2_000, "spending": "purchase", "on": DAY}
    await agreed(office, "disbursements", {**paid, "payee": "医疗器械公司", "purpose": "病床"})
    return given["entries"][-1]["seq"], given["receipt_code"]


async def test_a_gift_entered_wrongly_is_entered_right_and_its_code_opens_both(
    office: Office, public: httpx.AsyncClient, told: Settings
) -> None:
    wrong, code = await partly_paid(office)
    asked = {"org": CITY, "corrects": wrong, "fund": "pooled", "amount_fen": 5_000, "on": DAY}
    early = await office.post("right-gifts", asked)
    assert (early.status_code, early.json()["type"]) == (400, "/problems/invalid-value")
    back = await seq_of(office, "reversals", {**CORRECTION, "ref": wrong})
    right = await office.post("right-gifts", asked, key="right")
    assert (right.status_code, right.json()["receipt_code"]) == (201, code)
    seq = right.json()["entries"][-1]["seq"]
    assert (await office.post("right-gifts", asked, key="right")).json()["receipt_code"] == code
    again = await office.post("right-gifts", asked)
    assert (again.json()["type"], again.json()["righted_by"]) == ("/problems/already-recorded", seq)

    found = (await public.post("/api/v1/trace", json={"code": code})).json()
    assert (found["gift"]["seq"], found["gift"]["amount_fen"], found["gift"]["right_fen"]) == (seq, 3_000, 5_000)
    (before,) = found["corrections"]
    assert (before["gift"]["seq"], before["reversal"]["seq"]) == (wrong, back)
    assert before["reversal"]["text"] == CORRECTION["statement"]
    assert {state: fen for state, fen in before["states"].items() if fen} == {"unconfirmed": 2_000, "voided": 8_000}
    old = (await public.post("/api/v1/trace", json={"code": code, "seq": wrong})).json()
    assert (old["gift"]["seq"], old["corrected_by"], old["corrections"]) == (wrong, seq, [])
    assert (await public.post("/api/v1/trace", json={"code": code, "seq": back})).status_code == 404

    (listed,) = [each for each in (await public.get("/api/v1/corrections")).json()["items"] if each["ref"] == wrong]
    assert (listed["seq"], listed["righted_by"], listed["right_fen"]) == (back, seq, 5_000)
    await check_log(told, decided_again=True)


async def test_a_correction_of_a_correction_is_told_so_that_the_sums_agree(
    office: Office, public: httpx.AsyncClient, told: Settings
) -> None:
    wrong, code = await partly_paid(office)
    chain = [wrong]
    for fen in (5_000, 6_000):
        await agreed(office, "reversals", {**CORRECTION, "ref": chain[-1]})
        asked = {"org": CITY, "corrects": chain[-1], "fund": "pooled", "amount_fen": fen, "on": DAY}
        chain.append(await seq_of(office, "right-gifts", asked))
    found = (await public.post("/api/v1/trace", json={"code": code})).json()
    assert (found["gift"]["seq"], found["gift"]["amount_fen"], found["gift"]["right_fen"]) == (chain[-1], 4_000, 6_000)
    assert [each["gift"]["seq"] for each in found["corrections"]] == [chain[1], wrong]
    moved = sum(each["gift"]["amount_fen"] - each["states"]["voided"] for each in found["corrections"])
    assert found["gift"]["amount_fen"] + moved == found["gift"]["right_fen"]
    assert "¥60.00" in (await office.get(f"gifts/{chain[-1]}/slip")).text
    async with office.resources.database.snapshot() as connection:
        pooled = (await read_tally(connection, [CITY])).fund(CITY, "pooled")
    assert (pooled.received_fen - pooled.voided_fen, pooled.held_fen) == (6_000, 4_000)
    await check_log(told, decided_again=True)


async def test_the_page_shows_the_old_entry_struck_out_the_new_one_and_why(
    office: Office, public: httpx.AsyncClient
) -> None:
    wrong, code = await partly_paid(office)
    await agreed(office, "reversals", {**CORRECTION, "ref": wrong})
    alone = (await public.post("/trace", data={"code": code})).text
    assert "登记有误" in alone
    asked = {"org": CITY, "corrects": wrong, "fund": "pooled", "amount_fen": 5_000, "on": DAY}
    right = await seq_of(office, "right-gifts", asked)
    page = (await public.post("/trace", data={"code": code})).text
    assert re.search(r"<s>¥100\.00，2026-07-01 捐给「pooled」</s>", page)
    assert f"更正说明：{CORRECTION['statement']}" in page
    assert "其中 ¥20.00 已随原记录用出或转走" in page
    old = (await public.post("/trace", data={"code": code, "seq": str(wrong)})).text
    assert re.search(rf'由<a [^>]*href="/entries/{right}">第 {right} 条</a>更正', old)
    plain = privacy.parse_code(code)
    assert plain is not None
    for seq, html, amount_fen in ((right, page, 5_000), (wrong, old, 10_000)):
        shown = re.search(r'data-seq="(\d+)".*? data-box="([^"]+)"', html)
        assert shown is not None
        box = open_box(plain, base64.b64decode(shown[2]))
        assert int(shown[1]) == seq
        assert box is not None, "each entry has its own box, and the one code opens both"
        assert (box.channel.amount_fen, box.channel.channel_ref) == (amount_fen, "20260701000001")


async def test_a_gift_found_in_suspense_is_entered_right_under_the_same_code(
    office: Office, public: httpx.AsyncClient, told: Settings
) -> None:
    came = {"org": CITY, "amount_fen": 9_000, "channel": "bank", "channel_ref": "20260701000077", "on": DAY}
    waiting = await seq_of(office, "unidentified", came)
    found = {**came, "ref": waiting, "fund": "pooled", "donor": {"name": "李某"}}
    wrong = await agreed(office, "identifications", {**found, "amount_fen": 6_000})
    ref = wrong["entries"][-1]["seq"]
    await agreed(office, "reversals", {**CORRECTION, "ref": ref})
    assert (await office.get(f"suspense?org={CITY}")).json()["total_fen"] == 9_000
    asked = {"org": CITY, "corrects": ref, "fund": "general", "amount_fen": 7_000, "on": DAY}
    right = await agreed(office, "right-gifts", asked)
    assert right["receipt_code"] == wrong["receipt_code"]
    assert (await office.get(f"suspense?org={CITY}")).json()["total_fen"] == 2_000
    traced = (await public.post("/api/v1/trace", json={"code": right["receipt_code"]})).json()
    (before,) = traced["corrections"]
    assert {state: fen for state, fen in traced["states"].items() if fen} == {"held": 7_000}
    assert {state: fen for state, fen in before["states"].items() if fen} == {"voided": 6_000}, "it rests in suspense"
    assert before["gift"]["seq"] == ref
    await check_log(told, decided_again=True)


async def test_what_never_came_may_come_again_and_a_fee_is_taken_back_with_its_gift(
    office: Office, told: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    fund = {"org": CITY, "fund": "platform", "name": "平台", "receipt_fee_ppm": 6_000, "charges": True}
    assert (await office.post("funds", fund, who="administrator")).status_code == 201
    came = {"org": CITY, "channel": "bank", "on": DAY}
    income = {**came, "fund": "pooled", "source": "interest", "channel_ref": "interest-1", "amount_fen": 900}
    waiting = {**came, "channel_ref": "unknown-1", "amount_fen": 800}
    fee = {**came, "fund": "platform", "amount_fen": 40, "reason": "服务费"}
    async with office.resources.database.snapshot() as connection:
        before = await read_figures(connection)
    given = await seq_of(office, "gifts", gift(fund="platform"))
    for path, body in (("income", income), ("unidentified", waiting), ("fees", fee)):
        ref = await seq_of(office, path, body)
        await agreed(office, "reversals", {**CORRECTION, "ref": ref})
        await agreed(office, path, {**body, "amount_fen": 30, "corrects": ref})
    back = await agreed(office, "reversals", {**CORRECTION, "ref": given})
    async with office.resources.database.snapshot() as connection:
        figures = await read_figures(connection)
        tally = await read_tally(connection, [CITY])
    platform = tally.fund(CITY, "platform")
    assert (platform.received_fen, platform.voided_fen, platform.held_fen) == (10_000, 9_970, 0)
    assert (platform.fees_fen, figures.fees_fen - before.fees_fen) == (30, 30), "the later fee was really charged"
    assert figures.voided_fen - before.voided_fen == 9_970 + 900
    refused = await office.post("reversals", {**CORRECTION, "ref": back["entries"][-1]["seq"]})
    assert refused.json()["type"] == "/problems/invalid-value"
    await check_log(told, decided_again=True)
    monkeypatch.setattr(tables, "READ_ENTRIES", 10)
    findings = Findings()
    owner = setup.database(told, told.database_url or "", "owner", pool_size=1)
    try:
        await tables.audit(owner, findings, outside=told.data_dir / "none", published=0)
    finally:
        await owner.close()
    assert not [each for each in findings.listed if each.rule is Rule.TABLE_ROW], findings.listed


async def test_an_allocation_and_a_payment_are_entered_right(
    office: Office, public: httpx.AsyncClient, told: Settings
) -> None:
    await agreed(office, "gifts", gift(fund="pooled"))
    allocation = {"org": CITY, "fund": "pooled", "project": "beds", "amount_fen": 9_000, "on": DAY}
    allocated = await seq_of(office, "allocations", allocation)
    payment = {"org": CITY, "project": "beds", "spending": "purchase", "on": DAY, "payee": "甲公司", "purpose": "病床"}
    paid = await seq_of(office, "disbursements", {**payment, "amount_fen": 4_000})
    back = {"org": CITY, "ref": paid, "on": DAY, "reason": "采购结余", "amount_fen": 500}
    await agreed(office, "returns", back)
    for ref in (paid, allocated):
        await agreed(office, "reversals", {**CORRECTION, "ref": ref})
    again = await seq_of(office, "allocations", {**allocation, "amount_fen": 8_000, "corrects": allocated})
    right = await agreed(office, "disbursements", {**payment, "amount_fen": 3_500, "payee": "乙公司", "corrects": paid})
    entry = (await public.get(f"/api/v1/entries/{right['entries'][-1]['seq']}")).json()["entry"]
    assert (entry["body"]["corrects"], entry["body"]["right_fen"]) == (paid, 3_500)
    assert sum(posting[4] for posting in entry["postings"]) == 3_000, "what was handed back counts"
    listed = {each["ref"]: each for each in (await public.get("/api/v1/corrections")).json()["items"]}
    assert (listed[allocated]["righted_by"], listed[allocated]["right_fen"]) == (again, 8_000)
    twice = await office.post("allocations", {**allocation, "amount_fen": 8_000, "corrects": allocated})
    assert twice.json()["type"] == "/problems/already-recorded"
    await check_log(told, decided_again=True)
