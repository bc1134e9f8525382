"""Money goes from one organisation to another, arrives, or comes back."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from ledger import account, entries
from tests.rules.histories.choices import amounts, funds, some, whichever
from tests.rules.histories.history import History
from tests.support.society import CITY, FINANCE, NEIGHBOUR, NEIGHBOURS_FUNDS, OTHER_CITY, arrival, sending, sent_back


class Sending(History):
    """Both cities send."""

    @rule(which=whichever, qty=amounts, back=st.booleans(), more=st.sampled_from([0] * 9 + [1]))
    def send(self, which: int, qty: int, more: int, *, back: bool) -> None:
        org, to, maker = (OTHER_CITY, CITY, NEIGHBOUR) if back else (CITY, OTHER_CITY, FINANCE)
        funds = [fund for of, fund in self.pen.books.funds if of == org]
        funds = [fund for fund in funds if self.units.available(account.fund(org, fund))] or funds
        fund = funds[which % len(funds)]
        available = self.units.available(account.fund(org, fund))
        self.do(sending(min(qty, available or 1) + more * available, fund, org=org, to=to, maker=maker))

    @precondition(lambda self: self.seqs("transfer.sent"))
    @rule(which=whichever, qty=some, fund=funds, how=st.sampled_from(["arrived", "arrived", "sent back"]))
    def clear_transit(self, which: int, qty: int, fund: str, how: str) -> None:
        waiting = self.underway() if which % 4 else self.seqs("transfer.sent")
        ref = (waiting or self.seqs("transfer.sent"))[which % max(len(waiting), 1)]
        ours = entries.org_of(self.pen.entries[ref]) == CITY
        org, maker = (CITY, FINANCE) if ours is (how == "sent back") else (OTHER_CITY, NEIGHBOUR)
        if how == "sent back":
            self.do(sent_back(ref, qty, org=org, maker=maker))
        else:
            left = account.parse(self.pen.entries[ref].postings[0].src).rest[0]
            its = left if left in NEIGHBOURS_FUNDS and which % 3 else fund
            self.do(arrival(ref, qty, its, org=org, maker=maker))
