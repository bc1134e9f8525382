"""Closing a fund over HTTP, on a real database."""

from collections.abc import AsyncGenerator

import pytest

from ledger.settings import Settings
from tests.support.checklog import check_log
from tests.support.office import CITY, Office, gift, opened

NEW = {"org": CITY, "fund": "short", "name": "短期基金"}
CLOSING = {"residue": "returned", "basis": "捐赠协议第五条"}


@pytest.fixture
async def office(told: Settings) -> AsyncGenerator[Office]:
    async with opened(told) as office:
        yield office


async def test_a_fund_is_closed_by_two_people_once_it_is_empty(office: Office, told: Settings) -> None:
    assert (await office.post("funds", NEW, who="administrator")).status_code in {201, 202}
    given = await office.post("gifts", gift(fund="short"))
    assert given.status_code == 201, given.text
    full = await office.post(f"funds/{CITY}/short/closing", CLOSING, who="administrator")
    assert (full.status_code, full.json()["type"]) == (409, "/problems/not-empty")
    refund = {"org": CITY, "ref": given.json()["entries"][0]["seq"], "on": "2026-07-01", "reason": "捐赠人申请"}
    waits = await office.post("refunds", refund)
    if waits.status_code == 202:
        await office.post(f"proposals/{waits.json()['proposal']}/approval", who="checker")
    made = await office.post(f"funds/{CITY}/short/closing", CLOSING, who="administrator")
    assert made.status_code == 202
    alone = await office.post(f"proposals/{made.json()['proposal']}/approval", who="administrator")
    assert alone.json()["type"] == "/problems/four-eyes"
    log = await check_log(told)
    assert log[-1].kind == "proposal.made"
