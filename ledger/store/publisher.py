"""The publisher: integrates what is sequenced into the tree, stores the tiles, signs a checkpoint over them.

States of an entry: sequenced (durable, numbered) → integrated (in stored tiles) → signed → published (readers see the
checkpoint over it). Writing never waits for any of it. Signing never goes back: the last checkpoint also lies in a file
outside the database, written before the signature is released. Between signing and publishing witnesses are asked, for
a bounded time.
"""

import asyncio
from dataclasses import replace

import asyncpg
import structlog

from ledger.log.checkpoint import Checkpoint
from ledger.log.encoding import HASH_SIZE
from ledger.log.errors import VerificationError
from ledger.log.note import Note, Signature, parse_note
from ledger.log.policy import Log, Policy
from ledger.log.tile import grow, partial_tiles, tiles_read
from ledger.log.tree import EMPTY_ROOT, root_at
from ledger.store.cosigning import Witnesses, announce
from ledger.store.database import Database
from ledger.store.files import SetupError
from ledger.store.outside import OutsideChangedError, OutsideCheckpoint
from ledger.store.queries import log
from ledger.store.queries.log import Progress, integrated_size
from ledger.store.signing import LogSigner

INTEGRATE_ENTRIES = 4_096
"""Entries put into the tree in one transaction."""

PERIOD_S = 0.25
"""How often it looks for new entries; nothing is written while there are none."""

BUSY_ENTRIES = 500
BUSY_PERIOD_S = 0.5
"""After so many in one look they come by the thousand, and each look costs the import that brings them."""

RETRY_S = 2.0

_log = structlog.get_logger()


class Publisher:
    """Publishes one log. At most one of them can sign: the file outside is compared before it is replaced."""

    def __init__(
        self,
        database: Database,
        signer: LogSigner,
        outside: OutsideCheckpoint,
        witnesses: Witnesses | None = None,
        *,
        is_quorum_required: bool = False,
    ) -> None:
        """`is_quorum_required`: publish nothing that too few witnesses cosigned, rather than publish and say so."""
        self._database = database
        self._signer = signer
        self._outside = outside
        self._witnesses = witnesses
        self._is_quorum_required = is_quorum_required
        self._note: bytes | None = None
        self._publishing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._published = asyncio.Condition()
        self.has_quorum = True
        """Whether enough witnesses cosigned the newest signed checkpoint in time."""
        self.progress = Progress(0, 0, 0)
        self.stopped = "not started"
        """Why it does not publish; empty while it does."""

    async def start(self) -> None:
        """Compare database and outside file, then publish until stop(). Raises SetupError where they disagree."""
        await self._agree()
        if self._witnesses is not None:
            await self._witnesses.start(self._join)
            if self._note is not None:
                await self._witnesses.offer(log.checkpoint_of(self._note), self._note)
        self.stopped = ""
        self._task = asyncio.create_task(self._run(), name="publisher")

    async def stop(self) -> None:
        """Finish the step that runs."""
        self._stopping.set()
        if self._witnesses is not None:
            await self._witnesses.stop()
        if self._task is not None:
            await asyncio.wait([self._task])
        await self._stop_because(self.stopped or "stopped")

    async def wait_for(self, seq: int, timeout_s: float) -> bool:
        """Whether entry `seq` was published in time; False at once where nothing is published any more."""
        try:
            async with asyncio.timeout(timeout_s), self._published:
                await self._published.wait_for(lambda: self.progress.published > seq or self.stopped)
        except TimeoutError:
            return False
        return self.progress.published > seq

    async def step(self) -> None:
        """Integrate, sign and publish what there is now."""
        async with self._database.raw() as connection:
            sequenced = await connection.fetchval("select seq + 1 from head")
            while (integrated := await self._integrate(connection, sequenced)) < sequenced:
                pass  # each turn awaits the database, so that others work
            self.progress = replace(self.progress, sequenced=sequenced, integrated=integrated)
            # Tiles are durable. If we stop now, the next start signs over them.
            if self._may_sign(sequenced):
                await self._sign(connection, sequenced)
        self.progress = Progress(sequenced, integrated, self.progress.published)
        assert self._note is not None
        signed = log.checkpoint_of(self._note)
        if self.progress.published < signed.size and await self._may_publish(signed.size):
            await self._publish(signed, self._note)
            self.progress = Progress(sequenced, integrated, signed.size)
        async with self._published:
            self._published.notify_all()

    async def _stop_because(self, reason: str) -> None:
        self.stopped = reason
        async with self._published:
            self._published.notify_all()

    async def _run(self) -> None:
        while not self._stopping.is_set():
            wait_s, before = PERIOD_S, self.progress.integrated
            try:
                await self.step()
                if self.progress.integrated - before >= BUSY_ENTRIES:
                    wait_s = BUSY_PERIOD_S
            except OutsideChangedError as error:
                _log.critical("publishing stops", reason=str(error))
                await self._stop_because(str(error))
                return
            except Exception as error:  # noqa: BLE001  writing goes on; publishing tries again
                _log.error("publishing failed", exc_info=error)
                wait_s = RETRY_S
            try:
                async with asyncio.timeout(wait_s):
                    await self._stopping.wait()
            except TimeoutError:
                continue

    async def _integrate(self, connection: asyncpg.Connection, sequenced: int) -> int:
        """Store the tiles of the next run of entries; answers how many entries the tree has.

        Raises SetupError at a gap, behind what comes before it: a leaf at the wrong place could never be taken back.
        """
        old = await integrated_size(connection)
        size = min(sequenced, old + INTEGRATE_ENTRIES)
        hashes = await connection.fetchval(_LEAVES, old, size) or b""
        if len(hashes) < (size - old) * HASH_SIZE:
            size = await connection.fetchval(_FIRST_GAP, old, size)
            if size == old:
                raise SetupError(_GAP.format(seq=old))
        if size == old:
            return old
        leaves = [hashes[at : at + HASH_SIZE] for at in range(0, (size - old) * HASH_SIZE, HASH_SIZE)]
        edge = await log.read_tiles(connection, partial_tiles(old))
        grown = list(grow(old, leaves, edge.__getitem__))
        async with connection.transaction():
            await connection.executemany(_GROW, [(tile.level, tile.index, data) for tile, data in grown])
        return size

    def _may_sign(self, sequenced: int) -> bool:
        """Whether there is something new to sign, and nothing signed that still has to be cosigned.

        Where a quorum is required, newer and newer checkpoints would each come before slow witnesses answered.
        """
        if self._note is None:
            return True
        signed = log.checkpoint_of(self._note).size
        return signed < sequenced and not (self._is_quorum_required and self.progress.published < signed)

    async def _sign(self, connection: asyncpg.Connection, size: int) -> None:
        """Sign the tree of `size`, which has grown from the last one that was signed."""
        if self._note is not None:
            last = log.checkpoint_of(self._note)
            assert last.size < size, "never sign a smaller tree"
            if await root_of_size(connection, last.size) != last.root:
                raise OutsideChangedError(f"the tiles do not hold the tree of size {last.size} that was signed")
        checkpoint = Checkpoint(origin=self._signer.origin, size=size, root=await root_of_size(connection, size))
        note = self._signer.sign(checkpoint)
        await asyncio.to_thread(self._outside.swap, self._note, note)
        # Durable outside, shown to nobody. If we stop now, the next start goes on with exactly this checkpoint.
        self._note = note
        if self._witnesses is not None:
            await self._witnesses.offer(checkpoint, note)

    async def _may_publish(self, size: int) -> bool:
        """Wait for witnesses, not for ever; without enough of them it depends on the operator's choice."""
        has_quorum = self._witnesses is None or await self._witnesses.gather(size)
        if has_quorum != self.has_quorum:
            _log.warning("witnesses: quorum is back" if has_quorum else "witnesses: no quorum", size=size)
        self.has_quorum = has_quorum
        return has_quorum or not self._is_quorum_required

    async def _publish(self, checkpoint: Checkpoint, note: bytes) -> None:
        """Let readers see it, with the cosignatures there are."""
        async with self._publishing, self._database.raw() as connection:
            cosignatures = [] if self._witnesses is None else self._witnesses.cosignatures(checkpoint.size)
            cosigned = Note(checkpoint.text, (*parse_note(note).signatures, *cosignatures)).encode()
            await connection.execute(_RELEASE, checkpoint.size, checkpoint.root, cosigned)

    async def _join(self, size: int, cosignature: Signature) -> None:
        """Add a cosignature to a published checkpoint, in the place of an older one by the same witness."""
        async with self._publishing, self._database.write() as connection:
            note = await connection.fetchval("select note from checkpoint where size = $1", size)
            if note is None:
                return  # not published yet: then it will come along
            parsed = parse_note(note)
            others = [s for s in parsed.signatures if (s.name, s.key_id) != (cosignature.name, cosignature.key_id)]
            joined = Note(parsed.text, (*others, cosignature)).encode()
            await connection.execute("update checkpoint set note = $2 where size = $1", size, joined)

    async def _agree(self) -> None:
        """What database and outside file say must be one history; mend what a crash left half done."""
        note = self._outside.read()
        async with self._database.raw() as connection:
            await self._announce(connection)
            released = await log.last_checkpoint(connection)
            sequenced = await connection.fetchval("select seq + 1 from head")
            if note is None:
                if released is not None:
                    raise SetupError(_MISSING.format(path=self._outside.path))
                return
            try:
                outside = self._signer.open(note)
            except VerificationError as error:
                raise SetupError(f"{self._outside.path} is no checkpoint of this log and key: {error}") from error
            if outside.size > sequenced:
                raise SetupError(_BEHIND.format(path=self._outside.path, size=outside.size, found=sequenced))
            while await self._integrate(connection, outside.size) < outside.size:
                pass
            if await root_of_size(connection, outside.size) != outside.root:
                raise SetupError(_BESIDE.format(path=self._outside.path, size=outside.size))
            if released is not None and log.checkpoint_of(released).size > outside.size:
                raise SetupError(_OLD.format(path=self._outside.path, size=log.checkpoint_of(released).size))
            self._note = note
            published = 0 if released is None else log.checkpoint_of(released).size
            self.progress = Progress(sequenced, await integrated_size(connection), published)

    async def _announce(self, connection: asyncpg.Connection) -> None:
        """Tell readers what to hold the log to: its keys, and the operator's witnesses."""
        current = [str(key) for key in self._signer.keys]
        async with connection.transaction():
            for vkey in current:
                await connection.execute(_KEY, vkey)
            await connection.execute(_RETIRE, current)
            policy = Policy() if self._witnesses is None else self._witnesses.policy
            policy = replace(policy, logs=tuple(Log(key=key) for key in self._signer.keys))
            await announce(connection, policy, is_required=self._is_quorum_required)


async def root_of_size(connection: asyncpg.Connection, size: int) -> bytes:
    """The root over the first `size` leaves, from the stored tiles."""
    if not size:
        return EMPTY_ROOT
    return root_at(size, await log.nodes(connection, size, tiles_read(size, lambda read: root_at(size, read))))


# The hashes of leaves (RFC 6962, section 2.1), made where the bytes lie and fetched as one value: beside an import this
# process is the busier one.
_LEAVES = """
  select string_agg(sha256('\\x00'::bytea || bytes), ''::bytea order by seq) from entry where seq >= $1 and seq < $2
"""
_FIRST_GAP = """
  select min(n) from generate_series($1::bigint, $2 - 1) n where not exists (select from entry where seq = n)
"""
_GROW = """
  insert into tile (level, index, hashes) values ($1, $2, $3)
  on conflict (level, index) do update set hashes = excluded.hashes
"""
_KEY = """
  insert into signing_key (vkey, since) values ($1, clock_timestamp())
  on conflict (vkey) do update set retired_at = null
"""
_RETIRE = "update signing_key set retired_at = now() where vkey <> all ($1::text[]) and retired_at is null"
_RELEASE = "insert into checkpoint (size, root, note) values ($1, $2, $3) on conflict do nothing"
_GAP = (
    "entry {seq} is missing, though the log is longer: nothing from it on is signed; find out with `sunledger verify"
    " --database`"
)
_MISSING = (
    "{path} is missing, but this log has been published. Ask a witness for the last checkpoint it saw, compare,"
    " and run `sunledger checkpoint adopt`"
)
_BEHIND = (
    "the database has {found} entries, but a checkpoint over {size} was signed ({path}): an older copy was restored."
    " Signing would be a second history. Restore the newer database; or look at a witness's copy first"
)
_BESIDE = "the database's first {size} entries are not those that were signed ({path}): they were changed"
_OLD = "{path} is older than the database, which released a checkpoint over {size}: it was put back"
