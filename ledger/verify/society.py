"""What the entries so far say of organisations, staff, funds, projects and policy."""

from dataclasses import dataclass, field

from ledger.entries import CampaignRegistered, FundOpened, OrganisationRegistered, ProjectOpened, Restriction, Rule
from ledger.verify.roles import ADMINISTRATOR, REQUIRED

WHOLE_LOG = ""
"""In place of an organisation."""

USUAL_SPENDING = ("aid", "purchase")
"""What a fund without a fee clause may be spent on."""


@dataclass(slots=True)
class Society:
    """As of the last entry that was read."""

    organisations: dict[str, OrganisationRegistered] = field(default_factory=dict)
    staff: dict[str, dict[str, frozenset[str]]] = field(default_factory=dict)
    campaigns: dict[str, CampaignRegistered] = field(default_factory=dict)
    events: set[str] = field(default_factory=set)
    funds: dict[tuple[str, str], FundOpened] = field(default_factory=dict)
    projects: dict[tuple[str, str], ProjectOpened] = field(default_factory=dict)
    closed: set[tuple[str, str, str]] = field(default_factory=set)
    """Organisation, `fund` or `project`, and its id."""
    heirs: dict[tuple[str, str, str], str] = field(default_factory=dict)
    """Of these, who comes after them."""
    policy: dict[str, Rule] | None = None
    agreement_from: int = -1
    """From how many fen a gift needs a written agreement; -1: none does."""
    expires_days: int = 0
    """How long a proposal may be approved; 0: for ever."""
    _roles: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)

    def register(self, body: OrganisationRegistered) -> None:
        """An organisation's facts from now on."""
        self.organisations[body.org] = body
        self._roles.clear()

    def enrol(self, staff: str, org: str, roles: tuple[str, ...]) -> None:
        """Roles are added to what the pseudonym holds there."""
        held = self.staff.setdefault(staff, {})
        held[org] = held.get(org, frozenset()) | frozenset(roles)
        self._roles.clear()

    def dismiss(self, staff: str, org: str) -> bool:
        """The pseudonym holds no role there any more; whether it held one."""
        self._roles.clear()
        return self.staff.get(staff, {}).pop(org, None) is not None

    def roles(self, staff: str, org: str) -> frozenset[str]:
        """What a person holds in an organisation. An administrator is one in every organisation below, too."""
        found = self._roles.get((staff, org))
        if found is None:
            held = self.staff.get(staff, {})
            found = held.get(org, frozenset())
            if any(ADMINISTRATOR in held.get(each, ()) for each in self.above(org)):
                found |= {ADMINISTRATOR}
            self._roles[staff, org] = found
        return found

    def above(self, org: str) -> list[str]:
        """The organisations above this one, nearest first; the whole log is above all. No circle holds it up."""
        found: list[str] = []
        while (known := self.organisations.get(org)) is not None and known.parent and known.parent not in found:
            org = known.parent
            found.append(org)
        return [*found, WHOLE_LOG]

    def heir(self, org: str, what: str, name: str) -> str:
        """Who gets the late money of a fund or project: itself while it is open, or where nobody was named."""
        seen = {name}
        while (after := self.heirs.get((org, what, name), "")) and after not in seen:
            seen.add(after)
            name = after
        return name

    def approvals(self, kind: str, qty: int) -> int:
        """How many people have to approve this now: the built-in table, tightened by the policy."""
        least = REQUIRED[kind].approvals
        rule = (self.policy or {}).get(kind)
        if rule is None:
            return least
        tiers = [tier for tier in rule.approvals if tier.from_qty <= qty]
        return max(least, max(tiers, key=lambda tier: tier.from_qty).approvals) if tiers else least

    def most_approvals(self, kind: str) -> int:
        """How many people have to approve this at the most, whatever its amount."""
        rule = (self.policy or {}).get(kind)
        return max([REQUIRED[kind].approvals, *(tier.approvals for tier in (rule.approvals if rule else ()))])

    def administrators(self) -> set[str]:
        """Those who administer the whole log."""
        return {staff for staff, held in self.staff.items() if ADMINISTRATOR in held.get(WHOLE_LOG, ())}

    def decision_from(self, kind: str) -> int | None:
        """From which amount on a decision document has to be named."""
        rule = (self.policy or {}).get(kind)
        return rule.decision_from if rule is not None and rule.decision_from >= 0 else None


_COMPARED = ("project", "event", "category", "recipient")


def fits(wanted: Restriction, project: ProjectOpened) -> bool:
    """Whether a project has every attribute the restriction asks for; the recipient is compared where money is paid."""
    return (
        wanted.project in {"", project.project}
        and wanted.event in {"", project.event}
        and wanted.category in {"", project.category}
        and lies_in(project.region, wanted.region)
    )


def keeps(sending: FundOpened, receiving: FundOpened) -> bool:
    """Whether a fund keeps every promise of the one its money comes from: restriction, spending, fees, ceiling."""
    wanted, given = sending.restriction, receiving.restriction
    ceiling = sending.management_ppm
    return (
        all(getattr(wanted, name) in {"", getattr(given, name)} for name in _COMPARED)
        and lies_in(given.region, wanted.region)
        and set(receiving.spending or USUAL_SPENDING) <= set(sending.spending or USUAL_SPENDING)
        and (sending.charges or not receiving.charges)
        and (ceiling < 0 or 0 <= receiving.management_ppm <= ceiling)
    )


def lies_in(region: str, wanted: str) -> bool:
    """Whether a division lies in another: by prefix, after trailing 00 pairs are stripped (GB/T 2260)."""
    while wanted.endswith("00"):
        wanted = wanted[:-2]
    return region.startswith(wanted)
