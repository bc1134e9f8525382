"""Refusals: answers of the rules that say no, with the facts a reader needs. The doors map each to a problem page."""

from typing import Any, ClassVar


class Refused(Exception):  # noqa: N818  a refusal is an answer, not an error
    """The ledger does not accept this command; nothing has changed."""

    slug: ClassVar[str] = "refused"
    """Last part of the problem's `type` address."""
    title: ClassVar[str] = "账本未接受这项操作"
    title_en: ClassVar[str] = "The ledger refused this command"
    advice: ClassVar[str] = "请核对后重新提交；账本没有任何变化。"
    advice_en: ClassVar[str] = "Check and send it again; nothing has changed."

    def __init__(self, detail: str = "", **facts: Any) -> None:
        super().__init__(detail or self.title_en)
        self.detail = detail
        self.facts = facts


class Invalid(Refused):
    """A value no entry can carry."""

    slug = "invalid-value"
    title = "内容不符合要求"
    title_en = "A value cannot be accepted"


class Unknown(Refused):
    """Something the command names is not in the log."""

    slug = "unknown-reference"
    title = "所指对象不存在"
    title_en = "Something this names does not exist"
    advice = "请核对编号；需要先登记的，请先登记。"
    advice_en = "Check the identifier; register it first if it is new."


class AlreadyThere(Refused):
    """The id is taken, the reference is in the log, the step was made before."""

    slug = "already-recorded"
    title = "已经登记过"
    title_en = "This is already recorded"
    advice = "同一编号或同一渠道流水只能登记一次；请先查询已有的那一条。"
    advice_en = "An identifier or a channel reference is recorded once; look the existing entry up."


class NotAllowed(Refused):
    """The person does not hold the role this needs."""

    slug = "role-required"
    title = "没有办理这项业务的职责"
    title_en = "Your role does not include this"
    advice = "请由持有相应职责的人员办理，或由管理员调整职责。"
    advice_en = "Ask somebody who holds the role, or an administrator to change yours."


class SamePerson(NotAllowed):
    """Maker and checker are one person, or one checker twice."""

    slug = "four-eyes"
    title = "经办与复核必须是不同的人"
    title_en = "Maker and checkers must be different people"
    advice = "请由另一位有复核职责的人员办理。"
    advice_en = "Another person with the checking role has to decide."


class PolicyMissing(Refused):
    """No posting before the first policy.set."""

    slug = "policy-missing"
    title = "尚未设定审批规则"
    title_en = "No policy has been set yet"
    advice = "请先由两位管理员设定审批规则。"
    advice_en = "Two administrators have to set the policy first."


class DecisionRequired(Refused):
    """三重一大: the amount needs a collective decision's document number."""

    slug = "decision-required"
    title = "缺少集体决策文号"
    title_en = "A decision document number is required from this amount"
    advice = "达到“三重一大”额度的业务，请填写集体决策文件的文号。"
    advice_en = "Give the number of the collective decision's document."


class InsufficientAmount(Refused):
    """More was asked for than is free."""

    slug = "insufficient-amount"
    title = "可用余额不足"
    title_en = "Not enough is available"
    advice = "可用余额不含已被其他申请占用的部分；请减少数额，或先办结那些申请。"
    advice_en = "What open proposals hold is not available: ask for less, or settle those proposals first."

    def __init__(self, *, wanted: int, available: int, in_the_way: tuple[int, ...] = ()) -> None:
        super().__init__(
            f"{wanted} wanted, {available} available", wanted=wanted, available=available, proposals=list(in_the_way)
        )


class NothingLeft(Refused):
    """What was cited has moved on or is held."""

    slug = "nothing-left"
    title = "所指款项已无可动用的部分"
    title_en = "Nothing of what this cites is left to move"
    advice = "款项已经用出，或被其他申请占用；请查看去向。"
    advice_en = "It has been spent or is held by another proposal; look at its trace."


class NotReversible(Refused):
    """Entries of this kind are not taken back; something else undoes them."""

    slug = "not-reversible"
    title = "这类记录不能直接撤销"
    title_en = "Entries of this kind are not taken back"
    advice = "请按 instead 所说的办理；原记录和新的记录都会公开保留。"
    advice_en = "Do what `instead` says; both entries stay public."

    def __init__(self, kind: str, instead: str, instead_en: str) -> None:
        super().__init__(f"{kind}: {instead_en} instead", kind=kind, instead=instead, instead_en=instead_en)


class RestrictionBroken(Refused):
    """The donor's restriction does not allow this."""

    slug = "restriction"
    title = "不符合捐赠人限定的用途"
    title_en = "The donor's restriction does not allow this"
    advice = "定向捐赠只能用于限定的项目、事件、地区、类别或受助方。"
    advice_en = "Restricted money goes only to the project, event, region, category or recipient it was given for."


class CeilingExceeded(Refused):
    """The fund's clause caps management cost, and this would pass the cap."""

    slug = "management-ceiling"
    title = "超过管理费上限"
    title_en = "This would pass the ceiling on management cost"
    advice = "基金条款限定了当年管理费占支出的比例；请减少数额，或改用其他资金。"
    advice_en = "The fund's clause caps management cost as a share of the year's spending: pay less, or from elsewhere."


class PeriodIsClosed(Refused):
    """The business date lies in a period that was closed."""

    slug = "period-closed"
    title = "业务日期所在的会计期间已经结账"
    title_en = "The business date lies in a closed period"
    advice = "已结账的期间不再变动；请记在未结账的日期，更正也记在未结账的期间。"
    advice_en = "A closed period does not change: date it after the last closed day, corrections too."


class OutsideCampaign(Refused):
    """A gift from before the campaign that it is said to belong to."""

    slug = "outside-campaign"
    title = "捐赠日期早于募捐活动开始"
    title_en = "The gift is from before the campaign began"
    advice = "募捐方案备案的期限开始之前的捐款不属于该活动：请核对日期，或记入不属于该活动的基金。"
    advice_en = (
        "What came before the filed period is not the campaign's: check the date, or enter it into another fund."
    )


class AgreementRequired(Refused):
    """A large gift without its written agreement 捐赠协议/捐赠函."""

    slug = "agreement-required"
    title = "大额捐款须有书面捐赠协议"
    title_en = "A gift of this amount needs a written agreement"
    advice = "达到规定额度的捐款，请附捐赠协议或捐赠函（文件的 SHA-256），逐笔登记。"
    advice_en = "Give the digest of the written agreement; from a sheet, enter this gift by itself."


class ReceiptStands(Refused):
    """The gift has a fiscal receipt that holds."""

    slug = "receipt-stands"
    title = "这笔捐款已有有效票据"
    title_en = "This gift has a fiscal receipt that holds"
    advice = "一笔捐款只有一张有效票据：请先作废原票据，再开新票据并注明所替换的那张。"
    advice_en = "A gift has one at a time: void the one that holds, then issue another that says which it replaces."


class ConsentRequired(Refused):
    """Another purpose than the donor's, without her consent."""

    slug = "consent-required"
    title = "改变用途须经捐赠人同意"
    title_en = "Another purpose needs the donor's consent"
    advice = "请附捐赠人同意的凭证（SHA-256）；改到限定相同或更严的基金则不需要。"
    advice_en = "Give the digest of the donor's consent; a fund with the same or a narrower restriction needs none."


class GuardianRequired(Refused):
    """A donor under 18 without a guardian's agreement."""

    slug = "guardian-required"
    title = "未成年人捐赠须经监护人同意"
    title_en = "A minor's gift needs her guardian's agreement"
    advice = "请填写监护人的姓名、联系方式、同意日期和同意书的指纹（SHA-256）；都只存入加密的保管库。"
    advice_en = "Give the guardian's name, contact, date and digest of the agreement; all of it stays in the vault."


class NeverNamed(Refused):
    """A minor is not named in public, whoever agrees."""

    slug = "never-named"
    title = "未成年人的姓名不公示"
    title_en = "A minor is never named in public"
    advice = "无论是否同意，未成年人的姓名（包括隐去一部分的）都不公示。"
    advice_en = "Whatever was agreed, a minor's name is not shown, not even masked."


class Closed(Refused):
    """The fund, project, staff member or proposal is no longer open."""

    slug = "closed"
    title = "已经关闭或办结"
    title_en = "This is closed or already resolved"
    advice = (
        "已关闭的基金、项目和已办结的申请不再变动。迟到的退款进入关闭时指定的承接者；没有指定的，请先登记为待查款。"
    )
    advice_en = (
        "A closed fund or project, or a resolved proposal, does not change any more. Late returns go to the successor"
        " named when it was closed; where none was named, enter them as unidentified money."
    )


class NotEmpty(Refused):
    """Something rests there, is on its way, waits for approval or is being entered."""

    slug = "not-empty"
    title = "还有款项、申请或导入没有办结"
    title_en = "Something is still there, on its way, proposed or being entered"
    advice = "请先处理结余（退还、经同意转到相近用途、或按协议使用），办结申请、在途和导入，再关闭。"
    advice_en = "Return, move or use what is left, settle proposals, transfers and imports, then close it."


class ImportMismatch(Refused):
    """Rows do not agree with the approved import."""

    slug = "import-mismatch"
    title = "与批准的导入批次不符"
    title_en = "This does not agree with the approved import"
    advice = "请核对批次、行号、笔数和金额。"
    advice_en = "Check batch, row numbers, count and sum."


class KeyReused(Refused):
    """The Idempotency-Key came before with another request."""

    slug = "idempotency-key-reused"
    title = "同一幂等键用于不同的请求"
    title_en = "This Idempotency-Key came with another request before"
    advice = "重试须原样重发；新的操作请用新的键。"
    advice_en = "Repeat a request unchanged, or use a new key for a new one."


def every() -> list[type[Refused]]:
    """All kinds of refusal, the general one first: what docs, problem pages and tests walk over."""
    found: list[type[Refused]] = []
    queue: list[type[Refused]] = [Refused]
    while queue:
        kind = queue.pop(0)
        found.append(kind)
        queue.extend(sorted(kind.__subclasses__(), key=lambda each: each.slug))
    return found
