"""What Python says on pages, in plain Chinese. Amounts and times get their one form here, at the edge."""

import re
import unicodedata
from datetime import datetime

from ledger import entries
from ledger.disbursements import PERSONS
from ledger.exchange import MINOR_DIGITS
from ledger.trace import Gift, Leaf, State, Step, Trace

STATES = {
    State.CONFIRMED: "已签收",
    State.PAID: "已拨付",
    State.REFUNDED: "已退回",
    State.FEES: "渠道手续费",
    State.LOST: "汇兑损失",
    State.IN_TRANSIT: "转款途中",
    State.VOIDED: "更正作废",
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

_HEADINGS = {
    "money.received": "收到您的捐款 {amount}",
    "money.identified": "核实为您的捐款 {amount}",
    "money.allocated": "分配到项目{project}",
    "money.released": "从项目{project}退回基金，等待重新分配",
    "money.disbursed": "拨付给{payee}",
    "money.returned": "收款方退回款项，等待重新拨付",
    "transfer.sent": "转给{other}",
    "transfer.received": "{organisation}收到{other}转来的款项",
    "transfer.returned": "转给{other}的款项退回",
    "exchange.settled": "结汇差额",
    "entry.reversed": "更正：此前的一笔记录有误，已撤销",
    "fee.charged": "平台扣除手续费",
    "gift.refunded": "退回捐赠人",
    "gift.redirected": "改变用途，转到「{fund}」",
    "feedback.published": "使用反馈",
}

_CONFIRMED = {"ok": "受助方已签收", "short": "受助方反映数额不足", "damaged": "受助方反映有问题"}


FISCAL = {
    "none": "",
    "issued": "已开具",
    "voided": "已作废，尚未重开",
    "anonymous": "匿名捐赠，未开具",
    "declined": "捐赠人放弃",
}
"""What a page says of a gift's fiscal receipt."""

_TYPED = re.compile(r"¥?([0-9]{1,12}|[0-9]{1,3}(?:,[0-9]{3}){1,3})(?:\.([0-9]{1,2}))?元?")


def yuan(fen: int) -> str:
    """¥1,234.56."""
    return f"¥{_digits(fen)}"


def spoken(fen: int) -> str:
    """500 元, 312.50 元: an amount inside a sentence."""
    return f"{_digits(fen).removesuffix('.00')} 元"


def fen(typed: str) -> int:
    """The amount that a person typed in yuan: 500, ¥1,234.50, ５００元; 0, which is no gift's, for anything else."""
    found = _TYPED.fullmatch("".join(unicodedata.normalize("NFKC", typed[:64]).split()))
    if found is None:
        return 0
    return int(found[1].replace(",", "")) * 100 + int((found[2] or "").ljust(2, "0"))


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


def foreign(gift: Gift) -> str:
    """USD 100.00，汇率 7.1234; empty for a gift in CNY."""
    if not gift.currency:
        return ""
    digits = MINOR_DIGITS.get(gift.currency, 2)
    whole, minor = divmod(gift.original, 10**digits)
    return f"{gift.currency} {whole:,}" + (f".{minor:0{digits}d}" if digits else "") + f"，汇率 {gift.rate}"


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
    if states[State.VOIDED] == gift:
        return f"{its}登记有误，已经更正作废"
    if states[State.IN_TRANSIT] == gift:
        return f"{its}，正在转往另一级红十字会"
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
        (states[State.VOIDED], "登记有误，已更正作废", states[State.VOIDED] != gift),
        (states[State.IN_TRANSIT], "正在转往另一级红十字会", states[State.IN_TRANSIT] != gift),
        (states[State.FEES], "由渠道收取手续费", states[State.FEES] != gift),
        (states[State.LOST], "在汇兑中损失", states[State.LOST] != gift),
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
        case State.FEES:
            return "渠道手续费"
        case State.LOST:
            return "汇兑损失"
        case State.VOIDED:
            return "登记有误，已作废"
        case State.IN_TRANSIT:
            return f"{leaf.organisation.name} → {leaf.other.name}" if leaf.other else leaf.organisation.name


def heading(step: Step) -> str:
    """What happened, in a few words."""
    if step.kind == "delivery.confirmed":
        return _CONFIRMED[step.outcome]
    return _HEADINGS[step.kind].format(
        amount=yuan(step.amount_fen),
        project=f"「{step.project.name}」" if step.project else "",
        payee=payee(step.payee),
        organisation=step.organisation.name,
        fund=step.fund.name if step.fund else "",
        other=step.other.name if step.other else "",
    )


def _digits(fen: int) -> str:
    assert fen >= 0
    return f"{fen // 100:,}.{fen % 100:02d}"
