"""Whatever an entry says, the replay says what is wrong with it and goes on: it never breaks, and never hangs."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ledger.verify.verifier import verify
from tests.support.fixed import FIXED
from tests.support.society import APPROVER, allocation, gift, payment, refund, release
from tests.verify.export import POLICY, Value, export, read, sealed
from tests.verify.forgeries.loops import SHEET, imported
from tests.verify.forgeries.registry import strict

ODD = st.one_of(
    st.sampled_from([0, 1, -1, 2, 5, 2**53 - 1, -(2**53) + 1, "", "x", "CNY", "fund", "general", "330800", "persons"]),
    st.sampled_from(["9999-12-31T23:59:59.999Z", "2026-11-21", "fund:330800:general", "donors:330800", "a" * 64]),
    st.sampled_from(["payees:330800", "project:330800:relief:general", "money.allocated", "proposal.made", [], {}]),
    st.integers(0, 90),
    st.booleans(),
)
"""What stands in entries, in places where it does not belong."""


def everything() -> list[Value]:
    """A log with every kind of entry that moves money or waits for approval."""
    pen = strict()
    (given,) = pen.write(gift(40, ref="a" * 64))
    pen.write(gift(40, "flood"))
    allocated = pen.agreed(allocation(8), APPROVER)
    pen.agreed(payment(5), APPROVER)
    pen.write(release(allocated.seq, 1))
    pen.agreed(refund(given.seq), APPROVER)
    pen.write(allocation(4, "flood"))
    pen.agreed(SHEET, APPROVER)
    return read(pen.written)


EVERYTHING = everything()


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in an entry that something else could stand in."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [place for key in keys for place in [(value, key), *places(value[key])]]


@FIXED
@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 10_000), ODD), min_size=1, max_size=4))
def test_no_entry_breaks_the_replay(changes: list[tuple[int, int, Any]]) -> None:
    log = read(sealed(EVERYTHING, recommitted=False))
    for which, where, odd in changes:
        # Mostly the end of the log, where money moves.
        entry = log[-1 - which % len(log)]
        found = places(entry)
        holder, key = found[where % len(found)]
        holder[key] = odd
    for seq, value in enumerate(log):
        value["seq"] = value.get("seq", seq)
    report = verify(export(sealed(log, recommitted=False)), policy=POLICY)
    assert not report.trouble
    assert report.replayed == report.size == len(log)
    assert report.text()
    assert report.to_json()


@FIXED
@given(st.lists(st.integers(0, len(EVERYTHING) - 1), max_size=30))
def test_no_order_of_entries_breaks_the_replay(order: list[int]) -> None:
    log = [EVERYTHING[0], *(dict(EVERYTHING[i]) for i in order)]
    report = verify(export(sealed(log, recommitted=False)), policy=POLICY)
    assert report.replayed == len(log)


def test_an_import_takes_part() -> None:
    assert verify(export(imported()), policy=POLICY).exit_code == 0
