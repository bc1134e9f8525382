"""Right entries for whatever was taken back, as generated ledgers try them."""

from msgspec import structs

from ledger import account, entries
from ledger.decide import AnyCommand
from ledger.entries import Entry
from ledger.exchange import SettleExchange
from tests.support.model import TODAY
from tests.support.society import (
    HOSPITAL,
    allocation,
    arrival,
    charge,
    gift,
    identification,
    income,
    payment,
    refund,
    right,
    sending,
    unidentified,
)


def anew(wrong: Entry, qty: int, fund: str, *, maker: str) -> AnyCommand:  # noqa: C901, PLR0912  an arm for each kind
    """Its right entry, of another amount; and where it has a fund that anybody names, of another fund."""
    org, number = entries.org_of(wrong), wrong.seq
    src, dst = (account.parse(getattr(wrong.postings[0], end)) for end in ("src", "dst"))
    match wrong.body:
        case entries.MoneyReceived(ref=ref, currency=""):
            return right(gift(qty, fund, ref=ref), number)
        case entries.MoneyReceived() as body:
            booked = gift(body.right_fen or entries.qty_of(wrong), fund, ref=body.ref)
            money = {"currency": body.currency, "original": body.original, "rate": body.rate}
            return right(structs.replace(booked, **money), number)
        case entries.IncomeReceived(ref=ref):
            return right(income(qty, fund, ref=ref), number)
        case entries.MoneyUnidentified(ref=ref):
            return right(unidentified(qty, ref=ref), number)
        case entries.MoneyIdentified(ref=found_in):
            return right(identification(found_in, qty, fund), number)
        case entries.MoneyAllocated():
            return right(allocation(qty, dst.rest[1], dst.rest[0], decision="红〔2026〕1号"), number)
        case entries.MoneyDisbursed(project=project):
            return right(payment(qty, project, payee=HOSPITAL, spending="purchase"), number)
        case entries.FeeCharged():
            return right(charge(qty, src.rest[0]), number)
        case entries.ExchangeSettled(ref=given):
            settlement = SettleExchange(maker=maker, org=org, ref=given, amount_fen=qty, on=TODAY, reason="结汇差额")
            return right(settlement, number)
        case entries.GiftRefunded(ref=given):
            return right(refund(given, qty, maker=maker, org=org), number)
        case entries.TransferReceived(ref=sent):
            return right(arrival(sent, qty, dst.rest[0], org=org, maker=maker), number)
        case entries.TransferSent():
            return right(sending(qty, src.rest[0], org=org, to=dst.rest[0], maker=maker), number)
        case _:
            raise AssertionError(f"{wrong.kind} has no right entry")
