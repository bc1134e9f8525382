"""What Python says on pages, plainly, in the words of either language. Amounts and times get their one form here."""

import re
import unicodedata
from datetime import datetime

from markupsafe import Markup

from ledger import entries
from ledger.disbursements import PERSONS
from ledger.exchange import MINOR_DIGITS
from ledger.trace import Gift, Leaf, State, Step, Trace
from public_site.words import CHINESE, Words

STATES = {
    State.CONFIRMED: "已签收",
    State.UNCONFIRMED: "已拨付，未全部签收",
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

CONFIRMED = {"ok": "受助方已签收", "short": "受助方反映数额不足", "damaged": "受助方反映有问题"}


FISCAL = {
    "none": "",
    "issued": "已开具",
    "voided": "已作废，尚未重开",
    "anonymous": "匿名捐赠，未开具",
    "declined": "捐赠人放弃",
}
"""What a page says of a gift's fiscal receipt."""

_RANKS = (
    (State.ALLOCATED,),
    (State.HELD,),
    (State.REFUNDED, State.VOIDED, State.IN_TRANSIT),
    (State.LOST, State.FEES),
)
"""Of what is not spent, what comes first in a sentence; of one rank the largest."""

_LEADING = {
    State.ALLOCATED: ("{its}，已全部分配到项目，等待拨付", "{its}，已有 {part}分配到项目，等待拨付"),
    State.HELD: ("{its}已经入账，等待分配", "{its}，有 {part}已经入账，等待分配"),
    State.REFUNDED: ("{its}，已全部退回", "{its}，已有 {part}退回"),
    State.VOIDED: ("{its}登记有误，已经更正作废", "{its}，有 {part}登记有误，已经更正作废"),
    State.IN_TRANSIT: ("{its}，正在转往另一级红十字会", "{its}，有 {part}正在转往另一级红十字会"),
    State.LOST: ("{its}，已全部在汇兑中损失", "{its}，有 {part}在汇兑中损失"),
    State.FEES: ("{its}，已全部由渠道收取手续费", "{its}，有 {part}由渠道收取手续费"),
}
"""In a headline: of the whole gift, of a part of it."""

_REMAINING = {
    State.CONFIRMED: "{amount}已由受助方签收",
    State.ALLOCATED: "{amount}已分配到项目，尚未拨付",
    State.HELD: "{amount}留在基金里，尚未分配",
    State.REFUNDED: "{amount}已退回",
    State.VOIDED: "{amount}登记有误，已更正作废",
    State.IN_TRANSIT: "{amount}正在转往另一级红十字会",
    State.FEES: "{amount}由渠道收取手续费",
    State.LOST: "{amount}在汇兑中损失",
}
"""What was paid is in the headline."""

_TYPED = re.compile(r"¥?([0-9]{1,12}|[0-9]{1,3}(?:,[0-9]{3}){1,3})(?:\.([0-9]{1,2}))?\u5143?")  # 元


def yuan(fen: int) -> str:
    """¥1,234.56; −¥1.00 for what was taken back."""
    return f"¥{_digits(fen)}" if fen >= 0 else f"−¥{_digits(-fen)}"


def spoken(fen: int, say: Words = CHINESE) -> str:
    """500 元, 312.50 元: an amount inside a sentence."""
    return say("{amount} 元", amount=_digits(fen).removesuffix(".00"))


def number(count: int) -> str:
    """12,345."""
    return f"{count:,}"


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


def own(name: str, say: Words = CHINESE) -> Markup | str:
    """A name or a text that stands in the ledger: Chinese, and marked so on an English page."""
    return name if say.language == "zh-Hans" else Markup('<span lang="zh-Hans">{}</span>').format(name)


def channel(name: str, say: Words = CHINESE) -> str:
    """A channel by its usual name."""
    return say(CHANNELS[name]) if name in CHANNELS else name


def payee(name: str, say: Words = CHINESE) -> str:
    """Who was paid."""
    return say("受助群众") if name == PERSONS else name


def persons(beneficiaries: str, say: Words = CHINESE) -> str:
    """1-4 is how a ledger that protects people writes a small number."""
    return say("{n} 人", n=beneficiaries.replace("-", "–"))


def foreign(gift: Gift, say: Words = CHINESE) -> str:
    """USD 100.00，汇率 7.1234; empty for a gift in CNY."""
    if not gift.currency:
        return ""
    digits = MINOR_DIGITS.get(gift.currency, 2)
    whole, minor = divmod(gift.original, 10**digits)
    original = f"{gift.currency} {whole:,}" + (f".{minor:0{digits}d}" if digits else "")
    return say("{original}，汇率 {rate}", original=original, rate=gift.rate)


def headline(trace: Trace, say: Words = CHINESE) -> str:
    """The answer, in one sentence: what was spent; else what waits; else the largest of what became of it."""
    gift, states = trace.gift.amount_fen, trace.states
    spent = states[State.CONFIRMED] + states[State.UNCONFIRMED]
    its = say("您的 {amount}", amount=spoken(gift, say))
    if spent == gift:
        if states[State.CONFIRMED] == gift:
            return say("{its}，已全部拨付，并由受助方签收", its=its)
        return say("{its}，已全部拨付使用", its=its)
    if spent:
        return say("{its}，已有 {part}拨付使用", its=its, part=spoken(spent, say))
    leading = _leading(trace)
    assert leading is not None
    whole, part = _LEADING[leading]
    fen = states[leading]
    return say(whole, its=its) if fen == gift else say(part, its=its, part=spoken(fen, say))


def remainder(trace: Trace, say: Words = CHINESE) -> str:
    """What the headline leaves open: each other part of the gift in its own words."""
    gift, states = trace.gift.amount_fen, trace.states
    leading = _leading(trace)
    said = [
        say(what, amount=spoken(states[state], say))
        for state, what in _REMAINING.items()
        if states[state] and states[state] != gift and state is not leading
    ]
    return say("其中 {parts}。", parts=say("，").join(said)) if said else ""


def _leading(trace: Trace) -> State | None:
    """The state that the headline speaks of; None where it speaks of what was spent."""
    states = trace.states
    if states[State.CONFIRMED] + states[State.UNCONFIRMED]:
        return None
    for among in _RANKS:
        leading = max(among, key=lambda state: states[state])
        if states[leading]:
            return leading
    raise AssertionError("a gift is somewhere")


def place(leaf: Leaf, say: Words = CHINESE) -> str:
    """Where a part of the gift is."""
    match leaf.state:
        case State.HELD:
            return f"{leaf.organisation.name} · {leaf.fund.name}" if leaf.fund else leaf.organisation.name
        case State.ALLOCATED:
            return leaf.project.name if leaf.project else leaf.organisation.name
        case State.UNCONFIRMED | State.CONFIRMED:
            return f"{payee(leaf.payee, say)} · {leaf.purpose}"
        case State.REFUNDED:
            return say("退回捐赠人")
        case State.FEES:
            return say("渠道手续费")
        case State.LOST:
            return say("汇兑损失")
        case State.VOIDED:
            return say("登记有误，已作废")
        case State.IN_TRANSIT:
            return f"{leaf.organisation.name} → {leaf.other.name}" if leaf.other else leaf.organisation.name


def heading(step: Step, say: Words = CHINESE) -> str:
    """What happened, in a few words."""
    if step.kind == "delivery.confirmed":
        return say(CONFIRMED[step.outcome])
    return say(
        _HEADINGS[step.kind],
        amount=yuan(step.amount_fen),
        project=say("「{name}」", name=step.project.name) if step.project else "",
        payee=payee(step.payee, say),
        organisation=step.organisation.name,
        fund=step.fund.name if step.fund else "",
        other=step.other.name if step.other else "",
    )


def _digits(fen: int) -> str:
    assert fen >= 0
    return f"{fen // 100:,}.{fen % 100:02d}"
