"""Organisations, staff, and what is opened for them."""

from typing import Any

import msgspec
import pytest

from ledger.organisations import (
    ChangeOrganisation,
    DeclareEvent,
    DismissStaff,
    EnrolStaff,
    OpenFund,
    OpenLog,
    OpenProject,
    RegisterOrganisation,
    is_uscc,
)
from ledger.refusals import AlreadyThere, Invalid, NotAllowed, Unknown
from ledger.roles import Role
from tests.support.model import TODAY, Pen
from tests.support.society import (
    ADMINISTRATOR,
    CASHIER,
    CITY,
    CITY_ADMINISTRATOR,
    FINANCE,
    OTHER_ADMINISTRATOR,
    OTHER_CITY,
    PROVINCE,
    STRANGER,
    allocation,
    gift,
    open_society,
    settle,
)

FOUNDERS = (ADMINISTRATOR, OTHER_ADMINISTRATOR)


def changed(org: str, parent: str) -> ChangeOrganisation:
    """The organisation under another one."""
    return ChangeOrganisation(maker=ADMINISTRATOR, org=org, name="改名", level="city", parent=parent, division="330000")


@pytest.mark.parametrize("code", ["9144030071526726XG", "91330100716105852F", "91110108551385082Q"])
def test_published_social_credit_codes_are_right(code: str) -> None:
    assert is_uscc(code)


@pytest.mark.parametrize("code", ["9144030071526726XG", "91330100716105852F", "91110108551385082Q"])
def test_every_wrong_character_of_a_social_credit_code_is_noticed(code: str) -> None:
    for i, right in enumerate(code):
        for wrong in "0123456789ABCDEFGHJKLMNPQRTUWXY":
            if wrong != right:
                assert not is_uscc(code[:i] + wrong + code[i + 1 :])


@pytest.mark.parametrize(
    "code", ["", "9133010071610585", "91330100716105852f", "91330100716105852F ", "９1330100716105852F"]
)
def test_what_is_no_social_credit_code_is_refused(code: str) -> None:
    assert not is_uscc(code)


def test_the_log_is_opened_once_by_two_founders() -> None:
    right = OpenLog(maker=FOUNDERS[0], origin="ledger.example.org/log", operator="红十字会", administrators=FOUNDERS)
    for wrong in (
        msgspec.structs.replace(right, administrators=FOUNDERS[:1]),
        msgspec.structs.replace(right, administrators=(ADMINISTRATOR, ADMINISTRATOR)),
        msgspec.structs.replace(right, administrators=(ADMINISTRATOR, "admin")),
        msgspec.structs.replace(right, origin="https://ledger.example.org/log"),
        msgspec.structs.replace(right, origin="ledger.example.org:٨٠/log"),
        msgspec.structs.replace(right, origin="ledger.example.org/" + "x" * 70_000),
        msgspec.structs.replace(right, operator=""),
    ):
        with pytest.raises(Invalid):
            Pen().write(wrong)
    pen = Pen()
    pen.write(right)
    with pytest.raises(AlreadyThere):
        pen.write(right)


def test_staff_need_another_administrator() -> None:
    pen = open_society()
    command = EnrolStaff(maker=ADMINISTRATOR, staff=STRANGER, org=CITY, roles=(Role.INTAKE,))
    assert pen.write(command)[0].kind == "proposal.made"


def test_roles_are_added_and_dismissal_takes_them_all() -> None:
    pen = open_society()
    settle(pen, EnrolStaff(maker=ADMINISTRATOR, staff=CASHIER, org=CITY, roles=(Role.PROGRAMME,)))
    assert pen.books.roles(CASHIER, CITY) == {Role.INTAKE, Role.PROGRAMME}
    settle(pen, DismissStaff(maker=ADMINISTRATOR, staff=CASHIER, org=CITY))
    assert pen.books.roles(CASHIER, CITY) == frozenset()
    with pytest.raises(NotAllowed):
        pen.write(gift(1))
    with pytest.raises(Unknown):
        pen.write(DismissStaff(maker=ADMINISTRATOR, staff=CASHIER, org=CITY))


def test_two_administrators_of_the_whole_log_stay() -> None:
    pen = open_society()
    with pytest.raises(Invalid):
        pen.write(DismissStaff(maker=ADMINISTRATOR, staff=OTHER_ADMINISTRATOR))
    settle(pen, EnrolStaff(maker=ADMINISTRATOR, staff=STRANGER, roles=(Role.ADMINISTRATOR,)))
    settle(pen, DismissStaff(maker=ADMINISTRATOR, staff=STRANGER))
    assert pen.books.administrators() == set(FOUNDERS)


def test_an_administrator_is_one_in_every_organisation_below_and_nowhere_else() -> None:
    pen = open_society()
    settle(pen, EnrolStaff(maker=ADMINISTRATOR, staff=STRANGER, org=PROVINCE, roles=(Role.ADMINISTRATOR,)))
    open_fund = OpenFund(maker=STRANGER, org=CITY, fund="new", name="新")
    pen.write(open_fund)
    pen.write(msgspec.structs.replace(open_fund, org=OTHER_CITY))
    with pytest.raises(NotAllowed):
        pen.write(msgspec.structs.replace(open_fund, maker=CITY_ADMINISTRATOR, org=PROVINCE))
    with pytest.raises(NotAllowed):
        pen.write(DeclareEvent(maker=STRANGER, event="quake", name="地震"))


def test_money_roles_hold_in_one_organisation_only() -> None:
    pen = open_society()
    for org in (CITY, OTHER_CITY):
        settle(pen, OpenFund(maker=ADMINISTRATOR, org=org, fund="new", name="新"))
        settle(pen, OpenProject(maker=ADMINISTRATOR, org=org, project="new", name="新"))
    settle(pen, EnrolStaff(maker=ADMINISTRATOR, staff=CASHIER, org=OTHER_CITY, roles=(Role.INTAKE,)))
    pen.write(msgspec.structs.replace(gift(5, "new"), org=OTHER_CITY))
    with pytest.raises(NotAllowed):
        pen.write(msgspec.structs.replace(allocation(5, "new", "new", maker=FINANCE), org=OTHER_CITY))


def test_money_roles_are_never_given_for_the_whole_log() -> None:
    pen = open_society()
    for role in (Role.FINANCE, Role.APPROVER, Role.INTAKE, Role.PROGRAMME):
        with pytest.raises(Invalid):
            pen.write(EnrolStaff(maker=ADMINISTRATOR, staff=STRANGER, roles=(role,)))


def test_organisations_stay_a_tree() -> None:
    pen = open_society()
    for parent in (PROVINCE, CITY):
        with pytest.raises(Invalid):
            pen.write(changed(PROVINCE, parent))
    pen.write(changed(CITY, OTHER_CITY))
    with pytest.raises(Invalid):
        pen.write(changed(OTHER_CITY, CITY))
    with pytest.raises(Unknown):
        pen.write(changed(CITY, "330200"))


@pytest.mark.parametrize(
    "fields",
    [{"org": "Quzhou"}, {"org": "a" * 33}, {"org": ""}, {"org": "-a"}, {"division": "3308"},
     {"division": "３３０８００"}, {"level": "town"}, {"uscc": "91330100716105852G"}, {"name": ""}],
)  # fmt: skip
def test_an_organisation_has_an_id_a_name_a_level_and_a_division(fields: dict[str, Any]) -> None:
    right = RegisterOrganisation(maker=ADMINISTRATOR, org="330900", name="舟山", level="city", division="330900")
    pen = open_society()
    with pytest.raises(Invalid):
        pen.write(msgspec.structs.replace(right, **fields))
    pen.write(right)
    with pytest.raises(AlreadyThere):
        pen.write(right)


def test_an_id_is_taken_once() -> None:
    pen = open_society()
    for command in (
        OpenFund(maker=ADMINISTRATOR, org=CITY, fund="general", name="又一"),
        OpenProject(maker=ADMINISTRATOR, org=CITY, project="relief", name="又一"),
        DeclareEvent(maker=ADMINISTRATOR, event="flood-2026", name="又一"),
    ):
        with pytest.raises(AlreadyThere):
            pen.write(command)


@pytest.mark.parametrize(
    "fields",
    [{"budget_fen": -1}, {"budget_fen": 2**53}, {"budget_fen": True}, {"starts": "soon"}, {"region": "all"},
     {"category": "A B"}, {"project": "_"}],
)  # fmt: skip
def test_a_project_nobody_could_read_is_refused(fields: dict[str, Any]) -> None:
    pen = open_society()
    with pytest.raises(Invalid):
        pen.write(
            msgspec.structs.replace(OpenProject(maker=ADMINISTRATOR, org=CITY, project="new", name="新"), **fields)
        )


def test_an_organisation_does_not_leave_its_oversight_alone() -> None:
    pen = open_society()
    known = pen.books.organisations[CITY]
    moved = ChangeOrganisation(
        maker=CITY_ADMINISTRATOR, org=CITY, name=known.name, level=known.level, parent="", division=known.division
    )
    with pytest.raises(NotAllowed):
        pen.write(moved)
    pen.write(msgspec.structs.replace(moved, parent=known.parent, name="改名后的红十字会"))
    pen.write(msgspec.structs.replace(moved, maker=ADMINISTRATOR))


def test_a_project_does_not_end_before_it_starts() -> None:
    pen = open_society()
    with pytest.raises(Invalid):
        pen.write(
            OpenProject(
                maker=ADMINISTRATOR, org=CITY, project="late", name="项目", starts="2026-02-01", ends="2026-01-31"
            )
        )


@pytest.mark.parametrize("began", ["2026-11-22", "2026-02-30", "June"])
def test_an_event_began_on_a_day_that_is_not_after_today(began: str) -> None:
    pen = open_society()
    event = DeclareEvent(maker=ADMINISTRATOR, event="quake", name="地震", began=TODAY)
    with pytest.raises(Invalid):
        pen.write(msgspec.structs.replace(event, began=began))
    assert pen.write(event)[0].kind == "event.declared"
