"""Suspense and other income, over HTTP, on a real database."""

from collections.abc import AsyncGenerator

import pytest

from ledger import privacy
from ledger.settings import Settings
from ledger.store.queries.gifts import Traces
from ledger.store.queries.sources import read_sources
from ledger.trace import State
from tests.support.checklog import check_log
from tests.support.figures import read_figures
from tests.support.office import CITY, Office, opened

DAY = "2026-07-01"


@pytest.fixture
async def office(told: Settings) -> AsyncGenerator[Office]:
    async with opened(told) as office:
        yield office


def money(**more: object) -> dict[str, object]:
    return {"org": CITY, "amount_fen": 10_000, "channel": "bank", "channel_ref": "20260701000001", "on": DAY, **more}


def identification(ref: int, amount_fen: int) -> dict[str, object]:
    return {**money(amount_fen=amount_fen), "ref": ref, "fund": "general", "donor": {"name": "测试单位"}}


async def seq_of(office: Office, path: str, body: object) -> int:
    answer = await office.post(path, body)
    assert answer.status_code == 201, answer.text
    seq: int = answer.json()["entries"][-1]["seq"]
    return seq


async def test_suspense_is_listed_by_age_and_identified_over_http(office: Office, told: Settings) -> None:
    late = await seq_of(office, "unidentified", money(on="2026-07-02"))
    early = await seq_of(office, "unidentified", money(channel_ref="20260701000002"))
    listed = (await office.get(f"suspense?org={CITY}")).json()
    assert [(each["seq"], each["left_fen"]) for each in listed["items"]] == [(early, 10_000), (late, 10_000)]
    assert listed["items"][0]["age_days"] == listed["items"][1]["age_days"] + 1
    assert (listed["total_fen"], listed["next"]) == (20_000, None)
    page = (await office.get(f"suspense?org={CITY}&limit=1")).json()
    assert (await office.get(f"suspense?org={CITY}&limit=1&after={page['next']}")).json()["items"] == [
        listed["items"][1]
    ]

    answer = await office.post("identifications", identification(early, 6_000), key="once")
    again = await office.post("identifications", identification(early, 6_000), key="once")
    assert answer.status_code == 201
    assert again.content == answer.content, "the same code again"
    assert privacy.parse_code(answer.json()["receipt_code"]) is not None
    listed = (await office.get(f"suspense?org={CITY}")).json()
    assert [(each["seq"], each["left_fen"]) for each in listed["items"]] == [(early, 4_000), (late, 10_000)]

    too_much = await office.post("identifications", identification(early, 4_001))
    assert (too_much.status_code, too_much.json()["type"]) == (409, "/problems/nothing-left")
    twice = await office.post("gifts", {**money(), "fund": "general"})
    assert twice.json()["type"] == "/problems/already-recorded"
    back = await office.post("suspense-returns", {"org": CITY, "ref": early, "on": DAY, "reason": "付款人撤回"})
    assert back.status_code == 201
    await check_log(told)


async def test_an_identified_gift_is_traced_refunded_and_opened_like_any_other(office: Office) -> None:
    waits = await seq_of(office, "unidentified", money())
    gift = await seq_of(office, "identifications", identification(waits, 10_000))
    refund = {"org": CITY, "ref": gift, "on": DAY, "reason": "捐赠人申请", "amount_fen": 2_500}
    answer = await office.post("refunds", refund)
    if answer.status_code == 202:
        answer = await office.post(f"proposals/{answer.json()['proposal']}/approval", who="checker")
    refunded = answer.json()["entries"][-1]["seq"]
    trace = (await Traces(office.resources.database).of(gift)).trace
    async with office.resources.database.snapshot() as connection:
        sources = await read_sources(connection, refunded, after=-1, limit=10)
    assert trace is not None
    assert (trace.states[State.HELD], trace.states[State.REFUNDED]) == (7_500, 2_500)
    assert trace.steps[-1].kind == "money.identified"
    assert sources is not None
    assert [(each.seq, each.kind, each.amount_fen) for each in sources.items] == [(gift, "money.identified", 2_500)]


async def test_figures_keep_donations_and_other_income_apart(office: Office, told: Settings) -> None:
    async with office.resources.database.snapshot() as connection:
        before = await read_figures(connection)
    income = {**money(), "fund": "general", "source": "interest", "note": "活期利息"}
    await seq_of(office, "income", income)
    waits = await seq_of(office, "unidentified", money(channel_ref="20260701000002"))
    await seq_of(office, "identifications", identification(waits, 1_000))
    await seq_of(office, "suspense-returns", {"org": CITY, "ref": waits, "on": DAY, "reason": "付款人撤回"})
    async with office.resources.database.snapshot() as connection:
        after = await read_figures(connection)
    assert after.income_fen == before.income_fen + 10_000
    assert after.received_fen == before.received_fen + 1_000
    assert after.refunded_fen == before.refunded_fen
    assert after.gift_count == before.gift_count + 1
    repeated = await office.post("income", income)
    assert repeated.json()["type"] == "/problems/already-recorded"
    await check_log(told)
