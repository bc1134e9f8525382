"""Money is used: allocated, paid, charged, released, handed back by payees; and what payments did."""

from typing import Literal

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from ledger import account
from ledger.disbursements import ConfirmDelivery, PublishFeedback
from ledger.entries import Outcome, Spending
from tests.rules.histories.choices import (
    EXTRA,
    FIRST,
    amounts,
    funds,
    makers,
    payees,
    projects,
    some,
    spendings,
    whichever,
)
from tests.rules.histories.history import History
from tests.support.model import TODAY
from tests.support.society import CITY, HOSPITAL, PROGRAMME, PROJECTS, allocation, charge, handed_back, payment, release


class Using(History):
    """From a fund to whom it was meant for."""

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

    @precondition(lambda self: self.seqs("money.disbursed"))
    @rule(which=whichever, qty=some, maker=makers)
    def hand_back(self, which: int, qty: int, maker: str) -> None:
        paid = {slot.seq for slot in self.units.accounts[account.payees(CITY)] if not slot.gone}
        payments = [seq for seq in self.seqs("money.disbursed") if seq in paid or which % 4 == 0]
        if payments:
            self.do(handed_back(payments[which % len(payments)], qty, maker=maker))

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

    def funded(self) -> list[tuple[str, str]]:
        """Funds with something available, each with a project it may go to."""
        pairs = (*FIRST, *((each, "anything") for each in EXTRA))
        return [(fund, project) for fund, project in pairs if self.units.available(account.fund(CITY, fund)) > 0]

    def payable(self) -> list[tuple[str, int]]:
        """Projects that can buy something from the hospital, and for how much."""
        asked = (payment(1, project, payee=HOSPITAL, spending="purchase") for project in (*PROJECTS, *EXTRA))
        amounts = [(each.project, sum(map(self.units.available, self.sources(each)))) for each in asked]
        return [(project, available) for project, available in amounts if available]
