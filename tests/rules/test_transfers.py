"""Money between organisations: whose it was, and what for, goes with it."""

import msgspec
import pytest

from ledger import account, entries
from ledger.account import CNY, Account
from ledger.allocations import check_narrower
from ledger.approvals import ApproveProposal
from ledger.entries import FundOpened, Restriction
from ledger.line import Span
from ledger.posting import Posting
from ledger.refusals import InsufficientAmount, Invalid, NotAllowed, NothingLeft, RestrictionBroken, Unknown
from ledger.transfers import SendTransfer
from tests.support.model import TODAY
from tests.support.society import (
    APPROVER,
    CITY,
    FINANCE,
    NEIGHBOUR,
    NEIGHBOURS_APPROVER,
    OTHER_CITY,
    USUAL_RULES,
    arrival,
    gift,
    open_society,
    refund,
    sending,
    sent_back,
)

GENERAL, FLOOD = account.fund(CITY, "general"), account.fund(CITY, "flood")
NEIGHBOURS = account.fund(OTHER_CITY, "general")
TRANSIT = account.transit(CITY, OTHER_CITY)


def test_a_transfer_waits_in_transit_until_the_other_organisation_received_it() -> None:
    pen = open_society()
    pen.write(gift(10))
    (sent,) = pen.write(sending(7))
    assert sent.postings == (Posting(GENERAL, 0, TRANSIT, 0, 7, CNY),)
    assert (pen.balance(GENERAL), pen.balance(TRANSIT), pen.balance(NEIGHBOURS)) == (3, 7, 0)
    (received,) = pen.write(arrival(sent.seq, 5))
    assert received.postings == (Posting(TRANSIT, 0, NEIGHBOURS, 0, 5, CNY),)
    assert (entries.org_of(sent), entries.org_of(received)) == (CITY, OTHER_CITY)
    (back,) = pen.write(sent_back(sent.seq))
    assert back.postings == (Posting(TRANSIT, 5, GENERAL, 10, 2, CNY),)
    assert (pen.balance(GENERAL), pen.balance(TRANSIT), pen.balance(NEIGHBOURS)) == (5, 0, 5)
    with pytest.raises(NothingLeft):
        pen.write(arrival(sent.seq))


def test_a_lump_passed_up_and_down_hides_no_single_gift() -> None:
    pen = open_society()
    given = [pen.write(gift(amount))[0].seq for amount in (3, 4, 5)]
    (sent,) = pen.write(sending(12))
    pen.write(arrival(sent.seq, 6))
    pen.write(arrival(sent.seq))
    (up,) = pen.write(sending(8, org=OTHER_CITY, to=CITY, maker=NEIGHBOUR))
    pen.write(arrival(up.seq, org=CITY, maker=FINANCE))
    found = [[*pen.images(Account(GENERAL, CNY), pen.entries[seq].postings[0].dst_span)] for seq in given]
    assert found == [
        [(Account(GENERAL, CNY), Span(12, 15))],
        [(Account(GENERAL, CNY), Span(15, 18)), (Account(GENERAL, CNY), Span(18, 19))],
        [(Account(GENERAL, CNY), Span(19, 20)), (Account(NEIGHBOURS, CNY), Span(8, 12))],
    ]


def test_a_transfer_is_received_only_for_the_same_or_a_narrower_purpose() -> None:
    pen = open_society()
    pen.write(gift(10, "flood"))
    pen.write(gift(10, "general"))
    (flood,) = pen.write(sending(5, "flood"))
    (general,) = pen.write(sending(5))
    with pytest.raises(RestrictionBroken) as refused:
        pen.write(arrival(flood.seq, fund="general"))
    assert refused.value.facts == {"event": "flood-2026"}
    pen.write(arrival(flood.seq, fund="flood"))
    pen.write(arrival(general.seq, fund="flood"))
    assert pen.balance(account.fund(OTHER_CITY, "flood")) == 10


@pytest.mark.parametrize(
    ("sending_fund", "receiving_fund", "broken"),
    [
        ({"project": "bridge"}, {}, "project"),
        ({"category": "education"}, {"category": "relief"}, "category"),
        ({"recipient": "县人民医院"}, {}, "recipient"),
        ({"region": "330802"}, {"region": "330800"}, "region"),
        ({"region": "330800"}, {"region": "330802"}, ""),
        ({}, {"recipient": "县人民医院"}, ""),
        ({}, {"spending": ("aid", "management")}, "spending"),
        ({"spending": ("aid", "management")}, {"spending": ("management",)}, ""),
        ({}, {"charges": True}, "charges"),
        ({"charges": True}, {}, ""),
        ({"management_ppm": 100_000}, {}, "management_ppm"),
        ({"management_ppm": 100_000}, {"management_ppm": 100_000}, ""),
    ],
)
def test_a_receiving_fund_keeps_every_promise_of_the_sending_one(
    sending_fund: dict[str, object], receiving_fund: dict[str, object], broken: str
) -> None:
    funds = [_fund(sending_fund), _fund(receiving_fund)]
    if not broken:
        check_narrower(*funds)
        return
    with pytest.raises(RestrictionBroken) as refused:
        check_narrower(*funds)
    assert [*refused.value.facts] == [broken]


def test_only_the_organisation_it_was_sent_to_receives_a_transfer() -> None:
    pen = open_society()
    pen.write(gift(10))
    (sent,) = pen.write(sending(5))
    with pytest.raises(Invalid, match="was not sent to"):
        pen.write(arrival(sent.seq, org=CITY, maker=FINANCE))
    with pytest.raises(Invalid, match="is no transfer"):
        pen.write(sent_back(sent.seq, org=OTHER_CITY, maker=NEIGHBOUR))
    with pytest.raises(Invalid, match="is no transfer"):
        pen.write(arrival(sent.seq - 1))
    with pytest.raises(NotAllowed):
        pen.write(arrival(sent.seq, maker=FINANCE))
    with pytest.raises(Invalid, match="another organisation"):
        pen.write(sending(1, to=CITY))
    with pytest.raises(Unknown):
        pen.write(SendTransfer(maker=FINANCE, org=CITY, fund="general", to="330900", amount_fen=1, on=TODAY))


def test_no_more_is_sent_than_the_fund_has() -> None:
    pen = open_society()
    pen.write(gift(10))
    with pytest.raises(InsufficientAmount):
        pen.write(sending(11))


def test_a_transfer_waits_for_approval_on_both_sides() -> None:
    pen = open_society(USUAL_RULES)
    pen.write(gift(10))
    sent = pen.agreed(sending(8), APPROVER)
    made, *_ = pen.write(arrival(sent.seq))
    assert isinstance(made.body, entries.ProposalMade)
    assert made.body.org == OTHER_CITY
    with pytest.raises(NotAllowed):
        pen.write(ApproveProposal(maker=APPROVER, proposal=made.seq))
    with pytest.raises(NothingLeft) as refused:
        pen.write(sent_back(sent.seq))
    assert refused.value.facts["proposals"] == [made.seq]
    pen.write(ApproveProposal(maker=NEIGHBOURS_APPROVER, proposal=made.seq))
    assert pen.balance(NEIGHBOURS) == 8


def test_what_is_in_transit_is_not_refunded_before_somebody_has_it() -> None:
    pen = open_society()
    (given,) = pen.write(gift(10))
    (sent,) = pen.write(sending(4))
    (refunded,) = pen.write(refund(given.seq))
    assert refunded.postings == (Posting(GENERAL, 4, account.refunds(CITY), 0, 6, CNY),)
    pen.write(sent_back(sent.seq))
    (rest,) = pen.write(refund(given.seq))
    assert entries.qty_of(rest) == 4


def _fund(clause: dict[str, object]) -> FundOpened:
    asked = {name: clause[name] for name in Restriction.__struct_fields__ if name in clause}
    others = {name: each for name, each in clause.items() if name not in asked}
    restriction = msgspec.convert(asked, Restriction)
    return msgspec.structs.replace(FundOpened(fund="a", name="a", org=CITY, restriction=restriction), **others)
