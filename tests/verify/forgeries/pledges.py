"""Lies about promises."""

from ledger.pledges import EndPledge, MakePledge
from ledger.verify.rule import Rule
from tests.support.model import TODAY
from tests.support.society import CITY, FINANCE
from tests.verify.export import appended, forged
from tests.verify.forgeries.registry import forgery, free

PROMISE = MakePledge(maker=FINANCE, org=CITY, fund="general", amount_fen=50, promiser="person", on=TODAY)


@forgery(Rule.PLEDGE)
def a_pledge_that_ends_twice() -> list[bytes]:
    pen = free()
    (made,) = pen.write(PROMISE)
    pen.write(EndPledge(maker=FINANCE, org=CITY, ref=made.seq, outcome="lapsed", on=TODAY))
    return appended(pen.written)


@forgery(Rule.PLEDGE)
def a_pledge_of_less_than_nothing() -> list[bytes]:
    pen = free()
    pen.write(PROMISE)
    return forged(pen.written, -1, lambda value: value["body"].update(amount_fen=-50))


@forgery(Rule.POSTINGS_OF_KIND)
def a_pledge_that_is_booked_as_money() -> list[bytes]:
    pen = free()
    pen.write(PROMISE)
    posting = ["donors:330800", -1, "fund:330800:general", 0, 50, "CNY"]
    return forged(pen.written, -1, lambda value: value.update(postings=[posting]))
