"""The right to correct: gifts refunded and redirected, entries taken back and entered right."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from ledger import entries
from ledger.fiscal import IssueReceipt, VoidReceipt, standing
from ledger.reversals import REVERSIBLE
from tests.rules.histories.choices import amounts, funds, makers, some, whichever
from tests.rules.histories.history import History
from tests.support.anew import anew
from tests.support.model import TODAY
from tests.support.society import (
    CITY,
    FINANCE,
    NEIGHBOUR,
    OTHER_CITY,
    redirection,
    refund,
    reversal,
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
        self.do(anew(wrong, qty, fund, maker=NEIGHBOUR if entries.org_of(wrong) == OTHER_CITY else FINANCE))

    @precondition(lambda self: self.seqs("money.received"))
    @rule(which=whichever, qty=some, maker=makers, org=st.sampled_from([CITY] * 9 + [OTHER_CITY]))
    def refund(self, which: int, qty: int, maker: str, org: str) -> None:
        self.do(refund(self.one("money.received", which), qty, maker=maker, org=org))

    @precondition(lambda self: self.units.gifts)
    @rule(which=whichever, on_paper=st.sampled_from(["issued", "issued", "voided"]))
    def put_on_paper(self, which: int, on_paper: str) -> None:
        """A fiscal receipt over what stands of a gift, or the end of the one that holds."""
        gift = sorted(self.units.gifts)[which % len(self.units.gifts)]
        now = standing([each for each in self.pen.entries if _is_receipt(each) and each.body.ref == gift])  # type: ignore[union-attr]
        if on_paper == "voided":
            self.do(VoidReceipt(maker=FINANCE, org=CITY, ref=gift, issued=now.issued, on=TODAY, reason="mistake"))
        else:
            fen = self.stands(gift) or 1
            self.do(
                IssueReceipt(
                    maker=FINANCE, org=CITY, ref=gift, amount_fen=fen, on=TODAY, commitment="d" * 64,
                    replaces=now.voided,
                )
            )  # fmt: skip


def _is_receipt(entry: entries.Entry) -> bool:
    return entry.kind.startswith("receipt.")
