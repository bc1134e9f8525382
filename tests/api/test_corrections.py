"""Refunds and other purposes, over HTTP, on a real database: several accounts and organisations at once."""

from collections.abc import AsyncGenerator

import pytest

from ledger import demo
from ledger.settings import Settings
from ledger.store.queries.corrections import read_corrections
from ledger.store.queries.figures import read_tally
from ledger.store.queries.gifts import Traces
from ledger.store.queries.sources import read_sources
from ledger.trace import State
from public_site import messages
from tests.support.checklog import check_log
from tests.support.figures import read_figures
from tests.support.office import CITY, Office, gift, opened

COUNTY = demo.COUNTY
DAY = "2026-07-01"
CONSENT = "a" * 64


@pytest.fixture
async def office(told: Settings) -> AsyncGenerator[Office]:
    async with opened(told) as office:
        for org, fund in ((CITY, "pooled"), (CITY, "other"), (COUNTY, "narrow")):
            answer = await office.post("funds", {"org": org, "fund": fund, "name": fund}, who="administrator")
            assert answer.status_code == 201, answer.text
        yield office


async def seq_of(office: Office, path: str, body: object) -> int:
    answer = await office.post(path, body)
    if answer.status_code == 202:
        answer = await office.post(f"proposals/{answer.json()['proposal']}/approval", who="checker")
    assert answer.status_code == 201, answer.text
    seq: int = answer.json()["entries"][-1]["seq"]
    return seq


async def spread(office: Office) -> int:
    """A gift of a hundred yuan: thirty with the county, twenty in transit, fifty in the city's fund."""
    given = await seq_of(office, "gifts", gift(fund="pooled"))
    for amount_fen in (3_000, 2_000):
        sent = {"org": CITY, "fund": "pooled", "to": COUNTY, "amount_fen": amount_fen, "on": DAY}
        transfer = await seq_of(office, "transfers", sent)
        if amount_fen == 3_000:
            await seq_of(office, "transfer-arrivals", {"org": COUNTY, "ref": transfer, "fund": "narrow", "on": DAY})
    return given


async def test_a_gift_is_refunded_out_of_two_organisations_at_once(office: Office, told: Settings) -> None:
    given = await spread(office)
    standing = (await office.get(f"gifts/{given}/standing")).json()
    assert [(each["org"], each["amount_fen"]) for each in standing["unspent"]] == [(CITY, 5_000), (COUNTY, 3_000)]
    assert [each["amount_fen"] for each in standing["in_transit"]] == [2_000]
    assert (standing["elsewhere"], standing["spent"], standing["gone"]) == ([], [], [])

    asked = {"org": CITY, "ref": given, "on": DAY, "reason": "捐赠人申请", "amount_fen": 8_001}
    too_much = await office.post("refunds", asked)
    assert (too_much.status_code, too_much.json()["left"]) == (409, 8_000)
    assert [each["amount_fen"] for each in too_much.json()["in_transit"]] == [2_000]
    made = await office.post("refunds", {**asked, "amount_fen": 0})
    number = made.json()["proposal"]
    assert (await office.get(f"gifts/{given}/standing")).json()["proposals"] == [number]
    approved = await office.post(f"proposals/{number}/approval", who="checker")
    refunded = approved.json()["entries"][-1]["seq"]
    trace = (await Traces(office.resources.database).of(given)).trace
    async with office.resources.database.snapshot() as connection:
        sources = await read_sources(connection, refunded, after=-1, limit=10)
        tally = await read_tally(connection, [CITY, COUNTY])
    assert trace is not None
    assert (trace.states[State.REFUNDED], trace.states[State.IN_TRANSIT]) == (8_000, 2_000)
    assert sources is not None
    assert [(each.seq, each.amount_fen) for each in sources.items] == [(given, 8_000)]
    assert tally.organisation(COUNTY).refunded_fen == 3_000
    await check_log(told, decided_again=True)


async def test_a_gift_serves_another_purpose_once_its_donor_agreed(office: Office, told: Settings) -> None:
    wards = {"org": CITY, "fund": "wards", "name": "病房", "restriction": {"recipient": "县人民医院"}}
    assert (await office.post("funds", wards, who="administrator")).status_code == 201
    given = await seq_of(office, "gifts", gift(fund="wards"))
    async with office.resources.database.snapshot() as connection:
        before = await read_figures(connection)
    asked = {"org": CITY, "ref": given, "fund": "other", "on": DAY, "reason": "捐赠人同意改捐", "amount_fen": 4_000}
    refused = await office.post("redirections", asked)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/consent-required")
    moved = await seq_of(office, "redirections", {**asked, "consent": CONSENT})
    trace = (await Traces(office.resources.database).of(given)).trace
    async with office.resources.database.snapshot() as connection:
        figures = await read_figures(connection)
        tally = await read_tally(connection, [CITY])
    assert trace is not None
    assert messages.heading(trace.steps[0]) == "改变用途，转到「other」"
    rest = {leaf.fund.id if leaf.fund else "": leaf.amount_fen for leaf in trace.leaves}
    assert rest == {"wards": 6_000, "other": 4_000}
    assert trace.steps[0].seq == moved
    assert figures.moved_in_fen - before.moved_in_fen == figures.moved_out_fen - before.moved_out_fen == 4_000
    assert (tally.fund(CITY, "wards").moved_out_fen, tally.fund(CITY, "other").moved_in_fen) == (4_000, 4_000)
    await check_log(told, decided_again=True)


async def test_the_standing_of_what_is_no_gift_is_not_found(office: Office) -> None:
    assert (await office.get("gifts/0/standing")).status_code == 404


async def test_corrections_are_listed_for_everybody_and_totals_fall_only_beside_them(
    office: Office, told: Settings
) -> None:
    wrong = await seq_of(office, "gifts", gift(fund="pooled"))
    async with office.resources.database.snapshot() as connection:
        before = await read_figures(connection)
    asked = {"org": CITY, "ref": wrong, "on": DAY, "reason": "金额录入有误", "statement": "多记一位，现予更正。"}
    back = await seq_of(office, "reversals", asked)
    right = await seq_of(office, "gifts", gift(fund="pooled", amount_fen=1_000))
    async with office.resources.database.snapshot() as connection:
        after = await read_figures(connection)
        listed = await read_corrections(connection, before=back + 1, limit=1)
    traces = Traces(office.resources.database)
    trace, anew = (await traces.of(wrong)).trace, (await traces.of(right)).trace
    assert after.received_fen == before.received_fen + 1_000, "what was received never falls"
    assert after.voided_fen == before.voided_fen + 10_000
    assert [(each.seq, each.ref, each.of, each.left_fen, each.moved_fen) for each in listed] == [
        (back, wrong, "money.received", 10_000, 0)
    ]
    assert (listed[0].statement, len(listed[0].checkers)) == ("多记一位，现予更正。", 1)
    assert trace is not None
    assert trace.states[State.VOIDED] == 10_000
    assert messages.headline(trace) == "您的 100 元登记有误，已经更正作废"
    assert trace.steps[0].text == "多记一位，现予更正。"
    assert anew is not None
    again = await office.post("reversals", asked)
    assert again.json()["type"] == "/problems/already-recorded"
    await check_log(told, decided_again=True)


async def test_a_payment_taken_back_is_off_the_figures_of_its_project(office: Office, told: Settings) -> None:
    await seq_of(office, "gifts", gift(fund="pooled"))
    project = {"org": CITY, "project": "beds", "name": "病床"}
    assert (await office.post("projects", project, who="administrator")).status_code == 201
    allocation = {"org": CITY, "fund": "pooled", "project": "beds", "amount_fen": 10_000, "on": DAY}
    allocated = await seq_of(office, "allocations", allocation)
    payment = {"org": CITY, "project": "beds", "amount_fen": 9_000, "spending": "purchase", "on": DAY}
    paid = await seq_of(office, "disbursements", {**payment, "payee": "医疗器械公司", "purpose": "病床"})
    correction = {"org": CITY, "on": DAY, "reason": "重复付款", "statement": "重复登记，现予更正。"}
    await seq_of(office, "reversals", {**correction, "ref": paid})
    await seq_of(office, "reversals", {**correction, "ref": allocated})
    async with office.resources.database.snapshot() as connection:
        tally = await read_tally(connection, [CITY])
    figures = tally.project(CITY, "beds")
    assert (figures.total_allocated_fen, figures.allocated_fen, figures.paid_fen) == (9_000, 9_000, 0)
    assert tally.fund(CITY, "pooled").held_fen == 1_000
    await check_log(told, decided_again=True)
