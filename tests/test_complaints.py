"""What donors complained of in past years, each with the answer that everybody gets now: on a real store, over HTTP."""

import itertools
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest

from api.public.app import Resources, build
from ledger.approvals import ApproveProposal
from ledger.donations import ApproveImport, CompleteImport
from ledger.entries import Restriction
from ledger.organisations import DeclareEvent, EnrolStaff, OpenFund, OpenProject
from ledger.privacy import Identity
from ledger.returns import ReturnMoney
from ledger.reversals import ReverseEntry
from ledger.roles import Role
from ledger.settings import Settings
from ledger.store import setup
from ledger.store.batch import Sequenced
from ledger.store.keys import LookupKeys
from ledger.store.vault import Gift
from ledger.transfers import ReceiveTransfer, SendTransfer
from tests.support.branch import APPROVER, CITY, FINANCE, FOUNDER, OTHER_FOUNDER, PROVINCE, Branch
from tests.support.checklog import check_log
from tests.support.visitor import visitor

TYPHOON, BEGAN = "typhoon", "2026-08-10"
BEFORE, AFTER = "2026-08-01", "2026-08-12"


@pytest.fixture
async def branch(settings: Settings) -> AsyncGenerator[Branch]:
    async with Branch.open(settings) as opened:
        yield opened


@pytest.fixture
async def http(settings: Settings, branch: Branch) -> AsyncGenerator[httpx.AsyncClient]:
    assert settings.database_url is not None
    database = setup.database(settings, settings.database_url, "reader")
    async with visitor(build(Resources(database=database, lookup=LookupKeys.read(settings.lookup)))) as client:
        yield client
    await database.close()


async def get(http: httpx.AsyncClient, path: str) -> Any:
    answer = await http.get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def traced(http: httpx.AsyncClient, code: str) -> Any:
    answer = await http.post("/api/v1/trace", json={"code": code})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def page_for(http: httpx.AsyncClient, code: str) -> str:
    """What the donor reads."""
    answer = await http.post("/trace", data={"code": code})
    assert answer.status_code == 200
    return answer.text


async def everything(http: httpx.AsyncClient, path: str, limit: int) -> list[Any]:
    """All items of a list, page by page."""
    found: list[Any] = []
    after: int | None = -1
    while after is not None:
        answer = await get(http, f"{path}?after={after}&limit={limit}")
        assert len(answer["items"]) <= limit
        found += answer["items"]
        after = answer["next"]
    return found


async def test_small_gifts_could_not_be_traced(branch: Branch, http: httpx.AsyncClient) -> None:
    """2011: 0.01 yuan was laughed at. A fen is followed like a million."""
    await branch.gift(999_999)
    fen = await branch.gift(1)
    await branch.gift(5)
    await branch.allocate(1_000_000)
    paid = await branch.pay(1_000_000, payee="县人民医院")
    trace = await traced(http, fen.code)
    assert [(each["amount_fen"], each["payee"], each["seq"]) for each in trace["leaves"]] == [(1, "县人民医院", paid)]
    assert "¥0.01" in await page_for(http, fen.code)
    listed = (await get(http, f"gifts?after={fen.seq - 1}"))["items"][0]
    assert (listed["seq"], listed["amount_fen"]) == (fen.seq, 1)


async def test_gifts_dated_before_the_event_were_listed_without_a_word(branch: Branch, http: httpx.AsyncClient) -> None:
    """2011: the list of an earthquake showed gifts of the month before. Now each says so itself, and why."""
    await branch.do(DeclareEvent(maker=FOUNDER, event=TYPHOON, name="8 月台风", began=BEGAN))
    await branch.do(OpenProject(maker=FOUNDER, org=CITY, project="shelter", name="安置点", event=TYPHOON))
    standing = await branch.gift(300, on=BEFORE)
    for_it = await branch.gift(200, event=TYPHOON, on=AFTER)
    of_a_warning = await branch.gift(100, event=TYPHOON, on=BEFORE)
    assert not (await traced(http, standing.code))["gift"]["earlier_than"], "nothing of it was used for the typhoon yet"
    await branch.allocate(600, project="shelter")
    paid = await branch.pay(600, project="shelter")

    listed = {each["seq"]: each["is_before_event"] for each in await everything(http, "gifts", 2)}
    assert listed == {standing.seq: False, for_it.seq: False, of_a_warning.seq: True}
    began = [{"id": TYPHOON, "name": "8 月台风", "began": BEGAN}]
    for gift, earlier in ((standing, began), (of_a_warning, began), (for_it, [])):
        assert (await traced(http, gift.code))["gift"]["earlier_than"] == earlier
        assert ("您的捐款早于「8 月台风」" in await page_for(http, gift.code)) is bool(earlier)
    sources = (await get(http, f"entries/{paid}/sources"))["items"]
    assert [(each["seq"], each["on"]) for each in sources] == [
        (standing.seq, BEFORE), (for_it.seq, AFTER), (of_a_warning.seq, BEFORE),
    ]  # fmt: skip


async def test_there_was_no_full_list(branch: Branch, http: httpx.AsyncClient, settings: Settings) -> None:
    """Every gift and every payment, line by line, to the totals: also what was split, handed back and corrected."""
    given = await branch.gifts([1, 20, 300, 4_000, 50_000, 600_000, 7])
    await branch.allocate(600_000)
    paid = [await branch.pay(amount_fen) for amount_fen in (100, 250_000, 3)]
    await branch.do(ReturnMoney(maker=FINANCE, org=CITY, ref=paid[1], on=branch.today, reason="结余", amount_fen=900))
    await correct(branch, paid[2])
    await branch.refund(given[2].seq)

    gifts = await everything(http, "gifts", 3)
    totals = await get(http, "gifts?limit=1")
    assert [each["seq"] for each in gifts] == [each.seq for each in given]
    assert (len(gifts), sum(each["amount_fen"] for each in gifts)) == (totals["gift_count"], totals["received_fen"])
    assert {field for each in gifts for field in each} == {
        "seq", "on", "amount_fen", "org", "fund", "channel", "donor_class", "event", "is_before_event", "reversed_by",
    }, "nobody is named"  # fmt: skip
    payments = await everything(http, "disbursements", 2)
    totals = await get(http, "disbursements?limit=1")
    assert [(each["seq"], each["amount_fen"], each["returned_fen"]) for each in payments] == [
        (paid[0], 100, 0), (paid[1], 250_000, 900), (paid[2], 3, 3),
    ]  # fmt: skip
    assert len(payments) == totals["count"]
    assert sum(each["amount_fen"] - each["returned_fen"] for each in payments) == totals["paid_fen"] == 249_200
    figures = (await get(http, f"organisations/{CITY}"))["organisation"]["figures"]
    assert (figures["received_fen"], figures["paid_fen"]) == (654_328, 249_200)
    await check_log(settings, decided_again=True)


async def test_a_cursor_stays_true_while_gifts_arrive(branch: Branch, http: httpx.AsyncClient) -> None:
    given = [each.seq for each in await branch.gifts([10, 20, 30])]
    first = await get(http, "gifts?limit=2")
    later = await branch.gift(40)
    second = await get(http, f"gifts?limit=2&after={first['next']}")
    assert [each["seq"] for page in (first, second) for each in page["items"]] == [*given, later.seq]


async def test_money_passed_up_in_lumps_lost_its_donors(
    branch: Branch, http: httpx.AsyncClient, settings: Settings
) -> None:
    """2008: districts passed lumps up, and nobody could say whose they were. A lump hides no gift, either way."""
    await branch.agree(EnrolStaff(maker=FOUNDER, staff=FINANCE, org=PROVINCE, roles=(Role.FINANCE,)), OTHER_FOUNDER)
    await branch.agree(EnrolStaff(maker=FOUNDER, staff=APPROVER, org=PROVINCE, roles=(Role.APPROVER,)), OTHER_FOUNDER)
    await branch.do(OpenFund(maker=FOUNDER, org=PROVINCE, fund="general", name="全省统筹", restriction=Restriction()))
    given = await branch.gifts([100, 250, 3, 900])
    lump = await branch.do(
        SendTransfer(maker=FINANCE, org=CITY, fund="general", to=PROVINCE, amount_fen=1_253, on=branch.today)
    )
    for each, amount_fen in zip(given, (100, 250, 3, 900), strict=True):
        trace = await traced(http, each.code)
        assert [(leaf["state"], leaf["amount_fen"]) for leaf in trace["leaves"]] == [("in_transit", amount_fen)]
    arrived = await branch.do(
        ReceiveTransfer(maker=FINANCE, org=PROVINCE, ref=lump, fund="general", on=branch.today, amount_fen=400)
    )
    assert [(each["seq"], each["amount_fen"]) for each in (await get(http, f"entries/{arrived}/sources"))["items"]] == [
        (given[0].seq, 100), (given[1].seq, 250), (given[2].seq, 3), (given[3].seq, 47),
    ]  # fmt: skip
    assert "转来的款项" in await page_for(http, given[3].code)
    leaves = (await traced(http, given[3].code))["leaves"]
    assert sorted((leaf["state"], leaf["amount_fen"]) for leaf in leaves) == [("held", 47), ("in_transit", 853)]
    await check_log(settings, decided_again=True)


async def test_gifts_were_missing_because_entering_them_took_time(
    branch: Branch, http: httpx.AsyncClient, settings: Settings
) -> None:
    """2020: “my gift is not there”. What is approved and not entered yet is counted in public, beside the totals."""
    sheet = ApproveImport(
        maker=FINANCE, org=CITY, fund="general", channel="bank", name="银行流水", profile="notice", file="a" * 64,
        rows=3, sum_fen=600, first_on=AFTER, last_on=AFTER,
    )  # fmt: skip
    proposed = await branch.do(sheet)
    assert (await get(http, "imports"))["items"] == [], "nobody agreed to it yet"
    batch = await branch.do(ApproveProposal(maker=APPROVER, proposal=proposed)) + 1
    waiting = await get(http, "gifts")
    assert (waiting["gift_count"], waiting["entering_rows"], waiting["entering_fen"]) == (0, 3, 600)

    first = await row(branch, batch, 1, 100)
    during = await get(http, "imports")
    assert (during["entering_rows"], during["entering_fen"]) == (2, 500)
    assert [(each["rows"], each["entered_rows"], each["completed_seq"]) for each in during["items"]] == [(3, 1, None)]
    assert (await traced(http, first))["gift"]["entering"]
    assert "与您同一批的捐款还在录入" in await page_for(http, first)
    not_yet = await http.post("/api/v1/trace", json={"code": "0000-0000-0000-0000"})
    assert (not_yet.status_code, not_yet.json()["type"]) == (404, "/problems/receipt-not-found")
    assert "可能还在录入" in (await http.get(not_yet.json()["type"])).text

    await row(branch, batch, 2, 200)
    done = await branch.do(CompleteImport(maker=FINANCE, batch=batch))
    after = await get(http, "imports")
    assert (after["entering_rows"], after["items"][0]["completed_seq"]) == (0, done)
    assert not (await traced(http, first))["gift"]["entering"]
    await check_log(settings, decided_again=True)


async def test_totals_fell_overnight_without_a_word(branch: Branch, http: httpx.AsyncClient) -> None:
    """2020-01-27: 267.6 million became 195.5. What was received is counted gross; corrections stand beside it."""
    seen: list[tuple[int, int, int]] = []
    given = await branch.gift(267_600)
    wrong = await branch.gift(72_100)
    await branch.allocate(200_000)
    steps = (
        correct(branch, wrong.seq), branch.pay(150_000), branch.refund(given.seq, 500), branch.gift(1),
    )  # fmt: skip
    for step in (None, *steps):
        if step is not None:
            await step
        whole = await get(http, "gifts?limit=1")
        city = (await get(http, f"organisations/{CITY}"))["organisation"]["figures"]
        fund = (await get(http, f"funds/{CITY}/general"))["fund"]["figures"]
        received = {each["received_fen"] for each in (whole, city, fund)}
        assert len(received) == len({each["voided_fen"] for each in (whole, city, fund)}) == 1
        seen.append((*received, whole["gift_count"], whole["voided_fen"]))
    assert all(left <= right for left, right in itertools.pairwise(seen))
    assert seen[0] == (339_700, 2, 0)
    assert seen[-1] == (339_701, 3, 72_100)
    (correction,) = (await get(http, "corrections"))["items"]
    assert (correction["ref"], correction["left_fen"]) == (wrong.seq, 72_100)
    assert correction["statement"] == "多记一笔，现予更正。"
    listed = {each["seq"]: each["reversed_by"] for each in await everything(http, "gifts", 50)}
    assert listed[wrong.seq] == correction["seq"]


async def correct(branch: Branch, ref: int) -> int:
    """An entry taken back, with its public statement."""
    return await branch.agree(
        ReverseEntry(
            maker=FINANCE, org=CITY, ref=ref, on=branch.today, reason="重复登记", statement="多记一笔，现予更正。"
        )
    )


async def row(branch: Branch, batch: int, number: int, amount_fen: int) -> str:
    """One row of an approved sheet; its receipt code."""
    gift = Gift(
        maker=FINANCE, org=CITY, fund="general", amount_fen=amount_fen, channel="bank", channel_ref=f"{number}",
        on=AFTER, donor_class="person", identity=Identity(), batch=batch, row=number,
    )  # fmt: skip
    outcome = await branch.sequencer.submit(branch.sealer.seal(gift))
    assert isinstance(outcome, Sequenced)
    return outcome.code
