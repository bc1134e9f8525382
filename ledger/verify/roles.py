"""Who may make and who may check what: the built-in table of DESIGN, section 4, as an auditor reads it.

Written down a second time on purpose: the deciding code has its own.
"""

from typing import NamedTuple

ADMINISTRATOR = "administrator"
_INTAKE, _FINANCE, _PROGRAMME, _APPROVER = "intake", "finance", "programme", "approver"

ROLES = frozenset({ADMINISTRATOR, _INTAKE, _FINANCE, _PROGRAMME, _APPROVER, "auditor", "supervisor"})
"""Every role there is."""

OF_THE_WHOLE_LOG = frozenset({ADMINISTRATOR, "auditor", "supervisor"})
"""Those that are given without an organisation."""


class Required(NamedTuple):
    """The maker holds one of these roles, each checker one of those; so many approvals at the least."""

    maker: frozenset[str]
    checker: frozenset[str] = frozenset()
    approvals: int = 0


def _set_up(approvals: int = 0) -> Required:
    return Required(frozenset({ADMINISTRATOR}), frozenset({ADMINISTRATOR}), approvals)


def _money(*makers: str, approvals: int = 0) -> Required:
    return Required(frozenset(makers), frozenset({_APPROVER}), approvals)


REQUIRED: dict[str, Required] = {
    "campaign.registered": _set_up(),
    "checkpoint.stamped": Required(frozenset({ADMINISTRATOR})),
    "delivery.confirmed": Required(frozenset({_PROGRAMME, _FINANCE})),
    "entry.reversed": _money(_FINANCE, approvals=1),
    "erasure.recorded": Required(frozenset({_FINANCE, ADMINISTRATOR}), frozenset({ADMINISTRATOR}), 1),
    "event.declared": _set_up(),
    "exchange.settled": _money(_FINANCE),
    "fee.charged": _money(_FINANCE),
    "feedback.published": _money(_PROGRAMME, _FINANCE),
    "fund.closed": _set_up(approvals=1),
    "fund.opened": _set_up(),
    "gift.redirected": _money(_FINANCE),
    "gift.refunded": _money(_FINANCE),
    "import.approved": _money(_FINANCE, approvals=1),
    "income.received": Required(frozenset({_INTAKE, _FINANCE})),
    "money.allocated": _money(_FINANCE, _PROGRAMME),
    "money.disbursed": _money(_FINANCE),
    "money.identified": Required(frozenset({_FINANCE})),
    "money.received": Required(frozenset({_INTAKE, _FINANCE})),
    "money.released": _money(_FINANCE, _PROGRAMME),
    "money.returned": _money(_FINANCE),
    "money.unidentified": Required(frozenset({_INTAKE, _FINANCE})),
    "org.changed": _set_up(),
    "org.registered": _set_up(),
    "period.closed": _money(_FINANCE, approvals=1),
    "pledge.ended": _money(_FINANCE, _PROGRAMME),
    "pledge.made": _money(_FINANCE, _PROGRAMME),
    "policy.set": _set_up(approvals=1),
    "project.closed": Required(frozenset({ADMINISTRATOR, _PROGRAMME}), frozenset({ADMINISTRATOR}), 1),
    "project.opened": Required(frozenset({ADMINISTRATOR, _PROGRAMME}), frozenset({ADMINISTRATOR})),
    "receipt.issued": Required(frozenset({_FINANCE, _INTAKE})),
    "receipt.voided": _money(_FINANCE),
    "receipt.waived": Required(frozenset({_FINANCE, _INTAKE})),
    "staff.dismissed": _set_up(approvals=1),
    "staff.enrolled": _set_up(approvals=1),
    "suspense.returned": _money(_FINANCE),
    "transfer.received": _money(_FINANCE),
    "transfer.returned": _money(_FINANCE),
    "transfer.sent": _money(_FINANCE),
}
"""Kinds that a person commands; those with checkers can wait for approval."""
