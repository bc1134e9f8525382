"""The right to correct: gifts refunded and redirected, entries taken back and entered right."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from msgspec import structs

from ledger import account, entries
from ledger.decide import AnyCommand
from ledger.entries import Entry
from ledger.exchange import SettleExchange
from ledger.reversals import REVERSIBLE
from tests.rules.histories.choices import amounts, funds, makers, some, whichever
from tests.rules.histories.history import History
from tests.support.model import TODAY
from tests.support.society import (
    CITY,
    FINANCE,
    HOSPITAL,
    NEIGHBOUR,
    OTHER_CITY,
    allocation,
    arrival,
    charge,
    gift,
    identification,
    income,
    payment,
    redirection,
    refund,
    reversal,
    right,
    sending,
    unidentified,
)


class Correcting(History):
    """What donors may ask for, and what was wrong."""

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
    def enter_right(self, which: int, qty: int, fund: str) -> None:
        taken_back = sorted(self.pen.books.reversed)
        wrong = self.pen.entries[taken_back[which % len(taken_back)]]
        self.do(_anew(wrong, qty, fund, maker=NEIGHBOUR if entries.org_of(wrong) == OTHER_CITY else FINANCE))

    @precondition(lambda self: self.seqs("money.received"))
    @rule(which=whichever, qty=some, maker=makers, org=st.sampled_from([CITY] * 9 + [OTHER_CITY]))
    def refund(self, which: int, qty: int, maker: str, org: str) -> None:
        self.do(refund(self.one("money.received", which), qty, maker=maker, org=org))


def _anew(wrong: Entry, qty: int, fund: str, *, maker: str) -> AnyCommand:  # noqa: C901, PLR0912  an arm for each kind
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
