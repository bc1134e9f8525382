"""Who decides: proposals are approved, refused, withdrawn or expire; the policy, staff and the day change."""

from datetime import date, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from ledger.approvals import ApproveProposal, ExpireProposal, RejectProposal, SetPolicy, WithdrawProposal
from ledger.entries import Rule
from ledger.organisations import DismissStaff, EnrolStaff
from tests.rules.histories.choices import POLICIES, checkers, whichever
from tests.rules.histories.history import History
from tests.support.society import (
    ADMINISTRATOR,
    APPROVER,
    BOTH,
    BOTH_CITIES_APPROVER,
    CITY,
    FINANCE,
    NEIGHBOURS_APPROVER,
    OTHER_ADMINISTRATOR,
    OTHER_APPROVER,
    PROGRAMME,
    ROLES,
    THIRD_APPROVER,
)


class Governing(History):
    """Four eyes, and time."""

    @precondition(lambda self: self.pen.books.proposals)
    @rule(which=whichever)
    def approve(self, which: int) -> None:
        number = self.open(which)
        proposal = self.pen.books.proposals[number]
        may: tuple[str, ...] = (THIRD_APPROVER, OTHER_APPROVER, APPROVER)
        if number in self.setting_up():
            may = (OTHER_ADMINISTRATOR,)
        elif proposal.orgs != {CITY}:
            may = (BOTH_CITIES_APPROVER, NEIGHBOURS_APPROVER)
        checker = next((each for each in may if each not in proposal.approvals), may[0])
        self.do(ApproveProposal(maker=checker, proposal=number))

    @precondition(lambda self: self.pen.books.proposals)
    @rule(which=whichever, checker=checkers)
    def approve_as_anybody(self, which: int, checker: str) -> None:
        self.do(ApproveProposal(maker=checker, proposal=self.open(which)))

    @precondition(lambda self: len(self.pen.books.proposals) > 1)
    @rule(
        which=whichever, how=st.sampled_from(["reject", "reject", "withdraw", "approve a closed one"]), checker=checkers
    )
    def say_no(self, which: int, how: str, checker: str) -> None:
        self.decline(which, how, checker)

    def decline(self, which: int, how: str, checker: str) -> None:
        """Whoever may, or may not."""
        number = self.open(which)
        if how == "reject":
            self.do(RejectProposal(maker=checker, proposal=number, reason="不同意"))
        elif how == "withdraw":
            self.do(WithdrawProposal(maker=self.pen.books.proposals[number].maker, proposal=number))
        else:
            self.do(ApproveProposal(maker=checker, proposal=self.one("proposal.made", which)))

    @precondition(lambda self: self.pen.books.proposals)
    @rule(which=whichever, days=st.sampled_from([1, 1, 2, 4]), checker=checkers)
    def let_days_pass(self, which: int, days: int, checker: str) -> None:
        self.pen.today = (date.fromisoformat(self.pen.today) + timedelta(days=days)).isoformat()
        self.do(ExpireProposal(maker=checker, proposal=self.open(which)))

    @precondition(lambda self: not self.setting_up())
    @rule(
        rules=st.sampled_from(POLICIES),
        staff=st.sampled_from(["", "", FINANCE, PROGRAMME, OTHER_APPROVER, BOTH]),
        expires_days=st.sampled_from([0, 1, 3]),
    )
    def set_up(self, rules: tuple[Rule, ...], staff: str, expires_days: int) -> None:
        if not staff:
            self.do(SetPolicy(maker=ADMINISTRATOR, rules=rules, expires_days=expires_days))
        elif self.pen.books.roles(staff, CITY):
            self.do(DismissStaff(maker=ADMINISTRATOR, staff=staff, org=CITY))
        else:
            self.do(EnrolStaff(maker=ADMINISTRATOR, staff=staff, org=CITY, roles=ROLES[staff]))
