"""What several public answers share: as of which entry, figures that add up, how long an answer may be kept."""

from collections.abc import Callable, Mapping
from functools import cache, partial
from operator import attrgetter
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from litestar.params import PathParameter, QueryParameter
from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

from api.fields import example
from ledger import account
from ledger.account import MAX_POSITION

FRESH = {"Cache-Control": "public, max-age=10"}
"""The ledger grows all the time; every answer says as of which entry it is."""
IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}
NO_STORE = {"Cache-Control": "no-store"}

MAX_PAGE = 100

LOG_STATE: Any = Field(
    description="这一条在账本里的状态：sequenced 已入账；integrated 已并入默克尔树；published 已签名公布，可以证明"
)
"""Of a field of type LogState."""

Seq = Annotated[int, PathParameter(description="账本条目序号", ge=0, le=MAX_POSITION, examples=example(27))]
OrgId = Annotated[str, PathParameter(description="组织编号", examples=example("330800"))]
FundId = Annotated[str, PathParameter(description="基金编号", examples=example("flood"))]
ProjectId = Annotated[str, PathParameter(description="项目编号", examples=example("flood-aid"))]
Limit = Annotated[int, QueryParameter(description="每页最多几项", ge=1, le=MAX_PAGE, examples=example(10))]
OrgFilter = Annotated[
    str, QueryParameter(description="只看这个组织", pattern=r"^([a-z0-9-]{1,32})?$", examples=example("330800"))
]
After = Annotated[
    str,
    QueryParameter(
        description="从哪一项之后开始：上一页的 next", pattern=r"^[a-z0-9:-]{0,65}$", examples=example("330800")
    ),
]
Before = Annotated[int, QueryParameter(description="上一页的 next", ge=0, le=MAX_POSITION, examples=example(136))]


class Shape(BaseModel):
    """Made from what the ledger found, under the same names."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


def shown(shape: type[Shape], found: Any) -> dict[str, Any]:
    """What the shape names of what was found, for msgspec to write.

    What `shape.model_validate(found)` would answer, in a tenth of the time, since the types are known to hold; a test
    compares the two.
    """
    return {name: take(read(found)) for name, (read, take) in _taken(shape).items()}


@cache
def _taken(shape: type[Shape]) -> Mapping[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]]:
    return {name: (_reading(name, field), _taking(field.annotation)) for name, field in shape.model_fields.items()}


def _reading(name: str, field: FieldInfo) -> Callable[[Any], Any]:
    if field.is_required():
        return attrgetter(name)
    return lambda found: getattr(found, name, field.default)


def _taking(annotation: Any) -> Callable[[Any], Any]:
    if isinstance(annotation, type) and issubclass(annotation, Shape):
        return partial(shown, annotation)
    inside = [_taking(each) for each in get_args(annotation) if each is not NoneType]
    if not inside or all(take is _as_it_is for take in inside):
        return _as_it_is
    (take,) = inside
    if get_origin(annotation) is list:
        return lambda found: [take(each) for each in found]
    return lambda found: None if found is None else take(found)


def _as_it_is(found: Any) -> Any:
    return found


class AsOf(Shape):
    """数据截至账本的哪一条。"""

    seq: int = Field(description="最后一条的序号；-1 表示账本还是空的", examples=[18423])
    at: str = Field(description="最后一条的记账时刻（UTC）", examples=["2026-11-21T08:00:00.123Z"])


class Named(Shape):
    """编号和名称。"""

    id: str = Field(description="编号")
    name: str = Field(description="名称")


class Figures(Shape):
    """收到的钱现在在哪里。单位：分。各数永远相符，不符则不答复。待查款不在其中。"""

    gift_count: int = Field(description="捐款笔数")
    received_fen: int = Field(description="收到捐款")
    income_fen: int = Field(description="其他收入（利息、财政、彩票公益金、会费、上级拨款），不是捐款")
    moved_in_fen: int = Field(description="从其他组织或其他基金转入")
    held_fen: int = Field(description="已入账未分配")
    allocated_fen: int = Field(description="已分配未拨付")
    paid_fen: int = Field(description="已拨付（含已签收）")
    refunded_fen: int = Field(description="已退回")
    fees_fen: int = Field(description="渠道手续费")
    lost_fen: int = Field(description="汇兑损失")
    moved_out_fen: int = Field(description="转给其他组织（含在途），或经捐赠人同意转到其他基金")
    voided_fen: int = Field(description="更正作废：登记有误而收回的捐款，计在收回时所在的组织和基金")
    equation: Literal[
        "received + income + moved_in = held + allocated + paid + refunded + fees + lost + moved_out + voided"
    ] = Field(
        "received + income + moved_in = held + allocated + paid + refunded + fees + lost + moved_out + voided",
        description="各数的关系",
    )


class ProjectFigures(Shape):
    """分配到项目的钱现在在哪里。单位：分。各数永远相符，不符则不答复。"""

    total_allocated_fen: int = Field(description="累计分配")
    came_late_fen: int = Field(description="承接的迟到退款：本项目承接的已关闭项目，其收款方后来退回的款项")
    allocated_fen: int = Field(description="已分配未拨付")
    paid_fen: int = Field(description="已拨付（含已签收）")
    released_fen: int = Field(description="退回原基金")
    refunded_fen: int = Field(description="退回捐赠人")
    redirected_fen: int = Field(description="经捐赠人同意改变用途")
    voided_fen: int = Field(description="更正作废")
    went_late_fen: int = Field(description="迟到退款转给承接者：本项目关闭后，收款方退回的款项")
    equation: Literal[
        "total_allocated + came_late = allocated + paid + released + refunded + redirected + voided + went_late"
    ] = Field(
        "total_allocated + came_late = allocated + paid + released + refunded + redirected + voided + went_late",
        description="各数的关系",
    )


def are_ids(*texts: str) -> bool:
    """Whether these can name anything; what cannot is not asked of the database."""
    return all(map(account.is_id, texts))


def cursor(after: str) -> tuple[str, str]:
    """The two ids of a cursor; empty ones come before all others."""
    org, _, its = after.partition(":")
    return org, its
