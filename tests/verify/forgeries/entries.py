"""Lies about single entries: form, time, parts, ids, gifts, imports, confirmations."""

from ledger.organisations import DeclareEvent
from ledger.verify.rule import Rule
from tests.support.model import Pen
from tests.support.society import (
    ADMINISTRATOR,
    CITY,
    allocation,
    gift,
    refund,
    settle,
)
from tests.verify.export import Value, appended, forged, read, sealed
from tests.verify.forgeries.registry import forgery, free

BY = {"maker": ADMINISTRATOR}


@forgery(Rule.ENTRY_FORM)
def a_gift_with_a_field_nobody_knows() -> list[bytes]:
    return _given(note="张三 13800000000")


@forgery(Rule.ENTRY_FORM)
def a_gift_with_an_amount_in_words() -> list[bytes]:
    return _given(row="one")


@forgery(Rule.ENTRY_FORM)
def an_absence_that_is_written_out() -> list[bytes]:
    return _given(row=0)


@forgery(Rule.ENTRY_FORM)
def postings_that_are_written_out_and_empty() -> list[bytes]:
    return appended(free().written, **_event(), postings=[])


@forgery(Rule.KIND_KNOWN)
def an_entry_of_a_kind_nobody_knows() -> list[bytes]:
    return appended(free().written, kind="money.burnt", body={}, by=BY)


@forgery(Rule.KIND_KNOWN)
def an_entry_of_a_version_nobody_knows() -> list[bytes]:
    return appended(free().written, **_event(), v=2)


@forgery(Rule.TIME_ORDER)
def a_gift_entered_before_the_entry_before() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    return forged(pen.written, -1, lambda value: value.update(at="2026-11-21T03:59:59.999Z"))


@forgery(Rule.TIME_ORDER)
def a_time_of_no_clock() -> list[bytes]:
    return appended(free().written, **_event(), at="2026-11-21T25:00:00.000Z")


@forgery(Rule.BUSINESS_DATE)
def a_gift_of_tomorrow() -> list[bytes]:
    return _given(on="2026-11-22")


@forgery(Rule.BUSINESS_DATE)
def a_gift_on_a_day_of_no_calendar() -> list[bytes]:
    return _given(on="2026-02-30")


@forgery(Rule.BUSINESS_DATE)
def an_allocation_of_tomorrow() -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    pen.write(allocation(5))
    return forged(pen.written, -1, lambda value: value["body"].update(on="2026-11-22"))


@forgery(Rule.BUSINESS_DATE)
def an_event_that_begins_tomorrow() -> list[bytes]:
    body = {"began": "2026-11-22", "event": "earthquake", "name": "地震"}
    return appended(free().written, kind="event.declared", body=body, by=BY)


@forgery(Rule.PARTS)
def the_first_of_two_parts_at_the_end_of_the_log() -> list[bytes]:
    return _part([1, 2])


@forgery(Rule.PARTS)
def the_second_of_two_parts_alone() -> list[bytes]:
    return _part([2, 2])


@forgery(Rule.PARTS)
def part_one_of_one() -> list[bytes]:
    return _part([1, 1])


@forgery(Rule.PARTS)
def part_three_of_two() -> list[bytes]:
    return _part([3, 2])


@forgery(Rule.PARTS, Rule.PARTS)
def a_gift_between_two_parts() -> list[bytes]:
    *log, first, second = _split()
    pen = Pen(sealed(log, recommitted=False))
    pen.write(gift(5))
    between = read(pen.written)[-1] | {"seq": second["seq"], "at": second["at"]}
    return sealed([*log, first, between, second | {"seq": second["seq"] + 1}])


@forgery(Rule.PARTS, Rule.PARTS)
def two_parts_with_different_bodies() -> list[bytes]:
    *log, first, second = _split()
    second["body"]["decision"] = "红〔2026〕2号"
    return sealed([*log, first, second])


@forgery(Rule.PARTS)
def two_parts_into_two_projects() -> list[bytes]:
    *log, first, second = _split()
    second["postings"][0][2:4] = ["project:330800:anything:general", 0]
    return sealed([*log, first, second])


@forgery(Rule.LOG_OPENED)
def a_log_opened_by_one_founder_alone() -> list[bytes]:
    return forged(free().written, 0, lambda value: value["body"]["administrators"].append("s-third22222222"))


@forgery(Rule.LOG_OPENED)
def a_log_opened_under_another_origin() -> list[bytes]:
    return forged(free().written, 0, lambda value: value["body"].update(origin="ledger.example.net/log"))


@forgery(Rule.LOG_OPENED)
def a_log_opened_twice() -> list[bytes]:
    log = read(free().written)
    return sealed([*log, log[0] | {"seq": len(log), "at": log[-1]["at"]}])


@forgery(Rule.LOG_OPENED, Rule.ROLE_OF_MAKER)
def a_log_that_nobody_opened() -> list[bytes]:
    log = read(free().written)
    return sealed([log[0] | _event() | {"seq": 0}])


@forgery(Rule.ID_FORM)
def an_event_whose_id_is_no_id() -> list[bytes]:
    return appended(free().written, **_event("Flood 2026"))


@forgery(Rule.ID_FORM)
def a_gift_through_a_channel_that_is_no_id() -> list[bytes]:
    return _given(channel="WeChat Pay")


@forgery(Rule.ID_FORM)
def a_project_in_a_place_that_is_no_division() -> list[bytes]:
    body = {"name": "new", "org": CITY, "project": "new", "region": "衢江区"}
    return appended(free().written, kind="project.opened", body=body, by=BY)


@forgery(Rule.ID_UNIQUE)
def an_event_declared_twice() -> list[bytes]:
    return appended(free().written, **_event("flood-2026"))


@forgery(Rule.ID_UNIQUE)
def a_fund_opened_again_with_another_restriction() -> list[bytes]:
    body = {"fund": "flood", "name": "flood", "org": CITY, "restriction": {}}
    return appended(free().written, kind="fund.opened", body=body, by=BY)


@forgery(Rule.ORG_KNOWN)
def a_fund_of_an_organisation_nobody_registered() -> list[bytes]:
    body = {"fund": "new", "name": "new", "org": "999999", "restriction": {}}
    return appended(free().written, kind="fund.opened", body=body, by=BY)


@forgery(Rule.ORG_KNOWN)
def an_organisation_that_lies_under_itself() -> list[bytes]:
    body = {"division": "330000", "level": "province", "name": "省会", "org": "330000", "parent": CITY}
    return appended(free().written, kind="org.changed", body=body, by=BY)


@forgery(Rule.EVENT_LABEL)
def a_gift_for_an_event_nobody_declared() -> list[bytes]:
    return _given(event="earthquake")


@forgery(Rule.EVENT_LABEL)
def a_gift_to_the_flood_fund_under_another_disaster() -> list[bytes]:
    pen = free()
    settle(pen, DeclareEvent(maker=ADMINISTRATOR, event="earthquake", name="地震"))
    pen.write(gift(5, "flood"))
    return forged(pen.written, -1, lambda value: value["body"].update(event="earthquake"))


@forgery(Rule.TEXT_FORM)
def an_event_with_a_name_of_two_lines() -> list[bytes]:
    return appended(free().written, kind="event.declared", body={"event": "new", "name": "地\n震"}, by=BY)


@forgery(Rule.TEXT_FORM)
def an_event_without_a_name() -> list[bytes]:
    return appended(free().written, kind="event.declared", body={"event": "new", "name": ""}, by=BY)


@forgery(Rule.ID_FORM)
def an_organisation_with_an_invented_credit_code() -> list[bytes]:
    body = {"division": "330700", "level": "city", "name": "市会", "org": "330700", "uscc": "91330100716105852G"}
    return appended(free().written, kind="org.registered", body=body, by=BY)


@forgery(Rule.DIGEST_FORM)
def a_donor_by_name() -> list[bytes]:
    return _given(donor="张三")


@forgery(Rule.DIGEST_FORM)
def a_channel_reference_in_the_open() -> list[bytes]:
    return _given(ref="1000050001202611210123456789")


@forgery(Rule.REFERENCE_UNIQUE)
def one_bank_reference_for_two_gifts() -> list[bytes]:
    pen = free()
    pen.write(gift(5, ref="a" * 64))
    pen.write(gift(5, ref="b" * 64))
    return forged(pen.written, -1, lambda value: value["body"].update(ref="a" * 64))


def _given(**body: object) -> list[bytes]:
    """A gift with something else in its body."""
    pen = free()
    pen.write(gift(5, ref="c" * 64))
    return forged(pen.written, -1, lambda value: value["body"].update(body))


def _event(event: str = "earthquake") -> Value:
    return {"kind": "event.declared", "body": {"event": event, "name": "地震"}, "by": BY}


def _part(part: list[int]) -> list[bytes]:
    pen = free()
    pen.write(gift(5))
    pen.write(allocation(5))
    return forged(pen.written, -1, lambda value: value["body"].update(part=part))


def _split() -> list[Value]:
    """A log that ends with an allocation in two parts."""
    pen = free()
    pen.write(gift(4))
    (second,) = pen.write(gift(1))
    pen.write(gift(4))
    pen.write(refund(second.seq))
    pen.write(allocation(8))
    *log, whole = read(pen.written)
    seq, body = whole["seq"], whole["body"]
    return [
        *log,
        *(
            whole | {"seq": seq + i, "body": body | {"part": [i + 1, 2]}, "postings": [posting]}
            for i, posting in enumerate(whole["postings"])
        ),
    ]
