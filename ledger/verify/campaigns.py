"""Campaigns, which a gift may not come before; and the written agreement of a large gift."""

from ledger import account
from ledger.entries import CampaignRegistered, MoneyIdentified, MoneyReceived
from ledger.verify.authority import check_entry
from ledger.verify.entry import Envelope, is_day
from ledger.verify.persons import check_digests
from ledger.verify.postings import none
from ledger.verify.rule import Rule
from ledger.verify.state import State


def registered(state: State, entry: Envelope, body: CampaignRegistered) -> None:
    """Of a known organisation, for days in order."""
    none(state, entry)
    check_entry(state, entry, body, body.org)
    if not (is_day(body.first_on) and is_day(body.last_on) and body.first_on <= body.last_on):
        state.find(Rule.ENTRY_FORM, "first and last day in this order", f"{body.first_on} to {body.last_on}")
    if body.org not in state.society.organisations:
        state.find(Rule.ORG_KNOWN, "a registered organisation", body.org)
    if not account.is_id(body.campaign):
        state.find(Rule.ID_FORM, "campaign: 1 to 32 of a-z, 0-9 and inner hyphens", body.campaign)
    if body.campaign in state.society.campaigns:
        state.find(Rule.ID_UNIQUE, "a new campaign", body.campaign)
    else:
        state.society.campaigns[body.campaign] = body


def check_known(state: State, campaign: str, org: str) -> CampaignRegistered | None:
    """A campaign of this organisation or of one above it."""
    known = state.society.campaigns.get(campaign)
    if known is None or known.org not in {org, *state.society.above(org)}:
        state.find(Rule.CAMPAIGN, f"a campaign of {org} or above", campaign)
        return None
    return known


def check_gift(state: State, body: MoneyReceived | MoneyIdentified, org: str) -> None:
    """A gift is of its fund's campaign, or of the one that it names; that had begun."""
    fund = state.society.funds.get((org, body.fund))
    of_fund = "" if fund is None else fund.campaign
    if body.campaign and of_fund not in {"", body.campaign}:
        state.find(Rule.CAMPAIGN, f"the fund's campaign {of_fund}", body.campaign)
        return
    its = body.campaign or of_fund
    known = check_known(state, its, org) if its else None
    if known is not None and body.on < known.first_on:
        state.find(Rule.CAMPAIGN, f"a day from {known.first_on} on", body.on)


def check_agreement(state: State, agreement: str, qty: int) -> None:
    """From the policy's amount on, a gift commits to its written agreement."""
    wanted_from = state.society.agreement_from
    if agreement:
        check_digests(state, "agreement", agreement)
    elif 0 <= wanted_from <= qty:
        state.find(Rule.AGREEMENT, f"a written agreement from {wanted_from} on", f"none for {qty}")
