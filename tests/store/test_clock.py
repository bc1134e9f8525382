"""The clock of the log: what happens to it when somebody sets it, and what an entry's `at` may be."""

import time
from datetime import timedelta

import pytest

from ledger import entries
from ledger.settings import Settings
from ledger.store.availability import Stopped
from ledger.store.clock import BEHIND_S_MAX, DRIFT_S_MAX, Clock, ClockError, today
from tests.support import clerk
from tests.support.checklog import check_log

NEW_YEAR = 1_798_732_800.0
"""2027-01-01 00:00 in Beijing."""

TOMORROW = time.time() // 1 + 86_400
"""After whatever is in the log already."""


class Hands:
    """A wall clock that can be set, and a monotonic one that cannot."""

    def __init__(self, now_s: float = NEW_YEAR) -> None:
        self.now_s = now_s
        self.uptime_s = 5_000.0

    def clock(self) -> Clock:
        return Clock(wall=lambda: self.now_s, monotonic=lambda: self.uptime_s)

    def pass_by(self, seconds: float) -> None:
        self.now_s += seconds
        self.uptime_s += seconds


def moved(at: str, seconds: float) -> str:
    return entries.instant(entries.moment(at) + timedelta(seconds=seconds))


def test_an_entry_is_dated_in_utc_to_the_millisecond() -> None:
    hands = Hands()
    assert hands.clock().at("") == "2026-12-31T16:00:00.000Z"
    clock = hands.clock()
    hands.pass_by(0.0019)
    assert clock.at("") == "2026-12-31T16:00:00.001Z"


def test_the_business_date_is_that_of_beijing() -> None:
    hands = Hands()
    assert today(hands.clock().at("")) == "2027-01-01"
    hands.pass_by(-0.001)
    assert today(hands.clock().at("")) == "2026-12-31"


@pytest.mark.parametrize("behind_s", [0, 0.001, 1, BEHIND_S_MAX])
def test_a_clock_set_back_a_little_repeats_the_last_time(behind_s: float) -> None:
    hands = Hands()
    clock = hands.clock()
    last = clock.at("")
    hands.now_s -= behind_s
    assert clock.at(last) == last
    hands.pass_by(behind_s + 1)
    assert clock.at(last) == moved(last, 1)


def test_a_clock_far_behind_the_last_entry_stops_the_writing() -> None:
    clock = Hands().clock()
    last = moved(clock.at(""), BEHIND_S_MAX + 0.001)
    with pytest.raises(ClockError, match="behind the last entry"):
        clock.at(last)


@pytest.mark.parametrize("moved_s", [DRIFT_S_MAX + 1, -DRIFT_S_MAX - 1, 86_400])
def test_a_clock_that_was_changed_under_us_stops_the_writing(moved_s: float) -> None:
    hands = Hands()
    clock = hands.clock()
    hands.pass_by(10 * 86_400)
    hands.now_s += moved_s
    with pytest.raises(ClockError, match="against the monotonic clock"):
        clock.at("")


@pytest.mark.parametrize("moved_s", [DRIFT_S_MAX - 1, 1 - DRIFT_S_MAX])
def test_a_clock_that_drifts_a_little_goes_on(moved_s: float) -> None:
    hands = Hands()
    clock = hands.clock()
    hands.now_s += moved_s
    assert clock.at("") == entries.instant(entries.moment("2027-01-01T00:00:00+08:00") + timedelta(seconds=moved_s))


async def test_gifts_written_while_the_clock_is_set_back_a_little_keep_their_order(told: Settings) -> None:
    hands = Hands(TOMORROW)
    async with clerk.opened(told, clock=hands.clock()) as writing:
        first = await writing.give()
        hands.now_s -= BEHIND_S_MAX
        second = await writing.give()
        hands.now_s += BEHIND_S_MAX + 1
        third = await writing.give()
    assert (first.at, second.at, third.at) == (first.at, first.at, moved(first.at, 1))
    await check_log(told)


@pytest.mark.parametrize("moved_s", [-BEHIND_S_MAX - 0.001, DRIFT_S_MAX + 1], ids=["set back", "moved on"])
async def test_a_wrong_clock_stops_the_sequencer_with_an_alarm(
    told: Settings, moved_s: float, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    hands = Hands(TOMORROW)
    async with clerk.opened(told, clock=hands.clock()) as writing:
        first = await writing.give()
        hands.now_s += moved_s
        for _ in range(2):
            with pytest.raises(Stopped, match="clock"):
                await writing.give()
        hands.now_s -= moved_s
        with pytest.raises(Stopped, match="clock"):
            await writing.give()
        assert "clock" in writing.sequencer.stopped
    said = capsys.readouterr().out + caplog.text  # where it goes depends on whether a test before has set logging up
    assert "critical" in said.lower()
    assert "clock" in said
    async with clerk.opened(told, clock=hands.clock()) as writing:
        second = await writing.give()
    log = await check_log(told)
    assert log[-2:] == [first, second]
