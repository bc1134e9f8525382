"""Asking witnesses for cosignatures (c2sp.org/tlog-witness): each at its own pace, none in the way of another.

A conversation always brings its witness to the newest signed checkpoint. What the publisher waits for is bounded: until
the quorum is there, cannot be reached any more, or the time is up.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg
import httpx
import structlog

from ledger.log.checkpoint import Checkpoint
from ledger.log.cosignature import cosigned_at_s, verifier_of
from ledger.log.errors import VerificationError
from ledger.log.note import Note, Signature, Verifier, open_note
from ledger.log.policy import Policy, Witness
from ledger.log.witness import AddCheckpoint, Cosigned, Declined, TryFrom, read_answer
from ledger.store.database import Database
from ledger.store.queries import log

REQUEST_TIMEOUT_S = 20.0
"""How long one witness may take to answer. The publisher waits less long; what comes later joins the checkpoint."""

MAX_TRIES = 3
"""Requests for one checkpoint in a row: the size we know, the size the witness says, and once more if it moved."""

MAX_ANSWER_BYTES = 64 * 1024
RETRY_S = 1.0
RETRY_S_MAX = 60.0
"""A witness that does not cosign is asked again after RETRY_S, twice as long each time."""

REFRESH_S = 3600.0
"""The newest checkpoint is cosigned again this often while nothing arrives: a sign that log and witness are alive."""

CLOCK_S_MAX = 3600
"""A cosignature whose time is further from our clock than this is not kept."""

_log = structlog.get_logger()

Join = Callable[[int, Signature], Awaitable[None]]
"""Adds a cosignature to the checkpoint of a size, if that is published already."""


@dataclass(slots=True)
class _Conversation:
    """What is known of one witness."""

    witness: Witness
    verifier: Verifier
    size: int = 0
    """The checkpoint it cosigned last, as far as we know."""
    held: tuple[int, Signature] | None = None
    """The size of the newest checkpoint that it cosigned, and its signature line."""
    cosigned_s: float = 0.0
    asked_s: float | None = None
    """Since when it has been thinking."""
    retry_at_s: float = 0.0
    wait_s: float = RETRY_S
    trouble: str = ""
    alarm: str = ""


class _NotCosignedError(Exception):
    """A witness did not cosign. An alarm: it knows another history."""

    def __init__(self, reason: str, *, is_alarm: bool = False) -> None:
        super().__init__(reason)
        self.is_alarm = is_alarm


class Witnesses:
    """Talks to every witness of a policy. Times are those of the event loop's clock."""

    def __init__(
        self, database: Database, policy: Policy, *, timeout_s: float, wall: Callable[[], float] = time.time
    ) -> None:
        """`timeout_s`: how long `gather` waits at most."""
        self.policy = policy
        self._database = database
        self._timeout_s = timeout_s
        self._wall = wall
        self._conversations = [_Conversation(w, verifier_of(w.key)) for w in policy.witnesses]
        self._offered: tuple[Checkpoint, bytes] | None = None
        self._changed = asyncio.Condition()
        self._tasks: list[asyncio.Task[None]] = []
        self._is_stopping = False
        self._client = httpx.AsyncClient(timeout=REQUEST_TIMEOUT_S, headers={"User-Agent": "sunledger"})

    async def start(self, join: Join) -> None:
        """Begin to talk. `join` is called for each cosignature, also for those that come late."""
        async with self._database.raw() as connection:
            known = {row["name"]: row for row in await connection.fetch("select * from witness")}
        for each in self._conversations:
            if row := known.get(each.witness.name):
                each.size, each.trouble, each.alarm = row["size"], row["trouble"], row["alarm"]
        self._tasks = [
            asyncio.create_task(self._talk(each, join), name=f"witness {each.witness.name}")
            for each in self._conversations
        ]

    async def stop(self) -> None:
        """Break every conversation off; whoever waits in `gather` goes on."""
        async with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    async def offer(self, checkpoint: Checkpoint, note: bytes) -> None:
        """From now on ask for cosignatures over this checkpoint."""
        async with self._changed:
            self._offered = checkpoint, note
            self._changed.notify_all()

    async def gather(self, size: int) -> bool:
        """Wait for cosignatures over the checkpoint of this size; answers whether they are enough."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._timeout_s), self._changed:
                await self._changed.wait_for(lambda: self._is_settled(size))
        return self.policy.is_witnessed_by(self._names(size))

    def cosignatures(self, size: int) -> list[Signature]:
        """Those over the checkpoint of this size, in the policy's order."""
        return [each.held[1] for each in self._conversations if each.held and each.held[0] == size]

    def _names(self, size: int) -> set[str]:
        return {each.witness.name for each in self._conversations if each.held and each.held[0] == size}

    def _is_settled(self, size: int) -> bool:
        """Whether waiting longer would change nothing: enough cosigned, or too many are known not to answer."""
        now_s, names = asyncio.get_running_loop().time(), self._names(size)
        hoped_for = {each.witness.name for each in self._conversations if self._may_answer(each, now_s)}
        can_change = not self.policy.is_witnessed_by(names) and self.policy.is_witnessed_by(names | hoped_for)
        return self._is_stopping or not can_change

    def _may_answer(self, each: _Conversation, now_s: float) -> bool:
        """One that has been thinking for long, or failed a moment ago, is not waited for."""
        return each.retry_at_s <= now_s if each.asked_s is None else now_s - each.asked_s < self._timeout_s

    async def _talk(self, each: _Conversation, join: Join) -> None:
        while True:
            checkpoint, note = await self._next(each)
            loop = asyncio.get_running_loop()
            each.asked_s = loop.time()
            try:
                async with asyncio.timeout(REQUEST_TIMEOUT_S):
                    signature = await self._ask(each, checkpoint, note)
            except _NotCosignedError as error:
                self._put_off(each, str(error), is_alarm=error.is_alarm)
            except (TimeoutError, httpx.HTTPError, httpx.InvalidURL) as error:
                self._put_off(each, f"no answer: {error or type(error).__name__}")
            except Exception as error:  # noqa: BLE001  the others, and this one later, are asked all the same
                _log.error("asking a witness failed", witness=each.witness.name, exc_info=error)
                self._put_off(each, "not asked: see the log of the admin application")
            else:
                if each.trouble or each.alarm:
                    _log.warning("a witness cosigns again", witness=each.witness.name)
                each.size, each.held, each.cosigned_s = checkpoint.size, (checkpoint.size, signature), loop.time()
                each.wait_s, each.trouble, each.alarm = RETRY_S, "", ""
            each.asked_s = None
            async with self._changed:
                self._changed.notify_all()
            await self._keep(each, checkpoint.size, join)

    async def _next(self, each: _Conversation) -> tuple[Checkpoint, bytes]:
        """The checkpoint to ask for, once there is one that it did not cosign, or not for long."""
        loop = asyncio.get_running_loop()
        while True:
            async with self._changed:
                wait_s: float | None = None
                if self._offered is not None:
                    is_new = each.held is None or each.held[0] != self._offered[0].size
                    wait_s = max(each.retry_at_s, 0.0 if is_new else each.cosigned_s + REFRESH_S) - loop.time()
                    if wait_s <= 0:
                        return self._offered
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._changed.wait()

    async def _ask(self, each: _Conversation, checkpoint: Checkpoint, note: bytes) -> Signature:
        """Its cosignature over the checkpoint. Raises _NotCosignedError, and what the network raises."""
        for _ in range(MAX_TRIES):
            # A record larger than what was ever signed is for the witness to tell us: ask from 0.
            old_size = each.size if each.size <= checkpoint.size else 0
            async with self._database.raw() as connection:
                proof = await log.proof_of_consistency(connection, old_size, checkpoint.size)
            request = AddCheckpoint(old_size=old_size, proof=tuple(proof), checkpoint=note)
            match await self._post(each.witness.url, request):
                case Cosigned(signatures=signatures):
                    return self._verified(each, checkpoint, signatures)
                case TryFrom(size=size) if size > checkpoint.size:
                    raise _NotCosignedError(f"it cosigned {size} entries, we signed {checkpoint.size}", is_alarm=True)
                case TryFrom(size=size):
                    each.size = size
                case Declined(status=status, reason=reason) as declined:
                    raise _NotCosignedError(f"HTTP {status}: {reason}", is_alarm=declined.is_alarm)
        raise _NotCosignedError(f"it answered {MAX_TRIES} times that it stands at another size")

    async def _post(self, url: str, request: AddCheckpoint) -> Cosigned | TryFrom | Declined:
        body = bytearray()
        async with self._client.stream("POST", f"{url.rstrip('/')}/add-checkpoint", content=request.encode()) as answer:
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    raise _NotCosignedError(f"an answer of more than {MAX_ANSWER_BYTES} bytes")
            return read_answer(answer.status_code, answer.headers.get("content-type", ""), bytes(body))

    def _verified(self, each: _Conversation, checkpoint: Checkpoint, signatures: tuple[Signature, ...]) -> Signature:
        """Of the lines it answered the one by the key we know. Others are ignored."""
        try:
            opened = open_note(Note(checkpoint.text, signatures).encode(), [each.verifier])
        except VerificationError as error:
            raise _NotCosignedError(str(error)) from error
        signature = max(opened.signatures, key=cosigned_at_s)
        if abs(cosigned_at_s(signature) - self._wall()) > CLOCK_S_MAX:
            raise _NotCosignedError(f"its clock or ours is wrong: it cosigned at {cosigned_at_s(signature)}")
        return signature

    def _put_off(self, each: _Conversation, reason: str, *, is_alarm: bool = False) -> None:
        """Ask again later; an alarm is told each time, other trouble when it begins."""
        reason = reason[:300]
        if is_alarm:
            _log.critical("A WITNESS KNOWS ANOTHER HISTORY", witness=each.witness.name, reason=reason)
            each.alarm = reason
        elif not each.trouble:
            _log.warning("a witness does not cosign", witness=each.witness.name, reason=reason)
        each.trouble = reason
        each.retry_at_s = asyncio.get_running_loop().time() + (RETRY_S_MAX if is_alarm else each.wait_s)
        each.wait_s = min(each.wait_s * 2, RETRY_S_MAX)

    async def _keep(self, each: _Conversation, size: int, join: Join) -> None:
        """Make what it said durable, and seen."""
        signature = each.held[1] if each.held is not None and each.held[0] == size else None
        cosigned_at = None if signature is None else datetime.fromtimestamp(cosigned_at_s(signature), UTC)
        try:
            if signature is not None and not each.trouble:
                await join(size, signature)
            async with self._database.raw() as connection:
                await connection.execute(_STANDING, each.witness.name, each.size, cosigned_at, each.trouble, each.alarm)
        except Exception as error:  # noqa: BLE001  the database is away: asked again, it cosigns again
            _log.error("a cosignature could not be kept", witness=each.witness.name, exc_info=error)
            each.held = None
            each.retry_at_s = asyncio.get_running_loop().time() + each.wait_s


async def announce(connection: asyncpg.Connection, policy: Policy, *, is_required: bool) -> None:
    """Tell readers the policy, inside the caller's transaction; what is known of a witness that stays is kept."""
    await connection.execute(_POLICY, policy.encode(), is_required)
    await connection.execute(_DISMISS, [witness.name for witness in policy.witnesses])
    await connection.executemany(_WITNESS, [(w.name, str(w.key), w.url) for w in policy.witnesses])


_POLICY = """
  insert into witnessing (policy, is_required) values ($1, $2)
  on conflict (one) do update set policy = excluded.policy, is_required = excluded.is_required
"""
_DISMISS = "update witness set trouble = '', alarm = '' where name <> all ($1::text[])"
# Under another key it is another witness, of whom nothing is known yet.
_WITNESS = """
  insert into witness (name, vkey, url) values ($1, $2, $3)
  on conflict (name) do update set vkey = excluded.vkey, url = excluded.url,
    size = case when witness.vkey = excluded.vkey then witness.size else 0 end,
    cosigned_at = case when witness.vkey = excluded.vkey then witness.cosigned_at end,
    trouble = case when witness.vkey = excluded.vkey then witness.trouble else '' end,
    alarm = case when witness.vkey = excluded.vkey then witness.alarm else '' end
"""
_STANDING = """
  update witness set size = $2, cosigned_at = coalesce($3, cosigned_at), trouble = $4, alarm = $5 where name = $1
"""
