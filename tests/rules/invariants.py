"""What holds at every prefix of the log, however it came about, checked naively: entry by entry, fen by fen."""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import msgspec
from hypothesis.stateful import RuleBasedStateMachine, invariant

from ledger import account, entries
from ledger.account import CNY, Account
from ledger.books import Books
from ledger.entries import Entry, Restriction
from ledger.organisations import OpenFund, OpenProject
from ledger.posting import NO_LINE, Posting
from ledger.roles import REQUIRED
from tests.support.foreign import foreign
from tests.support.model import Pen, read_back, shape, state
from tests.support.society import CITY, FUNDS, NEIGHBOURS_FUNDS, PROJECTS
from tests.support.units import Place, Unit, UnitModel


class Invariants(RuleBasedStateMachine):
    """Checked after every command:

    lines_are_tiled
    positions_are_consumed_once_and_after_their_credit
    outflows_take_what_came_first_or_what_is_cited
    available_is_never_negative_and_as_in_the_model
    lines_hold_the_units_of_the_model
    restrictions_hold_for_every_unit_to_its_end
    makers_and_checkers_differ_and_hold_their_roles
    proposals_are_resolved_once_and_as_proposed
    references_are_unique
    right_entries_bring_what_of_the_right_amount_is_missing
    totals_fall_only_beside_a_correction_that_says_why
    money_is_conserved
    entries_are_numbered_and_chained
    entries_are_canonical
    a_refused_command_changes_nothing
    books_read_back_from_the_bytes_are_the_living_ones
    every_gift_is_found_whole
    """

    def __init__(self, pen: Pen) -> None:
        super().__init__()
        self.pen = pen
        self.units = UnitModel()
        self.new: list[Entry] = []
        """What the last command entered: nothing, where it was refused."""
        self.expected: list[Place] = []
        """What it took, as the model says."""
        self.before: dict[str, Any] = state(pen.books)
        """The books it was decided on."""
        self.count_before = len(pen.written)

    @property
    def postings(self) -> list[Posting]:
        """All of the log."""
        return [posting for entry in self.pen.entries for posting in entry.postings]

    @invariant()
    def lines_are_tiled(self) -> None:
        ends: Counter[tuple[str, str]] = Counter()
        for posting in self.postings:
            assert posting.dst_lo == ends[posting.dst, posting.unit]
            assert posting.qty > 0
            ends[posting.dst, posting.unit] += posting.qty

    @invariant()
    def positions_are_consumed_once_and_after_their_credit(self) -> None:
        credited: set[Place] = set()
        for entry in self.pen.entries:
            consumed = _places(entry.postings)
            assert len(set(consumed)) == len(consumed)
            assert credited.issuperset(consumed), "spent twice, or before an earlier entry credited it"
            credited.difference_update(consumed)
            credited.update(Place(each.dst, position) for each in entry.postings for position in range(*each.dst_span))

    @invariant()
    def outflows_take_what_came_first_or_what_is_cited(self) -> None:
        taken = [posting for entry in self.new for posting in entry.postings]
        assert _places(taken) == self.expected
        for left, right in pairwise(taken):
            ends = (left.src, left.src_span.hi, left.dst)
            assert ends != (right.src, right.src_lo, right.dst), "neighbours that could be one"

    @invariant()
    def available_is_never_negative_and_as_in_the_model(self) -> None:
        for where in self.pen.credits:
            line = self.pen.line(where)
            assert line.available == self.units.available(where.address) >= 0
            for proposal in line.holders():
                assert line.available_to(proposal) == self.units.available(where.address, proposal)

    @invariant()
    def lines_hold_the_units_of_the_model(self) -> None:
        found: dict[str, list[Unit]] = {}
        for entry in self.pen.entries:
            for posting in entry.postings:
                if posting.src_lo == NO_LINE:
                    first = sum(each.qty for each in entry.postings[: entry.postings.index(posting)])
                    moved = [Unit(entry.seq, nth) for nth in range(first, first + posting.qty)]
                else:
                    moved = found[posting.src][posting.src_lo : posting.src_span.hi]
                if entry.kind == "money.identified":  # a gift from here on
                    nth = posting.dst_lo - entry.postings[0].dst_lo
                    moved = [Unit(entry.seq, nth + i) for i in range(posting.qty)]
                found.setdefault(posting.dst, []).extend(moved)
        modelled = {address: [slot.unit for slot in slots] for address, slots in self.units.accounts.items()}
        assert found == {address: units for address, units in modelled.items() if units}
        for where in self.pen.credits:
            line, slots = self.pen.line(where), self.units.accounts[where.address]
            consumed = {position for span in line.consumed for position in range(*span)}
            assert consumed == {position for position, slot in enumerate(slots) if slot.gone}
            positions = {n: {p for span in spans for p in range(*span)} for n, spans in line.held_spans.items()}
            assert (line.held_amounts, positions) == self.units.held(where.address)

    @invariant()
    def restrictions_hold_for_every_unit_to_its_end(self) -> None:
        for address, slots in self.units.accounts.items():
            kind, _, rest = account.parse(address)
            for slot in slots:
                if isinstance(self.pen.entries[slot.unit.gift].body, entries.MoneyUnidentified):
                    assert kind in {"suspense", "refunds", "voided"}
                    continue
                fund = _fund(slot.purpose)
                match kind:
                    case "fund":
                        assert _keeps(fund, _fund(address))
                    case "project":
                        assert _keeps(fund, FUNDS[rest[1]])
                        assert _fits(fund.restriction, PROJECTS[rest[0]])
                    case "payees":
                        paid = self.pen.entries[slot.seq].body
                        assert isinstance(paid, entries.MoneyDisbursed)
                        assert fund.restriction.recipient in {"", paid.payee}
                        assert paid.spending in (fund.spending or ("aid", "purchase"))
                        assert _fits(fund.restriction, PROJECTS[paid.project])
                    case "fees":
                        assert fund.charges or fund.receipt_fee_ppm
                    case _:
                        assert kind in {"refunds", "suspense", "transit", "voided"}

    @invariant()
    def makers_and_checkers_differ_and_hold_their_roles(self) -> None:
        then = Books(**{name: self.before[name] for name in ("organisations", "staff", "policy")})
        qty = sum(map(entries.qty_of, self.new))
        made = (entry.body for entry in self.new if isinstance(entry.body, entries.ProposalMade))
        held = sum(hold.qty for body in made for hold in body.holds)
        for entry in self.new:
            org, by = entries.org_of(entry), entry.by
            if isinstance(entry.body, entries.ProposalMade):
                then.require(by.maker, REQUIRED[entry.body.command].maker, org)
                assert _needed(then, entry.body.command, held) > 0
            elif isinstance(entry.body, entries.ProposalApproved | entries.ProposalRejected):
                proposal = self.before["proposals"][entry.body.proposal]
                assert by.maker != proposal.maker
                assert entry.kind == "proposal.rejected" or by.maker not in proposal.approvals
                then.require(by.maker, REQUIRED[proposal.command].checker, org)
            elif entry.kind in REQUIRED:
                then.require(by.maker, REQUIRED[entry.kind].maker, org)
                assert len({by.maker, *by.checkers}) == 1 + len(by.checkers)
                assert len(by.checkers) >= _needed(then, entry.kind, qty)
                assert bool(by.checkers) is bool(by.proposal)
                for checker in by.checkers:
                    then.require(checker, REQUIRED[entry.kind].checker, org)

    @invariant()
    def proposals_are_resolved_once_and_as_proposed(self) -> None:
        proposed: dict[int, list[Entry]] = {}
        effects: dict[int, list[Entry]] = {}
        for entry in self.pen.entries:
            index, count = entries.part_of(entry.body)
            match entry.body:
                case entries.ProposalMade():
                    proposed.setdefault(entry.seq - index + 1, []).append(entry)
                case entries.ProposalApproved(proposal=number):
                    assert number in proposed
                case entries.ProposalRejected(proposal=number) | entries.ProposalWithdrawn(proposal=number):
                    del proposed[number]
                case _ if entry.by.proposal:
                    effects.setdefault(entry.by.proposal, []).append(entry)
                    if index == count:
                        _check_as_proposed(proposed.pop(entry.by.proposal), effects[entry.by.proposal])
                case _:
                    pass
        assert proposed.keys() == self.pen.books.proposals.keys() == self.pen.proposed.keys()

    @invariant()
    def references_are_unique(self) -> None:
        refs = Counter(_refs(entry for entry in self.pen.entries if entry.seq not in self.pen.books.reversed))
        assert all(count == 1 for count in refs.values())

    @invariant()
    def right_entries_bring_what_of_the_right_amount_is_missing(self) -> None:
        found: dict[int, list[Entry]] = {}
        for entry in self.pen.entries:
            if corrects := getattr(entry.body, "corrects", 0):
                found.setdefault(corrects, []).append(entry)
        for wrong, parts in found.items():
            (reversed_by,) = (
                each.body
                for each in self.pen.entries
                if isinstance(each.body, entries.EntryReversed) and each.body.ref == wrong
                and entries.part_of(each.body)[0] == 1
            )  # fmt: skip
            assert {each.kind for each in parts} == {self.pen.entries[wrong].kind} == {reversed_by.of}
            assert [entries.part_of(each.body)[0] for each in parts] == list(range(1, len(parts) + 1)), (
                "corrected twice"
            )
            right_fen: int = getattr(parts[0].body, "right_fen", 0)
            assert sum(map(entries.qty_of, parts)) == right_fen - reversed_by.moved > 0

    @invariant()
    def totals_fall_only_beside_a_correction_that_says_why(self) -> None:
        for entry in self.new:
            if any(posting.dst.startswith("voided:") for posting in entry.postings):
                assert isinstance(entry.body, entries.EntryReversed)
                assert entry.body.statement

    @invariant()
    def money_is_conserved(self) -> None:
        given = sum(posting.qty for posting in self.postings if posting.src_lo == NO_LINE)
        assert given == sum(self.pen.line(where).balance for where in self.pen.credits)

    @invariant()
    def entries_are_numbered_and_chained(self) -> None:
        assert [entry.seq for entry in self.pen.entries] == list(range(len(self.pen.written)))
        digests = [entries.GENESIS_PREV, *map(entries.digest, self.pen.written)]
        assert [entry.prev for entry in self.pen.entries] == digests[:-1]
        assert (self.pen.books.seq, self.pen.books.prev) == (len(digests) - 2, digests[-1])
        assert all(left.at <= right.at for left, right in pairwise(self.pen.entries))

    @invariant()
    def entries_are_canonical(self) -> None:
        for entry in self.new:
            written = self.pen.written[entry.seq]
            assert entries.decode(written) == entry
            assert entries.encode(entry) == written
            assert foreign("rfc8785", "rfc8785").dumps(msgspec.json.decode(written)) == written
            assert b"null" not in written

    @invariant()
    def a_refused_command_changes_nothing(self) -> None:
        assert len(self.pen.written) == self.count_before + len(self.new)
        if not self.new:
            assert state(self.pen.books) == self.before

    @invariant()
    def books_read_back_from_the_bytes_are_the_living_ones(self) -> None:
        read = read_back(self.pen.written, self.pen.credits)
        assert read.refs == set(_refs(self.pen.entries))
        assert {where: shape(line) for where, line in read.lines.items()} == {
            where: shape(self.pen.line(where)) for where in self.pen.credits
        }
        read.lines.clear()
        read.refs.clear()
        assert state(read) == state(self.pen.books)

    @invariant()
    def every_gift_is_found_whole(self) -> None:
        for entry in self.pen.entries:
            if isinstance(entry.body, entries.MoneyReceived | entries.MoneyIdentified):
                rest = [
                    (where.address, self.units.accounts[where.address][position])
                    for posting in entry.postings
                    for where, span in self.pen.images(Account(posting.dst, CNY), posting.dst_span)
                    for position in range(*span)
                ]
                units = [Unit(entry.seq, nth) for nth in range(entries.qty_of(entry))]
                assert [slot.unit for _, slot in rest] == units
                # Back in suspense, it may have been identified as another gift.
                assert not any(slot.gone for address, slot in rest if not address.startswith("suspense:"))


def _fund(address: str) -> OpenFund:
    """A fund of either city."""
    _, org, (fund,) = account.parse(address)
    return (FUNDS if org == CITY else NEIGHBOURS_FUNDS)[fund]


def _refs(log: Iterable[Entry]) -> list[str]:
    """Every channel's reference."""
    return [ref for entry in log if isinstance(ref := getattr(entry.body, "ref", ""), str) and ref]


def _places(postings: Iterable[Posting]) -> list[Place]:
    """Every position that is consumed, in order."""
    lines = (posting for posting in postings if posting.src_lo != NO_LINE)
    return [Place(posting.src, position) for posting in lines for position in range(*posting.src_span)]


def _fits(wanted: Restriction, project: OpenProject) -> bool:
    """Whether the project has all that the restriction asks for; the cities here lie in one province."""
    return (
        wanted.project in {"", project.project}
        and wanted.event in {"", project.event}
        and wanted.category in {"", project.category}
        and project.region.startswith(wanted.region.removesuffix("00").removesuffix("00"))
    )


def _keeps(promised: OpenFund, fund: OpenFund) -> bool:
    """Whether a fund is as narrow as the one the money was given for, or narrower."""
    wanted, given = promised.restriction, fund.restriction
    usual = ("aid", "purchase")
    return (
        wanted.project in {"", given.project}
        and wanted.event in {"", given.event}
        and wanted.category in {"", given.category}
        and wanted.recipient in {"", given.recipient}
        and given.region.startswith(wanted.region.removesuffix("00").removesuffix("00"))
        and {*(fund.spending or usual)} <= {*(promised.spending or usual)}
    )


def _needed(then: Books, kind: str, qty: int) -> int:
    """How many people have to approve this, by the policy and the built-in table."""
    rule = (then.policy or {}).get(kind)
    tiers = sorted(rule.approvals, key=lambda tier: tier.from_qty) if rule else []
    return max([REQUIRED[kind].approvals, *[tier.approvals for tier in tiers if tier.from_qty <= qty][-1:]])


def _check_as_proposed(made: list[Entry], effect: list[Entry]) -> None:
    bodies = [entry.body for entry in made if isinstance(entry.body, entries.ProposalMade)]
    first = bodies[0]
    assert {entry.kind for entry in effect} == {first.command}
    assert {entry.by.maker for entry in effect} == {made[0].by.maker}
    for i, entry in enumerate(effect, 1):
        assert entries.part_of(entry.body) == (i, len(effect))
        assert entries.commitment(entry.body, entry.by.salt) == first.commitment
    holds = [hold for body in bodies for hold in body.holds]
    postings = [posting for entry in effect for posting in entry.postings]
    assert {posting.dst for posting in postings} == set(first.into)
    if any(hold.lo == NO_LINE for hold in holds):
        taken = Counter[tuple[str, str]]()
        for posting in postings:
            taken[posting.src, posting.unit] += posting.qty
        assert taken == {(hold.address, hold.unit): hold.qty for hold in holds}
    else:
        assert [(each.src, each.src_lo, each.qty) for each in postings] == [(h.address, h.lo, h.qty) for h in holds]
