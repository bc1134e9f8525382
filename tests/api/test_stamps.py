"""Stamps, from a real authority's answer to the entry: what is refused, and that nothing is entered then."""

import asyncio
from base64 import b64decode
from collections.abc import AsyncGenerator, Callable

import pytest

from api.admin import app as admin
from ledger.entries import CheckpointStamped
from ledger.log.checkpoint import Checkpoint
from ledger.settings import Settings
from ledger.timestamp import read_token
from tests.support.authority import authority, serving, stamp
from tests.support.checklog import check_log
from tests.support.listening import listening
from tests.support.office import Office, opened
from tests.support.program import Ended, environment, run
from tests.support.signing import signing

Answer = Callable[[bytes], bytes]

REFUSING = bytes.fromhex("30053003020102")
"""A TimeStampResp with status 2, rejection, and no token."""


@pytest.fixture
async def office(told: Settings) -> AsyncGenerator[Office]:
    """One that has published all it has."""
    async with opened(signing(told)) as office:
        assert office.resources.publisher is not None
        assert await office.resources.publisher.wait_for(await office.size() - 1, 60)
        yield office


async def published(office: Office) -> Checkpoint:
    said = (await office.get("checkpoint")).json()
    return Checkpoint(origin=said["origin"], size=said["size"], root=bytes.fromhex(said["root"]))


async def run_stamp(office: Office, settings: Settings, answer: Answer, *more: object) -> Ended:
    """What the command comes to, where the authority answers so."""
    async with listening(admin.build(office.resources)) as url:
        variables = environment(settings, admin_url=url, token=office.tokens["administrator"])
        with serving(answer) as where:
            return await asyncio.to_thread(run, variables, "checkpoint", "stamp", "--authority", where, *map(str, more))


async def test_the_command_enters_a_stamp_that_an_auditor_verifies(office: Office, told: Settings) -> None:
    before = await published(office)
    said = await run_stamp(office, told, authority().answer, "--tsa-certificate", authority().root)
    assert said.code == 0, said.err
    assert f": 127.0.0.1 saw {before.size} entries at " in said.out
    entered = (await check_log(told))[before.size].body
    assert isinstance(entered, CheckpointStamped)
    assert (entered.size, entered.root) == (before.size, before.root.hex())
    at = f"{read_token(b64decode(entered.token)).at:%Y-%m-%dT%H:%M:%SZ}"
    assert office.resources.publisher is not None
    assert await office.resources.publisher.wait_for(before.size, 60)
    folder = told.data_dir / "export"
    assert (await asyncio.to_thread(run, environment(told), "export", folder)).code == 0
    arguments = ("verify", folder, "--tsa-certificate", authority().root)
    verified = await asyncio.to_thread(run, environment(told), *arguments)
    assert verified.code == 0, verified.out
    assert f"1 / 1 签名成立 signed：{at} 前已有 {before.size} 条" in verified.out


async def test_a_retry_of_the_same_stamp_enters_it_once(office: Office) -> None:
    checkpoint = await published(office)
    stamped = stamp(checkpoint, authority().stamp(checkpoint))
    first = await office.post("stamps", stamped, who="administrator", key="once")
    again = await office.post("stamps", stamped, who="administrator", key="once")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["entries"] == again.json()["entries"]
    assert await office.size() == checkpoint.size + 1


async def test_the_door_refuses_what_is_no_stamp_of_this_log(office: Office) -> None:
    here = await published(office)
    elsewhere = Checkpoint(origin="elsewhere.example/log", size=here.size, root=here.root)
    future = Checkpoint(origin=here.origin, size=here.size + 1, root=here.root)
    rewritten = Checkpoint(origin=here.origin, size=here.size, root=bytes(32))
    wrong = [
        (stamp(here, authority().stamp(elsewhere)), "not over this checkpoint"),
        (stamp(elsewhere, authority().token(b"anything")), "not over this checkpoint"),
        (stamp(here, authority().token(here.text, digest="sha512")), "not with SHA-256"),
        (stamp(here, b"not DER"), "no timestamp token"),
        ({**stamp(here, b""), "token": "*"}, "base64"),
        (stamp(future, authority().stamp(future)), "was published"),
        (stamp(rewritten, authority().stamp(rewritten)), "root: "),
    ]
    for sent, sentence in wrong:
        refused = await office.post("stamps", sent, who="administrator")
        assert refused.status_code == 400, sentence
        assert sentence in refused.json()["detail"]
    good = stamp(here, authority().stamp(here))
    assert (await office.post("stamps", good, who="maker")).status_code == 403, "an administrator's task"
    assert await office.size() == here.size, "nothing was entered"


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda _: authority().answer(authority().query(b"an earlier question")), "the nonce is not ours"),
        (lambda _: REFUSING, "the authority refused: status 2"),
        (lambda _: b"<html>", "no timestamp response"),
        (lambda _: bytes(100_000), "longer than 65536 bytes"),
        (lambda query: authority("another").answer(query), "no certificate that was named vouches"),
    ],
    ids=["another's answer", "a refusal", "a page", "a flood", "an authority that was not named"],
)
async def test_an_answer_that_is_no_stamp_is_a_sentence_and_enters_nothing(
    office: Office, told: Settings, answer: Answer, sentence: str
) -> None:
    size = await office.size()
    said = await run_stamp(office, told, answer, "--tsa-certificate", authority().root)
    assert (said.code, said.out) == (1, "")
    assert sentence in said.err
    assert said.err.count("\n") == 1, said.err
    assert await office.size() == size


async def test_an_authority_that_does_not_answer_is_a_sentence(office: Office, told: Settings) -> None:
    async with listening(admin.build(office.resources)) as url:
        variables = environment(told, admin_url=url, token=office.tokens["administrator"])
        for where in ("http://127.0.0.1:1/", "no address"):
            said = await asyncio.to_thread(run, variables, "checkpoint", "stamp", "--authority", where)
            assert said.code == 1
            assert said.err.startswith("sunledger: the authority does not answer"), said.err


async def test_a_log_that_is_not_signed_has_nothing_to_stamp(told: Settings) -> None:
    async with opened(told) as office:
        assert (await office.get("checkpoint")).status_code == 404
