"""Erasure, from the door to the last byte: what goes, what stays, and that no backup brings it back."""

import asyncio
import shutil
from collections.abc import AsyncGenerator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from sqlmodel import SQLModel

from ledger import demo
from ledger.erasures import EraseDonor
from ledger.settings import Settings
from ledger.store.audit.stored import Stored
from ledger.store.availability import Stopped
from ledger.store.erasures import OF_A_GIFT, ErasureList
from ledger.store.files import SetupError
from ledger.store.keys import SubjectKeys
from ledger.store.rebuild import PROJECTIONS
from ledger.verify.report import Report
from ledger.verify.rule import Rule
from ledger.verify.verifier import verify
from tests.support import clerk, office
from tests.support.acting import acting_as_superuser
from tests.support.checklog import check_log, rebuilt
from tests.support.donor import CONTACT, NAME, REFERENCE, erase, files, give, readers, tables
from tests.support.logged import as_in_use
from tests.support.office import CITY, Office, gift
from tests.support.postgres import Cluster
from tests.support.program import environment, run
from tests.support.signing import signing
from tests.tamper.site import policy_of, proof_of, signer_of

UNKNOWN = "7K3M-9XQ2-F4HT-B8WY"


@pytest.fixture
async def desk(told: Settings) -> AsyncGenerator[Office]:
    async with office.opened(told) as opened:
        yield opened


async def audited(settings: Settings, **more: object) -> Report:
    """What `sunledger verify --database` says."""
    return await asyncio.to_thread(_audited, settings, more)


def _audited(settings: Settings, more: dict[str, object]) -> Report:
    assert settings.database_url is not None
    stored = Stored(settings, settings.database_url)
    with closing(stored.log()) as source:
        report = verify(source, processes=0, **{"policy": None, **more})  # type: ignore[arg-type]
    return stored.audited(report, lambda *_: None)


async def key_of(settings: Settings, ref: int) -> bytes | None:
    async with acting_as_superuser(settings) as connection:
        slot = await connection.fetchval("select slot from vault where seq = $1", ref)
    keys = SubjectKeys(settings.subject_keys)
    try:
        return keys.read(slot)
    finally:
        keys.close()


async def left_of(settings: Settings, ref: int) -> set[str]:
    """Tables that still hold something of the gift's donor."""
    async with acting_as_superuser(settings) as connection:
        found = {
            table
            for table in ("receipt", "public_name", "consent")
            if await connection.fetchval(f"select true from {table} where seq = $1 limit 1", ref)
        }
        if await connection.fetchval("select sealed <> '' from vault where seq = $1", ref):
            found.add("vault")
    return found


# --- what goes ---


async def test_nothing_of_an_erased_donor_is_left_in_any_table_file_or_log(told: Settings, cluster: Cluster) -> None:
    with as_in_use() as said:
        async with office.opened(told) as desk:
            ref, code = await give(desk)
            rumour = f"{NAME}来电要求退款"
            refund = {"org": CITY, "ref": ref, "on": "2026-07-02", "reason": rumour, "amount_fen": 1}
            waiting = (await desk.post("refunds", refund)).json()["proposal"]
            asked = (await desk.post("refunds", refund)).json()["proposal"]
            await desk.post(f"proposals/{asked}/rejection", {"reason": "无此事"}, who="checker")
            assert (await desk.get(f"gifts/{ref}/donor?reason=request")).json()["name"] == NAME
            key = await key_of(told, ref)
            assert key is not None
            await erase(desk, ref)
            assert (await desk.get(f"proposals/{waiting}")).json()["content"]["reason"] == rumour, "it still waits"
            await desk.post(f"proposals/{waiting}/withdrawal")
            assert (await desk.get(f"proposals/{waiting}")).json()["content"] is None
            async with readers(told) as http:
                await http.post("/api/v1/trace", json={"code": code})
                await http.post("/trace", content=f"code={code}")
        async for table, row in tables(told):
            for secret in (NAME, CONTACT, REFERENCE, code, code.replace("-", "")):
                assert secret not in row, table
                assert secret.encode().hex() not in row, table
        async with acting_as_superuser(told) as connection:
            await connection.execute("checkpoint")
        # What the server wrote is looked at, too: heaps with their dead rows, write-ahead log, messages. A proposal's
        # text is not sealed: the name that staff wrote into it is in the write-ahead log until the server reuses it.
        looked_at = 0
        for path, content in files(told.data_dir, cluster.server.data):
            looked_at += 1
            for secret in (CONTACT, REFERENCE, code, code.replace("-", "")):
                assert secret.encode() not in content, path
            assert key not in content, path
        assert looked_at > 100
        for secret in (NAME, CONTACT, REFERENCE, code, code.replace("-", "")):
            assert secret not in said.getvalue()


async def test_no_file_of_the_server_ever_holds_a_donors_name(told: Settings, cluster: Cluster) -> None:
    """Not even while it is public: it is sealed under a key outside, so that a dump names nobody."""
    async with office.opened(told) as desk:
        ref, _ = await give(desk, name="某某具名捐赠人")
        async with readers(told) as http:
            assert (await http.get(f"/api/v1/entries/{ref}/trace")).json()["gift"]["donor_name"] == "某某具名捐赠人"
    async with acting_as_superuser(told) as connection:
        await connection.execute("checkpoint")
    for path, content in files(told.data_dir, cluster.server.data):
        for secret in ("某某具名", CONTACT):
            assert secret.encode() not in content, path


def test_every_table_is_one_that_an_erasure_looks_at_or_says_nothing_of_a_donor() -> None:
    """A new one has to be put somewhere: among the projections, among those of one gift, or here, with a reason."""
    apart = {
        "access_record": "who looked at what, which outlives an erasure",
        "checkpoint": "signed heads",
        "credential": "of staff",
        "draft": "texts about the gift are blanked",
        "entry": "no name is in an entry",
        "head": "the last entry",
        "idempotency": "HMACs of requests",
        "lineage": "sums of many gifts, by fund and channel",
        "lineage_report": "of which published states there is one",
        "signing_key": "of the log",
        "tile": "hashes of entries",
        "visit": "who asked how often: HMACs, for an hour",
        "vault": "its record is emptied, its slot stays",
        "witness": "of the log",
        "witnessing": "of the log",
    }
    assert {*SQLModel.metadata.tables} == {*PROJECTIONS, *OF_A_GIFT, *apart}


@pytest.mark.parametrize("path", ["/api/v1/trace", "/api/v1/receipt", "/api/v1/dossier"])
async def test_no_door_tells_an_erased_code_from_an_unknown_or_a_wrong_one(
    desk: Office, told: Settings, path: str
) -> None:
    ref, code = await give(desk)
    async with readers(told) as http:
        assert (await http.post("/api/v1/trace", json={"code": code})).status_code == 200
        await erase(desk, ref)
        answers = [await http.post(path, json={"code": each}) for each in (code, UNKNOWN, wrong(code))]
    assert_alike(answers)
    assert answers[0].json()["type"] == "/problems/receipt-not-found"


@pytest.mark.parametrize("path", ["/trace", "/en/trace", "/dossier", "/certificate"])
async def test_no_page_tells_an_erased_code_from_an_unknown_or_a_wrong_one(
    desk: Office, told: Settings, path: str
) -> None:
    ref, code = await give(desk)
    async with readers(told) as http:
        assert (await http.post("/trace", data={"code": code})).status_code == 200
        await erase(desk, ref)
        assert_alike([await http.post(path, data={"code": each}) for each in (code, UNKNOWN, wrong(code))])


def wrong(code: str) -> str:
    """The same code, one symbol mistyped."""
    return code[:-1] + ("0" if code[-1] != "0" else "1")


def assert_alike(answers: list[httpx.Response]) -> None:
    """In status, every header but the number of the request, and every byte."""
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    named = [{name: value for name, value in each.headers.items() if name != "x-request-id"} for each in answers]
    assert all(headers == named[0] for headers in named)


async def test_what_is_left_of_an_erased_gift_names_nobody(desk: Office, told: Settings) -> None:
    ref, code = await give(desk)
    async with readers(told) as http:
        assert (await http.post("/api/v1/trace", json={"code": code})).status_code == 200
        await erase(desk, ref)
        shown = (await http.get(f"/api/v1/entries/{ref}/trace")).json()
        assert shown["gift"]["donor_name"] == ""
        assert shown["gift"]["amount_fen"] == sum(leaf["amount_fen"] for leaf in shown["leaves"])


async def test_after_an_erasure_every_door_to_the_donor_says_gone(desk: Office) -> None:
    ref, _ = await give(desk)
    await erase(desk, ref)
    donor = {"name": NAME, "contact": CONTACT, "consent": {"version": "2026-1", "on": "2026-07-01", "form": "full"}}
    again = await desk.post("gifts", gift(donor=donor, channel_ref=REFERENCE), key="her gift")
    assert (again.status_code, again.json()["type"]) == (410, "/problems/erased")
    assert (await desk.get(f"gifts/{ref}/donor?reason=request")).status_code == 410
    for verb, body in (("PUT", {"version": "2026-1", "on": "2026-07-01"}), ("DELETE", None)):
        answer = await desk.http.request(verb, f"/api/v1/gifts/{ref}/consent", json=body, headers=desk.headers("maker"))
        assert answer.status_code == 410
    assert len((await desk.get(f"gifts/{ref}/accesses")).json()) == 1, "who looked at her stays"
    second = await desk.post("gifts", gift(channel_ref=REFERENCE))
    assert second.json()["type"] == "/problems/already-recorded", "the gift is still in the log once"


async def test_an_erasure_takes_an_administrator_and_happens_once(desk: Office) -> None:
    ref, _ = await give(desk)
    body = {"org": CITY, "ref": ref, "basis": "request"}
    assert (await desk.post("erasures", body, who="checker")).status_code == 403
    made = (await desk.post("erasures", body)).json()["proposal"]
    assert (await desk.post(f"proposals/{made}/approval", who="checker")).status_code == 403
    assert (await desk.post("erasures", {**body, "ref": 0})).status_code == 404
    assert (await desk.post("erasures", {**body, "basis": "whim"})).status_code == 400
    await erase(desk, ref)
    assert (await desk.post("erasures", body)).json()["type"] == "/problems/already-recorded"


# --- what stays ---


async def test_every_proof_still_verifies_after_an_erasure(told: Settings) -> None:
    settings = signing(told)
    async with office.opened(settings) as desk:
        publisher = desk.resources.publisher
        assert publisher is not None
        ref, code = await give(desk)
        assert await publisher.wait_for(ref, 60)
        receipt, policy = await proof_of(settings, ref), policy_of(signer_of(settings))
        assert await publisher.wait_for(await erase(desk, ref), 60)
    await check_log(settings)
    plain = privacy_code(code)
    report = await audited(settings, policy=policy, receipts=[receipt], codes=[plain])
    assert (report.findings, report.trouble, report.exit_code) == ((), "", 0), report.text()
    await rebuilt(settings)
    report = await audited(settings, policy=policy, receipts=[receipt], codes=[plain])
    assert report.exit_code == 0, report.text()


def privacy_code(code: str) -> str:
    return code.replace("-", "")


async def test_an_erasure_that_was_not_carried_out_is_found(told: Settings) -> None:
    async with office.opened(told) as desk:
        ref, _ = await give(desk)
        async with acting_as_superuser(told) as connection:
            kept = await connection.fetchrow("select * from receipt where seq = $1", ref)
            name = await connection.fetchrow("select * from public_name where seq = $1", ref)
            sealed = await connection.fetchval("select sealed from vault where seq = $1", ref)
        await erase(desk, ref)
    assert kept is not None
    assert name is not None
    async with acting_as_superuser(told) as connection:
        await connection.execute("insert into receipt values ($1, $2, $3, $4)", *kept)
        await connection.execute("insert into public_name values ($1, $2, $3)", *name)
        await connection.execute("update vault set sealed = $2 where seq = $1", ref, sealed)
    found = [each for each in (await audited(told)).findings if each.rule == Rule.TABLE_KEPT]
    assert {each.place.split(" ")[0] for each in found} == {"receipt", "public_name", "vault"}


# --- crashes and backups ---


class Stuck(SubjectKeys):
    """A key file that cannot be overwritten."""

    def destroy(self, slot: int) -> None:
        raise OSError(5, f"slot {slot}")


async def test_a_crash_between_the_entry_and_the_key_is_healed_at_the_next_start(told: Settings) -> None:
    async with office.opened(told) as desk:
        ref, _ = await give(desk)
    stuck = Stuck(told.subject_keys, write=True)
    try:
        async with clerk.opened(told, subjects=stuck) as staff:
            (made,) = await staff.do(EraseDonor(maker=demo.MAKER, org=CITY, ref=ref, basis="request"))
            with pytest.raises(Stopped):
                await staff.approve(made.seq, demo.FOUNDER)
            assert staff.sequencer.stopped, "it does not go on beside a key that should be gone"
    finally:
        stuck.close()
    assert await key_of(told, ref) is not None
    assert await left_of(told, ref) == set(), "what the database held went with the entry"
    async with office.opened(told) as desk:
        assert await key_of(told, ref) is None
        assert [each.seq for each in ErasureList(told.erasures).read()][-1:] == [ref], "behind the story's own"
    await check_log(told)


async def test_a_database_from_before_an_erasure_is_erased_again_before_a_port_opens(
    told: Settings, cluster: Cluster
) -> None:
    async with office.opened(told) as desk:
        ref, code = await give(desk)
    assert told.database_url is not None
    await cluster.create_database("before_the_erasure", told.database_url.rpartition("/")[2].partition("?")[0])
    restored = told.model_copy(update={"database_url": cluster.url("before_the_erasure")})
    try:
        async with office.opened(told) as desk:
            await erase(desk, ref)
        assert await left_of(restored, ref) == {"receipt", "public_name", "vault"}
        with pytest.raises(SetupError, match="start the admin application first"):
            async with readers(restored):
                pass
        said = await asyncio.to_thread(run, environment(restored), "public")
        assert (said.code, said.out) == (1, "")
        assert said.err.startswith(f"sunledger: the data of the donor of gift {ref} were erased"), said.err
        async with office.opened(restored) as desk:
            assert await left_of(restored, ref) == set()
            async with readers(restored) as http:
                assert (await http.post("/api/v1/trace", json={"code": code})).status_code == 404
            places = {each.place for each in (await audited(restored)).findings}
            assert f"receipt seq={ref}" in places, "the log does not say yet why it is gone"
            await erase(desk, ref)
        assert not (await audited(restored)).findings
        await check_log(restored)
    finally:
        await cluster.drop_database("before_the_erasure")


async def test_a_key_file_from_before_an_erasure_loses_the_key_again(told: Settings, tmp_path: Path) -> None:
    old = tmp_path / "keys.backup"
    async with office.opened(told) as desk:
        ref, _ = await give(desk)
        shutil.copy(told.subject_keys, old)
        await erase(desk, ref)
    shutil.copy(old, told.subject_keys)
    assert await key_of(told, ref) is not None
    async with office.opened(told):
        assert await key_of(told, ref) is None
    await check_log(told)


async def test_a_number_that_a_restore_gave_to_another_gift_is_not_erased(told: Settings) -> None:
    async with office.opened(told) as desk:
        ref, _ = await give(desk)
    told.erasures.write_text(f"{ref} {'0' * 64}\n")
    async with office.opened(told):
        assert await key_of(told, ref) is not None
    await check_log(told)


async def test_the_list_of_erasures_is_written_anew_where_it_was_lost(told: Settings) -> None:
    async with office.opened(told) as desk:
        ref, _ = await give(desk)
        await erase(desk, ref)
    kept = told.erasures.read_bytes()
    told.erasures.unlink()
    with pytest.raises(SetupError, match="is missing"):
        async with readers(told):
            pass
    async with office.opened(told), readers(told):
        assert told.erasures.read_bytes() == kept


def test_a_torn_line_of_the_list_is_none_and_a_wrong_one_is_told(tmp_path: Path) -> None:
    listed = ErasureList(tmp_path / "erasures")
    assert listed.read() == []
    listed.path.write_text(f"7 {'ab' * 32}\n9 cd")
    (one,) = listed.read()
    listed.add([one, one._replace(seq=11)])
    assert [each.seq for each in listed.read()] == [7, 11]
    listed.path.write_text("nonsense\n")
    with pytest.raises(SetupError, match="line 1"):
        listed.read()
