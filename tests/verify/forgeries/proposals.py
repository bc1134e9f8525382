"""Lies about proposals: what they hold, how often they are resolved, and as what."""

from ledger.approvals import ApproveProposal, RejectProposal, WithdrawProposal
from ledger.verify.rule import Rule
from tests.support.model import Pen
from tests.support.society import (
    APPROVER,
    CITY,
    FINANCE,
    OTHER_APPROVER,
    OTHER_CITY,
    OTHER_FINANCE,
    allocation,
    gift,
    payment,
    refund,
)
from tests.verify.export import Value, forged, read, sealed
from tests.verify.forgeries.postings import GENERAL, RELIEF, posted
from tests.verify.forgeries.registry import forgery, strict


@forgery(Rule.PROPOSAL_FORM)
def a_proposal_to_receive_a_gift() -> list[bytes]:
    return _proposed(command="money.received", holds=[], into=[])


@forgery(Rule.PROPOSAL_FORM)
def a_proposal_that_holds_money_already_paid() -> list[bytes]:
    return _proposed(holds=[["payees:330800", -1, 1, "CNY"]])


@forgery(Rule.PROPOSAL_FORM)
def a_proposed_allocation_that_holds_positions_of_its_choice() -> list[bytes]:
    return _proposed(holds=[[GENERAL, 12, 8, "CNY"]])


@forgery(Rule.PROPOSAL_FORM)
def a_proposal_that_holds_one_line_twice() -> list[bytes]:
    return _proposed(holds=[[GENERAL, -1, 4, "CNY"], [GENERAL, -1, 4, "CNY"]])


@forgery(Rule.PROPOSAL_FORM)
def a_proposal_that_holds_less_than_nothing() -> list[bytes]:
    return _proposed(holds=[[GENERAL, -1, -4, "CNY"]])


@forgery(Rule.PROPOSAL_FORM)
def a_proposal_for_another_account_than_its_kind_goes_to() -> list[bytes]:
    return _proposed(into=["refunds:330800"])


@forgery(Rule.PROPOSAL_OPEN)
def an_effect_a_second_time() -> list[bytes]:
    pen = _approved()
    *log, approval, effect = read(pen.written)
    again = effect | {"seq": effect["seq"] + 1, "postings": [[GENERAL, 7, RELIEF, 7, 7, "CNY"]]}
    return sealed([*log, approval, effect, again])


@forgery(Rule.PROPOSAL_OPEN)
def an_approval_of_a_rejected_proposal() -> list[bytes]:
    pen = _waiting()
    number = pen.entries[-1].seq
    pen.write(RejectProposal(maker=OTHER_APPROVER, proposal=number, reason="不同意"))
    *log, rejection = read(pen.written)
    body = {"org": CITY, "proposal": number}
    by = {"maker": APPROVER}
    approval = rejection | {"kind": "proposal.approved", "seq": len(log) + 1, "body": body, "by": by}
    return sealed([*log, rejection, approval])


@forgery(Rule.PROPOSAL_OPEN)
def a_proposal_withdrawn_twice() -> list[bytes]:
    pen = _waiting()
    pen.write(WithdrawProposal(maker=FINANCE, proposal=pen.entries[-1].seq))
    log = read(pen.written)
    return sealed([*log, log[-1] | {"seq": len(log)}])


@forgery(Rule.PROPOSAL_AS_MADE)
def an_effect_in_the_name_of_another_maker() -> list[bytes]:
    return forged(_approved().written, -1, lambda value: value["by"].update(maker=OTHER_FINANCE))


@forgery(Rule.PROPOSAL_AS_MADE)
def an_approval_in_another_organisations_books() -> list[bytes]:
    return forged(_approved().written, -2, lambda value: value["body"].update(org=OTHER_CITY))


@forgery(Rule.PROPOSAL_AS_MADE)
def a_proposal_withdrawn_by_somebody_else() -> list[bytes]:
    pen = _waiting()
    pen.write(WithdrawProposal(maker=FINANCE, proposal=pen.entries[-1].seq))
    return forged(pen.written, -1, lambda value: value["by"].update(maker=OTHER_FINANCE))


@forgery(Rule.PROPOSAL_COMMITMENT)
def a_purpose_changed_after_it_was_approved() -> list[bytes]:
    pen = _waiting()
    pen.write(WithdrawProposal(maker=FINANCE, proposal=pen.entries[-1].seq))
    pen.write(allocation(5))
    pen.agreed(payment(5), APPROVER)
    log = read(pen.written)
    log[-1]["body"]["purpose"] = "会议室装修"
    return sealed(log, recommitted=False)


@forgery(Rule.PROPOSAL_COMMITMENT)
def another_salt_than_the_proposals() -> list[bytes]:
    log = read(_approved().written)
    log[-1]["by"]["salt"] = "0" * 64
    return sealed(log, recommitted=False)


@forgery(Rule.DIGEST_FORM)
def a_salt_that_can_be_guessed() -> list[bytes]:
    return forged(_approved().written, -1, lambda value: value["by"].update(salt="1"))


@forgery(Rule.PROPOSAL_HOLDS)
def an_effect_that_takes_less_than_was_held() -> list[bytes]:
    return posted(_approved().written, [GENERAL, 0, RELIEF, 0, 6, "CNY"])


@forgery(Rule.PROPOSAL_HOLDS)
def an_effect_that_takes_more_than_was_held() -> list[bytes]:
    return posted(_approved().written, [GENERAL, 0, RELIEF, 0, 8, "CNY"])


@forgery(Rule.PROPOSAL_HOLDS)
def a_refund_of_other_positions_than_were_held() -> list[bytes]:
    pen = strict()
    (given,) = pen.write(gift(9))
    pen.agreed(refund(given.seq, 5), APPROVER)
    return posted(pen.written, [GENERAL, 4, "refunds:330800", 0, 5, "CNY"])


@forgery(Rule.PROPOSAL_HOLDS)
def an_approved_allocation_diverted_to_another_project() -> list[bytes]:
    """The body names no project: only the proposal's account does."""
    return posted(_approved().written, [GENERAL, 0, "project:330800:anything:general", 0, 7, "CNY"])


@forgery(Rule.APPROVAL_EFFECT)
def a_last_approval_without_its_effect() -> list[bytes]:
    pen = _waiting()
    pen.write(gift(5))
    (made, given) = (pen.entries[-2], pen.entries[-1])
    *log, last = read(pen.written)
    body = {"org": CITY, "proposal": made.seq}
    approval = last | {"kind": "proposal.approved", "body": body, "by": {"maker": APPROVER}}
    del approval["postings"]
    return sealed([*log, approval, last | {"seq": given.seq + 1}])


@forgery(Rule.APPROVAL_EFFECT, Rule.APPROVAL_EFFECT)
def a_gift_between_the_last_approval_and_its_effect() -> list[bytes]:
    pen = _approved()
    *log, approval, effect = read(pen.written)
    given = Pen(pen.written)
    given.write(gift(5))
    between = read(given.written)[-1] | {"seq": effect["seq"], "at": effect["at"]}
    return sealed([*log, approval, between, effect | {"seq": effect["seq"] + 1}])


def _waiting() -> Pen:
    """Twenty fen, and an allocation of seven that waits for one approval."""
    pen = strict()
    pen.write(gift(20))
    pen.write(allocation(7))
    return pen


def _approved() -> Pen:
    pen = _waiting()
    pen.write(ApproveProposal(maker=APPROVER, proposal=pen.entries[-1].seq))
    return pen


def _proposed(**body: object) -> list[bytes]:
    """The waiting proposal, with something else in it."""

    def change(value: Value) -> None:
        value["body"].update(body)
        for name in ("holds", "into"):
            if not value["body"][name]:
                del value["body"][name]

    return forged(_waiting().written, -1, change)
