"""What holds of imports: what was approved is entered, once, and nothing after the end."""

from hypothesis.stateful import invariant

from ledger import entries
from ledger.entries import Entry, ImportApproved, MoneyReceived
from tests.rules.histories.history import History


class OnImports(History):
    """Checked after every command."""

    @invariant()
    def imports_are_entered_as_approved_and_not_after_their_end(self) -> None:
        entering: dict[int, list[Entry]] = {}
        for entry in self.pen.entries:
            match entry.body:
                case ImportApproved():
                    entering[entry.seq] = []
                case MoneyReceived(batch=batch) if batch:
                    assert batch in entering, "before its approval, or after its end"
                    _check_row(entry, entering[batch], self.pen.entries[batch])
                    entering[batch].append(entry)
                case entries.ImportCompleted(batch=batch) as end:
                    rows, approved = entering.pop(batch), self.pen.entries[batch].body
                    assert isinstance(approved, ImportApproved)
                    assert (end.org, end.rows, end.sum_fen) == (approved.org, len(rows), _sum_of(rows))
                    assert end.rows + end.rejected == approved.rows
                    assert end.sum_fen + end.rejected_fen == approved.sum_fen
                    assert (end.rejected == 0) is (end.rejected_fen == 0)
                case _:
                    pass
        counted = {number: (each.rows, each.sum_fen) for number, each in self.pen.books.imports.items()}
        assert {number: (len(rows), _sum_of(rows)) for number, rows in entering.items()} == counted

    @invariant()
    def neither_fund_nor_period_is_closed_while_its_rows_are_being_entered(self) -> None:
        for entry in self.new:
            for entering in self.before["imports"].values():
                approved = entering.approved
                match entry.body:
                    case entries.FundClosed(org=org, fund=fund):
                        assert (approved.org, approved.fund) != (org, fund)
                    case entries.PeriodClosed(org=org, last_on=last_on):
                        assert approved.org != org or approved.first_on > last_on
                    case _:
                        pass


def _check_row(entry: Entry, before: list[Entry], approval: Entry) -> None:
    row, approved = entry.body, approval.body
    assert isinstance(row, MoneyReceived)
    assert isinstance(approved, ImportApproved)
    assert entry.by.maker == approval.by.maker
    assert approval.by.checkers
    assert row.row > max((getattr(each.body, "row", 0) for each in before), default=0), "entered twice, or out of order"
    said = (entries.org_of(entry), row.fund, row.channel, row.event)
    assert said == (approved.org, approved.fund, approved.channel, approved.event)
    assert approved.first_on <= row.on <= approved.last_on
    assert not row.corrects
    assert len(before) < approved.rows
    assert _sum_of([*before, entry]) <= approved.sum_fen


def _sum_of(rows: list[Entry]) -> int:
    return sum(map(entries.qty_of, rows))
