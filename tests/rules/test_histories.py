"""Histories: any commands by anybody in any order, checked after each one against a ledger of single units."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test

from ledger import entries, posting
from ledger.approvals import ApproveProposal
from ledger.reversals import REVERSIBLE
from tests.rules.histories.choices import FIRST, FOREIGN, OPENED, amounts, funds, some, whichever
from tests.rules.histories.closing import Closing
from tests.rules.histories.correcting import Correcting
from tests.rules.histories.governing import Governing
from tests.rules.histories.importing import Importing
from tests.rules.histories.on_decisions import OnDecisions
from tests.rules.histories.on_figures import OnFigures
from tests.rules.histories.on_imports import OnImports
from tests.rules.histories.on_lines import OnLines
from tests.rules.histories.on_log import OnLog
from tests.rules.histories.on_promises import OnPromises
from tests.rules.histories.receiving import Receiving
from tests.rules.histories.sending import Sending
from tests.rules.histories.using import Using
from tests.support.fixed import FIXED
from tests.support.society import (
    APPROVER,
    BOTH_CITIES,
    BOTH_CITIES_APPROVER,
    CITY,
    FINANCE,
    FUNDS,
    OTHER_CITY,
    PROGRAMME,
    allocation,
    arrival,
    gift,
    handed_back,
    reversal,
    sending,
    sent_back,
    unidentified,
)

HISTORIES = 40
LONG_HISTORIES = 2_000
STEPS = 40

MOVING = ("exchange.", "fee.", "gift.", "income.", "money.", "suspense.", "transfer.")
ENDINGS = {
    "entry.reversed", "fund.closed", "period.closed", "pledge.ended", "project.closed", "proposal.expired",
    "proposal.rejected", "proposal.withdrawn",
}  # fmt: skip
"""Beside what moves money: what frees or ends something."""
INVARIANTS = [
    name
    for kind in (OnLines, OnPromises, OnDecisions, OnImports, OnLog, OnFigures)
    for name in vars(kind)
    if name[0] != "_"
]
LATE = {"late return", "late reversal"}
"""Of what was handed back, and of what was taken back."""
CORRECTED = {f"{what} {kind}" for what in ("reversal of", "right") for kind in REVERSIBLE}
IMPORTED = {"import.approved", "import.completed", "row", "reversal of row"}
"""Of sheets, whose rows are gifts, and can be taken back as gifts are."""
TRIED = ENDINGS | CORRECTED | LATE | IMPORTED | {kind for kind in entries.KINDS if kind.startswith(MOVING)}


class Histories(  # the commands, then what has to hold after each
    Receiving,
    Importing,
    Using,
    Sending,
    Correcting,
    Governing,
    Closing,
    OnLines,
    OnPromises,
    OnDecisions,
    OnImports,
    OnLog,
    OnFigures,
):
    """Staff of two cities, most of whom keep to their roles, and many open proposals at once."""

    reached: ClassVar[set[str]] = set()
    """The kinds that were entered in any history of a run, with those that reversals and right entries were of."""

    @initialize(
        gifts=st.lists(st.integers(3, 12), min_size=len(FUNDS), max_size=len(FUNDS)),
        busy=st.booleans(),
        over=st.booleans(),
        successor=st.sampled_from(["", "general", None]),
        wrong=st.lists(st.sampled_from(REVERSIBLE), max_size=3),
        sheets=st.lists(funds, max_size=2),
    )
    def begin(  # noqa: PLR0913  each may be left out
        self,
        gifts: list[int],
        *,
        busy: bool = False,
        over: bool = False,
        successor: str | None = None,
        wrong: Iterable[str] = (),
        sheets: Iterable[str] = (),
    ) -> None:
        """With gifts for every fund; then, as it happens, with much else, ends, wrong entries, sheets half entered."""
        for (fund, project), qty in zip(FIRST, gifts, strict=True):
            self.do(gift(qty, fund))
            self.do(allocation(qty // 2, fund, project, decision="红〔2026〕1号"))

        if busy:
            self.do_much()
        if over:
            self.close_what_was_paid()
        if successor is not None:
            self.close_what_was_sent(successor)
        for nth, fund in enumerate(sheets):
            self.hand_in(fund, 3, 12, is_early=False)
            if self.new:  # proposed: the fund may be closed
                self.approve(len(self.pen.books.proposals) - 1)
                self.go_on_entering(self.seqs("import.approved")[-1], 3, 0, "row")
                if nth:  # the second one's first row was wrong
                    self.put_right(-1, "money.received", 3, "general")
        for kind in wrong:
            self.put_right(12, kind, 3, "general")

    def do_much(self) -> None:
        """Something of every kind that can be taken back."""
        self.give_in_another_currency("general", FOREIGN[0], 0)
        self.settle(1, 2, FINANCE)
        self.take_in("general", 5, 1, "income")
        self.take_in("general", 5, 2, "nobody")
        self.clear_up(0, 3, "general", found=True, maker=FINANCE)
        self.take_in("general", 5, 3, "nobody")
        self.charge(2, "platform", FINANCE)
        self.send(0, 3, 0, back=False)
        self.clear_transit(1, 2, "general", "arrived")
        self.send(0, 3, 0, back=False)
        self.pay(0, 4)
        self.approve(0)
        self.refund(1, 2, FINANCE, CITY)

    def close_what_was_paid(self) -> None:
        """A project and its fund, whose money went to a payee: what comes back of it is late."""
        self.do(gift(6, "extra-1"))
        self.do(allocation(6, "extra-1", "extra-1", decision="红〔2026〕1号"))
        for _ in range(2):
            self.approve(len(self.pen.books.proposals) - 1)
            self.wind_up_project("extra-1", "relief")  # pays, then proposes the end
        self.wind_up_project("extra-1", "relief")
        self.wind_up_fund("extra-1", "general")
        self.wind_up_fund("extra-1", "general")

    def close_what_was_sent(self, successor: str) -> None:
        """A fund whose money the other city had received; then it had not, and is in transit again."""
        self.do(gift(3, "extra-2"))
        self.do(sending(3, "extra-2"))
        sent = self.seqs("transfer.sent")[-1]
        self.do(arrival(sent))
        for _ in range(2):
            self.wind_up_fund("extra-2", successor)
        self.take_back(len(self.seqs("transfer.received")) - 1, "transfer.received", BOTH_CITIES)
        self.approve(len(self.pen.books.proposals) - 1)

    @rule(which=whichever, kind=st.sampled_from(REVERSIBLE), qty=amounts, fund=funds)
    def put_right(self, which: int, kind: str, qty: int, fund: str) -> None:
        """Something is taken back, that is agreed to, and it is entered as it should be."""
        if not self.seqs(kind):
            return
        number = self.one(kind, which)
        self.take_back(which, kind, BOTH_CITIES)
        self.check()
        if self.new:  # proposed
            self.approve(len(self.pen.books.proposals) - 1)
            self.check()
        if number in self.pen.books.reversed:
            self.enter_right(sorted(self.pen.books.reversed).index(number), qty, fund)

    def check(self) -> None:
        """All invariants, in the middle of a rule."""
        for name in INVARIANTS:
            getattr(self, name)()

    @rule(what=st.sampled_from(["transit", "payment", "suspense", "sheet", "expiry"]), which=whichever, qty=some)
    def go_on(self, what: str, which: int, qty: int) -> None:
        """What began takes its next step, or begins: chance alone comes this far too seldom."""
        match what:
            case "transit" if self.seqs("transfer.sent"):
                self.clear_transit(which, qty, "general", "arrived")
            case "transit":
                self.send(which, qty or 1, 0, back=False)
            case "payment" if self.seqs("money.disbursed"):
                self.hand_back(which, qty, FINANCE)
            case "payment" if self.payable():
                self.pay(which, qty or 1)
            case "suspense" if self.seqs("money.unidentified"):
                self.clear_up(which, qty or 1, "general", found=which % 3 > 0, maker=FINANCE)
            case "suspense":
                self.do(unidentified(qty or 1))
            case "sheet":
                self.go_on_with_a_sheet(which, "general", 3, 4, "row")
            case "expiry" if self.pen.books.proposals:
                self.let_days_pass(which, 4, APPROVER)
            case _:
                pass  # nothing waits

    def teardown(self) -> None:
        for entry in self.pen.entries[len(OPENED) :]:
            Histories.reached.add(entry.kind)
            if isinstance(entry.body, entries.EntryReversed):
                Histories.reached.add(f"reversal of {entry.body.of}")
                if getattr(self.pen.entries[entry.body.ref].body, "row", 0):
                    Histories.reached.add("reversal of row")
            if getattr(entry.body, "row", 0):
                Histories.reached.add("row")
            if getattr(entry.body, "corrects", 0):
                Histories.reached.add(f"right {entry.kind}")
        for seq in self.units.late:
            is_reversal = self.pen.entries[seq].kind == "entry.reversed"
            Histories.reached.add("late reversal" if is_reversal else "late return")


@pytest.mark.parametrize("postings", [posting.MAX_POSTINGS, 2])
def test_every_history_keeps_every_invariant(
    postings: int, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With entries as large as they may be, and with entries so small that effects of a few fen are split."""
    monkeypatch.setattr(posting, "MAX_POSTINGS", postings)
    monkeypatch.setattr(Histories, "reached", set[str]())
    histories = LONG_HISTORIES if request.config.getoption("--long", default=False) else HISTORIES
    run_state_machine_as_test(Histories, settings=settings(FIXED, max_examples=histories, stateful_step_count=STEPS))
    if histories == LONG_HISTORIES:  # a few may miss what is rare
        assert Histories.reached >= TRIED


@pytest.mark.parametrize("postings", [posting.MAX_POSTINGS, 2])
def test_one_history_with_everything_in_it_keeps_every_invariant(
    postings: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A law that nothing was tried against proves nothing: here everything happens once, whatever chance does."""
    monkeypatch.setattr(posting, "MAX_POSTINGS", postings)
    monkeypatch.setattr(Histories, "reached", set[str]())
    machine = Histories()
    machine.begin([10] * len(FUNDS))
    steps: tuple[Callable[[], None], ...] = (
        lambda: machine.do(gift(12, "extra-1")),
        lambda: machine.go_on_with_a_sheet(3, "extra-2", 3, 5, "begin"),
        lambda: machine.go_on_with_a_sheet(3, "", 0, 0, "row"),  # approves it
        lambda: machine.wind_up_fund("extra-2", ""),  # too early
        *(partial(machine.go_on_with_a_sheet, 3, "", 0, 4, step) for step in ("row", "too much", "again", "another's")),
        lambda: machine.take_back(len(machine.seqs("money.received")) - 1, "money.received", FINANCE),
        lambda: machine.approve(0),
        lambda: machine.enter_right(0, 3, "extra-2"),
        *(partial(machine.go_on_with_a_sheet, 3, "", 0, 4, "row") for _ in range(2)),
        lambda: machine.go_on_with_a_sheet(3, "", 0, 4, "complete"),
        lambda: machine.go_on_entering(machine.one("import.approved", 0), 4, 3, "row"),
        lambda: machine.give_in_another_currency("general", FOREIGN[0], 0),
        lambda: machine.settle(1, 1, FINANCE),
        lambda: machine.take_in("general", 5, 1, "income"),
        lambda: machine.take_in("general", 5, 2, "nobody"),
        lambda: machine.clear_up(0, 3, "general", found=True, maker=FINANCE),
        lambda: machine.clear_up(0, 1, "general", found=False, maker=FINANCE),
        lambda: machine.promise("general", 9, "fulfilled", 0, ends=False),
        lambda: machine.promise("general", 9, "fulfilled", 0, ends=True),
        lambda: machine.charge(1, "platform", FINANCE),
        lambda: machine.send(0, 3, 0, back=False),
        lambda: machine.clear_transit(1, 1, "general", "arrived"),
        lambda: machine.clear_transit(1, 1, "general", "sent back"),
        lambda: machine.pay(0, 4),
        lambda: machine.approve(0),
        lambda: machine.hand_back(0, 1, FINANCE),
        lambda: machine.release(0, 1, PROGRAMME),
        lambda: machine.redirect(0, 1, "flood", agreed=True, maker=FINANCE),
        lambda: machine.refund(0, 1, FINANCE, CITY),
        lambda: machine.take_back(1, "money.received", FINANCE),
        lambda: machine.approve(0),
        lambda: machine.pay(1, 2),
        lambda: machine.decline(0, "reject", APPROVER),
        lambda: machine.pay(1, 2),
        lambda: machine.decline(0, "withdraw", ""),
        lambda: machine.pay(1, 2),
        lambda: machine.let_days_pass(0, 4, APPROVER),
        lambda: machine.wind_up_fund("extra-1", ""),
        lambda: machine.approve(0),
        lambda: machine.wind_up_fund("extra-1", ""),
        lambda: machine.wind_up_fund("extra-1", ""),
        lambda: machine.wind_up_project("extra-1", ""),
        lambda: machine.wind_up_project("extra-1", ""),
        lambda: machine.close_period(0),
        lambda: machine.approve(0),
    )
    _run(machine, *steps)
    assert Histories.reached >= TRIED - CORRECTED - LATE


@pytest.mark.parametrize("postings", [posting.MAX_POSTINGS, 2])
def test_one_history_with_every_correction_in_it_keeps_every_invariant(
    postings: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every kind that can be taken back is, is entered right, wrongly once more, and comes home late."""
    monkeypatch.setattr(posting, "MAX_POSTINGS", postings)
    monkeypatch.setattr(Histories, "reached", set[str]())
    machine = Histories()
    machine.begin([10] * len(FUNDS), busy=True)
    for kind in REVERSIBLE[::-1]:
        number = machine.seqs(kind)[-1]
        _run(machine, partial(machine.take_back, len(machine.seqs(kind)) - 1, kind, BOTH_CITIES))
        _run(machine, partial(machine.approve, 0))
        _run(machine, partial(machine.enter_right, sorted(machine.pen.books.reversed).index(number), 3, "general"))
        if machine.pen.books.proposals:
            _run(machine, partial(machine.approve, 0))
    _run(
        machine,
        machine.close_what_was_paid,
        lambda: machine.do(handed_back(machine.seqs("money.disbursed")[-1], 1)),
        lambda: machine.take_back(len(machine.seqs("money.disbursed")) - 1, "money.disbursed", FINANCE),
        lambda: machine.approve(0),
    )
    for kind in ("gift.refunded", "money.received", "money.disbursed", "transfer.sent"):
        _run(machine, partial(machine.put_right, len(machine.seqs(kind)) - 1, kind, 5, "general"))
    for which in range(len(machine.units.gifts)):
        _run(machine, partial(machine.put_on_paper, which, "issued"))
    assert Histories.reached >= CORRECTED | LATE


def _run(machine: Histories, *steps: Callable[[], None]) -> None:
    for step in steps:
        step()
        machine.check()
    machine.teardown()


@pytest.mark.parametrize("successor", ["", "general"])
def test_what_a_closed_fund_sent_is_never_stuck(successor: str) -> None:
    machine = Histories()
    _run(machine, partial(machine.close_what_was_sent, successor))
    sent = machine.seqs("transfer.sent")[-1]
    _run(machine, lambda: machine.do(arrival(sent, 1)))
    if successor:
        _run(machine, lambda: machine.do(sent_back(sent, 1)))
    _run(machine, lambda: machine.do(arrival(sent)))
    assert machine.underway() == []


def test_what_was_voided_counts_with_the_organisation_where_it_lay() -> None:
    """Found by chance: a gift to one city, of which a part lay with the other when it was taken back."""
    machine = Histories()
    for command in (gift(5), sending(2)):
        machine.do(command)
    machine.do(arrival(machine.one("transfer.sent", 0)))
    machine.do(reversal(machine.one("money.received", 0), maker=BOTH_CITIES))
    machine.do(ApproveProposal(maker=BOTH_CITIES_APPROVER, proposal=machine.open(0)))
    machine.check()
    voided = {whose: figures.get("voided_fen", 0) for whose, figures in machine.published.items()}
    assert (voided["organisation", CITY], voided["organisation", OTHER_CITY]) == (3, 2)


def test_what_came_home_late_is_paid_neither_by_the_closed_fund_nor_by_its_successor() -> None:
    """Found by chance: the successor's payments fell below zero, and those of the closed fund stayed."""
    machine = Histories()
    machine.close_what_was_paid()
    machine.do(handed_back(machine.seqs("money.disbursed")[-1], 2))
    machine.check()
    paid = {whose[1:]: figures["paid_fen"] for whose, figures in machine.published.items() if "paid_fen" in figures}
    assert (paid[CITY, "extra-1"], paid[CITY, "general"], paid[CITY, "relief"]) == (4, 0, 0)
    closed, general = (machine.published["fund", CITY, fund] for fund in ("extra-1", "general"))
    assert (closed["moved_out_fen"], general["moved_in_fen"], general["allocated_fen"]) == (2, 2, 2)
    projects = [machine.published["project", CITY, project] for project in ("extra-1", "relief")]
    assert [each["total_allocated_fen"] for each in projects] == [6, 0]
    assert [(each["came_late_fen"], each["went_late_fen"]) for each in projects] == [(0, 2), (2, 0)]
