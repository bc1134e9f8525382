"""The verifiable log over HTTP: exactly the files of c2sp.org/tlog-tiles, and proofs made from them."""

import base64
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest

from api.public import app as public
from ledger.log.checkpoint import open_checkpoint
from ledger.log.key import VerifierKey
from ledger.log.note import Ed25519Verifier
from ledger.log.policy import Policy
from ledger.log.proof import LogProof
from ledger.log.tile import Bundle, Tile, decode_bundle, new_bundles, new_tiles
from ledger.log.tree import leaf_hash, root_of, verify_consistency
from ledger.settings import Settings
from ledger.store import setup, signing
from ledger.store.export import export
from ledger.store.keys import LookupKeys
from tests.support.office import Office, gift, opened
from tests.support.visitor import visitor as visiting

GIFTS = 220  # with the demo's entries: more than one tile


@pytest.fixture
async def office(told: Settings, tmp_path: Path) -> AsyncGenerator[Office]:
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("only for this test")
    settings = told.model_copy(update={"signing_passphrase_file": passphrase})
    signing.create(settings.signing, settings.passphrase)
    async with opened(settings) as office:
        for i in range(GIFTS):
            await office.post("gifts", gift(channel_ref=f"{i}"))
        await until_published(office)
        yield office


@pytest.fixture
async def visitor(office: Office, told: Settings) -> AsyncGenerator[httpx.AsyncClient]:
    assert told.database_url is not None
    database = setup.database(told, told.database_url, "reader", pool_size=4)
    app = public.build(public.Resources(database=database, lookup=LookupKeys.read(told.lookup)))
    async with visiting(app) as client:
        yield client
    await database.close()


async def until_published(office: Office) -> None:
    assert office.resources.publisher is not None
    assert await office.resources.publisher.wait_for(await office.size() - 1, 60)


async def test_an_auditor_recomputes_the_root_from_the_served_files(visitor: httpx.AsyncClient) -> None:
    key = VerifierKey.parse((await visitor.get("/log/vkey")).text.strip())
    checkpoint = open_checkpoint((await visitor.get("/log/checkpoint")).content, Ed25519Verifier(key))
    written: list[bytes] = []
    for bundle in new_bundles(0, checkpoint.size):
        written += decode_bundle((await visitor.get(f"/log/{bundle.path}")).content, bundle)
    assert root_of(map(leaf_hash, written)) == checkpoint.root
    for tile in new_tiles(0, checkpoint.size):
        answer = await visitor.get(f"/log/{tile.path}")
        assert len(answer.content) == tile.byte_size
        if tile.level == 0:
            first = tile.index * 256
            assert answer.content == b"".join(map(leaf_hash, written[first : first + tile.width]))


async def test_every_partial_that_was_ever_published_is_still_served(visitor: httpx.AsyncClient) -> None:
    for width in (1, 57, 255):
        assert len((await visitor.get(f"/log/{Tile(level=0, index=0, width=width).path}")).content) == width * 32
        bundle = Bundle(index=0, width=width)
        assert len(decode_bundle((await visitor.get(f"/log/{bundle.path}")).content, bundle)) == width


async def test_files_are_served_with_the_headers_of_the_specification(visitor: httpx.AsyncClient) -> None:
    tile = await visitor.get("/log/tile/0/000")
    assert tile.headers["content-type"] == "application/octet-stream"
    assert "immutable" in tile.headers["cache-control"]
    checkpoint = await visitor.get("/log/checkpoint")
    assert checkpoint.headers["content-type"] == "text/plain; charset=utf-8"
    for path in ("/log/checkpoint", "/log/tile/0/000", "/log/tile/entries/000", "/log/vkey", "/log/policy"):
        got, head = await visitor.get(path), await visitor.head(path)
        assert got.headers["access-control-allow-origin"] == "*"
        assert "set-cookie" not in got.headers
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == got.headers["content-length"]


@pytest.mark.parametrize(
    "path",
    ["tile/0/999", "tile/0/0", "tile/00/000", "tile/0/000.p/0", "tile/0/000.p/256", "tile/64/000", "tile/0/x000/000"],
)
async def test_what_is_no_file_of_the_log_is_not_found(visitor: httpx.AsyncClient, path: str) -> None:
    answer = await visitor.get(f"/log/{path}")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")


async def test_a_proof_convinces_with_the_policy_alone(visitor: httpx.AsyncClient) -> None:
    policy = Policy.parse((await visitor.get("/log/policy")).text)
    for seq in (0, 17, 255, 256):
        written = (await visitor.get(f"/api/v1/entries/{seq}/bytes")).content
        LogProof.parse((await visitor.get(f"/log/proof/{seq}")).content).verify(written, policy)
    assert (await visitor.get("/log/proof/100000")).status_code == 404


async def test_two_published_trees_are_one_history(visitor: httpx.AsyncClient, office: Office) -> None:
    key = VerifierKey.parse((await visitor.get("/log/vkey")).text.strip())
    old = open_checkpoint((await visitor.get("/log/checkpoint")).content, Ed25519Verifier(key))
    await office.post("gifts", gift(channel_ref="later"))
    await until_published(office)
    new = open_checkpoint((await visitor.get("/log/checkpoint")).content, Ed25519Verifier(key))
    answer = await visitor.get(f"/log/consistency?old={old.size}&new={new.size}")
    proof = hashes_in(answer.text)
    verify_consistency(old.size, new.size, old.root, new.root, proof)
    assert (await visitor.get(f"/log/consistency?old={new.size}&new={old.size}")).status_code == 404


async def test_an_export_holds_what_is_served_and_grows(
    visitor: httpx.AsyncClient, office: Office, told: Settings, tmp_path: Path
) -> None:
    assert told.database_url is not None
    reader = setup.database(told, told.database_url, "reader", pool_size=1)
    try:
        for later in ("one more", "and another"):
            size = await export(reader, tmp_path / "export", report=lambda _, __: None)
            files: list[Tile | Bundle] = [*new_tiles(0, size), *new_bundles(0, size)]
            for each in files:
                assert (tmp_path / "export" / each.path).read_bytes() == (
                    await visitor.get(f"/log/{each.path}")
                ).content
            for name in ("checkpoint", "vkey", "policy"):
                assert (tmp_path / "export" / name).read_bytes() == (await visitor.get(f"/log/{name}")).content
            await office.post("gifts", gift(channel_ref=later))
            await until_published(office)
    finally:
        await reader.close()


def hashes_in(text: str) -> list[bytes]:
    """The hashes of a proof, one a line."""
    return [base64.b64decode(line) for line in text.split()]
