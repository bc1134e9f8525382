"""Set-up: the log, organisations, people, policy, events, funds and projects."""

from typing import Literal

import msgspec

from ledger.account import Whole
from ledger.bodies.body import Body, Spending

OverCeiling = Literal["refused", "alarmed"]
Level = Literal["national", "province", "city", "county", "grassroots"]


class Restriction(Body, frozen=True):
    """What a project must have before this fund's money may reach it; empty: unrestricted.

    `recipient` is carried by the fund's line to the end, where it must equal the payee.
    """

    category: str = ""
    event: str = ""
    project: str = ""
    recipient: str = ""
    region: str = ""


class Tier(msgspec.Struct, frozen=True, array_like=True):
    """From this amount (fen, or pieces) this many approvals."""

    from_qty: Whole
    approvals: Whole


class Rule(Body, frozen=True):
    """Asked of one kind: approvals by amount; from which amount a decision document 三重一大 (-1: never)."""

    kind: str
    approvals: tuple[Tier, ...] = ()
    decision_from: Whole = -1


class LogOpened(Body, frozen=True):
    """Entry 0: the log's origin (the name its checkpoints carry), its operator, two founding administrators."""

    administrators: tuple[str, ...]
    operator: str
    origin: str


class OrganisationRegistered(Body, frozen=True):
    """An organisation keeps books here. Its id stays when it moves or is renamed; `division` is GB/T 2260."""

    division: str
    level: Level
    name: str
    org: str
    parent: str = ""
    uscc: str = ""


class OrganisationChanged(OrganisationRegistered, frozen=True):
    """The organisation's facts from now on, all of them."""


class StaffEnrolled(Body, frozen=True):
    """A pseudonym holds these roles in an organisation (none named: in the whole log). Adds to what it held."""

    roles: tuple[str, ...]
    staff: str
    org: str = ""


class StaffDismissed(Body, frozen=True):
    """A pseudonym holds no role in this organisation any more."""

    staff: str
    org: str = ""


class PolicySet(Body, frozen=True):
    """Replaces the policy: kinds not named need what the built-in table asks.

    `agreement_from`: a gift of so many fen needs a written agreement; -1: none does.
    `expires_days`: a proposal may be approved until so many days after it was made; 0: for ever.
    """

    agreement_from: Whole = -1
    expires_days: Whole = 0
    rules: tuple[Rule, ...] = ()


class EventDeclared(Body, frozen=True):
    """A disaster or campaign that gifts can be labelled with. `began`: the day it did; empty where it was not said."""

    event: str
    name: str
    began: str = ""
    emergency: bool = False


class FundOpened(Body, frozen=True):
    """Money under one restriction, and its fee clause. `campaign`: every gift to it is of that campaign.

    What it may be spent on (none named: aid and purchase), which fees it bears, how much of a year's spending may be
    management. Shares are in millionths; -1: no ceiling.
    """

    fund: str
    name: str
    org: str
    restriction: Restriction
    campaign: str = ""
    charges: bool = False
    management_ppm: Whole = -1
    over_ceiling: OverCeiling = "refused"
    receipt_fee_ppm: Whole = 0
    spending: tuple[Spending, ...] = ()


class ProjectOpened(Body, frozen=True):
    """What money is allocated to."""

    name: str
    org: str
    project: str
    budget_fen: Whole = 0
    category: str = ""
    ends: str = ""
    event: str = ""
    region: str = ""
    starts: str = ""
