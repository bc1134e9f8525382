"""What the public sees of fees, of management cost and of foreign currency."""

import httpx
import pytest
from msgspec import structs

from ledger.exchange import SettleExchange
from ledger.fees import ChargeFee
from ledger.organisations import OpenFund
from ledger.refusals import Invalid
from ledger.settings import Settings
from ledger.store.batch import Sequenced
from tests.api.public.test_pages import read, text
from tests.support.branch import CITY, FINANCE, FOUNDER, Branch
from tests.support.checklog import check_log


async def opened(branch: Branch) -> None:
    """A fund of gifts by way of a platform."""
    await branch.do(
        OpenFund(
            maker=FOUNDER, org=CITY, fund="platform", name="平台捐款", spending=("aid", "management"),
            receipt_fee_ppm=6_000, charges=True, management_ppm=100_000, over_ceiling="alarmed",
        )
    )  # fmt: skip


async def test_a_gift_with_a_fee_is_shown_whole(branch: Branch, http: httpx.AsyncClient, settings: Settings) -> None:
    await opened(branch)
    given = await branch.gift(10_000, "platform")
    await branch.do(
        ChargeFee(
            maker=FINANCE, org=CITY, fund="platform", amount_fen=40, channel="alipay", on=branch.today, reason="服务费"
        )
    )
    trace = (await http.get(f"/api/v1/entries/{given.seq}/trace")).json()
    assert trace["gift"]["amount_fen"] == 10_000
    assert {state: fen for state, fen in trace["states"].items() if fen} == {"fees": 100, "held": 9_900}
    assert [(step["kind"], step["amount_fen"]) for step in trace["steps"]] == [
        ("fee.charged", 40),
        ("money.received", 10_000),
    ]
    page = text(await read(http, given.code))
    assert "1 元由渠道收取手续费" in page
    assert "平台扣除手续费" in page
    fund = (await http.get(f"/api/v1/funds/{CITY}/platform")).json()["fund"]["figures"]
    assert (fund["received_fen"], fund["held_fen"], fund["fees_fen"]) == (10_000, 9_900, 100)
    await check_log(settings)


async def test_the_years_share_of_management_cost_is_published(branch: Branch, http: httpx.AsyncClient) -> None:
    await opened(branch)
    await branch.gift(10_000, "platform")
    await branch.allocate(9_000, "platform", "winter")
    await branch.pay(5_000, "winter")
    await branch.pay(1_000, "winter", spending="management")
    costs = (await http.get(f"/api/v1/funds/{CITY}/platform/costs")).json()["items"]
    assert costs == [
        {
            "year": branch.today[:4],
            "spent_fen": 6_000,
            "management_fen": 1_000,
            "management_ppm": 166_666,
            "ceiling_ppm": 100_000,
            "over": True,
        }
    ]
    assert (await http.get(f"/api/v1/funds/{CITY}/general/costs")).json()["items"] == []
    assert (await http.get(f"/api/v1/funds/{CITY}/nowhere/costs")).status_code == 404


async def test_a_gift_in_dollars_is_shown_with_amount_and_rate(
    branch: Branch, http: httpx.AsyncClient, settings: Settings
) -> None:
    dollars = branch._gift(71_234, "general")._replace(currency="USD", original=10_000, rate="7.1234")
    outcome = await branch.sequencer.submit(branch.sealer.seal(dollars))
    assert isinstance(outcome, Sequenced)
    seq = outcome.entries[0].seq
    loss = SettleExchange(maker=FINANCE, org=CITY, ref=seq, amount_fen=34, on=branch.today, reason="结汇差额")
    await branch.do(loss)
    with pytest.raises(Invalid) as refused:
        await branch.do(structs.replace(loss, amount_fen=71_201))
    assert refused.value.facts["left"] == 71_200
    trace = (await http.get(f"/api/v1/entries/{seq}/trace")).json()
    assert {state: fen for state, fen in trace["states"].items() if fen} == {"lost": 34, "held": 71_200}
    page = text(await read(http, outcome.code))
    assert "原币 USD 100.00，汇率 7.1234" in page
    assert "0.34 元在汇兑中损失" in page
    fund = (await http.get(f"/api/v1/funds/{CITY}/general")).json()["fund"]["figures"]
    assert (fund["received_fen"], fund["held_fen"], fund["lost_fen"]) == (71_234, 71_200, 34)
    await check_log(settings)
