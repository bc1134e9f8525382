"""Lies about postings."""

from ledger.allocations import AllocateMoney
from ledger.verify.rule import Rule
from tests.support.model import TODAY
from tests.support.society import CITY, FINANCE, OTHER_CITY, allocation, gift, payment, refund
from tests.verify.export import Value, appended, forged, read, sealed
from tests.verify.forgeries.registry import forgery, free, lawless, strict

GENERAL = "fund:330800:general"
RELIEF = "project:330800:relief:general"


def posted(written: list[bytes], *postings: list[object]) -> list[bytes]:
    """The last entry with these postings instead."""
    return forged(written, -1, lambda value: value.update(postings=[*postings]))


@forgery(Rule.POLICY_FIRST)
def a_gift_before_the_first_policy() -> list[bytes]:
    given = free()
    given.write(gift(5))
    (value,) = read(given.written)[-1:]
    log = read(lawless().written)
    return sealed([*log, value | {"seq": len(log), "at": log[-1]["at"]}])


@forgery(Rule.POSTING_COUNT)
def an_entry_of_501_postings() -> list[bytes]:
    pen = free()
    for _ in range(501):
        (given,) = pen.write(gift(2))
        pen.write(refund(given.seq, 1))
    pen.write(allocation(501))
    *log, first, second = read(pen.written)
    del first["body"]["part"]
    return sealed([*log, first | {"postings": first["postings"] + second["postings"]}])


@forgery(Rule.POSTING_ACCOUNT)
def a_gift_to_a_fund_nobody_opened() -> list[bytes]:
    pen = free()
    pen.write(gift(5))

    def change(value: Value) -> None:
        value["postings"][0][2] = "fund:330800:slush"
        value["body"]["fund"] = "slush"

    return forged(pen.written, -1, change)


@forgery(Rule.POSTING_ACCOUNT)
def a_payment_into_a_kind_of_account_that_does_not_exist() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    pen.write(allocation(5))
    pen.write(payment(5))
    return posted(pen.written, [RELIEF, 0, "pocket:330800", 0, 5, "CNY"])


@forgery(Rule.POSTING_ACCOUNT)
def a_gift_to_an_organisation_nobody_registered() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    return posted(pen.written, ["donors:999999", -1, "fund:999999:general", 0, 5, "CNY"])


@forgery(Rule.POSTING_UNIT)
def a_gift_of_dollars_on_a_line_of_fen() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    return posted(pen.written, ["donors:330800", -1, GENERAL, 0, 5, "USD"])


@forgery(Rule.POSTING_SOURCE)
def money_out_of_nowhere_in_the_name_of_a_fund() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    pen.write(allocation(5))
    return posted(pen.written, [GENERAL, -1, RELIEF, 0, 5, "CNY"])


@forgery(Rule.POSTING_SOURCE)
def a_gift_out_of_positions_of_the_outside_world() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    return posted(pen.written, ["donors:330800", 0, GENERAL, 0, 5, "CNY"])


@forgery(Rule.POSTING_SOURCE)
def a_refund_into_the_donors_themselves() -> list[bytes]:
    pen = free()
    (given,) = pen.write(gift(5))
    pen.write(refund(given.seq))
    return posted(pen.written, [GENERAL, 0, "donors:330800", 0, 5, "CNY"])


@forgery(Rule.POSTING_SELF)
def a_fund_allocates_to_itself() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    pen.write(allocation(5))
    return posted(pen.written, [GENERAL, 0, GENERAL, 5, 5, "CNY"])


@forgery(Rule.POSTING_QUANTITY)
def a_gift_of_nothing() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    return posted(pen.written, ["donors:330800", -1, GENERAL, 0, 0, "CNY"])


@forgery(Rule.POSTING_QUANTITY)
def a_gift_of_less_than_nothing() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    return posted(pen.written, ["donors:330800", -1, GENERAL, 0, -5, "CNY"])


@forgery(Rule.POSTING_QUANTITY)
def a_gift_beyond_the_end_of_its_line() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    pen.write(gift(5))
    return posted(pen.written, ["donors:330800", -1, GENERAL, 5, 2**53 - 5, "CNY"])


@forgery(Rule.POSTINGS_OF_KIND)
def an_allocation_straight_to_the_payees() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    pen.write(allocation(5))
    return posted(pen.written, [GENERAL, 0, "payees:330800", 0, 5, "CNY"])


@forgery(Rule.POSTINGS_OF_KIND)
def an_allocation_that_changes_the_fund_on_the_way() -> list[bytes]:
    pen = free()
    pen.write(gift(5, "flood"))
    pen.write(allocation(5, "flood"))
    return posted(pen.written, ["fund:330800:flood", 0, RELIEF, 0, 5, "CNY"])


@forgery(Rule.POSTINGS_OF_KIND)
def a_gift_credited_to_another_fund_than_it_says() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    return posted(pen.written, ["donors:330800", -1, "fund:330800:flood", 0, 5, "CNY"])


@forgery(Rule.POSTINGS_OF_KIND)
def a_gift_in_two_postings() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    credit: list[object] = ["donors:330800", -1, GENERAL, 0, 2, "CNY"]
    return posted(pen.written, credit, ["donors:330800", -1, GENERAL, 2, 3, "CNY"])


@forgery(Rule.POSTINGS_OF_KIND)
def an_allocation_that_moves_nothing() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    pen.write(allocation(5))
    return forged(pen.written, -1, lambda value: value.pop("postings"))


@forgery(Rule.POSTINGS_OF_KIND)
def a_payment_from_another_project_than_it_says() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    pen.write(allocation(5, project="anything"))
    pen.write(payment(5, "anything"))
    return forged(pen.written, -1, lambda value: value["body"].update(project="relief"))


@forgery(Rule.POSTINGS_OF_KIND)
def money_that_moves_while_a_proposal_is_approved() -> list[bytes]:
    pen = strict()
    pen.write(gift(50))
    pen.write(allocation(12, decision="红〔2026〕1号"))
    log = read(pen.written)
    body = {"org": CITY, "proposal": log[-1]["seq"]}
    sneaked = [[GENERAL, 0, RELIEF, 0, 5, "CNY"]]
    by = {"maker": "s-approver22222"}
    return appended(pen.written, kind="proposal.approved", body=body, by=by, postings=sneaked)


@forgery(Rule.LINE_TILED)
def a_gift_that_leaves_a_gap_on_its_line() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    pen.write(gift(5))
    return posted(pen.written, ["donors:330800", -1, GENERAL, 6, 5, "CNY"])


@forgery(Rule.LINE_TILED)
def a_gift_on_positions_of_another_gift() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    pen.write(gift(5))
    return posted(pen.written, ["donors:330800", -1, GENERAL, 4, 5, "CNY"])


@forgery(Rule.LINE_TILED)
def a_gift_made_smaller_in_the_middle_of_the_log() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    (second,) = pen.write(gift(9))
    pen.write(gift(5))
    return forged(pen.written, second.seq, lambda value: value["postings"][0].__setitem__(4, 8))


@forgery(Rule.LINE_TILED)
def an_allocation_that_arrives_beside_the_end_of_the_line() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    pen.write(allocation(5))
    return posted(pen.written, [GENERAL, 0, RELIEF, 1, 5, "CNY"])


@forgery(Rule.SPENT_AFTER_CREDIT)
def an_allocation_of_money_nobody_gave() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    pen.write(allocation(5))
    return posted(pen.written, [GENERAL, 0, RELIEF, 0, 6, "CNY"])


@forgery(Rule.SPENT_AFTER_CREDIT)
def a_payment_before_the_allocation_that_credits_it() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    (allocated,) = pen.write(allocation(5))
    (paid,) = pen.write(payment(5))
    log = read(pen.written)
    log[allocated.seq], log[paid.seq] = (
        log[paid.seq] | {"seq": allocated.seq, "at": log[allocated.seq]["at"]},
        log[allocated.seq] | {"seq": paid.seq, "at": log[paid.seq]["at"]},
    )
    return sealed(log)


@forgery(Rule.SPENT_ONCE)
def the_same_fen_allocated_twice() -> list[bytes]:
    pen = free()
    pen.write(gift(10))
    pen.write(allocation(5))
    pen.write(allocation(5))
    return posted(pen.written, [GENERAL, 0, RELIEF, 5, 5, "CNY"])


@forgery(Rule.SPENT_ONCE)
def the_same_fen_twice_in_one_entry() -> list[bytes]:
    pen = free()
    pen.write(gift(10))
    pen.write(allocation(5))
    first: list[object] = [GENERAL, 0, RELIEF, 0, 3, "CNY"]
    return posted(pen.written, first, [GENERAL, 2, RELIEF, 3, 2, "CNY"])


@forgery(Rule.SPENT_HELD)
def an_allocation_of_what_a_refund_holds() -> list[bytes]:
    pen = strict()
    (given,) = pen.write(gift(5))
    pen.write(gift(5))
    pen.write(refund(given.seq))
    pen.write(allocation(4))
    return posted(pen.written, [GENERAL, 0, RELIEF, 0, 4, "CNY"])


@forgery(Rule.TARGET_CITED, Rule.ROLE_OF_MAKER)
def a_refund_into_another_organisations_account() -> list[bytes]:
    pen = free()
    (given,) = pen.write(gift(5))
    pen.write(refund(given.seq))
    return posted(pen.written, [GENERAL, 0, f"refunds:{OTHER_CITY}", 0, 5, "CNY"])


@forgery(Rule.POSTINGS_OF_KIND)
def an_allocation_to_two_projects_at_once() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    pen.write(AllocateMoney(maker=FINANCE, org=CITY, fund="general", project="relief", amount_fen=5, on=TODAY))
    first: list[object] = [GENERAL, 0, RELIEF, 0, 3, "CNY"]
    return posted(pen.written, first, [GENERAL, 3, "project:330800:anything:general", 0, 2, "CNY"])
