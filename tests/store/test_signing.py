"""The keys a log signs with: encrypted, for their owner alone, several at a time, changed without a gap."""

import stat
from pathlib import Path

import pytest

from ledger.log.errors import SignatureError
from ledger.log.key import ED25519, ML_DSA_44_COSIGNATURE, VerifierKey
from ledger.log.policy import Log, Policy
from ledger.settings import Settings
from ledger.store import signing
from ledger.store.files import SetupError
from ledger.store.queries import log
from tests.support.office import Office, gift, opened
from tests.support.program import environment, run


@pytest.fixture
def signed(told: Settings, tmp_path: Path) -> Settings:
    """The demo's log with a passphrase, and no key yet."""
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("only for this test")
    return told.model_copy(update={"signing_passphrase_file": passphrase})


@pytest.fixture
def keyed(signed: Settings) -> Settings:
    """With its first key, too."""
    signing.create(signed.signing, signed.passphrase)
    return signed


async def published(office: Office) -> bytes:
    assert office.resources.publisher is not None
    assert await office.resources.publisher.wait_for(await office.size() - 1, 60)
    async with office.resources.database.raw() as connection:
        note = await log.last_checkpoint(connection)
    assert note is not None
    return note


async def vkeys(office: Office, *, retired: bool = False) -> list[str]:
    async with office.resources.database.raw() as connection:
        return await log.signing_keys(connection, retired=retired)


def alone(vkey: str) -> Policy:
    """The policy of a verifier who was told this key only."""
    return Policy(logs=(Log(key=VerifierKey.parse(vkey)),))


async def test_every_key_is_encrypted_and_never_overwritten(keyed: Settings) -> None:
    variables = environment(keyed)
    for option, path in [
        ("--ml-dsa", signing.ml_dsa_path(keyed.signing)),
        ("--next", signing.next_path(keyed.signing)),
    ]:
        made = run(variables, "keygen", option)
        assert made.code == 0, made.err
        assert stat.filemode(path.stat().st_mode) == "-rw-------"
        assert path.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
        again = run(variables, "keygen", option)
        assert (again.code, again.err.count("\n")) == (1, 1)
        assert "no key is ever overwritten" in again.err
    assert run(variables, "keygen", "--next", "--ml-dsa").code == 2


def test_a_second_key_needs_a_first(signed: Settings) -> None:
    refused = run(environment(signed), "keygen", "--ml-dsa")
    assert (refused.code, "comes first" in refused.err) == (1, True)


async def test_an_ml_dsa_key_makes_a_second_signature(keyed: Settings) -> None:
    signing.create(signing.ml_dsa_path(keyed.signing), keyed.passphrase, ml_dsa=True)
    async with opened(keyed) as office:
        note = await published(office)
        keys = await vkeys(office)
        async with office.resources.database.raw() as connection:
            policy = await log.served_policy(connection)
    assert [VerifierKey.parse(key).type for key in keys] == [ED25519, ML_DSA_44_COSIGNATURE]
    for key in keys:
        assert f"log {key}\n" in (policy or "")
        alone(key).open_checkpoint(note)


async def test_a_key_is_changed_while_verifiers_of_either_key_go_on(keyed: Settings) -> None:
    async with opened(keyed) as office:
        await published(office)
        (old,) = await vkeys(office)
    signing.create(signing.next_path(keyed.signing), keyed.passphrase)
    with pytest.raises(SetupError, match="has signed no checkpoint yet"):
        signing.switch(keyed.signing, keyed.passphrase, keyed.outside_checkpoint.read_bytes())
    async with opened(keyed) as office:
        await office.post("gifts", gift(), key="while both sign")
        note = await published(office)
        assert (await vkeys(office))[0] == old
        (_, new) = await vkeys(office)
        for key in (old, new):
            alone(key).open_checkpoint(note)
    switched = run(environment(keyed), "keygen", "--switch")
    assert switched.code == 0, switched.err
    async with opened(keyed) as office:
        await office.post("gifts", gift(channel_ref="later"), key="after the switch")
        note = await published(office)
        assert (await vkeys(office), await vkeys(office, retired=True)) == ([new], [old])
        alone(new).open_checkpoint(note)
        with pytest.raises(SignatureError):
            alone(old).open_checkpoint(note)
        async with office.resources.database.raw() as connection:
            assert f"# signs no more: {old}\n" in (await log.served_policy(connection) or "")
