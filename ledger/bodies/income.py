"""Income that is not a donation."""

from typing import Literal

from ledger.account import Whole
from ledger.bodies.body import Body

IncomeKind = Literal["dues", "exchange", "government", "interest", "lottery", "upper"]


class IncomeReceived(Body, frozen=True):
    """Money that nobody donated: interest, government 财政, lottery 彩票公益金, dues 会费, upper level 上级拨款."""

    fund: str
    on: str
    source: IncomeKind
    ref: str = ""
    note: str = ""
    corrects: Whole = 0
    right_fen: Whole = 0
