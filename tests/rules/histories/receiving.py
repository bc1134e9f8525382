"""Money comes in: gifts, in foreign currency too, suspense, other income; and what was only promised."""

from hashlib import sha256
from typing import get_args

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from msgspec import structs

from ledger.entries import PledgeEnd
from ledger.exchange import SettleExchange
from ledger.pledges import EndPledge, MakePledge
from tests.rules.histories.choices import FOREIGN, Foreign, amounts, cashiers, days, funds, makers, some, whichever
from tests.rules.histories.history import History
from tests.support.model import TODAY
from tests.support.society import CITY, FINANCE, gift, identification, income, suspense_return, unidentified

_OUTCOMES: st.SearchStrategy[PledgeEnd] = st.sampled_from(get_args(PledgeEnd))


class Receiving(History):
    """What arrives."""

    @rule(fund=funds, qty=amounts, number=st.integers(0, 99), maker=cashiers, on=days)
    def give(self, fund: str, qty: int, number: int, maker: str, on: str) -> None:
        ref = sha256(b"%d" % number).hexdigest() if number else ""
        self.do(structs.replace(gift(qty, fund, ref=ref, maker=maker), on=on))

    @rule(fund=funds, money=st.sampled_from(FOREIGN), off=st.sampled_from([0, 0, 0, 1, 2]))
    def give_in_another_currency(self, fund: str, money: Foreign, off: int) -> None:
        currency, original, rate, qty = money
        self.do(structs.replace(gift(qty + off, fund), currency=currency, original=original, rate=rate))

    @precondition(lambda self: self.foreign())
    @rule(which=whichever, qty=some, maker=makers)
    def settle(self, which: int, qty: int, maker: str) -> None:
        gifts = self.foreign() if which % 4 else self.seqs("money.received")
        ref = gifts[which % len(gifts)]
        self.do(SettleExchange(maker=maker, org=CITY, ref=ref, amount_fen=qty, on=TODAY, reason="结汇差额"))

    @rule(fund=funds, qty=amounts, number=st.integers(0, 99), whose=st.sampled_from(["nobody", "nobody", "income"]))
    def take_in(self, fund: str, qty: int, number: int, whose: str) -> None:
        ref = sha256(b"%d" % number).hexdigest() if number else ""
        self.do(income(qty, fund, ref=ref) if whose == "income" else unidentified(qty, ref=ref))

    @precondition(lambda self: self.seqs("money.unidentified"))
    @rule(which=whichever, qty=amounts, fund=funds, found=st.booleans(), maker=makers)
    def clear_up(self, which: int, qty: int, fund: str, *, found: bool, maker: str) -> None:
        ref = self.one("money.unidentified", which)
        self.do(identification(ref, qty, fund, maker=maker) if found else suspense_return(ref, qty, maker=maker))

    @rule(fund=funds, qty=amounts, outcome=_OUTCOMES, which=whichever, ends=st.booleans())
    def promise(self, fund: str, qty: int, outcome: PledgeEnd, which: int, *, ends: bool) -> None:
        if ends and self.seqs("pledge.made"):
            ref = self.one("pledge.made", which)
            self.do(EndPledge(maker=FINANCE, org=CITY, ref=ref, outcome=outcome, on=TODAY))
        else:
            self.do(MakePledge(maker=FINANCE, org=CITY, fund=fund, amount_fen=qty, promiser="person", on=TODAY))

    def foreign(self) -> list[int]:
        """Gifts in another currency."""
        return [entry.seq for entry in self.pen.entries if getattr(entry.body, "currency", "")]
