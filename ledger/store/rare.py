"""What entries of the rare kinds mean for the tables: a statement each, or a few."""

from collections.abc import Callable
from datetime import date
from typing import Any, TypeAlias

import msgspec

from ledger import account, entries
from ledger.books import Books, Payment
from ledger.entries import Entry

Statement: TypeAlias = tuple[Any, ...]
"""SQL, then its arguments."""


def statements(entry: Entry, books: Books) -> list[Statement]:
    """What is to be written, in order; `books`: before the entry."""
    body, seq = entry.body, entry.seq
    found: list[Statement] = []
    if (write := _STATEMENTS.get(type(body))) is not None:
        found.append(write(seq, body, entry))
    if isinstance(body, entries.MoneyDisbursed):
        found += _cost(entry, body)
    if isinstance(body, entries.MoneyReturned | entries.EntryReversed) and body.ref in books.payments:
        found += _cost_returned(books.origins[body.ref].of(entry.postings), books.payments[body.ref])
    if isinstance(body, entries.MoneyUnidentified | entries.IncomeReceived) and body.ref:
        found.append((_REFERENCE, bytes.fromhex(body.ref), seq))
    if entry.by.proposal and len(set(entries.part_of(body))) == 1:  # the last part, or the only one
        found.append((_RESOLVE, entry.by.proposal, "effected", seq))
    return found


_REFERENCE = "insert into reference (ref, seq) values ($1, $2)"
_FROM_SUSPENSE = "update suspense set left_fen = left_fen - $2 where seq = $1"
_BACK_TO_SUSPENSE = """
  update suspense set left_fen = left_fen + $2 where seq = any(select ref from citation where seq = $1)
"""
_COST = """
  insert into cost (org, fund, year, management, spent) values ($1, $2, $3, $4, $5)
  on conflict (org, fund, year) do update
  set management = cost.management + excluded.management, spent = cost.spent + excluded.spent
"""
_UNSPENT = """
  update cost set management = management - $4, spent = spent - $5 where org = $1 and fund = $2 and year = $3
"""
_RESOLVE = "update proposal set status = $2, resolved_seq = $3 where seq = $1"
_ORGANISATION = """
  insert into organisation (org, name, level, parent, division, uscc, seq) values ($1, $2, $3, $4, $5, $6, $7)
  on conflict (org) do update set name = excluded.name, level = excluded.level, parent = excluded.parent,
    division = excluded.division, uscc = excluded.uscc, seq = excluded.seq
"""
_STAFF = """
  insert into staff (staff, org, roles, seq) values ($1, $2, $3, $4)
  on conflict (staff, org) do update set seq = excluded.seq,
    roles = array(select distinct unnest(staff.roles || excluded.roles) order by 1)
"""


def _organisation(seq: int, body: Any, _: Entry) -> Statement:
    return (_ORGANISATION, body.org, body.name, body.level, body.parent, body.division, body.uscc, seq)


def _cost(entry: Entry, body: entries.MoneyDisbursed) -> list[Statement]:
    spent: dict[tuple[str, str], int] = {}
    for posting in entry.postings:
        place = account.parse(posting.src)
        key = (place.org, place.rest[1])
        spent[key] = spent.get(key, 0) + posting.qty
    is_management = body.spending == "management"
    return [(_COST, org, fund, body.on[:4], qty if is_management else 0, qty) for (org, fund), qty in spent.items()]


def _cost_returned(given: list[tuple[str, int]], paid: Payment) -> list[Statement]:
    places = ((account.parse(address), qty) for address, qty in given)
    return [
        (_UNSPENT, org, rest[1], paid.year, qty if paid.is_management else 0, qty) for (_, org, rest), qty in places
    ]


def _proposal(seq: int, body: Any, entry: Entry) -> Statement:
    qty = sum(hold.qty for hold in body.holds)
    if entries.part_of(body)[0] > 1:
        return ("update proposal set qty = qty + $2 where seq = $1", seq - entries.part_of(body)[0] + 1, qty)
    return (
        """insert into proposal (seq, command, org, maker, qty, approvals, status)
           values ($1, $2, $3, $4, $5, 0, 'open')""",
        seq,
        body.command,
        body.org,
        entry.by.maker,
        qty,
    )


_STATEMENTS: dict[type[Any], Callable[[int, Any, Entry], Statement]] = {
    entries.LogOpened: lambda seq, body, _: (
        """insert into staff (staff, org, roles, seq)
           select staff, '', array['administrator'], $2 from unnest($1::text[]) staff""",
        list(body.administrators),
        seq,
    ),
    entries.OrganisationRegistered: _organisation,
    entries.OrganisationChanged: _organisation,
    entries.StaffEnrolled: lambda seq, body, _: (_STAFF, body.staff, body.org, list(body.roles), seq),
    entries.StaffDismissed: lambda seq, body, _: (
        "update staff set roles = '{}', seq = $3 where staff = $1 and org = $2",
        body.staff,
        body.org,
        seq,
    ),
    entries.CampaignRegistered: lambda seq, body, _: (
        """insert into campaign (campaign, org, name, filing, first_on, last_on, seq)
           values ($1, $2, $3, $4, $5, $6, $7)""",
        body.campaign,
        body.org,
        body.name,
        body.filing,
        date.fromisoformat(body.first_on),
        date.fromisoformat(body.last_on),
        seq,
    ),
    entries.EventDeclared: lambda seq, body, _: (
        "insert into event (event, name, emergency, seq) values ($1, $2, $3, $4)",
        body.event,
        body.name,
        body.emergency,
        seq,
    ),
    entries.FundOpened: lambda seq, body, _: (
        """insert into fund (org, fund, name, restriction, spending, seq, management_ppm, over_ceiling,
                             receipt_fee_ppm, charges, campaign)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)""",
        body.org,
        body.fund,
        body.name,
        msgspec.json.encode(body.restriction).decode(),
        list(body.spending),
        seq,
        body.management_ppm,
        body.over_ceiling,
        body.receipt_fee_ppm,
        body.charges,
        body.campaign,
    ),
    entries.ProjectOpened: lambda seq, body, _: (
        """insert into project (org, project, name, category, region, event, budget_fen, starts, ends, seq)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
        body.org,
        body.project,
        body.name,
        body.category,
        body.region,
        body.event,
        body.budget_fen,
        body.starts,
        body.ends,
        seq,
    ),
    entries.ProposalMade: _proposal,
    entries.ProposalApproved: lambda _, body, __: (
        "update proposal set approvals = approvals + 1 where seq = $1",
        body.proposal,
    ),
    entries.ProposalRejected: lambda seq, body, _: (_RESOLVE, body.proposal, "rejected", seq),
    entries.ProposalExpired: lambda seq, body, _: (_RESOLVE, body.proposal, "expired", seq),
    entries.ProposalWithdrawn: lambda seq, body, _: (_RESOLVE, body.proposal, "withdrawn", seq),
    entries.FundClosed: lambda seq, body, _: (
        "update fund set closed_seq = $3, successor = $4 where org = $1 and fund = $2",
        body.org,
        body.fund,
        seq,
        body.successor,
    ),
    entries.ProjectClosed: lambda seq, body, _: (
        "update project set closed_seq = $3, successor = $4 where org = $1 and project = $2",
        body.org,
        body.project,
        seq,
        body.successor,
    ),
    entries.PledgeMade: lambda seq, body, _: (
        """insert into pledge (seq, org, fund, promiser, amount_fen, day, due, outcome)
           values ($1, $2, $3, $4, $5, $6, $7, '')""",
        seq,
        body.org,
        body.fund,
        body.promiser,
        body.amount_fen,
        date.fromisoformat(body.on),
        body.due,
    ),
    entries.PledgeEnded: lambda seq, body, _: (
        "update pledge set outcome = $2, ended_seq = $3 where seq = $1",
        body.ref,
        body.outcome,
        seq,
    ),
    entries.PeriodClosed: lambda seq, body, _: (
        "insert into period (org, last_on, first_on, root, seq) values ($1, $2, $3, $4, $5)",
        body.org,
        date.fromisoformat(body.last_on),
        date.fromisoformat(body.first_on),
        bytes.fromhex(body.root),
        seq,
    ),
    entries.MoneyUnidentified: lambda seq, body, entry: (
        "insert into suspense (seq, org, channel, day, qty, left_fen) values ($1, $2, $3, $4, $5, $5)",
        seq,
        entries.org_of(entry),
        body.channel,
        date.fromisoformat(body.on),
        entries.qty_of(entry),
    ),
    entries.MoneyIdentified: lambda _, body, entry: (_FROM_SUSPENSE, body.ref, entries.qty_of(entry)),
    entries.EntryReversed: lambda _, body, entry: (
        _BACK_TO_SUSPENSE if body.of == "money.identified" else _FROM_SUSPENSE,
        body.ref,
        entries.qty_of(entry),
    ),
    entries.SuspenseReturned: lambda _, body, entry: (_FROM_SUSPENSE, body.ref, entries.qty_of(entry)),
    entries.ImportApproved: lambda seq, body, entry: (
        """insert into import_batch
             (seq, org, fund, channel, name, profile, maker, rows, sum_fen, entered_rows, entered_fen)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0)""",
        seq,
        body.org,
        body.fund,
        body.channel,
        body.name,
        body.profile,
        entry.by.maker,
        body.rows,
        body.sum_fen,
    ),
    entries.ImportCompleted: lambda seq, body, _: (
        "update import_batch set completed_seq = $2 where seq = $1",
        body.batch,
        seq,
    ),
}
