"""Reading back what a decision needs: the books, lines, and facts of the postings."""

from collections.abc import Iterable
from dataclasses import replace

import asyncpg
import msgspec

from ledger import account, entries
from ledger.account import CNY, Account
from ledger.books import Books
from ledger.command import Facts, Gone, Needs, Origin
from ledger.corrections import is_place
from ledger.decide import AnyProposable, Proposed
from ledger.entries import Entry
from ledger.line import Line, Span
from ledger.pieces import resting
from ledger.store.queries.chain import read_taken
from ledger.store.queries.fiscal import read_receipts
from ledger.store.queries.trace import forward

READ_ENTRIES = 2_000


async def read_books(connection: asyncpg.Connection) -> Books:
    """The books as the log tells them: every entry but gifts and what is said of their receipts, by the same code."""
    books = Books()
    at = -1
    while found := await connection.fetch(_CONTROL, at, READ_ENTRIES):
        for seq, written in found:
            books.apply(entries.decode(written), "")
            at = seq
    for batch in books.imports:
        kept = books.imports[batch]
        kept.rows, kept.sum_fen, kept.last_row = await connection.fetchrow(_IMPORTED, batch)
    head = await connection.fetchrow("select seq, prev, at from head")
    books.seq, books.prev, books.at = head["seq"], head["prev"].hex(), head["at"]
    return books


async def read_ids(connection: asyncpg.Connection) -> dict[Account, int]:
    """Every account's row."""
    found = await connection.fetch("select id, address, unit from account order by id")
    return {Account(row["address"], row["unit"]): row["id"] for row in found}


async def load_lines(
    connection: asyncpg.Connection, books: Books, ids: dict[Account, int], wanted: Iterable[Account]
) -> None:
    """Put the lines that are not in the books there; an account nobody has used has an empty one."""
    missing = [where for where in wanted if where not in books.lines]
    known = {ids[where]: where for where in missing if where in ids}
    kept = {row["account"]: row for row in await connection.fetch(_LINES, list(known))} if known else {}
    for where in missing:
        row = kept.get(ids.get(where, 0))
        if row is None:
            books.put(where, Line())
            continue
        spans = [(0, row["front"])] if row["front"] else []
        if row["consumed"] > row["front"]:
            spans += [(r["src_lo"], r["src_hi"]) for r in await connection.fetch(_HOLES, row["account"], row["front"])]
        books.put(where, Line(row["credited"], row["last_seq"], spans))


async def load_facts(  # noqa: PLR0913  what there is to know
    connection: asyncpg.Connection,
    needs: Needs,
    books: Books,
    ids: dict[Account, int],
    *,
    today: str,
    salt: str,
) -> Facts:
    """What the postings say about what the decision asks."""
    facts = await _facts(connection, needs, books, ids, today=today, salt=salt)
    if not needs.corrects:
        return facts
    found = await connection.fetchrow(_WRONG, needs.corrects)
    if found is None:
        return facts
    wrong = entries.decode(found["bytes"])
    _, count = entries.part_of(wrong.body)
    qty = await connection.fetchval(_QTY, needs.corrects, needs.corrects + count - 1)
    return replace(facts, wrong=wrong, wrong_qty=qty, righted_by=found["righted_by"] or 0)


async def _facts(  # noqa: PLR0913  the same
    connection: asyncpg.Connection,
    needs: Needs,
    books: Books,
    ids: dict[Account, int],
    *,
    today: str,
    salt: str,
) -> Facts:
    if needs.turnovers is not None:
        found = await connection.fetch(_TURNOVERS, *needs.turnovers)
        return Facts(today=today, salt=salt, turnovers=tuple(tuple(row) for row in found))
    if needs.project is not None:
        return Facts(today=today, salt=salt, first_seqs=await _first_seqs(connection, needs.project, books, ids))
    found = await connection.fetchrow("select bytes from entry where seq = $1", needs.ref)
    if found is None:
        return Facts(today=today, salt=salt)
    cited = entries.decode(found["bytes"])
    if needs.receipts:
        return await _of_receipts(connection, cited, today=today, salt=salt)
    index, count = entries.part_of(cited.body)
    if index != 1:  # a split effect is cited by its first part, and means all of them
        return Facts(today=today, salt=salt)
    first, last = needs.ref, needs.ref + count - 1
    gone: list[Gone] = []
    if needs.images or cited.kind in needs.images_of:
        leaves = resting(await forward(connection, first, last))
        gone = [Gone(leaf.address, leaf.qty, leaf.seq) for leaf in leaves if not is_place(leaf.address)]
        spans = [
            (Account(leaf.address, leaf.unit), Span(leaf.lo, leaf.lo + leaf.qty))
            for leaf in leaves
            if is_place(leaf.address) or (needs.fee and leaf.seq == first)
        ]
    else:
        spans = await _left(connection, books, ids, first, last)
    return Facts(
        today=today,
        salt=salt,
        cited=cited,
        cited_qty=await connection.fetchval(_QTY, first, last),
        confirmed_qty=await connection.fetchval(_CONFIRMED, first, last),
        lost_qty=await read_taken(connection, first, "exchange.settled") if needs.losses else 0,
        spans=tuple(spans),
        gone=tuple(gone),
        origins=await _origins(connection, first, last) if needs.origins else (),
    )


async def _of_receipts(connection: asyncpg.Connection, gift: Entry, *, today: str, salt: str) -> Facts:
    """What was given, what went back of it, and what the log says of its fiscal receipts."""
    said = await read_receipts(connection, gift.seq)
    return Facts(
        today=today,
        salt=salt,
        cited=gift,
        cited_qty=entries.qty_of(gift),
        refunded_qty=said.refunded_fen,
        receipts=said.entries,
    )


async def _left(
    connection: asyncpg.Connection, books: Books, ids: dict[Account, int], first: int, last: int
) -> list[tuple[Account, Span]]:
    """What the entries credited and nothing consumed. Not by a trace: an effect in many parts has too many pieces."""
    credited = [
        (Account(row["address"], row["unit"]), row["lo"], row["hi"])
        for row in await connection.fetch(_CREDITED, first, last)
    ]
    await load_lines(connection, books, ids, {where for where, *_ in credited})
    return [(where, span) for where, lo, hi in credited for span in books.lines[where].consumed.without(lo, hi)]


async def _origins(connection: asyncpg.Connection, first: int, last: int) -> tuple[Origin, ...]:
    found = await connection.fetch(_ORIGINS, first, last)
    return tuple(Origin(Account(dst, unit), Span(lo, hi), src) for dst, unit, lo, hi, src in found)


async def load_proposed(connection: asyncpg.Connection, proposal: int) -> Proposed | None:
    """What waits for approval; None for a number that is no proposal, or whose text went with a donor's data."""
    found = await connection.fetchrow("select command, salt from draft where proposal = $1", proposal)
    if found is None or not found["command"]:
        return None
    return Proposed(_commands.decode(found["command"]), found["salt"])


async def _first_seqs(
    connection: asyncpg.Connection, project: tuple[str, str], books: Books, ids: dict[Account, int]
) -> dict[Account, int]:
    org, project_id = project
    funds = [fund for its_org, fund in books.funds if its_org == org]
    candidates = (Account(account.project(org, project_id, fund), CNY) for fund in funds)
    used = [where for where in candidates if where in ids]
    await load_lines(connection, books, ids, used)
    seqs: dict[Account, int] = {}
    for where in used:
        lowest = books.lines[where].lowest_free()
        if lowest is not None:
            seqs[where] = await connection.fetchval(_CREDITED_BY, ids[where], lowest)
    return seqs


_commands = msgspec.json.Decoder(AnyProposable)
_CONTROL = """
  select seq, bytes from entry
  where kind not in ('money.received', 'receipt.issued', 'receipt.voided', 'receipt.waived') and seq > $1
  order by seq limit $2
"""
_IMPORTED = """
  select count(*)::int, coalesce(sum(qty), 0)::bigint, coalesce(max(row), 0) from gift where batch = $1
"""
_LINES = "select account, credited, consumed, front, last_seq from line where account = any($1)"
_HOLES = "select src_lo, src_hi from posting where src = $1 and src_lo >= $2 order by src_lo"
# Beside what the entries credited: what reversals put back there of what others had taken from it.
_GIVEN_BACK = """
  select back.seq from citation taken join citation back on back.ref = taken.seq and back.kind = 'entry.reversed'
  where taken.ref = $1 and taken.kind in ('money.identified', 'transfer.received')
"""
_CREDITED = f"""
  select a.address, a.unit, min(p.dst_lo) as lo, max(p.dst_hi) as hi
  from posting p join account a on a.id = p.dst where p.seq between $1 and $2
  group by a.address, a.unit, p.dst
  union all
  select a.address, a.unit, min(p.dst_lo), max(p.dst_hi)
  from posting p join account a on a.id = p.dst where p.seq in ({_GIVEN_BACK})
  group by a.address, a.unit, p.dst, p.seq
  order by 1, 3
"""  # noqa: S608  ours
# What was given back came from where the entry's own first posting came from: a transfer leaves one fund.
_ORIGINS = f"""
  select dst.address, p.unit, p.dst_lo, p.dst_hi, src.address
  from posting p join account dst on dst.id = p.dst join account src on src.id = p.src
  where p.seq between $1 and $2
  union all
  select dst.address, p.unit, p.dst_lo, p.dst_hi, src.address
  from posting p join account dst on dst.id = p.dst
  join posting own on own.seq = $1 and own.n = 0 join account src on src.id = own.src
  where p.seq in ({_GIVEN_BACK})
"""  # noqa: S608  ours
_CREDITED_BY = "select seq from posting where dst = $1 and dst_lo <= $2 order by dst_lo desc limit 1"
_TURNOVERS = """
  select a.address, a.unit, sum(t.credited)::bigint, sum(t.consumed)::bigint
  from account a join turnover t on t.account = a.id where a.org = $1 and t.day <= $2::text::date group by a.id
"""
# Nothing else cites an entry of its own kind.
_WRONG = """
  select bytes, (select min(c.seq) from citation c where c.ref = entry.seq and c.kind = entry.kind) as righted_by
  from entry where seq = $1
"""
_QTY = "select coalesce(sum(qty), 0)::bigint from posting where seq between $1 and $2"
_CONFIRMED = """
  select coalesce(sum(qty), 0)::bigint from citation where ref between $1 and $2 and kind = 'delivery.confirmed'
"""
