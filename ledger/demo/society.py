"""Setting up: who keeps books, who may do what, and what money is for."""

from ledger.approvals import SetPolicy
from ledger.demo.cast import CHECKER, CITY, COUNTY, FLOOD, FOUNDER, MAKER, ORGANISATIONS, SECOND
from ledger.demo.clock import DAYS
from ledger.demo.teller import Teller
from ledger.entries import Restriction, Rule, Tier
from ledger.organisations import DeclareEvent, EnrolStaff, OpenFund, OpenLog, OpenProject, RegisterOrganisation
from ledger.roles import Role


async def tell(teller: Teller) -> None:
    """Organisations, people, a policy, two funds and two projects."""
    await teller.do(
        OpenLog(
            maker=FOUNDER,
            origin="sunshine-ledger.example/log",
            operator="衢州市红十字会（演示）",
            administrators=(FOUNDER, SECOND),
        )
    )
    for org, name, level, parent in ORGANISATIONS:
        await teller.do(
            RegisterOrganisation(maker=FOUNDER, org=org, name=name, level=level, parent=parent, division=org)
        )
    roles = {MAKER: (Role.FINANCE, Role.PROGRAMME), CHECKER: (Role.APPROVER,)}
    for org in (CITY, COUNTY):
        for staff, held in roles.items():
            await teller.both(EnrolStaff(maker=FOUNDER, staff=staff, org=org, roles=held), SECOND)
    rules = (
        Rule(kind="money.allocated", approvals=(Tier(1_000_000, 1),), decision_from=5_000_000),
        Rule(kind="money.disbursed", approvals=(Tier(0, 1),)),
        Rule(kind="gift.refunded", approvals=(Tier(0, 1),)),
    )
    await teller.both(SetPolicy(maker=FOUNDER, rules=rules, expires_days=DAYS - 1), SECOND)
    await teller.do(
        DeclareEvent(maker=FOUNDER, event=FLOOD, name="2026 年 6 月衢州洪涝灾害", began="2026-06-19", emergency=True)
    )
    await teller.do(
        OpenFund(maker=FOUNDER, org=CITY, fund="flood", name="汛期应急救助", restriction=Restriction(event=FLOOD))
    )
    await teller.do(OpenFund(maker=FOUNDER, org=CITY, fund="general", name="非定向捐款", restriction=Restriction()))
    await teller.do(
        OpenProject(
            maker=FOUNDER,
            org=CITY,
            project="flood-aid",
            name="受灾家庭救助",
            category="relief",
            region=COUNTY,
            event=FLOOD,
            budget_fen=60_000_000,
            starts="2026-06-20",
            ends="2026-12-31",
        )
    )
    await teller.do(
        OpenProject(
            maker=FOUNDER,
            org=CITY,
            project="qz-01",
            name="博爱送万家困难会员慰问",
            category="winter",
            region=CITY,
            budget_fen=20_000_000,
        )
    )
