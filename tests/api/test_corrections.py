"""Refunds and other purposes, over HTTP, on a real database: several accounts and organisations at once."""

from collections.abc import AsyncGenerator

import pytest

from ledger import demo
from ledger.settings import Settings
from ledger.store.queries.figures import read_figures, read_tally
from ledger.store.queries.gifts import Traces
from ledger.store.queries.sources import read_sources
from ledger.trace import State
from public_site import messages
from tests.support.checklog import check_log
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
    assert figures.moved_in_fen == figures.moved_out_fen == 4_000
    assert (tally.fund(CITY, "wards").moved_out_fen, tally.fund(CITY, "other").moved_in_fen) == (4_000, 4_000)
    await check_log(told, decided_again=True)


async def test_the_standing_of_what_is_no_gift_is_not_found(office: Office) -> None:
    assert (await office.get("gifts/0/standing")).status_code == 404
