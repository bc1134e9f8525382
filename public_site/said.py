"""Each entry in plain words: a tag, a sentence, an amount. A kind without words is a type error."""

from collections.abc import Sequence
from typing import NamedTuple, assert_never

import asyncpg

from ledger import account, entries
from ledger.entries import Entry
from ledger.store.queries.happenings import Effect, names_in
from ledger.trace import Names
from public_site import messages
from public_site.words import CHINESE, Words


class Said(NamedTuple):
    """What an entry says. `tone`: ok, warn or nothing; `amount_fen` None where no money is meant."""

    tag: str
    tone: str
    text: str
    amount_fen: int | None = None


RESIDUES = {
    "agreed": "结余按捐赠人意见处理",
    "moved": "结余已转出",
    "none": "没有结余",
    "returned": "结余已退回",
}
ERASED_FOR = {
    "ordered": "主管机关要求",
    "request": "捐赠人本人或代理人要求",
    "retention": "保存期限届满",
}
VOIDED_FOR = {
    "mistake": "开具有误",
    "refunded": "捐款已退回",
    "requested": "捐赠人要求换开",
    "reversed": "捐款记录已更正",
}
WAIVED_FOR = {"anonymous": "匿名捐赠", "declined": "捐赠人放弃"}
OUTCOMES = {"fulfilled": "已兑现", "lapsed": "已失效", "withdrawn": "已撤回"}
INCOMES = {
    "dues": "会费",
    "exchange": "汇兑收益",
    "government": "财政拨款",
    "interest": "利息",
    "lottery": "彩票公益金",
    "upper": "上级拨款",
}


async def told(connection: asyncpg.Connection, news: Sequence[Effect], say: Words) -> list[tuple[Entry, Said]]:
    """News, each with its words."""
    names = await names_in(connection, [each.entry for each in news])
    return [(entry, said(entry, names, say, qty)) for entry, qty in news]


def said(entry: Entry, names: Names, say: Words = CHINESE, qty: int | None = None) -> Said:
    """The entry in words. `qty`: what it moved with all other parts of its effect; None speaks of the entry alone."""
    if entry.postings:
        told = _moved(entry, entries.qty_of(entry) if qty is None else qty, names, say)
    else:
        told = _set_up(entry, say)
    if wrong := getattr(entry.body, "corrects", 0):
        return told._replace(text=say("{text}（代替有误的第 {ref} 条）", text=told.text, ref=_number(wrong)))
    return told


def _moved(entry: Entry, fen: int, names: Names, say: Words) -> Said:  # noqa: C901, PLR0912  a kind each
    """What moved money."""
    first = entry.postings[0]
    into, out = _place(first.dst, names, say), _place(first.src, names, say)
    match entry.body:
        case entries.MoneyReceived() as body:
            channel = messages.channel(body.channel, say)
            return Said(say("捐款"), "", say("捐给{place}，{channel}", place=into, channel=channel), fen)
        case entries.MoneyIdentified() as body:
            text = say("查明第 {ref} 条的捐赠人，捐给{place}", ref=_number(body.ref), place=into)
            return Said(say("捐款"), "", text, fen)
        case entries.IncomeReceived() as body:
            text = say("{kind}，记入{place}，不是捐款", kind=say(INCOMES[body.source]), place=into)
            return Said(say("其他收入"), "", text, fen)
        case entries.MoneyUnidentified() as body:
            text = say("{channel}收到，捐赠人待查", channel=messages.channel(body.channel, say))
            return Said(say("待查"), "", text, fen)
        case entries.SuspenseReturned() as body:
            text = say("待查款第 {ref} 条退回来处。{reason}", ref=_number(body.ref), reason=body.reason)
            return Said(say("待查"), "", text, fen)
        case entries.MoneyAllocated():
            return Said(say("分配"), "", say("{place}分配到{other}", place=out, other=into), fen)
        case entries.MoneyReleased() as body:
            text = say("{place}退回{other}。{reason}", place=out, other=into, reason=body.reason)
            return Said(say("退回基金"), "warn", text, fen)
        case entries.MoneyDisbursed() as body:
            payee = messages.payee(body.payee, say)
            text = say("拨付给{payee}，用于{purpose}", payee=payee, purpose=body.purpose)
            return Said(say("拨付"), "", text, fen)
        case entries.MoneyReturned() as body:
            text = say("第 {ref} 条的收款方退回款项。{reason}", ref=_number(body.ref), reason=body.reason)
            return Said(say("收款方退回"), "warn", text, fen)
        case entries.FeeCharged() as body:
            channel = messages.channel(body.channel, say)
            return Said(say("手续费"), "", say("{channel}向{place}收取", channel=channel, place=out), fen)
        case entries.ExchangeSettled() as body:
            return Said(say("汇兑损失"), "", say("第 {ref} 条结汇少得的部分", ref=_number(body.ref)), fen)
        case entries.TransferSent():
            other = _organisation(account.parse(first.dst).rest[0], names)
            return Said(say("转款"), "", say("{place}转给{other}", place=out, other=other), fen)
        case entries.TransferReceived():
            return Said(say("转款"), "", say("{place}收到转来的款项", place=into), fen)
        case entries.TransferReturned() as body:
            return Said(say("转款"), "warn", say("转款退回{place}。{reason}", place=into, reason=body.reason), fen)
        case entries.GiftRefunded() as body:
            text = say("第 {ref} 条捐款退回捐赠人。{reason}", ref=_number(body.ref), reason=body.reason)
            return Said(say("退款"), "warn", text, fen)
        case entries.GiftRedirected() as body:
            text = say("第 {ref} 条捐款经捐赠人同意转到{place}", ref=_number(body.ref), place=into)
            return Said(say("改变用途"), "warn", text, fen)
        case entries.EntryReversed() as body:
            text = say("第 {ref} 条有误，原记录保留。{reason}", ref=_number(body.ref), reason=body.reason)
            return Said(say("更正"), "warn", text, -fen)
        case _:
            raise AssertionError(f"{entry.kind} moves money, and has no words")


def _set_up(entry: Entry, say: Words) -> Said:  # noqa: C901, PLR0912, PLR0915  a kind each
    """What moved none."""
    match entry.body:
        case entries.LogOpened() as body:
            return Said(
                say("开账"), "", say("{operator}开立本账本，名称 {origin}", operator=body.operator, origin=body.origin)
            )
        case entries.OrganisationRegistered() as body:  # changed ones too
            return Said(say("组织|一个"), "", say("登记{name}", name=body.name))
        case entries.StaffEnrolled() as body:
            return Said(
                say("人员"), "", say("{staff} 任职：{roles}", staff=body.staff, roles=say("、").join(body.roles))
            )
        case entries.StaffDismissed() as body:
            return Said(say("人员"), "", say("{staff} 不再任职", staff=body.staff))
        case entries.PolicySet() as body:
            kinds = say("、").join(rule.kind for rule in body.rules) or "—"
            return Said(say("制度"), "", say("设定复核和决策规则：{kinds}", kinds=kinds))
        case entries.EventDeclared() as body:
            return Said(say("事件"), "", say("登记事件「{name}」", name=body.name))
        case entries.CampaignRegistered() as body:
            text = say("「{name}」，备案编号 {filing}", name=body.name, filing=body.filing)
            return Said(say("募捐活动"), "", text)
        case entries.FundOpened() as body:
            return Said(say("基金|一个"), "", say("设立基金「{name}」", name=body.name))
        case entries.ProjectOpened() as body:
            return Said(say("项目|一个"), "", say("设立项目「{name}」", name=body.name))
        case entries.FundClosed() as body:
            text = say("关闭基金「{name}」，{residue}", name=body.fund, residue=say(RESIDUES[body.residue]))
            return Said(say("基金|一个"), "", text)
        case entries.ProjectClosed() as body:
            text = say("关闭项目「{name}」，{residue}", name=body.project, residue=say(RESIDUES[body.residue]))
            return Said(say("项目|一个"), "", text)
        case entries.ProposalMade() as body:
            return Said(say("审批"), "", say("提出申请：{kind}", kind=kind_name(body.command, say)))
        case entries.ProposalApproved() as body:
            return Said(say("审批"), "ok", say("同意第 {ref} 条申请", ref=_number(body.proposal)))
        case entries.ProposalRejected() as body:
            text = say("不同意第 {ref} 条申请。{reason}", ref=_number(body.proposal), reason=body.reason)
            return Said(say("审批"), "warn", text)
        case entries.ProposalWithdrawn() as body:
            return Said(say("审批"), "", say("撤回第 {ref} 条申请", ref=_number(body.proposal)))
        case entries.ProposalExpired() as body:
            return Said(say("审批"), "", say("第 {ref} 条申请逾期未批，失效", ref=_number(body.proposal)))
        case entries.ImportApproved() as body:
            text = say("批准录入「{name}」，共 {n} 笔", name=body.name, n=_number(body.rows))
            return Said(say("录入"), "", text, body.sum_fen)
        case entries.ImportCompleted() as body:
            text = say("第 {ref} 条批准的 {n} 笔录入完毕", ref=_number(body.batch), n=_number(body.rows))
            return Said(say("录入"), "ok", text, body.sum_fen)
        case entries.DeliveryConfirmed() as body:
            what = say(messages.CONFIRMED[body.outcome])
            text = say("{what}，对应第 {ref} 条付款", what=what, ref=_number(body.ref))
            return Said(say("签收"), "ok" if body.outcome == "ok" else "warn", text, body.qty)
        case entries.FeedbackPublished() as body:
            return Said(say("反馈"), "ok", body.text)
        case entries.PledgeMade() as body:
            who = body.promiser if body.promiser != "person" else say("个人")
            return Said(say("认捐"), "", say("{who}承诺捐款，尚未到账", who=who), body.amount_fen)
        case entries.PledgeEnded() as body:
            text = say("第 {ref} 条认捐{outcome}", ref=_number(body.ref), outcome=say(OUTCOMES[body.outcome]))
            return Said(say("认捐"), "", text)
        case entries.ReceiptIssued() as body:
            text = say("第 {ref} 条捐款开具捐赠票据", ref=_number(body.ref))
            return Said(say("捐赠票据"), "", text, body.amount_fen)
        case entries.ReceiptVoided() as body:
            reason = say(VOIDED_FOR[body.reason])
            text = say("第 {ref} 条捐款的捐赠票据作废：{reason}", ref=_number(body.ref), reason=reason)
            return Said(say("捐赠票据"), "warn", text)
        case entries.ReceiptWaived() as body:
            reason = say(WAIVED_FOR[body.reason])
            text = say("第 {ref} 条捐款不开捐赠票据：{reason}", ref=_number(body.ref), reason=reason)
            return Said(say("捐赠票据"), "", text)
        case entries.ErasureRecorded() as body:
            reason = say(ERASED_FOR[body.basis])
            text = say("第 {ref} 条捐款人的个人信息已销毁：{reason}", ref=_number(body.ref), reason=reason)
            return Said(say("个人信息"), "", text)
        case entries.PeriodClosed() as body:
            return Said(say("结账"), "", say("{first} 至 {last} 结账", first=body.first_on, last=body.last_on))
        case entries.CheckpointStamped() as body:
            text = say("{authority}为前 {n} 条加盖时间戳", authority=body.authority, n=_number(body.size))
            return Said(say("时间戳"), "", text)
        case entries.EntryReversed() as body:
            text = say("第 {ref} 条有误，原记录保留。{reason}", ref=_number(body.ref), reason=body.reason)
            return Said(say("更正"), "warn", text)
        case (
            entries.MoneyReceived() | entries.MoneyIdentified() | entries.IncomeReceived() | entries.MoneyUnidentified()
            | entries.SuspenseReturned() | entries.MoneyAllocated() | entries.MoneyReleased() | entries.MoneyDisbursed()
            | entries.MoneyReturned() | entries.FeeCharged() | entries.ExchangeSettled() | entries.TransferSent()
            | entries.TransferReceived() | entries.TransferReturned() | entries.GiftRefunded()
            | entries.GiftRedirected()
        ):  # fmt: skip
            raise AssertionError(f"{entry.kind} without postings")
        case _:
            assert_never(entry.body)


KIND_NAMES = {
    "campaign.registered": "登记募捐活动",
    "delivery.confirmed": "签收",
    "entry.reversed": "更正",
    "erasure.recorded": "销毁个人信息",
    "exchange.settled": "汇兑损失",
    "fee.charged": "手续费",
    "feedback.published": "反馈",
    "fund.closed": "关闭基金",
    "fund.opened": "设立基金",
    "gift.redirected": "改变用途",
    "gift.refunded": "退款",
    "import.approved": "录入",
    "income.received": "其他收入",
    "money.allocated": "分配",
    "money.disbursed": "拨付",
    "money.identified": "捐款",
    "money.received": "捐款",
    "money.released": "退回基金",
    "money.returned": "收款方退回",
    "money.unidentified": "待查",
    "org.changed": "变更组织",
    "policy.set": "设定制度",
    "period.closed": "结账",
    "project.closed": "关闭项目",
    "project.opened": "设立项目",
    "receipt.issued": "开具捐赠票据",
    "receipt.voided": "作废捐赠票据",
    "staff.dismissed": "人员离任",
    "staff.enrolled": "人员任职",
    "suspense.returned": "待查款退回",
    "transfer.received": "收款",
    "transfer.returned": "转款退回",
    "transfer.sent": "转款",
}


def kind_name(kind: str, say: Words) -> str:
    """What a kind is called where it is proposed, cited or taken back; its own name where it has no other."""
    return say(KIND_NAMES[kind]) if kind in KIND_NAMES else kind


def _place(address: str, names: Names, say: Words) -> str:
    """An account by the names people know."""
    kind, org, rest = account.parse(address)
    if kind == "fund":
        return say("「{name}」", name=names.funds.get((org, rest[0]), rest[0]))
    if kind == "project":
        return say("「{name}」", name=names.projects.get((org, rest[0]), rest[0]))
    return _organisation(org, names)


def _organisation(org: str, names: Names) -> str:
    return names.organisations.get(org, org)


def _number(seq: int) -> str:
    return f"{seq:,}"
