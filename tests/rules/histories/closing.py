"""Beginnings and ends: funds and projects are opened, emptied and closed; periods are closed."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from ledger import account, periods
from ledger.approvals import ApproveProposal
from ledger.endings import CloseFund, CloseProject
from ledger.organisations import OpenFund, OpenProject
from ledger.periods import ClosePeriod
from tests.rules.histories.choices import DAYS, EXTRA, whichever
from tests.rules.histories.history import History
from tests.support.model import TODAY
from tests.support.society import (
    ADMINISTRATOR,
    CITY,
    FINANCE,
    FUNDS,
    OTHER_ADMINISTRATOR,
    PROJECTS,
    allocation,
    payment,
    redirection,
)

_EVIDENCE = ("e" * 64,)


class Closing(History):
    """What begins and what ends."""

    @precondition(lambda self: self.closable())
    @rule(which=whichever)
    def close_period(self, which: int) -> None:
        before = self.pen.books.closed.get(CITY)
        first_on = periods.day_after(before) if before else DAYS[0]
        last_on = self.closable()[which % len(self.closable())]
        self.do(ClosePeriod(maker=FINANCE, org=CITY, first_on=first_on, last_on=last_on))

    @precondition(lambda self: self.pen.books.closed_funds or self.pen.books.closed_projects)
    @rule(name=st.sampled_from(EXTRA), is_fund=st.booleans())
    def open_another(self, name: str, *, is_fund: bool) -> None:
        if is_fund:
            self.do(OpenFund(maker=ADMINISTRATOR, org=CITY, fund=name, name=name))
        else:
            self.do(OpenProject(maker=ADMINISTRATOR, org=CITY, project=name, name=name))

    @rule(
        fund=st.sampled_from([*EXTRA[:2] * 3, *EXTRA, "general"]),
        successor=st.sampled_from(["", "", "general", "flood"]),
    )
    def wind_up_fund(self, fund: str, successor: str) -> None:
        """A step nearer to its end: what waits in it moves on, and when nothing is left two people close it."""
        closing = CloseFund(
            maker=ADMINISTRATOR, org=CITY, fund=fund, residue="moved" if successor else "none", basis="期满",
            successor=successor, evidence=_EVIDENCE if successor else (),
        )  # fmt: skip
        resting = self.units.resting(account.fund(CITY, fund))
        if resting and fund not in FUNDS:
            gift = resting[0].gift
            if self.pen.entries[gift].kind in {"money.received", "money.identified"}:
                self.do(redirection(gift, "general"))
            else:
                self.do(allocation(len(resting), fund, "anything", decision="红〔2026〕2号"))
        else:
            self._close(closing)

    @rule(project=st.sampled_from([*EXTRA[:2] * 3, *EXTRA, "relief"]), successor=st.sampled_from(["", "", "relief"]))
    def wind_up_project(self, project: str, successor: str) -> None:
        closing = CloseProject(
            maker=ADMINISTRATOR, org=CITY, project=project, residue="moved" if successor else "agreed", basis="期满",
            successor=successor, evidence=_EVIDENCE,
        )  # fmt: skip
        left = sum(len(self.units.resting(address)) for address in self.lines_of(closing))
        if left and project not in PROJECTS:
            self.do(payment(left, project))
        else:
            self._close(closing)

    def _close(self, closing: CloseFund | CloseProject) -> None:
        kind = "fund.closed" if isinstance(closing, CloseFund) else "project.closed"
        waiting = [number for number, each in self.pen.books.proposals.items() if each.command == kind]
        if waiting:
            self.do(ApproveProposal(maker=OTHER_ADMINISTRATOR, proposal=waiting[0]))
        else:
            self.do(closing)

    def closable(self) -> list[str]:
        """Days until which a period may be closed."""
        before = self.pen.books.closed.get(CITY, "")
        return [day for day in (*DAYS, TODAY) if before < day < self.pen.today]
