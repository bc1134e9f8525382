from collections import Counter
from dataclasses import replace
from pathlib import Path

from ledger.imports.check import accepted, check
from ledger.imports.profile import Profile
from ledger.imports.report import Footing, Report
from ledger.imports.totals import PrintedTotal, read_totals
from tests.imports.checking import HUBEI, WUHAN, digest, rows
from tests.support.realdata import realdata

HUBEI_SHEET = "hubei_2020_money_received.csv"
HUBEI_TOTALS = "hubei_2020_money_totals_check.json"
WUHAN_SHEET = "wuhan_2020_qr_pos_donations.csv.gz"


def checked(name: str, profile: Profile, scratch: Path, totals: dict[str, PrintedTotal] | None = None) -> Report:
    return check(
        realdata(name),
        profile,
        totals=totals or {},
        reference_digest=digest,
        known=lambda _digests: (),
        report_progress=lambda _read, _size: None,
        scratch=scratch,
    )


def test_hubei_all_thirteen_notices_add_up_to_the_fen(tmp_path: Path) -> None:
    report = checked(HUBEI_SHEET, HUBEI, tmp_path / "scratch", dict(read_totals(realdata(HUBEI_TOTALS))))
    assert (report.count, report.sum_fen, report.rejected_count) == (35_246, 70_140_126_391, 0)
    assert len(report.batches) == 13
    assert {batch.sum_footing for batch in report.batches} == {Footing.AGREES}
    assert {batch.count_footing for batch in report.batches} == {Footing.AGREES}
    assert all(batch.is_proposable and not batch.outside_window for batch in report.batches)
    assert report.totals_without_rows == ()
    again = list(accepted(realdata(HUBEI_SHEET), HUBEI, tmp_path / "scratch"))
    assert (len(again), sum(row.amount_fen for row in again)) == (35_246, 70_140_126_391)
    fourth = [row for row in again if row.batch == "donate06.xls"]
    assert list(accepted(realdata(HUBEI_SHEET), HUBEI, tmp_path / "scratch", batch="donate06.xls")) == fourth


def test_hubei_eleven_large_gifts_stand_in_two_notices(tmp_path: Path) -> None:
    report = checked(HUBEI_SHEET, HUBEI, tmp_path / "scratch")
    assert (report.overlap_count, report.overlap_sum_fen) == (11, 345_380_000)
    assert len(report.overlaps) == 11
    assert all(len({batch for batch, _ in overlap.places}) == 2 for overlap in report.overlaps)


def test_hubei_a_total_one_fen_off_stops_its_notice_only(tmp_path: Path) -> None:
    totals = dict(read_totals(realdata(HUBEI_TOTALS)))
    printed = totals["donate03.xls"]
    assert printed.sum_fen is not None
    totals["donate03.xls"] = replace(printed, sum_fen=printed.sum_fen + 1)
    report = checked(HUBEI_SHEET, HUBEI, tmp_path / "scratch", totals)
    assert [batch.name for batch in report.batches if not batch.is_proposable] == ["donate03.xls"]


def test_wuhan_every_gift_by_qr_code_is_read(tmp_path: Path) -> None:
    report = checked(WUHAN_SHEET, WUHAN, tmp_path / "scratch")
    assert (report.count, report.sum_fen, report.rejected_count) == (149_192, 2_173_407_941, 0)
    (batch,) = report.batches
    assert (batch.first_on, batch.last_on, batch.outside_window) == ("2020-01-24", "2020-02-17", 0)


def test_wuhan_5188_gifts_are_of_one_fen() -> None:
    amounts = Counter(row.amount_fen for row in rows(realdata(WUHAN_SHEET), WUHAN))
    assert amounts[1] == 5_188


def test_wuhan_entering_resumes_behind_any_row(tmp_path: Path) -> None:
    checked(WUHAN_SHEET, WUHAN, tmp_path / "scratch")
    sheet = realdata(WUHAN_SHEET)
    last = [row.row for row in accepted(sheet, WUHAN, tmp_path / "scratch", after=149_190)]
    assert last == [149_191, 149_192, 149_193]
