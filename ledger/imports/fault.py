"""What can be wrong with a row, and what can be wrong with a whole sheet. Each says so in Chinese and in English."""

from enum import StrEnum
from typing import Self

from ledger.refusals import Refused


class _Told(StrEnum):
    """A code that says in both languages what it means."""

    zh: str
    en: str

    def __new__(cls, code: str, zh: str, en: str) -> Self:
        told = str.__new__(cls, code)
        told._value_ = code
        told.zh = zh
        told.en = en
        return told


class Reason(_Told):
    """Why one row is not accepted. The rest of the sheet goes on."""

    UNDECODABLE = "undecodable", "含有无法识别的字符", "holds bytes that are no text in the sheet's encoding"
    QUOTING = "quoting", "引号不成对", "a quotation mark stands where none may"
    TOO_LONG = "too_long", "内容过长", "is too long"
    CELL_COUNT = "cell_count", "列数与表头不符", "has more or fewer cells than the heading"
    NOTICE_MISSING = "notice_missing", "没有公示批次", "does not say which notice it belongs to"
    AMOUNT_MISSING = "amount_missing", "没有金额", "has no amount"
    AMOUNT_UNREADABLE = "amount_unreadable", "金额不是数字", "the amount is not a plain number"
    AMOUNT_NEGATIVE = "amount_negative", "金额为负", "the amount is negative"
    AMOUNT_ZERO = "amount_zero", "金额为零", "the amount is zero"
    AMOUNT_BELOW_FEN = "amount_below_fen", "金额细于一分", "the amount is not a whole number of fen"
    AMOUNT_TOO_LARGE = "amount_too_large", "金额超出上限", "the amount is above 2^53-1 fen"
    DATE_MISSING = "date_missing", "没有日期", "has no date"
    DATE_UNREADABLE = "date_unreadable", "日期无法识别", "the date is in no known form, or no day of the calendar"
    DATE_AHEAD = "date_ahead", "日期晚于今天（北京时间）", "the date lies after today, Beijing's date"
    REFERENCE_MISSING = "reference_missing", "没有交易单号", "has no transaction number"
    REFERENCE_MANGLED = (
        "reference_mangled",
        "交易单号被改成了科学计数法",
        "Excel has rounded the number; export it as text",
    )
    FOOTER_UNREADABLE = "footer_unreadable", "合计行的金额无法识别", "a line of totals whose total cannot be read"
    AGREEMENT_REQUIRED = (
        "agreement_required",
        "达到须有书面协议的额度，请附协议逐笔登记",
        "needs a written agreement: enter it by itself, with that",
    )
    DUPLICATE = "duplicate", "与本表前面的一行编号相同", "an earlier row of this sheet has the same reference"
    ALREADY_ENTERED = "already_entered", "账本中已有这笔捐赠", "the ledger already holds a gift with this reference"


class Fault(_Told):
    """Why a whole sheet cannot be read. Nothing of it may be proposed."""

    EMPTY = "empty", "文件是空的", "the file is empty"
    NOT_CSV = (
        "not_csv",
        "不是 CSV 文件，请在 Excel 中另存为“CSV UTF-8”",
        'not a CSV file: in Excel, save as "CSV UTF-8"',
    )
    GZIP_BROKEN = "gzip_broken", "压缩文件不完整或已损坏", "the gzip file is cut short or damaged"
    HEADING_MISSING = "heading_missing", "找不到必需的表头", "a required heading was not found"
    HEADING_TWICE = "heading_twice", "同一含义的表头出现两次", "two headings mean the same thing"
    QUOTE_OPEN = "quote_open", "引号没有结束", "a quotation mark opens a cell and is not closed on its line or after it"
    LINE_TOO_LONG = "line_too_long", "有一行过长", "a line is too long"
    TOO_MANY_ROWS = "too_many_rows", "行数超出上限", "the sheet has too many rows"
    TOO_MANY_BATCHES = "too_many_batches", "批次过多，可能选错了列", "too many batches: perhaps the wrong column"
    TOTALS_UNREADABLE = "totals_unreadable", "合计文件无法识别", "the file of printed totals cannot be read"
    CHANGED = "changed", "文件在核对之后被改动", "the file is not the one that was checked"
    UNCHECKED = "unchecked", "文件尚未核对完毕", "the sheet has not been checked to its end"


class Unreadable(Refused):
    """A sheet that cannot be read. `line` is where this was noticed (0: nowhere in particular); no cell is quoted."""

    slug = "sheet-unreadable"
    title = "表格无法读取"
    title_en = "The sheet cannot be read"
    advice = "请按说明改正文件后重新上传；账本没有任何变化。"
    advice_en = "Mend the file as it says and send it again; nothing has changed."

    def __init__(self, fault: Fault, *, line: int = 0, detail: str = "") -> None:
        where = f"line {line}: " if line else ""
        said = where + fault.en + (f" ({detail})" if detail else "")
        super().__init__(said, fault=fault.value, fault_zh=fault.zh, line=line)
        self.fault = fault
        self.line = line


class RowError(Exception):
    """One row that is refused; caught by the sheet, which knows the row's number. `detail` quotes no cell."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(reason.en)
