import csv
import json
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.imports import check as checking_room
from ledger.imports.check import accepted, check
from ledger.imports.fault import Fault, Reason, Unreadable
from ledger.imports.report import Footing
from ledger.imports.tally import MAX_BATCHES
from ledger.imports.totals import PrintedTotal
from tests.imports.checking import (
    HUBEI,
    HUBEI_HEADING,
    NOTICE,
    WUHAN,
    WUHAN_HEADING,
    check_sheet,
    digest,
    scratch_of,
    write,
)

NOTICE_HEADING = "日期,捐赠人,金额(元)\r\n"
ROWS = 120_000
"""As objects they would take several times PEAK_BYTES."""
PEAK_BYTES = 16 << 20


def hubei(*rows: tuple[str, int, str, str]) -> str:
    """A sheet of (batch, source row, donor, amount), all of one day."""
    body = (f"{batch},{row},{row},2020-01-24,person,{donor},{amount},\r\n" for batch, row, donor, amount in rows)
    return HUBEI_HEADING + "".join(body)


def qr(*gifts: tuple[str, str]) -> str:
    return WUHAN_HEADING + "".join(f"2020-01-24,{number},{amount}\r\n" for number, amount in gifts)


def accepted_rows(sheet: Path, after: int = 0, batch: str | None = None) -> list[int]:
    return [row.row for row in accepted(sheet, HUBEI, scratch_of(sheet), after=after, batch=batch)]


def test_a_batch_is_counted_and_summed(tmp_path: Path) -> None:
    sheet = write(tmp_path / "s.csv", hubei(("a", 4, "王*", "1.50"), ("a", 5, "李*", "2"), ("b", 4, "张*", "0.01")))
    report = check_sheet(sheet, HUBEI)
    assert [(b.name, b.count, b.sum_fen, b.first_on, b.last_on) for b in report.batches] == [
        ("a", 2, 350, "2020-01-24", "2020-01-24"),
        ("b", 1, 1, "2020-01-24", "2020-01-24"),
    ]
    assert (report.row_count, report.count, report.sum_fen, report.rejected_count) == (3, 3, 351, 0)
    assert all(batch.sum_footing is Footing.NOT_PRINTED and batch.is_proposable for batch in report.batches)


def test_a_row_that_needs_a_written_agreement_is_rejected_and_the_printed_total_still_agrees(tmp_path: Path) -> None:
    sheet = write(
        tmp_path / "s.csv", hubei(("a", 4, "王*", "9999.99"), ("a", 5, "某公司", "10000"), ("a", 6, "李*", "1"))
    )
    totals = {"a": PrintedTotal(count=3, sum_fen=2_000_099)}
    report = check_sheet(sheet, HUBEI, totals=totals, agreement_from=1_000_000)
    (batch,) = report.batches
    assert (batch.count, batch.sum_fen, batch.is_proposable) == (2, 1_000_099, True)
    assert report.rejected_by_reason == {Reason.AGREEMENT_REQUIRED: 1}
    assert [row.amount_fen for row in accepted(sheet, HUBEI, scratch_of(sheet))] == [999_999, 100]
    assert check_sheet(sheet, HUBEI, totals=totals).count == 3


def test_a_row_dated_after_today_is_rejected_and_is_not_entered_later(tmp_path: Path) -> None:
    sheet = write(tmp_path / "s.csv", WUHAN_HEADING + "2026-07-01,01,1.00\n2026-07-02,02,2.00\n2062-07-01,03,4.00\n")
    report = check_sheet(sheet, WUHAN, today="2026-07-01")
    assert [(r.row, r.reason) for r in report.rejected] == [(3, Reason.DATE_AHEAD), (4, Reason.DATE_AHEAD)]
    assert [(b.count, b.last_on, b.listed_sum_fen) for b in report.batches] == [(1, "2026-07-01", 700)]
    assert [row.row for row in accepted(sheet, WUHAN, scratch_of(sheet))] == [2]


def test_the_later_of_two_rows_with_one_reference_is_rejected(tmp_path: Path) -> None:
    sheet = write(tmp_path / "s.csv", qr(("01", "1"), ("02", "2"), ("01", "4"), ("01", "8")))
    report = check_sheet(sheet, WUHAN)
    assert [(r.row, r.reason, r.detail) for r in report.rejected] == [
        (4, Reason.DUPLICATE, "row 2"),
        (5, Reason.DUPLICATE, "row 2"),
    ]
    assert (report.count, report.sum_fen, report.batches[0].listed_sum_fen) == (2, 300, 1500)


def test_duplicates_are_found_across_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking_room, "CHUNK", 3)
    sheet = write(tmp_path / "s.csv", qr(*((f"{n % 7}", "1") for n in range(20))))
    report = check_sheet(sheet, WUHAN)
    assert report.count == 7
    assert report.rejected_by_reason == {Reason.DUPLICATE: 13}
    assert [(r.row, r.detail) for r in report.rejected] == [(n + 2, f"row {n % 7 + 2}") for n in range(7, 20)]


def test_a_gift_the_ledger_holds_is_rejected(tmp_path: Path) -> None:
    sheet = write(tmp_path / "s.csv", qr(("01", "1"), ("02", "2"), ("03", "4")))
    report = check_sheet(sheet, WUHAN, entered=["02"])
    assert [(r.row, r.reason) for r in report.rejected] == [(3, Reason.ALREADY_ENTERED)]
    assert report.sum_fen == 500


def test_the_ledger_is_asked_in_chunks_and_told_of_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking_room, "CHUNK", 4)
    sheet = write(tmp_path / "s.csv", qr(*((f"{n}", "1") for n in range(10))))
    asked: list[int] = []
    progress: list[tuple[int, int]] = []

    def known(digests: Sequence[bytes]) -> list[bytes]:
        asked.append(len(digests))
        return []

    check(
        sheet,
        WUHAN,
        totals={},
        reference_digest=digest,
        known=known,
        report_progress=lambda read, size: progress.append((read, size)),
        scratch=tmp_path / "scratch",
    )
    assert asked == [4, 4, 2]
    assert progress[-1] == (sheet.stat().st_size, sheet.stat().st_size)


def test_a_footer_that_adds_up_confirms_the_batch(tmp_path: Path) -> None:
    sheet = write(
        tmp_path / "n.csv", NOTICE_HEADING + "2020-01-24,王*,1\r\n2020-01-24,李*,2\r\n共计2人次,,总金额3.00\r\n"
    )
    (batch,) = check_sheet(sheet, NOTICE).batches
    assert (batch.sum_footing, batch.count_footing, batch.is_proposable) == (Footing.AGREES, Footing.AGREES, True)


def test_a_footer_that_does_not_add_up_stops_the_batch(tmp_path: Path) -> None:
    sheet = write(tmp_path / "n.csv", NOTICE_HEADING + "2020-01-24,王*,1\r\n合计,,1.01\r\n")
    (batch,) = check_sheet(sheet, NOTICE).batches
    assert (batch.sum_footing, batch.printed_sum_fen, batch.is_proposable) == (Footing.DISAGREES, 101, False)


def test_a_count_that_disagrees_is_only_a_warning(tmp_path: Path) -> None:
    sheet = write(tmp_path / "n.csv", NOTICE_HEADING + "2020-01-24,王*,1\r\n共计2人次,,总金额1.00\r\n")
    (batch,) = check_sheet(sheet, NOTICE).batches
    assert (batch.count_footing, batch.sum_footing, batch.is_proposable) == (Footing.DISAGREES, Footing.AGREES, True)


def test_a_given_total_and_a_footer_must_both_agree(tmp_path: Path) -> None:
    sheet = write(tmp_path / "n.csv", NOTICE_HEADING + "2020-01-24,王*,1\r\n合计,,1\r\n")
    (batch,) = check_sheet(sheet, NOTICE, totals={"n.csv": PrintedTotal(sum_fen=99)}).batches
    assert (batch.sum_footing, batch.printed_sum_fen) == (Footing.DISAGREES, 99)


def test_printed_totals_count_the_rows_we_reject(tmp_path: Path) -> None:
    sheet = write(tmp_path / "s.csv", hubei(("a", 4, "王*", "1"), ("a", 4, "王*", "2")))
    report = check_sheet(sheet, HUBEI, totals={"a": PrintedTotal(count=2, sum_fen=300), "z": PrintedTotal(count=1)})
    (batch,) = report.batches
    assert (batch.count, batch.sum_fen, batch.sum_footing) == (1, 100, Footing.AGREES)
    assert report.totals_without_rows == ("z",)


def test_an_unreadable_amount_makes_the_sum_disagree(tmp_path: Path) -> None:
    sheet = write(tmp_path / "s.csv", hubei(("a", 4, "王*", "1"), ("a", 5, "王*", "二元")))
    (batch,) = check_sheet(sheet, HUBEI, totals={"a": PrintedTotal(count=2, sum_fen=300)}).batches
    assert (batch.count_footing, batch.sum_footing) == (Footing.AGREES, Footing.DISAGREES)


def test_a_day_outside_the_window_is_counted_and_not_refused(tmp_path: Path) -> None:
    sheet = write(tmp_path / "s.csv", WUHAN_HEADING + "2002-01-24,01,1\r\n2020-01-24,02,1\r\n2020-02-18,03,1\r\n")
    (batch,) = check_sheet(sheet, WUHAN).batches
    assert (batch.count, batch.outside_window, batch.first_on, batch.last_on) == (3, 2, "2002-01-24", "2020-02-18")


def test_large_gifts_alike_in_two_notices_are_reported_and_kept(tmp_path: Path) -> None:
    gifts = [
        ("a", 4, "某 公司", "10000"),
        ("a", 5, "某公司", "9999.99"),
        ("a", 6, "独一家", "50000"),
        ("a", 7, "独一家", "50000"),
        ("b", 4, "某公司", "10000.00"),
        ("b", 5, "某公司", "9999.99"),
        ("b", 6, "另一家", "10000"),
    ]
    report = check_sheet(write(tmp_path / "s.csv", hubei(*gifts)), HUBEI)
    assert [(o.on, o.amount_fen, o.places) for o in report.overlaps] == [
        ("2020-01-24", 1_000_000, (("a", 2), ("b", 6)))
    ]
    assert (report.overlap_count, report.overlap_sum_fen, report.count) == (1, 1_000_000, 7)


def test_accepted_rows_come_again_without_the_rejected(tmp_path: Path) -> None:
    gifts = [("a", 4, "甲", "1"), ("a", 4, "乙", "1"), ("a", 6, "丙", "x"), ("b", 4, "丁", "1"), ("a", 7, "戊", "1")]
    sheet = write(tmp_path / "s.csv", hubei(*gifts, ("b", 5, "己", "1"), ("b", 4, "庚", "1")))
    check_sheet(sheet, HUBEI, entered=["a#7"])
    assert accepted_rows(sheet) == [2, 5, 7]
    assert accepted_rows(sheet, after=2) == [5, 7]
    assert accepted_rows(sheet, after=5) == [7]
    assert accepted_rows(sheet, after=7) == []
    assert accepted_rows(sheet, batch="a") == [2]
    assert accepted_rows(sheet, batch="b") == [5, 7]
    assert accepted_rows(sheet, batch="b", after=5) == [7]
    assert accepted_rows(sheet, batch="no such batch") == []


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    gifts=st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(1, 9), st.sampled_from(["1", "2.5", "x", "-1", '3"', '"4\n5"'])),
        max_size=30,
    ),
    entered=st.sets(st.sampled_from(["a#1", "b#2", "c#3"])),
)
def test_what_the_check_counts_is_what_is_entered(
    tmp_path: Path, gifts: list[tuple[str, int, str]], entered: set[str]
) -> None:
    sheet = write(tmp_path / "s.csv", hubei(*((batch, row, "王*", amount) for batch, row, amount in gifts)))
    report = check_sheet(sheet, HUBEI, entered=entered)
    again = list(accepted(sheet, HUBEI, scratch_of(sheet)))
    assert len(again) == report.count
    assert sum(row.amount_fen for row in again) == report.sum_fen
    assert report.row_count == report.count + report.rejected_count == len(gifts)
    assert len({row.reference for row in again}) == len(again)
    assert {row.reference for row in again}.isdisjoint(entered)
    for batch in report.batches:
        of_batch = list(accepted(sheet, HUBEI, scratch_of(sheet), batch=batch.name))
        assert of_batch == [row for row in again if row.batch == batch.name]
        assert sum(row.amount_fen for row in of_batch) == batch.sum_fen
    for i, row in enumerate(again):
        assert list(accepted(sheet, HUBEI, scratch_of(sheet), after=row.row)) == again[i + 1 :]


def test_a_file_changed_after_its_check_is_not_entered(tmp_path: Path) -> None:
    sheet = write(tmp_path / "s.csv", hubei(("a", 4, "王*", "1")))
    check_sheet(sheet, HUBEI)
    write(sheet, hubei(("a", 4, "王*", "9")))
    with pytest.raises(Unreadable) as refusal:
        accepted_rows(sheet)
    assert refusal.value.fault is Fault.CHANGED


def test_a_check_made_with_another_profile_does_not_count(tmp_path: Path) -> None:
    sheet = write(tmp_path / "n.csv", NOTICE_HEADING + "2020-01-24,王*,1\r\n")
    check_sheet(sheet, NOTICE)
    with pytest.raises(Unreadable) as refusal:
        list(accepted(sheet, replace(NOTICE, batch="公示7"), scratch_of(sheet)))
    assert refusal.value.fault is Fault.CHANGED


def test_a_check_that_did_not_end_lets_nothing_be_entered(tmp_path: Path) -> None:
    sheet = write(tmp_path / "s.csv", WUHAN_HEADING + '2020-01-24,01,1\r\n2020-01-24,"02,1\r\n2020-01-24,03,1\r\n')
    for _ in range(2):  # without a scratch file, then with the one of a check that died
        with pytest.raises(Unreadable) as refusal:
            list(accepted(sheet, WUHAN, scratch_of(sheet)))
        assert refusal.value.fault is Fault.UNCHECKED
        with pytest.raises(Unreadable, match="quotation mark"):
            check_sheet(sheet, WUHAN)


def test_a_sheet_of_headings_only_has_nothing_to_propose(tmp_path: Path) -> None:
    sheet = write(tmp_path / "s.csv", HUBEI_HEADING)
    report = check_sheet(sheet, HUBEI)
    assert (report.batches, report.row_count) == ((), 0)
    assert accepted_rows(sheet) == []


def test_a_batch_of_which_nothing_is_accepted_is_not_proposed(tmp_path: Path) -> None:
    (batch,) = check_sheet(write(tmp_path / "s.csv", hubei(("a", 4, "王*", "x"))), HUBEI).batches
    assert (batch.name, batch.count, batch.listed_count, batch.is_proposable) == ("a", 0, 1, False)


def test_a_column_of_names_taken_for_notices_is_noticed(tmp_path: Path) -> None:
    sheet = write(tmp_path / "s.csv", hubei(*((f"n{n}", 4, "王*", "1") for n in range(MAX_BATCHES + 1))))
    with pytest.raises(Unreadable) as refusal:
        check_sheet(sheet, HUBEI)
    assert refusal.value.fault is Fault.TOO_MANY_BATCHES


def test_rejected_rows_are_cut_in_the_report_and_complete_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking_room, "REJECTED_SHOWN", 2)
    sheet = write(tmp_path / "s.csv", hubei(*(("=SUM(1)", n, "王*", "x") for n in range(1, 6))))
    report = check_sheet(sheet, HUBEI)
    assert (len(report.rejected), report.rejected_count) == (2, 5)
    report.write_rejected(tmp_path / "rejected.csv")
    with (tmp_path / "rejected.csv").open(encoding="utf-8-sig", newline="") as file:
        written = list(csv.DictReader(file))
    assert [line["row"] for line in written] == ["2", "3", "4", "5", "6"]
    assert {line["reason"] for line in written} == {"amount_unreadable"}
    assert {line["batch"] for line in written} == {"'=SUM(1)"}, "no spreadsheet shall run it"


def test_no_donor_is_named_in_a_report_or_in_the_scratch_file(tmp_path: Path) -> None:
    name = "欧阳某某某"
    gifts = [("a", 4, name, "20000"), ("b", 4, name, "20000"), ("a", 4, name, "1"), ("a", 5, "王*", name)]
    text = hubei(*gifts) + f"a,6,1,{name},person,王*,1,\r\na,7,{name}\r\n" + f'a,8,1,2020-01-24,person,"{name}"x,1,\r\n'
    sheet = write(tmp_path / "s.csv", text)
    report = check_sheet(sheet, HUBEI)
    assert report.overlap_count == 1
    assert report.rejected_count == 5
    report.write_rejected(tmp_path / "rejected.csv")
    told = json.dumps(report.as_json(), ensure_ascii=False) + repr(report)
    assert name not in told
    assert name not in (tmp_path / "rejected.csv").read_text("utf-8")
    assert name.encode() not in scratch_of(sheet).read_bytes()
    assert str(tmp_path) not in json.dumps(report.as_json())


def test_a_report_in_json_says_each_reason_in_both_languages(tmp_path: Path) -> None:
    told = check_sheet(write(tmp_path / "s.csv", qr(("01", "-1"))), WUHAN).as_json()
    (line,) = told["rejected"]
    assert (line["reason"], line["reason_zh"]) == ("amount_negative", "金额为负")
    assert told["rejected_by_reason"] == {"amount_negative": 1}
    assert told["batches"][0]["is_proposable"] is False
    assert json.loads(json.dumps(told))["rejected"] == [line]


def test_memory_does_not_grow_with_the_sheet(tmp_path: Path) -> None:
    sheet = tmp_path / "s.csv"
    with sheet.open("w", encoding="utf-8", newline="") as file:
        file.write(WUHAN_HEADING)
        for n in range(ROWS):
            amount = "x" if n % 50 == 0 else f"{n % 20_000}.{n % 100:02}"
            file.write(f"2020-01-24,{n % (ROWS - 10)},{amount}\r\n")
    tracemalloc.start()
    try:
        report = check_sheet(sheet, WUHAN)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert report.row_count == ROWS
    assert peak < PEAK_BYTES
    assert sum(1 for _ in accepted(sheet, WUHAN, scratch_of(sheet))) == report.count
