"""Lies about funds and projects that are closed."""

from msgspec import structs

from ledger import account
from ledger.donations import ApproveImport
from ledger.endings import CloseFund, CloseProject
from ledger.verify.rule import Rule
from tests.support.model import TODAY, Pen
from tests.support.society import (
    ADMINISTRATOR,
    APPROVER,
    CITY,
    FINANCE,
    NEIGHBOUR,
    NEIGHBOURS_APPROVER,
    OTHER_ADMINISTRATOR,
    OTHER_CITY,
    PROJECTS,
    allocation,
    arrival,
    gift,
    handed_back,
    payment,
    reversal,
    sending,
    sent_back,
    settle,
)
from tests.verify.export import forged, read, sealed
from tests.verify.forgeries.postings import posted
from tests.verify.forgeries.registry import forgery, free

CONSENT = "c" * 64
FLOOD = "fund:330800:flood"


@forgery(Rule.CLOSED_EMPTY)
def a_fund_closed_with_money_in_it() -> list[bytes]:
    pen = free()
    pen.write(gift(5, "flood"))
    return _closing(pen, "general", "flood")


@forgery(Rule.CLOSED_EMPTY)
def a_project_closed_with_money_in_it() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    pen.write(allocation(5))
    pen.agreed(
        CloseProject(maker=ADMINISTRATOR, org=CITY, project="school", residue="none", basis="期满"), OTHER_ADMINISTRATOR
    )
    return forged(pen.written, -1, lambda value: value["body"].update(project="relief"))


@forgery(Rule.CLOSED_EMPTY)
def a_fund_closed_with_its_money_on_the_way() -> list[bytes]:
    pen = free()
    pen.write(gift(5, "flood"))
    pen.write(sending(5, "flood"))
    return _closing(pen, "general", "flood")


@forgery(Rule.CLOSED_EMPTY)
def a_fund_closed_while_rows_are_entered() -> list[bytes]:
    pen = free()
    approve = ApproveImport(
        maker=FINANCE, org=CITY, fund="flood", channel="bank", name="流水", profile="notice", file="a" * 64, rows=1,
        sum_fen=5, first_on=TODAY, last_on=TODAY,
    )  # fmt: skip
    pen.agreed(approve, APPROVER)
    return _closing(pen, "general", "flood")


@forgery(Rule.CLOSED_EMPTY)
def a_fund_closed_whose_residue_went_nowhere() -> list[bytes]:
    pen = free()
    closing = CloseFund(
        maker=ADMINISTRATOR, org=CITY, fund="general", residue="moved", successor="flood", basis="期满",
        evidence=(CONSENT,),
    )  # fmt: skip
    pen.agreed(closing, OTHER_ADMINISTRATOR)
    return forged(pen.written, -1, lambda value: value["body"].pop("successor"))


@forgery(Rule.CLOSED_EMPTY)
def a_fund_closed_by_an_agreement_nobody_shows() -> list[bytes]:
    pen = free()
    closing = CloseFund(
        maker=ADMINISTRATOR, org=CITY, fund="general", residue="agreed", basis="期满", evidence=(CONSENT,)
    )
    pen.agreed(closing, OTHER_ADMINISTRATOR)
    return forged(pen.written, -1, lambda value: value["body"].pop("evidence"))


@forgery(Rule.CLOSED_UNTOUCHED)
def a_gift_to_a_closed_fund() -> list[bytes]:
    pen = free()
    pen.agreed(_of("flood"), OTHER_ADMINISTRATOR)
    pen.write(gift(5))
    log = read(pen.written)
    log[-1]["body"]["fund"] = "flood"
    log[-1]["postings"][0][2] = FLOOD
    return sealed(log)


@forgery(Rule.CLOSED_UNTOUCHED)
def an_allocation_to_a_closed_project() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    pen.agreed(
        CloseProject(maker=ADMINISTRATOR, org=CITY, project="anything", residue="none", basis="期满"),
        OTHER_ADMINISTRATOR,
    )
    pen.write(allocation(5))
    log = read(pen.written)
    log[-1]["postings"][0][2] = "project:330800:anything:general"
    return sealed(log)


@forgery(Rule.RETURN_HOME)
def a_late_return_to_another_project_than_the_successor() -> list[bytes]:
    pen = _paid_and_closed()
    return posted(pen.written, ["payees:330800", 0, "project:330800:relief-too:flood", 0, 5, "CNY"])


@forgery(Rule.CLOSED_UNTOUCHED)
def a_late_return_to_the_closed_project() -> list[bytes]:
    return posted(_paid_and_closed().written, ["payees:330800", 0, "project:330800:relief:flood", 5, 5, "CNY"])


@forgery(Rule.RESTRICTION)
def a_late_return_to_a_successor_that_is_not_what_the_donors_wanted() -> list[bytes]:
    pen = _paid_and_closed()
    (closed,) = (entry.seq for entry in pen.entries if entry.kind == "project.closed")
    log = forged(pen.written, closed, lambda value: value["body"].update(successor="school"))
    return posted(log, ["payees:330800", 0, "project:330800:school:flood", 0, 5, "CNY"])


@forgery(Rule.RETURN_HOME)
def money_in_transit_that_comes_back_to_another_fund_than_the_successor() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    (sent,) = pen.write(sending(5))
    (arrived,) = pen.write(arrival(sent.seq))
    closing = CloseFund(maker=ADMINISTRATOR, org=CITY, fund="general", residue="moved", basis="期满")
    pen.agreed(structs.replace(closing, successor="office", evidence=(CONSENT,)), OTHER_ADMINISTRATOR)
    pen.agreed(reversal(arrived.seq, org=OTHER_CITY, maker=NEIGHBOUR), NEIGHBOURS_APPROVER)
    pen.write(sent_back(sent.seq))
    return posted(pen.written, [account.transit(CITY, OTHER_CITY), 5, account.fund(CITY, "flood"), 0, 5, "CNY"])


def _paid_and_closed() -> Pen:
    """Flood money was paid, the project closed, and the payee handed the money back to the successor."""
    pen = free()
    settle(pen, structs.replace(PROJECTS["relief"], project="relief-too"))
    pen.write(gift(5, "flood"))
    pen.write(allocation(5, "flood"))
    (paid,) = pen.write(payment(5))
    closing = CloseProject(maker=ADMINISTRATOR, org=CITY, project="relief", residue="moved", basis="期满")
    settle(pen, structs.replace(closing, successor="bridge", evidence=(CONSENT,)))
    pen.write(handed_back(paid.seq))
    return pen


def _closing(pen: Pen, closed: str, forged_to: str) -> list[bytes]:
    pen.agreed(_of(closed), OTHER_ADMINISTRATOR)
    return forged(pen.written, -1, lambda value: value["body"].update(fund=forged_to))


def _of(fund: str) -> CloseFund:
    return CloseFund(maker=ADMINISTRATOR, org=CITY, fund=fund, residue="none", basis="期满")
