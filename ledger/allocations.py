"""From a fund to a project, and what is left of it back again."""

from ledger import account, entries
from ledger.account import CNY, Account
from ledger.books import Books
from ledger.command import Effect, Facts, Needs, Proposable, body_of, check_cited, check_day, check_quantity, check_text
from ledger.line import NO_PROPOSAL, Span, first_of
from ledger.posting import Hold, Take
from ledger.refusals import NothingLeft, PolicyMissing, RestrictionBroken
from ledger.rightings import missing, righted

USUAL_SPENDING: tuple[entries.Spending, ...] = ("aid", "purchase")
"""What a fund without a fee clause may be spent on."""


class AllocateMoney(Proposable, frozen=True, kw_only=True, tag="money.allocated"):
    """Give a fund's money to a project of the same organisation, first in first out."""

    org: str
    fund: str
    project: str
    amount_fen: int
    on: str
    decision: str = ""
    corrects: int = 0


class ReleaseMoney(Proposable, frozen=True, kw_only=True, tag="money.released"):
    """Give back to the fund what is left of an allocation; `amount_fen` 0: all of it."""

    org: str
    ref: int
    on: str
    reason: str
    amount_fen: int = 0


def allocate(command: AllocateMoney, books: Books, facts: Facts, proposal: int) -> Effect:
    """The fund's lowest free positions, if the project is what its donors wanted."""
    qty = missing(command, "money.allocated", books, facts)
    if books.policy is None:
        raise PolicyMissing
    check_day("on", command.on, latest=facts.today)
    check_text("decision", command.decision, optional=True)
    fund = books.fund(command.org, command.fund)
    check_restriction(fund.restriction, books.project(command.org, command.project))
    src = Account(account.fund(command.org, command.fund), CNY)
    spans = books.lines[src].first_in(qty, proposal)
    return Effect(
        body=righted(body_of(entries.MoneyAllocated, command), command),
        org=command.org,
        takes=(Take(src, tuple(spans)),),
        into=account.project(command.org, command.project, command.fund),
    )


def release(command: ReleaseMoney, books: Books, facts: Facts, proposal: int) -> Effect:
    """What the allocation credited to the project and nothing has consumed or holds."""
    if books.policy is None:
        raise PolicyMissing
    check_day("on", command.on, latest=facts.today)
    check_text("reason", command.reason)
    check_cited(facts, command.ref, "money.allocated", command.org)
    takes = targeted(books, facts, command.amount_fen, proposal)
    fund_id = account.parse(takes[0].account.address).rest[1]
    return Effect(
        body=body_of(entries.MoneyReleased, command),
        org=command.org,
        takes=takes,
        into=account.fund(command.org, fund_id),
        by_amount=False,
    )


def needs_release(command: ReleaseMoney) -> Needs:
    """The allocation's own credits."""
    return Needs(ref=command.ref)


def targeted(books: Books, facts: Facts, wanted: int, proposal: int) -> tuple[Take, ...]:
    """Of the positions the facts list, those that are free, in that order, up to `wanted` (0: all).

    A proposal takes exactly the positions it holds, wherever else the cited money has gone since. Raises NothingLeft,
    or InsufficientAmount where amounts that other proposals hold would no longer be covered.
    """
    spans = _held_spans(books, proposal) if proposal else _free_spans(books, facts, wanted)
    taken: dict[Account, int] = {}
    for where, span in spans:
        taken[where] = taken.get(where, 0) + span.qty
    for where, qty in taken.items():
        books.lines[where].check_available(qty, proposal)  # amounts that others hold must stay covered
    return tuple(Take(where, (span,)) for where, span in _joined(spans))


def check_restriction(wanted: entries.Restriction, project: entries.ProjectOpened) -> None:
    """Money reaches a project only if it has every attribute the fund requires. Raises RestrictionBroken.

    `recipient` is compared where money is paid: the line's fund carries it to the end.
    """
    pairs = (
        ("project", wanted.project, wanted.project in {"", project.project}),
        ("event", wanted.event, wanted.event in {"", project.event}),
        ("category", wanted.category, wanted.category in {"", project.category}),
        ("region", wanted.region, lies_in(project.region, wanted.region)),
    )
    for what, required, fits in pairs:
        if not fits:
            raise RestrictionBroken(f"the fund is restricted to {what} {required}", **{what: required})


def check_narrower(sending: entries.FundOpened, receiving: entries.FundOpened) -> None:
    """Money goes on only to a fund that keeps every promise of the one it leaves. Raises RestrictionBroken.

    Every attribute of its restriction, and no spending or fee that its clause did not allow.
    """
    wanted, given = sending.restriction, receiving.restriction
    ceiling = sending.management_ppm
    pairs = (
        ("project", wanted.project, wanted.project in {"", given.project}),
        ("event", wanted.event, wanted.event in {"", given.event}),
        ("category", wanted.category, wanted.category in {"", given.category}),
        ("recipient", wanted.recipient, wanted.recipient in {"", given.recipient}),
        ("region", wanted.region, lies_in(given.region, wanted.region)),
        ("spending", ", ".join(spending_of(sending)), set(spending_of(receiving)) <= set(spending_of(sending))),
        ("charges", "no later fees", sending.charges or not receiving.charges),
        ("management_ppm", f"{ceiling} millionths", ceiling < 0 or 0 <= receiving.management_ppm <= ceiling),
    )
    for what, required, fits in pairs:
        if not fits:
            raise RestrictionBroken(f"the fund it leaves is restricted to {what} {required}", **{what: required})


def spending_of(fund: entries.FundOpened) -> tuple[entries.Spending, ...]:
    """What a fund may be spent on."""
    return fund.spending or USUAL_SPENDING


def lies_in(region: str, wanted: str) -> bool:
    """Whether one division lies in another: by prefix, after trailing 00 pairs are stripped (GB/T 2260)."""
    while wanted.endswith("00"):
        wanted = wanted[:-2]
    return region.startswith(wanted)


def held_amounts(books: Books, proposal: int) -> dict[Account, int]:
    """What a proposal of a first-in-first-out outflow takes from each account."""
    holds: list[Hold] = books.proposals[proposal].holds
    return {hold.account: hold.qty for hold in holds}


def _held_spans(books: Books, proposal: int) -> list[tuple[Account, Span]]:
    return [(hold.account, Span(hold.lo, hold.lo + hold.qty)) for hold in books.proposals[proposal].holds]


def _free_spans(books: Books, facts: Facts, wanted: int) -> list[tuple[Account, Span]]:
    if wanted:
        check_quantity(wanted)
    spans = [(where, part) for where, span in facts.spans for part in books.lines[where].free(NO_PROPOSAL, *span)]
    total = sum(span.qty for _, span in spans)
    if not total or total < wanted:
        holders = sorted({each for where, _ in facts.spans for each in books.lines[where].holders()})
        raise NothingLeft(f"{total} left, {wanted or 'something'} wanted", left=total, proposals=holders)
    return _first(spans, wanted) if wanted else spans


def _first(spans: list[tuple[Account, Span]], wanted: int) -> list[tuple[Account, Span]]:
    found = []
    for where, span in spans:
        found.append((where, next(iter(first_of([span], min(wanted, span.qty))))))
        wanted -= found[-1][1].qty
        if not wanted:
            break
    return found


def _joined(spans: list[tuple[Account, Span]]) -> list[tuple[Account, Span]]:
    """Neighbours on one line as one span: two postings that could be one are one."""
    found: list[tuple[Account, Span]] = []
    for where, span in spans:
        if found and (found[-1][0], found[-1][1].hi) == (where, span.lo):
            found[-1] = (where, Span(found[-1][1].lo, span.hi))
        else:
            found.append((where, span))
    return found
