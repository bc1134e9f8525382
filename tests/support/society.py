"""A small society for tests: a province and two cities, staff for every role, a fund for every kind of restriction."""

from hashlib import sha256
from typing import TypeVar

from msgspec import structs

from ledger.allocations import AllocateMoney, ReleaseMoney
from ledger.approvals import ApproveProposal, SetPolicy
from ledger.corrections import RedirectGift, RefundGift
from ledger.decide import AnyProposable
from ledger.disbursements import DisburseMoney
from ledger.donations import ReceiveMoney
from ledger.entries import IncomeKind, Restriction, Rule, Spending, Tier
from ledger.exchange import SettleExchange
from ledger.fees import ChargeFee
from ledger.income import ReceiveIncome
from ledger.organisations import (
    DeclareEvent,
    EnrolStaff,
    OpenFund,
    OpenLog,
    OpenProject,
    RegisterOrganisation,
)
from ledger.privacy import code_of
from ledger.returns import ReturnMoney
from ledger.reversals import ReverseEntry
from ledger.roles import Role
from ledger.suspense import IdentifyMoney, ReceiveUnidentified, ReturnSuspense
from ledger.transfers import ReceiveTransfer, ReturnTransfer, SendTransfer
from tests.support.model import TODAY, Pen

AnyRight = TypeVar(
    "AnyRight", AllocateMoney, ChargeFee, DisburseMoney, IdentifyMoney, ReceiveIncome, ReceiveMoney,
    ReceiveTransfer, ReceiveUnidentified, RefundGift,
    SendTransfer, SettleExchange,
)  # fmt: skip

PROVINCE = "330000"
CITY = "330800"
OTHER_CITY = "330100"


def pseudonym(word: str) -> str:
    """A staff id that a test's reader recognises."""
    return f"s-{word.replace('-', ''):2<13}"[:15]


ADMINISTRATOR = pseudonym("administrator")
OTHER_ADMINISTRATOR = pseudonym("founder")
CITY_ADMINISTRATOR = pseudonym("cityadmin")
CASHIER = pseudonym("cashier")
FINANCE = pseudonym("finance")
OTHER_FINANCE = pseudonym("finance-b")
PROGRAMME = pseudonym("programme")
APPROVER = pseudonym("approver")
OTHER_APPROVER = pseudonym("approver-b")
THIRD_APPROVER = pseudonym("approver-c")
BOTH = pseudonym("both")
"""Prepares and approves, though never the same thing."""
AUDITOR = pseudonym("auditor")
STRANGER = pseudonym("stranger")
NEIGHBOUR = pseudonym("neighbour")
"""Finance of the other city."""
NEIGHBOURS_APPROVER = pseudonym("neighbour-b")
BOTH_CITIES = pseudonym("bothcities")
"""Finance of both cities."""
BOTH_CITIES_APPROVER = pseudonym("bothcities-b")

ROLES: dict[str, tuple[Role, ...]] = {
    CITY_ADMINISTRATOR: (Role.ADMINISTRATOR,),
    CASHIER: (Role.INTAKE,),
    FINANCE: (Role.FINANCE,),
    OTHER_FINANCE: (Role.FINANCE, Role.INTAKE),
    PROGRAMME: (Role.PROGRAMME,),
    APPROVER: (Role.APPROVER,),
    OTHER_APPROVER: (Role.APPROVER,),
    THIRD_APPROVER: (Role.APPROVER,),
    BOTH: (Role.FINANCE, Role.APPROVER),
    AUDITOR: (Role.AUDITOR,),
}
"""Who does what in the city."""

OTHER_ROLES = (
    (NEIGHBOUR, OTHER_CITY, Role.FINANCE),
    (NEIGHBOURS_APPROVER, OTHER_CITY, Role.APPROVER),
    (BOTH_CITIES, CITY, Role.FINANCE),
    (BOTH_CITIES, OTHER_CITY, Role.FINANCE),
    (BOTH_CITIES_APPROVER, CITY, Role.APPROVER),
    (BOTH_CITIES_APPROVER, OTHER_CITY, Role.APPROVER),
)
"""Who does what beside the city's own people."""

HOSPITAL = "县人民医院"
SHOP = "物资公司"

_FUNDS: tuple[tuple[str, Restriction, tuple[Spending, ...]], ...] = (
    ("general", Restriction(), ()),
    ("flood", Restriction(event="flood-2026"), ()),
    ("schools", Restriction(category="education"), ("aid", "purchase", "management")),
    ("district", Restriction(region="330802"), ()),
    ("bridge", Restriction(project="bridge"), ("purchase",)),
    ("hospital", Restriction(recipient=HOSPITAL), ()),
    ("office", Restriction(), ("aid", "campaign", "management")),
)
FUNDS = {
    fund: OpenFund(maker=ADMINISTRATOR, org=CITY, fund=fund, name=fund, restriction=restriction, spending=spending)
    for fund, restriction, spending in _FUNDS
} | {
    "platform": OpenFund(
        maker=ADMINISTRATOR, org=CITY, fund="platform", name="platform", spending=("aid", "management", "purchase"),
        receipt_fee_ppm=250_000, charges=True, management_ppm=400_000,
    )
}  # fmt: skip
"""The city's funds: what each is restricted to, and its fee clause."""

PROJECTS = {
    project: OpenProject(
        maker=ADMINISTRATOR, org=CITY, project=project, name=project, category=category, region=region, event=event
    )
    for project, category, region, event in (
        ("relief", "relief", "330800", "flood-2026"),
        ("school", "education", "330802", ""),
        ("bridge", "", "330802", "flood-2026"),
        ("anything", "", "", ""),
    )
}
"""The city's projects and what each of them has."""

NEIGHBOURS_FUNDS = {
    fund: OpenFund(maker=ADMINISTRATOR, org=OTHER_CITY, fund=fund, name=fund, restriction=Restriction(event=event))
    for fund, event in (("general", ""), ("flood", "flood-2026"))
}
"""The other city's funds."""

USUAL_RULES = (
    Rule(kind="money.allocated", approvals=(Tier(0, 0), Tier(6, 1), Tier(10, 2)), decision_from=9),
    Rule(kind="money.disbursed", approvals=(Tier(0, 1), Tier(8, 2))),
    Rule(kind="money.released", approvals=(Tier(5, 1),)),
    Rule(kind="gift.refunded", approvals=(Tier(3, 1),)),
    Rule(kind="feedback.published", approvals=(Tier(0, 1),)),
    Rule(kind="suspense.returned", approvals=(Tier(4, 1),)),
    Rule(kind="fee.charged", approvals=(Tier(3, 1),)),
    Rule(kind="gift.redirected", approvals=(Tier(3, 1),)),
    Rule(kind="money.returned", approvals=(Tier(4, 1),)),
    Rule(kind="transfer.sent", approvals=(Tier(4, 1),)),
    Rule(kind="transfer.received", approvals=(Tier(6, 1),)),
)


def open_society(rules: tuple[Rule, ...] | None = ()) -> Pen:
    """A log in which the society is set up; with these rules as its policy (None: no policy yet)."""
    pen = Pen()
    founders = (ADMINISTRATOR, OTHER_ADMINISTRATOR)
    pen.write(OpenLog(maker=founders[0], origin="ledger.example.org/log", operator="红十字会", administrators=founders))
    for org, name, parent in ((PROVINCE, "省会", ""), (CITY, "市会", PROVINCE), (OTHER_CITY, "邻市会", PROVINCE)):
        settle(pen, RegisterOrganisation(
            maker=ADMINISTRATOR, org=org, name=name, level="city" if parent else "province", parent=parent, division=org
        ))  # fmt: skip
    for staff, roles in ROLES.items():
        settle(pen, EnrolStaff(maker=ADMINISTRATOR, staff=staff, org=CITY, roles=roles))
    for staff, org, role in OTHER_ROLES:
        settle(pen, EnrolStaff(maker=ADMINISTRATOR, staff=staff, org=org, roles=(role,)))
    settle(pen, DeclareEvent(maker=ADMINISTRATOR, event="flood-2026", name="洪灾", emergency=True))
    for fund in (*FUNDS.values(), *NEIGHBOURS_FUNDS.values()):
        settle(pen, fund)
    for project in PROJECTS.values():
        settle(pen, project)
    if rules is not None:
        settle(pen, SetPolicy(maker=ADMINISTRATOR, rules=rules))
    return pen


def settle(pen: Pen, command: AnyProposable) -> int:
    """Write what administrators decide, approved by the other one if it has to be; the number of its last entry."""
    new = pen.write(command)
    if new[0].kind == "proposal.made":
        new = pen.write(ApproveProposal(maker=OTHER_ADMINISTRATOR, proposal=new[0].seq))
    return new[-1].seq


def gift(amount_fen: int, fund: str = "general", *, ref: str = "", maker: str = CASHIER) -> ReceiveMoney:
    """A gift to the city."""
    donor = sha256(f"donor {amount_fen} {fund} {ref}".encode()).hexdigest()
    code = code_of([amount_fen % 32] * 15)
    return ReceiveMoney(
        maker=maker, org=CITY, fund=fund, amount_fen=amount_fen, channel="wechat", on=TODAY, donor=donor, ref=ref,
        code=code,
    )  # fmt: skip


def allocation(
    amount_fen: int, fund: str = "general", project: str = "relief", *, maker: str = FINANCE, decision: str = ""
) -> AllocateMoney:
    """The city's money for one of its projects."""
    return AllocateMoney(
        maker=maker, org=CITY, fund=fund, project=project, amount_fen=amount_fen, on=TODAY, decision=decision
    )


def redirection(  # noqa: PLR0913
    ref: int, fund: str, amount_fen: int = 0, *, agreed: bool = True, maker: str = FINANCE, org: str = CITY
) -> RedirectGift:
    """A gift of the city, for another purpose."""
    consent = sha256(b"consent").hexdigest() if agreed else ""
    return RedirectGift(
        maker=maker, org=org, ref=ref, fund=fund, on=TODAY, reason="捐赠人同意", consent=consent, amount_fen=amount_fen
    )


def reversal(ref: int, *, maker: str = FINANCE, org: str = CITY) -> ReverseEntry:
    """An entry of the city was wrong."""
    return ReverseEntry(
        maker=maker, org=org, ref=ref, on=TODAY, reason="金额录入有误", statement="原记录金额有误，现予更正。"
    )


def right(command: AnyRight, wrong: int) -> AnyRight:
    """The command as the right entry of one that was taken back; its amount is what would have been right."""
    return structs.replace(command, corrects=wrong)


def handed_back(ref: int, amount_fen: int = 0, *, maker: str = FINANCE) -> ReturnMoney:
    """The payee of a payment gave back what it could not use."""
    return ReturnMoney(maker=maker, org=CITY, ref=ref, on=TODAY, reason="采购结余", amount_fen=amount_fen)


def sending(
    amount_fen: int, fund: str = "general", *, org: str = CITY, to: str = OTHER_CITY, maker: str = FINANCE
) -> SendTransfer:
    """The city's money for its neighbour, unless told otherwise."""
    return SendTransfer(maker=maker, org=org, fund=fund, to=to, amount_fen=amount_fen, on=TODAY)


def arrival(
    ref: int, amount_fen: int = 0, fund: str = "general", *, org: str = OTHER_CITY, maker: str = NEIGHBOUR
) -> ReceiveTransfer:
    """The neighbour has what the city sent."""
    return ReceiveTransfer(maker=maker, org=org, ref=ref, fund=fund, on=TODAY, amount_fen=amount_fen)


def sent_back(ref: int, amount_fen: int = 0, *, org: str = CITY, maker: str = FINANCE) -> ReturnTransfer:
    """What the city sent came back."""
    return ReturnTransfer(maker=maker, org=org, ref=ref, on=TODAY, reason="账号有误", amount_fen=amount_fen)


def unidentified(amount_fen: int, *, ref: str = "", maker: str = CASHIER) -> ReceiveUnidentified:
    """Money in the city's bank from nobody knows whom."""
    return ReceiveUnidentified(maker=maker, org=CITY, amount_fen=amount_fen, channel="bank", on=TODAY, ref=ref)


def identification(ref: int, amount_fen: int, fund: str = "general", *, maker: str = FINANCE) -> IdentifyMoney:
    """A gift found in suspense."""
    donor = sha256(f"donor {ref} {amount_fen}".encode()).hexdigest()
    return IdentifyMoney(
        maker=maker, org=CITY, ref=ref, fund=fund, amount_fen=amount_fen, channel="bank", on=TODAY, donor=donor,
        code=code_of([amount_fen % 32] * 15),
    )  # fmt: skip


def suspense_return(ref: int, amount_fen: int = 0, *, maker: str = FINANCE) -> ReturnSuspense:
    """Money in suspense, back to where it came from."""
    return ReturnSuspense(maker=maker, org=CITY, ref=ref, on=TODAY, reason="无法查明", amount_fen=amount_fen)


def income(amount_fen: int, fund: str = "general", *, source: IncomeKind = "interest", ref: str = "") -> ReceiveIncome:
    """Money of the city that nobody donated."""
    return ReceiveIncome(maker=FINANCE, org=CITY, fund=fund, amount_fen=amount_fen, source=source, on=TODAY, ref=ref)


def charge(amount_fen: int, fund: str = "platform", *, maker: str = FINANCE) -> ChargeFee:
    """A platform's later fee, out of a fund of the city."""
    return ChargeFee(
        maker=maker, org=CITY, fund=fund, amount_fen=amount_fen, channel="alipay", on=TODAY, reason="平台服务费"
    )


def release(ref: int, amount_fen: int = 0, *, maker: str = PROGRAMME) -> ReleaseMoney:
    """What is left of an allocation, back to its fund."""
    return ReleaseMoney(maker=maker, org=CITY, ref=ref, on=TODAY, reason="项目结余", amount_fen=amount_fen)


def payment(
    amount_fen: int, project: str = "relief", *, payee: str = SHOP, spending: Spending = "aid", maker: str = FINANCE
) -> DisburseMoney:
    """A payment of the city."""
    return DisburseMoney(
        maker=maker, org=CITY, project=project, amount_fen=amount_fen, spending=spending, payee=payee,
        purpose="救灾物资", on=TODAY,
    )  # fmt: skip


def refund(ref: int, amount_fen: int = 0, *, maker: str = FINANCE, org: str = CITY) -> RefundGift:
    """A gift of the city, back to its donor."""
    return RefundGift(maker=maker, org=org, ref=ref, on=TODAY, reason="捐赠人申请", amount_fen=amount_fen)
