"""Gifts in a foreign currency, booked in CNY at the bank's settlement."""

import msgspec
import pytest

from ledger import account
from ledger.account import CNY
from ledger.donations import ReceiveMoney
from ledger.exchange import SettleExchange
from ledger.posting import Posting
from ledger.refusals import InsufficientAmount, Invalid
from tests.support.model import TODAY
from tests.support.society import APPROVER, CITY, FINANCE, gift, open_society, refund, reversal, right

GENERAL = account.fund(CITY, "general")


def foreign(amount_fen: int, currency: str, original: int, rate: str) -> ReceiveMoney:
    return msgspec.structs.replace(gift(amount_fen), currency=currency, original=original, rate=rate)


def loss(ref: int, amount_fen: int) -> SettleExchange:
    return SettleExchange(maker=FINANCE, org=CITY, ref=ref, amount_fen=amount_fen, on=TODAY, reason="结汇差额")


@pytest.mark.parametrize(
    ("amount_fen", "currency", "original", "rate"),
    [
        (71_234, "USD", 10_000, "7.1234"),
        (71_235, "USD", 10_000, "7.1234"),  # a bank that rounds up
        (4_876, "JPY", 1_000, "0.04876"),
        (23_150, "KWD", 10_000, "23.15"),
        (700, "EUR", 100, "7"),
    ],
)
def test_a_gift_in_another_currency_is_booked_at_the_rate_it_names(
    amount_fen: int, currency: str, original: int, rate: str
) -> None:
    pen = open_society()
    (entered,) = pen.write(foreign(amount_fen, currency, original, rate))
    assert entered.postings == (Posting("donors:330800", -1, GENERAL, 0, amount_fen, CNY),)
    assert b'"currency":"%b"' % currency.encode() in pen.written[-1]


@pytest.mark.parametrize(
    ("currency", "original", "rate", "field"),
    [
        ("", 10_000, "7.1234", "currency"),
        ("usd", 10_000, "7.1234", "currency"),
        ("CNY", 71_234, "1", "currency"),
        ("USD", 0, "7.1234", "original"),
        ("USD", 10_000, "", "rate"),
        ("USD", 10_000, "7,1234", "rate"),
        ("USD", 10_000, "07.1234", "rate"),
        ("USD", 10_000, "7.1232", "amount_fen"),
        ("USD", 1_000, "7.1234", "amount_fen"),
    ],
)
def test_currency_amount_and_rate_come_together_and_agree(currency: str, original: int, rate: str, field: str) -> None:
    pen = open_society()
    with pytest.raises(Invalid) as refused:
        pen.write(foreign(71_234, currency, original, rate))
    assert refused.value.facts["field"] == field


def test_a_loss_of_exchange_is_borne_by_the_gifts_fund() -> None:
    pen = open_society()
    (plain,) = pen.write(gift(30))
    (entered,) = pen.write(foreign(71_234, "USD", 10_000, "7.1234"))
    (settled,) = pen.write(loss(entered.seq, 100))
    assert [(each.src, each.src_lo, each.dst, each.qty) for each in settled.postings] == [
        (GENERAL, 0, account.losses(CITY), 100)
    ]
    with pytest.raises(Invalid, match="CNY"):
        pen.write(loss(plain.seq, 1))
    pen.write(refund(entered.seq))
    with pytest.raises(InsufficientAmount):
        pen.write(loss(entered.seq, 1))


def test_losses_of_exchange_are_at_most_what_was_booked_of_the_gift() -> None:
    pen = open_society()
    pen.write(gift(1_000_000))
    (entered,) = pen.write(foreign(711, "USD", 100, "7.11"))
    with pytest.raises(Invalid) as refused:
        pen.write(loss(entered.seq, 712))
    assert refused.value.facts == {"field": "amount_fen", "left": 711}
    (first,) = pen.write(loss(entered.seq, 700))
    with pytest.raises(Invalid):
        pen.write(loss(entered.seq, 12))
    pen.write(loss(entered.seq, 11))
    pen.agreed(reversal(first.seq), APPROVER)
    pen.write(right(loss(entered.seq, 690), first.seq))
    with pytest.raises(Invalid):
        pen.write(loss(entered.seq, 11))
    assert pen.balance(account.losses(CITY)) == 701


def test_a_gift_that_was_taken_back_bears_no_loss_and_its_right_entry_bears_what_is_left() -> None:
    pen = open_society()
    pen.write(gift(1_000))
    (entered,) = pen.write(foreign(711, "USD", 100, "7.11"))
    pen.write(loss(entered.seq, 100))
    pen.agreed(reversal(entered.seq), APPROVER)
    with pytest.raises(Invalid, match="taken back"):
        pen.write(loss(entered.seq, 1))
    (again,) = pen.write(right(foreign(711, "USD", 100, "7.11"), entered.seq))
    with pytest.raises(Invalid):
        pen.write(loss(again.seq, 612))
    pen.write(loss(again.seq, 611))
