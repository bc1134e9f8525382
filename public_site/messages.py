"""What Python says on pages, in plain Chinese. Amounts and times get their one form here, at the edge."""

from datetime import datetime

from ledger import entries
from ledger.disbursements import PERSONS
from ledger.trace import Leaf, State, Step, Trace

STATES = {
    State.CONFIRMED: "已签收",
    State.PAID: "已拨付",
    State.REFUNDED: "已退回",
    State.ALLOCATED: "已分配，尚未拨付",
    State.HELD: "已入账，尚未分配",
}

CHANNELS = {
    "alipay": "支付宝",
    "bank": "银行转账",
    "cash": "现金",
    "pos": "刷卡",
    "post": "邮政汇款",
    "qr": "扫码或刷卡",
    "unionpay": "云闪付",
    "wechat": "微信支付",
}

_CONFIRMED = {"ok": "受助方已签收", "short": "受助方反映数额不足", "damaged": "受助方反映有问题"}


def yuan(fen: int) -> str:
    """¥1,234.56."""
    return f"¥{_digits(fen)}"


def spoken(fen: int) -> str:
    """500 元, 312.50 元: an amount inside a sentence."""
    return f"{_digits(fen).removesuffix('.00')} 元"


def moment(at: str) -> str:
    """2026-11-21 16:00, in Beijing."""
    return f"{(entries.moment(at) + entries.BEIJING):%Y-%m-%d %H:%M}"


def clock(time: datetime) -> str:
    """2026-11-21 16:00, in Beijing."""
    return f"{(time + entries.BEIJING):%Y-%m-%d %H:%M}"


def channel(name: str) -> str:
    """A channel by its usual name."""
    return CHANNELS.get(name, name)


def payee(name: str) -> str:
    """Who was paid."""
    return "受助群众" if name == PERSONS else name


def persons(beneficiaries: str) -> str:
    """1-4 is how a ledger that protects people writes a small number."""
    return f"{beneficiaries.replace('-', '–')} 人"


def headline(trace: Trace) -> str:
    """The answer, in one sentence."""
    gift, states = trace.gift.amount_fen, trace.states
    spent = states[State.CONFIRMED] + states[State.PAID]
    its = f"您的 {spoken(gift)}"
    if spent == gift:
        return f"{its}，已全部拨付，并由受助方签收" if states[State.CONFIRMED] == gift else f"{its}，已全部拨付使用"
    if spent:
        return f"{its}，已有 {spoken(spent)}拨付使用"
    if states[State.REFUNDED] == gift:
        return f"{its}，已全部退回"
    if states[State.ALLOCATED]:
        part = "已全部" if states[State.ALLOCATED] == gift else f"已有 {spoken(states[State.ALLOCATED])}"
        return f"{its}，{part}分配到项目，等待拨付"
    return f"{its}已经入账，等待分配"


def remainder(trace: Trace) -> str:
    """What the headline leaves open: each other part of the gift in its own words."""
    gift, states = trace.gift.amount_fen, trace.states
    spent = states[State.CONFIRMED] + states[State.PAID]
    said = [
        (states[State.CONFIRMED], "已由受助方签收", states[State.CONFIRMED] != gift),
        (states[State.ALLOCATED], "已分配到项目，尚未拨付", spent > 0),
        (states[State.HELD], "留在基金里，尚未分配", states[State.HELD] != gift),
        (states[State.REFUNDED], "已退回", states[State.REFUNDED] != gift),
    ]
    parts = [f"{spoken(fen)}{what}" for fen, what, new in said if fen and new]
    return f"其中 {'，'.join(parts)}。" if parts else ""


def place(leaf: Leaf) -> str:
    """Where a part of the gift is."""
    match leaf.state:
        case State.HELD:
            return f"{leaf.organisation.name} · {leaf.fund.name}" if leaf.fund else leaf.organisation.name
        case State.ALLOCATED:
            return leaf.project.name if leaf.project else leaf.organisation.name
        case State.PAID | State.CONFIRMED:
            return f"{payee(leaf.payee)} · {leaf.purpose}"
        case State.REFUNDED:
            return "退回捐赠人"


def heading(step: Step) -> str:
    """What happened, in a few words."""
    project = f"「{step.project.name}」" if step.project else ""
    match step.kind:
        case "money.received":
            return f"收到您的捐款 {yuan(step.amount_fen)}"
        case "money.allocated":
            return f"分配到项目{project}"
        case "money.released":
            return f"从项目{project}退回基金，等待重新分配"
        case "money.disbursed":
            return f"拨付给{payee(step.payee)}"
        case "gift.refunded":
            return "退回捐赠人"
        case "delivery.confirmed":
            return _CONFIRMED[step.outcome]
        case "feedback.published":
            return "使用反馈"
        case kind:
            raise AssertionError(f"no words for {kind}")


def _digits(fen: int) -> str:
    assert fen >= 0
    return f"{fen // 100:,}.{fen % 100:02d}"
