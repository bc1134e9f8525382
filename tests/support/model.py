"""The ledger without a store: the rules driven from memory, with facts computed from the postings themselves.

What the store reads from PostgreSQL has to be what stands here.
"""

from bisect import bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

from ledger import account, corrections, decide, entries
from ledger.account import CNY, Account
from ledger.approvals import ApproveProposal
from ledger.books import Books
from ledger.command import Facts, Gone, Needs, Origin
from ledger.decide import AnyCommand, AnyProposable, Proposed
from ledger.entries import Entry
from ledger.line import Line, Span
from ledger.posting import NO_LINE, Posting
from ledger.refusals import Refused

TODAY = "2026-11-21"


class Credit(NamedTuple):
    """A posting seen from its destination, and the entry it stands in."""

    lo: int
    hi: int
    seq: int


class Pen:
    """Writes a log in memory, in the steps of the store: needs → facts → lines → decide → seal → apply."""

    def __init__(self, written: Iterable[bytes] = (), today: str = TODAY) -> None:
        self.books = Books()
        self.written: list[bytes] = []
        self.entries: list[Entry] = []
        self.proposed: dict[int, Proposed] = {}
        """What the open proposals want done."""
        self.today = today
        self.credits: dict[Account, list[Credit]] = defaultdict(list)
        self.debits: dict[Account, list[Posting]] = defaultdict(list)
        """Postings out of an account, by position."""
        self._refs: set[str] = set()
        for each in written:
            self._keep(entries.decode(each), each)

    def write(self, command: AnyCommand) -> list[Entry]:
        """The entries that one command amounts to. Raises Refused; nothing has changed then."""
        approved = self.proposed.get(command.proposal) if isinstance(command, ApproveProposal) else None
        facts = self.facts(decide.needs(approved or command))
        wanted = decide.lines(command, self.books, facts)
        if approved is not None:
            wanted |= decide.lines(approved, self.books, facts)
        for where in wanted:
            self.books.put(where, self._consumed(where))
        self.books.refs = self._refs & {getattr(command, "ref", "")}
        before = state(self.books)
        try:
            drafts = decide.decide(command, self.books, facts, approved)
            sealed = decide.seal(drafts[0], self.books, self._at())
        except BaseException:
            assert state(self.books) == before, "a refused command changed the books"
            self._unload()
            raise
        assert state(self.books) == before, "deciding changed the books"
        first = sealed[0].seq
        self._keep(*sealed)
        for draft in drafts[1:]:
            self._keep(*decide.seal(draft, self.books, self._at()))
        if isinstance(sealed[0].body, entries.ProposalMade):
            assert isinstance(command, AnyProposable)
            self.proposed[first] = Proposed(command=command, salt=facts.salt)
        self.proposed = {number: self.proposed[number] for number in self.books.proposals}
        self._unload()
        return self.entries[first:]

    def allows(self, command: AnyCommand) -> bool:
        """Whether the rules would let this happen, or propose it, now. Nothing is written."""
        facts = self.facts(decide.needs(command))
        for where in decide.lines(command, self.books, facts):
            self.books.put(where, self._consumed(where))
        try:
            decide.decide(command, self.books, facts)
        except Refused:
            return False
        finally:
            self._unload()
        return True

    def agreed(self, command: AnyProposable, *checkers: str) -> Entry:
        """Write a command and, if it waits, let these people approve it; the last entry."""
        (made, *_) = new = self.write(command)
        for checker in checkers:
            new = self.write(ApproveProposal(maker=checker, proposal=made.seq))
        return new[-1]

    def facts(self, needs: Needs | None) -> Facts:
        """What a decision asks for, from the postings alone."""
        salt = sha256(b"salt %d" % len(self.entries)).hexdigest()
        if needs is None:
            return Facts(today=self.today, salt=salt)
        if needs.turnovers is not None:
            return Facts(today=self.today, salt=salt, turnovers=self.turnovers(*needs.turnovers))
        cited = self.parts(needs.ref)
        if needs.receipts:
            return Facts(
                today=self.today,
                salt=salt,
                cited=cited[0] if cited else None,
                cited_qty=sum(map(entries.qty_of, cited)),
                refunded_qty=self._taken(needs.ref, "gift.refunded"),
                receipts=tuple(self._citing(needs.ref, "receipt.issued", "receipt.voided", "receipt.waived")),
            )
        images = needs.images or (bool(cited) and cited[0].kind in needs.images_of)
        given_back = [] if images else self._given_back(needs.ref)
        return Facts(
            today=self.today,
            salt=salt,
            cited=cited[0] if cited else None,
            cited_qty=sum(map(entries.qty_of, cited)),
            confirmed_qty=self._confirmed(needs.ref),
            lost_qty=self._taken(needs.ref, "exchange.settled") if needs.losses else 0,
            spans=tuple(self._spans([*cited, *given_back], images=images, fee=needs.fee)),
            gone=tuple(self._gone(cited)) if images else (),
            origins=tuple(
                Origin(
                    Account(each.dst, each.unit),
                    each.dst_span,
                    cited[0].postings[0].src if entry in given_back else each.src,
                )
                for entry in (*cited, *given_back)
                for each in entry.postings
                if needs.origins
            ),
            first_seqs=self._first_seqs(*needs.project) if needs.project else {},
            wrong=wrong[0] if (wrong := self.parts(needs.corrects)) and needs.corrects else None,
            wrong_qty=sum(map(entries.qty_of, wrong)),
            righted_by=self._righted_by(needs.corrects),
        )

    def turnovers(self, org: str, last_on: str) -> tuple[tuple[str, str, int, int], ...]:
        """What each account of the organisation moved until that day."""
        credited, consumed = Counter[Account](), Counter[Account]()
        for entry in self.entries:
            if entry.postings and getattr(entry.body, "on", "") <= last_on:
                for each in entry.postings:
                    credited[Account(each.dst, each.unit)] += each.qty
                    consumed[Account(each.src, each.unit)] += each.qty
        return tuple(
            (*where, credited[where], consumed[where])
            for where in {*credited, *consumed}
            if account.parse(where.address).org == org
        )

    def parts(self, ref: int) -> list[Entry]:
        """The entry of this number and, if it is the first of several parts, the others."""
        if not 0 <= ref < len(self.entries):
            return []
        index, count = entries.part_of(self.entries[ref].body)
        return self.entries[ref : ref + (count if index == 1 else 1)]

    def line(self, where: Account) -> Line:
        """The line of an account, with what open proposals hold on it."""
        line = self._consumed(where)
        Books(proposals=self.books.proposals).put(where, line)
        return line

    def images(self, where: Account, span: Span) -> Iterator[tuple[Account, Span]]:
        """Where these positions rest now, in their own order."""
        lo, hi = span
        debits = self.debits[where]
        i = max(bisect_right(debits, lo, key=_src_lo) - 1, 0)
        while i < len(debits) and debits[i].src_lo < hi:
            posting = debits[i]
            start, end = max(lo, posting.src_lo), min(hi, posting.src_span.hi)
            if start < end:
                if lo < start:
                    yield where, Span(lo, start)
                shift = posting.dst_lo - posting.src_lo
                into, moved = Account(posting.dst, posting.unit), Span(start + shift, end + shift)
                # Back in suspense it is nobody's: what it is identified as next is another gift.
                yield from [(into, moved)] if into.address.startswith("suspense:") else self.images(into, moved)
                lo = end
            i += 1
        if lo < hi:
            yield where, Span(lo, hi)

    def balance(self, address: str) -> int:
        """What rests in an account, in fen."""
        return self.line(Account(address, CNY)).balance

    def available(self, address: str) -> int:
        """What a new command may use of it."""
        return self.line(Account(address, CNY)).available

    def _spans(self, cited: list[Entry], *, images: bool, fee: bool) -> Iterator[tuple[Account, Span]]:
        """What the cited entry credited and nothing consumed; or where that rests within the organisation."""
        for entry in cited:
            for posting in entry.postings:
                credited = Account(posting.dst, posting.unit)
                if not images:
                    for span in self._consumed(credited).consumed.without(*posting.dst_span):
                        yield credited, span
                    continue
                for where, span in self.images(credited, posting.dst_span):
                    if corrections.is_place(where.address) or (fee and where == credited):
                        yield where, span

    def _gone(self, cited: list[Entry]) -> Iterator[Gone]:
        for posting in (posting for entry in cited for posting in entry.postings):
            for where, span in self.images(Account(posting.dst, posting.unit), posting.dst_span):
                if not corrections.is_place(where.address):
                    at = bisect_right(self.credits[where], span.lo, key=_lo) - 1
                    yield Gone(where.address, span.qty, self.credits[where][at].seq)

    def _taken(self, gift: int, kind: str) -> int:
        """What entries of this kind that stand took of the gift and of those that it corrects."""
        fen = 0
        for each in self._citing(gift, kind):
            fen += entries.qty_of(each) - sum(map(entries.qty_of, self._citing(each.seq, "entry.reversed")))
        wrong = getattr(self.entries[gift].body, "corrects", 0) if gift < len(self.entries) else 0
        return fen + (self._taken(wrong, kind) if wrong else 0)

    def _citing(self, ref: int, *kinds: str) -> Iterator[Entry]:
        for entry in self.entries:
            if entry.kind in kinds and getattr(entry.body, "ref", None) == ref:
                yield entry

    def _confirmed(self, ref: int) -> int:
        bodies = (entry.body for entry in self.entries)
        return sum(body.qty for body in bodies if isinstance(body, entries.DeliveryConfirmed) and body.ref == ref)

    def _given_back(self, ref: int) -> list[Entry]:
        """Reversals of entries that had taken from what this one credited, and so put it back."""
        return [
            entry
            for entry in self.entries
            if isinstance(entry.body, entries.EntryReversed)
            and isinstance(
                taken := self.entries[entry.body.ref].body, entries.MoneyIdentified | entries.TransferReceived
            )
            and taken.ref == ref
        ]

    def _righted_by(self, wrong: int) -> int:
        right = (entry.seq for entry in self.entries if getattr(entry.body, "corrects", 0) == wrong)
        return next(right, 0) if wrong else 0

    def _first_seqs(self, org: str, project: str) -> dict[Account, int]:
        found = {}
        for where, credits_ in self.credits.items():
            parsed = account.parse(where.address)
            if (parsed.kind, parsed.org, parsed.rest[:1]) == ("project", org, (project,)):
                lowest = self.line(where).lowest_free()
                if lowest is not None:
                    found[where] = next(credit.seq for credit in credits_ if credit.lo <= lowest < credit.hi)
        return found

    def _consumed(self, where: Account) -> Line:
        """A line as a store keeps it: without the holds, which the books know."""
        credited = self.credits.get(where, [])
        if not credited:
            return Line()
        return Line(credited[-1].hi, credited[-1].seq, [posting.src_span for posting in self.debits[where]])

    def _keep(self, entry: Entry, written: bytes) -> None:
        self.books.apply(entry, entries.digest(written))
        self.entries.append(entry)
        self.written.append(written)
        for posting in entry.postings:
            self.credits[Account(posting.dst, posting.unit)].append(Credit(*posting.dst_span, entry.seq))
            if posting.src_lo != NO_LINE:
                insort(self.debits[Account(posting.src, posting.unit)], posting, key=_src_lo)
        if isinstance(ref := getattr(entry.body, "ref", ""), str) and ref:
            self._refs.add(ref)
        if isinstance(entry.body, entries.EntryReversed):
            self._refs.discard(getattr(self.entries[entry.body.ref].body, "ref", ""))

    def _unload(self) -> None:
        """Nothing outlives a command in the books but what entries beside gifts say."""
        self.books.lines.clear()
        self.books.refs = set()

    def _at(self) -> str:
        noon = datetime.fromisoformat(f"{self.today}T04:00:00+00:00")
        return entries.instant(noon + timedelta(milliseconds=len(self.entries)))


def read_back(written: Iterable[bytes], lines: Iterable[Account]) -> Books:
    """Books from the entries' bytes alone, with these lines followed from their start."""
    books = Books(lines={where: Line() for where in lines})
    for each in written:
        books.apply(entries.decode(each), entries.digest(each))
    return books


def state(books: Books) -> dict[str, Any]:
    """A copy of all that the books say, to compare with."""
    return {
        "head": (books.seq, books.prev, books.at),
        "organisations": dict(books.organisations),
        "staff": {staff: dict(held) for staff, held in books.staff.items()},
        "policy": None if books.policy is None else dict(books.policy),
        "expires_days": books.expires_days,
        "pledges": dict(books.pledges),
        "agreement_from": books.agreement_from,
        "named": (dict(books.events), dict(books.campaigns), dict(books.funds), dict(books.projects)),
        "proposals": {
            number: replace(each, holds=[*each.holds], approvals=[*each.approvals])
            for number, each in books.proposals.items()
        },
        "costs": (dict(books.costs), dict(books.payments), dict(books.origins)),
        "reversed": dict(books.reversed),
        "closed": (dict(books.closed), dict(books.closed_funds), dict(books.closed_projects)),
        "in_transit": (dict(books.in_transit), dict(books.sent_from), dict(books.arrived)),
        "imports": {number: replace(each) for number, each in books.imports.items()},
        "lines": {where: shape(line) for where, line in books.lines.items()},
        "refs": set(books.refs),
    }


def shape(line: Line) -> tuple[Any, ...]:
    """A copy of all that a line says."""
    held = {number: tuple(spans) for number, spans in line.held_spans.items()}
    return line.credited, line.last_seq, tuple(line.consumed), held, dict(line.held_amounts)


def _lo(credit: Credit) -> int:
    return credit.lo


def _src_lo(posting: Posting) -> int:
    return posting.src_lo
