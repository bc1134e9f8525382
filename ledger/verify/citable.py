"""What outflows leave for later entries to cite: allocations, payments, transfers, fees, and what was given back."""

from collections.abc import Sequence

from ledger.entries import (
    EntryReversed,
    ExchangeSettled,
    FeeCharged,
    GiftRefunded,
    MoneyAllocated,
    MoneyDisbursed,
    MoneyReturned,
    TransferReceived,
    TransferSent,
)
from ledger.verify import costs, reversals
from ledger.verify.entry import Envelope
from ledger.verify.line import Piece
from ledger.verify.postings import Leg
from ledger.verify.state import Payment, Run, State, Transfer


def note(state: State, run: Run, entry: Envelope, body: object, legs: Sequence[Leg]) -> None:  # noqa: C901  a case each
    """One part more of an effect; all of it is cited by the first."""
    number = run.first_seq
    if run.index > 1:
        state.first_parts[entry.seq] = number
    match body:
        case MoneyAllocated():
            state.allocations[number] = _with(state.allocations.get(number), legs)
        case ExchangeSettled() | FeeCharged() | GiftRefunded():
            _, begun = state.given_out.get(number, ("", None))
            state.given_out[number] = (run.kind, _with(begun, legs))
            if not isinstance(body, FeeCharged):
                state.of_gift[number] = body.ref
                (state.refunded if run.kind == "gift.refunded" else state.lost)[body.ref] += sum(
                    leg.qty for leg in legs
                )
        case TransferSent() if (fund := legs[0].src) is not None:
            sent = state.transfers.get(number)
            state.transfers[number] = Transfer(fund, _with(sent.piece if sent else None, legs))
        case TransferReceived(ref=ref):
            _, begun = state.arrivals.get(number, (0, None))
            state.arrivals[number] = (ref, _with(begun, legs))
        case MoneyDisbursed():
            _pay(state, run, body, legs)
        case MoneyReturned(ref=ref) if ref in state.payments:
            _come_back(state, state.payments[ref], legs)
        case EntryReversed():
            reversals.give_back(state, entry.seq, body, legs)
            if body.ref in state.of_gift:
                taken = state.refunded if state.given_out[body.ref][0] == "gift.refunded" else state.lost
                taken[state.of_gift[body.ref]] -= sum(leg.qty for leg in legs)
            if body.ref in state.payments:
                _come_back(state, state.payments[body.ref], legs)
        case _:
            pass  # nothing cites it


def _pay(state: State, run: Run, body: MoneyDisbursed, legs: Sequence[Leg]) -> None:
    begun = state.payments.get(run.first_seq)
    piece = _with(begun.piece if begun else None, legs)
    payment = begun or Payment(piece.line.place.org, piece, body.on[:4], body.spending == "management")
    payment.piece = piece
    payment.qty += sum(leg.qty for leg in legs)
    state.payments[run.first_seq] = payment
    costs.count(state, run, body, legs)


def _come_back(state: State, payment: Payment, legs: Sequence[Leg]) -> None:
    payment.returned += sum(leg.qty for leg in legs)
    costs.give_back(state, payment, legs)


def _with(begun: Piece | None, legs: Sequence[Leg]) -> Piece:
    """The positions of the account it goes to: parts follow one another there."""
    return Piece(legs[0].dst, begun.lo if begun else legs[0].dst_lo, legs[-1].dst_lo + legs[-1].qty)
