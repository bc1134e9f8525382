"""Fees, as the fund's clause allows: a share of each gift at receipt, a platform's later fee, management cost."""

from collections.abc import Iterable

from ledger import account
from ledger.account import CNY, Account
from ledger.books import Books, Cost
from ledger.command import (
    Effect,
    Facts,
    Proposable,
    body_of,
    check_day,
    check_evidence,
    check_id,
    check_text,
)
from ledger.entries import FeeCharged, FundOpened, MoneyDisbursed
from ledger.posting import Take
from ledger.refusals import CeilingExceeded, Invalid, PolicyMissing, RestrictionBroken
from ledger.rightings import missing, righted

MILLION = 1_000_000
"""Shares are whole millionths, so that every clause is exact."""


class ChargeFee(Proposable, frozen=True, kw_only=True, tag="fee.charged"):
    """A platform keeps this much of what it settled before."""

    org: str
    fund: str
    amount_fen: int
    channel: str
    on: str
    reason: str
    evidence: tuple[str, ...] = ()
    corrects: int = 0


def at_receipt(fund: FundOpened, qty: int) -> int:
    """How many fen of a gift, its last ones, are the fee: rounded down, so that small gifts bear none."""
    return qty * fund.receipt_fee_ppm // MILLION


def charge(command: ChargeFee, books: Books, facts: Facts, proposal: int) -> Effect:
    """The fund's lowest free positions. Raises RestrictionBroken where the clause allows no later fee."""
    qty = missing(command, "fee.charged", books, facts)
    if books.policy is None:
        raise PolicyMissing
    check_day("on", command.on, latest=facts.today)
    check_id("channel", command.channel)
    check_text("reason", command.reason)
    check_evidence(command.evidence)
    if not books.fund(command.org, command.fund).charges:
        raise RestrictionBroken(f"the clause of fund {command.fund} allows no later fee", fund=command.fund)
    src = Account(account.fund(command.org, command.fund), CNY)
    return Effect(
        body=righted(body_of(FeeCharged, command), command),
        org=command.org,
        takes=(Take(src, tuple(books.lines[src].first_in(qty, proposal))),),
        into=account.fees(command.org),
    )


def check_clause(clause: FundOpened) -> None:
    """Shares in millionths; a ceiling or none. Raises Invalid."""
    for what, share, least in (
        ("receipt_fee_ppm", clause.receipt_fee_ppm, 0),
        ("management_ppm", clause.management_ppm, -1),
    ):
        if not least <= share < MILLION:
            raise Invalid(f"{what}: {least} to {MILLION - 1} millionths", field=what)


def check_ceiling(body: MoneyDisbursed, takes: Iterable[Take], books: Books) -> None:
    """A year's management cost of a fund stays within its clause's share of what the fund spent that year.

    Asked where management cost is paid. A clause that says `alarmed` lets it pass: the figures show it. Raises
    CeilingExceeded.
    """
    if body.spending != "management":
        return
    for take in takes:
        org, (_, fund_id) = (place := account.parse(take.account.address)).org, place.rest
        fund = books.fund(org, fund_id)
        if fund.management_ppm < 0 or fund.over_ceiling == "alarmed":
            continue
        year = body.on[:4]
        cost = books.costs.get((org, fund_id, year), Cost())
        management, spent = cost.management + take.qty, cost.spent + take.qty
        if management * MILLION > fund.management_ppm * spent:
            raise CeilingExceeded(
                f"fund {fund_id}: {management} fen management of {spent} spent in {year}",
                fund=fund_id,
                year=year,
                management_fen=management,
                spent_fen=spent,
                management_ppm=fund.management_ppm,
            )
