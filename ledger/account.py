"""Accounts: every place where a fen or a box can be. An account is an (address, unit) pair."""

import re
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, NamedTuple, TypeAlias

import msgspec

CNY = "CNY"
"""The unit of money: one whole fen."""

MAX_POSITION = 2**53 - 1
"""A line ends here at most: the largest integer every JSON reader keeps exact (RFC 8785, RFC 7493)."""

Whole: TypeAlias = Annotated[int, msgspec.Meta(ge=-MAX_POSITION, le=MAX_POSITION)]
"""An integer as entries carry it."""

MAX_ADDRESS_BYTES = 160

_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")


class AccountClass(StrEnum):
    """What an account does with positions."""

    SOURCE = "source"
    """Only gives; has no line."""
    INSIDE = "inside"
    """Holds what an organisation answers for."""
    SINK = "sink"
    """Where quantities leave. It has a line, so what comes back is taken from exact positions."""


CLASSES: dict[str, tuple[AccountClass, int]] = {
    "donors": (AccountClass.SOURCE, 1),
    "income": (AccountClass.SOURCE, 2),
    "unidentified": (AccountClass.SOURCE, 1),
    "fund": (AccountClass.INSIDE, 2),
    "project": (AccountClass.INSIDE, 3),
    "suspense": (AccountClass.INSIDE, 1),
    "transit": (AccountClass.INSIDE, 2),
    "fees": (AccountClass.SINK, 1),
    "losses": (AccountClass.SINK, 1),
    "payees": (AccountClass.SINK, 1),
    "refunds": (AccountClass.SINK, 1),
    "voided": (AccountClass.SINK, 1),
}
"""Kind of account → its class and how many ids follow it in the address; the first id is the organisation."""


class Account(NamedTuple):
    """One line of the ledger: an address and the unit counted on it."""

    address: str
    unit: str


class Address(NamedTuple):
    """The parts of an address."""

    kind: str
    org: str
    rest: tuple[str, ...]


def is_id(text: str) -> bool:
    """Whether `text` can name an organisation, fund, project, event or channel."""
    return _ID.fullmatch(text) is not None


@lru_cache(maxsize=65_536)
def parse(address: str) -> Address:
    """The parts of `address`. Raises ValueError for anything no account can have."""
    kind, *ids = address.split(":")
    if kind not in CLASSES or len(ids) != CLASSES[kind][1] or not all(map(is_id, ids)):
        raise ValueError(f"not an address: {address[:MAX_ADDRESS_BYTES]!r}")
    assert len(address) <= MAX_ADDRESS_BYTES, "follows from the length of ids"
    return Address(kind, ids[0], tuple(ids[1:]))


def class_of(address: str) -> AccountClass:
    """Source, inside or sink."""
    return CLASSES[parse(address).kind][0]


def has_line(address: str) -> bool:
    """Sources have no line."""
    return class_of(address) is not AccountClass.SOURCE


def answering(addresses: Iterable[str]) -> set[str]:
    """The organisations whose funds or projects these are; transit is nobody's to give."""
    return {place.org for address in addresses if (place := parse(address)).kind in {"fund", "project"}}


def donors(org: str) -> str:
    """Source of gifts."""
    return f"donors:{org}"


def income(org: str, kind: str) -> str:
    """Source of money that nobody donated."""
    return f"income:{org}:{kind}"


def unidentified(org: str) -> str:
    """Source of bank money whose donor is not known yet."""
    return f"unidentified:{org}"


def suspense(org: str) -> str:
    """Money whose donor is not known yet."""
    return f"suspense:{org}"


def fees(org: str) -> str:
    """Fees of channels and platforms."""
    return f"fees:{org}"


def losses(org: str) -> str:
    """Written off."""
    return f"losses:{org}"


def fund(org: str, fund_id: str) -> str:
    """Money under one restriction."""
    return f"fund:{org}:{fund_id}"


def project(org: str, project_id: str, fund_id: str) -> str:
    """Money of one fund allocated to a project: a line per fund, so that the donor's intent holds to the end."""
    return f"project:{org}:{project_id}:{fund_id}"


def transit(sender: str, receiver: str) -> str:
    """Money one organisation sent and the other has not received yet."""
    return f"transit:{sender}:{receiver}"


def voided(org: str) -> str:
    """What never happened: a gift taken back."""
    return f"voided:{org}"


def payees(org: str) -> str:
    """Money paid."""
    return f"payees:{org}"


def refunds(org: str) -> str:
    """Money given back to its donor."""
    return f"refunds:{org}"
