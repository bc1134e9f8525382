"""The tree as it is stored: tiles, bundles, checkpoints, proofs."""

import asyncpg

from ledger.log.checkpoint import Checkpoint
from ledger.log.note import parse_note
from ledger.log.tile import Bundle, Tile, encode_bundle, node_reader, tiles_read
from ledger.log.tree import ReadNode, consistency_proof, inclusion_proof


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


async def proof_of_inclusion(connection: asyncpg.Connection, index: int, size: int) -> list[bytes]:
    """The audit path of an entry in the tree of `size`."""
    read = await nodes(connection, size, tiles_read(size, lambda read: inclusion_proof(index, size, read)))
    return inclusion_proof(index, size, read)


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


async def signing_keys(connection: asyncpg.Connection) -> list[str]:
    """The vkeys that signed this log, oldest first."""
    return [row["vkey"] for row in await connection.fetch("select vkey from signing_key order by since, vkey")]


def checkpoint_of(note: bytes) -> Checkpoint:
    """What a note of our own says."""
    return Checkpoint.parse(parse_note(note).text)


_TILE = "select hashes from tile where level = $1 and index = $2"
_TILES = """
  select t.level, t.index, t.hashes
  from unnest($1::smallint[], $2::bigint[]) as wanted (level, index)
    cross join lateral (select * from tile where level = wanted.level and index = wanted.index offset 0) t
"""
_ENTRIES = "select bytes from entry where seq >= $1 and seq < $2 and bytes is not null order by seq"
