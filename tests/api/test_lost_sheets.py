"""Imports whose sheet is lost, that stop, whose rows are refused: each has an end, and says how it stands."""

import asyncio
import io
import json
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from api.admin import app as admin
from ledger import demo, import_client
from ledger.import_client import Sheet
from ledger.organisations import DeclareEvent
from ledger.settings import Settings
from tests.support.checklog import check_log
from tests.support.listening import listening
from tests.support.office import CITY, Office, opened


@pytest.fixture
async def office(told: Settings) -> AsyncGenerator[Office]:
    async with opened(told) as office:
        yield office


@pytest.fixture
def said() -> Console:
    """What the command prints, kept."""
    return Console(record=True, width=200, file=io.StringIO())


def sheet(tmp_path: Path, rows: int, name: str = "small.csv") -> Sheet:
    path = tmp_path / name
    lines = (f"2026-07-01,{n:028d},{n % 50 + 1}.00" for n in range(rows))
    path.write_text("day,transaction_no,amount_cny\n" + "\n".join(lines) + "\n")
    return Sheet(file=path, profile="wuhan-qr-2020", org=CITY, fund="general", event="", totals=None)


def staged(told: Settings) -> list[Path]:
    return [path for path in told.sheets.iterdir() if path.is_dir()]


async def ended(office: Office) -> dict[str, object]:
    """The one import, completed."""
    while (imported := (await office.get("imports")).json()[0])["completed_seq"] is None:  # noqa: ASYNC110  it polls
        await asyncio.sleep(0.02)
    return dict(imported)


async def test_a_sheet_that_was_lost_is_sent_again_and_its_import_goes_on(
    told: Settings, office: Office, said: Console, tmp_path: Path
) -> None:
    gifts = sheet(tmp_path, 10)
    async with listening(admin.build(office.resources)) as url:
        await import_client.propose(url, office.tokens["maker"], gifts, None, said)
        shutil.rmtree(staged(told)[0])
        with pytest.raises(import_client.ServerSaid, match=r"找不到这张表格.*sunledger import abandon"):
            await import_client.approve(url, office.tokens["checker"], await office.waiting(), tmp_path / "codes", said)
        assert "找不到" in (await office.get("imports")).json()[0]["halted"]
        await import_client.propose(url, office.tokens["maker"], gifts, None, said)
        imported = await ended(office)
    assert (imported["entered_rows"], imported["halted"]) == (10, "")
    assert await office.waiting() == []
    assert f"goes on as import {imported['batch']}" in said.export_text()


async def test_of_imports_those_that_cannot_go_on_withhold_no_codes_of_others(
    told: Settings, office: Office, said: Console, tmp_path: Path
) -> None:
    async with listening(admin.build(office.resources)) as url:
        for name in ("one.csv", "two.csv", "three.csv"):
            before = staged(told)
            await import_client.propose(url, office.tokens["maker"], sheet(tmp_path, 1, name), None, said)
            if name != "two.csv":
                (lost,) = {*staged(told)} - {*before}
                shutil.rmtree(lost)
        with pytest.raises(import_client.ServerSaid, match=r"one\.csv cannot go on.*three\.csv cannot go on"):
            await import_client.approve(url, office.tokens["checker"], await office.waiting(), tmp_path / "codes", said)
        (imported,) = [each for each in (await office.get("imports")).json() if each["completed_seq"] is not None]
    assert imported["name"] == "two.csv"
    assert [path.name for path in (tmp_path / "codes").iterdir()] == [f"import-{imported['batch']}.csv"]


async def test_the_same_rows_under_another_name_are_another_import(
    told: Settings, office: Office, said: Console, tmp_path: Path
) -> None:
    async with listening(admin.build(office.resources)) as url:
        await import_client.propose(url, office.tokens["maker"], sheet(tmp_path, 10), None, said)
        shutil.rmtree(staged(told)[0])
        with pytest.raises(import_client.ServerSaid):
            await import_client.approve(url, office.tokens["checker"], await office.waiting(), tmp_path / "codes", said)
        await import_client.propose(url, office.tokens["maker"], sheet(tmp_path, 10, "other.csv"), None, said)
    assert len(await office.waiting()) == 1
    (imported,) = (await office.get("imports")).json()
    assert imported["completed_seq"] is None, "its batch has another name: nothing of it may count as rejected"


async def test_an_import_of_which_a_part_is_entered_goes_on_with_the_sheet_sent_again(
    told: Settings, said: Console, tmp_path: Path
) -> None:
    gifts = sheet(tmp_path, 5_000)
    async with opened(told) as office, listening(admin.build(office.resources)) as url:
        await import_client.propose(url, office.tokens["maker"], gifts, None, said)
        await import_client.approve(url, office.tokens["checker"], await office.waiting(), None, said)
        while not (entered := (await office.get("imports")).json()[0]["entered_rows"]):  # noqa: ASYNC110  it polls
            await asyncio.sleep(0.01)
        office.resources.sequencer._halt("a crash")
    assert 0 < entered < 5_000
    shutil.rmtree(staged(told)[0])
    async with opened(told) as office, listening(admin.build(office.resources)) as url:
        await import_client.propose(url, office.tokens["maker"], gifts, None, said)
        imported = await ended(office)
        async with office.resources.database.raw() as connection:
            rows = await connection.fetch("select row from gift where batch = $1 order by seq", imported["batch"])
    assert [row["row"] for row in rows] == list(range(2, 5_002))


async def test_a_sheet_that_cannot_be_read_any_more_is_sent_again(
    told: Settings, office: Office, said: Console, tmp_path: Path
) -> None:
    gifts = sheet(tmp_path, 10)
    async with listening(admin.build(office.resources)) as url:
        await import_client.propose(url, office.tokens["maker"], gifts, None, said)
        (staged(told)[0] / "sheet").write_bytes(b"\x00" * 100)
        with pytest.raises(import_client.ServerSaid, match="读不出来"):
            await import_client.approve(url, office.tokens["checker"], await office.waiting(), tmp_path / "codes", said)
        await import_client.propose(url, office.tokens["maker"], gifts, None, said)
        assert (await ended(office))["entered_rows"] == 10


async def test_an_import_without_its_sheet_is_ended_by_a_checker_and_the_sheet_may_come_later(
    told: Settings, said: Console, tmp_path: Path
) -> None:
    gifts = sheet(tmp_path, 10)
    async with opened(told) as office, listening(admin.build(office.resources)) as url:
        await import_client.propose(url, office.tokens["maker"], gifts, None, said)
        shutil.rmtree(staged(told)[0])
        with pytest.raises(import_client.ServerSaid):
            await import_client.approve(url, office.tokens["checker"], await office.waiting(), tmp_path / "codes", said)
        (imported,) = (await office.get("imports")).json()
        with pytest.raises(import_client.ServerSaid, match="经办与复核必须是不同的人"):
            await import_client.abandon(url, office.tokens["maker"], imported["batch"], said)
        with pytest.raises(import_client.ServerSaid, match="没有办理这项业务的职责"):
            await import_client.abandon(url, office.tokens["administrator"], imported["batch"], said)
        await import_client.abandon(url, office.tokens["checker"], imported["batch"], said)
        assert "small.csv: 0 gifts, ¥0.00 entered, 10 refused since the check" in said.export_text(clear=False)
        await import_client.propose(url, office.tokens["maker"], gifts, None, said)
        await import_client.approve(url, office.tokens["checker"], await office.waiting(), tmp_path / "codes", said)
        assert "small.csv: 10 gifts" in said.export_text()
    await check_log(told)


async def test_rows_that_are_refused_when_they_are_entered_are_told_after_a_restart_too(
    told: Settings, said: Console, tmp_path: Path
) -> None:
    async with opened(told) as office, listening(admin.build(office.resources)) as url:
        for name in ("one.csv", "other.csv"):
            await import_client.propose(url, office.tokens["maker"], sheet(tmp_path, 30, name), None, said)
        both = await office.waiting()
        await import_client.approve(url, office.tokens["checker"], both, tmp_path / "codes", said)
        assert "30 refused since the check\n  row 2: 已经登记过" in said.export_text()
    async with opened(told) as office:
        second, first = (await office.get("imports")).json()
        shown = (await office.get(f"imports/{second['batch']}")).json()["refused"]
        assert [each["row"] for each in shown] == list(range(2, 22))
        assert shown[0]["reason"] == "already-recorded"
        listed = (await office.get(f"imports/{second['batch']}/refused.csv")).text
        assert [line.split(",")[0] for line in listed.splitlines()[1:]] == [str(row) for row in range(2, 32)]
        assert (await office.get(f"imports/{first['batch']}")).json()["refused"] == []
        assert (await office.get(f"imports/{first['batch']}/refused.csv")).status_code == 404


async def test_a_sheet_with_the_reference_of_money_nobody_had_identified_is_told_at_the_check(
    office: Office, said: Console, tmp_path: Path
) -> None:
    unidentified = {"org": CITY, "amount_fen": 100, "channel": "qr", "channel_ref": f"{7:028d}", "on": "2026-07-01"}
    assert (await office.post("unidentified", unidentified)).status_code == 201
    report = tmp_path / "rejected.csv"
    async with listening(admin.build(office.resources)) as url:
        await import_client.propose(url, office.tokens["maker"], sheet(tmp_path, 10), report, said)
    (line,) = report.read_text("utf-8-sig").splitlines()[1:]
    assert line.startswith("9,small.csv,already_entered,")


NOTICES = "source_file,source_row,donated_on,donor_public,amount_cny"


def notices(tmp_path: Path, *lines: str) -> Sheet:
    path = tmp_path / "公示.csv"
    path.write_text("\n".join((NOTICES, *lines)) + "\n")
    return Sheet(file=path, profile="hubei-2020", org=CITY, fund="general", event="", totals=None)


async def test_a_batch_that_cannot_be_proposed_holds_up_no_other_and_is_told(
    told: Settings, office: Office, said: Console, tmp_path: Path
) -> None:
    gifts = notices(
        tmp_path, "第一期,1,2020-02-01,张*,1.00", f"{'二' * 600},1,2020-02-01,张*,2.00", "第三期,1,2020-02-01,张*,3.00"
    )
    async with listening(admin.build(office.resources)) as url:
        await import_client.propose(url, office.tokens["maker"], gifts, None, said)
    first, third = await office.waiting()
    text = said.export_text()
    assert f"第一期: 1 gifts, ¥1.00, no total printed → proposal {first}" in text
    assert f"第三期: 1 gifts, ¥3.00, no total printed → proposal {third}" in text
    assert "→ not proposed: 内容不符合要求 (name" in text
    for each in (first, third):
        await office.post(f"proposals/{each}/rejection", {"reason": "重复"}, who="checker")
    office.resources.sheets.clear_away()
    assert staged(told) == []


async def test_a_sheet_whose_batches_were_refused_is_tried_again_when_it_is_checked_again(
    told: Settings, office: Office, tmp_path: Path
) -> None:
    gifts = notices(tmp_path, "第一期,1,2020-02-01,张*,1.00")
    sent = await office.http.post("/api/v1/sheets", content=gifts.file.read_bytes(), headers=office.headers("maker"))
    check = f"sheets/{sent.json()['sheet']}/check"
    body = {"profile": "hubei-2020", "name": "公示.csv", "org": CITY, "fund": "general", "event": "quake-2026"}
    checked = await checked_to_its_end(office, check, body)
    assert (checked["proposals"], checked["not_proposed"][0]["type"]) == ({}, "/problems/unknown-reference")
    await office.resources.sequencer.submit(DeclareEvent(maker=demo.FOUNDER, event="quake-2026", name="地震"))
    checked = await checked_to_its_end(office, check, body)
    assert checked["not_proposed"] == []
    assert checked["proposals"] == {"第一期": (await office.waiting())[0]}


async def checked_to_its_end(office: Office, check: str, body: object) -> dict[str, Any]:
    await office.post(check, body)
    while (checked := (await office.get(check)).json())["state"] == "checking":  # noqa: ASYNC110  it polls
        await asyncio.sleep(0.02)
    return dict(checked)


async def test_a_row_dated_after_today_is_rejected_by_its_number(office: Office, said: Console, tmp_path: Path) -> None:
    gifts = notices(tmp_path, "第一期,1,2020-02-01,张*,1.00", "第一期,2,2099-02-01,张*,2.00")
    async with listening(admin.build(office.resources)) as url:
        await import_client.propose(url, office.tokens["maker"], gifts, None, said)
    assert len(await office.waiting()) == 1
    assert "row 3: 日期晚于今天" in said.export_text()


async def test_what_a_crash_kept_from_being_proposed_is_proposed_at_the_next_start(
    told: Settings, said: Console, tmp_path: Path
) -> None:
    gifts = notices(tmp_path, "第一期,1,2020-02-01,张*,1.00", "第二期,1,2020-02-01,张*,2.00")
    async with opened(told) as office, listening(admin.build(office.resources)) as url:
        await import_client.propose(url, office.tokens["maker"], gifts, None, said)
        before = await office.waiting()
    manifest = staged(told)[0] / "manifest.json"
    kept = json.loads(manifest.read_text())
    third = kept["batches"][1] | {"name": "第三期"}  # the crash came between the second and this one
    manifest.write_text(json.dumps(kept | {"batches": [*kept["batches"], third], "proposals": None}))
    async with opened(told) as office:
        async with asyncio.timeout(60):
            while json.loads(manifest.read_text())["proposals"] is None:  # noqa: ASYNC110  a file tells nobody
                await asyncio.sleep(0.02)
        after = await office.waiting()
        assert len(after) == 3
        assert after[:2] == before
        assert json.loads(manifest.read_text())["proposals"] == after


async def test_a_sheet_that_cannot_be_read_is_gone_when_that_is_told(
    told: Settings, office: Office, tmp_path: Path, said: Console
) -> None:
    gifts = notices(tmp_path)
    gifts.file.write_text("a,b\n张三,2\n")
    async with listening(admin.build(office.resources)) as url:
        with pytest.raises(import_client.ServerSaid):
            await import_client.propose(url, office.tokens["maker"], gifts, None, said)
    assert staged(told) == []


async def test_a_sheet_that_broke_off_on_its_way_is_gone(told: Settings, office: Office) -> None:
    async with listening(admin.build(office.resources)) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
        head = ["POST /api/v1/sheets HTTP/1.1", "Host: ledger", "Content-Length: 100"]
        head += [f"Authorization: {office.headers('maker')['Authorization']}", "", "张三,1.00"]
        writer.write("\r\n".join(head).encode())
        await writer.drain()
        async with asyncio.timeout(60):
            while not staged(told):  # noqa: ASYNC110  a folder tells nobody
                await asyncio.sleep(0.01)
            writer.close()
            await writer.wait_closed()
            while staged(told):  # noqa: ASYNC110  likewise
                await asyncio.sleep(0.01)
        assert await reader.read() == b""


async def test_a_sheet_that_was_never_checked_is_gone_after_the_next_start(told: Settings, tmp_path: Path) -> None:
    gifts = notices(tmp_path, "第一期,1,2020-02-01,张*,1.00")
    async with opened(told) as office:
        await office.http.post("/api/v1/sheets", content=gifts.file.read_bytes(), headers=office.headers("maker"))
        office.resources.sheets.clear_away()
        assert len(staged(told)) == 1, "somebody may be about to have it checked"
    async with opened(told):
        assert staged(told) == []
