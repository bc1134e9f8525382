"""Grants to organisations as 360Giving (Data Standard 1.4): aid paid to institutions, and transfers to other societies.

Persons are never named in the ledger, and what is paid to them is paid to many at once, so it is no *grant to an
individual* of the standard: it is left out, and how much that is, is said.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from ledger.opendata.fen import yuan
from ledger.opendata.terms import Terms

MEDIA_TYPE = "application/json"
VERSION = "1.4"
MULTIPURPOSE = "FRG070"
"""Codelist regrantType: for onward grants as well as for the recipient's own work."""

PERSONS = "付给个人的款项（受助群众）"
NO_GRANT = "采购、筹款和管理等不是资助的支出"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """`id`: within the log. `recipient`: an organisation of the ledger, or empty for one that only has a name."""

    id: str
    title: str
    description: str
    awarded_fen: int
    disbursed_fen: int
    on: str
    funder: str
    funder_name: str
    recipient: str
    recipient_name: str
    programme: str = ""
    programme_name: str = ""
    region: str = ""
    is_regrant: bool = False


@dataclass(slots=True)
class LeftOut:
    """How much of what was paid is no grant to an organisation."""

    why: str
    count: int = 0
    sum_fen: int = 0

    def add(self, fen: int) -> None:
        """One more."""
        self.count += 1
        self.sum_fen += fen


def grant(of: Grant, terms: Terms, at: str) -> bytes:
    """One grant, as JSON. `at`: when the entry was made that it is as of."""
    found: dict[str, Any] = {
        "id": f"{terms.giving_prefix}-{of.id}",
        "title": of.title,
        "description": of.description,
        "currency": "CNY",
        "amountAwarded": msgspec.Raw(yuan(of.awarded_fen).encode()),
        "amountDisbursed": msgspec.Raw(yuan(of.disbursed_fen).encode()),
        "awardDate": of.on,
        "fundingOrganization": [{"id": _org_id(of.funder, of.funder_name, terms), "name": of.funder_name}],
        "recipientOrganization": [{"id": _org_id(of.recipient, of.recipient_name, terms), "name": of.recipient_name}],
        "dateModified": at,
    }
    if of.programme:
        found["grantProgramme"] = [{"code": of.programme, "title": of.programme_name}]
    if of.region:
        found["beneficiaryLocation"] = [{"name": f"行政区划代码 {of.region}", "countryCode": "CN"}]
    if of.is_regrant:
        found["regrantType"] = MULTIPURPOSE
    return msgspec.json.encode(found)


def closing(left_out: tuple[LeftOut, ...], terms: Terms, operator: str, at: str, seq: int) -> Mapping[str, Any]:
    """What is said of the package, behind the grants: `version`, `publisher`, `license`, what is not among them."""
    told = "；".join(f"{each.why} {each.count} 笔 {yuan(each.sum_fen)} 元" for each in left_out)
    return {
        "version": VERSION,
        "title": f"{operator}：对机构的资助",
        "description": f"数据截至账本第 {seq} 条。未列入：{told}。",
        "modified": at,
        "publisher": {"identifier": terms.giving_prefix, "name": operator},
        "license": terms.licence.url,
        "sunledger": {
            "as_of": seq,
            "left_out": [{"why": each.why, "count": each.count, "sum_fen": each.sum_fen} for each in left_out],
        },
    }


def _org_id(org: str, name: str, terms: Terms) -> str:
    """Our own identifiers: those of a register of the standard's list there are none for societies here."""
    if org:
        return f"{terms.giving_prefix}-org-{org}"
    return f"{terms.giving_prefix}-payee-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
