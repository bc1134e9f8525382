"""Campaigns: which gifts are theirs; and gifts so large that they need an agreement in writing."""

from hashlib import sha256
from typing import Any

import pytest
from msgspec import structs

from ledger.approvals import SetPolicy
from ledger.campaigns import RegisterCampaign
from ledger.donations import ApproveImport, CompleteImport
from ledger.entries import ImportCompleted
from ledger.organisations import OpenFund
from ledger.refusals import AgreementRequired, AlreadyThere, ImportMismatch, Invalid, OutsideCampaign, Unknown
from tests.support.model import TODAY, Pen
from tests.support.society import (
    ADMINISTRATOR,
    APPROVER,
    CITY,
    FINANCE,
    OTHER_CITY,
    PROVINCE,
    gift,
    identification,
    open_society,
    settle,
    unidentified,
)

CAMPAIGN = RegisterCampaign(
    maker=ADMINISTRATOR, org=PROVINCE, campaign="flood-2026", name="洪灾募捐", filing="备案001",
    first_on="2026-11-01", last_on="2026-11-10",
)  # fmt: skip
FUND = OpenFund(maker=ADMINISTRATOR, org=CITY, fund="raised", name="募捐", campaign="flood-2026")
AGREED = sha256(b"agreement").hexdigest()


def opened() -> Pen:
    pen = open_society()
    settle(pen, CAMPAIGN)
    settle(pen, FUND)
    return pen


def test_a_campaign_is_registered_once_with_its_filing_number_and_its_days_in_order() -> None:
    pen = open_society()
    wrong: tuple[dict[str, Any], ...] = (
        {"first_on": "2026-11-11"}, {"filing": ""}, {"campaign": "Flood"}, {"last_on": "soon"}, {"name": " "},
    )  # fmt: skip
    for each in wrong:
        with pytest.raises(Invalid):
            pen.write(structs.replace(CAMPAIGN, **each))
    with pytest.raises(Unknown):
        pen.write(structs.replace(CAMPAIGN, org="110000"))
    settle(pen, CAMPAIGN)
    with pytest.raises(AlreadyThere):
        pen.write(structs.replace(CAMPAIGN, name="另一个"))


def test_a_gift_is_of_its_funds_campaign_or_of_the_one_it_names() -> None:
    pen = opened()
    settle(pen, structs.replace(CAMPAIGN, campaign="school-2026"))
    pen.write(structs.replace(gift(5), campaign="school-2026"))
    pen.write(structs.replace(gift(5), fund="raised", campaign="flood-2026"))
    with pytest.raises(Invalid):
        pen.write(structs.replace(gift(5), fund="raised", campaign="school-2026"))
    with pytest.raises(Unknown):
        pen.write(structs.replace(gift(5), campaign="nothing"))


def test_a_campaign_is_of_the_organisation_or_of_one_above_it() -> None:
    pen = open_society()
    settle(pen, structs.replace(CAMPAIGN, org=OTHER_CITY))
    with pytest.raises(Invalid):
        pen.write(FUND)
    with pytest.raises(Invalid):
        pen.write(structs.replace(gift(5), campaign="flood-2026"))


def test_a_gift_from_before_its_campaign_is_refused_and_a_late_one_is_taken() -> None:
    pen = opened()
    given = structs.replace(gift(5), fund="raised")
    with pytest.raises(OutsideCampaign):
        pen.write(structs.replace(given, on="2026-10-31"))
    (waits,) = pen.write(unidentified(50))
    found = structs.replace(identification(waits.seq, 5), campaign="flood-2026")
    with pytest.raises(OutsideCampaign):
        pen.write(structs.replace(found, on="2026-10-31"))
    for on in ("2026-11-01", "2026-11-10", "2026-11-11", TODAY):
        pen.write(structs.replace(given, on=on))
    pen.write(found)


def test_a_sheet_belongs_to_the_campaign_of_its_fund() -> None:
    pen = opened()
    sheet = ApproveImport(
        maker=FINANCE, org=CITY, fund="raised", channel="wechat", name="流水", profile="notice", file="f" * 64, rows=1,
        sum_fen=5, first_on="2026-10-31", last_on="2026-11-20",
    )  # fmt: skip
    with pytest.raises(OutsideCampaign):
        pen.write(sheet)
    batch = pen.agreed(structs.replace(sheet, first_on="2026-11-01"), APPROVER).seq
    row = structs.replace(gift(5, maker=FINANCE), fund="raised", batch=batch, row=1, on="2026-11-20")
    with pytest.raises(ImportMismatch):
        pen.write(structs.replace(row, campaign="flood-2026"))
    pen.write(row)


def test_a_gift_from_the_policys_amount_on_needs_a_written_agreement() -> None:
    pen = open_society()
    pen.write(gift(1_000))
    settle(pen, SetPolicy(maker=ADMINISTRATOR, agreement_from=1_000))
    pen.write(gift(999))
    with pytest.raises(AgreementRequired):
        pen.write(gift(1_000))
    with pytest.raises(Invalid):
        pen.write(structs.replace(gift(1_000), agreement="捐赠函第一号"))
    pen.write(structs.replace(gift(1_000), agreement=AGREED))
    (waits,) = pen.write(unidentified(2_000))
    with pytest.raises(AgreementRequired):
        pen.write(identification(waits.seq, 1_000))
    pen.write(structs.replace(identification(waits.seq, 1_000), agreement=AGREED))
    settle(pen, SetPolicy(maker=ADMINISTRATOR))
    pen.write(gift(1_000, ref="a" * 64))


def test_a_row_that_came_to_need_an_agreement_is_rejected_when_it_is_entered() -> None:
    pen = open_society()
    sheet = ApproveImport(
        maker=FINANCE, org=CITY, fund="general", channel="wechat", name="流水", profile="notice", file="f" * 64, rows=2,
        sum_fen=1_005, first_on=TODAY, last_on=TODAY,
    )  # fmt: skip
    batch = pen.agreed(sheet, APPROVER).seq
    settle(pen, SetPolicy(maker=ADMINISTRATOR, agreement_from=1_000))
    row = structs.replace(gift(1_000, maker=FINANCE), batch=batch, row=1)
    with pytest.raises(AgreementRequired):
        pen.write(row)
    pen.write(structs.replace(row, amount_fen=5, row=2))
    (completed,) = pen.write(CompleteImport(maker=FINANCE, batch=batch))
    assert isinstance(completed.body, ImportCompleted)
    assert (completed.body.rejected, completed.body.rejected_fen) == (1, 1_000)


def test_the_amount_that_needs_an_agreement_is_an_amount_or_never() -> None:
    pen = open_society()
    for wrong in (-2, 2**53):
        with pytest.raises(Invalid):
            pen.write(SetPolicy(maker=ADMINISTRATOR, agreement_from=wrong))
