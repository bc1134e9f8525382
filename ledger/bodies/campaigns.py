"""Campaigns 募捐活动: what was filed with the civil affairs department before money was asked for in public."""

from ledger.bodies.body import Body


class CampaignRegistered(Body, frozen=True):
    """A filed public fundraising: `filing` is its number 备案编号, the days those of the filed plan, both included."""

    campaign: str
    filing: str
    first_on: str
    last_on: str
    name: str
    org: str
