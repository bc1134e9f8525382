"""The publisher and its witnesses: real processes over real HTTP, dead, slow, stubborn and honest ones."""

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from api.public import app as public
from ledger.log.errors import QuorumError
from ledger.log.key import VerifierKey
from ledger.log.policy import Policy
from ledger.log.witness import AddCheckpoint
from ledger.settings import Settings
from ledger.store import setup, signing
from ledger.store.files import SetupError
from ledger.store.keys import LookupKeys
from ledger.store.queries import log
from ledger.store.queries.log import Witnessed, WitnessState
from tests.support.foreign import foreign
from tests.support.keys import ed25519_cosigner
from tests.support.oddity import Answer, answering
from tests.support.office import Office, gift, opened
from tests.support.postgres import Cluster
from tests.support.program import free_port
from tests.support.visitor import visitor
from tests.support.witness import witness

ORIGIN = "sunshine-ledger.example/log"
NOBODY = "http://127.0.0.1:1"
SECONDS = 60


@pytest.fixture
def signed(told: Settings, tmp_path: Path) -> Settings:
    """The demo's log with a signing key, and a policy file still to be written."""
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("only for this test")
    settings = told.model_copy(
        update={"signing_passphrase_file": passphrase, "witness_policy": tmp_path / "policy", "witness_timeout_s": 60.0}
    )
    signing.create(settings.signing, settings.passphrase)
    return settings


@pytest.fixture
def vkey(signed: Settings) -> str:
    """The log's public key."""
    (key,) = signing.signer(signed.signing, signed.passphrase, ORIGIN).keys
    return str(key)


def policy(signed: Settings, *lines: str) -> None:
    """Write the operator's policy file."""
    assert signed.witness_policy is not None
    signed.witness_policy.write_text("".join(f"{line}\n" for line in lines))


async def state(office: Office) -> Witnessed:
    async with office.resources.database.raw() as connection:
        found = await log.witnessed(connection)
    assert found is not None
    return found


async def until(office: Office, true: Callable[[dict[str, WitnessState]], bool]) -> None:
    """Wait for what the witnesses' states become."""
    async with asyncio.timeout(SECONDS):
        while not true({w.name: w for w in (await state(office)).witnesses}):  # noqa: ASYNC110  it is in the database
            await asyncio.sleep(0.05)


async def published(office: Office) -> bytes:
    """The newest checkpoint, once it covers the whole log."""
    assert office.resources.publisher is not None
    assert await office.resources.publisher.wait_for(await office.size() - 1, SECONDS)
    async with office.resources.database.raw() as connection:
        note = await log.last_checkpoint(connection)
    assert note is not None
    return note


async def passed_over(office: Office) -> None:
    """Wait until the publisher found no quorum, and was through with that."""
    publisher = office.resources.publisher
    assert publisher is not None
    async with asyncio.timeout(SECONDS):
        while publisher.has_quorum:  # noqa: ASYNC110  it is the publisher's own pace
            await asyncio.sleep(0.05)
        reference = f"after {await office.size()}"
        assert (await office.post("gifts", gift(channel_ref=reference), key=reference)).status_code == 201
        size = await office.size()
        while publisher.progress.sequenced < size:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def served_policy(office: Office) -> Policy:
    async with office.resources.database.raw() as connection:
        text = await log.served_policy(connection)
    assert text is not None
    return Policy.parse(text)


async def test_a_quorum_cosigns_though_one_is_dead(signed: Settings, vkey: str, tmp_path: Path) -> None:
    dead = f"witness dead {ed25519_cosigner('dead.example').key} {NOBODY}"
    with witness(tmp_path, "a", vkey) as a, witness(tmp_path, "b", vkey) as b:
        policy(signed, a.line, b.line, dead, "group g 2 a b dead", "quorum g")
        async with opened(signed) as office:
            for i in range(3):
                await office.post("gifts", gift(channel_ref=f"{i}"))
                times_s = (await served_policy(office)).open_checkpoint(await published(office)).cosigned_at_s
                assert {"a", "b"} <= times_s.keys()
                seen = (await state(office)).cosigned_at
                assert seen is not None
                assert seen.timestamp() == min(times_s["a"], times_s["b"])
            await until(office, lambda states: "no answer" in states["dead"].trouble)
            found = await state(office)
            assert (found.has_quorum, found.quorum) == (True, "g")
            assert found.waiting_since is None
            assert [(w.name, w.has_cosigned_newest) for w in found.witnesses] == [
                ("a", True),
                ("b", True),
                ("dead", False),
            ]


async def test_a_foreign_verifier_accepts_the_cosigned_checkpoint(signed: Settings, vkey: str, tmp_path: Path) -> None:
    tlog, foreign_keys = foreign("tlog_scales.tlog", "tlog-scales"), foreign("tlog_scales.signing", "tlog-scales")
    signing.create(signing.ml_dsa_path(signed.signing), signed.passphrase, ml_dsa=True)
    with witness(tmp_path, "a", vkey) as a:
        policy(signed, a.line, "quorum a")
        async with opened(signed) as office:
            note = await published(office)
            async with office.resources.database.raw() as connection:
                ours = [*await log.signing_keys(connection), str(a.keys[0])]
    assert [VerifierKey.parse(key).type for key in ours] == [1, 6, 4]
    theirs = tlog.Checkpoint.from_text(note.decode())
    keys = foreign_keys.VkeySet(*map(foreign_keys.Vkey.from_string, ours))
    assert len(keys.verify(theirs.signatures, theirs)) == 3


async def test_without_a_quorum_it_publishes_and_says_so(signed: Settings, vkey: str, tmp_path: Path) -> None:
    dead = f"witness dead {ed25519_cosigner('dead.example').key} {NOBODY}"
    policy(signed, dead, "quorum dead")
    async with opened(signed) as office:
        note = await published(office)
        with pytest.raises(QuorumError):
            (await served_policy(office)).open_checkpoint(note)
        assert not (await state(office)).has_quorum


async def test_where_a_quorum_is_required_nothing_is_published_without_it(
    signed: Settings, vkey: str, tmp_path: Path
) -> None:
    port = free_port()
    with witness(tmp_path, "a", vkey, port=port) as a:
        policy(signed, a.line, "quorum a")
    closed = signed.model_copy(update={"witness_required": True})
    async with opened(closed) as office:
        publisher = office.resources.publisher
        assert publisher is not None
        await passed_over(office)
        async with office.resources.database.raw() as connection:
            assert await log.last_checkpoint(connection) is None
        assert publisher.progress.published == 0
        with witness(tmp_path, "a", vkey, port=port):
            (await served_policy(office)).open_checkpoint(await published(office))
    async with opened(closed) as office:  # what is published stays so, without asking again
        await published(office)


async def test_what_was_signed_and_not_published_waits_through_restarts(
    signed: Settings, vkey: str, tmp_path: Path
) -> None:
    """It lies in the file outside; a start must not take it for published, nor sign another one of that size."""
    port = free_port()
    with witness(tmp_path, "a", vkey, port=port) as a:
        policy(signed, a.line, "quorum a")
    closed = signed.model_copy(update={"witness_required": True})
    for _ in range(2):
        async with opened(closed) as office:
            await passed_over(office)
            async with office.resources.database.raw() as connection:
                assert await log.last_checkpoint(connection) is None
    waiting = log.checkpoint_of(signed.outside_checkpoint.read_bytes())
    with witness(tmp_path, "a", vkey, port=port):
        async with opened(closed) as office:
            assert log.checkpoint_of(await published(office)).size > waiting.size
            async with office.resources.database.raw() as connection:
                first = await connection.fetchval("select note from checkpoint order by size limit 1")
    assert log.checkpoint_of(first) == waiting


async def test_a_slow_witness_delays_nothing_beyond_the_timeout_and_joins_later(
    signed: Settings, vkey: str, tmp_path: Path
) -> None:
    """It answers only once the checkpoint is published without it, however long that takes."""
    may_answer = threading.Event()
    with witness(tmp_path, "a", vkey) as a:

        def slow(body: bytes) -> Answer:
            may_answer.wait(SECONDS)
            said = httpx.post(f"{a.url}/add-checkpoint", content=body)
            return said.status_code, said.headers["content-type"], said.content

        with answering(slow) as url:
            policy(signed, f"witness a {a.keys[0]} {url}", "quorum a")
            async with opened(signed.model_copy(update={"witness_timeout_s": 0.1})) as office:
                note = await published(office)
                with pytest.raises(QuorumError):
                    (await served_policy(office)).open_checkpoint(note)
                may_answer.set()
                await until(office, lambda states: states["a"].has_cosigned_newest)
                assert (await served_policy(office)).open_checkpoint(await published(office)).cosigned_at_s.keys() == {
                    "a"
                }


async def test_where_a_quorum_is_required_a_slow_witness_is_enough(signed: Settings, vkey: str, tmp_path: Path) -> None:
    """It takes longer than the publisher waits, each time, and entries keep coming."""
    with witness(tmp_path, "a", vkey) as a:

        def slow(body: bytes) -> Answer:
            time.sleep(0.3)
            said = httpx.post(f"{a.url}/add-checkpoint", content=body)
            return said.status_code, said.headers["content-type"], said.content

        with answering(slow) as url:
            policy(signed, f"witness a {a.keys[0]} {url}", "quorum a")
            update = {"witness_timeout_s": 0.05, "witness_required": True}
            async with opened(signed.model_copy(update=update)) as office:
                publisher = office.resources.publisher
                assert publisher is not None
                waiting, number = asyncio.create_task(publisher.wait_for(await office.size() + 3, SECONDS)), 0
                while not waiting.done():
                    assert (await office.post("gifts", gift(channel_ref=f"{number}"))).status_code == 201
                    number += 1
                    await asyncio.sleep(0.05)
                assert await waiting
                (await served_policy(office)).open_checkpoint(await published(office))


async def test_a_409_with_a_size_is_tried_again_from_there(signed: Settings, vkey: str, tmp_path: Path) -> None:
    asked: list[int] = []
    with witness(tmp_path, "a", vkey) as a:

        def relay(body: bytes) -> Answer:
            asked.append(AddCheckpoint.parse(body).old_size)
            said = httpx.post(f"{a.url}/add-checkpoint", content=body)
            return said.status_code, said.headers["content-type"], said.content

        with answering(relay) as url:
            policy(signed, f"witness a {a.keys[0]} {url}", "quorum a")
            async with opened(signed) as office:
                await published(office)
                size = await office.size()
            async with opened(signed) as office, office.resources.database.raw() as connection:
                await until(office, lambda states: states["a"].has_cosigned_newest)
                await connection.execute("update witness set size = 3")
            async with opened(signed) as office:
                await office.post("gifts", gift())
                await published(office)
                assert (await state(office)).has_quorum
    assert asked[0] == 0
    assert asked[asked.index(3) + 1] == size


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((409, "text/plain", b"5\n"), "HTTP 409"),
        ((422, "text/plain", b"consistency\n"), "HTTP 422: consistency"),
        ((409, "text/x.tlog.size", b"1000000\n"), "it cosigned 1000000 entries"),
    ],
)
async def test_a_witness_that_knows_another_history_is_an_alarm_for_all_to_see(
    signed: Settings, answer: Answer, says: str
) -> None:
    asked: list[bytes] = []

    def stubborn(body: bytes) -> Answer:
        asked.append(body)
        return answer

    with answering(stubborn) as url:
        policy(signed, f"witness a {ed25519_cosigner('a.example').key} {url}", "quorum a")
        async with opened(signed) as office:
            await published(office)
            await until(office, lambda states: says in states["a"].alarm)
            assert len(asked) == 1, "an alarm is no hint to try again"


async def test_an_alarm_is_shown_on_the_public_site(signed: Settings) -> None:
    with answering(lambda _: (409, "text/plain", b"")) as url:
        policy(signed, f"witness a {ed25519_cosigner('a.example').key} {url}", "quorum a")
        async with opened(signed) as office:
            await published(office)
            await until(office, lambda states: states["a"].alarm != "")
            assert signed.database_url is not None
            reader = setup.database(signed, signed.database_url, "reader", pool_size=2)
            async with visitor(
                public.build(public.Resources(database=reader, lookup=LookupKeys.read(signed.lookup)))
            ) as http:
                told = (await http.get("/log/witnesses")).json()
                page = (await http.get("/")).text
                ready = (await http.get("/readyz")).json()
            await reader.close()
    assert [(w["name"], w["alarm"], w["cosigned_at"]) for w in told["witnesses"]] == [("a", "HTTP 409: ", None)]
    assert "另一份历史" in page
    assert ready["witness_alarms"] == ["a"]


async def test_a_witness_with_another_key_does_not_count(signed: Settings, vkey: str, tmp_path: Path) -> None:
    with witness(tmp_path, "a", vkey) as a:
        policy(signed, f"witness a {ed25519_cosigner('witness.example/a').key} {a.url}", "quorum a")
        async with opened(signed) as office:
            await published(office)
            await until(office, lambda states: "expected one by" in states["a"].trouble)
            assert not (await state(office)).has_quorum


async def test_killed_and_started_again_a_witness_goes_on(signed: Settings, vkey: str, tmp_path: Path) -> None:
    port = free_port()
    with witness(tmp_path, "a", vkey, port=port) as a:
        policy(signed, a.line, "quorum a")
        async with opened(signed.model_copy(update={"witness_timeout_s": 0.5})) as office:
            await published(office)
            await until(office, lambda states: states["a"].has_cosigned_newest)
            a.running.kill()
            await office.post("gifts", gift())
            await published(office)
            assert not (await state(office)).has_quorum
            with witness(tmp_path, "a", vkey, port=port):
                await until(office, lambda states: states["a"].has_cosigned_newest)
                found = await state(office)
                assert [w.trouble for w in found.witnesses] == [""]
                (await served_policy(office)).open_checkpoint(await published(office))


async def test_a_second_history_under_the_same_key_is_refused_by_the_witness(
    signed: Settings, vkey: str, cluster: Cluster, tmp_path: Path
) -> None:
    """Yesterday's database and the key, on another machine, without the file outside: what only a witness notices."""
    assert signed.database_url is not None
    name = signed.database_url.rsplit("/", 1)[1].split("?")[0]
    with witness(tmp_path, "a", vkey) as a:
        policy(signed, a.line, "quorum a")
        async with opened(signed) as office:
            await published(office)
        await cluster.create_database(f"fork_{name}", name)
        fork = signed.model_copy(
            update={
                "database_url": cluster.url(f"fork_{name}"),
                "checkpoint_file": tmp_path / "forked" / "last",
                "witness_required": True,
                "witness_timeout_s": 1.0,
            }
        )
        fork.outside_checkpoint.parent.mkdir()
        fork.outside_checkpoint.write_bytes(signed.outside_checkpoint.read_bytes())
        try:
            async with opened(signed) as office:
                await office.post("gifts", gift(channel_ref="what one audience sees"))
                await published(office)
                await until(office, lambda states: states["a"].has_cosigned_newest)
            async with opened(fork) as office:
                before = (await state(office)).size
                await office.post("gifts", gift(channel_ref="what another one is told"))
                await until(office, lambda states: states["a"].alarm != "")
                assert (await state(office)).size == before
        finally:
            await cluster.drop_database(f"fork_{name}")


async def test_a_policy_that_cannot_be_used_stops_the_start(signed: Settings, tmp_path: Path) -> None:
    key = ed25519_cosigner("a.example").key
    for text, says in [
        ("quorum x\n", "quorum"),
        (f"witness a {key}\nquorum a\n", "needs an http"),
        (f"witness a {key} ftp://a\nquorum a\n", "needs an http"),
    ]:
        policy(signed, text)
        with pytest.raises(SetupError, match=says):
            async with opened(signed):
                pass
    for update in ({"witness_policy": tmp_path / "missing"}, {"witness_policy": None, "witness_required": True}):
        with pytest.raises(SetupError):
            async with opened(signed.model_copy(update=update)):
                pass
