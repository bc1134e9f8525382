"""Who may make and who may check each kind of entry: the built-in table, which a policy may only tighten."""

from enum import StrEnum
from typing import NamedTuple


class Role(StrEnum):
    """What a pseudonym may do in an organisation (named by `org`), or in the whole log (no organisation)."""

    ADMINISTRATOR = "administrator"
    """Sets up organisations, staff, funds, projects, policy; also in every organisation below."""
    INTAKE = "intake"
    """Records gifts as they arrive: a cashier, or a channel's connector."""
    FINANCE = "finance"
    """Prepares allocations, payments, refunds, imports."""
    PROGRAMME = "programme"
    """Prepares allocations; records confirmations and feedback."""
    APPROVER = "approver"
    """Checks what finance and programme prepare."""
    AUDITOR = "auditor"
    """Reads everything, posts nothing."""
    SUPERVISOR = "supervisor"
    """Reads everything, posts nothing; the supervisory board 监事会."""


class Required(NamedTuple):
    """Roles of which the maker needs one, roles of which each checker needs one, and approvals at the least."""

    maker: tuple[Role, ...]
    checker: tuple[Role, ...] = ()
    approvals: int = 0


_ADMINISTRATOR = (Role.ADMINISTRATOR,)
_APPROVER = (Role.APPROVER,)

REQUIRED: dict[str, Required] = {
    "campaign.registered": Required(_ADMINISTRATOR, _ADMINISTRATOR),
    "checkpoint.stamped": Required(_ADMINISTRATOR),
    "delivery.confirmed": Required((Role.PROGRAMME, Role.FINANCE)),
    "entry.reversed": Required((Role.FINANCE,), _APPROVER, approvals=1),
    "erasure.recorded": Required((Role.FINANCE, Role.ADMINISTRATOR), _ADMINISTRATOR, approvals=1),
    "event.declared": Required(_ADMINISTRATOR, _ADMINISTRATOR),
    "exchange.settled": Required((Role.FINANCE,), _APPROVER),
    "fee.charged": Required((Role.FINANCE,), _APPROVER),
    "feedback.published": Required((Role.PROGRAMME, Role.FINANCE), _APPROVER),
    "fund.closed": Required(_ADMINISTRATOR, _ADMINISTRATOR, approvals=1),
    "fund.opened": Required(_ADMINISTRATOR, _ADMINISTRATOR),
    "gift.redirected": Required((Role.FINANCE,), _APPROVER),
    "gift.refunded": Required((Role.FINANCE,), _APPROVER),
    "import.approved": Required((Role.FINANCE,), _APPROVER, approvals=1),
    "income.received": Required((Role.INTAKE, Role.FINANCE)),
    "money.allocated": Required((Role.FINANCE, Role.PROGRAMME), _APPROVER),
    "money.disbursed": Required((Role.FINANCE,), _APPROVER),
    "money.identified": Required((Role.FINANCE,)),
    "money.received": Required((Role.INTAKE, Role.FINANCE)),
    "money.released": Required((Role.FINANCE, Role.PROGRAMME), _APPROVER),
    "money.returned": Required((Role.FINANCE,), _APPROVER),
    "money.unidentified": Required((Role.INTAKE, Role.FINANCE)),
    "org.changed": Required(_ADMINISTRATOR, _ADMINISTRATOR),
    "org.registered": Required(_ADMINISTRATOR, _ADMINISTRATOR),
    "period.closed": Required((Role.FINANCE,), _APPROVER, approvals=1),
    "pledge.ended": Required((Role.FINANCE, Role.PROGRAMME), _APPROVER),
    "pledge.made": Required((Role.FINANCE, Role.PROGRAMME), _APPROVER),
    "policy.set": Required(_ADMINISTRATOR, _ADMINISTRATOR, approvals=1),
    "project.closed": Required((Role.ADMINISTRATOR, Role.PROGRAMME), _ADMINISTRATOR, approvals=1),
    "project.opened": Required((Role.ADMINISTRATOR, Role.PROGRAMME), _ADMINISTRATOR),
    "receipt.issued": Required((Role.FINANCE, Role.INTAKE)),
    "receipt.voided": Required((Role.FINANCE,), _APPROVER),
    "receipt.waived": Required((Role.FINANCE, Role.INTAKE)),
    "staff.dismissed": Required(_ADMINISTRATOR, _ADMINISTRATOR, approvals=1),
    "staff.enrolled": Required(_ADMINISTRATOR, _ADMINISTRATOR, approvals=1),
    "suspense.returned": Required((Role.FINANCE,), _APPROVER),
    "transfer.received": Required((Role.FINANCE,), _APPROVER),
    "transfer.returned": Required((Role.FINANCE,), _APPROVER),
    "transfer.sent": Required((Role.FINANCE,), _APPROVER),
}
"""Kinds a person commands. Every kind with a checker may be given approvals by `policy.set`."""
