import gzip
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.imports import source
from ledger.imports.cell import clean, folded, outline
from ledger.imports.fault import Fault, Reason, Unreadable
from ledger.imports.sheet import Footer, Rejected, Row, read
from tests.imports.checking import (
    HUBEI,
    HUBEI_HEADING,
    NOTICE,
    WUHAN,
    WUHAN_HEADING,
    footers,
    lines,
    rejections,
    rows,
    write,
)

GIFT = "2020-01-24,0101202001241019490081121311,0.02\r\n"
CHINESE = "序号,捐赠日期,捐赠（单位/姓名）,捐赠金额（元）,备注\r\n1,2020/1/26,王*,100.00,\r\n"


def test_a_gift_is_read_from_its_cells(tmp_path: Path) -> None:
    sheet = write(tmp_path / "s.csv", HUBEI_HEADING + "d1.xls,4,1,2020-01-22,organisation,某某公司,1000.50,加油\r\n")
    assert rows(sheet, HUBEI) == [
        Row(2, "d1.xls", "2020-01-22", 100_050, "d1.xls#4", "某某公司", "organisation", "加油")
    ]


def test_a_transaction_number_is_the_reference_where_there_is_one(tmp_path: Path) -> None:
    sheet = write(tmp_path / "qr.csv", WUHAN_HEADING + GIFT)
    assert rows(sheet, WUHAN) == [Row(2, "qr.csv", "2020-01-24", 2, "0101202001241019490081121311", "", "unknown", "")]


def test_gzip_is_told_by_its_first_bytes_and_not_by_its_name(tmp_path: Path) -> None:
    sheet = tmp_path / "s.csv"
    sheet.write_bytes(gzip.compress((WUHAN_HEADING + GIFT).encode()))
    assert len(rows(sheet, WUHAN)) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_sheet_is_read_in_the_encodings_excel_writes(tmp_path: Path, encoding: str) -> None:
    sheet = write(tmp_path / "n.csv", CHINESE, encoding)
    (row,) = rows(sheet, NOTICE)
    assert row == Row(2, "n.csv", "2020-01-26", 10_000, row.reference, "王*", "unknown", "")


def test_headings_are_found_below_titles_and_in_spite_of_spaces_and_brackets(tmp_path: Path) -> None:
    title = "湖北省红十字会捐款公示,,,\r\n截至1月31日24：00,,,\r\n,,,\r\n"
    heading = "序 号,\u200b日期,捐赠单位〔个人〕,金额\u00a0【元】\r\n"
    sheet = write(tmp_path / "n.csv", title + heading + "1,2020年1月31日,李*,5\r\n")
    (row,) = rows(sheet, NOTICE)
    assert row == Row(5, "n.csv", "2020-01-31", 500, row.reference, "李*", "unknown", "")


def test_a_heading_in_ten_thousands_of_yuan_sets_the_unit(tmp_path: Path) -> None:
    sheet = write(tmp_path / "n.csv", "日期,捐赠单位,金额（万元）\r\n2020-01-31,某公司,1.5\r\n合计,,1.5\r\n")
    gift, footer = lines(sheet, NOTICE)
    assert isinstance(gift, Row)
    assert gift.amount_fen == 1_500_000
    assert footer == Footer(3, "n.csv", None, 1_500_000)


def test_a_sheet_without_dates_takes_the_day_it_is_given(tmp_path: Path) -> None:
    sheet = write(tmp_path / "n.csv", "姓名（姓氏隐去）,金额\r\n*明,5\r\n")
    assert [row.on for row in rows(sheet, replace(NOTICE, on="2020-01-29"))] == ["2020-01-29"]
    with pytest.raises(Unreadable, match="donated_on"):
        lines(sheet, NOTICE)


def test_a_batch_may_be_named_otherwise_than_its_file(tmp_path: Path) -> None:
    sheet = write(tmp_path / "upload-1", CHINESE)
    (gift,) = rows(sheet, replace(NOTICE, batch="公示7"))
    assert gift.batch == "公示7"


def test_a_row_without_a_number_is_told_by_the_sheets_content_and_its_line(tmp_path: Path) -> None:
    (gift,) = rows(write(tmp_path / "gifts.csv", CHINESE), NOTICE)
    content, line = gift.reference.split("#")
    assert (len(content), line) == (16, "2")
    for name, encoding, ends in (
        ("gifts (1).csv", "utf-8", "\n"), ("excel.csv", "utf-8-sig", "\r\n"), ("wps.csv", "gb18030", "\r\n"),
    ):  # fmt: skip
        text = CHINESE.replace("\r\n", "\n").replace("\n", ends)
        (again,) = rows(write(tmp_path / name, text, encoding), NOTICE)
        assert again.reference == gift.reference
    packed = tmp_path / "gifts.csv.gz"
    packed.write_bytes(gzip.compress((tmp_path / "gifts.csv").read_bytes()))
    assert [row.reference for row in rows(packed, NOTICE)] == [gift.reference]
    (other,) = rows(write(tmp_path / "gifts.csv", CHINESE.replace("王", "李")), NOTICE)
    assert other.reference != gift.reference


@pytest.mark.parametrize(
    ("line", "count", "sum_fen"),
    [
        ("合计,,,100.00,", None, 10_000),
        (",合 计,,100,", None, 10_000),
        ("合计：,,,100,", None, 10_000),
        ("合计,60笔,,100,", 60, 10_000),
        ("共计60人次,,,总金额1,,", 60, 100),
        ("共计60人次，总金额：1，234.50元", 60, 123_450),
        ("共计1633人次,,总金额38422322.24元,,", 1633, 3_842_232_224),
        ("共计60人次,,,,", 60, None),
        ("合计,100.00", None, 10_000),
        ("共计60人次,,总金额345.6万元,,", 60, 345_600_000),
        ("合计：1.5万,,,,", None, 1_500_000),
    ],
)
def test_a_line_of_totals_is_told_from_a_gift(
    tmp_path: Path, line: str, count: int | None, sum_fen: int | None
) -> None:
    sheet = write(tmp_path / "n.csv", CHINESE + line + "\r\n")
    assert footers(sheet, NOTICE) == [Footer(3, "n.csv", count, sum_fen)]


@pytest.mark.parametrize("line", ["合计,,,壹佰元,", "合计,,,,"])
def test_a_line_of_totals_that_cannot_be_read_is_not_passed_over(tmp_path: Path, line: str) -> None:
    sheet = write(tmp_path / "n.csv", CHINESE + line + "\r\n")
    assert [line.reason for line in rejections(sheet, NOTICE)] == [Reason.FOOTER_UNREADABLE]


def test_a_gift_whose_donor_or_remark_speaks_of_totals_stays_a_gift(tmp_path: Path) -> None:
    gifts = "2,2020-01-26,会计师事务所,100,共计30人捐款\r\n3,2020-01-26,设计院,100,合计\r\n"
    assert len(rows(write(tmp_path / "n.csv", CHINESE + gifts), NOTICE)) == 3


def test_blank_lines_are_passed_over_and_counted_as_lines(tmp_path: Path) -> None:
    sheet = write(tmp_path / "n.csv", CHINESE + "\r\n,,,,\r\n , ,,,\r\n2,2020-01-27,张*,1,\r\n")
    assert [row.row for row in rows(sheet, NOTICE)] == [2, 6]


def test_rows_are_numbered_by_the_line_they_begin_on(tmp_path: Path) -> None:
    sheet = write(tmp_path / "n.csv", CHINESE + '2,2020-01-27,"甲\r\n乙\r\n丙",1,\r\n3,2020-01-28,丁,1,\r\n')
    assert [row.row for row in rows(sheet, NOTICE)] == [2, 3, 6]
    assert [line.row for line in read(sheet, NOTICE, start=3)] == [3, 6]
    assert [line.row for line in read(sheet, NOTICE, start=6)] == [6]
    assert [line.row for line in read(sheet, NOTICE, start=1)] == [2, 3, 6]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("d1.xls,5,1,2020-01-22,person,王*,abc,", Reason.AMOUNT_UNREADABLE),
        ("d1.xls,5,1,2020-01-22,person,王*,,", Reason.AMOUNT_MISSING),
        ("d1.xls,5,1,1月22日,person,王*,1,", Reason.DATE_UNREADABLE),
        ("d1.xls,5,1,,person,王*,1,", Reason.DATE_MISSING),
        (",5,1,2020-01-22,person,王*,1,", Reason.NOTICE_MISSING),
        ("d1.xls,,1,2020-01-22,person,王*,1,", Reason.REFERENCE_MISSING),
        ("d1.xls,5,1,2020-01-22,person,王*,1", Reason.CELL_COUNT),
        ("d1.xls,5,1,2020-01-22,person,王*,1,,", Reason.CELL_COUNT),
        ('d1.xls,5,1,2020-01-22,person,"王"*,1,', Reason.QUOTING),
        (f"d1.xls,5,1,2020-01-22,person,{'王' * 9000},1,", Reason.TOO_LONG),
        ("d1.xls,5,1,2020-01-22,person,王\0,1,", Reason.UNDECODABLE),
    ],
)
def test_a_bad_row_is_rejected_alone_and_says_why(tmp_path: Path, line: str, reason: Reason) -> None:
    good = "d1.xls,4,1,2020-01-22,person,王*,1,\r\n"
    head = HUBEI_HEADING + good * 2000  # far enough from the bytes that are looked at to find the encoding
    sheet = write(tmp_path / "s.csv", head + line + "\r\n" + good)
    found = rejections(sheet, HUBEI)
    assert [(rejected.row, rejected.reason) for rejected in found] == [(2002, reason)]
    assert len(lines(sheet, HUBEI)) == 2002


def test_a_long_number_that_excel_has_rounded_is_rejected(tmp_path: Path) -> None:
    sheet = write(tmp_path / "s.csv", WUHAN_HEADING + "2020-01-24,1.01202E+26,5\r\n")
    assert [line.reason for line in rejections(sheet, WUHAN)] == [Reason.REFERENCE_MANGLED]


def test_a_rejected_row_keeps_its_amount_where_it_could_be_read(tmp_path: Path) -> None:
    sheet = write(tmp_path / "s.csv", WUHAN_HEADING + "24 Jan,0101,5\r\n")
    assert lines(sheet, WUHAN) == [Rejected(2, "s.csv", Reason.DATE_UNREADABLE, "99 aaa", 500)]


def test_broken_utf8_spoils_its_row_only(tmp_path: Path) -> None:
    sheet = tmp_path / "n.csv"
    broken = "2,2020-01-27,张".encode()[:-1] + b"*,1,\r\n"
    sheet.write_bytes(CHINESE.encode() + broken + "3,2020-01-28,李*,1,\r\n".encode())
    found = lines(sheet, NOTICE)
    assert [type(line) for line in found] == [Row, Rejected, Row]
    assert found[1] == Rejected(3, "n.csv", Reason.UNDECODABLE)


def test_broken_gb18030_spoils_its_row_only(tmp_path: Path) -> None:
    sheet = tmp_path / "n.csv"
    sheet.write_bytes(
        CHINESE.encode("gb18030") + b"2,2020-01-27,\xff\xff,1,\r\n" + "3,2020-01-28,李*,1,\r\n".encode("gb18030")
    )
    assert [type(line) for line in lines(sheet, NOTICE)] == [Row, Rejected, Row]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", Fault.EMPTY),
        (gzip.compress(b"", mtime=0), Fault.EMPTY),
        (b"PK\x03\x04\x14\x00", Fault.NOT_CSV),
        (CHINESE.encode("utf-16"), Fault.NOT_CSV),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Fault.NOT_CSV),
        (b"day,amount_cny\r\n2020-01-24,1\r\n", Fault.HEADING_MISSING),
        (b"day,transaction_no,amount_cny,amount_cny\r\n", Fault.HEADING_TWICE),
        (b"\x1f\x8b\x08", Fault.GZIP_BROKEN),
        (b"\x1f\x8bnot gzip", Fault.GZIP_BROKEN),
        (gzip.compress((WUHAN_HEADING + GIFT * 99).encode(), mtime=0)[:-9], Fault.GZIP_BROKEN),
        (WUHAN_HEADING.encode() + b'2020-01-24,"0101,1\r\n2020-01-24,0102,1\r\n', Fault.QUOTE_OPEN),
        (b'"' + b"day,transaction_no\r\n" * 9000, Fault.QUOTE_OPEN),
        (WUHAN_HEADING.encode() + b"9" * (source.LINE_LENGTH + 1), Fault.LINE_TOO_LONG),
    ],
)
def test_a_file_that_is_no_sheet_is_refused_as_a_whole(tmp_path: Path, content: bytes, fault: Fault) -> None:
    sheet = tmp_path / "s.csv"
    sheet.write_bytes(content)
    with pytest.raises(Unreadable) as refusal:
        lines(sheet, WUHAN)
    assert refusal.value.fault is fault
    assert refusal.value.__cause__ is None


def test_a_sheet_of_headings_only_has_no_rows(tmp_path: Path) -> None:
    assert lines(write(tmp_path / "s.csv", WUHAN_HEADING), WUHAN) == []


def test_everything_on_the_disk_is_shown_to_the_observer(tmp_path: Path) -> None:
    sheet = tmp_path / "s.csv"
    sheet.write_bytes(gzip.compress((WUHAN_HEADING + GIFT * 5000).encode()))
    seen: list[bytes] = []
    assert sum(1 for _ in read(sheet, WUHAN, observe=lambda piece: seen.append(bytes(piece)))) == 5000
    assert b"".join(seen) == sheet.read_bytes()


def test_a_cell_is_cleaned_of_what_nobody_sees() -> None:
    assert clean("\ufeff\u200b王\u200d*\u00a0 \u3000") == "王*"
    assert clean("100\u00a0200") == "100 200"
    assert folded(" 捐赠 （单位／姓名）") == folded("捐赠(单位/姓名)")


def test_an_outline_gives_nobody_away() -> None:
    assert outline("张三13800138000 Li") == "字字99999999999 aa"
    assert "三" not in outline("二三" * 50)
    assert len(outline("二三" * 50)) < 30


def test_every_reason_and_fault_speaks_both_languages() -> None:
    for told in (*Reason, *Fault):
        assert told.zh
        assert told.en
        assert type(told)[told.name] is told
