"""Lies about what was destroyed."""

from ledger.erasures import EraseDonor
from ledger.verify.rule import Rule
from tests.support.model import Pen
from tests.support.society import ADMINISTRATOR, CITY, FINANCE, OTHER_ADMINISTRATOR, OTHER_CITY, STRANGER, gift, income
from tests.verify.export import forged, read, sealed
from tests.verify.forgeries.registry import forgery, free


@forgery(Rule.ERASURE)
def an_erasure_of_what_is_no_gift() -> list[bytes]:
    pen = erased()
    return forged(pen.written, -1, lambda value: value["body"].update(ref=0))


@forgery(Rule.ERASURE)
def an_erasure_of_what_nobody_donated() -> list[bytes]:
    pen = free()
    (interest,) = pen.write(income(5))
    _erase(pen, pen.write(gift(5))[0].seq)
    return forged(pen.written, -1, lambda value: value["body"].update(ref=interest.seq))


@forgery(Rule.ERASURE)
def an_erasure_by_another_organisation() -> list[bytes]:
    log = read(erased().written)
    for value in log[-3:]:
        value["body"]["org"] = OTHER_CITY
    for value in (log[-3], log[-1]):
        value["by"]["maker"] = OTHER_ADMINISTRATOR
    return sealed(log)


@forgery(Rule.ERASURE)
def an_erasure_that_comes_twice() -> list[bytes]:
    pen = free()
    one, other = (pen.write(gift(5))[0].seq for _ in range(2))
    _erase(pen, one)
    _erase(pen, other)
    return forged(pen.written, -1, lambda value: value["body"].update(ref=one))


@forgery(Rule.ROLE_OF_MAKER, Rule.ROLE_OF_MAKER)
def an_erasure_by_somebody_without_the_role() -> list[bytes]:
    log = read(erased().written)
    for value in (log[-3], log[-1]):
        value["by"]["maker"] = STRANGER
    return sealed(log)


@forgery(Rule.APPROVALS)
def an_erasure_that_one_person_decided() -> list[bytes]:
    pen = free()
    (given,) = pen.write(gift(5))
    log = read(pen.written)
    plain = {name: field for name, field in log[-1].items() if name != "postings"}
    body = {"basis": "request", "org": CITY, "ref": given.seq}
    alone = {"kind": "erasure.recorded", "by": {"maker": FINANCE}, "body": body}
    return sealed([*log, {**plain, **alone, "seq": len(log)}])


def erased() -> Pen:
    pen = free()
    _erase(pen, pen.write(gift(5))[0].seq)
    return pen


def _erase(pen: Pen, ref: int) -> None:
    pen.agreed(EraseDonor(maker=FINANCE, org=CITY, ref=ref, basis="request"), ADMINISTRATOR)
