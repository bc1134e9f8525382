"""Campaigns 募捐活动: which filed fundraising a gift belongs to; and the written agreement of a large gift."""

from ledger import entries
from ledger.books import Books
from ledger.command import Effect, Proposable, body_of, check_day, check_digest, check_id, check_text
from ledger.entries import CampaignRegistered, FundOpened
from ledger.refusals import AgreementRequired, AlreadyThere, Invalid, OutsideCampaign, Unknown


class RegisterCampaign(Proposable, frozen=True, kw_only=True, tag="campaign.registered"):
    """A fundraising plan was filed."""

    campaign: str
    org: str
    name: str
    filing: str
    first_on: str
    last_on: str


def register(command: RegisterCampaign, books: Books) -> Effect:
    """A new campaign. Its days may lie in the past: in an emergency a plan is filed up to ten days after the start."""
    books.organisation(command.org)
    check_id("campaign", command.campaign)
    check_text("name", command.name)
    check_text("filing", command.filing)
    if command.campaign in books.campaigns:
        raise AlreadyThere(f"campaign {command.campaign} is registered", campaign=command.campaign)
    check_day("first_on", command.first_on)
    check_day("last_on", command.last_on)
    if command.last_on < command.first_on:
        raise Invalid("last_on: before first_on", field="last_on")
    return Effect(body=body_of(CampaignRegistered, command), org=command.org)


def check_known(campaign: str, org: str, books: Books) -> CampaignRegistered:
    """A campaign of this organisation, or of one above it. Raises Unknown, Invalid."""
    known = books.campaigns.get(campaign)
    if known is None:
        raise Unknown(f"campaign {campaign} is not registered", campaign=campaign)
    if not books.lies_under(org, known.org):
        raise Invalid(f"campaign: {campaign} is of {known.org}, which is not above {org}", field="campaign")
    return known


def check_gift(campaign: str, on: str, org: str, fund: FundOpened, books: Books) -> None:
    """A gift names no other campaign than its fund's, and none that had not begun. Raises Invalid, OutsideCampaign.

    What comes after the last day is late, not refused: the money is there, and banks and platforms settle days later.
    """
    if campaign and fund.campaign not in {"", campaign}:
        raise Invalid(f"campaign: the fund is of {fund.campaign}", field="campaign")
    if not (its := campaign or fund.campaign):
        return
    known = check_known(its, org, books)
    if on < known.first_on:
        raise OutsideCampaign(f"campaign {its} began on {known.first_on}", campaign=its, first_on=known.first_on)


def check_agreement(agreement: str, qty: int, books: Books) -> None:
    """From the policy's amount on, a gift names the commitment of its written agreement. Raises AgreementRequired."""
    if agreement:
        check_digest("agreement", agreement)
    elif 0 <= books.agreement_from <= qty:
        raise AgreementRequired(
            f"a written agreement is needed from {books.agreement_from} fen", agreement_from=books.agreement_from
        )


def campaign_of(body: entries.MoneyReceived | entries.MoneyIdentified, fund: FundOpened) -> str:
    """The campaign a gift belongs to: the one it names, or its fund's; empty: none."""
    return body.campaign or fund.campaign
