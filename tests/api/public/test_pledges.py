"""Pledges as the public sees them."""

import httpx

from ledger.pledges import EndPledge, MakePledge
from ledger.settings import Settings
from tests.support.branch import CITY, FINANCE, Branch
from tests.support.checklog import check_log


async def test_pledges_are_listed_apart_from_all_figures(
    branch: Branch, http: httpx.AsyncClient, settings: Settings
) -> None:
    promise = MakePledge(
        maker=FINANCE, org=CITY, fund="general", amount_fen=100_000, promiser="某某有限公司", on=branch.today
    )
    first = await branch.do(promise)
    second = await branch.do(promise)
    await branch.do(EndPledge(maker=FINANCE, org=CITY, ref=first, outcome="withdrawn", on=branch.today))
    listed = (await http.get(f"/api/v1/organisations/{CITY}/pledges", params={"limit": 1})).json()
    assert [(each["seq"], each["outcome"]) for each in listed["items"]] == [(second, "")]
    more = await http.get(f"/api/v1/organisations/{CITY}/pledges", params={"before": listed["next"]})
    assert [(each["seq"], each["outcome"]) for each in more.json()["items"]] == [(first, "withdrawn")]
    figures = (await http.get(f"/api/v1/funds/{CITY}/general")).json()["fund"]["figures"]
    assert {value for value in figures.values() if isinstance(value, int)} == {0}
    await check_log(settings)
