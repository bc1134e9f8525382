"""A history: commands one after the other, each entered or refused by the rules, and followed by the model of units."""

from collections import Counter
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine
from msgspec import structs

from ledger import account, entries
from ledger.allocations import AllocateMoney, ReleaseMoney
from ledger.approvals import ApproveProposal
from ledger.corrections import RedirectGift, RefundGift
from ledger.decide import AnyCommand
from ledger.disbursements import DisburseMoney
from ledger.endings import CloseFund, CloseProject
from ledger.entries import Entry
from ledger.exchange import SettleExchange
from ledger.fees import ChargeFee
from ledger.fiscal import IssueReceipt
from ledger.posting import Posting
from ledger.refusals import InsufficientAmount, Invalid, NotEmpty, NothingLeft, Refused
from ledger.returns import ReturnMoney
from ledger.reversals import ReverseEntry
from ledger.suspense import IdentifyMoney, ReturnSuspense
from ledger.transfers import ReceiveTransfer, ReturnTransfer, SendTransfer
from tests.rules.histories.choices import OPENED
from tests.support.model import TODAY, Pen, state
from tests.support.society import CITY, OTHER_CITY
from tests.support.units import Place, Plan, UnitModel


class History(RuleBasedStateMachine):
    """What the rules have entered, and the same as the model sees it."""

    def __init__(self) -> None:
        super().__init__()
        self.pen = Pen(OPENED)
        self.units = UnitModel()
        self.new: list[Entry] = []
        """What the last command entered: nothing, where it was refused."""
        self.expected: list[Place] = []
        """What it took, as the model says."""
        self.before: dict[str, Any] = state(self.pen.books)
        """The books it was decided on."""
        self.count_before = len(self.pen.written)

    @property
    def postings(self) -> list[Posting]:
        """All of the log."""
        return [posting for entry in self.pen.entries for posting in entry.postings]

    def do(self, command: AnyCommand) -> None:
        """Let the rules and the model decide; where the rules refuse, the model has to see why."""
        if getattr(command, "on", "") == TODAY and not getattr(command, "batch", 0):  # a row's day is its sheet's
            command = structs.replace(command, on=self.pen.today)
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
        """Where there is too little for a command, or too much, the model has as little or as much."""
        match refused, command:
            case (
                InsufficientAmount(),
                AllocateMoney() | DisburseMoney() | ChargeFee() | SendTransfer() | SettleExchange(),
            ):
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
            case NothingLeft(), IssueReceipt(ref=gift):
                assert not self.stands(gift)
            case Invalid(), IssueReceipt():
                assert refused.facts.get("field") != "amount_fen"
            case NothingLeft(), ReverseEntry():
                assert refused.facts["left"] == len(plan.places)
            case NotEmpty(), ApproveProposal(proposal=number):
                self.agree(refused, self.pen.proposed[number].command, plan)
            case NotEmpty(), CloseFund() | CloseProject():
                rest = sum(len(self.units.resting(address)) for address in self.lines_of(command))
                assert refused.facts["balance"] == rest
                assert rest or refused.facts["in_transit"] or refused.facts["proposals"] or refused.facts["imports"]
            case _:
                assert not isinstance(refused, NothingLeft | NotEmpty)

    def asked(self, command: AnyCommand) -> AnyCommand:
        """The command with what it would move: of a right entry, the right amount less what had moved on."""
        if not (corrects := getattr(command, "corrects", 0)):
            return command
        missing = getattr(command, "amount_fen", 0) - self.moved_on(corrects)
        return structs.replace(command, amount_fen=missing) if missing > 0 else command

    def moved_on(self, wrong: int) -> int:
        """What had moved on with this wrong entry, and with those before it that it corrects."""
        moved = 0
        while wrong:
            moved += self.pen.books.reversed.get(wrong, 0)
            wrong = getattr(self.pen.entries[wrong].body, "corrects", 0) if wrong < len(self.pen.entries) else 0
        return moved

    def wrong_ones(self, gift: int) -> set[int]:
        """The gift and those that it corrects."""
        found = {gift}
        while gift := getattr(self.pen.entries[gift].body, "corrects", 0):
            found.add(gift)
        return found

    def stands(self, gift: int) -> int:
        """What of this gift was given and not given back, by the fen that rest with donors; 0 if it was taken back."""
        body = self.pen.entries[gift].body
        assert isinstance(body, entries.MoneyReceived | entries.MoneyIdentified)
        given = body.right_fen or entries.qty_of(self.pen.entries[gift])
        ours = self.wrong_ones(gift)
        refunds = (slots for address, slots in self.units.accounts.items() if address.startswith("refunds:"))
        back = sum(not slot.gone and slot.unit.gift in ours for slots in refunds for slot in slots)
        return 0 if gift in self.pen.books.reversed else given - back

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
                | SettleExchange()
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
            case (
                entries.ProposalRejected(proposal=number)
                | entries.ProposalWithdrawn(proposal=number)
                | entries.ProposalExpired(proposal=number)
            ):
                self.units.resolve(number)
            case _ if last.postings:
                effect = next(entry for entry in self.new if entry.postings)
                self.units.resolve(last.by.proposal)
                dst = effect.postings[0].dst
                goes_home = isinstance(
                    effect.body, entries.MoneyReturned | entries.TransferReturned | entries.EntryReversed
                )
                goes_home = goes_home and not dst.startswith(("suspense:", "voided:"))
                purpose = dst if isinstance(effect.body, entries.GiftRedirected) else ""
                self.units.move(plan.places, "" if goes_home else dst, effect.seq, purpose)
                if isinstance(effect.body, entries.MoneyIdentified):
                    self.units.identify(effect.seq, len(plan.places))
                    self.units.gifts.add(effect.seq)
                if isinstance(effect.body, entries.EntryReversed):
                    self.give_back(effect.seq, self.pen.entries[effect.body.ref])
                self.expected = plan.places
            case _:
                self.note_end(last)

    def give_back(self, seq: int, taken: Entry) -> None:
        """What a reversal put back in transit or suspense, where the entry `taken` had it from."""
        match taken.body:
            case entries.MoneyIdentified(ref=ref):
                self.units.give_back(seq, ref)
            case entries.TransferReceived(ref=ref):
                self.units.give_back(seq, ref, self.pen.entries[ref].postings[0].src)
            case _:
                pass  # it is nothing else's

    def note_end(self, entry: Entry) -> None:
        """Where late money of a closed fund or project goes."""
        match entry.body:
            case entries.FundClosed(org=org, fund=name, successor=successor):
                self.units.successors["fund", org, name] = successor
            case entries.ProjectClosed(org=org, project=name, successor=successor):
                self.units.successors["project", org, name] = successor
            case _:
                pass  # nothing moves, nothing ends

    def sources(self, command: AnyCommand) -> list[str]:
        """The accounts that a first-in-first-out outflow may draw on."""
        if isinstance(command, AllocateMoney | ChargeFee | SendTransfer):
            return [account.fund(command.org, command.fund)]
        if isinstance(command, SettleExchange):
            return [account.fund(CITY, self.pen.entries[command.ref].body.fund)]  # type: ignore[union-attr]  # a gift
        if isinstance(command, DisburseMoney):
            return [
                account.project(CITY, command.project, fund.fund)
                for (org, _), fund in self.pen.books.funds.items()
                if org == CITY
                and command.spending in (fund.spending or ("aid", "purchase"))
                and fund.restriction.recipient in {"", command.payee}
            ]
        return []

    def orgs(self, maker: str) -> list[str]:
        """Where this person prepares refunds."""
        return [org for org in (CITY, OTHER_CITY) if "finance" in self.pen.books.roles(maker, org)]

    def lines_of(self, command: CloseFund | CloseProject) -> list[str]:
        """The accounts of a fund or a project."""
        if isinstance(command, CloseFund):
            at = [address for address in self.units.accounts if address.endswith(f":{command.fund}")]
            return [each for each in at if each.startswith((f"fund:{command.org}:", f"project:{command.org}:"))]
        return [each for each in self.units.accounts if each.startswith(f"project:{command.org}:{command.project}:")]

    def setting_up(self) -> list[int]:
        """Open proposals that only administrators decide."""
        kinds = {"policy.set", "staff.enrolled", "staff.dismissed", "fund.closed", "project.closed"}
        return [number for number, each in self.pen.books.proposals.items() if each.command in kinds]

    def underway(self) -> list[int]:
        """Transfers of which something is still in transit, or again."""
        transit = (slots for address, slots in self.units.accounts.items() if address.startswith("transit:"))
        sent = {self.units.given_back.get(slot.seq, slot.seq) for slots in transit for slot in slots if not slot.gone}
        return sorted(sent)

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
