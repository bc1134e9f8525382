"""Ends of funds and projects: closed only when empty, and untouched from then on."""

from collections.abc import Iterable, Iterator, Mapping
from typing import get_args

from ledger import account, entries
from ledger.account import CNY, Account
from ledger.allocations import check_restriction
from ledger.books import Books
from ledger.command import Effect, Proposable, body_of, check_evidence, check_text
from ledger.entries import Residue
from ledger.refusals import Closed, Invalid, NotEmpty

RESIDUES: tuple[Residue, ...] = get_args(Residue)


class CloseFund(Proposable, frozen=True, kw_only=True, tag="fund.closed"):
    """Close an empty fund. `successor`: the fund of similar purpose that what was left was moved to."""

    org: str
    fund: str
    residue: Residue
    basis: str
    successor: str = ""
    evidence: tuple[str, ...] = ()


class CloseProject(Proposable, frozen=True, kw_only=True, tag="project.closed"):
    """Close an empty project. `successor`: the project of similar purpose that what was left was moved to."""

    org: str
    project: str
    residue: Residue
    basis: str
    successor: str = ""
    evidence: tuple[str, ...] = ()


def close_fund(command: CloseFund, books: Books) -> Effect:
    """Nothing rests on its lines, nothing of it is in transit, proposed or being entered. Raises NotEmpty."""
    books.fund(command.org, command.fund)
    _check_residue(command)
    if command.successor:
        books.fund(command.org, command.successor)
    in_transit = books.in_transit[command.org, command.fund]
    entering = [
        number
        for number, each in books.imports.items()
        if (each.approved.org, each.approved.fund) == (command.org, command.fund)
    ]
    _check_empty(lines(command, books), books, in_transit=in_transit, imports=entering)
    return Effect(body=body_of(entries.FundClosed, command), org=command.org)


def close_project(command: CloseProject, books: Books) -> Effect:
    """Nothing rests on its lines, and nothing of it is proposed. Raises NotEmpty."""
    books.project(command.org, command.project)
    _check_residue(command)
    if command.successor:
        books.project(command.org, command.successor)
    _check_empty(lines(command, books), books)
    return Effect(body=body_of(entries.ProjectClosed, command), org=command.org)


def lines(command: CloseFund | CloseProject, books: Books) -> set[Account]:
    """Every line of it: the fund's own and one in each project, or one of each fund in the project."""
    org = command.org
    if isinstance(command, CloseProject):
        found = {account.project(org, command.project, fund) for its_org, fund in books.funds if its_org == org}
    else:
        found = {account.project(org, project, command.fund) for its_org, project in books.projects if its_org == org}
        found.add(account.fund(org, command.fund))
    return {Account(address, CNY) for address in found}


def heir(address: str, books: Books) -> str:
    """Where late money of this account goes: of a closed fund or project, to the line of its named successor.

    The account itself where it is open, or closed without a successor: then check_untouched refuses.
    """
    place = account.parse(address)
    if place.kind not in {"fund", "project"}:
        return address
    fund = _last(place.rest[-1], place.org, books.closed_funds)
    if place.kind == "fund":
        return account.fund(place.org, fund)
    return account.project(place.org, _last(place.rest[0], place.org, books.closed_projects), fund)


def check_heirs(origins: Iterable[str], books: Books) -> None:
    """What goes to a successor goes where its donors wanted it. Raises RestrictionBroken, or Closed without one."""
    for address in dict.fromkeys(origins):
        if (into := heir(address, books)) != address and (place := account.parse(into)).kind == "project":
            project, fund = place.rest
            check_restriction(books.fund(place.org, fund).restriction, books.project(place.org, project))


def _last(name: str, org: str, closed: Mapping[tuple[str, str], str]) -> str:
    """A successor was open when it was named, so this ends."""
    while successor := closed.get((org, name)):
        name = successor
    return name


def check_untouched(effect: Effect, books: Books) -> None:
    """Nothing is put on a line of a closed fund or project; what was there is gone. Raises Closed."""
    for address in effect.destinations:
        org, place = (parsed := account.parse(address)).org, parsed
        if place.kind in {"fund", "project"} and (org, place.rest[-1]) in books.closed_funds:
            raise Closed(f"fund {place.rest[-1]} is closed", fund=place.rest[-1])
        if place.kind == "project" and (org, place.rest[0]) in books.closed_projects:
            raise Closed(f"project {place.rest[0]} is closed", project=place.rest[0])


def _check_residue(command: CloseFund | CloseProject) -> None:
    """What was left was moved to a named successor, or given back, or used as agreed; each on a stated basis."""
    check_text("basis", command.basis)
    check_evidence(command.evidence)
    if command.residue not in RESIDUES:
        raise Invalid(f"residue: one of {', '.join(RESIDUES)}", field="residue")
    own = command.fund if isinstance(command, CloseFund) else command.project
    if (command.residue == "moved") is not bool(command.successor) or command.successor == own:
        raise Invalid("successor: another one, where what was left was moved to it, and only then", field="successor")
    if command.residue in {"agreed", "moved"} and not command.evidence:
        raise Invalid("evidence: the donors' consent or the agreement", field="evidence")


def _check_empty(where: set[Account], books: Books, *, in_transit: int = 0, imports: Iterable[int] = ()) -> None:
    balance = sum(books.lines[each].balance for each in where)
    proposals = sorted(_waiting({each.address for each in where}, books))
    if balance or in_transit or proposals or imports:
        raise NotEmpty(
            f"{balance} fen rest here, {in_transit} are in transit",
            balance=balance,
            in_transit=in_transit,
            proposals=proposals,
            imports=[*imports],
        )


def _waiting(addresses: set[str], books: Books) -> Iterator[int]:
    for number, proposal in books.proposals.items():
        if not addresses.isdisjoint({*proposal.into, *(hold.address for hold in proposal.holds)}):
            yield number
