"""Gifts followed through the books, one example at a time."""

import msgspec
import pytest

from ledger import account, entries, privacy
from ledger.account import CNY, Account
from ledger.approvals import ApproveProposal, RejectProposal, WithdrawProposal
from ledger.disbursements import ConfirmDelivery, PublishFeedback
from ledger.line import Span
from ledger.posting import Hold, Posting
from ledger.refusals import AlreadyThere, Closed, InsufficientAmount, Invalid, NothingLeft
from tests.support.model import TODAY
from tests.support.society import (
    APPROVER,
    CASHIER,
    CITY,
    FINANCE,
    HOSPITAL,
    OTHER_APPROVER,
    OTHER_CITY,
    PROGRAMME,
    USUAL_RULES,
    allocation,
    gift,
    handed_back,
    open_society,
    payment,
    refund,
    release,
    reversal,
)

GENERAL = account.fund(CITY, "general")
RELIEF = account.project(CITY, "relief", "general")
PAYEES = account.payees(CITY)
REFUNDS = account.refunds(CITY)
DONORS = account.donors(CITY)


def test_one_gift_from_receipt_to_payment_and_confirmation() -> None:
    pen = open_society(USUAL_RULES)
    command = gift(50_000, ref="5" * 64)
    (received,) = pen.write(command)
    assert received.postings == (Posting(DONORS, -1, GENERAL, 0, 50_000, CNY),)
    assert received.by == entries.By(maker=CASHIER)
    body = received.body
    assert isinstance(body, entries.MoneyReceived)
    assert body.receipt == privacy.receipt_commitment(received.prev, command.code)

    allocated = pen.agreed(
        msgspec.structs.replace(allocation(30_000), decision="红〔2026〕12号"), APPROVER, OTHER_APPROVER
    )
    assert allocated.postings == (Posting(GENERAL, 0, RELIEF, 0, 30_000, CNY),)
    assert (allocated.by.maker, allocated.by.checkers) == (FINANCE, (APPROVER, OTHER_APPROVER))

    paid = pen.agreed(payment(20_000, payee=HOSPITAL), APPROVER, OTHER_APPROVER)
    assert paid.postings == (Posting(RELIEF, 0, PAYEES, 0, 20_000, CNY),)

    pen.write(ConfirmDelivery(maker=PROGRAMME, org=CITY, ref=paid.seq, outcome="ok", qty=20_000, on=TODAY))
    pen.agreed(PublishFeedback(maker=PROGRAMME, org=CITY, ref=paid.seq, text="已送达", on=TODAY), APPROVER)

    where = list(pen.images(Account(GENERAL, CNY), Span(0, 50_000)))
    assert where == [
        (Account(PAYEES, CNY), Span(0, 20_000)),
        (Account(RELIEF, CNY), Span(20_000, 30_000)),
        (Account(GENERAL, CNY), Span(30_000, 50_000)),
    ]


def test_money_moves_first_in_first_out() -> None:
    pen = open_society()
    for amount in (3, 4, 5):
        pen.write(gift(amount))
    assert pen.write(allocation(5))[0].postings == (Posting(GENERAL, 0, RELIEF, 0, 5, CNY),)
    assert pen.write(allocation(4))[0].postings == (Posting(GENERAL, 5, RELIEF, 5, 4, CNY),)


def test_a_channel_reference_is_recorded_once() -> None:
    pen = open_society()
    pen.write(gift(3, ref="a" * 64))
    with pytest.raises(AlreadyThere):
        pen.write(gift(4, "flood", ref="a" * 64))
    pen.write(gift(4, ref="b" * 64))
    assert pen.balance(GENERAL) == 7


def test_a_proposal_holds_what_it_asks_for() -> None:
    pen = open_society(USUAL_RULES)
    pen.write(gift(10))
    (made,) = pen.write(allocation(6))
    assert isinstance(made.body, entries.ProposalMade)
    assert made.body.holds == (Hold(GENERAL, -1, 6, CNY),)
    assert made.body.into == (RELIEF,)
    assert (pen.balance(GENERAL), pen.available(GENERAL)) == (10, 4)
    with pytest.raises(InsufficientAmount) as refused:
        pen.write(allocation(5))
    assert refused.value.facts == {"wanted": 5, "available": 4, "proposals": [made.seq]}


def test_a_proposal_says_nothing_of_its_body_until_its_effect_opens_it() -> None:
    pen = open_society(USUAL_RULES)
    pen.write(gift(10))
    (made,) = pen.write(allocation(6))
    waiting = pen.proposed[made.seq]
    assert b"relief" not in entries.canonical(msgspec.structs.replace(made.body, into=()))
    *_, effect = pen.write(ApproveProposal(maker=APPROVER, proposal=made.seq))
    assert isinstance(made.body, entries.ProposalMade)
    assert entries.commitment(effect.body, effect.by.salt) == made.body.commitment
    assert effect.by.salt == waiting.salt


def test_a_rejected_proposal_frees_what_it_held() -> None:
    pen = open_society(USUAL_RULES)
    pen.write(gift(10))
    (made,) = pen.write(allocation(6))
    pen.write(RejectProposal(maker=APPROVER, proposal=made.seq, reason="用途不明"))
    assert pen.available(GENERAL) == 10
    with pytest.raises(Closed):
        pen.write(ApproveProposal(maker=APPROVER, proposal=made.seq))


def test_a_withdrawn_proposal_frees_what_it_held() -> None:
    pen = open_society(USUAL_RULES)
    pen.write(gift(10))
    (made,) = pen.write(allocation(6))
    pen.write(WithdrawProposal(maker=FINANCE, proposal=made.seq))
    assert pen.available(GENERAL) == 10


def test_approving_what_was_never_proposed_is_refused() -> None:
    pen = open_society(USUAL_RULES)
    with pytest.raises(Closed):
        pen.write(ApproveProposal(maker=APPROVER, proposal=999))


def test_a_refund_leaves_a_hole_that_first_in_first_out_steps_over() -> None:
    pen = open_society()
    pen.write(gift(4))
    (second,) = pen.write(gift(5))
    pen.write(gift(6))
    (refunded,) = pen.write(refund(second.seq))
    assert refunded.postings == (Posting(GENERAL, 4, REFUNDS, 0, 5, CNY),)
    (allocated,) = pen.write(allocation(7))
    assert allocated.postings == (Posting(GENERAL, 0, RELIEF, 0, 4, CNY), Posting(GENERAL, 9, RELIEF, 4, 3, CNY))


def test_a_refund_after_part_was_spent_takes_the_rest_from_where_it_lies() -> None:
    pen = open_society()
    (received,) = pen.write(gift(10))
    pen.write(gift(10))
    pen.write(allocation(8))
    pen.write(payment(3))
    (refunded,) = pen.write(refund(received.seq))
    assert refunded.postings == (Posting(RELIEF, 3, REFUNDS, 0, 5, CNY), Posting(GENERAL, 8, REFUNDS, 5, 2, CNY))
    with pytest.raises(NothingLeft):
        pen.write(refund(received.seq))


def test_a_refund_of_a_part_takes_the_gifts_lowest_positions() -> None:
    pen = open_society()
    (received,) = pen.write(gift(10))
    pen.write(allocation(3))
    (refunded,) = pen.write(refund(received.seq, 5))
    assert refunded.postings == (Posting(RELIEF, 0, REFUNDS, 0, 3, CNY), Posting(GENERAL, 3, REFUNDS, 3, 2, CNY))
    with pytest.raises(NothingLeft) as refused:
        pen.write(refund(received.seq, 6))
    assert refused.value.facts["left"] == 5


@pytest.mark.parametrize("amount", [-1, 2**53, True, 1.0])
def test_a_refund_of_no_amount_is_refused(amount: int) -> None:
    pen = open_society()
    (received,) = pen.write(gift(10))
    with pytest.raises(Invalid):
        pen.write(refund(received.seq, amount))


def test_a_refund_joins_neighbours_into_one_posting() -> None:
    pen = open_society()
    (received,) = pen.write(gift(10))
    pen.write(allocation(3))
    pen.write(allocation(4))
    (refunded,) = pen.write(refund(received.seq))
    assert refunded.postings == (Posting(RELIEF, 0, REFUNDS, 0, 7, CNY), Posting(GENERAL, 7, REFUNDS, 7, 3, CNY))


def test_a_refund_follows_the_gifts_own_order_where_its_images_are_mixed() -> None:
    pen = open_society()
    (received,) = pen.write(gift(10))
    (allocated,) = pen.write(allocation(4))
    pen.write(release(allocated.seq))
    assert pen.write(refund(received.seq))[0].postings == (
        Posting(GENERAL, 10, REFUNDS, 0, 4, CNY),
        Posting(GENERAL, 4, REFUNDS, 4, 6, CNY),
    )


def test_a_refund_goes_no_further_than_what_open_proposals_hold() -> None:
    pen = open_society(USUAL_RULES)
    (received,) = pen.write(gift(10))
    (made,) = pen.write(allocation(6))
    with pytest.raises(InsufficientAmount) as refused:
        pen.write(refund(received.seq))
    assert refused.value.facts["proposals"] == [made.seq]


def test_only_the_organisation_that_received_a_gift_refunds_it() -> None:
    pen = open_society()
    (received,) = pen.write(gift(10))
    with pytest.raises(Invalid):
        pen.write(refund(received.seq, org=OTHER_CITY))
    with pytest.raises(Invalid):
        pen.write(refund(0))
    with pytest.raises(Invalid):
        pen.write(refund(9_999))


def test_a_proposed_refund_holds_exact_positions_and_takes_exactly_these() -> None:
    pen = open_society(USUAL_RULES)
    pen.write(gift(2))
    (received,) = pen.write(gift(6))
    pen.write(gift(4))
    pen.write(allocation(4))
    (made,) = pen.write(refund(received.seq, 3))
    assert isinstance(made.body, entries.ProposalMade)
    assert made.body.holds == (Hold(RELIEF, 2, 2, CNY), Hold(GENERAL, 4, 1, CNY))
    assert pen.write(allocation(4))[0].postings == (Posting(GENERAL, 5, RELIEF, 4, 4, CNY),)
    *_, refunded = pen.write(ApproveProposal(maker=APPROVER, proposal=made.seq))
    assert refunded.postings == (Posting(RELIEF, 2, REFUNDS, 0, 2, CNY), Posting(GENERAL, 4, REFUNDS, 2, 1, CNY))


def test_a_proposed_refund_is_approved_though_the_gift_has_spread_to_other_accounts() -> None:
    pen = open_society(USUAL_RULES)
    (received,) = pen.write(gift(10))
    (made,) = pen.write(refund(received.seq, 4))
    pen.write(allocation(3, project="anything"))
    *_, refunded = pen.write(ApproveProposal(maker=APPROVER, proposal=made.seq))
    assert refunded.postings == (Posting(GENERAL, 0, REFUNDS, 0, 4, CNY),)


def test_a_release_gives_back_what_is_left_of_one_allocation() -> None:
    pen = open_society()
    pen.write(gift(10))
    (first,) = pen.write(allocation(4))
    (second,) = pen.write(allocation(3))
    pen.write(payment(1))
    (released,) = pen.write(release(second.seq, 2))
    assert released.postings == (Posting(RELIEF, 4, GENERAL, 10, 2, CNY),)
    (released,) = pen.write(release(first.seq))
    assert released.postings == (Posting(RELIEF, 1, GENERAL, 12, 3, CNY),)
    with pytest.raises(NothingLeft):
        pen.write(release(first.seq))


def test_a_release_does_not_take_what_came_back_with_a_later_allocation() -> None:
    pen = open_society()
    pen.write(gift(4))
    (first,) = pen.write(allocation(4))
    pen.write(release(first.seq))
    pen.write(allocation(4))
    with pytest.raises(NothingLeft):
        pen.write(release(first.seq))


@pytest.mark.parametrize("funds", [("flood", "general"), ("general", "flood")])
def test_a_payment_draws_on_the_oldest_line_first(funds: tuple[str, str]) -> None:
    pen = open_society()
    for fund in funds:
        pen.write(gift(5, fund))
        pen.write(allocation(3, fund))
    older, newer = (account.project(CITY, "relief", fund) for fund in funds)
    (paid,) = pen.write(payment(4))
    assert paid.postings == (Posting(older, 0, PAYEES, 0, 3, CNY), Posting(newer, 0, PAYEES, 3, 1, CNY))


def test_a_payment_keeps_to_the_lines_chosen_when_it_was_proposed() -> None:
    pen = open_society(USUAL_RULES)
    pen.write(gift(9))
    pen.write(gift(9, "flood"))
    pen.write(allocation(3))
    (made,) = pen.write(payment(2))
    pen.write(allocation(3, "flood"))
    assert isinstance(made.body, entries.ProposalMade)
    assert made.body.holds == (Hold(RELIEF, -1, 2, CNY),)
    *_, paid = pen.write(ApproveProposal(maker=APPROVER, proposal=made.seq))
    assert paid.postings == (Posting(RELIEF, 0, PAYEES, 0, 2, CNY),)


def test_a_payment_is_confirmed_up_to_what_was_paid() -> None:
    pen = open_society()
    pen.write(gift(9))
    pen.write(allocation(9))
    (paid,) = pen.write(payment(9))
    confirmation = ConfirmDelivery(maker=PROGRAMME, org=CITY, ref=paid.seq, outcome="ok", qty=5, on=TODAY)
    pen.write(confirmation)
    with pytest.raises(Invalid) as refused:
        pen.write(confirmation)
    assert refused.value.facts["left"] == 4
    pen.write(msgspec.structs.replace(confirmation, qty=4))


def test_what_came_back_of_a_payment_is_not_confirmed() -> None:
    pen = open_society()
    pen.write(gift(200))
    pen.write(allocation(200))
    (first,), (second,) = pen.write(payment(100)), pen.write(payment(100))
    confirmation = ConfirmDelivery(maker=PROGRAMME, org=CITY, ref=first.seq, outcome="ok", qty=100, on=TODAY)
    pen.agreed(reversal(first.seq), APPROVER)
    with pytest.raises(Invalid) as refused:
        pen.write(confirmation)
    assert refused.value.facts["left"] == 0
    pen.write(handed_back(second.seq, 30))
    pen.write(msgspec.structs.replace(confirmation, ref=second.seq, qty=50))
    with pytest.raises(Invalid) as refused:
        pen.write(msgspec.structs.replace(confirmation, ref=second.seq, qty=21))
    assert refused.value.facts["left"] == 20
    pen.write(msgspec.structs.replace(confirmation, ref=second.seq, qty=20))


def test_only_payments_are_confirmed() -> None:
    pen = open_society()
    (received,) = pen.write(gift(9))
    with pytest.raises(Invalid):
        pen.write(ConfirmDelivery(maker=PROGRAMME, org=CITY, ref=received.seq, outcome="ok", qty=5, on=TODAY))


def test_an_amount_is_a_whole_positive_number_of_fen() -> None:
    pen = open_society()
    for amount in (0, -1, 2**53, True, 1.5):
        with pytest.raises(Invalid):
            pen.write(msgspec.structs.replace(gift(1), amount_fen=amount))


def test_a_line_ends_at_the_largest_exact_integer() -> None:
    pen = open_society()
    pen.write(gift(2**53 - 1))
    with pytest.raises(Invalid):
        pen.write(gift(1))
    assert pen.write(allocation(2**53 - 1))[0].postings[0].qty == 2**53 - 1


def test_nothing_is_dated_after_today() -> None:
    pen = open_society()
    with pytest.raises(Invalid):
        pen.write(msgspec.structs.replace(gift(1), on="2026-11-22"))
    pen.write(msgspec.structs.replace(gift(1), on="2026-11-20"))
