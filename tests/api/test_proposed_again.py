"""A sheet that is sent again while what it proposed waits for approval: one proposal, until somebody has decided."""

import asyncio
import io
import shutil
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console

from api.admin import app as admin
from ledger import demo, entries, import_client
from ledger.approvals import ApproveProposal, SetPolicy
from ledger.import_client import Sheet
from ledger.settings import Settings
from ledger.store import sheets
from ledger.store.batch import Sequenced
from ledger.store.clock import now
from tests.support.listening import listening
from tests.support.office import CITY, Office, opened

NAME = "欧阳某某某"
ROWS = (f"第一期,1,2020-02-01,{NAME},20000.00", "第二期,1,2020-02-01,王*,1.00")


@pytest.fixture
async def office(told: Settings) -> AsyncGenerator[Office]:
    async with opened(told) as office:
        yield office


def notices(tmp_path: Path, fund: str = "general") -> Sheet:
    path = tmp_path / "公示.csv"
    path.write_text("\n".join(("source_file,source_row,donated_on,donor_public,amount_cny", *ROWS)) + "\n")
    return Sheet(file=path, profile="hubei-2020", org=CITY, fund=fund, event="", totals=None)


async def proposed(office: Office, sheet: Sheet) -> str:
    """What the command prints of a sheet that it hands in."""
    said = Console(record=True, width=200, file=io.StringIO())
    async with listening(admin.build(office.resources)) as url:
        await import_client.propose(url, office.tokens["maker"], sheet, None, said)
    return said.export_text()


def staged(told: Settings) -> list[Path]:
    return [path for path in told.sheets.iterdir() if path.is_dir()]


async def test_what_waits_is_told_by_its_number_and_what_was_decided_is_proposed_anew(
    office: Office, tmp_path: Path
) -> None:
    await proposed(office, notices(tmp_path))
    first, second = await office.waiting()
    text = await proposed(office, notices(tmp_path))
    assert f"第一期: 1 gifts, ¥20,000.00, no total printed → already proposed: {first}\n" in text
    assert f"第二期: 1 gifts, ¥1.00, no total printed → already proposed: {second}\n" in text
    assert "may stand in" not in text, "it did not come before itself"
    assert text.endswith(f"to enter them, another person runs: sunledger import approve {first} {second}\n")
    await office.post(f"proposals/{first}/withdrawal")
    text = await proposed(office, notices(tmp_path))
    again = max(await office.waiting())
    assert f"第一期: 1 gifts, ¥20,000.00, no total printed → proposal {again}\n" in text
    assert f"→ already proposed: {second}\n" in text
    await office.post(f"proposals/{second}/rejection", {"reason": "重复"}, who="checker")
    await proposed(office, notices(tmp_path))
    assert await office.waiting() == [again, max(await office.waiting())]


async def test_the_same_file_for_another_fund_is_a_proposal_of_its_own(office: Office, tmp_path: Path) -> None:
    await proposed(office, notices(tmp_path))
    assert "already proposed" not in await proposed(office, notices(tmp_path, "flood"))
    assert len(await office.waiting()) == 4


async def test_a_sheet_that_was_lost_before_its_approval_is_sent_again_and_serves(
    told: Settings, office: Office, tmp_path: Path
) -> None:
    await proposed(office, notices(tmp_path))
    (lost,) = staged(told)
    shutil.rmtree(lost)
    waiting = await office.waiting()
    await proposed(office, notices(tmp_path))
    office.resources.sheets.clear_away()
    assert len(staged(told)) == 1, "it is kept for what waits"
    for proposal in waiting:
        await office.post(f"proposals/{proposal}/approval", who="checker")
    while any(each["completed_seq"] is None for each in (await office.get("imports")).json()):  # noqa: ASYNC110  it polls
        await asyncio.sleep(0.02)
    assert [each["entered_rows"] for each in (await office.get("imports")).json()] == [1, 1]
    office.resources.sheets.clear_away()
    assert staged(told) == []


async def test_what_can_be_approved_no_more_is_proposed_anew(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit, rules = office.resources.sequencer.submit, office.resources.sequencer.books.policy or {}
    policy = await submit(SetPolicy(maker=demo.FOUNDER, rules=tuple(rules.values()), expires_days=7))
    assert isinstance(policy, Sequenced)
    await submit(ApproveProposal(maker=demo.SECOND, proposal=policy.entries[0].seq))
    await proposed(office, notices(tmp_path))
    before = await office.waiting()
    for days, proposals in ((7, before), (8, [*before, before[-1] + 1, before[-1] + 2])):
        later = entries.instant(entries.moment(now()) + timedelta(days=days))
        monkeypatch.setattr(sheets, "now", lambda later=later: later)
        await proposed(office, notices(tmp_path))
        assert await office.waiting() == proposals, "day 7 is the last"
