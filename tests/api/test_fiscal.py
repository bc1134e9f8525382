"""Fiscal receipts, campaigns and written agreements over HTTP, on a real database."""

from collections.abc import AsyncGenerator
from hashlib import sha256
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from ledger import demo, privacy
from ledger.approvals import ApproveProposal
from ledger.entries import MoneyReceived, decode
from ledger.privacy import FiscalNumbers
from ledger.refusals import Closed
from ledger.settings import Settings
from ledger.store import fiscal
from ledger.store.fiscal import NewReceipt
from tests.support.acting import acting_as_superuser
from tests.support.checklog import check_log
from tests.support.office import CITY, Office, gift, opened

DAY = "2026-07-01"
NUMBERS = {"code": "33060126", "number": "0000012345", "check_code": "a1B2c3"}
FILE = sha256("捐赠协议.pdf".encode()).hexdigest()


@pytest.fixture
async def office(told: Settings) -> AsyncGenerator[Office]:
    async with opened(told) as office:
        yield office


def receipt(ref: int, amount_fen: int = 50_000, **more: Any) -> dict[str, Any]:
    return {"org": CITY, "ref": ref, "amount_fen": amount_fen, "on": DAY, **NUMBERS, **more}


async def seq_of(office: Office, path: str, body: object) -> int:
    answer = await office.post(path, body)
    assert answer.status_code == 201, answer.text
    seq: int = answer.json()["entries"][-1]["seq"]
    return seq


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


async def test_a_fiscal_receipt_is_issued_voided_and_issued_again_over_http(office: Office, told: Settings) -> None:
    ref = await seq_of(office, "gifts", gift(amount_fen=50_000))
    answer = await office.post("fiscal-receipts", receipt(ref), key="once")
    again = await office.post("fiscal-receipts", receipt(ref), key="once")
    assert (answer.status_code, again.content) == (201, answer.content)
    first = answer.json()["entries"][0]["seq"]
    assert problem(await office.post("fiscal-receipts", receipt(ref, number="0000012346"))) == (409, "receipt-stands")

    refund = {"org": CITY, "ref": ref, "on": DAY, "reason": "捐赠人申请", "amount_fen": 20_000}
    proposed = await office.post("refunds", refund)
    assert (await office.post(f"proposals/{proposed.json()['proposal']}/approval", who="checker")).status_code == 201
    papers = (await office.get(f"gifts/{ref}/papers")).json()
    accesses = (await office.get(f"gifts/{ref}/accesses", who="administrator")).json()
    assert [each["reason"] for each in accesses] == ["receipts"]
    assert papers["stands_fen"] == 30_000
    assert papers["receipts"] == [
        {"entry": first, **NUMBERS, "amount_fen": 50_000, "on": DAY, "holds": True, "is_current": False}
    ]
    stale = (await office.get(f"fiscal-receipts/stale?org={CITY}")).json()
    assert stale == {
        "items": [{"issued": first, "gift": ref, "amount_fen": 50_000, "stands_fen": 30_000}], "next": None,
    }  # fmt: skip
    voiding = {"org": CITY, "ref": ref, "issued": first, "reason": "refunded", "on": DAY}
    await seq_of(office, "fiscal-voidings", voiding)
    same_number = receipt(ref, 30_000, replaces=first)
    assert problem(await office.post("fiscal-receipts", same_number)) == (409, "already-recorded")
    second = await seq_of(office, "fiscal-receipts", same_number | {"number": "0000012346"})
    papers = (await office.get(f"gifts/{ref}/papers")).json()
    assert [(each["entry"], each["holds"], each["is_current"]) for each in papers["receipts"]] == [
        (first, False, False),
        (second, True, True),
    ]
    assert (await office.get(f"fiscal-receipts/stale?org={CITY}")).json()["items"] == []
    log = await check_log(told)
    assert all(number.encode() not in repr(log).encode() for number in NUMBERS.values())


async def test_fiscal_receipts_whose_gifts_went_back_since_are_listed_page_by_page(office: Office) -> None:
    refs = [await seq_of(office, "gifts", gift(amount_fen=50_000, channel_ref=f"{i}")) for i in range(3)]
    issued = [await seq_of(office, "fiscal-receipts", receipt(ref, number=f"{ref:010}")) for ref in refs]
    for ref in (refs[0], refs[2]):
        wrong = {"org": CITY, "ref": ref, "on": DAY, "reason": "重复登记", "statement": "重复登记，现予撤销。"}
        proposed = (await office.post("reversals", wrong)).json()["proposal"]
        assert (await office.post(f"proposals/{proposed}/approval", who="checker")).status_code == 201
    first = (await office.get(f"fiscal-receipts/stale?org={CITY}&limit=1")).json()
    assert first["items"] == [{"issued": issued[0], "gift": refs[0], "amount_fen": 50_000, "stands_fen": 0}]
    second = (await office.get(f"fiscal-receipts/stale?org={CITY}&limit=1&after={first['next']}")).json()
    assert ([each["gift"] for each in second["items"]], second["next"]) == ([refs[2]], None)
    assert (await office.get("fiscal-receipts/stale?org=330824")).json()["items"] == []


async def agreed(office: Office, path: str, body: object) -> int:
    """Have something done by two people; the number of its last entry."""
    proposed = (await office.post(path, body)).json()["proposal"]
    answer = await office.post(f"proposals/{proposed}/approval", who="checker")
    assert answer.status_code == 201, answer.text
    seq: int = answer.json()["entries"][-1]["seq"]
    return seq


async def test_a_fiscal_receipt_is_over_what_stands_whatever_was_corrected(office: Office, told: Settings) -> None:
    wrong = {"org": CITY, "on": DAY, "reason": "金额有误", "statement": "金额有误，现予更正。"}
    refund = {"org": CITY, "on": DAY, "reason": "捐赠人申请", "amount_fen": 20_000}
    ref = await seq_of(office, "gifts", gift(amount_fen=50_000))
    issued = await seq_of(office, "fiscal-receipts", receipt(ref))
    back = await agreed(office, "refunds", {**refund, "ref": ref})
    await agreed(office, "reversals", {**wrong, "ref": back})
    assert (await office.get(f"gifts/{ref}/papers")).json()["stands_fen"] == 50_000
    assert (await office.get(f"fiscal-receipts/stale?org={CITY}")).json()["items"] == []

    await agreed(office, "refunds", {**refund, "ref": ref})
    await agreed(office, "reversals", {**wrong, "ref": ref})
    asked = {"org": CITY, "corrects": ref, "fund": "general", "amount_fen": 30_000, "on": DAY}
    right = await seq_of(office, "right-gifts", asked)
    stale = {"issued": issued, "gift": ref, "amount_fen": 50_000, "stands_fen": 0}
    assert (await office.get(f"fiscal-receipts/stale?org={CITY}")).json()["items"] == [stale]
    assert (await office.get(f"gifts/{right}/papers")).json()["stands_fen"] == 10_000
    second = await seq_of(office, "fiscal-receipts", receipt(right, 10_000, number="0000012346"))
    await agreed(office, "refunds", {**refund, "ref": right, "amount_fen": 4_000})
    listed = (await office.get(f"fiscal-receipts/stale?org={CITY}&after={ref}")).json()["items"]
    assert listed == [{"issued": second, "gift": right, "amount_fen": 10_000, "stands_fen": 6_000}]
    await check_log(told, decided_again=True)


async def test_the_numbers_of_a_fiscal_receipt_are_in_no_table_in_the_clear(office: Office, told: Settings) -> None:
    ref = await seq_of(office, "gifts", gift(amount_fen=50_000))
    await seq_of(office, "fiscal-receipts", receipt(ref))
    async with acting_as_superuser(told) as connection:
        tables = await connection.fetch(
            "select relname from pg_class where relnamespace = current_schema()::regnamespace and relkind = 'r'"
        )
        readable = [each["relname"] for each in tables if each["relname"] != "alembic_version"]
        rows = [str(row) for table in readable for row in await connection.fetch(f"select t::text from {table} t")]
    assert len(rows) > 100
    hidden = [NUMBERS["number"], NUMBERS["check_code"]]
    written = [form for text in hidden for form in (text, text.encode().hex())]
    assert not [row for row in rows if any(form in row for form in written)]


async def test_a_fiscal_receipt_has_the_form_of_this_place(office: Office) -> None:
    ref = await seq_of(office, "gifts", gift(amount_fen=50_000))
    forms: tuple[dict[str, Any], ...] = (
        {"code": "3306012"},
        {"number": "12345"},
        {"check_code": "a1B2c"},
        {"number": "０000012345"},
    )
    for wrong in forms:
        answer = await office.post("fiscal-receipts", receipt(ref, **wrong))
        assert problem(answer) == (400, "invalid-value")
        assert next(iter(wrong.values())) not in answer.text
    assert problem(await office.post("fiscal-receipts", receipt(999_999))) == (404, "not-found")
    assert problem(await office.post("fiscal-receipts", receipt(ref, 49_999))) == (400, "invalid-value")


def test_a_form_that_is_no_pattern_stops_the_start_and_is_named() -> None:
    with pytest.raises(ValidationError, match="fiscal_number"):
        Settings(fiscal_number="[0-9")


async def test_a_waived_fiscal_receipt_is_recorded_with_its_reason(office: Office) -> None:
    ref = await seq_of(office, "gifts", gift(amount_fen=50_000))
    waiver = {"org": CITY, "ref": ref, "reason": "anonymous", "on": DAY}
    assert (await office.post("fiscal-waivers", waiver | {"reason": "busy"})).status_code == 400
    await seq_of(office, "fiscal-waivers", waiver)
    assert (await office.get(f"gifts/{ref}/papers")).json()["waived"] == "anonymous"
    assert problem(await office.post("fiscal-waivers", waiver)) == (409, "already-recorded")
    await seq_of(office, "fiscal-receipts", receipt(ref))
    assert (await office.get(f"gifts/{ref}/papers")).json()["waived"] == ""


async def test_only_finance_of_the_organisation_reads_the_numbers_of_a_fiscal_receipt(office: Office) -> None:
    ref = await seq_of(office, "gifts", gift(amount_fen=50_000))
    await seq_of(office, "fiscal-receipts", receipt(ref))
    answer = await office.get(f"gifts/{ref}/papers", who="checker")
    assert problem(answer) == (403, "role-required")
    assert problem(await office.get("gifts/0/papers")) == (404, "not-found")


async def test_a_fiscal_receipt_of_an_erased_donor_can_neither_be_issued_nor_read(office: Office) -> None:
    ref = await seq_of(office, "gifts", gift(amount_fen=50_000))
    await seq_of(office, "fiscal-receipts", receipt(ref))
    async with office.resources.database.raw() as connection:
        slot = await connection.fetchval("select slot from vault where seq = $1", ref)
    office.resources.subjects.destroy(slot)
    assert problem(await office.get(f"gifts/{ref}/papers")) == (410, "erased")
    assert problem(await office.post("fiscal-receipts", receipt(ref))) == (410, "erased")


async def test_a_fiscal_receipt_that_was_sealed_before_an_erasure_is_not_kept_after_it(
    office: Office, told: Settings
) -> None:
    ref = await seq_of(office, "gifts", gift(amount_fen=50_000))
    resources = office.resources
    async with acting_as_superuser(told) as connection:
        slot = await connection.fetchval("select slot from vault where seq = $1", ref)
        key = resources.subjects.read(slot)
        assert key is not None
        new = NewReceipt(demo.MAKER, CITY, ref, 50_000, DAY, 0, FiscalNumbers(**NUMBERS))
        sealed = fiscal.seal(new, key, resources.keys, resources.sealer.lookup)
        await connection.execute("update vault set sealed = '' where seq = $1", ref)
    size = await office.size()
    with pytest.raises(Closed):
        await resources.sequencer.submit(sealed)
    assert await office.size() == size


async def test_a_large_gift_names_its_agreement_by_a_salted_commitment(office: Office, told: Settings) -> None:
    rules = {"rules": [{"kind": "gift.refunded", "approvals": [[0, 1]]}], "agreement_from": 100_000_000}
    proposed = await office.post("policies", rules, who="administrator")
    assert proposed.status_code == 202, proposed.text
    second = ApproveProposal(maker=demo.SECOND, proposal=proposed.json()["proposal"])
    await office.resources.sequencer.submit(second)
    large = gift(amount_fen=100_000_000)
    assert problem(await office.post("gifts", large)) == (409, "agreement-required")
    ref = await seq_of(office, "gifts", large | {"agreement": FILE})
    async with office.resources.database.raw() as connection:
        body = decode(await connection.fetchval("select bytes from entry where seq = $1", ref)).body
    assert isinstance(body, MoneyReceived)
    assert body.agreement not in {"", FILE}
    kept = (await office.get(f"gifts/{ref}/papers")).json()["agreement"]
    assert (kept["sha256"], kept["commitment"]) == (FILE, body.agreement)
    assert privacy.agreement_commitment(FILE, bytes.fromhex(kept["salt"])) == body.agreement
    await check_log(told)


async def test_a_gift_from_before_its_campaign_is_refused_with_advice(office: Office, told: Settings) -> None:
    campaign = {
        "campaign": "winter-2026", "org": CITY, "name": "冬季募捐", "filing": "备案001", "first_on": "2026-07-01",
        "last_on": "2026-07-31",
    }  # fmt: skip
    await seq_of_administrator(office, "campaigns", campaign)
    await seq_of_administrator(
        office, "funds", {"org": CITY, "fund": "raised", "name": "募捐", "campaign": "winter-2026"}
    )
    early = gift(fund="raised", on="2026-06-30")
    assert problem(await office.post("gifts", early)) == (409, "outside-campaign")
    await seq_of(office, "gifts", gift(fund="raised", on="2026-07-01"))
    await seq_of(office, "gifts", gift(campaign="winter-2026", on="2026-08-01", channel_ref="2"))
    unknown = await office.post("gifts", gift(campaign="nothing", channel_ref="3"))
    assert problem(unknown) == (404, "unknown-reference")
    await check_log(told)


async def seq_of_administrator(office: Office, path: str, body: object) -> None:
    assert (await office.post(path, body, who="administrator")).status_code == 201
