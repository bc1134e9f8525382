"""Balances as of any entry and day, trial balances, closed periods."""

from datetime import date
from typing import Annotated, Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from pydantic import Field

from api.fields import example
from api.problems import ProblemError, described
from api.public.answers import FRESH, AsOf, OrgId, Shape, are_ids
from api.public.asking import Entry, Since, Until
from api.public.permalinks import NOW
from ledger import account, entries
from ledger.store.database import Database
from ledger.store.queries.balances import Balance, of_fund, of_project, read_balances, read_periods
from ledger.store.queries.entries import read_written
from ledger.store.queries.head import Head, read_head


class AccountBalance(Shape):
    """一个账户。来源账户没有余额：期末为负，是它给出的总额。"""

    address: str = Field(description="账户", examples=["fund:330800:general"])
    unit: str = Field(description="单位：CNY 为分")
    opening: int = Field(description="期初")
    credited: int = Field(description="本期转入")
    consumed: int = Field(description="本期转出")
    closing: int = Field(description="期末 = 期初 + 转入 − 转出")


class BalanceAnswer(Shape):
    """一个账户，截至某一条、某一天。"""

    as_of: AsOf
    balance: AccountBalance


class TrialBalance(Shape):
    """试算平衡表：范围内有过变动的全部账户。"""

    as_of: AsOf
    org: str = Field(description="组织编号")
    first_on: date | None = Field(description="期初日期")
    last_on: date | None = Field(description="期末日期")
    credited: int = Field(description="本期转入合计")
    consumed: int = Field(description="本期转出合计")
    items: list[AccountBalance] = Field(description="各账户，按地址排列")


class ClosedPeriod(Shape):
    """已结账的期间。"""

    seq: int = Field(description="结账条目的序号")
    first_on: date = Field(description="首日")
    last_on: date = Field(description="末日")
    root: str = Field(description="试算平衡表的 SHA-256")


class PeriodList(Shape):
    """一个组织已结账的期间，新的在前。"""

    as_of: AsOf
    items: list[ClosedPeriod] = Field(description="各期间")


@get("/api/v1/balances", summary="账户余额", tags=["收支"], responses=described(404, 422, 503))
async def get_balance(
    database: NamedDependency[Database],
    address: Annotated[str, QueryParameter(description="账户", max_length=160, examples=example("fund:330800:flood"))],
    as_of: Entry = NOW,
    first_on: Since = None,
    last_on: Until = None,
) -> Response[BalanceAnswer]:
    """任一账户，截至账本的任一条、任一业务日期。"""
    try:
        org = account.parse(address).org
    except ValueError:
        raise ProblemError("not-found", "没有这样的账户") from None
    head, found = await _read(database, org, as_of, first_on, last_on)
    for each in found:
        if each.address == address:
            return Response(BalanceAnswer(as_of=_as_of(head), balance=_shown(each)), headers=FRESH)
    raise ProblemError("not-found", "这个账户还没有变动")


@get(
    "/api/v1/organisations/{org:str}/trial-balance", summary="试算平衡表", tags=["收支"], responses=described(404, 503)
)
async def get_trial_balance(  # noqa: PLR0913, PLR0917  each narrows it
    org: OrgId,
    database: NamedDependency[Database],
    fund: Annotated[str, QueryParameter(description="只看这个基金", examples=example("flood"))] = "",
    project: Annotated[str, QueryParameter(description="只看这个项目", examples=example("flood-aid"))] = "",
    as_of: Entry = NOW,
    first_on: Since = None,
    last_on: Until = None,
) -> Response[TrialBalance]:
    """一个组织（或其一个基金、一个项目）的全部账户：期初、转入、转出、期末。"""
    if not are_ids(org, *filter(None, (fund, project))):
        raise ProblemError("not-found")
    head, found = await _read(database, org, as_of, first_on, last_on)
    shown = [each for each in found if (not fund or of_fund(each, fund)) and (not project or of_project(each, project))]
    answer = TrialBalance(
        as_of=_as_of(head),
        org=org,
        first_on=first_on,
        last_on=last_on,
        credited=sum(each.credited for each in shown),
        consumed=sum(each.consumed for each in shown),
        items=[_shown(each) for each in shown],
    )
    return Response(answer, headers=FRESH)


@get("/api/v1/organisations/{org:str}/periods", summary="结账", tags=["收支"], responses=described(404, 503))
async def list_periods(org: OrgId, database: NamedDependency[Database]) -> Response[PeriodList]:
    """已结账的期间；结账后不再有业务记入其中。"""
    if not are_ids(org):
        raise ProblemError("not-found")
    async with database.snapshot() as connection:
        head = await read_head(connection)
        found = await read_periods(connection, org)
    items = [ClosedPeriod.model_validate(each) for each in found]
    return Response(PeriodList(as_of=_as_of(head), items=items), headers=FRESH)


async def _read(
    database: Database, org: str, as_of: int, first_on: date | None, last_on: date | None
) -> tuple[Head, list[Balance]]:
    async with database.snapshot() as connection:
        head = await read_head(connection)
        if as_of > head.seq:
            raise ProblemError("not-found", "账本还没有这一条")
        before = None if as_of in {-1, head.seq} else as_of
        if before is not None:
            written = await read_written(connection, before)
            assert written is not None, "entries have no gaps"
            head = Head(before, entries.decode(written).at, head.operator)
        found = await read_balances(
            connection, org, first_on=first_on or date.min, last_on=last_on or date.max, as_of=before
        )
    return head, found


def _as_of(head: Head) -> AsOf:
    return AsOf.model_validate(head)


def _shown(balance: Balance) -> AccountBalance:
    return AccountBalance.model_validate(balance)


HANDLERS: list[Any] = [get_balance, get_trial_balance, list_periods]
