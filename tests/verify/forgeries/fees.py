"""Lies about fees, and about what a fund's clause lets pass."""

from ledger.approvals import ApproveProposal
from ledger.organisations import OpenFund
from ledger.verify.rule import Rule
from tests.support.society import ADMINISTRATOR, APPROVER, CITY, allocation, charge, gift, handed_back, payment
from tests.verify.export import forged, read, sealed
from tests.verify.forgeries.postings import posted
from tests.verify.forgeries.registry import forgery, free, strict

PLATFORM = "fund:330800:platform"
FEES = "fees:330800"
DONORS = "donors:330800"


@forgery(Rule.FEE_CLAUSE)
def a_fee_higher_than_the_clause() -> list[bytes]:
    pen = free()
    pen.write(gift(10, "platform"))
    return posted(pen.written, [DONORS, -1, PLATFORM, 0, 7, "CNY"], [DONORS, -1, FEES, 0, 3, "CNY"])


@forgery(Rule.FEE_CLAUSE)
def a_gift_without_the_fee_that_others_bear() -> list[bytes]:
    pen = free()
    pen.write(gift(10, "platform"))
    return posted(pen.written, [DONORS, -1, PLATFORM, 0, 10, "CNY"])


@forgery(Rule.FEE_CLAUSE)
def a_fee_of_a_fund_whose_clause_takes_none() -> list[bytes]:
    pen = free()
    pen.write(gift(10))
    return posted(pen.written, [DONORS, -1, "fund:330800:general", 0, 9, "CNY"], [DONORS, -1, FEES, 0, 1, "CNY"])


@forgery(Rule.FEE_CLAUSE)
def a_later_fee_of_a_fund_whose_clause_allows_none() -> list[bytes]:
    pen = free()
    pen.write(gift(10))
    pen.write(gift(12, "platform"))
    pen.write(charge(4))
    return posted(pen.written, ["fund:330800:general", 0, FEES, 3, 4, "CNY"])


@forgery(Rule.FIRST_IN_FIRST_OUT)
def a_later_fee_of_the_newest_money() -> list[bytes]:
    pen = free()
    pen.write(gift(12, "platform"))
    pen.write(charge(4))
    return posted(pen.written, [PLATFORM, 5, FEES, 3, 4, "CNY"])


@forgery(Rule.PROPOSAL_COMMITMENT)
def a_later_fee_for_another_channel_than_was_approved() -> list[bytes]:
    pen = strict()
    pen.write(gift(12, "platform"))
    (made,) = pen.write(charge(4))
    pen.write(ApproveProposal(maker=APPROVER, proposal=made.seq))
    log = read(pen.written)
    log[-1]["body"]["channel"] = "wechat"
    return sealed(log, recommitted=False)


@forgery(Rule.MANAGEMENT_CEILING)
def management_cost_over_the_ceiling() -> list[bytes]:
    pen = free()
    pen.write(gift(12, "platform"))
    pen.write(allocation(9, "platform", "anything"))
    pen.write(payment(9, "anything"))
    return forged(pen.written, -1, lambda value: value["body"].update(spending="management"))


@forgery(Rule.MANAGEMENT_CEILING)
def management_cost_over_the_ceiling_once_aid_came_back() -> list[bytes]:
    pen = free()
    pen.write(gift(40, "platform"))
    pen.write(allocation(30, "platform", "anything"))
    (paid,) = pen.write(payment(12, "anything"))
    pen.write(handed_back(paid.seq, 11))
    pen.write(payment(8, "anything"))
    return forged(pen.written, -1, lambda value: value["body"].update(spending="management"))


@forgery(Rule.ENTRY_FORM)
def a_clause_of_more_than_everything() -> list[bytes]:
    pen = free()
    pen.write(OpenFund(maker=ADMINISTRATOR, org=CITY, fund="club", name="club"))
    return forged(pen.written, -1, lambda value: value["body"].update(receipt_fee_ppm=1_000_000))
