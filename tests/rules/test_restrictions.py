"""What a donor asked for holds to the end."""

import msgspec
import pytest

from ledger import account
from ledger.allocations import lies_in
from ledger.entries import Restriction
from ledger.organisations import OpenFund
from ledger.refusals import InsufficientAmount, Invalid, RestrictionBroken, Unknown
from tests.support.society import (
    ADMINISTRATOR,
    CITY,
    HOSPITAL,
    OTHER_CITY,
    PROJECTS,
    SHOP,
    allocation,
    gift,
    open_society,
    payment,
)

MAY_REACH = {
    "general": {"relief", "school", "bridge", "anything"},
    "flood": {"relief", "bridge"},
    "schools": {"school"},
    "district": {"school", "bridge"},
    "bridge": {"bridge"},
    "hospital": {"relief", "school", "bridge", "anything"},
}
"""Fund → the projects that have all its restriction asks for."""


@pytest.mark.parametrize("project", PROJECTS)
@pytest.mark.parametrize("fund", MAY_REACH)
def test_money_reaches_a_project_only_if_it_has_what_the_fund_asks_for(fund: str, project: str) -> None:
    pen = open_society()
    pen.write(gift(5, fund))
    if project in MAY_REACH[fund]:
        pen.write(allocation(5, fund, project))
        assert pen.balance(account.project(CITY, project, fund)) == 5
    else:
        with pytest.raises(RestrictionBroken):
            pen.write(allocation(5, fund, project))


def test_all_of_several_restrictions_are_asked_for() -> None:
    pen = open_society()
    both = Restriction(category="education", region="330803")
    pen.write(OpenFund(maker=ADMINISTRATOR, org=CITY, fund="both", name="两项限定", restriction=both))
    pen.write(gift(5, "both"))
    with pytest.raises(RestrictionBroken):
        pen.write(allocation(5, "both", "school"))


@pytest.mark.parametrize(
    ("region", "wanted", "lies"),
    [
        ("330802", "330802", True),
        ("330802", "330800", True),
        ("330802", "330000", True),
        ("330802", "", True),
        ("330800", "330802", False),
        ("330802", "330803", False),
        ("330802", "331000", False),
        ("340802", "330000", False),
        ("330000", "330800", False),
        ("", "330800", False),
        ("", "", True),
        ("331000", "331000", True),
        ("330110", "330100", True),
        ("330110", "331100", False),
    ],
)
def test_a_region_lies_in_another_by_prefix(region: str, wanted: str, lies: bool) -> None:  # noqa: FBT001
    assert lies_in(region, wanted) is lies


def test_only_ascii_digits_make_a_region() -> None:
    pen = open_society()
    for region in ("３３０８０２", "33080", "3308022", "33080x", "٣٣٠٨٠٢"):
        with pytest.raises(Invalid):
            pen.write(
                OpenFund(maker=ADMINISTRATOR, org=CITY, fund="f", name="地区", restriction=Restriction(region=region))
            )


def test_money_for_one_recipient_is_paid_to_nobody_else() -> None:
    pen = open_society()
    pen.write(gift(5, "hospital"))
    pen.write(allocation(5, "hospital"))
    with pytest.raises(RestrictionBroken):
        pen.write(payment(5, payee=SHOP))
    pen.write(payment(5, payee=HOSPITAL))


def test_a_payment_passes_over_lines_it_may_not_use() -> None:
    pen = open_society()
    for fund in ("hospital", "general"):
        pen.write(gift(5, fund))
        pen.write(allocation(5, fund))
    (paid,) = pen.write(payment(4, payee=SHOP))
    assert [posting.src for posting in paid.postings] == [account.project(CITY, "relief", "general")]
    with pytest.raises(InsufficientAmount) as refused:
        pen.write(payment(2, payee=SHOP))
    assert refused.value.facts["available"] == 1


def test_only_a_fund_whose_clause_allows_it_pays_for_management() -> None:
    pen = open_society()
    for fund in ("general", "office", "bridge"):
        pen.write(gift(5, fund))
        pen.write(allocation(5, fund, "bridge"))
    (paid,) = pen.write(payment(5, "bridge", spending="management"))
    assert [posting.src for posting in paid.postings] == [account.project(CITY, "bridge", "office")]
    with pytest.raises(RestrictionBroken):
        pen.write(payment(1, "bridge", spending="campaign"))
    (paid,) = pen.write(payment(10, "bridge", spending="purchase"))
    assert len(paid.postings) == 2


def test_a_project_without_money_pays_nothing() -> None:
    pen = open_society()
    with pytest.raises(InsufficientAmount) as refused:
        pen.write(payment(1))
    assert refused.value.facts == {"wanted": 1, "available": 0, "proposals": []}


def test_a_payment_lies_in_its_projects_region_or_names_a_wider_one() -> None:
    pen = open_society()
    pen.write(gift(9))
    pen.write(allocation(9))
    for region in ("330802", "330800", "330000", ""):
        pen.write(msgspec.structs.replace(payment(1), region=region))
    with pytest.raises(RestrictionBroken):
        pen.write(msgspec.structs.replace(payment(1), region="330100"))


def test_fewer_than_five_persons_are_never_located_closer_than_a_prefecture() -> None:
    pen = open_society()
    pen.write(gift(9))
    pen.write(allocation(9))
    few = msgspec.structs.replace(payment(1), payee="persons", beneficiaries="1-4")
    with pytest.raises(Invalid):
        pen.write(msgspec.structs.replace(few, region="330802"))
    pen.write(msgspec.structs.replace(few, region="330800"))
    for count in ("1", "4", "0", "05", "1-5", "５", "many", "-5", "5.0"):
        with pytest.raises(Invalid):
            pen.write(msgspec.structs.replace(few, beneficiaries=count))
    for count in ("", "5", "10", "120000"):
        pen.write(msgspec.structs.replace(few, beneficiaries=count))


def test_a_gift_names_no_other_event_than_its_funds() -> None:
    pen = open_society()
    with pytest.raises(Unknown):
        pen.write(msgspec.structs.replace(gift(1, "flood"), event="quake-2026"))
    pen.write(msgspec.structs.replace(gift(1, "flood"), event="flood-2026"))
    pen.write(gift(1, "flood"))


def test_money_stays_in_its_organisation() -> None:
    pen = open_society()
    pen.write(gift(5))
    with pytest.raises(Unknown):
        pen.write(msgspec.structs.replace(allocation(5), org=OTHER_CITY))
    with pytest.raises(Unknown):
        pen.write(allocation(5, project="nothing"))
    with pytest.raises(Unknown):
        pen.write(gift(5, "nothing"))
