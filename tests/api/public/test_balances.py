"""Balances as of any entry and any day, trial balances, closed periods, over HTTP."""

from collections import Counter
from datetime import date, timedelta
from hashlib import sha256
from itertools import product
from typing import Any

import httpx
import pytest

from ledger import entries
from ledger.periods import ClosePeriod
from ledger.settings import Settings
from ledger.store import projections
from ledger.store.queries import balances
from tests.support.branch import CITY, FINANCE, Branch
from tests.support.checklog import check_log


def days_ago(branch: Branch, days: int) -> str:
    return (date.fromisoformat(branch.today) - timedelta(days=days)).isoformat()


async def trial_balance(http: httpx.AsyncClient, **wanted: object) -> dict[str, Any]:
    answer = await http.get(f"/api/v1/organisations/{CITY}/trial-balance", params=wanted)  # type: ignore[arg-type]
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


async def test_a_balance_is_as_of_any_entry_and_any_day(
    branch: Branch, http: httpx.AsyncClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (projections, balances):
        monkeypatch.setattr(module, "BLOCK_ENTRIES", 3)  # many blocks of few entries
    first, second = days_ago(branch, 3), days_ago(branch, 1)
    for on in (first, second, branch.today, first):
        await branch.gift(1_000, on=on)
    await branch.allocate(2_500)
    await branch.pay(700)
    seq, _ = await branch.gift(50, "flood", on=second)
    await branch.refund(seq)
    log = await check_log(settings, decided_again=False)
    start = next(entry.seq for entry in log if entry.postings)
    for as_of, last_on in product(range(start, len(log)), (first, second, branch.today)):
        expected: Counter[str] = Counter()
        for entry in log[: as_of + 1]:
            for posting in entry.postings if getattr(entry.body, "on", "") <= last_on else ():
                expected[posting.dst] += posting.qty
                expected[posting.src] -= posting.qty
        found = await trial_balance(http, as_of=as_of, last_on=last_on)
        assert {each["address"]: each["closing"] for each in found["items"]} == expected
        assert found["credited"] == found["consumed"]
        assert found["as_of"]["seq"] == as_of
    one = await http.get("/api/v1/balances", params={"address": f"fund:{CITY}:general", "first_on": branch.today})
    assert one.json()["balance"] == {
        "address": f"fund:{CITY}:general", "unit": "CNY", "opening": 3_000, "credited": 1_000, "consumed": 2_500,
        "closing": 1_500,
    }  # fmt: skip
    project = await trial_balance(http, project="winter")
    assert [each["address"] for each in project["items"]] == [f"project:{CITY}:winter:general"]
    fund = await trial_balance(http, fund="flood")
    assert [each["address"] for each in fund["items"]] == [f"fund:{CITY}:flood"]


async def test_a_published_root_is_recomputed_from_the_published_trial_balance(
    branch: Branch, http: httpx.AsyncClient, settings: Settings
) -> None:
    first, last = days_ago(branch, 9), days_ago(branch, 2)
    await branch.gift(1_000, on=last)
    await branch.gift(500)
    seq = await branch.agree(ClosePeriod(maker=FINANCE, org=CITY, first_on=first, last_on=last))
    (closed,) = (await http.get(f"/api/v1/organisations/{CITY}/periods")).json()["items"]
    assert (closed["seq"], closed["first_on"], closed["last_on"]) == (seq, first, last)
    found = await trial_balance(http, last_on=last, as_of=seq)
    rows = [[each["address"], each["unit"], each["credited"], each["consumed"]] for each in found["items"]]
    text = f"sunledger/trial-balance/1\n{CITY}\n{last}\n".encode() + entries.canonical(rows) + b"\n"
    assert closed["root"] == sha256(text).hexdigest()
    await check_log(settings)


async def test_an_account_or_an_entry_that_is_not_there_is_not_found(branch: Branch, http: httpx.AsyncClient) -> None:
    await branch.gift(1_000)
    for wanted in ("nothing", f"fund:{CITY}:flood", f"fund:{CITY}:general&as_of=9999"):
        answer = await http.get(f"/api/v1/balances?address={wanted}")
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
