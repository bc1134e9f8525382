"""Campaigns and emergencies as the public sees them."""

import httpx
from msgspec import structs

from ledger.campaigns import RegisterCampaign
from ledger.organisations import OpenFund
from ledger.reversals import ReverseEntry
from ledger.settings import Settings
from tests.support.branch import CITY, FINANCE, FOUNDER, PROVINCE, Branch
from tests.support.checklog import check_log

CAMPAIGN = RegisterCampaign(
    maker=FOUNDER, org=PROVINCE, campaign="flood-2026", name="洪灾募捐", filing="备案001", first_on="2026-06-01",
    last_on="2026-06-30",
)  # fmt: skip


async def test_campaigns_are_listed_with_what_came_in_and_what_came_late(
    branch: Branch, http: httpx.AsyncClient, settings: Settings
) -> None:
    await branch.do(CAMPAIGN)
    await branch.do(structs.replace(CAMPAIGN, campaign="school", org=CITY))
    await branch.do(OpenFund(maker=FOUNDER, org=CITY, fund="raised", name="募捐款", campaign="flood-2026"))
    in_time = await branch.gift(1_000, "raised", on="2026-06-30")
    late = await branch.gift(300, "raised", on="2026-07-01")
    await branch.gift(7)
    wrong = await branch.gift(50, "raised", on="2026-06-02")
    await branch.agree(ReverseEntry(
        maker=FINANCE, org=CITY, ref=wrong.seq, on=branch.today, reason="金额录入有误", statement="现予更正。"
    ))  # fmt: skip

    listed = (await http.get("/api/v1/campaigns", params={"limit": 1})).json()
    (first,) = listed["items"]
    assert (first["campaign"], first["filing"], first["last_on"]) == ("flood-2026", "备案001", "2026-06-30")
    assert [first[name] for name in ("gifts", "received_fen", "late_gifts", "late_fen", "voided_fen")] == [
        3, 1_350, 1, 300, 50,
    ]  # fmt: skip
    more = (await http.get("/api/v1/campaigns", params={"after": listed["next"]})).json()
    assert [each["campaign"] for each in more["items"]] == ["school"]
    of_city = (await http.get("/api/v1/campaigns", params={"org": CITY})).json()
    assert [each["campaign"] for each in of_city["items"]] == ["school"]
    assert (await http.get("/api/v1/campaigns/flood-2026")).json()["campaign"] == first
    for path in ("nothing", "No such"):
        assert (await http.get(f"/api/v1/campaigns/{path}")).status_code == 404
    assert (await http.get(f"/api/v1/funds/{CITY}/raised")).json()["fund"]["campaign"] == "flood-2026"

    for gift, is_late in ((in_time, False), (late, True)):
        told = (await http.post("/api/v1/trace", json={"code": gift.code})).json()["gift"]
        assert (told["campaign"], told["late"]) == ({"id": "flood-2026", "name": "洪灾募捐"}, is_late)
        page = (await http.post("/trace", data={"code": gift.code})).text
        assert "属于募捐活动「洪灾募捐」" in page
        assert ("在备案期限之后到账" in page) is is_late
    await check_log(settings)


async def test_a_gift_to_an_emergency_shows_the_event(branch: Branch, http: httpx.AsyncClient) -> None:
    gift = await branch.gift(50_000, "flood", event="flood")
    told = (await http.post("/api/v1/trace", json={"code": gift.code})).json()["gift"]
    assert told["event"] == {"id": "flood", "name": "示例市 6 月洪涝灾害"}
    page = (await http.post("/trace", data={"code": gift.code})).text
    assert "用于「示例市 6 月洪涝灾害」" in page
