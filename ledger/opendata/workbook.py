"""A table as an Excel workbook (ISO/IEC 29500): the rows, and a sheet 说明 that says what they are."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, BinaryIO

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from ledger.opendata.table import Announced, Column, Kind, Row, Table

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ROWS = 1_048_575
"""Of one sheet, below its heading."""

_NEVER = "1980-01-01"
"""The log is empty; zip knows no earlier day."""

ABOUT = "说明"
RULE = (
    "以 _fen 结尾的列是整数，单位：分，没有误差，合计以它为准。紧随其后的 _yuan 列是同一金额除以 100，单位：元，"
    "显示两位小数，仅供阅读：表格软件用浮点数计算，元的合计可能有极小误差。"
)
_KINDS = {
    Kind.INTEGER: "整数",
    Kind.TEXT: "文字",
    Kind.TEXTS: "文字，以空格分开",
    Kind.DAY: "日期",
    Kind.FLAG: "是或否",
}


class WorkbookSheet:
    """Row by row through a file in `folder`, so that memory stays flat. The same rows make the same bytes.

    A double holds every whole number up to 2^53, so whole fen are exact; hundredths are not.
    """

    def __init__(self, file: BinaryIO, table: Table, announced: Announced, folder: str) -> None:
        options = {"constant_memory": True, "tmpdir": folder, "strings_to_formulas": False, "strings_to_urls": False}
        self._book = xlsxwriter.Workbook(file, options)
        made = datetime.fromisoformat(announced.at or _NEVER).replace(tzinfo=None)  # not when this file was made
        self._book.set_properties({"title": table.title, "created": made})
        self._table, self._announced = table, announced
        self._bold = self._book.add_format({"bold": True})
        self._day = self._book.add_format({"num_format": "yyyy-mm-dd"})
        self._yuan = self._book.add_format({"num_format": "#,##0.00"})
        self._count = 0
        self._sheet = self._book.add_worksheet(table.title)
        self._at = _places(table)
        self._head()

    def add(self, rows: Sequence[Row]) -> None:
        """Append rows."""
        for row in rows:
            self._count += 1
            for at, column, value in zip(self._at, self._table.columns, row, strict=True):
                if value is not None and value != "":
                    self._put(at, column, value)

    def close(self) -> None:
        """Write the explanations, and pack it all."""
        self._explain()
        self._book.close()

    def give_up(self) -> None:
        """Let go of the file that the rows were put aside in."""
        self._sheet.row_data_fh.close()

    def _head(self) -> None:
        self._sheet.freeze_panes(1, 0)
        last = self._at[-1] + self._table.columns[-1].is_money
        self._sheet.autofilter(0, 0, self._announced.rows, last)
        self._sheet.set_column(0, last, 14)
        for at, column in zip(self._at, self._table.columns, strict=True):
            self._sheet.write_string(0, at, column.name, self._bold)
            if column.is_money:
                self._sheet.write_string(0, at + 1, _in_yuan(column), self._bold)

    def _put(self, at: int, column: Column, value: Any) -> None:
        sheet, row = self._sheet, self._count
        match column.kind:
            case Kind.INTEGER:
                sheet.write_number(row, at, value)
                if column.is_money:
                    sheet.write_number(row, at + 1, value / 100, self._yuan)
            case Kind.TEXT:
                sheet.write_string(row, at, value)
            case Kind.TEXTS:
                if value:
                    sheet.write_string(row, at, " ".join(value))
            case Kind.DAY:
                sheet.write_datetime(row, at, value, self._day)
            case Kind.FLAG:
                sheet.write_boolean(row, at, value)

    def _explain(self) -> None:
        table, said = self._table, self._announced
        sheet = self._book.add_worksheet(ABOUT)
        sheet.set_column(0, 0, 24)
        sheet.set_column(1, 1, 80)
        lines: list[tuple[str, str | int]] = [
            ("表", table.title),
            ("数据截至账本第几条", said.seq),
            ("该条的记账时刻（UTC）", said.at),
            ("永久地址", said.address),
            ("许可", said.licence),
            ("公布的行数", said.rows),
        ]
        if said.sum_fen is not None:
            lines.append((f"公布的合计 {table.amount}（分）", said.sum_fen))
        for i, (name, value) in enumerate(lines):
            sheet.write_string(i, 0, name, self._bold)
            sheet.write(i, 1, value)
        i = len(lines)
        if table.amount_at is not None:
            amount = xl_col_to_name(self._at[table.amount_at])
            total = f"=SUM('{table.title}'!{amount}2:{amount}{max(2, said.rows + 1)})"
            sheet.write_string(i, 0, "本表自己加出的合计（分）", self._bold)
            sheet.write_formula(i, 1, total, None, said.sum_fen)
            i += 1
        sheet.write_string(i, 0, "金额", self._bold)
        sheet.write_string(i, 1, RULE)
        for j, column in enumerate(table.columns, i + 2):
            sheet.write_string(j, 0, column.name, self._bold)
            sheet.write_string(j, 1, f"{column.meaning}（{_KINDS[column.kind]}）")


def _places(table: Table) -> list[int]:
    """Where each column stands; behind one of money stands the same in yuan."""
    found, at = [], 0
    for column in table.columns:
        found.append(at)
        at += 2 if column.is_money else 1
    return found


def _in_yuan(column: Column) -> str:
    return column.name.removesuffix("_fen") + "_yuan"
