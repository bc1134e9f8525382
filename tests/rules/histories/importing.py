"""Whole sheets come in: proposed and approved like anything else, entered row by row, completed or ended."""

from hashlib import sha256
from typing import Literal, TypeAlias, get_args

from hypothesis import strategies as st
from hypothesis.stateful import rule
from msgspec import structs

from ledger import periods
from ledger.approvals import ApproveProposal
from ledger.books import Import
from ledger.donations import AbandonImport, ApproveImport, CompleteImport
from ledger.entries import ImportApproved
from tests.rules.histories.choices import DAYS, amounts, funds, whichever
from tests.rules.histories.history import History
from tests.support.society import APPROVER, CITY, FINANCE, OTHER_FINANCE, gift

Step: TypeAlias = Literal["begin", "row", "too much", "again", "another's", "complete", "end"]
_ROW: Step = "row"
_STEPS: tuple[Step, ...] = (*get_args(Step), *[_ROW] * 8)
"""Mostly what is asked of somebody who enters a sheet."""


class Importing(History):
    """Sheets of a few gifts, several at once."""

    @rule(which=whichever, fund=funds, rows=st.integers(1, 4), qty=amounts, step=st.sampled_from(_STEPS))
    def go_on_with_a_sheet(self, which: int, fund: str, rows: int, qty: int, step: Step) -> None:
        """One is proposed, approved, or comes nearer to its end; or one is touched that has ended."""
        waiting = [number for number, each in self.pen.books.proposals.items() if each.command == "import.approved"]
        entering = sorted(self.pen.books.imports)
        if step == "begin" or not (waiting or entering):
            self.hand_in(fund, rows, rows * qty, is_early=which % 2 > 0)
        elif waiting:
            self.do(ApproveProposal(maker=APPROVER, proposal=waiting[0]))
        else:
            sheet = entering[which % len(entering)] if which % 4 else self.one("import.approved", which)
            self.go_on_entering(sheet, qty, which, step)

    def hand_in(self, fund: str, rows: int, sum_fen: int, *, is_early: bool) -> None:
        """A sheet was checked: gifts of today, or of all days that are not closed."""
        closed = self.pen.books.closed.get(CITY)
        first_on = periods.day_after(closed) if closed else DAYS[0]
        self.do(ApproveImport(
            maker=FINANCE, org=CITY, fund=fund, channel="bank", name="银行流水", profile="bank", file="f" * 64,
            rows=rows, sum_fen=sum_fen, first_on=first_on if is_early else self.pen.today, last_on=self.pen.today,
        ))  # fmt: skip

    def go_on_entering(self, sheet: int, qty: int, which: int, step: Step) -> None:
        """A row, of which the last brings what is left; when no row is left, the end."""
        entry = self.pen.entries[sheet]
        assert isinstance(entry.body, ImportApproved)
        batch = self.pen.books.imports.get(sheet) or Import(approved=entry.body, maker=entry.by.maker)
        approved = batch.approved
        rows, fen = approved.rows - batch.rows, approved.sum_fen - batch.sum_fen
        if step == "end":
            self.do(AbandonImport(maker=APPROVER, batch=sheet))
        elif step == "complete" or rows == 0:
            self.do(CompleteImport(maker=batch.maker, batch=sheet))
        else:
            amount_fen = (fen if rows == 1 else min(qty, fen - rows + 1)) + (fen if step == "too much" else 0)
            ref = sha256(b"%d" % which).hexdigest() if which % 3 else ""
            maker = OTHER_FINANCE if step == "another's" else batch.maker
            self.do(structs.replace(
                gift(amount_fen, approved.fund, ref=ref, maker=maker), batch=sheet,
                row=batch.last_row + (step != "again"), channel=approved.channel,
                on=approved.first_on if qty % 2 else approved.last_on,
            ))  # fmt: skip
