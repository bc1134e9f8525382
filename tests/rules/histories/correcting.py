"""The right to correct: gifts refunded and redirected, entries taken back."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.rules.histories.choices import funds, makers, some, whichever
from tests.rules.histories.history import History
from tests.support.society import CITY, OTHER_CITY, redirection, refund, reversal


class Correcting(History):
    """What donors may ask for, and what was wrong."""

    @precondition(lambda self: self.seqs("money.received"))
    @rule(which=whichever, qty=some, fund=funds, agreed=st.booleans(), maker=makers)
    def redirect(self, which: int, qty: int, fund: str, *, agreed: bool, maker: str) -> None:
        self.do(redirection(self.one("money.received", which), fund, qty, agreed=agreed, maker=maker))

    @rule(
        which=whichever,
        kind=st.sampled_from(["money.received", "money.allocated", "money.disbursed", "transfer.sent", "policy.set"]),
        maker=makers,
    )
    def take_back(self, which: int, kind: str, maker: str) -> None:
        if self.seqs(kind):
            self.do(reversal(self.one(kind, which), maker=maker))

    @precondition(lambda self: self.seqs("money.received"))
    @rule(which=whichever, qty=some, maker=makers, org=st.sampled_from([CITY] * 9 + [OTHER_CITY]))
    def refund(self, which: int, qty: int, maker: str, org: str) -> None:
        self.do(refund(self.one("money.received", which), qty, maker=maker, org=org))
