"""The tree as it is stored: tiles, bundles, checkpoints, proofs."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import asyncpg

from ledger.account import MAX_POSITION
from ledger.log.checkpoint import Checkpoint
from ledger.log.cosignature import cosigned_at_s
from ledger.log.note import parse_note
from ledger.log.policy import Policy
from ledger.log.proof import LogProof
from ledger.log.tile import Bundle, Tile, encode_bundle, node_reader, tiles_read
from ledger.log.tree import ReadNode, consistency_proof, inclusion_proof


class LogState(StrEnum):
    """How far an entry has come on its way under a signature."""

    SEQUENCED = "sequenced"
    """Durable and numbered."""
    INTEGRATED = "integrated"
    """In the stored tiles of the tree."""
    PUBLISHED = "published"
    """Under a signed checkpoint: it can be proven."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the log has come, in entries."""

    sequenced: int
    integrated: int
    published: int

    def state(self, seq: int) -> LogState:
        """That of an entry which is in the log."""
        if seq < self.published:
            return LogState.PUBLISHED
        return LogState.INTEGRATED if seq < self.integrated else LogState.SEQUENCED


async def read_progress(connection: asyncpg.Connection) -> Progress:
    """How far the log has come, as this connection sees it."""
    return Progress(*await connection.fetchrow(_PROGRESS))


async def integrated_size(connection: asyncpg.Connection) -> int:
    """How many leaves the stored tiles have."""
    size: int = await connection.fetchval(f"select {_INTEGRATED}")
    return size


async def read_file(connection: asyncpg.Connection, wanted: Tile | Bundle) -> bytes | None:
    """What is served at the path of a tile or a bundle; None where the log is not so long."""
    return await (read_tile(connection, wanted) if isinstance(wanted, Tile) else read_bundle(connection, wanted))


async def read_tile(connection: asyncpg.Connection, tile: Tile) -> bytes | None:
    """The tile's hashes; a partial one is the beginning of what it grew to."""
    found: bytes | None = await connection.fetchval(_TILE, tile.level, tile.index)
    return found[: tile.byte_size] if found is not None and len(found) >= tile.byte_size else None


async def read_bundle(connection: asyncpg.Connection, bundle: Bundle) -> bytes | None:
    """The entries of a bundle; None where the log is not so long."""
    found = await connection.fetch(_ENTRIES, bundle.span.start, bundle.span.stop)
    return encode_bundle(row["bytes"] for row in found) if len(found) == bundle.width else None


async def last_checkpoint(connection: asyncpg.Connection) -> bytes | None:
    """The newest signed note; None before the first."""
    note: bytes | None = await connection.fetchval("select note from checkpoint order by size desc limit 1")
    return note


async def read_checkpoint(connection: asyncpg.Connection, size: int) -> bytes | None:
    """The signed note over so many entries; None where none was published."""
    note: bytes | None = await connection.fetchval("select note from checkpoint where size = $1", size)
    return note


async def read_proof(connection: asyncpg.Connection, seq: int) -> LogProof | None:
    """The proof of one entry."""
    found = await read_proofs(connection, [seq])
    return found[0] if found else None


async def read_proofs(connection: asyncpg.Connection, seqs: Sequence[int]) -> list[LogProof] | None:
    """The proof of each entry under the newest checkpoint; None where one of them is not published yet.

    Two queries, however many entries; they need no snapshot, since a tile's beginning never changes.
    """
    note = await last_checkpoint(connection)
    if note is None or max(seqs) >= (size := checkpoint_of(note).size):
        return None

    def proven(read: ReadNode) -> list[LogProof]:
        return [LogProof(index=seq, hashes=tuple(inclusion_proof(seq, size, read)), checkpoint=note) for seq in seqs]

    return proven(await nodes(connection, size, tiles_read(size, proven)))


async def proof_of_consistency(connection: asyncpg.Connection, size1: int, size2: int) -> list[bytes]:
    """That one published tree is the beginning of another."""
    read = await nodes(connection, size2, tiles_read(size2, lambda read: consistency_proof(size1, size2, read)))
    return consistency_proof(size1, size2, read)


async def nodes(connection: asyncpg.Connection, size: int, wanted: list[Tile]) -> ReadNode:
    """Nodes of the tree of `size`, out of the tiles that are asked for."""
    return node_reader(size, (await read_tiles(connection, wanted)).__getitem__)


async def read_tiles(connection: asyncpg.Connection, wanted: list[Tile]) -> dict[Tile, bytes]:
    """The tiles, each as wide as it is asked for. All of them are stored."""
    found = await connection.fetch(_TILES, [tile.level for tile in wanted], [tile.index for tile in wanted])
    kept = {(row["level"], row["index"]): row["hashes"] for row in found}
    return {tile: kept[tile.level, tile.index][: tile.byte_size] for tile in wanted}


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A checkpoint as a list shows it. `by`: names in its signature lines, the log's own among them."""

    size: int
    root: bytes
    at: datetime
    by: tuple[str, ...]


async def read_checkpoints(
    connection: asyncpg.Connection, limit: int, *, before: int = MAX_POSITION
) -> list[Published]:
    """The newest ones over fewer than `before` entries, the newest first."""
    found = await connection.fetch(f"{_CHECKPOINT} where size < $2 order by size desc limit $1", limit, before)
    return [_published(row) for row in found]


async def read_first_over(connection: asyncpg.Connection, seq: int) -> Published | None:
    """The first checkpoint that an entry is under: for ever the same one. None where none was published yet."""
    row = await connection.fetchrow(f"{_CHECKPOINT} where size > $1 order by size limit 1", seq)
    return None if row is None else _published(row)


def _published(row: asyncpg.Record) -> Published:
    signatures = parse_note(row["note"]).signatures
    return Published(
        size=row["size"], root=row["root"], at=row["published_at"], by=tuple(each.name for each in signatures)
    )


_CHECKPOINT = "select size, root, note, published_at from checkpoint"


async def signing_keys(connection: asyncpg.Connection, *, retired: bool = False) -> list[str]:
    """The vkeys that sign this log, oldest first; or those that signed it once and do no more."""
    found = await connection.fetch(_RETIRED if retired else _KEYS)
    return [row["vkey"] for row in found]


async def served_policy(connection: asyncpg.Connection) -> str | None:
    """The policy file readers get: keys, witnesses, quorum; None where the log was never signed."""
    policy: str | None = await connection.fetchval("select policy from witnessing")
    if policy is None:
        return None
    retired = await signing_keys(connection, retired=True)
    return "".join(f"# signs no more: {vkey}\n" for vkey in retired) + policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessed:
    """How the witnesses stand to the newest checkpoint."""

    size: int
    """Entries under it."""
    quorum: str
    is_required: bool
    has_quorum: bool
    cosigned_at: datetime | None
    """Enough witnesses cosigned it then or later; None where too few did, or none is known."""
    waiting_since: datetime | None
    """When the first entry that is not under it was made; None where all are."""
    witnesses: tuple["WitnessState", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessState:
    """What one witness said last. `alarm`: it knows another history than the one it was shown."""

    name: str
    vkey: str
    url: str
    cosigned_size: int | None
    """Entries under the checkpoint that it cosigned last; None where it never did."""
    cosigned_at: datetime | None
    has_cosigned_newest: bool
    trouble: str
    alarm: str


async def alarming(connection: asyncpg.Connection) -> list[str]:
    """Names of the witnesses that know another history."""
    return [row["name"] for row in await connection.fetch("select name from witness where alarm <> '' order by name")]


async def witnessed(connection: asyncpg.Connection) -> Witnessed | None:
    """Who cosigned the newest checkpoint, and how each witness stands; None where nothing was published.

    Signature lines are taken as they stand in the note: the publisher checked each before it added it.
    """
    note, policy = await last_checkpoint(connection), await connection.fetchrow("select * from witnessing")
    if note is None or policy is None:
        return None
    told = Policy.parse(policy["policy"])
    signatures = parse_note(note).signatures
    times_s = {
        w.name: max(times)
        for w in told.witnesses
        if (times := [cosigned_at_s(s) for s in signatures if s.is_by(w.key)])
    }
    at_s = told.witnessed_at_s(times_s)
    size = checkpoint_of(note).size
    rows = {row["name"]: row for row in await connection.fetch("select * from witness")}
    return Witnessed(
        size=size,
        quorum=told.quorum,
        is_required=policy["is_required"],
        has_quorum=told.is_witnessed_by(times_s),
        cosigned_at=None if at_s is None else datetime.fromtimestamp(at_s, UTC),
        waiting_since=await connection.fetchval("select at from entry where seq = $1", size),
        witnesses=tuple(_state(rows[w.name], times_s) for w in told.witnesses),
    )


def _state(row: asyncpg.Record, newest: Container[str]) -> WitnessState:
    at = row["cosigned_at"]
    return WitnessState(
        name=row["name"],
        vkey=row["vkey"],
        url=row["url"],
        cosigned_size=None if at is None else row["size"],
        cosigned_at=at,
        has_cosigned_newest=row["name"] in newest,
        trouble=row["trouble"],
        alarm=row["alarm"],
    )


def checkpoint_of(note: bytes) -> Checkpoint:
    """What a note of our own says."""
    return Checkpoint.parse(parse_note(note).text)


_INTEGRATED = """
  coalesce((select index * 256 + length(hashes) / 32 from tile where level = 0 order by index desc limit 1), 0)
"""
_PROGRESS = f"""
  select (select seq + 1 from head) as sequenced, {_INTEGRATED} as integrated,
         coalesce((select size from checkpoint order by size desc limit 1), 0) as published
"""  # noqa: S608  ours
END = f"select head.at, progress.* from head cross join ({_PROGRESS}) progress"  # noqa: S608  ours
"""When the last entry was made, empty for an empty log; and how far the log has come."""
_KEYS = "select vkey from signing_key where retired_at is null order by since, vkey"
_RETIRED = "select vkey from signing_key where retired_at is not null order by since, vkey"
_TILE = "select hashes from tile where level = $1 and index = $2"
_TILES = """
  select t.level, t.index, t.hashes
  from unnest($1::smallint[], $2::bigint[]) as wanted (level, index)
    cross join lateral (select * from tile where level = wanted.level and index = wanted.index offset 0) t
"""
_ENTRIES = "select bytes from entry where seq >= $1 and seq < $2 and bytes is not null order by seq"
