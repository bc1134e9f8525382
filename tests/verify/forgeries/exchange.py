"""Lies about foreign currency."""

import msgspec

from ledger.donations import ReceiveMoney
from ledger.exchange import SettleExchange
from ledger.verify.rule import Rule
from tests.support.model import TODAY, Pen
from tests.support.society import APPROVER, CITY, FINANCE, gift, reversal
from tests.verify.export import forged
from tests.verify.forgeries.postings import GENERAL, posted
from tests.verify.forgeries.registry import forgery, free


@forgery(Rule.CURRENCY)
def a_gift_in_dollars_booked_at_half_its_rate() -> list[bytes]:
    return forged(_dollars().written, -1, lambda value: value["body"].update(rate="3.5617"))


@forgery(Rule.CURRENCY)
def a_gift_in_a_currency_without_a_rate() -> list[bytes]:
    return forged(_dollars().written, -1, lambda value: value["body"].pop("rate"))


@forgery(Rule.CURRENCY)
def an_amount_in_no_currency() -> list[bytes]:
    return forged(_dollars().written, -1, lambda value: value["body"].pop("currency"))


@forgery(Rule.CURRENCY)
def a_loss_of_exchange_on_a_gift_in_yuan() -> list[bytes]:
    pen = free()
    (plain,) = pen.write(gift(30))
    pen.write(_gift())
    pen.write(_loss(plain.seq + 1))
    return forged(pen.written, -1, lambda value: value["body"].update(ref=plain.seq))


@forgery(Rule.CURRENCY)
def a_loss_of_exchange_of_another_fund() -> list[bytes]:
    pen = free()
    pen.write(gift(30, "flood"))
    (entered,) = pen.write(_gift())
    pen.write(_loss(entered.seq))
    return posted(pen.written, ["fund:330800:flood", 0, "losses:330800", 0, 5, "CNY"])


@forgery(Rule.FIRST_IN_FIRST_OUT)
def a_loss_of_exchange_of_the_newest_money() -> list[bytes]:
    pen = _dollars()
    pen.write(_loss(pen.entries[-1].seq))
    return posted(pen.written, [GENERAL, 9, "losses:330800", 0, 5, "CNY"])


@forgery(Rule.CURRENCY)
def losses_of_exchange_beyond_what_was_booked() -> list[bytes]:
    pen = free()
    pen.write(gift(100_000))
    (small,) = pen.write(msgspec.structs.replace(gift(7), currency="USD", original=1, rate="7.1234"))
    (large,) = pen.write(_gift())
    for _ in range(2):
        pen.write(_loss(large.seq))
    log = forged(pen.written, -2, lambda value: value["body"].update(ref=small.seq))
    return forged(log, -1, lambda value: value["body"].update(ref=small.seq))


@forgery(Rule.CURRENCY)
def a_loss_of_exchange_of_a_gift_that_was_taken_back() -> list[bytes]:
    pen = free()
    pen.write(gift(100))
    (wrong,) = pen.write(_gift())
    (entered,) = pen.write(_gift())
    pen.agreed(reversal(wrong.seq), APPROVER)
    pen.write(_loss(entered.seq))
    return forged(pen.written, -1, lambda value: value["body"].update(ref=wrong.seq))


def _dollars() -> Pen:
    pen = free()
    pen.write(_gift())
    return pen


def _gift() -> ReceiveMoney:
    return msgspec.structs.replace(gift(71_234), currency="USD", original=10_000, rate="7.1234")


def _loss(ref: int) -> SettleExchange:
    return SettleExchange(maker=FINANCE, org=CITY, ref=ref, amount_fen=5, on=TODAY, reason="结汇差额")
