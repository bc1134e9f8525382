"""People's data at the doors: consent to be named, minors and their guardians, reading the vault."""

import asyncio
import csv
from collections.abc import AsyncGenerator

import httpx
import pytest

from ledger import entries
from ledger.privacy import Consent
from ledger.settings import Settings
from ledger.store.donors import ErasedError
from tests.support import office
from tests.support.acting import acting_as, acting_as_superuser
from tests.support.checklog import check_log
from tests.support.donor import CONTACT, NAME, REFERENCE, erase, give, readers
from tests.support.office import CITY, Office, gift
from tests.support.wire import somebody_waits_for_a_lock

MASKED = {"version": "2026-1", "on": "2026-07-01"}
FULL = {**MASKED, "form": "full"}
GUARDIAN = {
    "name": "某某监护人",
    "contact": "13900004711",
    "on": "2026-07-01",
    "version": "2026-1",
    "evidence": "e" * 64,
}


@pytest.fixture
async def desk(told: Settings) -> AsyncGenerator[Office]:
    async with office.opened(told) as opened:
        yield opened


async def agree(desk: Office, ref: int, consent: dict[str, str] | None, *, who: str = "maker") -> httpx.Response:
    """Record what was agreed to; None: withdraw it."""
    verb = "DELETE" if consent is None else "PUT"
    return await desk.http.request(verb, f"/api/v1/gifts/{ref}/consent", json=consent, headers=desk.headers(who))


async def shown(settings: Settings, ref: int) -> str:
    """What everybody reads of the donor of a gift."""
    async with readers(settings) as http:
        name: str = (await http.get(f"/api/v1/entries/{ref}/trace")).json()["gift"]["donor_name"]
    return name


# --- consent ---


async def test_a_name_is_public_only_with_consent_masked_unless_she_agreed_to_more(
    desk: Office, told: Settings
) -> None:
    silent, _ = await give(desk, consent=None)
    assert await shown(told, silent) == ""
    for consent, name in ((MASKED, "某**"), (FULL, NAME), (MASKED, "某**")):
        assert (await agree(desk, silent, consent)).json() == {"ref": silent, "shown": name}
        assert await shown(told, silent) == name
    assert (await agree(desk, silent, None)).json() == {"ref": silent, "shown": ""}
    assert await shown(told, silent) == ""


async def test_consent_given_with_the_gift_is_shown_on_the_donors_page_and_among_sources(
    desk: Office, told: Settings
) -> None:
    ref, code = await give(desk)
    other = (await desk.post("gifts", gift(donor={"name": NAME}, channel_ref="other"))).json()["entries"][0]["seq"]
    size = await desk.size()
    await desk.post("refunds", {"org": CITY, "ref": ref, "on": "2026-07-02", "reason": "申请", "amount_fen": 1})
    await desk.post(f"proposals/{size}/approval", who="checker")
    async with readers(told) as http:
        page = (await http.post("/trace", content=f"code={code}")).text
        assert f"<dd>{NAME}</dd>" in page
        (source,) = (await http.get(f"/api/v1/entries/{size + 2}/sources")).json()["items"]
        assert (source["seq"], source["donor_name"]) == (ref, NAME)
    assert await shown(told, other) == ""
    await agree(desk, ref, None)
    async with readers(told) as http:
        assert NAME not in (await http.post("/trace", content=f"code={code}")).text


async def test_consent_and_its_end_leave_no_trace_in_the_log(desk: Office, told: Settings) -> None:
    ref, _ = await give(desk, consent=None)
    size = await desk.size()
    for consent in (FULL, None):
        await agree(desk, ref, consent)
    assert await desk.size() == size
    gift_entry = (await check_log(told))[ref]
    assert set(gift_entry.body.__struct_fields__) == set(entries.MoneyReceived.__struct_fields__)


async def test_the_vault_keeps_every_consent_and_withdrawal_once(desk: Office) -> None:
    ref, _ = await give(desk)
    for consent in (FULL, FULL, None, None, MASKED):
        assert (await agree(desk, ref, consent)).status_code == 200
    record = (await desk.get(f"gifts/{ref}/donor?reason=request")).json()
    said = [each["consent"] and each["consent"]["form"] for each in record["consents"]]
    assert said == ["full", None, "masked"]
    assert record["shown"] == "某**"
    assert record["consents"][0]["at"] == ""
    assert all(each["at"] for each in record["consents"][1:])


async def test_only_who_answers_for_the_gift_records_consent(desk: Office) -> None:
    ref, _ = await give(desk, consent=None)
    assert (await agree(desk, ref, MASKED, who="checker")).status_code == 403
    assert (await agree(desk, 0, MASKED)).status_code == 404
    assert (await agree(desk, ref, {**MASKED, "on": "soon"})).status_code == 400
    nameless = (await desk.post("gifts", gift(channel_ref="nameless"))).json()["entries"][0]["seq"]
    assert (await agree(desk, nameless, MASKED)).json()["type"] == "/problems/invalid-value"


async def test_a_name_under_another_gifts_number_is_not_shown(desk: Office, told: Settings) -> None:
    ref, _ = await give(desk)
    other = (await desk.post("gifts", gift(channel_ref="other"))).json()["entries"][0]["seq"]
    async with acting_as_superuser(told) as connection:
        await connection.execute("update public_name set seq = $2 where seq = $1", ref, other)
    assert (await shown(told, ref), await shown(told, other)) == ("", "")


async def test_a_consent_recorded_beside_an_erasure_does_not_outlive_it(desk: Office, told: Settings) -> None:
    ref, _ = await give(desk, consent=None)
    resources = desk.resources
    async with resources.database.raw() as connection:
        written = await connection.fetchval("select bytes from entry where seq = $1", ref)
    consent = Consent(on="2026-07-01", version="2026-1")
    entry = entries.decode(written)
    async with resources.database.write() as connection:
        await resources.donors.agree(connection, entry, by="donor", staff="s-finance2demoa", consent=consent)
        erasing = asyncio.create_task(erase(desk, ref))
        await somebody_waits_for_a_lock(told)
        assert not erasing.done()
    await erasing
    assert await shown(told, ref) == ""
    with pytest.raises(ErasedError):
        async with resources.database.write() as connection:
            await resources.donors.agree(connection, entry, by="donor", staff="s-finance2demoa", consent=consent)
    await check_log(told)


# --- minors ---


async def test_a_minors_gift_needs_a_guardians_agreement(desk: Office) -> None:
    size = await desk.size()
    child = {"name": NAME, "minor": True}
    refused = await desk.post("gifts", gift(donor=child))
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/guardian-required")
    for missing in GUARDIAN:
        part = {name: value for name, value in GUARDIAN.items() if name != missing}
        assert (await desk.post("gifts", gift(donor={**child, "guardian": part}))).status_code == 400, missing
    adult = {"name": NAME, "guardian": GUARDIAN}
    assert (await desk.post("gifts", gift(donor=adult))).json()["type"] == "/problems/invalid-value"
    assert await desk.size() == size
    assert (await desk.post("gifts", gift(donor={**child, "guardian": GUARDIAN}))).status_code == 201


async def test_a_minor_is_never_named_whatever_was_agreed(desk: Office, told: Settings) -> None:
    ref, code = await give(desk, minor=True, guardian=GUARDIAN)
    assert await shown(told, ref) == ""
    for consent in (MASKED, FULL):
        refused = await agree(desk, ref, consent)
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/never-named")
    async with readers(told) as http:
        page = (await http.post("/trace", content=f"code={code}")).text
    assert "公示名称" not in page
    record = (await desk.get(f"gifts/{ref}/donor?reason=request")).json()
    assert (record["minor"], record["guardian"], record["shown"]) == (True, GUARDIAN, "")


async def test_no_entry_tells_a_minors_gift_from_another(desk: Office, told: Settings) -> None:
    child, _ = await give(desk, minor=True, guardian=GUARDIAN)
    adult = (await desk.post("gifts", gift(donor={"name": NAME}, channel_ref="adult"))).json()["entries"][0]["seq"]
    await erase(desk, child)
    last = (await desk.size()) - 1
    log = await check_log(told)
    assert log[last].body == entries.ErasureRecorded(basis="request", org=CITY, ref=child)
    one, other = [entries.canonical(log[seq].body) for seq in (child, adult)]
    assert len(one) == len(other), "nothing but the digests differs"
    assert (await desk.get(f"gifts/{child}/donor?reason=request")).status_code == 410


async def test_a_guardian_withdraws(desk: Office) -> None:
    ref, _ = await give(desk, minor=True, guardian=GUARDIAN)
    answer = await desk.http.delete(f"/api/v1/gifts/{ref}/consent?by=guardian", headers=desk.headers("maker"))
    assert answer.json() == {"ref": ref, "shown": ""}
    consents = (await desk.get(f"gifts/{ref}/donor?reason=request")).json()["consents"]
    assert [(each["by"], each["consent"] is None) for each in consents] == [("guardian", False), ("guardian", True)]


# --- reading the vault ---


async def test_whoever_reads_the_vault_is_on_record(desk: Office, told: Settings) -> None:
    ref, code = await give(desk)
    read = await desk.get(f"gifts/{ref}/donor?reason=request")
    assert read.headers["cache-control"] == "no-store"
    record = read.json()
    assert (record["name"], record["contact"], record["channel_ref"]) == (NAME, CONTACT, REFERENCE)
    assert (record["receipt_code"], record["amount_fen"]) == (code, 10_000)
    await desk.get(f"gifts/{ref}/donor?reason=ordered", who="administrator")
    for wrong in ("", "?reason=curiosity"):
        assert (await desk.get(f"gifts/{ref}/donor{wrong}")).status_code == 400
    assert (await desk.get(f"gifts/{ref}/donor?reason=request", who="checker")).status_code == 403
    accesses = (await desk.get(f"gifts/{ref}/accesses")).json()
    assert [each["reason"] for each in accesses] == ["ordered", "request"]
    assert (await desk.get(f"gifts/{ref}/accesses", who="checker")).status_code == 403
    async with acting_as("reader", told) as reader:
        assert await reader.fetchval("select has_table_privilege('access_record', 'select')") is False


async def test_a_sheet_that_is_still_needed_holds_up_the_erasure_of_its_donors(desk: Office, told: Settings) -> None:
    batch, ref = await import_of_one(desk)
    # Its second batch still waits for somebody's yes, and the file with both rows with it.
    (waits,) = [each["proposal"] for each in (await desk.get("proposals")).json()["proposals"]]
    refused = await desk.post("erasures", {"org": CITY, "ref": ref, "basis": "request"})
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/not-empty")
    await desk.post(f"proposals/{waits}/rejection", {"reason": "重复"}, who="checker")
    await erase(desk, ref)
    assert not [*told.sheets.glob("*/sheet")]
    codes = await desk.get(f"imports/{batch}/codes.csv")
    assert [*csv.DictReader(codes.text.splitlines())] == [], "no code of an erased gift is handed out"
    accesses = (await desk.get(f"gifts/{batch}/accesses")).json()
    assert [each["reason"] for each in accesses] == ["receipts", "receipts"]


async def import_of_one(desk: Office) -> tuple[int, int]:
    """A sheet of two notices, the first approved and entered; its number, and that of its one gift."""
    lines = ["source_file,source_row,donated_on,donor_public,amount_cny"]
    lines += [f"{notice},{row},2020-02-01,{NAME},{row}.00" for row, notice in enumerate(("第一期", "第二期"), 1)]
    staged = await desk.http.post("/api/v1/sheets", content="\n".join(lines).encode(), headers=desk.headers("maker"))
    check = f"sheets/{staged.json()['sheet']}/check"
    await desk.post(check, {"profile": "hubei-2020", "name": "公示.csv", "org": CITY, "fund": "general"})
    while (checked := (await desk.get(check)).json())["state"] == "checking":  # noqa: ASYNC110  it polls, as a client does
        await asyncio.sleep(0.02)
    made = checked["proposals"]["第一期"]
    approved = await desk.post(f"proposals/{made}/approval", who="checker")
    batch: int = approved.json()["entries"][-1]["seq"]
    while (await desk.get(f"imports/{batch}")).json()["completed_seq"] is None:  # noqa: ASYNC110  likewise
        await asyncio.sleep(0.02)
    (row,) = csv.DictReader((await desk.get(f"imports/{batch}/codes.csv")).text.splitlines())
    return batch, int(row["seq"])
