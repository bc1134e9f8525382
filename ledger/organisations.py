"""Who keeps books here and for what: organisations, staff, events, funds, projects."""

import re

import msgspec

from ledger import entries
from ledger.books import WHOLE_LOG, Books
from ledger.campaigns import check_known
from ledger.command import (
    Command,
    Effect,
    Proposable,
    body_of,
    check_day,
    check_id,
    check_text,
)
from ledger.entries import (
    FundOpened,
    Level,
    OrganisationChanged,
    OrganisationRegistered,
    OverCeiling,
    ProjectOpened,
    Spending,
)
from ledger.fees import check_clause
from ledger.privacy import STAFF_ID
from ledger.refusals import AlreadyThere, Invalid, Unknown
from ledger.roles import Role

_DIVISION = re.compile(r"[0-9]{6}")
_ORIGIN = re.compile(r"[a-z0-9][a-z0-9.-]*(?::[0-9]+)?(?:/[A-Za-z0-9._~-]+)*")
_USCC = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}")
_USCC_SYMBOLS = "0123456789ABCDEFGHJKLMNPQRTUWXY"

MAX_ORIGIN = 255
"""Bytes: cosignatures write its length in one (c2sp.org/tlog-cosignature)."""

LEVELS: tuple[Level, ...] = ("national", "province", "city", "county", "grassroots")


class OpenLog(Command, frozen=True, kw_only=True, tag="log.opened"):
    """Entry 0."""

    origin: str
    operator: str
    administrators: tuple[str, ...]


class RegisterOrganisation(Proposable, frozen=True, kw_only=True, tag="org.registered"):
    """A new organisation."""

    org: str
    name: str
    level: Level
    parent: str = ""
    division: str
    uscc: str = ""


class ChangeOrganisation(Proposable, frozen=True, kw_only=True, tag="org.changed"):
    """Other facts about a known organisation; all of them are given."""

    org: str
    name: str
    level: Level
    parent: str = ""
    division: str
    uscc: str = ""


class EnrolStaff(Proposable, frozen=True, kw_only=True, tag="staff.enrolled"):
    """Roles for a pseudonym."""

    staff: str
    org: str = WHOLE_LOG
    roles: tuple[Role, ...]


class DismissStaff(Proposable, frozen=True, kw_only=True, tag="staff.dismissed"):
    """No role for a pseudonym any more."""

    staff: str
    org: str = WHOLE_LOG


class DeclareEvent(Proposable, frozen=True, kw_only=True, tag="event.declared"):
    """A disaster or campaign to label gifts with; a gift dated before it `began` is shown with that."""

    event: str
    name: str
    began: str = ""
    emergency: bool = False


class OpenFund(Proposable, frozen=True, kw_only=True, tag="fund.opened"):
    """A new fund."""

    org: str
    fund: str
    name: str
    restriction: entries.Restriction = entries.Restriction()
    campaign: str = ""
    charges: bool = False
    management_ppm: int = -1
    over_ceiling: OverCeiling = "refused"
    receipt_fee_ppm: int = 0
    spending: tuple[Spending, ...] = ()


class OpenProject(Proposable, frozen=True, kw_only=True, tag="project.opened"):
    """A new project."""

    org: str
    project: str
    name: str
    category: str = ""
    region: str = ""
    event: str = ""
    budget_fen: int = 0
    starts: str = ""
    ends: str = ""


def open_log(command: OpenLog, books: Books) -> entries.LogOpened:
    """Entry 0: two different founders, so that four eyes are possible from the start."""
    if books.seq >= 0:
        raise AlreadyThere("the log is open")
    if len(command.origin) > MAX_ORIGIN or not _ORIGIN.fullmatch(command.origin):
        raise Invalid("origin: a schemeless address without trailing slash, such as ledger.example.org/log")
    check_text("operator", command.operator)
    if len(set(command.administrators)) != 2 or not all(map(STAFF_ID.fullmatch, command.administrators)):
        raise Invalid("administrators: two different pseudonyms, s- and 13 of a-z2-7")
    return entries.LogOpened(
        origin=command.origin, operator=command.operator, administrators=tuple(sorted(command.administrators))
    )


def register(command: RegisterOrganisation, books: Books) -> Effect:
    """A new organisation under a known parent."""
    check_id("org", command.org)
    if command.org in books.organisations:
        raise AlreadyThere(f"organisation {command.org} is registered", org=command.org)
    _check_organisation(command, books)
    return Effect(body=body_of(OrganisationRegistered, command), org=command.parent or WHOLE_LOG)


def change(command: ChangeOrganisation, books: Books) -> Effect:
    """New facts; the id stays, and the tree stays one."""
    known = books.organisation(command.org)
    _check_organisation(command, books)
    above = command.parent
    while above:
        if above == command.org:
            raise Invalid("parent: an organisation does not lie under itself", field="parent")
        above = books.organisation(above).parent
    # Who leaves an oversight is let go by it: a new parent needs an administrator of the old one.
    answers = command.org if command.parent == known.parent else known.parent
    return Effect(body=body_of(OrganisationChanged, command), org=answers)


def enrol(command: EnrolStaff, books: Books) -> Effect:
    """Roles are added to what the pseudonym holds."""
    if not STAFF_ID.fullmatch(command.staff):
        raise Invalid("staff: s- and 13 of a-z2-7", field="staff")
    if command.org:
        books.organisation(command.org)
    elif set(command.roles) - {Role.ADMINISTRATOR, Role.AUDITOR, Role.SUPERVISOR}:
        raise Invalid("roles: in the whole log only administrator, auditor, supervisor", field="roles")
    if not command.roles or len(set(command.roles)) != len(command.roles):
        raise Invalid("roles: at least one, none twice", field="roles")
    if set(command.roles) <= books.staff.get(command.staff, {}).get(command.org, frozenset()):
        raise AlreadyThere(f"{command.staff} holds these roles", staff=command.staff)
    roles = tuple(sorted(str(role) for role in command.roles))
    return Effect(body=entries.StaffEnrolled(staff=command.staff, org=command.org, roles=roles), org=command.org)


def dismiss(command: DismissStaff, books: Books) -> Effect:
    """Two administrators of the whole log always stay: four eyes need them."""
    if command.org not in books.staff.get(command.staff, {}):
        raise Unknown(f"{command.staff} holds no role there", staff=command.staff)
    if command.org == WHOLE_LOG and len(books.administrators() - {command.staff}) < 2:
        raise Invalid("at least two administrators of the whole log stay", field="staff")
    return Effect(body=entries.StaffDismissed(staff=command.staff, org=command.org), org=command.org)


def declare(command: DeclareEvent, books: Books, today: str) -> Effect:
    """A new event, which has begun or is expected on no particular day."""
    check_id("event", command.event)
    check_text("name", command.name)
    if command.began:
        check_day("began", command.began, latest=today)
    if command.event in books.events:
        raise AlreadyThere(f"event {command.event} is declared", event=command.event)
    return Effect(body=body_of(entries.EventDeclared, command), org=WHOLE_LOG)


def open_fund(command: OpenFund, books: Books) -> Effect:
    """A new fund of a known organisation."""
    books.organisation(command.org)
    check_id("fund", command.fund)
    check_text("name", command.name)
    if (command.org, command.fund) in books.funds:
        raise AlreadyThere(f"fund {command.fund} is open", fund=command.fund)
    wanted = command.restriction
    check_region(wanted.region)
    check_text("recipient", wanted.recipient, optional=True)
    for what, text in (("category", wanted.category), ("event", wanted.event), ("project", wanted.project)):
        if text:
            check_id(what, text)
    if wanted.event and wanted.event not in books.events:
        raise Unknown(f"event {wanted.event} is not declared", event=wanted.event)
    if command.campaign:
        check_known(command.campaign, command.org, books)
    if len(set(command.spending)) != len(command.spending):
        raise Invalid("spending: none twice", field="spending")
    body = body_of(FundOpened, command)
    check_clause(body)
    return Effect(body=msgspec.structs.replace(body, spending=tuple(sorted(command.spending))), org=command.org)


def open_project(command: OpenProject, books: Books) -> Effect:
    """A new project of a known organisation."""
    books.organisation(command.org)
    check_id("project", command.project)
    check_text("name", command.name)
    if (command.org, command.project) in books.projects:
        raise AlreadyThere(f"project {command.project} is open", project=command.project)
    check_region(command.region)
    if command.category:
        check_id("category", command.category)
    if command.event and command.event not in books.events:
        raise Unknown(f"event {command.event} is not declared", event=command.event)
    if type(command.budget_fen) is not int or not 0 <= command.budget_fen <= 2**53 - 1:
        raise Invalid("budget_fen: a whole number of fen", field="budget_fen")
    for what, day in (("starts", command.starts), ("ends", command.ends)):
        if day:
            check_day(what, day)
    if command.starts and command.ends and command.ends < command.starts:
        raise Invalid("ends: before starts", field="ends")
    return Effect(body=body_of(ProjectOpened, command), org=command.org)


def check_region(region: str) -> None:
    """A GB/T 2260 division or none. Raises Invalid."""
    if region and not _DIVISION.fullmatch(region):
        raise Invalid("region: six digits of GB/T 2260", field="region")


def is_uscc(text: str) -> bool:
    """Whether `text` is a unified social credit code with the right check character (GB 32100-2015)."""
    if not _USCC.fullmatch(text):
        return False
    total = sum(_USCC_SYMBOLS.index(symbol) * pow(3, i, 31) for i, symbol in enumerate(text[:17]))
    return _USCC_SYMBOLS[-total % 31] == text[17]


def _check_organisation(command: RegisterOrganisation | ChangeOrganisation, books: Books) -> None:
    check_text("name", command.name)
    if not _DIVISION.fullmatch(command.division):
        raise Invalid("division: six digits of GB/T 2260", field="division")
    if command.level not in LEVELS:
        raise Invalid(f"level: one of {', '.join(LEVELS)}", field="level")
    if command.parent:
        books.organisation(command.parent)
    if command.uscc and not is_uscc(command.uscc):
        raise Invalid("uscc: 18 characters with a right check character (GB 32100-2015)", field="uscc")
