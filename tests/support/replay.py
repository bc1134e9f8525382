"""The log decided again: each command by the pure core, on the entries before it, gives the entries that are there.

So whatever ran at the same time, the result is that of the commands one after the other, in the log's order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from ledger import account, decide, entries
from ledger.allocations import AllocateMoney, ReleaseMoney
from ledger.approvals import ApproveProposal, RejectProposal, WithdrawProposal
from ledger.command import Draft
from ledger.corrections import RedirectGift, RefundGift
from ledger.decide import AnyCommand, AnyProposable, Proposed
from ledger.disbursements import DisburseMoney
from ledger.donations import ReceiveMoney
from ledger.entries import Entry
from ledger.exchange import SettleExchange
from ledger.fees import ChargeFee
from ledger.fiscal import IssueReceipt, VoidReceipt, WaiveReceipt
from ledger.income import ReceiveIncome
from ledger.returns import ReturnMoney
from ledger.suspense import IdentifyMoney, ReceiveUnidentified, ReturnSuspense
from ledger.transfers import ReceiveTransfer, ReturnTransfer, SendTransfer
from tests.support.model import Pen

_COMMANDS: dict[type[Any], Any] = {
    entries.ExchangeSettled: SettleExchange,
    entries.FeeCharged: ChargeFee,
    entries.GiftRedirected: RedirectGift,
    entries.GiftRefunded: RefundGift,
    entries.IncomeReceived: ReceiveIncome,
    entries.MoneyAllocated: AllocateMoney,
    entries.MoneyDisbursed: DisburseMoney,
    entries.MoneyIdentified: IdentifyMoney,
    entries.MoneyReceived: ReceiveMoney,
    entries.MoneyReleased: ReleaseMoney,
    entries.MoneyReturned: ReturnMoney,
    entries.MoneyUnidentified: ReceiveUnidentified,
    entries.ProposalRejected: RejectProposal,
    entries.ProposalWithdrawn: WithdrawProposal,
    entries.ReceiptIssued: IssueReceipt,
    entries.ReceiptVoided: VoidReceipt,
    entries.ReceiptWaived: WaiveReceipt,
    entries.SuspenseReturned: ReturnSuspense,
    entries.TransferReceived: ReceiveTransfer,
    entries.TransferReturned: ReturnTransfer,
    entries.TransferSent: SendTransfer,
}
"""What entered a body that waited for nobody. Kinds that are not here are taken as they are."""


def replay(written: Sequence[bytes], texts: Mapping[int, tuple[AnyProposable, str]]) -> None:
    """`texts`: proposal → command and salt. Fails at the first entry that the core would have decided otherwise."""
    pen = Pen()
    log = [entries.decode(each) for each in written]
    while (at := len(pen.entries)) < len(log):
        pen.today = entries.beijing_date(entries.moment(log[at].at)).isoformat()
        decided = _decide(pen, log, at, texts)
        for entry, draft in zip(log[at : at + len(decided)], decided, strict=True):
            assert _said(entry) == (draft.body, draft.by, draft.postings), f"entry {entry.seq}"
        for each in range(at, at + max(len(decided), 1)):
            pen._keep(log[each], written[each])


def _decide(pen: Pen, log: list[Entry], at: int, texts: Mapping[int, tuple[AnyProposable, str]]) -> list[Draft]:
    """What the core makes of the command whose first entry this is; nothing of kinds that are not compared."""
    first = log[at]
    proposed: Proposed | None = None
    salt = ""
    command: AnyCommand
    about = first.by.proposal or getattr(first.body, "proposal", first.seq)
    if isinstance(log[about].body, entries.ProposalMade) and about not in texts:
        return []  # its text went with a donor's data
    match first.body:
        case entries.ProposalMade():
            command, salt = texts[first.seq]
        case entries.ProposalApproved(proposal=number):
            command, proposed = ApproveProposal(maker=first.by.maker, proposal=number), Proposed(*texts[number])
        case body if type(body) in _COMMANDS:
            command = _commanded(log[at : at + entries.part_of(body)[1]])
        case _:
            return []
    facts = replace(pen.facts(decide.needs(proposed or command)), salt=salt)
    wanted = decide.lines(command, pen.books, facts)
    if proposed:
        wanted |= decide.lines(proposed, pen.books, facts)
    for where in wanted:
        pen.books.put(where, pen._consumed(where))
    pen.books.refs = pen._refs
    drafts = decide.decide(command, pen.books, facts, proposed)
    pen._unload()
    return drafts


def _commanded(parts: Sequence[Entry]) -> AnyCommand:
    """The command, from the entries it became."""
    first = parts[0]
    kind = _COMMANDS[type(first.body)]
    fields = {**msgspec.to_builtins(first.body), "maker": first.by.maker, "org": entries.org_of(first)}
    if first.postings:
        fields["amount_fen"] = fields.get("right_fen") or sum(map(entries.qty_of, parts))
    if kind is AllocateMoney:
        fields["project"], fields["fund"] = account.parse(first.postings[0].dst).rest
    if kind is SendTransfer:
        (fields["fund"],) = account.parse(first.postings[0].src).rest
        (fields["to"],) = account.parse(first.postings[0].dst).rest
    if kind in {ReceiveTransfer, RedirectGift}:
        (fields["fund"],) = account.parse(first.postings[0].dst).rest
    if kind is ChargeFee:
        (fields["fund"],) = account.parse(first.postings[0].src).rest
    known: AnyCommand = msgspec.convert({name: fields[name] for name in kind.__struct_fields__ if name in fields}, kind)
    return known


def _said(entry: Entry) -> tuple[Any, ...]:
    """What an entry says beside its place in the log, to which its receipt is bound."""
    body = entry.body
    if isinstance(body, entries.MoneyReceived | entries.MoneyIdentified):
        body = msgspec.structs.replace(body, receipt="")
    return body, entry.by, entry.postings
