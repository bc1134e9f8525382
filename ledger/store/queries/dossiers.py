"""What the published log holds of a gift: its trace as of the newest checkpoint, every entry of it, every proof."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg

from ledger.receipt.dossier import MAX_DOSSIER_ENTRIES
from ledger.receipt.receipt import Receipt
from ledger.store.queries.gifts import Traces
from ledger.store.queries.log import checkpoint_of, last_checkpoint, read_proofs
from ledger.store.queries.trace import TooManyPieces
from ledger.trace import Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """A gift as of one checkpoint."""

    trace: Trace
    receipts: Sequence[Receipt]
    """Of the gift, of what moved it, of what cites that, of its fiscal receipts, and the same of the wrong entries; by
    number."""
    box: bytes
    """Empty where the donor's data were erased."""
    wrong: Sequence[Trace] = ()
    """The wrong entries whose place the gift took, newest first."""
    wrong_boxes: Mapping[int, bytes] = field(default_factory=dict)

    @property
    def checkpoint(self) -> bytes:
        """The signed note all of it is under."""
        return self.receipts[0].proof.checkpoint


async def read_receipt(connection: asyncpg.Connection, seq: int) -> Receipt | None:
    """The entry and its proof; None where it is not published yet. Inside one snapshot."""
    found = await _receipts(connection, [seq])
    return found[0] if found else None


async def read_box(connection: asyncpg.Connection, seq: int) -> bytes:
    """The sealed box of a gift; empty where there is none."""
    return await connection.fetchval("select box from receipt where seq = $1", seq) or b""


async def read_dossier(connection: asyncpg.Connection, traces: Traces, seq: int) -> Dossier | None:
    """The dossier of a gift; None where it is not published yet. Raises TooManyPieces. Inside one snapshot."""
    note = await last_checkpoint(connection)
    if note is None:
        return None
    size = checkpoint_of(note).size
    # Names are those of now. One that changed after the checkpoint would make two dossiers of one checkpoint.
    if seq >= size or await connection.fetchval(_RENAMED, size):
        return None
    seqs: set[int] = set()
    told: list[Trace] = []
    gift: int | None = seq
    while gift is not None and (followed := await traces.at(connection, gift, size)) is not None:
        found, trace = followed
        told.append(trace)
        seqs |= {gift, *found.moves, *(each.seq for each in (*found.citing, *found.receipts))}
        if len(seqs) > MAX_DOSSIER_ENTRIES:
            raise TooManyPieces
        gift = trace.gift.corrects
    if not told:
        return None
    receipts = await _receipts(connection, sorted(seqs))
    assert receipts is not None, "all of it lies below the checkpoint"
    boxes = {each.gift.seq: await read_box(connection, each.gift.seq) for each in told}
    return Dossier(
        trace=told[0],
        receipts=receipts,
        box=boxes.pop(seq),
        wrong=told[1:],
        wrong_boxes={wrong: box for wrong, box in boxes.items() if box},
    )


async def _receipts(connection: asyncpg.Connection, seqs: Sequence[int]) -> list[Receipt] | None:
    proofs = await read_proofs(connection, seqs)
    if proofs is None:
        return None
    found = await connection.fetch("select seq, bytes from entry where seq = any($1)", seqs)
    written = {row["seq"]: row["bytes"] for row in found}
    return [Receipt(entry=written[proof.index], proof=proof) for proof in proofs]


_RENAMED = "select exists (select from entry where seq >= $1 and kind <> 'money.received' and kind = 'org.changed')"
