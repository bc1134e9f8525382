"""What a payee hands back goes home: to the lines it was paid from, of the same donors."""

import pytest

from ledger import account, entries
from ledger.account import CNY, Account
from ledger.approvals import ApproveProposal
from ledger.line import Span
from ledger.posting import Posting
from ledger.refusals import Invalid, NotAllowed, NothingLeft
from tests.support.model import Pen
from tests.support.society import (
    APPROVER,
    CITY,
    HOSPITAL,
    OTHER_APPROVER,
    PROGRAMME,
    USUAL_RULES,
    allocation,
    gift,
    handed_back,
    open_society,
    payment,
)

RELIEF = account.project(CITY, "relief", "general")
FOR_HOSPITAL = account.project(CITY, "relief", "hospital")
PAYEES = account.payees(CITY)


def test_a_payee_hands_back_exactly_what_it_was_paid_and_more_than_once() -> None:
    pen = open_society()
    given = [pen.write(gift(amount))[0] for amount in (3, 4)]
    pen.write(allocation(7))
    (spent,) = pen.write(payment(6))
    (first,) = pen.write(handed_back(spent.seq, 4))
    assert first.postings == (Posting(PAYEES, 0, RELIEF, 7, 4, CNY),)
    with pytest.raises(NothingLeft) as refused:
        pen.write(handed_back(spent.seq, 3))
    assert refused.value.facts["left"] == 2
    (second,) = pen.write(handed_back(spent.seq))
    assert second.postings == (Posting(PAYEES, 4, RELIEF, 11, 2, CNY),)
    with pytest.raises(NothingLeft):
        pen.write(handed_back(spent.seq))
    assert (pen.balance(PAYEES), pen.balance(RELIEF)) == (0, 7)
    general = account.fund(CITY, "general")
    where = [[*pen.images(Account(general, CNY), each.postings[0].dst_span)] for each in given]
    assert where[0] == [(Account(RELIEF, CNY), Span(7, 10))]
    assert sum(span.qty for _, span in where[1]) == 4


def test_what_comes_back_from_a_payment_of_several_funds_goes_home_to_each() -> None:
    pen, spent = _two_funds()
    (back,) = pen.write(handed_back(spent, 7))
    assert back.postings == (Posting(PAYEES, 0, RELIEF, 5, 5, CNY), Posting(PAYEES, 5, FOR_HOSPITAL, 5, 2, CNY))
    assert (pen.balance(RELIEF), pen.balance(FOR_HOSPITAL)) == (5, 4)


def test_a_return_that_waits_holds_its_positions_and_names_every_account() -> None:
    pen = open_society(USUAL_RULES)
    pen, spent = _two_funds(pen)
    (made,) = pen.write(handed_back(spent))
    assert isinstance(made.body, entries.ProposalMade)
    assert made.body.into == (RELIEF, FOR_HOSPITAL)
    assert [(hold.lo, hold.qty) for hold in made.body.holds] == [(0, 5), (5, 3)]
    with pytest.raises(NothingLeft) as refused:
        pen.write(handed_back(spent, 1))
    assert refused.value.facts["proposals"] == [made.seq]
    *_, back = pen.write(ApproveProposal(maker=APPROVER, proposal=made.seq))
    assert [posting.dst for posting in back.postings] == [RELIEF, FOR_HOSPITAL]


def test_only_a_payment_is_handed_back_and_only_by_finance() -> None:
    pen, spent = _two_funds()
    with pytest.raises(Invalid, match=r"is no money\.disbursed"):
        pen.write(handed_back(spent - 1))
    with pytest.raises(NotAllowed):
        pen.write(handed_back(spent, maker=PROGRAMME))


def test_money_that_came_back_is_paid_again() -> None:
    pen, spent = _two_funds()
    pen.write(handed_back(spent))
    (again,) = pen.write(payment(10, payee=HOSPITAL))
    assert entries.qty_of(again) == 10


def _two_funds(pen: Pen | None = None) -> tuple[Pen, int]:
    """The relief project with five fen for anybody and five for the hospital, eight of which were paid to it."""
    pen = pen or open_society()
    for fund in ("general", "hospital"):
        pen.write(gift(5, fund))
        pen.write(allocation(5, fund))
    asked = payment(8, payee=HOSPITAL)
    (made,) = pen.write(asked)
    if made.kind == "proposal.made":
        pen.write(ApproveProposal(maker=APPROVER, proposal=made.seq))
        *_, made = pen.write(ApproveProposal(maker=OTHER_APPROVER, proposal=made.seq))
    return pen, made.seq
