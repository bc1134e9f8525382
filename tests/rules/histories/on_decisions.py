"""What holds of who decided what: roles, four eyes, proposals and their days, corrections."""

from collections import Counter
from datetime import date, timedelta

from hypothesis.stateful import invariant

from ledger import entries
from ledger.books import Books
from ledger.entries import Entry
from ledger.posting import NO_LINE
from ledger.roles import REQUIRED
from tests.rules.histories.history import History


class OnDecisions(History):
    """Checked after every command."""

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
                case (
                    entries.ProposalRejected(proposal=number)
                    | entries.ProposalWithdrawn(proposal=number)
                    | entries.ProposalExpired(proposal=number)
                ):
                    del proposed[number]
                case _ if entry.by.proposal:
                    effects.setdefault(entry.by.proposal, []).append(entry)
                    if index == count:
                        _check_as_proposed(proposed.pop(entry.by.proposal), effects[entry.by.proposal])
                case _:
                    pass
        assert proposed.keys() == self.pen.books.proposals.keys() == self.pen.proposed.keys()

    @invariant()
    def proposals_are_approved_in_time_and_expire_after_it(self) -> None:
        days, made = 0, dict[int, date]()
        for entry in self.pen.entries:
            today = entries.beijing_date(entries.moment(entry.at))
            match entry.body:
                case entries.PolicySet(expires_days=days):
                    pass
                case entries.ProposalMade():
                    made[entry.seq] = today
                case entries.ProposalApproved(proposal=number):
                    assert not days or today <= made[number] + timedelta(days=days)
                case entries.ProposalExpired(proposal=number):
                    assert days
                    assert today > made[number] + timedelta(days=days)
                case _:
                    pass

    @invariant()
    def reversals_take_back_all_that_is_left_and_once(self) -> None:
        seen: dict[int, int] = {}
        for entry in self.pen.entries:
            if isinstance(body := entry.body, entries.EntryReversed):
                index, count = entries.part_of(body)
                assert seen.get(body.ref, 0) == index - 1, "reversed twice"
                seen[body.ref] = index
                parts = self.pen.entries[entry.seq - index + 1 : entry.seq - index + 1 + count]
                assert sum(map(entries.qty_of, parts)) == body.left
                cited = self.pen.parts(body.ref)
                assert body.of == cited[0].kind
                assert body.left + body.moved == sum(map(entries.qty_of, cited))
        assert seen.keys() == self.pen.books.reversed.keys()

    @invariant()
    def right_entries_bring_what_of_the_right_amount_is_missing(self) -> None:
        found: dict[int, list[Entry]] = {}
        for entry in self.pen.entries:
            if corrects := getattr(entry.body, "corrects", 0):
                found.setdefault(corrects, []).append(entry)
        moved = {
            body.ref: body.moved for entry in self.pen.entries if isinstance(body := entry.body, entries.EntryReversed)
        }
        for number in sorted(found):  # what a right entry corrects comes before it, and moved on before it
            for right in found[number]:
                if right.seq in moved:
                    moved[right.seq] += moved[number]
        for number, parts in found.items():
            wrong, right = self.pen.entries[number], parts[0]
            assert parts == self.pen.parts(right.seq), "corrected twice"
            assert (right.kind, entries.org_of(right)) == (wrong.kind, entries.org_of(wrong))
            assert sum(map(entries.qty_of, parts)) == getattr(right.body, "right_fen", 0) - moved[number] > 0
            if isinstance(ref := getattr(wrong.body, "ref", 0), str):
                assert getattr(right.body, "ref", "") == ref, "another channel reference"

    @invariant()
    def totals_fall_only_beside_a_correction_that_says_why(self) -> None:
        for entry in self.new:
            if any(posting.dst.startswith("voided:") for posting in entry.postings):
                assert isinstance(entry.body, entries.EntryReversed)
            if isinstance(entry.body, entries.EntryReversed):
                assert entry.body.reason
                assert entry.body.statement


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
