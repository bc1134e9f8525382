"""Histories: any commands by anybody in any order, checked after each one against a ledger of single units."""

from collections import Counter
from hashlib import sha256
from typing import Literal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule, run_state_machine_as_test
from msgspec import structs

from ledger import account, entries, periods, posting
from ledger.allocations import AllocateMoney, ReleaseMoney
from ledger.approvals import ApproveProposal, RejectProposal, SetPolicy, WithdrawProposal
from ledger.corrections import RedirectGift, RefundGift
from ledger.decide import AnyCommand
from ledger.disbursements import ConfirmDelivery, DisburseMoney, PublishFeedback
from ledger.entries import Entry, Outcome, Rule, Spending, Tier
from ledger.fees import ChargeFee
from ledger.organisations import DismissStaff, EnrolStaff
from ledger.periods import ClosePeriod
from ledger.refusals import InsufficientAmount, NothingLeft, Refused
from ledger.returns import ReturnMoney
from ledger.reversals import REVERSIBLE, ReverseEntry
from ledger.suspense import IdentifyMoney, ReturnSuspense
from ledger.transfers import ReceiveTransfer, ReturnTransfer, SendTransfer
from tests.rules.invariants import Invariants
from tests.support.fixed import FIXED
from tests.support.model import TODAY, Pen, state
from tests.support.society import (
    ADMINISTRATOR,
    APPROVER,
    AUDITOR,
    BOTH,
    BOTH_CITIES,
    BOTH_CITIES_APPROVER,
    CASHIER,
    CITY,
    FINANCE,
    FUNDS,
    HOSPITAL,
    NEIGHBOUR,
    NEIGHBOURS_APPROVER,
    NEIGHBOURS_FUNDS,
    OTHER_ADMINISTRATOR,
    OTHER_APPROVER,
    OTHER_CITY,
    OTHER_FINANCE,
    PROGRAMME,
    PROJECTS,
    ROLES,
    SHOP,
    THIRD_APPROVER,
    USUAL_RULES,
    allocation,
    arrival,
    charge,
    gift,
    handed_back,
    identification,
    income,
    open_society,
    payment,
    redirection,
    refund,
    release,
    reversal,
    right,
    sending,
    sent_back,
    suspense_return,
    unidentified,
)
from tests.support.units import Plan

HISTORIES = 80
LONG_HISTORIES = 2_000
STEPS = 40

OPENED = open_society(USUAL_RULES).written

POLICIES: tuple[tuple[Rule, ...], ...] = (
    USUAL_RULES,
    (),
    tuple(
        Rule(kind=kind, approvals=(Tier(0, 1),))
        for kind in ("money.allocated", "money.disbursed", "money.released", "gift.refunded")
    ),
    (
        Rule(kind="money.allocated", approvals=(Tier(2, 2), Tier(5, 1)), decision_from=5),
        Rule(kind="gift.refunded", approvals=(Tier(0, 2),)),
    ),
)

FIRST = (
    ("general", "relief"),
    ("flood", "relief"),
    ("schools", "school"),
    ("district", "bridge"),
    ("bridge", "bridge"),
    ("hospital", "relief"),
    ("office", "anything"),
    ("platform", "anything"),
)
"""Where each fund's money may go."""

DAYS = ("2026-10-31", "2026-11-10", "2026-11-20")

amounts = st.integers(1, 12)
some = st.integers(0, 6)
whichever = st.integers(0, 30)
"""Chooses among what is there."""
funds = st.sampled_from([*FUNDS, "general", "general", "flood"])
projects = st.sampled_from([*PROJECTS, "relief", "bridge"])
makers = st.sampled_from([FINANCE, FINANCE, FINANCE, OTHER_FINANCE, PROGRAMME, BOTH, BOTH_CITIES, AUDITOR])
cashiers = st.sampled_from([CASHIER, CASHIER, OTHER_FINANCE, PROGRAMME])
payees = st.sampled_from([SHOP, HOSPITAL])
checkers = st.sampled_from([APPROVER, OTHER_APPROVER, THIRD_APPROVER, BOTH, BOTH, FINANCE])
spendings: st.SearchStrategy[Spending] = st.sampled_from(["aid", "aid", "purchase", "management", "campaign"])


class Histories(Invariants):
    """Staff of one city, most of whom keep to their roles, and many open proposals at once."""

    def __init__(self) -> None:
        super().__init__(Pen(OPENED))

    @initialize(gifts=st.lists(st.integers(3, 12), min_size=len(FUNDS), max_size=len(FUNDS)))
    def begin(self, gifts: list[int]) -> None:
        for (fund, project), qty in zip(FIRST, gifts, strict=True):
            self.do(gift(qty, fund))
            self.do(allocation(qty // 2, fund, project, decision="红〔2026〕1号"))

    @rule(
        fund=funds, qty=amounts, number=st.integers(0, 99), maker=cashiers, on=st.sampled_from([TODAY, *DAYS]),
    )  # fmt: skip
    def give(self, fund: str, qty: int, number: int, maker: str, on: str) -> None:
        ref = sha256(b"%d" % number).hexdigest() if number else ""
        self.do(structs.replace(gift(qty, fund, ref=ref, maker=maker), on=on))

    @rule(last_on=st.sampled_from(DAYS))
    def close_period(self, last_on: str) -> None:
        before = self.pen.books.closed.get(CITY)
        first_on = periods.day_after(before) if before else DAYS[0]
        self.do(ClosePeriod(maker=FINANCE, org=CITY, first_on=first_on, last_on=last_on))

    @rule(fund=funds, qty=amounts, number=st.integers(0, 99), whose=st.sampled_from(["nobody", "nobody", "income"]))
    def take_in(self, fund: str, qty: int, number: int, whose: str) -> None:
        ref = sha256(b"%d" % number).hexdigest() if number else ""
        self.do(income(qty, fund, ref=ref) if whose == "income" else unidentified(qty, ref=ref))

    @precondition(lambda self: self.seqs("money.unidentified"))
    @rule(which=whichever, qty=amounts, fund=funds, found=st.booleans(), maker=makers)
    def clear_up(self, which: int, qty: int, fund: str, *, found: bool, maker: str) -> None:
        ref = self.one("money.unidentified", which)
        self.do(identification(ref, qty, fund, maker=maker) if found else suspense_return(ref, qty, maker=maker))

    @precondition(lambda self: self.funded())
    @rule(which=whichever, qty=amounts)
    def allocate(self, which: int, qty: int) -> None:
        fund, project = self.funded()[which % len(self.funded())]
        qty = min(qty, self.units.available(account.fund(CITY, fund)))
        self.do(allocation(qty, fund, project, decision="红〔2026〕1号"))

    @precondition(lambda self: self.payable())
    @rule(which=whichever, qty=amounts)
    def pay(self, which: int, qty: int) -> None:
        project, available = self.payable()[which % len(self.payable())]
        self.do(payment(min(qty, available), project, payee=HOSPITAL, spending="purchase"))

    @precondition(lambda self: self.seqs("money.allocated"))
    @rule(which=whichever, qty=some, maker=makers)
    def release(self, which: int, qty: int, maker: str) -> None:
        self.do(release(self.one("money.allocated", which), qty, maker=maker))

    @precondition(lambda self: self.seqs("money.received"))
    @rule(which=whichever, qty=some, fund=funds, agreed=st.booleans(), maker=makers)
    def redirect(self, which: int, qty: int, fund: str, *, agreed: bool, maker: str) -> None:
        self.do(redirection(self.one("money.received", which), fund, qty, agreed=agreed, maker=maker))

    @rule(
        which=whichever,
        kind=st.sampled_from(["money.received", "money.received", *REVERSIBLE, "money.returned", "policy.set"]),
        maker=makers,
    )
    def take_back(self, which: int, kind: str, maker: str) -> None:
        if self.seqs(kind):
            ref = self.one(kind, which)
            org = entries.org_of(self.pen.entries[ref]) or CITY
            self.do(reversal(ref, maker=maker if org == CITY else NEIGHBOUR, org=org))

    @precondition(lambda self: self.pen.books.reversed)
    @rule(which=whichever, qty=amounts, fund=funds)
    def enter_right(self, which: int, qty: int, fund: str) -> None:  # noqa: C901  an arm for each kind
        wrong = self.pen.entries[sorted(self.pen.books.reversed)[which % len(self.pen.books.reversed)]]
        src, dst = (account.parse(getattr(wrong.postings[0], end)) for end in ("src", "dst"))
        command: AnyCommand
        match wrong.body:
            case entries.MoneyReceived(ref=ref):
                command = right(gift(qty, fund, ref=ref), wrong.seq)
            case entries.IncomeReceived(ref=ref):
                command = right(income(qty, fund, ref=ref), wrong.seq)
            case entries.MoneyUnidentified(ref=ref):
                command = right(unidentified(qty, ref=ref), wrong.seq)
            case entries.MoneyIdentified(ref=found_in):
                command = right(identification(found_in, qty, fund), wrong.seq)
            case entries.MoneyAllocated():
                command = right(allocation(qty, dst.rest[1], dst.rest[0], decision="红〔2026〕1号"), wrong.seq)
            case entries.MoneyDisbursed() as body:
                command = right(payment(qty, body.project, payee=HOSPITAL, spending="purchase"), wrong.seq)
            case entries.FeeCharged():
                command = right(charge(qty, src.rest[0]), wrong.seq)
            case entries.GiftRefunded(ref=ref):
                command = right(refund(ref, qty), wrong.seq)
            case entries.TransferReceived(ref=sent) if dst.org == OTHER_CITY:
                command = right(arrival(sent, qty, dst.rest[0]), wrong.seq)
            case entries.TransferSent() if src.org == CITY:
                command = right(sending(qty, src.rest[0]), wrong.seq)
            case _:
                return
        self.do(command)

    @precondition(lambda self: self.seqs("money.disbursed"))
    @rule(which=whichever, qty=some, maker=makers)
    def hand_back(self, which: int, qty: int, maker: str) -> None:
        self.do(handed_back(self.one("money.disbursed", which), qty, maker=maker))

    @rule(fund=funds, qty=amounts, back=st.booleans())
    def send(self, fund: str, qty: int, *, back: bool) -> None:
        if back:
            fund = fund if fund in NEIGHBOURS_FUNDS else "general"
            self.do(sending(qty, fund, org=OTHER_CITY, to=CITY, maker=NEIGHBOUR))
        else:
            self.do(sending(qty, fund))

    @precondition(lambda self: self.seqs("transfer.sent"))
    @rule(which=whichever, qty=some, fund=funds, how=st.sampled_from(["arrived", "arrived", "sent back"]))
    def clear_transit(self, which: int, qty: int, fund: str, how: str) -> None:
        ref = self.one("transfer.sent", which)
        ours = entries.org_of(self.pen.entries[ref]) == CITY
        org, maker = (CITY, FINANCE) if ours is (how == "sent back") else (OTHER_CITY, NEIGHBOUR)
        if how == "sent back":
            self.do(sent_back(ref, qty, org=org, maker=maker))
        else:
            self.do(arrival(ref, qty, fund, org=org, maker=maker))

    @precondition(lambda self: self.seqs("money.received"))
    @rule(which=whichever, qty=some, maker=makers, org=st.sampled_from([CITY] * 9 + [OTHER_CITY]))
    def refund(self, which: int, qty: int, maker: str, org: str) -> None:
        self.do(refund(self.one("money.received", which), qty, maker=maker, org=org))

    @rule(
        fund=funds, project=projects, qty=amounts, payee=payees, spending=spendings, maker=makers,
        decided=st.booleans(), paid=st.booleans(),
    )  # fmt: skip
    def ask_for_anything(  # noqa: PLR0913
        self,
        *,
        fund: str,
        project: str,
        qty: int,
        payee: str,
        spending: Spending,
        maker: str,
        decided: bool,
        paid: bool,
    ) -> None:
        if paid:
            self.do(payment(qty, project, payee=payee, spending=spending, maker=maker))
        else:
            self.do(allocation(qty, fund, project, maker=maker, decision="红〔2026〕1号" if decided else ""))

    @rule(qty=amounts, fund=st.sampled_from(["platform", "platform", "platform", "general"]), maker=makers)
    def charge(self, qty: int, fund: str, maker: str) -> None:
        self.do(charge(qty, fund, maker=maker))

    @precondition(lambda self: self.seqs("money.disbursed"))
    @rule(which=whichever, qty=amounts, outcome=st.sampled_from(["ok", "short", "damaged", ""]))
    def tell_what_arrived(self, which: int, qty: int, outcome: Outcome | Literal[""]) -> None:
        ref = self.one("money.disbursed", which)
        if outcome:
            self.do(ConfirmDelivery(maker=PROGRAMME, org=CITY, ref=ref, outcome=outcome, qty=qty, on=TODAY))
        else:
            self.do(PublishFeedback(maker=PROGRAMME, org=CITY, ref=ref, text="已送达", on=TODAY))

    @precondition(lambda self: self.pen.books.proposals)
    @rule(which=whichever)
    def approve(self, which: int) -> None:
        number = self.open(which)
        proposal = self.pen.books.proposals[number]
        may: tuple[str, ...] = (THIRD_APPROVER, OTHER_APPROVER, APPROVER)
        if number in self.setting_up():
            may = (OTHER_ADMINISTRATOR,)
        elif proposal.orgs != {CITY}:
            may = (BOTH_CITIES_APPROVER, NEIGHBOURS_APPROVER)
        checker = next((each for each in may if each not in proposal.approvals), may[0])
        self.do(ApproveProposal(maker=checker, proposal=number))

    @precondition(lambda self: self.pen.books.proposals)
    @rule(which=whichever, checker=checkers)
    def approve_as_anybody(self, which: int, checker: str) -> None:
        self.do(ApproveProposal(maker=checker, proposal=self.open(which)))

    @precondition(lambda self: len(self.pen.books.proposals) > 1)
    @rule(
        which=whichever, how=st.sampled_from(["reject", "reject", "withdraw", "approve a closed one"]), checker=checkers
    )
    def say_no(self, which: int, how: str, checker: str) -> None:
        number = self.open(which)
        if how == "reject":
            self.do(RejectProposal(maker=checker, proposal=number, reason="不同意"))
        elif how == "withdraw":
            self.do(WithdrawProposal(maker=self.pen.books.proposals[number].maker, proposal=number))
        else:
            self.do(ApproveProposal(maker=checker, proposal=self.one("proposal.made", which)))

    @precondition(lambda self: not self.setting_up())
    @rule(rules=st.sampled_from(POLICIES), staff=st.sampled_from(["", "", FINANCE, PROGRAMME, OTHER_APPROVER, BOTH]))
    def set_up(self, rules: tuple[Rule, ...], staff: str) -> None:
        if not staff:
            self.do(SetPolicy(maker=ADMINISTRATOR, rules=rules))
        elif self.pen.books.roles(staff, CITY):
            self.do(DismissStaff(maker=ADMINISTRATOR, staff=staff, org=CITY))
        else:
            self.do(EnrolStaff(maker=ADMINISTRATOR, staff=staff, org=CITY, roles=ROLES[staff]))

    def do(self, command: AnyCommand) -> None:
        """Let the rules and the model decide; where the rules refuse, the model has to see why."""
        self.before, self.count_before = state(self.pen.books), len(self.pen.written)
        self.new, self.expected = [], []
        asked = self.asked(command)
        plan = self.plan(asked)
        try:
            self.new = self.pen.write(command)
        except Refused as refused:
            self.agree(refused, asked, plan)
        else:
            self.follow(plan)

    def agree(self, refused: Refused, command: AnyCommand, plan: Plan) -> None:
        """Where there is too little for a command, there is as little in the model."""
        match refused, command:
            case InsufficientAmount(), AllocateMoney() | DisburseMoney() | ChargeFee() | SendTransfer():
                available = sum(self.units.available(address) for address in self.sources(command))
                assert refused.facts["available"] == available < command.amount_fen
            case InsufficientAmount(), _:
                taken = Counter(place.address for place in plan.places)
                assert any(qty > self.units.available(address) for address, qty in taken.items())
            case (
                NothingLeft(),
                ReleaseMoney()
                | RedirectGift()
                | RefundGift()
                | IdentifyMoney()
                | ReturnMoney()
                | ReturnSuspense()
                | ReceiveTransfer()
                | ReturnTransfer(),
            ):
                assert refused.facts["left"] == len(plan.places) < max(command.amount_fen, 1)
            case NothingLeft(), ReverseEntry():
                assert refused.facts["left"] == len(plan.places)
            case _:
                assert not isinstance(refused, NothingLeft)

    def asked(self, command: AnyCommand) -> AnyCommand:
        """The command with what it would move: of a right entry, the right amount less what had moved on."""
        missing = getattr(command, "amount_fen", 0) - self.pen.books.reversed.get(getattr(command, "corrects", 0), 0)
        if not getattr(command, "corrects", 0) or missing <= 0:
            return command
        return structs.replace(command, amount_fen=missing)

    def plan(self, command: AnyCommand) -> Plan:
        """What the model would take, on what is there before the command."""
        match command:
            case ApproveProposal(proposal=number):
                return Plan(self.units.planned(number), by_amount=False)
            case (
                AllocateMoney()
                | ChargeFee()
                | DisburseMoney()
                | ReleaseMoney()
                | RedirectGift()
                | RefundGift()
                | IdentifyMoney()
                | ReturnMoney()
                | ReturnSuspense()
                | SendTransfer()
                | ReceiveTransfer()
                | ReturnTransfer()
                | ReverseEntry()
            ):
                return self.units.plan(command, self.sources(command), self.orgs(command.maker))
            case _:
                return Plan([], by_amount=False)

    def follow(self, plan: Plan) -> None:
        """Do in the model what was entered."""
        first, last = self.new[0], self.new[-1]
        match first.body:
            case entries.MoneyReceived() | entries.MoneyUnidentified() | entries.IncomeReceived():
                nth = 0
                for into in first.postings:
                    self.units.receive(first.seq, into.dst, into.qty, nth, first.postings[0].dst)
                    nth += into.qty
                if isinstance(first.body, entries.MoneyReceived):
                    self.units.gifts.add(first.seq)
            case entries.ProposalMade():
                self.units.hold(first.seq, plan)
            case entries.ProposalRejected(proposal=number) | entries.ProposalWithdrawn(proposal=number):
                self.units.resolve(number)
            case _ if last.postings:
                effect = next(entry for entry in self.new if entry.postings)
                self.units.resolve(last.by.proposal)
                dst = effect.postings[0].dst
                goes_home = isinstance(effect.body, entries.MoneyReturned | entries.EntryReversed)
                goes_home = goes_home and not dst.startswith(("suspense:", "voided:"))
                purpose = dst if isinstance(effect.body, entries.GiftRedirected) else ""
                self.units.move(plan.places, "" if goes_home else dst, effect.seq, purpose)
                if isinstance(effect.body, entries.MoneyIdentified):
                    self.units.identify(effect.seq, len(plan.places))
                    self.units.gifts.add(effect.seq)
                for each in self.new:
                    if isinstance(each.body, entries.EntryReversed):
                        self.give_back(effect.seq, self.pen.entries[each.body.ref])
                self.expected = plan.places
            case _:
                pass  # nothing moves

    def give_back(self, seq: int, taken: Entry) -> None:
        """What a reversal put back in transit or suspense, where the entry `taken` had it from."""
        if isinstance(taken.body, entries.MoneyIdentified | entries.TransferReceived):
            root = self.pen.entries[taken.body.ref]
            self.units.give_back(seq, root.seq, root.postings[0].src)

    def sources(self, command: AnyCommand) -> list[str]:
        """The accounts that a first-in-first-out outflow may draw on."""
        if isinstance(command, AllocateMoney | ChargeFee | SendTransfer):
            return [account.fund(command.org, command.fund)]
        if isinstance(command, DisburseMoney):
            return [
                account.project(CITY, command.project, fund.fund)
                for fund in FUNDS.values()
                if command.spending in (fund.spending or ("aid", "purchase"))
                and fund.restriction.recipient in {"", command.payee}
            ]
        return []

    def orgs(self, maker: str) -> list[str]:
        """Where this person prepares refunds."""
        return [org for org in (CITY, OTHER_CITY) if "finance" in self.pen.books.roles(maker, org)]

    def funded(self) -> list[tuple[str, str]]:
        """Funds with something available, each with a project it may go to."""
        return [(fund, project) for fund, project in FIRST if self.units.available(account.fund(CITY, fund)) > 0]

    def payable(self) -> list[tuple[str, int]]:
        """Projects that can buy something from the hospital, and for how much."""
        asked = (payment(1, project, payee=HOSPITAL, spending="purchase") for project in PROJECTS)
        amounts = [(each.project, sum(map(self.units.available, self.sources(each)))) for each in asked]
        return [(project, available) for project, available in amounts if available]

    def setting_up(self) -> list[int]:
        """Open proposals that only administrators decide."""
        kinds = {"policy.set", "staff.enrolled", "staff.dismissed"}
        return [number for number, each in self.pen.books.proposals.items() if each.command in kinds]

    def seqs(self, kind: str) -> list[int]:
        """The entries of a kind."""
        return [entry.seq for entry in self.pen.entries[len(OPENED) :] if entry.kind == kind]

    def one(self, kind: str, which: int) -> int:
        """One of them."""
        seqs = self.seqs(kind)
        return seqs[which % len(seqs)]

    def open(self, which: int) -> int:
        """One of the open proposals."""
        numbers = sorted(self.pen.books.proposals)
        return numbers[which % len(numbers)]


@pytest.mark.parametrize("postings", [posting.MAX_POSTINGS, 2])
def test_every_history_keeps_every_invariant(
    postings: int, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With entries as large as they may be, and with entries so small that effects of a few fen are split."""
    monkeypatch.setattr(posting, "MAX_POSTINGS", postings)
    histories = LONG_HISTORIES if request.config.getoption("--long", default=False) else HISTORIES
    run_state_machine_as_test(Histories, settings=settings(FIXED, max_examples=histories, stateful_step_count=STEPS))
