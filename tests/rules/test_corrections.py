"""The right to correct: a gift goes back wherever it rests, or to another purpose its donor agreed to."""

import msgspec
import pytest

from ledger import account, entries
from ledger.account import CNY
from ledger.approvals import ApproveProposal
from ledger.decide import AnyProposable
from ledger.entries import Entry
from ledger.posting import Posting
from ledger.refusals import ConsentRequired, Invalid, NotAllowed, NothingLeft
from tests.support.model import Pen
from tests.support.society import (
    APPROVER,
    BOTH_CITIES,
    BOTH_CITIES_APPROVER,
    CITY,
    FINANCE,
    NEIGHBOUR,
    OTHER_CITY,
    PROGRAMME,
    SHOP,
    USUAL_RULES,
    allocation,
    arrival,
    gift,
    open_society,
    payment,
    redirection,
    refund,
    sending,
)

GENERAL, FLOOD = account.fund(CITY, "general"), account.fund(CITY, "flood")
RELIEF = account.project(CITY, "relief", "general")
NEIGHBOURS = account.fund(OTHER_CITY, "general")
REFUNDS = account.refunds(CITY)


def spread(pen: Pen) -> int:
    """A gift of twenty: two paid, three for a project, four in transit, five with the neighbour, six in its fund."""
    (given,) = pen.write(gift(20))
    pen.write(allocation(5))
    settled(pen, payment(2))
    for qty, arrives in ((5, True), (4, False)):
        sent = settled(pen, sending(qty))
        if arrives:
            pen.write(arrival(sent.seq))
    return given.seq


def settled(pen: Pen, command: AnyProposable) -> Entry:
    """Written, and approved where it waits."""
    (new, *_) = pen.write(command)
    return pen.write(ApproveProposal(maker=APPROVER, proposal=new.seq))[-1] if new.kind == "proposal.made" else new


def test_a_refund_takes_the_gift_wherever_its_maker_holds_the_role() -> None:
    pen = open_society()
    given = spread(pen)
    (refunded,) = pen.write(refund(given, maker=BOTH_CITIES))
    assert refunded.postings == (
        Posting(RELIEF, 2, REFUNDS, 0, 3, CNY),
        Posting(NEIGHBOURS, 0, REFUNDS, 3, 5, CNY),
        Posting(GENERAL, 14, REFUNDS, 8, 6, CNY),
    )
    assert entries.org_of(refunded) == CITY


def test_who_holds_the_role_in_one_organisation_refunds_what_rests_there() -> None:
    pen = open_society()
    given = spread(pen)
    (refunded,) = pen.write(refund(given))
    assert [posting.src for posting in refunded.postings] == [RELIEF, GENERAL]
    assert pen.balance(NEIGHBOURS) == 5
    with pytest.raises(NotAllowed):
        pen.write(refund(given, maker=NEIGHBOUR))


def test_the_answer_says_what_was_spent_and_what_others_must_first_return() -> None:
    pen = open_society(USUAL_RULES)
    given = spread(pen)
    (made,) = pen.write(allocation(6, decision="红〔2026〕1号"))
    with pytest.raises(NothingLeft) as refused:
        pen.write(refund(given, 15))
    facts = refused.value.facts
    spent = next(entry.seq for entry in pen.entries if entry.kind == "money.disbursed")
    sent = [entry.seq for entry in pen.entries if entry.kind == "transfer.sent"][-1]
    assert facts == {
        "left": 9,
        "proposals": [made.seq],
        "spent": [{"entry": spent, "amount_fen": 2}],
        "in_transit": [{"entry": sent, "amount_fen": 4}],
        "refunded": [],
        "elsewhere": {OTHER_CITY: 5},
    }


def test_a_refund_over_two_organisations_is_checked_by_somebody_of_both() -> None:
    pen = open_society(USUAL_RULES)
    given = spread(pen)
    (made,) = pen.write(refund(given, maker=BOTH_CITIES))
    with pytest.raises(NotAllowed) as refused:
        pen.write(ApproveProposal(maker=APPROVER, proposal=made.seq))
    assert refused.value.facts["org"] == OTHER_CITY
    *_, refunded = pen.write(ApproveProposal(maker=BOTH_CITIES_APPROVER, proposal=made.seq))
    assert entries.qty_of(refunded) == 14


def test_another_purpose_needs_the_donors_consent() -> None:
    pen = open_society()
    (given,) = pen.write(gift(10, "flood"))
    with pytest.raises(ConsentRequired) as refused:
        pen.write(redirection(given.seq, "general", agreed=False))
    assert refused.value.facts == {"event": "flood-2026"}
    (moved,) = pen.write(redirection(given.seq, "general", 4))
    assert moved.postings == (Posting(FLOOD, 0, GENERAL, 0, 4, CNY),)
    assert (pen.balance(FLOOD), pen.balance(GENERAL)) == (6, 4)


def test_a_narrower_purpose_needs_no_consent() -> None:
    pen = open_society()
    (given,) = pen.write(gift(10))
    pen.write(redirection(given.seq, "flood", agreed=False))
    assert pen.balance(FLOOD) == 10
    with pytest.raises(ConsentRequired):
        pen.write(redirection(given.seq, "general", agreed=False))


def test_a_redirection_leaves_what_was_paid_and_what_is_there_already() -> None:
    pen = open_society()
    (given,) = pen.write(gift(10))
    pen.write(allocation(6))
    pen.write(payment(2, payee=SHOP))
    pen.write(redirection(given.seq, "flood", 3, agreed=False))
    (rest,) = pen.write(redirection(given.seq, "flood", agreed=False))
    assert rest.postings == (
        Posting(RELIEF, 5, FLOOD, 3, 1, CNY),
        Posting(GENERAL, 6, FLOOD, 4, 4, CNY),
    )
    with pytest.raises(NothingLeft):
        pen.write(redirection(given.seq, "flood"))


def test_a_redirected_gift_is_refunded_from_where_it_is() -> None:
    pen = open_society()
    (given,) = pen.write(gift(10, "flood"))
    (moved,) = pen.write(redirection(given.seq, "general"))
    (refunded,) = pen.write(refund(given.seq))
    assert refunded.postings == (Posting(GENERAL, 0, REFUNDS, 0, 10, CNY),)
    with pytest.raises(Invalid, match="ref"):
        pen.write(refund(moved.seq))


def test_only_finance_redirects_a_gift() -> None:
    pen = open_society()
    (given,) = pen.write(gift(10, "flood"))
    with pytest.raises(NotAllowed):
        pen.write(redirection(given.seq, "general", maker=PROGRAMME))
    with pytest.raises(Invalid, match="consent"):
        pen.write(msgspec.structs.replace(redirection(given.seq, "general"), consent="口头同意"))
    assert pen.write(redirection(given.seq, "general", maker=FINANCE))
