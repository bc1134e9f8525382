"""Lies about money between organisations."""

from ledger.verify.rule import Rule
from tests.support.model import Pen
from tests.support.society import FINANCE, NEIGHBOUR, arrival, gift, sending, sent_back
from tests.verify.export import forged
from tests.verify.forgeries.postings import GENERAL, posted
from tests.verify.forgeries.registry import forgery, free

TRANSIT = "transit:330800:330100"
NEIGHBOURS = "fund:330100:general"


@forgery(Rule.FIRST_IN_FIRST_OUT)
def a_transfer_of_the_newest_money() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    pen.write(gift(5))
    pen.write(sending(5))
    return posted(pen.written, [GENERAL, 5, TRANSIT, 0, 5, "CNY"])


@forgery(Rule.POSTING_ACCOUNT)
def a_transfer_to_an_organisation_nobody_registered() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    pen.write(sending(5))
    return posted(pen.written, [GENERAL, 0, "transit:330800:330900", 0, 5, "CNY"])


@forgery(Rule.POSTINGS_OF_KIND, Rule.ROLE_OF_MAKER)
def a_transfer_that_skips_transit() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    pen.write(sending(5))
    return posted(pen.written, [GENERAL, 0, NEIGHBOURS, 0, 5, "CNY"])


@forgery(Rule.TARGET_CITED)
def a_transfer_received_out_of_another_one() -> list[bytes]:
    pen = free()
    pen.write(gift(10))
    (first, *_), _ = pen.write(sending(5)), pen.write(sending(5))
    pen.write(arrival(first.seq))
    return posted(pen.written, [TRANSIT, 5, NEIGHBOURS, 0, 5, "CNY"])


@forgery(Rule.TARGET_CITED)
def a_transfer_received_that_cites_its_gift() -> list[bytes]:
    pen = _sent("general")
    pen.write(arrival(pen.books.seq))
    return forged(pen.written, -1, lambda value: value["body"].update(ref=value["body"]["ref"] - 1))


@forgery(Rule.RESTRICTION)
def flood_money_received_for_anything() -> list[bytes]:
    pen = _sent("flood")
    pen.write(arrival(pen.books.seq, fund="flood"))
    return posted(pen.written, [TRANSIT, 0, NEIGHBOURS, 0, 5, "CNY"])


@forgery(Rule.RETURN_HOME)
def flood_money_that_comes_back_for_anything() -> list[bytes]:
    pen = _sent("flood")
    pen.write(sent_back(pen.books.seq))
    return posted(pen.written, [TRANSIT, 0, GENERAL, 0, 5, "CNY"])


@forgery(Rule.ROLE_OF_MAKER)
def a_transfer_received_by_the_sender() -> list[bytes]:
    pen = _sent("general")
    pen.write(arrival(pen.books.seq))
    return forged(pen.written, -1, lambda value: value["by"].update(maker=FINANCE))


@forgery(Rule.ROLE_OF_MAKER)
def a_transfer_sent_by_the_receiver() -> list[bytes]:
    pen = _sent("general")
    return forged(pen.written, -1, lambda value: value["by"].update(maker=NEIGHBOUR))


@forgery(Rule.SPENT_ONCE)
def a_transfer_received_and_sent_back() -> list[bytes]:
    pen = _sent("general")
    ref = pen.books.seq
    pen.write(arrival(ref, 3))
    pen.write(sent_back(ref))
    return posted(pen.written, [TRANSIT, 2, GENERAL, 5, 3, "CNY"])


def _sent(fund: str) -> Pen:
    pen = free()
    pen.write(gift(5, fund))
    pen.write(sending(5, fund))
    return pen
