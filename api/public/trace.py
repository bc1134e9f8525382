"""The look-up: a receipt code in, where every fen of the gift is out. The code comes in the body and goes nowhere."""

from typing import Any, Literal

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from pydantic import Field

from api.fields import Input
from api.limits import Limits
from api.problems import ProblemError, described
from api.public.answers import FRESH, LOG_STATE, NO_STORE, AsOf, Named, Seq, Shape
from ledger.store.queries.gifts import Traces
from ledger.store.queries.log import LogState
from ledger.store.queries.receipts import Receipts
from ledger.trace import State


class Lookup(Input):
    """收据上的编号。"""

    code: str = Field(
        description="收据编号，16 位。大小写、空格、横线、O 与 0、I/L 与 1 都不必区分", examples=["7K3M-9XQ2-F4HT-B8WY"]
    )


class TracedGift(Shape):
    """一笔捐款。"""

    seq: int = Field(description="账本条目序号", examples=[12077])
    sha256: str = Field(description="条目字节的 SHA-256")
    on: str = Field(description="捐赠日期（北京时间）", examples=["2026-06-21"])
    organisation: Named = Field(description="接收捐款的组织")
    fund: Named = Field(description="捐给哪个基金")
    event: Named | None = Field(description="为哪个事件捐赠")
    amount_fen: int = Field(description="金额，单位：分", examples=[50000])
    channel: str = Field(description="渠道", examples=["wechat"])
    donor_class: Literal["person", "organisation", "unknown"] = Field(description="捐赠人类型")
    batch: int | None = Field(description="随哪个导入批次（条目序号）")
    entering: bool = Field(description="该批次是否还在录入")
    currency: str = Field(description="原币种（ISO 4217）；人民币捐款为空", examples=["USD"])
    original: int = Field(description="原币金额，以其最小单位计；人民币捐款为 0")
    rate: str = Field(description="汇率：一单位原币折合人民币", examples=["7.1234"])


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
        description="held 已入账未分配；allocated 已分配未使用；paid 已拨付；confirmed 已签收；"
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


class TraceAnswer(Shape):
    """一笔捐款的去向。leaves 的金额之和恒等于捐款金额。"""

    as_of: AsOf
    log_state: LogState = LOG_STATE
    gift: TracedGift
    states: dict[State, int] = Field(description="各状态的金额，单位：分；合计等于捐款金额")
    leaves: list[TracedLeaf] = Field(description="每一分钱现在在哪里")
    steps: list[TracedStep] = Field(description="经过，新的在前")


@post(
    "/api/v1/trace",
    status_code=200,
    summary="凭收据编号查去向",
    tags=["查询"],
    responses=described(404, 413, 422, 503),
)
async def trace_by_code(
    data: JSONBody[Lookup],
    request: Request[Any, Any, Any],
    receipts: NamedDependency[Receipts],
    traces: NamedDependency[Traces],
    limits: NamedDependency[Limits],
) -> Response[TraceAnswer]:
    """编号不存在、输错或不成编号，答复都一样。"""
    seq = await limits.look_up(request, data.code, receipts.find)
    answer = None if seq is None else await _traced(traces, seq)
    if answer is None:
        raise ProblemError("receipt-not-found")
    return Response(answer, headers=NO_STORE)


@get("/api/v1/entries/{seq:int}/trace", summary="一笔捐款的去向", tags=["账本"], responses=described(404, 422, 503))
async def trace_of_entry(seq: Seq, traces: NamedDependency[Traces]) -> Response[TraceAnswer]:
    """任何一笔捐款的每一分钱现在在哪里。"""
    answer = await _traced(traces, seq)
    if answer is None:
        raise ProblemError("not-found", "这一条不是捐款")
    return Response(answer, headers=FRESH)


async def _traced(traces: Traces, seq: int) -> TraceAnswer | None:
    head, progress, trace = await traces.of(seq)
    if trace is None:
        return None
    return TraceAnswer(
        as_of=AsOf.model_validate(head),
        log_state=progress.state(seq),
        gift=TracedGift.model_validate(trace.gift),
        states=dict(trace.states),
        leaves=[TracedLeaf.model_validate(leaf) for leaf in trace.leaves],
        steps=[TracedStep.model_validate(step) for step in trace.steps],
    )
