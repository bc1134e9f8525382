"""A published log, what careful people kept of it yesterday, and everything that looks at it today."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ledger.log import witness
from ledger.log.checkpoint import Checkpoint
from ledger.log.errors import VerificationError
from ledger.log.note import Ed25519Signer, Ed25519Verifier, parse_note
from ledger.log.policy import Log, Policy
from ledger.log.tile import grow, node_reader
from ledger.log.tree import Frontier, consistency_proof, leaf_hash
from ledger.settings import Settings
from ledger.store import setup, signing
from ledger.store.audit.stored import Stored
from ledger.store.outside import OutsideCheckpoint
from ledger.store.publisher import Publisher
from ledger.store.queries import log
from ledger.store.rebuild import rebuild
from ledger.verify.report import Report
from ledger.verify.rule import Rule
from ledger.verify.source import SourceError
from ledger.verify.verifier import verify
from tests.support.acting import acting_as, acting_as_superuser
from tests.verify.export import nothing
from tests.verify.test_forgeries import BYTES

ORIGIN = "sunshine-ledger.example/log"
"""What the demo's story opens."""

ACCEPTED, UNREADABLE = 200, 400
"""What a witness answers."""

Attack = Callable[[asyncpg.Connection], Awaitable[None]]

Caught = dict[str, set[str]]
"""Who noticed → what they call it. Who is not in it saw nothing wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The operator's settings, and what others have: nothing of theirs is in her reach."""

    settings: Settings
    policy: Policy
    """The key, as it was printed on paper."""
    saved: bytes
    """Yesterday's checkpoint, as an auditor saved it."""
    receipt: bytes
    """Yesterday's proof of a gift, as its donor keeps it."""
    code: str
    """The code on another donor's receipt, of a gift of today."""
    record: witness.Record
    """What a witness recorded last: today's checkpoint."""

    @property
    def signer(self) -> Ed25519Signer:
        """The operator's own key: for attacks by the operator."""
        return signer_of(self.settings)

    async def attack(self, attack: Attack) -> None:
        """As superuser, with every trigger and foreign key asleep in this session."""
        async with acting_as_superuser(self.settings) as connection:
            await connection.execute("set session_replication_role = replica")
            async with connection.transaction():
                await attack(connection)

    async def report(self) -> Report:
        """All that `sunledger verify --database` says, with the saved checkpoint, the receipt and the code."""
        return await asyncio.to_thread(self._report)

    def _report(self) -> Report:
        assert self.settings.database_url is not None
        stored = Stored(self.settings, self.settings.database_url)
        with closing(stored.log()) as source:
            report = verify(
                source, policy=self.policy, saved=self.saved, receipts=[self.receipt], codes=[self.code], processes=0
            )
        return stored.audited(report, lambda *_: None)

    async def caught(self) -> Caught:
        """Who notices, and as what."""
        report = await self.report()
        found: Caught = {}
        for rule in map(Rule, report.counts):
            found.setdefault(_who(rule), set()).add(rule)
        status = await self.witness_status()
        if status != ACCEPTED:
            found["witness"] = {str(status)}
        if report.trouble:
            found["trouble"] = {report.trouble}
        return found

    async def witness_status(self) -> int:
        """What the witness answers to what is published now."""
        return await asyncio.to_thread(self._witness_status)

    def _witness_status(self) -> int:
        assert self.settings.database_url is not None
        with closing(Stored(self.settings, self.settings.database_url).log()) as source:
            try:
                note = source.checkpoint()
                size = Checkpoint.parse(parse_note(note).text).size
                old = min(self.record.size, size)
                proof = consistency_proof(old, size, node_reader(size, source.tile)) if 0 < old < size else []
            except (SourceError, VerificationError):
                return UNREADABLE
        request = witness.AddCheckpoint(old_size=old, proof=tuple(proof), checkpoint=note)
        (known,) = self.policy.logs
        decided = witness.decide(request, self.record, {ORIGIN: [Ed25519Verifier(known.key)]})
        return decided.status if isinstance(decided, witness.Refused) else ACCEPTED


def _who(rule: Rule) -> str:
    match rule:
        case Rule.CHECKPOINT_CONSISTENT:
            return "saved checkpoint"
        case Rule.RECEIPT | Rule.RECEIPT_CODE:
            return rule.replace("-", " ")
        case Rule.OUTSIDE_CHECKPOINT:
            return "outside file"
        case _ if rule.startswith("table-"):
            return "tables"
        case _:
            return "bytes" if rule in BYTES else "meaning"


async def publish(settings: Settings) -> bytes:
    """Publish what is there; the checkpoint."""
    assert settings.database_url is not None
    database = setup.database(settings, settings.database_url, "writer", pool_size=2)
    try:
        signer = signing.signer(settings.signing, settings.passphrase, ORIGIN)
        publisher = Publisher(database, signer, OutsideCheckpoint(settings.outside_checkpoint))
        await publisher.start()
        async with database.raw() as connection:
            assert await publisher.wait_for(await connection.fetchval("select seq from head"), 60)
            await publisher.stop()
            note = await log.last_checkpoint(connection)
        assert note is not None
        return note
    finally:
        await database.close()


async def proof_of(settings: Settings, seq: int) -> bytes:
    """The `.tlog-proof` of an entry under the newest checkpoint."""
    async with acting_as("reader", settings) as reader:
        proof = await log.read_proof(reader, seq)
    assert proof is not None
    return proof.encode()


async def entries_of(settings: Settings) -> list[bytes]:
    async with acting_as("reader", settings) as reader:
        return [row["bytes"] for row in await reader.fetch("select bytes from entry order by seq")]


async def rewrite(site: Site, written: list[bytes], signer: Ed25519Signer | None) -> None:
    """Replace the log by this one as a superuser who means it: entries, tiles, head, projections.

    With a key also every checkpoint, each for the size it had.
    """

    async def replace(connection: asyncpg.Connection) -> None:
        old = {row["seq"]: row for row in await connection.fetch("select * from entry")}
        await connection.execute("delete from entry; delete from tile")
        rows = [(seq, each, old[seq]["at"], old[seq]["kind"], old[seq]["org"]) for seq, each in enumerate(written)]
        await connection.copy_records_to_table("entry", records=rows, columns=["seq", "bytes", "at", "kind", "org"])
        leaves = [leaf_hash(each) for each in written]
        tiles = [(tile.level, tile.index, data) for tile, data in grow(0, leaves, nothing)]
        await connection.copy_records_to_table("tile", records=tiles, columns=["level", "index", "hashes"])
        await connection.execute("update head set prev = $1", sha256(written[-1]).digest())
        if signer is not None:
            for size in [row["size"] for row in await connection.fetch("select size from checkpoint")]:
                frontier = Frontier()
                frontier.extend(leaves[:size])
                said = Checkpoint(origin=ORIGIN, size=size, root=frontier.root())
                await connection.execute(
                    "update checkpoint set root = $2, note = $3 where size = $1",
                    size, said.root, said.signed([signer.sign(said.text)]),
                )  # fmt: skip

    await site.attack(replace)
    assert site.settings.database_url is not None
    owner = setup.database(site.settings, site.settings.database_url, "owner", pool_size=1)
    try:
        await rebuild(owner, report=lambda _: None)
    finally:
        await owner.close()


def signer_of(settings: Settings, origin: str = ORIGIN) -> Ed25519Signer:
    """Signs as the log, with the key from its file."""
    key = load_pem_private_key(settings.signing.read_bytes(), settings.passphrase)
    assert isinstance(key, Ed25519PrivateKey)
    return Ed25519Signer(origin, key)


def policy_of(signer: Ed25519Signer) -> Policy:
    return Policy(logs=(Log(key=signer.key),))
