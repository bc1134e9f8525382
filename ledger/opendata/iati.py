"""Projects as activities of the International Aid Transparency Initiative (IATI activity standard 2.03).

An activity is a project. *Incoming funds* (code 1: "funds received for use on the activity, which can be from an
external or internal source") are what the society's funds put into it, less what went back. Money paid is a
*disbursement* (3) where an organisation gets it as aid, else an *expenditure* (4). What is taken back of either is a
negative transaction.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from xml.etree.ElementTree import Element, SubElement, tostring
from xml.sax.saxutils import quoteattr

from ledger.opendata.fen import yuan
from ledger.opendata.terms import Terms

MEDIA_TYPE = "application/xml"
VERSION = "2.03"

_INCOMING, _DISBURSEMENT, _EXPENDITURE = "1", "3", "4"  # codelist TransactionType
_IMPLEMENTATION, _CLOSED = "2", "4"  # ActivityStatus
_PLANNED_START, _ACTUAL_START, _PLANNED_END, _ACTUAL_END = "1", "2", "3", "4"  # ActivityDateType
_FUNDING, _IMPLEMENTING = "1", "4"  # OrganisationRole
_NATIONAL_NGO = "22"  # OrganisationType
_OWN_SECTORS = "99"  # SectorVocabulary: the reporting organisation's
_MOST_DAYS_OF_A_BUDGET = 366
"""The standard allows a budget's period to last a year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """A project as of an entry; days are ISO 8601 and empty where there is none."""

    org: str
    org_name: str
    project: str
    name: str
    category: str
    region: str
    event: str
    budget_fen: int
    starts: str
    ends: str
    opened_on: str
    closed_on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """What one effect changed of a project's money: `incoming_fen` came in, `outgoing_fen` was paid; less than 0: back.

    `payee`: an organisation; empty: persons, or nobody was paid. `is_aid`: it was given to the payee, not for wares.
    """

    seq: int
    day: date
    what: str
    incoming_fen: int
    outgoing_fen: int
    payee: str
    is_aid: bool


def opening(at: str) -> str:
    """The file's beginning. `at`: when the entry was made that the file is as of."""
    root = f'<iati-activities version="{VERSION}" generated-datetime={quoteattr(at)}>'
    return f'<?xml version="1.0" encoding="utf-8"?>\n{root}\n'


CLOSING = "</iati-activities>\n"


def activity(of: Activity, transactions: Iterable[Transaction], terms: Terms, operator: str) -> str:
    """One activity, in the order of elements that the schema wants."""
    root = Element("iati-activity", {"xml:lang": "zh", "default-currency": "CNY"})
    if of.event:
        root.set("humanitarian", "1")
    SubElement(root, "iati-identifier").text = f"{terms.iati_org}-{of.org}-{of.project}"
    _narrated(root, "reporting-org", operator, ref=terms.iati_org, type=_NATIONAL_NGO)
    _narrated(root, "title", of.name)
    _narrated(root, "description", _described(of), type="1")
    for role in (_FUNDING, _IMPLEMENTING):
        _narrated(root, "participating-org", of.org_name, role=role, type=_NATIONAL_NGO)
    SubElement(root, "activity-status", code=_CLOSED if of.closed_on else _IMPLEMENTATION)
    for kind, day in (
        (_PLANNED_START, of.starts),
        (_ACTUAL_START, of.opened_on),
        (_PLANNED_END, of.ends),
        (_ACTUAL_END, of.closed_on),
    ):
        if day:
            SubElement(root, "activity-date", {"type": kind, "iso-date": day})
    SubElement(root, "recipient-country", code="CN", percentage="100")
    if of.category:
        SubElement(root, "sector", vocabulary=_OWN_SECTORS, code=of.category, percentage="100")
    _budget(root, of)
    for each in transactions:
        if each.incoming_fen:
            _transaction(root, _INCOMING, each, each.incoming_fen, provider=of.org_name)
        if each.outgoing_fen:
            kind = _DISBURSEMENT if each.is_aid and each.payee else _EXPENDITURE
            _transaction(root, kind, each, each.outgoing_fen, provider=of.org_name)
    return tostring(root, "unicode") + "\n"


def _described(of: Activity) -> str:
    where = f"，行政区划代码 {of.region}" if of.region else ""
    return f"{of.org_name}的项目{where}"


def _budget(root: Element, of: Activity) -> None:
    """Only one that somebody set, for a period somebody set."""
    if not (of.budget_fen and of.starts and of.ends):
        return
    days = (date.fromisoformat(of.ends) - date.fromisoformat(of.starts)).days
    if not 0 <= days < _MOST_DAYS_OF_A_BUDGET:
        return
    budget = SubElement(root, "budget", type="1", status="1")
    SubElement(budget, "period-start", {"iso-date": of.starts})
    SubElement(budget, "period-end", {"iso-date": of.ends})
    SubElement(budget, "value", {"value-date": of.starts}).text = yuan(of.budget_fen)


def _transaction(root: Element, kind: str, of: Transaction, fen: int, *, provider: str) -> None:
    found = SubElement(root, "transaction", ref=str(of.seq))
    SubElement(found, "transaction-type", code=kind)
    SubElement(found, "transaction-date", {"iso-date": str(of.day)})
    SubElement(found, "value", {"value-date": str(of.day)}).text = yuan(fen)
    if of.what:
        _narrated(found, "description", of.what)
    _narrated(found, "provider-org", provider)
    if of.payee and kind != _INCOMING:
        _narrated(found, "receiver-org", of.payee)


def _narrated(parent: Element, name: str, text: str, **attributes: str) -> None:
    SubElement(SubElement(parent, name, attributes), "narrative").text = text
