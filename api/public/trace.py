"""The look-up: a receipt code in, where every fen of the gift is out. The code comes in the body and goes nowhere."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, Literal

from litestar import MediaType, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from pydantic import BeforeValidator, Field

from api.desk import Desk
from api.fields import Input
from api.problems import ProblemError, answered
from api.public import permalinks
from api.public.answers import FRESH, LOG_STATE, NO_STORE, AsOf, Named, Seq, Shape, shown
from ledger.account import MAX_POSITION
from ledger.privacy import FiscalNumbers
from ledger.store.queries.gifts import Traced
from ledger.store.queries.log import LogState
from ledger.store.queries.receipts import NEWEST
from ledger.trace import FiscalState, State, Trace


def _whole(value: object) -> object:
    """JSON does not tell 500.0 from 500 (JSON Schema, 4.2.3)."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WhichEntry = Annotated[
    int,
    Field(ge=NEWEST, le=MAX_POSITION, description="同一编号下更正前的某一条；-1 为最新的一条", examples=[NEWEST]),
    BeforeValidator(_whole),
]


class Lookup(Input):
    """收据上的编号。"""

    code: str = Field(
        description="收据编号，16 位。大小写、空格、横线、O 与 0、I/L 与 1 都不必区分", examples=["7K3M-9XQ2-F4HT-B8WY"]
    )
    seq: WhichEntry = NEWEST


class FiscalLookup(Input):
    """公益事业捐赠票据上的四项，缺一不可。"""

    code: str = Field(description="票据代码", examples=["33080126"])
    number: str = Field(description="票据号码", examples=["0000100002"])
    check_code: str = Field(description="校验码", examples=["demo01"])
    amount_fen: Annotated[int, BeforeValidator(_whole)] = Field(
        ge=0, le=MAX_POSITION, description="票据金额，单位：分", examples=[1_000_000]
    )


class Began(Named):
    """一个事件和它发生的日期。"""

    began: str = Field(description="发生日期（北京时间）", examples=["2026-06-20"])


class TracedGift(Shape):
    """一笔捐款。"""

    seq: int = Field(description="账本条目序号", examples=[12077])
    sha256: str = Field(description="条目字节的 SHA-256")
    on: str = Field(description="捐赠日期（北京时间）", examples=["2026-06-21"])
    organisation: Named = Field(description="接收捐款的组织")
    fund: Named = Field(description="捐给哪个基金")
    event: Named | None = Field(description="为哪个事件捐赠")
    campaign: Named | None = Field(description="属于哪项募捐活动")
    late: bool = Field(description="是否在该募捐活动期满之后到账")
    fiscal: FiscalState = Field(
        description="捐赠票据：none 未登记；issued 已开具；voided 已作废、尚未重开；"
        "anonymous 匿名捐赠、未开；declined 捐赠人放弃"
    )
    amount_fen: int = Field(description="金额，单位：分", examples=[50000])
    channel: str = Field(description="渠道", examples=["wechat"])
    donor_class: Literal["person", "organisation", "unknown"] = Field(description="捐赠人类型")
    batch: int | None = Field(description="随哪个导入批次（条目序号）")
    entering: bool = Field(description="该批次是否还在录入")
    currency: str = Field(description="原币种（ISO 4217）；人民币捐款为空", examples=["USD"])
    original: int = Field(description="原币金额，以其最小单位计；人民币捐款为 0")
    rate: str = Field(description="汇率：一单位原币折合人民币", examples=["7.1234"])
    donor_name: str = Field("", description="公示的捐赠人名称；没有同意公示的为空", examples=["张*"])
    corrects: int | None = Field(description="更正的是哪一条已撤销的记录")
    right_fen: int = Field(description="更正后的正确金额，单位：分；其中已随原记录流转的部分不再入账。不是更正则为 0")
    earlier_than: list[Began] = Field(
        description="这笔捐款早于哪些事件：它捐给长期接受捐款的基金，后来用于这些事件。一般为空"
    )


class Moved(Shape):
    """一条分录说了什么。没有的项目为空。"""

    seq: int = Field(description="账本条目序号")
    on: str = Field(description="业务日期（北京时间）")
    organisation: Named = Field(description="经办组织")
    other: Named | None = Field(description="转款的另一方组织")
    fund: Named | None = Field(description="基金")
    project: Named | None = Field(description="项目")
    entry_amount_fen: int = Field(description="该笔业务的总额，单位：分")
    decision: str = Field(description="集体决策文号")
    purpose: str = Field(description="用途")
    payee: str = Field(description="收款方；persons 表示受助群众")
    spending: str = Field(description="支出类型")
    region: str = Field(description="行政区划代码")
    beneficiaries: str = Field(description="受益人数；不足 5 人写作 1-4")
    evidence: list[str] = Field(description="凭证文件的 SHA-256")


class TracedLeaf(Moved):
    """这笔捐款的一部分现在在哪里。"""

    state: State = Field(
        description="held 已入账未分配；allocated 已分配未拨付；unconfirmed 已拨付、未全部签收；confirmed 已签收；"
        "refunded 已退回；fees 渠道手续费；lost 汇兑损失；in_transit 组织之间在途；voided 登记有误已作废"
    )
    amount_fen: int = Field(description="这笔捐款在其中的部分，单位：分")


class TracedStep(Moved):
    """这笔捐款经过的一件事。"""

    kind: str = Field(description="条目类型", examples=["money.disbursed"])
    amount_fen: int = Field(description="这笔捐款在其中的部分，单位：分；签收和反馈则为在所指付款中的部分")
    ref: int | None = Field(description="所指的条目")
    approvals: int = Field(description="复核人数")
    reason: str = Field(description="理由")
    outcome: str = Field(description="签收结果：ok 相符；short 短缺；damaged 损坏")
    text: str = Field(description="反馈内容")


class WrongGift(Shape):
    """同一笔捐款更正前的记录。"""

    gift: TracedGift
    reversal: TracedStep = Field(description="撤销这条记录的条目：reason 为原因，text 为更正说明")
    states: dict[State, int] = Field(description="各状态的金额，单位：分；voided 以外的已随这条记录流转")
    leaves: list[TracedLeaf] = Field(description="每一分钱现在在哪里")


class TraceAnswer(Shape):
    """一笔捐款的去向。leaves 的金额之和恒等于捐款金额。"""

    as_of: AsOf
    log_state: LogState = LOG_STATE
    gift: TracedGift
    states: dict[State, int] = Field(description="各状态的金额，单位：分；合计等于捐款金额")
    leaves: list[TracedLeaf] = Field(description="每一分钱现在在哪里")
    steps: list[TracedStep] = Field(description="经过，新的在前")
    corrections: list[WrongGift] = Field(description="更正前的各条记录，新的在前")
    corrected_by: int | None = Field(description="这一条已撤销，由哪一条更正")


_answered = partial(answered, TraceAnswer, "这笔捐款的去向")


@post(
    "/api/v1/trace",
    status_code=200,
    summary="凭收据编号查去向",
    tags=["查询"],
    responses=_answered(404, 413, 422, 503),
)
async def trace_by_code(
    data: JSONBody[Lookup], request: Request[Any, Any, Any], desk: NamedDependency[Desk]
) -> Response[bytes]:
    """编号不存在、输错或不成编号，答复都一样。"""
    traced = await desk.trace(request, data.code, data.seq)
    if traced.trace is None:
        raise ProblemError("receipt-not-found")
    answer = _written(traced, traced.trace)
    return Response(answer, media_type=MediaType.JSON, headers=NO_STORE)


@post(
    "/api/v1/trace/fiscal",
    status_code=200,
    summary="凭捐赠票据查去向",
    tags=["查询"],
    responses=_answered(404, 413, 422, 503),
)
async def trace_by_fiscal_receipt(
    data: JSONBody[FiscalLookup], request: Request[Any, Any, Any], desk: NamedDependency[Desk]
) -> Response[bytes]:
    """只给去向。票据不存在、有一项不符或已作废，答复都一样。"""
    numbers = FiscalNumbers(code=data.code, number=data.number, check_code=data.check_code)
    seq = await desk.look_up_fiscal(request, numbers, data.amount_fen)
    traced = None if seq is None else await desk.traces.of(seq)
    if traced is None or traced.trace is None:
        raise ProblemError("fiscal-receipt-not-found")
    answer = _written(traced, traced.trace)
    return Response(answer, media_type=MediaType.JSON, headers=NO_STORE)


@get(
    "/api/v1/entries/{seq:int}/trace",
    summary="一笔捐款的去向",
    tags=["账本"],
    responses=_answered(404, 422, 503),
)
async def trace_of_entry(seq: Seq, desk: NamedDependency[Desk]) -> Response[bytes]:
    """任何一笔捐款的每一分钱现在在哪里。"""
    traced = await desk.traces.of(seq)
    if traced.trace is None:
        raise ProblemError("not-found", "这一条不是捐款")
    answer = _written(traced, traced.trace)
    return Response(answer, media_type=MediaType.JSON, headers=FRESH)


@get(
    "/api/v1/entries/{seq:int}/trace.csv",
    summary="一笔捐款的去向（CSV）",
    tags=["账本"],
    responses=answered(str, "各部分，一行一处", 404, 422, 503, media_type=permalinks.CSV),
    exact_bytes=True,
)
async def trace_of_entry_csv(seq: Seq, desk: NamedDependency[Desk]) -> Response[bytes]:
    """与 trace 的 leaves 相同：各行之和恒等于捐款金额。行数与合计见 Sunledger-Rows、Sunledger-Sum-Fen 头和文件名。"""
    traced = await desk.traces.of(seq)
    if traced.trace is None:
        raise ProblemError("not-found", "这一条不是捐款")
    leaves = traced.trace.leaves
    rows: list[Sequence[object]] = [_COLUMNS]
    for leaf in leaves:
        places = (each.id if each else "" for each in (leaf.organisation, leaf.other, leaf.fund, leaf.project))
        said = (leaf.seq, leaf.on, *places, leaf.payee, leaf.purpose, leaf.entry_amount_fen, leaf.amount_fen)
        rows.append([leaf.state.value, *said])
    sum_fen = sum(leaf.amount_fen for leaf in leaves)
    headers = {**FRESH, **permalinks.attachment(f"gift-{seq}", traced.head.seq, len(leaves), sum_fen)}
    return permalinks.sheet(rows, headers)


_COLUMNS = (
    "state", "seq", "on", "org", "other_org", "fund", "project", "payee", "purpose", "entry_amount_fen", "amount_fen",
)  # fmt: skip


def _written(traced: Traced, trace: Trace) -> bytes:
    """A TraceAnswer as it is sent."""
    return permalinks.encode(
        {
            "as_of": shown(AsOf, traced.head),
            "log_state": traced.progress.state(trace.gift.seq),
            "gift": {**shown(TracedGift, trace.gift), "donor_name": traced.donor_name},
            "states": trace.states,
            "leaves": trace.leaves,  # field for field a TracedLeaf, as a test makes sure of
            "steps": trace.steps,
            "corrections": [shown(WrongGift, each) for each in traced.wrong],
            "corrected_by": traced.righted_by,
        }
    )
