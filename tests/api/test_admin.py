"""The admin application, over HTTP, on a real database."""

import asyncio
from collections.abc import AsyncGenerator

import httpx
import pytest

from ledger import demo, privacy
from ledger.approvals import ApproveProposal
from ledger.settings import Settings
from tests.support.acting import acting_as
from tests.support.office import CITY, Office, gift, opened


@pytest.fixture
async def office(told: Settings) -> AsyncGenerator[Office]:
    async with opened(told) as office:
        yield office


async def test_a_gift_is_recorded_and_answered_with_a_receipt_code(office: Office) -> None:
    size = await office.size()
    answer = await office.post("gifts", gift())
    assert answer.status_code == 201
    told = answer.json()
    assert (told["state"], told["result"]) == ("sequenced", "entered")
    assert [entry["kind"] for entry in told["entries"]] == ["money.received"]
    assert privacy.parse_code(told["receipt_code"]) is not None
    assert told["entries"][0]["seq"] == size == await office.size() - 1


async def test_a_retry_with_the_same_key_gets_the_same_answer_and_enters_nothing(office: Office) -> None:
    first = await office.post("gifts", gift(), key="once")
    size = await office.size()
    again = await office.post("gifts", gift(), key="once")
    assert again.content == first.content
    assert again.status_code == first.status_code
    assert await office.size() == size


async def test_retries_at_the_same_time_enter_one_gift(office: Office) -> None:
    size = await office.size()
    answers = await asyncio.gather(*(office.post("gifts", gift(), key="once") for _ in range(8)))
    assert len({answer.content for answer in answers}) == 1
    assert await office.size() == size + 1


async def test_the_same_key_with_other_content_is_refused(office: Office) -> None:
    await office.post("gifts", gift(), key="once")
    answer = await office.post("gifts", gift(amount_fen=1), key="once")
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/idempotency-key-reused")


async def test_two_people_may_use_the_same_key(office: Office) -> None:
    await office.post("gifts", gift(), key="mine")
    answer = await office.post("events", {"event": "quake", "name": "地震"}, key="mine", who="administrator")
    assert answer.status_code == 201


@pytest.mark.parametrize("door", ["gifts", "unidentified"])
async def test_a_channel_reference_is_entered_once_and_the_second_time_leads_to_the_first(
    office: Office, door: str
) -> None:
    body = gift()
    if door == "unidentified":
        body = {name: body[name] for name in ("org", "amount_fen", "channel", "channel_ref", "on")}
    first = (await office.post(door, body)).json()
    answer = await office.post("gifts", gift())
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/already-recorded")
    assert answer.json()["entry"] == first["entries"][0]["seq"]
    assert "ref" not in answer.json(), "a commitment tells a clerk nothing"


async def test_a_reference_pasted_with_what_nobody_sees_is_the_same(office: Office) -> None:
    await office.post("gifts", gift(channel_ref="10001"))
    answer = await office.post("gifts", gift(channel_ref=" １０００1\u200b"))
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/already-recorded")


async def test_it_is_not_ready_once_another_sequencer_took_over(office: Office, told: Settings) -> None:
    assert (await office.http.get("/readyz")).status_code == 200
    async with acting_as("owner", told) as owner:
        await owner.execute("update head set epoch = epoch + 10")
    await office.post("gifts", gift())
    answer = await office.http.get("/readyz")
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/read-only")
    assert "another sequencer" in answer.json()["detail"]


async def test_a_retry_of_a_proposal_gets_the_same_number(office: Office) -> None:
    body = {"org": CITY, "fund": "flood", "project": "flood-aid", "amount_fen": 1, "on": "2026-07-01"}
    payment = {
        "org": CITY,
        "project": "flood-aid",
        "amount_fen": 1,
        "spending": "aid",
        "payee": "persons",
        "purpose": "慰问",
        "on": "2026-07-01",
    }
    assert (await office.post("allocations", body)).status_code == 201
    first = await office.post("disbursements", payment, key="pay")
    again = await office.post("disbursements", payment, key="pay")
    assert first.status_code == 202
    assert again.content == first.content


@pytest.mark.parametrize("amount", ["100", True, 1.5, 0, -1, 10**16, None, "１００", [1]])
async def test_a_wrong_amount_is_a_400_that_changes_nothing(office: Office, amount: object) -> None:
    size = await office.size()
    answer = await office.post("gifts", gift(amount_fen=amount))
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/invalid-request")
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert [error["field"] for error in answer.json()["errors"]] == ["amount_fen"]
    assert await office.size() == size


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": 5},
        {"on": "2026-07-01T10:00:00"},
        {"on": "2026-02-30"},
        {"on": "9999-01-01"},
        {"org": "330800:x"},
        {"fund": "FLOOD"},
        {"channel": ""},
        {"channel_ref": "x" * 501},
        {"donor": {"name": "x", "phone": "1"}},
        {"donor_class": "king"},
    ],
)
async def test_a_wrong_field_is_a_400_that_changes_nothing(office: Office, wrong: dict[str, object]) -> None:
    size = await office.size()
    answer = await office.post("gifts", gift(**wrong))
    assert answer.status_code == 400
    assert answer.json()["type"] in {"/problems/invalid-request", "/problems/invalid-value"}
    assert await office.size() == size


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"org":"\xc3\x28"}', b'{"amount_fen":1e400}']
)
async def test_a_broken_body_is_a_400(office: Office, body: bytes) -> None:
    headers = {**office.headers("maker"), "Idempotency-Key": "k", "Content-Type": "application/json"}
    answer = await office.http.post("/api/v1/gifts", content=body, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/invalid-request")


async def test_an_oversized_body_is_a_413(office: Office) -> None:
    answer = await office.post("gifts", gift(channel_ref="x" * 100_000))
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")


async def test_a_write_without_a_key_is_a_400(office: Office) -> None:
    answer = await office.http.post("/api/v1/gifts", json=gift(), headers=office.headers("maker"))
    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.json()["detail"]


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic x"}])
async def test_nobody_gets_in_without_a_token(office: Office, header: dict[str, str]) -> None:
    for path in ("whoami", "proposals", "imports"):
        answer = await office.http.get(f"/api/v1/{path}", headers=header)
        assert (answer.status_code, answer.json()["type"]) == (401, "/problems/unauthorised")
    answer = await office.http.post("/api/v1/gifts", json=gift(), headers={**header, "Idempotency-Key": "k"})
    assert answer.status_code == 401


async def test_roles_come_from_the_log(office: Office) -> None:
    answer = await office.post("gifts", gift(), who="checker")
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/role-required")
    held = (await office.get("whoami", who="checker")).json()
    assert held["staff"] == demo.CHECKER
    assert held["roles"][CITY] == ["approver"]


async def test_roles_are_given_by_their_names(office: Office) -> None:
    wanted = {"staff": "s-7h2d4p2w6c5ra", "org": CITY, "roles": ["finance", "approver"]}
    answer = await office.post("staff", wanted, who="administrator")
    assert (answer.status_code, answer.json()["result"]) == (202, "proposed"), answer.text
    answer = await office.post("staff", {**wanted, "roles": ["king"]}, who="administrator")
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/invalid-request")


async def test_who_holds_which_roles_is_what_the_log_says_now(office: Office) -> None:
    def of(answer: httpx.Response, staff: str) -> list[str] | None:
        return next((each["roles"].get(CITY) for each in answer.json()["staff"] if each["staff"] == staff), None)

    before = await office.get("staff")
    assert of(before, demo.CHECKER) == ["approver"]
    assert [each["staff"] for each in before.json()["staff"]] == sorted(
        each["staff"] for each in before.json()["staff"]
    )
    dismissed = await office.post("staff/dismissals", {"staff": demo.CHECKER, "org": CITY}, who="administrator")
    assert dismissed.status_code == 202, dismissed.text
    assert of(await office.get("staff"), demo.CHECKER) == ["approver"], "not yet approved"
    resources = office.resources
    await resources.sequencer.submit(ApproveProposal(maker=demo.SECOND, proposal=dismissed.json()["proposal"]))
    assert of(await office.get("staff"), demo.CHECKER) is None


async def test_an_unknown_path_and_method_are_problems_with_a_request_id(office: Office) -> None:
    missing = await office.get("nothing")
    assert (missing.status_code, missing.json()["type"]) == (404, "/problems/not-found")
    wrong = await office.http.delete("/api/v1/gifts", headers=office.headers("maker"))
    assert (wrong.status_code, wrong.json()["type"]) == (405, "/problems/method-not-allowed")
    assert missing.headers["x-request-id"] != wrong.headers["x-request-id"]


async def test_four_eyes_over_http(office: Office) -> None:
    allocation = {"org": CITY, "fund": "general", "project": "qz-01", "amount_fen": 4_000, "on": "2026-07-02"}
    assert (await office.post("allocations", allocation)).json()["result"] == "entered"
    payment = {
        "org": CITY,
        "project": "qz-01",
        "amount_fen": 4_000,
        "spending": "aid",
        "payee": "persons",
        "purpose": "慰问",
        "on": "2026-07-02",
        "beneficiaries": "1-4",
        "region": CITY,
    }
    proposed = await office.post("disbursements", payment)
    assert (proposed.status_code, proposed.json()["result"]) == (202, "proposed")
    number = proposed.json()["proposal"]
    waiting = (await office.get(f"proposals/{number}", who="checker")).json()
    assert waiting["content"]["purpose"] == "慰问"
    assert (await office.post(f"proposals/{number}/approval")).json()["type"] == "/problems/four-eyes"
    approved = await office.post(f"proposals/{number}/approval", who="checker")
    assert [entry["kind"] for entry in approved.json()["entries"]] == ["proposal.approved", "money.disbursed"]
    again = await office.post(f"proposals/{number}/approval", who="checker")
    assert (again.status_code, again.json()["type"]) == (409, "/problems/closed")
    assert (await office.get(f"proposals/{number}")).json()["status"] == "effected"


async def test_too_much_is_refused_and_names_what_is_in_the_way(office: Office) -> None:
    body = {"org": CITY, "fund": "flood", "project": "flood-aid", "amount_fen": 68_988, "on": "2026-07-01"}
    assert (await office.post("allocations", body)).status_code == 201
    answer = await office.post("allocations", body)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/insufficient-amount")
    assert (answer.json()["wanted"], answer.json()["available"]) == (68_988, 0)


async def test_a_full_queue_is_a_503_with_retry_after(told: Settings) -> None:
    async with opened(told.model_copy(update={"queue_size": 1})) as office:
        answers = await asyncio.gather(*(office.post("gifts", gift(channel_ref=f"{i}")) for i in range(32)))
        statuses = {answer.status_code for answer in answers}
        assert statuses == {201, 503}
        busy = next(answer for answer in answers if answer.status_code == 503)
        assert busy.json()["type"] == "/problems/busy"
        assert int(busy.headers["retry-after"]) > 0
        entered = sum(answer.status_code == 201 for answer in answers)
        async with office.resources.database.raw() as connection:
            assert await connection.fetchval("select count(*) from gift where day = '2026-07-01'") == entered


async def test_a_process_that_was_fenced_off_says_so(office: Office) -> None:
    async with office.resources.database.raw() as connection:
        await connection.execute("update head set epoch = epoch + 1")
    answer = await office.post("gifts", gift())
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/read-only")


async def test_every_door_is_described_with_problems_and_an_operation_id(office: Office) -> None:
    document = (await office.http.get("/schema/openapi.json")).json()
    operations = [(path, verb, each) for path, item in document["paths"].items() for verb, each in item.items()]
    assert len({each["operationId"] for _, _, each in operations}) == len(operations)
    for path, verb, each in operations:
        assert each["summary"], path
        for status, answer in each["responses"].items():
            if status >= "400":
                assert [*answer["content"]] == ["application/problem+json"], (path, verb, status)
        if verb == "post" and not path.startswith("/api/v1/sheets"):
            assert "Idempotency-Key" in {parameter["name"] for parameter in each.get("parameters", [])}, path


async def test_tokens_stop_working_once_revoked(office: Office) -> None:
    async with office.resources.database.write() as connection:
        await connection.execute("update credential set revoked_at = now() where staff = $1", demo.CHECKER)
    assert (await office.get("whoami", who="checker")).status_code == 401


async def test_no_name_reaches_an_entry_or_a_table_in_the_clear(office: Office, told: Settings) -> None:
    donor = {"name": "某某来访捐赠人", "contact": "13800000000"}
    await office.post("gifts", gift(donor=donor, channel_ref="REF-4711"))
    async with acting_as("owner", told) as connection:
        tables = await connection.fetch("select tablename from pg_tables where tableowner = 'sunledger_owner'")
        assert len(tables) > 20
        for (table,) in tables:
            if table == "alembic_version":
                continue
            for row in await connection.fetch(f'select t::text as text from "{table}" t'):
                for secret in (donor["name"], donor["contact"], "REF-4711"):
                    assert secret not in row["text"], table
                    assert secret.encode().hex() not in row["text"], table
