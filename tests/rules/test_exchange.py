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
from tests.support.society import CITY, FINANCE, gift, open_society

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
    with pytest.raises(InsufficientAmount):
        pen.write(loss(entered.seq, 71_165))
