"""How one kind of sheet is laid out: what each heading means, what one of the amount is worth, where totals stand."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from ledger.entries import DonorClass
from ledger.imports.amount import Unit
from ledger.imports.cell import folded


class Field(StrEnum):
    """What a column can mean."""

    SEQ_NO = "seq_no"
    DONATED_ON = "donated_on"
    DONOR_NAME = "donor_name"
    DONOR_KIND = "donor_kind"
    AMOUNT = "amount"
    TRANSACTION_NO = "transaction_no"
    REMARK = "remark"
    NOTICE = "notice"
    ROW_NO = "row_no"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One layout.

    The headings decide. A row belongs to the batch its `notice` column names; a sheet without one is a single batch,
    called `batch` or after the file. A row's channel reference is its transaction number where the sheet has that
    column, else its place: notice # row_no or, where no column gives it, the file's content # the physical line: the
    same file is the same gifts whatever it is called, and other files are not. `dataclasses.replace` fits a built-in
    profile to one sheet: `batch`, `on`, `window`.
    """

    name: str
    channel: str
    """The channel these gifts came by, as the ledger names it."""
    aliases: Mapping[str, Field]
    """Heading, as `cell.folded` writes it → what the column means. Other columns are not looked at."""
    required: frozenset[Field] = frozenset({Field.AMOUNT, Field.DONATED_ON})
    unit: Unit = Unit.YUAN
    """Of the amounts, unless the heading itself says 万元."""
    donor_classes: Mapping[str, DonorClass] = field(default_factory=dict)
    """What the donor_kind column says → the ledger's word; anything else is `unknown`."""
    footers: tuple[re.Pattern[str], ...] = ()
    """The cells of a line, folded and joined by |: one of these matches a line of printed totals, with the
    groups `count` and `sum`; without a `sum` the amount column is read."""
    window: tuple[str, str] | None = None
    """First and last day to be expected; a day outside is reported, not refused: wrong years are common."""
    batch: str = ""
    on: str = ""
    """The day of every row, for a sheet without a date column."""

    def fingerprint(self, path: Path) -> str:
        """What two readings of a file must share for rows, batches and references to come out the same."""
        return "\n".join((self.name, self.batch or path.name, self.on, self.unit.name))


def _aliases(**headings: str) -> dict[str, Field]:
    return {folded(alias): Field(meaning) for meaning, listed in headings.items() for alias in listed.split("|")}


_SUM = r"(?P<sum>[\d.,]+(?:万元|万|元)?)"
# The first cell that is not empty must say it: a remark "共计30人" beside a gift makes no footer.
_TOTAL = re.compile(rf"\|*(?:合计|总计)(?:\(?(?:万?元)\)?)?:?{_SUM}?(?:\||$)")
_COUNT_AND_SUM = re.compile(rf"\|*(?:共计|合计|总计):?\|?(?P<count>\d+)(?:人次|人|笔)(?:.*?金额:?\|*{_SUM})?")

_DONOR_WORDS: dict[str, DonorClass] = {
    "person": "person",
    "organisation": "organisation",
    "个人": "person",
    "单位": "organisation",
    "企业": "organisation",
    "组织": "organisation",
}

PROFILES: Mapping[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(
            name="hubei-2020",  # the notices of the Hubei Red Cross, put into one table
            channel="bank",
            aliases=_aliases(
                notice="source_file",
                row_no="source_row",
                seq_no="seq_no",
                donated_on="donated_on",
                donor_kind="donor_kind",
                donor_name="donor_public",
                amount="amount_cny",
                remark="remark",
            ),
            required=frozenset({Field.NOTICE, Field.ROW_NO, Field.DONATED_ON, Field.DONOR_NAME, Field.AMOUNT}),
            donor_classes=_DONOR_WORDS,
            window=("2020-01-22", "2020-02-07"),
        ),
        Profile(
            name="wuhan-qr-2020",  # gifts by QR code and card reader, published by transaction number only
            channel="qr",
            aliases=_aliases(donated_on="day", transaction_no="transaction_no", amount="amount_cny"),
            required=frozenset({Field.DONATED_ON, Field.TRANSACTION_NO, Field.AMOUNT}),
            window=("2020-01-24", "2020-02-17"),
        ),
        Profile(
            name="notice",  # any notice with the headings that are in use
            channel="bank",
            aliases=_aliases(
                seq_no="序号|编号",
                donated_on="捐赠日期|日期|时间|到账日期|捐款日期",
                donor_name="捐赠(单位/姓名)|捐赠(单位/姓名)个人|捐赠人|捐赠单位(个人)|捐赠单位及个人|捐赠单位|捐赠方|姓名|姓名(姓氏隐去)",
                donor_kind="捐赠人类型",
                amount="捐赠金额(元)|捐赠金额|捐赠金额(万元)|金额|金额(元)|金额(万元)|捐赠额(单位:元)|捐赠额(单位:万元)|捐款金额(元)|交易金额",
                transaction_no="交易单号|银行流水号",
                remark="备注",
            ),
            donor_classes=_DONOR_WORDS,
            footers=(_COUNT_AND_SUM, _TOTAL),
        ),
    )
}


def fitted(profile: str, sheet: str) -> Profile:
    """A built-in profile for one sheet, which is its only batch unless its rows name theirs."""
    found = PROFILES[profile]
    return replace(found, batch=found.batch or sheet)
