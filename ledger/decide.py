"""decide(command, books, facts) → the entries it amounts to, or a refusal. Changes nothing."""

from dataclasses import replace
from typing import TypeAlias, assert_never

import msgspec

from ledger import (
    account,
    allocations,
    approvals,
    campaigns,
    corrections,
    disbursements,
    donations,
    endings,
    entries,
    erasures,
    exchange,
    fees,
    fiscal,
    income,
    organisations,
    periods,
    pledges,
    returns,
    reversals,
    stamps,
    suspense,
    transfers,
)
from ledger.account import CNY, Account
from ledger.allocations import AllocateMoney, ReleaseMoney
from ledger.approvals import ApproveProposal, ExpireProposal, RejectProposal, SetPolicy, WithdrawProposal
from ledger.books import Books
from ledger.campaigns import RegisterCampaign
from ledger.command import Draft, Effect, Facts, Needs
from ledger.corrections import RedirectGift, RefundGift
from ledger.disbursements import ConfirmDelivery, DisburseMoney, PublishFeedback
from ledger.donations import AbandonImport, ApproveImport, CompleteImport, ReceiveMoney
from ledger.endings import CloseFund, CloseProject
from ledger.entries import By, Entry
from ledger.erasures import EraseDonor
from ledger.exchange import SettleExchange
from ledger.fees import ChargeFee
from ledger.fiscal import IssueReceipt, VoidReceipt, WaiveReceipt
from ledger.income import ReceiveIncome
from ledger.line import NO_PROPOSAL
from ledger.organisations import (
    ChangeOrganisation,
    DeclareEvent,
    DismissStaff,
    EnrolStaff,
    OpenFund,
    OpenLog,
    OpenProject,
    RegisterOrganisation,
)
from ledger.periods import ClosePeriod
from ledger.pledges import EndPledge, MakePledge
from ledger.posting import Posting, move, parts
from ledger.refusals import Invalid
from ledger.returns import ReturnMoney
from ledger.reversals import ReverseEntry
from ledger.roles import REQUIRED
from ledger.stamps import StampCheckpoint
from ledger.suspense import IdentifyMoney, ReceiveUnidentified, ReturnSuspense
from ledger.transfers import ReceiveTransfer, ReturnTransfer, SendTransfer

AnyProposable: TypeAlias = (
    AllocateMoney
    | ApproveImport
    | ChangeOrganisation
    | ChargeFee
    | CloseFund
    | ClosePeriod
    | CloseProject
    | ConfirmDelivery
    | DeclareEvent
    | DisburseMoney
    | DismissStaff
    | EndPledge
    | EnrolStaff
    | IssueReceipt
    | EraseDonor
    | MakePledge
    | OpenFund
    | OpenProject
    | PublishFeedback
    | ReceiveTransfer
    | RedirectGift
    | RefundGift
    | RegisterCampaign
    | RegisterOrganisation
    | ReleaseMoney
    | ReturnMoney
    | ReturnSuspense
    | ReturnTransfer
    | ReverseEntry
    | SendTransfer
    | SetPolicy
    | SettleExchange
    | StampCheckpoint
    | VoidReceipt
    | WaiveReceipt
)
"""Commands that policy may submit to other people's approval."""

AnyIntake: TypeAlias = ReceiveMoney | ReceiveUnidentified | IdentifyMoney | ReceiveIncome
"""Money that comes in, or turns out to be a gift: routine, one entry each, without a second person."""

AnyCommand: TypeAlias = (
    AnyProposable
    | AnyIntake
    | AbandonImport
    | ApproveProposal
    | CompleteImport
    | ExpireProposal
    | OpenLog
    | RejectProposal
    | WithdrawProposal
)


def decide(command: AnyCommand, books: Books, facts: Facts, proposed: "Proposed | None" = None) -> list[Draft]:
    """The entries of one command, in order. `proposed`: for an approval, what the proposal wants done.

    Raises Refused; nothing has changed then. Everything is decided on the books before the command's first entry.
    """
    match command:
        case ReceiveMoney() | ReceiveUnidentified() | IdentifyMoney() | ReceiveIncome():
            draft = _take_in(command, books, facts)
            periods.check_draft(draft, books)
            return [draft]
        case ApproveProposal():
            return _approve(command, proposed, books, facts)
        case RejectProposal():
            return [approvals.reject(command, books)]
        case WithdrawProposal():
            return [approvals.withdraw(command, books)]
        case ExpireProposal():
            return [approvals.expire(command, books, facts.today)]
        case CompleteImport():
            return [donations.complete_import(command, books)]
        case AbandonImport():
            return [donations.abandon_import(command, books)]
        case OpenLog():
            return [Draft(organisations.open_log(command, books), By(maker=command.administrators[0]))]
        case _:
            effect = _checked(command, books, facts, NO_PROPOSAL)
            if approvals.needed(books, entries.kind_of(effect.body), effect.qty):
                return approvals.propose(command, effect, facts.salt)
            return _drafts(effect, By(maker=command.maker), books)


class Proposed(msgspec.Struct, frozen=True):
    """What waits for approval, as the store kept it apart from the log."""

    command: AnyProposable
    salt: str


def needs(command: AnyCommand | Proposed) -> Needs | None:
    """What of the postings the decision has to see; None: nothing but the lines."""
    asked = command.command if isinstance(command, Proposed) else command
    found = _needs(asked)
    corrects: int = getattr(asked, "corrects", 0)
    return replace(found or Needs(), corrects=corrects) if corrects else found


def _needs(command: AnyCommand) -> Needs | None:  # noqa: C901, PLR0912
    match command:
        case ReleaseMoney():
            return allocations.needs_release(command)
        case DisburseMoney():
            return disbursements.needs_disburse(command)
        case ClosePeriod():
            return periods.needs_close(command)
        case SettleExchange():
            return exchange.needs_gift(command)
        case IssueReceipt() | VoidReceipt() | WaiveReceipt():
            return fiscal.needs_gift(command)
        case EraseDonor():
            return erasures.needs_gift(command)
        case RefundGift() | RedirectGift():
            return corrections.needs_gift(command)
        case IdentifyMoney() | ReturnSuspense():
            return suspense.needs_cited(command)
        case ReturnMoney():
            return returns.needs_payment(command)
        case ReverseEntry():
            return reversals.needs_cited(command)
        case ReceiveTransfer() | ReturnTransfer():
            return transfers.needs_transfer(command)
        case ConfirmDelivery() | PublishFeedback():
            return disbursements.needs_payment(command)
        case _:
            return None


def lines(command: AnyCommand | Proposed, books: Books, facts: Facts) -> set[Account]:  # noqa: C901, PLR0912
    """The accounts with a line that the decision reads or its entries touch."""
    match command:
        case Proposed(command=proposed):
            return lines(proposed, books, facts)
        case ApproveProposal() | RejectProposal() | WithdrawProposal() | ExpireProposal() if (
            command.proposal in books.proposals
        ):
            proposal = books.proposals[command.proposal]
            return {hold.account for hold in proposal.holds} | {Account(address, CNY) for address in proposal.into}
        case ReceiveMoney():
            return donations.lines(command, books)
        case ChargeFee(org=org, fund=fund):
            return {Account(account.fund(org, fund), CNY), Account(account.fees(org), CNY)}
        case SettleExchange():
            return exchange.lines(command, facts)
        case CloseFund() | CloseProject():
            return endings.lines(command, books)
        case ReceiveIncome(org=org, fund=fund):
            return {Account(account.fund(org, fund), CNY)}
        case AllocateMoney(org=org, fund=fund, project=project):
            return {Account(account.fund(org, fund), CNY), Account(account.project(org, project, fund), CNY)}
        case ReleaseMoney(org=org):
            # Of anything but an allocation, which is refused, the positions may rest anywhere.
            sources = {where for where, _ in facts.spans if account.parse(where.address).kind == "project"}
            return sources | {
                Account(account.fund(org, account.parse(where.address).rest[1]), CNY) for where in sources
            }
        case DisburseMoney(org=org):
            return {*facts.first_seqs, Account(account.payees(org), CNY)}
        case RefundGift() | RedirectGift():
            return corrections.lines(command, facts)
        case ReceiveUnidentified() | IdentifyMoney() | ReturnSuspense():
            return suspense.lines(command)
        case ReturnMoney():
            return returns.lines(command, books, facts)
        case ReverseEntry():
            return reversals.lines(command, books, facts)
        case SendTransfer() | ReceiveTransfer() | ReturnTransfer():
            return transfers.lines(command, books, facts)
        case _:
            return set()


def seal(draft: Draft, books: Books, at: str) -> tuple[Entry, bytes]:
    """The draft as the next entry, and its bytes."""
    body = draft.body
    if draft.code:
        assert isinstance(body, entries.MoneyReceived | entries.MoneyIdentified)
        body = donations.bind(body, books.prev, draft.code)
    entry = Entry(
        at=at,
        body=body,
        by=draft.by,
        kind=entries.kind_of(body),
        postings=draft.postings,
        prev=books.prev,
        seq=books.seq + 1,
        v=1,
    )
    return entry, entries.encode(entry)


def _take_in(command: AnyIntake, books: Books, facts: Facts) -> Draft:
    match command:
        case ReceiveMoney():
            return donations.receive(command, books, facts)
        case ReceiveUnidentified():
            return suspense.receive(command, books, facts)
        case IdentifyMoney():
            return suspense.identify(command, books, facts)
        case ReceiveIncome():
            return income.receive(command, books, facts)


def _approve(command: ApproveProposal, proposed: Proposed | None, books: Books, facts: Facts) -> list[Draft]:
    """The approval; and, where it is the last one needed, the effect on the books as they are now."""
    proposal, approval = approvals.approve(command, books, facts.today)
    assert proposed is not None, "the store loads what an open proposal wants before it is approved"
    effect = _checked(proposed.command, books, facts, command.proposal)
    assert entries.commitment(effect.body, proposed.salt) == proposal.commitment, "not what was proposed"
    # Each held the role when she said yes; only those who hold it now count for the effect.
    role = REQUIRED[proposal.command].checker
    standing = [
        each for each in proposal.approvals if not any(books.roles(each, org).isdisjoint(role) for org in proposal.orgs)
    ]
    checkers = (*standing, command.maker)
    if len(checkers) < approvals.needed(books, proposal.command, effect.qty):
        return [approval]
    by = By(maker=proposal.maker, checkers=checkers, proposal=command.proposal, salt=proposed.salt)
    return [approval, *_drafts(effect, by, books)]


def _checked(command: AnyProposable, books: Books, facts: Facts, proposal: int) -> Effect:
    """The effect, if the rules, the maker's role and the policy allow it."""
    effect = _effect(command, books, facts, proposal)
    for org in sorted({effect.org, *account.answering(take.account.address for take in effect.takes)}):
        books.require(command.maker, REQUIRED[entries.kind_of(effect.body)].maker, org)
    periods.check_effect(effect, books)
    endings.check_untouched(effect, books)
    approvals.check_decision(books, effect)
    return effect


def _effect(command: AnyProposable, books: Books, facts: Facts, proposal: int) -> Effect:  # noqa: C901, PLR0912
    match command:
        case AllocateMoney():
            return allocations.allocate(command, books, facts, proposal)
        case ReleaseMoney():
            return allocations.release(command, books, facts, proposal)
        case DisburseMoney():
            return disbursements.disburse(command, books, facts, proposal)
        case RefundGift():
            return corrections.refund(command, books, facts, proposal)
        case RedirectGift():
            return corrections.redirect(command, books, facts, proposal)
        case ChargeFee():
            return fees.charge(command, books, facts, proposal)
        case SettleExchange():
            return exchange.settle(command, books, facts, proposal)
        case ReturnSuspense():
            return suspense.give_back(command, books, facts, proposal)
        case ReturnMoney():
            return returns.give_back(command, books, facts, proposal)
        case ReverseEntry():
            return reversals.reverse(command, books, facts, proposal)
        case SendTransfer():
            return transfers.send(command, books, facts, proposal)
        case ReceiveTransfer():
            return transfers.receive(command, books, facts, proposal)
        case ReturnTransfer():
            return transfers.give_back(command, books, facts, proposal)
        case ConfirmDelivery():
            return disbursements.confirm(command, books, facts)
        case PublishFeedback():
            return disbursements.publish_feedback(command, books, facts)
        case ApproveImport():
            return donations.approve_import(command, books, facts.today)
        case SetPolicy():
            return approvals.set_policy(command)
        case ClosePeriod():
            return periods.close(command, books, facts)
        case EraseDonor():
            return erasures.erase(command, books, facts)
        case MakePledge():
            return pledges.make(command, books, facts)
        case EndPledge():
            return pledges.end(command, books, facts)
        case StampCheckpoint():
            return stamps.stamp(command, books)
        case IssueReceipt():
            return fiscal.issue(command, books, facts)
        case WaiveReceipt():
            return fiscal.waive(command, books, facts)
        case VoidReceipt():
            return fiscal.void(command, books, facts)
        case RegisterCampaign():
            return campaigns.register(command, books)
        case CloseFund():
            return endings.close_fund(command, books)
        case CloseProject():
            return endings.close_project(command, books)
        case RegisterOrganisation():
            return organisations.register(command, books)
        case ChangeOrganisation():
            return organisations.change(command, books)
        case EnrolStaff():
            return organisations.enrol(command, books)
        case DismissStaff():
            return organisations.dismiss(command, books)
        case DeclareEvent():
            return organisations.declare(command, books, facts.today)
        case OpenFund():
            return organisations.open_fund(command, books)
        case OpenProject():
            return organisations.open_project(command, books)
        case _:
            assert_never(command)


def _drafts(effect: Effect, by: By, books: Books) -> list[Draft]:
    """The effect as one entry, or as several where its postings do not fit one."""
    if not effect.takes:
        return [Draft(effect.body, by)]
    ends = {into: books.line(into).credited for into in effect.destinations}
    postings: list[Posting] = []
    for take, into in zip(effect.takes, effect.destinations, strict=True):
        postings += move((take,), into, ends[into])
        ends[into] += take.qty
    if max(ends.values()) > account.MAX_POSITION:
        raise Invalid("the account's line would pass 2^53-1")
    runs = parts(postings)
    if len(runs) == 1:
        return [Draft(effect.body, by, runs[0])]
    return [Draft(msgspec.structs.replace(effect.body, part=(i, len(runs))), by, run) for i, run in enumerate(runs, 1)]
