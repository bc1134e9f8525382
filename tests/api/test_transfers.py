"""Money between organisations, over HTTP, on a real database: doors, trace, sources, figures, what is overdue."""

from collections.abc import AsyncGenerator
from datetime import date

import pytest

from ledger import demo
from ledger.settings import Settings
from ledger.store.queries.figures import read_tally
from ledger.store.queries.gifts import Traces
from ledger.store.queries.sources import read_sources
from ledger.store.queries.transit import read_transit
from ledger.trace import State, Trace
from public_site import messages
from tests.support.checklog import check_log
from tests.support.figures import read_figures
from tests.support.office import CITY, Office, gift, opened

COUNTY = demo.COUNTY
DAY = "2026-07-01"


@pytest.fixture
async def office(told: Settings) -> AsyncGenerator[Office]:
    async with opened(told) as office:
        for fund in ("pooled", "narrow"):
            answer = await office.post(
                "funds", {"org": CITY if fund == "pooled" else COUNTY, "fund": fund, "name": fund}, who="administrator"
            )
            assert answer.status_code == 201, answer.text
        yield office


async def seq_of(office: Office, path: str, body: object) -> int:
    answer = await office.post(path, body)
    assert answer.status_code == 201, answer.text
    seq: int = answer.json()["entries"][-1]["seq"]
    return seq


async def traced(office: Office, seq: int) -> Trace:
    trace = (await Traces(office.resources.database).of(seq)).trace
    assert trace is not None
    return trace


async def sent(office: Office, amount_fen: int, on: str = DAY) -> int:
    body = {"org": CITY, "fund": "pooled", "to": COUNTY, "amount_fen": amount_fen, "on": on}
    return await seq_of(office, "transfers", body)


async def test_a_donor_sees_her_gift_through_a_transfer(office: Office, told: Settings) -> None:
    first = await seq_of(office, "gifts", gift(fund="pooled"))
    other = await seq_of(office, "gifts", gift(fund="pooled", channel_ref="2"))
    transfer = await sent(office, 15_000)
    trace = await traced(office, other)
    assert (trace.states[State.IN_TRANSIT], trace.states[State.HELD]) == (5_000, 5_000)
    under_way = next(leaf for leaf in trace.leaves if leaf.state is State.IN_TRANSIT)
    assert messages.place(under_way) == "衢州市红十字会 → 开化县红十字会"
    assert messages.heading(trace.steps[0]) == "转给开化县红十字会"

    arrived = await seq_of(
        office, "transfer-arrivals", {"org": COUNTY, "ref": transfer, "fund": "narrow", "on": DAY, "amount_fen": 12_000}
    )
    back = await seq_of(
        office, "transfer-returns", {"org": CITY, "ref": transfer, "on": DAY, "reason": "多转的部分退回"}
    )
    trace = await traced(office, other)
    assert trace.states[State.HELD] == 10_000
    assert {(leaf.organisation.id, leaf.amount_fen) for leaf in trace.leaves} == {(CITY, 8_000), (COUNTY, 2_000)}
    assert [messages.heading(step) for step in trace.steps[:2]] == [
        "转给开化县红十字会的款项退回",
        "开化县红十字会收到衢州市红十字会转来的款项",
    ]
    async with office.resources.database.snapshot() as connection:
        for seq, parts in ((arrived, [10_000, 2_000]), (back, [3_000])):
            sources = await read_sources(connection, seq, after=-1, limit=10)
            assert sources is not None
            assert [each.amount_fen for each in sources.items] == parts
    assert (await traced(office, first)).states[State.HELD] == 10_000
    await check_log(told, decided_again=True)


async def test_figures_add_up_while_money_is_between_organisations(office: Office) -> None:
    async with office.resources.database.snapshot() as connection:
        before = (await read_tally(connection, [COUNTY])).organisation(COUNTY)
    await seq_of(office, "gifts", gift(fund="pooled"))
    transfer = await sent(office, 7_000)
    arrival = {"org": COUNTY, "ref": transfer, "fund": "narrow", "on": DAY, "amount_fen": 4_000}
    await seq_of(office, "transfer-arrivals", arrival)
    async with office.resources.database.snapshot() as connection:
        whole = await read_figures(connection)
        tally = await read_tally(connection, [CITY, COUNTY])
    assert whole.moved_out_fen - whole.moved_in_fen == 3_000
    assert (tally.fund(CITY, "pooled").moved_out_fen, tally.fund(CITY, "pooled").held_fen) == (7_000, 3_000)
    county = tally.organisation(COUNTY)
    assert (county.moved_in_fen - before.moved_in_fen, county.received_fen) == (4_000, before.received_fen)


async def test_transfers_nobody_received_are_listed_with_their_age(office: Office) -> None:
    await seq_of(office, "gifts", gift(fund="pooled"))
    old, new = await sent(office, 3_000), await sent(office, 2_000, on="2026-07-02")
    arrival = {"org": COUNTY, "ref": old, "fund": "narrow", "on": DAY, "amount_fen": 1_000}
    await seq_of(office, "transfer-arrivals", arrival)
    listed = (await office.get("transit")).json()
    assert [(each["seq"], each["left_fen"], each["amount_fen"]) for each in listed["items"]] == [
        (old, 2_000, 3_000),
        (new, 2_000, 2_000),
    ]
    assert listed["items"][0]["age_days"] == listed["items"][1]["age_days"] + 1
    overdue = (await office.get(f"transit?older_than_days={listed['items'][0]['age_days']}")).json()
    assert [each["seq"] for each in overdue["items"]] == [old]
    page = (await office.get("transit?limit=1")).json()
    assert [each["seq"] for each in (await office.get(f"transit?after={page['next']}")).json()["items"]] == [new]
    await seq_of(office, "transfer-arrivals", {**arrival, "amount_fen": 0})
    assert [each["seq"] for each in (await office.get("transit")).json()["items"]] == [new]


async def test_a_transfer_into_a_wider_fund_is_refused_with_advice(office: Office) -> None:
    narrow = {"org": CITY, "fund": "wards", "name": "病房", "restriction": {"recipient": "县人民医院"}}
    assert (await office.post("funds", narrow, who="administrator")).status_code == 201
    await seq_of(office, "gifts", gift(fund="wards"))
    transfer = await seq_of(
        office, "transfers", {"org": CITY, "fund": "wards", "to": COUNTY, "amount_fen": 10_000, "on": DAY}
    )
    answer = await office.post("transfer-arrivals", {"org": COUNTY, "ref": transfer, "fund": "narrow", "on": DAY})
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/restriction")


async def test_a_donor_sees_money_that_a_payee_handed_back(office: Office, told: Settings) -> None:
    given = await seq_of(office, "gifts", gift(fund="pooled"))
    project = {"org": CITY, "project": "beds", "name": "病床"}
    assert (await office.post("projects", project, who="administrator")).status_code == 201
    await seq_of(
        office, "allocations", {"org": CITY, "fund": "pooled", "project": "beds", "amount_fen": 10_000, "on": DAY}
    )
    asked = {"org": CITY, "project": "beds", "amount_fen": 9_000, "spending": "purchase", "on": DAY}
    made = await office.post("disbursements", {**asked, "payee": "医疗器械公司", "purpose": "病床"})
    approved = await office.post(f"proposals/{made.json()['proposal']}/approval", who="checker")
    spent = approved.json()["entries"][-1]["seq"]
    body = {"org": CITY, "ref": spent, "on": DAY, "reason": "少发一张", "amount_fen": 4_000}
    back = await seq_of(office, "returns", body)
    trace = await traced(office, given)
    assert (trace.states[State.UNCONFIRMED], trace.states[State.ALLOCATED]) == (5_000, 5_000)
    assert messages.heading(trace.steps[0]) == "收款方退回款项，等待重新拨付"
    async with office.resources.database.snapshot() as connection:
        sources = await read_sources(connection, back, after=-1, limit=10)
        tally = await read_tally(connection, [CITY])
    assert sources is not None
    assert [(each.seq, each.amount_fen) for each in sources.items] == [(given, 4_000)]
    assert tally.fund(CITY, "pooled").paid_fen == tally.project(CITY, "beds").paid_fen == 5_000
    too_much = await office.post("returns", {**body, "amount_fen": 5_001})
    assert (too_much.status_code, too_much.json()["type"]) == (409, "/problems/nothing-left")
    confirmation = {"org": CITY, "ref": spent, "outcome": "ok", "qty": 5_000, "on": DAY}
    refused = await office.post("confirmations", {**confirmation, "qty": 5_001})
    assert (refused.status_code, refused.json()["left"]) == (400, 5_000)
    await seq_of(office, "confirmations", confirmation)
    assert (await traced(office, given)).states[State.CONFIRMED] == 5_000, "all that did not come back"
    await check_log(told, decided_again=True)


async def test_what_was_received_by_mistake_is_on_the_list_of_transit_again(office: Office, told: Settings) -> None:
    given = await seq_of(office, "gifts", gift(fund="pooled"))
    transfer = await sent(office, 6_000)
    arrived = await seq_of(office, "transfer-arrivals", {"org": COUNTY, "ref": transfer, "fund": "narrow", "on": DAY})
    wrong = {"org": COUNTY, "ref": arrived, "on": DAY, "reason": "并非本笔", "statement": "误认到账，现予更正。"}
    made = await office.post("reversals", wrong)
    approved = await office.post(f"proposals/{made.json()['proposal']}/approval", who="checker")
    assert approved.status_code == 201, approved.text
    async with office.resources.database.raw() as connection:
        items, _ = await read_transit(connection, sent_until=date.fromisoformat(DAY), after=-1, limit=10)
    assert [(each.seq, each.amount_fen, each.left_fen) for each in items if each.seq == transfer] == [
        (transfer, 6_000, 6_000)
    ]
    assert (await traced(office, given)).states[State.IN_TRANSIT] == 6_000
    await seq_of(office, "transfer-returns", {"org": CITY, "ref": transfer, "on": DAY, "reason": "账号有误"})
    assert (await traced(office, given)).states[State.HELD] == 10_000
    await check_log(told, decided_again=True)
