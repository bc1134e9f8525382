"""Lies about campaigns, and large gifts without an agreement."""

from msgspec import structs

from ledger.approvals import SetPolicy
from ledger.verify.rule import Rule
from tests.rules.test_campaigns import AGREED, CAMPAIGN, FUND
from tests.support.model import Pen
from tests.support.society import ADMINISTRATOR, OTHER_CITY, gift, identification, settle, unidentified
from tests.verify.export import appended, forged, read, sealed
from tests.verify.forgeries.registry import forgery, free

RAISED = structs.replace(gift(5), fund="raised")


def raising() -> Pen:
    """A campaign, its fund, and a gift to that."""
    pen = free()
    settle(pen, CAMPAIGN)
    settle(pen, FUND)
    pen.write(RAISED)
    return pen


@forgery(Rule.CAMPAIGN)
def a_gift_from_before_its_campaign() -> list[bytes]:
    return forged(raising().written, -1, lambda value: value["body"].update(on="2026-10-31"))


@forgery(Rule.CAMPAIGN)
def a_gift_of_another_campaign_than_its_funds() -> list[bytes]:
    return forged(raising().written, -1, lambda value: value["body"].update(campaign="school-2026"))


@forgery(Rule.CAMPAIGN)
def a_found_gift_of_a_campaign_nobody_registered() -> list[bytes]:
    pen = free()
    (waits,) = pen.write(unidentified(5))
    pen.write(identification(waits.seq, 5))
    return forged(pen.written, -1, lambda value: value["body"].update(campaign="flood-2026"))


@forgery(Rule.CAMPAIGN)
def a_fund_of_a_campaign_of_somebody_else() -> list[bytes]:
    pen = free()
    settle(pen, structs.replace(CAMPAIGN, org=OTHER_CITY))
    settle(pen, structs.replace(FUND, campaign=""))
    return forged(pen.written, -1, lambda value: value["body"].update(campaign="flood-2026"))


@forgery(Rule.ID_UNIQUE)
def a_campaign_registered_twice() -> list[bytes]:
    pen = free()
    settle(pen, CAMPAIGN)
    return appended(pen.written)


@forgery(Rule.ENTRY_FORM)
def a_campaign_that_ends_before_it_begins() -> list[bytes]:
    pen = free()
    settle(pen, CAMPAIGN)
    return forged(pen.written, -1, lambda value: value["body"].update(last_on="2026-10-31"))


@forgery(Rule.TEXT_FORM)
def a_campaign_nobody_filed() -> list[bytes]:
    pen = free()
    settle(pen, CAMPAIGN)
    return forged(pen.written, -1, lambda value: value["body"].update(filing=" "))


@forgery(Rule.AGREEMENT)
def a_large_gift_without_its_agreement() -> list[bytes]:
    pen = free()
    settle(pen, SetPolicy(maker=ADMINISTRATOR, agreement_from=1_000))
    pen.write(structs.replace(gift(1_000), agreement=AGREED))
    return forged(pen.written, -1, lambda value: value["body"].pop("agreement"))


@forgery(Rule.AGREEMENT)
def a_large_gift_found_in_suspense_without_its_agreement() -> list[bytes]:
    pen = free()
    settle(pen, SetPolicy(maker=ADMINISTRATOR, agreement_from=1_000))
    (waits,) = pen.write(unidentified(1_000))
    pen.write(structs.replace(identification(waits.seq, 1_000), agreement=AGREED))
    return forged(pen.written, -1, lambda value: value["body"].pop("agreement"))


@forgery(Rule.POLICY_FORM)
def an_agreement_for_less_than_nothing() -> list[bytes]:
    pen = free()
    settle(pen, SetPolicy(maker=ADMINISTRATOR, agreement_from=1_000))
    log = read(pen.written)
    log[-1]["body"]["agreement_from"] = -2
    return sealed(log)
