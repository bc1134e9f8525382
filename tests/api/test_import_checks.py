"""What a check found, for whoever approves: it lies beside the sheet, and is told as long as the sheet is there."""

import asyncio
import csv
import io
import json
import shutil
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from api.admin import app as admin
from ledger import demo, import_client
from ledger.approvals import ApproveProposal
from ledger.import_client import Sheet
from ledger.organisations import EnrolStaff
from ledger.roles import Role
from ledger.settings import Settings
from ledger.store import credentials, forerunners
from ledger.store.batch import Sequenced
from tests.support.listening import listening
from tests.support.office import CITY, Office, opened

HEADING = "source_file,source_row,donated_on,donor_public,amount_cny"
NAME = "欧阳某某某"
TWICE = f"2020-02-01,{NAME},20000.00"
ROWS = (f"第一期,1,{TWICE}", f"第一期,2,2020-02-01,{NAME},x", f"第二期,1,{TWICE}", f"第三期,1,2020-02-01,{NAME},1.00")
PRINTED = {"第一期": {"rows": 2}, "第二期": {"rows": 2, "published_total": 20000}, "第三期": {"published_total": 2}}
STRANGER = "s-stranger2demo"


@pytest.fixture
async def office(told: Settings) -> AsyncGenerator[Office]:
    async with opened(told) as office:
        yield office


def console() -> Console:
    """Keeps what the command prints."""
    return Console(record=True, width=200, file=io.StringIO())


def notices(tmp_path: Path, rows: tuple[str, ...] = ROWS, name: str = "公示.csv") -> Sheet:
    """Of ROWS, PRINTED confirms the first notice's count, differs from the second's and from the third's total."""
    path, totals = tmp_path / name, tmp_path / "totals.json"
    path.write_text("\n".join((HEADING, *rows)) + "\n")
    totals.write_text(json.dumps(PRINTED))
    return Sheet(file=path, profile="hubei-2020", org=CITY, fund="general", event="", totals=totals)


async def proposed(office: Office, sheet: Sheet) -> str:
    """What the command prints of a sheet that it hands in."""
    said = console()
    async with listening(admin.build(office.resources)) as url:
        await import_client.propose(url, office.tokens["maker"], sheet, None, said)
    return said.export_text()


async def shown(office: Office, proposal: int, rejected: Path | None = None) -> str:
    """What the command prints for the checker."""
    said = console()
    async with listening(admin.build(office.resources)) as url:
        await import_client.show(url, office.tokens["checker"], proposal, rejected, said)
    return said.export_text()


def staged(settings: Settings) -> list[Path]:
    return [path for path in settings.sheets.iterdir() if path.is_dir()]


async def check_of(office: Office, proposal: int) -> dict[str, Any]:
    answer = await office.get(f"proposals/{proposal}/check", who="checker")
    assert answer.status_code == 200
    return dict(answer.json())


async def test_who_approves_reads_after_a_restart_what_the_check_told_its_maker(told: Settings, tmp_path: Path) -> None:
    async with opened(told) as office:
        made = await proposed(office, notices(tmp_path))
        before = await office.waiting()
        report = (await check_of(office, before[0]))["report"]
    async with opened(told) as office:
        assert (await check_of(office, before[0]))["report"] == report
        text = await shown(office, before[0], tmp_path / "rejected.csv")
    assert text.startswith(f"proposal {before[0]}: 第一期, 1 gifts, ¥20,000.00\nof its whole sheet:\n")
    found = made[made.index("3 gifts") : made.index("to enter them")]
    for line in found.splitlines():
        assert line.partition(" → ")[0] in text
    assert f"第一期: 1 gifts, ¥20,000.00, no total printed → proposal {before[0]}" in text
    assert "第二期: 1 gifts, ¥20,000.00, total agrees\n    2 gifts are printed, 1 listed\n" in text
    assert "第三期: 1 gifts, ¥1.00, TOTAL DISAGREES\n    ¥2.00 are printed, ¥1.00 listed\n" in text
    assert "row 3: 金额不是数字" in text
    assert "2020-02-01 ¥20,000.00: 第一期 row 2, 第二期 row 4" in text
    with (tmp_path / "rejected.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [line["row"] for line in csv.DictReader(file)] == ["3"]


async def test_a_report_lies_with_its_sheet_names_nobody_and_goes_with_it(
    told: Settings, office: Office, tmp_path: Path
) -> None:
    await proposed(office, notices(tmp_path))
    (folder,) = staged(told)
    assert folder.stat().st_mode & 0o777 == 0o700
    written = (folder / "report.json").read_text()
    assert "amount_unreadable" in written
    assert NAME not in written
    assert "第一期#1" not in written, "a channel's reference"
    first, second = await office.waiting()
    for each in (first, second):
        await office.post(f"proposals/{each}/rejection", {"reason": "重复"}, who="checker")
    office.resources.sheets.clear_away()
    assert staged(told) == []
    checked = await check_of(office, first)
    assert (checked["report"], checked["sheet"]) == (None, "")
    assert "the sheet is gone" in checked["absent"]
    assert (await office.get(f"proposals/{first}/rejected.csv", who="checker")).status_code == 404


async def test_approving_tells_in_short_what_the_check_found_once_for_a_sheet(office: Office, tmp_path: Path) -> None:
    await proposed(office, notices(tmp_path))
    first, second = await office.waiting()
    said = console()
    async with listening(admin.build(office.resources)) as url:
        await import_client.approve(url, office.tokens["checker"], [first, second], tmp_path / "codes", said)
    short = (
        f"proposal {first}: 1 rows rejected, 2 notices differ,"
        f" 1 overlaps suspected, 0 with what came before; all of it: sunledger import show {first}\n"
    )
    assert said.export_text().startswith(f"{short}第一期: 1 gifts, ¥20,000.00 entered\n")


async def test_a_check_that_kept_no_report_says_so_and_its_proposal_is_approved(
    told: Settings, office: Office, tmp_path: Path
) -> None:
    await proposed(office, notices(tmp_path))
    (staged(told)[0] / "report.json").unlink()
    first, _ = await office.waiting()
    assert "no report: 核对时没有留存结果" in await shown(office, first)
    said = console()
    async with listening(admin.build(office.resources)) as url:
        await import_client.approve(url, office.tokens["checker"], [first], tmp_path / "codes", said)
    text = said.export_text()
    assert f"proposal {first}: no report of its check: 核对时没有留存结果" in text
    assert "第一期: 1 gifts, ¥20,000.00 entered" in text


async def test_a_name_in_a_sheet_hides_no_line_from_who_approves(office: Office, tmp_path: Path) -> None:
    rows = ("\x1b[8m第一期[conceal],1,2020-02-01,王*,1.00", "第四期,1,2020-02-01,王*,2.00")
    await proposed(office, notices(tmp_path, rows))
    assert "?[8m第一期[conceal]: 1 gifts, ¥1.00" in await shown(office, max(await office.waiting()))


async def test_a_sheet_checked_again_keeps_the_report_of_what_it_proposed(told: Settings, tmp_path: Path) -> None:
    async with opened(told) as office:
        await proposed(office, notices(tmp_path))
        first, second = await office.waiting()
        before = (await check_of(office, second))["report"]
        await office.post(f"proposals/{first}/approval", who="checker")
        while (await office.get("imports")).json()[0]["completed_seq"] is None:  # noqa: ASYNC110  it polls
            await asyncio.sleep(0.02)
    (folder,) = staged(told)
    totals = {
        name: {"count": each.get("rows"), "sum_fen": each.get("published_total", 0) * 100 or None}
        for name, each in PRINTED.items()
    }
    body = {"profile": "hubei-2020", "name": "公示.csv", "org": CITY, "fund": "general", "totals": totals}
    async with opened(told) as office:
        await office.post(f"sheets/{folder.name}/check", body)
        while (again := (await office.get(f"sheets/{folder.name}/check")).json())["state"] == "checking":  # noqa: ASYNC110  likewise
            await asyncio.sleep(0.02)
        assert again["report"]["rejected_by_reason"] == {"amount_unreadable": 1, "already_entered": 1}
        assert again["report"]["earlier"] == [], "it did not come before itself"
        assert (await check_of(office, second))["report"] == before
        listed = (await office.get(f"proposals/{second}/rejected.csv", who="checker")).text
    assert [line.split(",")[0] for line in listed.splitlines()[1:]] == ["3"]


BEFORE = (f"七日,1,2026-07-07,{NAME},10000.00", "七日,2,2026-07-07,李*,10000.00", "七日,3,2026-07-07,张*,9999.99")
AFTER = (
    f"补,1,2026-07-07,{NAME},10000.00",  # as above
    "补,2,2026-07-07,王*,10000.00",  # as above, but for the name
    "补,3,2026-07-07,赵*,10000.00",  # the third of two
    "补,4,2026-07-07,张*,9999.99",  # too small to be looked for
    f"补,5,2026-07-08,{NAME},10000.00",  # another day
)


async def approved(office: Office, proposal: int) -> int:
    """The import that a proposal becomes, every row of it entered."""
    answer = await office.post(f"proposals/{proposal}/approval", who="checker")
    batch: int = answer.json()["entries"][-1]["seq"]
    while (await office.get(f"imports/{batch}")).json()["completed_seq"] is None:  # noqa: ASYNC110  it polls
        await asyncio.sleep(0.02)
    return batch


async def test_large_gifts_of_a_sheet_that_was_proposed_before_are_told_by_name_day_and_amount(
    office: Office, tmp_path: Path
) -> None:
    await proposed(office, notices(tmp_path, BEFORE))
    (before,) = await office.waiting()
    told = (
        "补: 1 of 4 large gifts, ¥10,000.00, may stand in 七日 (proposal {}), the first in row 2"
        " (alike in name, amount and day)"
    )
    assert told.format(before) in await proposed(office, notices(tmp_path, AFTER, "补.csv"))
    _, after = await office.waiting()
    assert told.format(before) in await shown(office, after)
    assert (await check_of(office, before))["report"]["earlier"] == []


async def test_large_gifts_of_an_import_whose_sheet_is_gone_are_told_by_day_and_amount(
    told: Settings, office: Office, tmp_path: Path
) -> None:
    await proposed(office, notices(tmp_path, BEFORE))
    before = await approved(office, (await office.waiting())[0])
    office.resources.sheets.clear_away()
    assert staged(told) == []
    text = await proposed(office, notices(tmp_path, AFTER, "补.csv"))
    assert (
        f"补: 2 of 4 large gifts, ¥20,000.00, may stand in 七日 (import {before}), the first in row 2"
        " (alike in amount and day only: names were not compared)"
    ) in text
    async with office.resources.database.raw() as connection:
        gift = await connection.fetchval("select min(seq) from gift where batch = $1", before)
    reversal = await office.post(
        "reversals", {"org": CITY, "ref": gift, "on": "2026-07-02", "reason": "重复", "statement": "重复登记"}
    )
    assert reversal.status_code == 202, reversal.text
    assert (await office.post(f"proposals/{reversal.json()['proposal']}/approval", who="checker")).status_code == 201
    assert "补: 1 of 4 large gifts" in await proposed(office, notices(tmp_path, AFTER, "再补.csv"))


async def test_what_was_rejected_or_is_another_organisations_is_no_forerunner(office: Office, tmp_path: Path) -> None:
    await proposed(office, notices(tmp_path, (*BEFORE, f"八日,1,2026-07-08,{NAME},10000.00")))
    rejected, waits = await office.waiting()
    await office.post(f"proposals/{rejected}/rejection", {"reason": "重复"}, who="checker")
    county = replace(notices(tmp_path, AFTER, "县.csv"), org=demo.COUNTY, fund="county-aid")
    assert "补: 5 gifts, ¥49,999.99, no total printed → proposal" in await proposed(office, county)
    text = await proposed(office, notices(tmp_path, AFTER, "补.csv"))
    assert "七日" not in text
    assert "县" not in text
    assert f"may stand in 八日 (proposal {waits})" in text


async def test_an_import_whose_sheet_is_still_there_is_compared_by_name_and_not_with_its_own_sheet(
    told: Settings, office: Office, tmp_path: Path
) -> None:
    both = notices(tmp_path, (*BEFORE, "同日,1,2026-07-07,赵*,10000.00"))
    await proposed(office, both)
    before = await approved(office, (await office.waiting())[0])
    text = await proposed(office, notices(tmp_path, AFTER, "补.csv"))
    assert f"补: 1 of 4 large gifts, ¥10,000.00, may stand in 七日 (import {before})" in text
    assert "names were not compared" not in text
    for folder in staged(told):
        shutil.rmtree(folder)
    text = await proposed(office, both)
    assert "同日: 1 gifts" in text
    assert f"(import {before})" not in text


async def test_what_was_not_compared_is_counted(
    told: Settings, office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await proposed(office, notices(tmp_path, BEFORE))
    await approved(office, (await office.waiting())[0])
    office.resources.sheets.clear_away()
    await proposed(office, notices(tmp_path, (f"六日,1,2026-07-07,{NAME},10000.00",), "六日.csv"))
    (folder,) = staged(told)
    (folder / "scratch.sqlite").write_bytes(b"no database" * 100)
    monkeypatch.setattr(forerunners, "ROWS_COMPARED", len(BEFORE) - 1)
    assert "2 earlier imports or sheets were not compared" in await proposed(office, notices(tmp_path, AFTER, "补.csv"))


async def test_a_report_is_for_who_makes_or_checks_imports_there(office: Office, tmp_path: Path) -> None:
    await proposed(office, notices(tmp_path))
    first, _ = await office.waiting()
    office.tokens["stranger"] = await stranger(office)
    others = (await office.get("proposals?status=effected")).json()["proposals"]
    assert {each["command"] for each in others}.isdisjoint({"import.approved", ""})
    for door in ("check", "rejected.csv"):
        for who, status in (("maker", 200), ("checker", 200), ("stranger", 403), ("administrator", 403)):
            assert (await office.get(f"proposals/{first}/{door}", who=who)).status_code == status, (door, who)
        assert (await office.http.get(f"/api/v1/proposals/{first}/{door}")).status_code == 401
        for number in (999_999, others[0]["proposal"]):
            assert (await office.get(f"proposals/{number}/{door}", who="checker")).status_code == 404


async def stranger(office: Office) -> str:
    """The token of somebody who approves in another organisation."""
    submit = office.resources.sequencer.submit
    enrol = EnrolStaff(maker=demo.FOUNDER, staff=STRANGER, org=demo.COUNTY, roles=(Role.APPROVER,))
    outcome = await submit(enrol)
    assert isinstance(outcome, Sequenced)
    await submit(ApproveProposal(maker=demo.SECOND, proposal=outcome.entries[0].seq))
    return await credentials.create(office.resources.database, STRANGER, "another county's checker")
