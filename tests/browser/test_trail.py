"""The way of the money in the browser: followed anew from positions, and compared with what the page says."""

import base64
import re
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest

from api.public import app as public
from ledger.receipt.dossier import decode_dossier, encode_dossier
from ledger.receipt.receipt import Receipt
from ledger.settings import Settings
from ledger.store import setup
from ledger.store.keys import LookupKeys
from ledger.trace import State
from public_site.messages import yuan
from tests.browser.test_modules import STATIC, node
from tests.support.branch import Branch
from tests.support.office import CITY, Office
from tests.support.visitor import visitor as visiting

pytestmark = pytest.mark.browser

KINDS = {
    "held": "fund",
    "allocated": "project",
    "in_transit": "transit",
    "unconfirmed": "payees",
    "confirmed": "payees",
    "refunded": "refunds",
}
"""State → kind of account, as far as these gifts go."""


@pytest.fixture
async def branch(settings: Settings) -> AsyncGenerator[Branch]:
    async with Branch.open(settings) as opened:
        yield opened


@pytest.fixture
async def reader(settings: Settings, branch: Branch) -> AsyncGenerator[httpx.AsyncClient]:
    assert settings.database_url is not None
    database = setup.database(settings, settings.database_url, "reader")
    resources = public.Resources(database=database, lookup=LookupKeys.read(settings.lookup))
    async with visiting(public.build(resources)) as client:
        yield client
    await database.close()


async def test_every_gift_of_a_busy_branch_is_followed_to_the_places_the_server_tells(
    branch: Branch, reader: httpx.AsyncClient
) -> None:
    given = await branch.gifts([1_000, 2_500, 1, 77, 40_000, 300])
    allocated = await branch.allocate(20_000)
    for i in range(6):
        await branch.pay(1_111 + i, payee=f"第 {i} 供应站")
    await branch.release(allocated, 3_000)
    await branch.refund(given[4].seq, 555)
    given += await branch.gifts([9_000, 12])
    await branch.allocate(30_000, project="winter")
    await branch.pay(25_000, "winter")
    given += await branch.gifts([10_000])
    sent = [await branch.send(each) for each in (6_000, 6_000)]
    async with branch.database.raw() as connection:
        written = [row["bytes"].decode() for row in await connection.fetch("select bytes from entry order by seq")]
    said = node("trail.mjs", {"modules": str(STATIC), "log": written, "gifts": [seq for seq, _ in given]})
    moved: dict[str, int] = {}
    rests: list[list[Any]] = []
    for (seq, _), found in zip(given, said["followed"], strict=True):
        trace = (await reader.get(f"/api/v1/entries/{seq}/trace")).json()
        rests = sorted([KINDS[leaf["state"]], leaf["amount_fen"]] for leaf in trace["leaves"])
        assert sorted(found["rests"]) == rests, seq
        moved = {str(step["seq"]): step["amount_fen"] for step in trace["steps"] if step["kind"] != "money.received"}
        assert found["parts"] == moved, seq
    assert {*map(str, sent)} <= moved.keys(), "the last gift is on its way by two transfers"
    assert rests == [["fund", 3_335], ["transit", 665], ["transit", 6_000]]


def test_every_state_of_a_part_is_known_to_what_follows_it() -> None:
    """One that is not is a false alarm."""
    kinds = (STATIC / "trail.js").read_text().partition("const KINDS = {")[2].partition("};")[0]
    assert {*re.findall(r"(\w+):", kinds)} == {*State}


def shown(trace: Any) -> dict[str, Any]:
    """What a page shows of a trace."""
    return {
        "parts": [
            [str(step["seq"]), yuan(step["amount_fen"])]
            for step in trace["steps"]
            if step["kind"] not in {"money.received", "delivery.confirmed", "feedback.published"}
        ],
        "rests": [[leaf["state"], yuan(leaf["amount_fen"])] for leaf in trace["leaves"]],
        "isSummed": False,
    }


async def test_a_dossier_is_checked_entry_by_entry_and_against_the_page(visitor: httpx.AsyncClient, code: str) -> None:
    trace = (await visitor.post("/api/v1/trace", json={"code": code})).json()
    dossier = (await visitor.post("/api/v1/dossier", json={"code": code})).content
    policy = (await visitor.get("/log/policy")).text
    receipts = decode_dossier(dossier)
    says = shown(trace)
    changed = [
        Receipt(entry=each.entry.replace("灾后防疫物资".encode(), "其他".encode()), proof=each.proof)
        for each in receipts
    ]

    def given(data: bytes = dossier, page: dict[str, Any] = says, seq: int = trace["gift"]["seq"]) -> dict[str, Any]:
        return {"seq": seq, "policy": policy, "shown": page, "dossier": base64.b64encode(data).decode()}

    (step, amount), *others = says["parts"]
    (first, some), *between, (last, rest) = says["rests"]
    assert (KINDS[first], some) != (KINDS[last], rest)
    exchanged = [[first, rest], *between, [last, some]]
    said = node(
        "trail.mjs",
        {
            "modules": str(STATIC),
            "dossiers": {
                "genuine": given(),
                "an entry changed": given(encode_dossier(changed, {})),
                "an entry left out": given(encode_dossier(receipts[:1], {})),
                "the gift left out": given(encode_dossier(receipts[1:], {})),
                "of another gift": given(seq=receipts[1].proof.index),
                "a step that lies": given(page={**says, "parts": [[step, "¥9.99"], *others]}),
                "a step from nowhere": given(page={**says, "parts": [*says["parts"], ["3", amount]]}),
                "places that lie": given(page={**says, "rests": [["held", "¥3,000.00"]]}),
                "two places exchanged": given(page={**says, "rests": exchanged}),
                "sums that lie": given(page={**says, "rests": exchanged, "isSummed": True}),
            },
        },
    )["checked"]
    assert said["genuine"] == {"count": len(receipts), "failed": ""}
    assert said.pop("an entry changed")["failed"] == "entry 47: inclusion"
    assert said.pop("the gift left out")["failed"] == "the gift is not in the dossier"
    said.pop("genuine")
    for name, answer in said.items():
        assert answer["failed"].startswith(("step ", "the page shows ")), name


async def test_a_payment_that_nobody_confirmed_yet_is_no_false_alarm(
    office: Office, visitor: httpx.AsyncClient, code: str
) -> None:
    payment = {
        "org": CITY, "project": "flood-aid", "amount_fen": 50_000, "spending": "aid", "payee": "persons",
        "purpose": "救助金", "on": "2026-07-22",
    }  # fmt: skip
    made = (await office.post("disbursements", payment)).json()
    paid = await office.post(f"proposals/{made['proposal']}/approval", who="checker", headers={"Prefer": "wait=9"})
    assert paid.json()["state"] == "published"
    trace = (await visitor.post("/api/v1/trace", json={"code": code})).json()
    assert trace["states"]["unconfirmed"] == 50_000
    dossier = (await visitor.post("/api/v1/dossier", json={"code": code})).content
    given = {
        "seq": trace["gift"]["seq"],
        "policy": (await visitor.get("/log/policy")).text,
        "shown": shown(trace),
        "dossier": base64.b64encode(dossier).decode(),
    }
    said = node("trail.mjs", {"modules": str(STATIC), "dossiers": {"genuine": given}})["checked"]
    assert said["genuine"]["failed"] == ""
