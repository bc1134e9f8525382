"""Lies about gifts given back or put to another purpose."""

from ledger.approvals import ApproveProposal
from ledger.verify.rule import Rule
from tests.support.model import Pen
from tests.support.society import (
    APPROVER,
    BOTH_CITIES,
    BOTH_CITIES_APPROVER,
    FINANCE,
    arrival,
    gift,
    redirection,
    refund,
    sending,
)
from tests.verify.export import forged
from tests.verify.forgeries.postings import GENERAL, posted
from tests.verify.forgeries.registry import forgery, free, strict

FLOOD = "fund:330800:flood"
NEIGHBOURS = "fund:330100:general"


@forgery(Rule.CONSENT)
def flood_money_for_anything_without_the_donors_consent() -> list[bytes]:
    pen = free()
    (given,) = pen.write(gift(5, "flood"))
    pen.write(redirection(given.seq, "general"))
    return forged(pen.written, -1, lambda value: value["body"].pop("consent"))


@forgery(Rule.DIGEST_FORM)
def consent_in_words() -> list[bytes]:
    pen = free()
    (given,) = pen.write(gift(5, "flood"))
    pen.write(redirection(given.seq, "general"))
    return forged(pen.written, -1, lambda value: value["body"].update(consent="她同意了"))


@forgery(Rule.TARGET_CITED)
def a_redirection_of_somebody_elses_gift() -> list[bytes]:
    pen = free()
    (given,) = pen.write(gift(5, "flood"))
    pen.write(gift(5, "flood"))
    pen.write(redirection(given.seq, "general"))
    return posted(pen.written, [FLOOD, 5, GENERAL, 0, 5, "CNY"])


@forgery(Rule.POSTINGS_OF_KIND)
def a_redirection_to_a_payee() -> list[bytes]:
    pen = free()
    (given,) = pen.write(gift(5, "flood"))
    pen.write(redirection(given.seq, "general"))
    return posted(pen.written, [FLOOD, 0, "payees:330800", 0, 5, "CNY"])


@forgery(Rule.TARGET_CITED)
def a_refund_out_of_another_organisations_fund() -> list[bytes]:
    pen = _in_both_cities(free())
    pen.write(refund(pen.books.seq - 2, maker=BOTH_CITIES))
    return forged(pen.written, -1, lambda value: value["by"].update(maker=FINANCE))


@forgery(Rule.ROLE_OF_MAKER, Rule.TARGET_CITED)
def a_proposed_refund_out_of_a_fund_where_its_maker_has_no_role() -> list[bytes]:
    pen = _in_both_cities(strict())
    (made,) = pen.write(refund(_gift(pen), maker=BOTH_CITIES))
    return forged(pen.written, made.seq, lambda value: value["by"].update(maker=FINANCE))


@forgery(Rule.ROLE_OF_CHECKER)
def a_refund_out_of_a_fund_where_nobody_who_approved_has_a_role() -> list[bytes]:
    pen = _in_both_cities(strict())
    (made,) = pen.write(refund(_gift(pen), maker=BOTH_CITIES))
    pen.write(ApproveProposal(maker=BOTH_CITIES_APPROVER, proposal=made.seq))
    return forged(pen.written[: made.seq + 2], -1, lambda value: value["by"].update(maker=APPROVER))


def _gift(pen: Pen) -> int:
    return next(entry.seq for entry in pen.entries if entry.kind == "money.received")


def _in_both_cities(pen: Pen) -> Pen:
    """A gift of six fen, three of which the neighbour has."""
    pen.write(gift(6))
    (sent,) = pen.write(sending(3))
    pen.write(arrival(sent.seq))
    return pen
