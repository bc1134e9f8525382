"""Acknowledgements: how far an entry has come on its way under a signature, and waiting for it (RFC 7240)."""

from collections.abc import AsyncGenerator

import httpx
import pytest

from api.admin.preference import MAX_WAIT_S
from ledger import entries
from ledger.log.policy import Policy
from ledger.log.proof import LogProof
from ledger.settings import Settings
from ledger.store.queries import log
from ledger.store.queries.entries import read_written
from tests.support.office import CITY, Office, gift, opened
from tests.support.signing import signing


@pytest.fixture
async def office(told: Settings) -> AsyncGenerator[Office]:
    """One that publishes."""
    async with opened(signing(told)) as office:
        yield office


@pytest.fixture
async def unsigned(told: Settings) -> AsyncGenerator[Office]:
    """One without a signing key."""
    async with opened(told) as office:
        yield office


def wait(value: str) -> dict[str, str]:
    return {"Prefer": value}


async def convinces(office: Office, answer: httpx.Response) -> None:
    """Each entry of the answer is proven, with the log's own key."""
    async with office.resources.database.raw() as connection:
        (key,) = await log.signing_keys(connection)
        for entry in answer.json()["entries"]:
            written = await read_written(connection, entry["seq"])
            assert written is not None
            assert entries.digest(written) == entry["sha256"]
            LogProof.parse(entry["proof"].encode()).verify(written, Policy.parse(f"log {key}\nquorum none\n"))


async def test_a_write_that_waits_is_answered_published_with_its_proof(office: Office) -> None:
    answer = await office.post("gifts", gift(), headers=wait("wait=60"))
    assert answer.status_code == 201
    assert answer.headers["preference-applied"] == f"wait={MAX_WAIT_S}", "the wait is bounded"
    told = answer.json()
    assert (told["state"], told["publisher"]) == ("published", "running")
    await convinces(office, answer)


async def test_every_entry_of_an_answer_is_proven(office: Office) -> None:
    await office.post("gifts", gift(fund="flood", amount_fen=2_000_000))
    body = {"org": CITY, "fund": "flood", "project": "flood-aid", "amount_fen": 1_000_000, "on": "2026-07-01"}
    proposed = await office.post("allocations", body, headers=wait("wait=9"))
    assert (proposed.status_code, proposed.json()["state"]) == (202, "published")
    await convinces(office, proposed)
    path = f"proposals/{proposed.json()['proposal']}/approval"
    approved = await office.post(path, who="checker", headers=wait("wait=9"))
    assert len(approved.json()["entries"]) == 2
    await convinces(office, approved)


async def test_a_write_that_does_not_wait_says_how_far_it_came_and_a_retry_how_far_it_is(office: Office) -> None:
    first = await office.post("gifts", gift(), key="once")
    assert first.json()["state"] in {*log.LogState}
    assert "preference-applied" not in first.headers
    assert first.json()["entries"][0]["proof"] == ""
    again = await office.post("gifts", gift(), key="once", headers=wait("wait=9"))
    assert again.json()["state"] == "published"
    assert again.json()["receipt_code"] == first.json()["receipt_code"]
    await convinces(office, again)


async def test_without_a_key_nobody_waits_and_the_answer_says_why(unsigned: Office) -> None:
    answer = await unsigned.post("gifts", gift(), headers=wait("wait=60"))
    told = answer.json()
    assert (answer.status_code, told["state"], told["publisher"]) == (201, "sequenced", "none")
    assert told["entries"][0]["proof"] == ""
    assert "preference-applied" not in answer.headers


async def test_a_publisher_that_stops_keeps_nobody_waiting(office: Office, told: Settings) -> None:
    assert (await office.post("gifts", gift(channel_ref="1"), headers=wait("wait=9"))).json()["state"] == "published"
    told.outside_checkpoint.write_text("somebody else was here")
    answer = await office.post("gifts", gift(), headers=wait("wait=60"))
    assert answer.status_code == 201, "writing does not depend on publishing"
    assert (answer.json()["state"], answer.json()["publisher"]) == ("integrated", "stopped")
    again = await office.post("gifts", gift(channel_ref="2"), headers=wait("wait=60"))
    assert again.json()["publisher"] == "stopped"
    assert "preference-applied" not in again.headers


@pytest.mark.parametrize("said", ["wait", "wait=", "wait=soon", "wait=-1", "return=minimal", "wait=1.5", "xwait=5"])
async def test_what_is_no_wait_is_left_aside(office: Office, said: str) -> None:
    answer = await office.post("gifts", gift(), headers=wait(said))
    assert answer.status_code == 201
    assert "preference-applied" not in answer.headers


@pytest.mark.parametrize(
    ("said", "applied"),
    [('wait="3"', 3), ("WAIT = 3", 3), ("respond-async, wait=3", 3), ("wait=3, wait=7", 3), ("wait=3; x=y", 3)],
)
async def test_the_forms_of_the_rfc_are_read(office: Office, said: str, applied: int) -> None:
    answer = await office.post("gifts", gift(), headers=wait(said))
    assert answer.headers["preference-applied"] == f"wait={applied}"
    assert answer.json()["state"] == "published"
