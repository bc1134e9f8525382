"""Real sheets through the real doors: handed in, checked, approved by somebody else, entered, found by code, traced."""

import asyncio
import csv
import io
import json
import secrets
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest
from rich.console import Console

from api.admin import app as admin
from ledger import demo, import_client, privacy
from ledger.account import CNY, Account
from ledger.import_client import Sheet
from ledger.pieces import resting
from ledger.privacy import Identity
from ledger.settings import Settings
from ledger.store import setup
from ledger.store.batch import Sequenced
from ledger.store.database import Database
from ledger.store.queries.trace import forward
from ledger.store.sealing import CHUNK_ROWS
from ledger.store.vault import Gift, lookup_digests
from tests.support.acting import acting_as
from tests.support.listening import listening
from tests.support.office import CITY, Office, opened
from tests.support.postgres import Cluster
from tests.support.realdata import realdata
from tests.support.wire import HoldRows, stretched

HUBEI_FEN = 70_140_126_391
QR_FEN = 2_173_407_941


@pytest.fixture
async def office(told: Settings) -> AsyncGenerator[Office]:
    async with opened(told) as office:
        yield office


@pytest.fixture
async def by_index(told: Settings) -> AsyncGenerator[Database]:
    """What the public application follows positions with."""
    database = setup.database(told, str(told.database_url), "reader", pool_size=1, by_index=True)
    yield database
    await database.close()


@pytest.fixture
def said() -> Console:
    """What the command prints, kept."""
    return Console(record=True, width=200, file=io.StringIO())


def sheet(path: Path, profile: str, *, totals: Path | None = None, fund: str = "general") -> Sheet:
    return Sheet(file=path, profile=profile, org=CITY, fund=fund, event="", totals=totals)


def small(tmp_path: Path, rows: int, *, start: int = 0) -> Path:
    path = tmp_path / "small.csv"
    lines = (f"2026-07-01,{n:028d},{n % 50 + 1}.00" for n in range(start, start + rows))
    path.write_text("day,transaction_no,amount_cny\n" + "\n".join(lines) + "\n")
    return path


def codes_in(folder: Path) -> Iterator[dict[str, str]]:
    for path in sorted(folder.glob("import-*.csv")):
        assert path.stat().st_mode & 0o777 == 0o600
        with path.open(newline="") as file:
            yield from csv.DictReader(file)


async def test_every_published_gift_of_two_real_sheets_is_entered_found_and_traced(
    office: Office, by_index: Database, said: Console, tmp_path: Path
) -> None:
    hubei, qr = realdata("hubei_2020_money_received.csv"), realdata("wuhan_2020_qr_pos_donations.csv.gz")
    totals = realdata("hubei_2020_money_totals_check.json")
    database = office.resources.database
    async with listening(admin.build(office.resources)) as url:
        await import_client.propose(url, office.tokens["maker"], sheet(hubei, "hubei-2020", totals=totals), None, said)
        await import_client.propose(url, office.tokens["maker"], sheet(qr, "wuhan-qr-2020"), None, said)
        proposals = await office.waiting()
        assert len(proposals) == 14
        assert said.export_text(clear=False).count("total agrees") == 13
        await import_client.approve(url, office.tokens["checker"], proposals, tmp_path / "codes", said)
    codes = list(codes_in(tmp_path / "codes"))
    assert len(codes) == 35_246 + 149_192
    assert sum(int(row["amount_fen"]) for row in codes) == HUBEI_FEN + QR_FEN
    async with database.raw() as connection:
        entered = await connection.fetch(
            """select b.profile, count(*) as n, sum(g.qty)::bigint as fen
               from gift g join import_batch b on b.seq = g.batch
               where b.completed_seq is not null group by b.profile"""
        )
    assert {row["profile"]: (row["n"], row["fen"]) for row in entered} == {
        "hubei-2020": (35_246, HUBEI_FEN),
        "wuhan-qr-2020": (149_192, QR_FEN),
    }
    await spend_everything(office)
    by_amount = {row["amount_fen"]: row for row in codes}
    chosen = [*by_amount.values(), *secrets.SystemRandom().sample(codes, 1_000)]
    lookup = office.resources.sealer.lookup
    async with by_index.raw() as connection:
        for row in chosen:
            code = privacy.parse_code(row["receipt_code"])
            assert code is not None
            seq = await connection.fetchval(
                "select seq from receipt where digest = any($1)", lookup_digests(lookup, code)
            )
            assert seq == int(row["seq"])
            leaves = resting(await forward(connection, seq))
            assert sum(leaf.qty for leaf in leaves) == int(row["amount_fen"])
            assert {leaf.address for leaf in leaves} == {f"payees:{CITY}"}


async def spend_everything(office: Office) -> None:
    """Allocate and pay the whole general fund in several steps."""
    fund = Account(f"fund:{CITY}:general", CNY)
    for share in (3, 2, 1):
        async with office.resources.database.raw() as connection:
            left = await connection.fetchval(
                "select credited - consumed from line join account on id = account where address = $1", fund.address
            )
        body = {"org": CITY, "fund": "general", "project": "qz-01", "amount_fen": left // share, "on": "2026-07-02"}
        allocated = await office.post("allocations", {**body, "decision": "衢红〔2026〕20号"})
        if allocated.status_code == 202:
            await office.post(f"proposals/{allocated.json()['proposal']}/approval", who="checker")
    async with office.resources.database.raw() as connection:
        project = await connection.fetchval(
            "select credited - consumed from line join account on id = account where address = $1",
            f"project:{CITY}:qz-01:general",
        )
    payment = {
        "org": CITY,
        "project": "qz-01",
        "spending": "aid",
        "payee": "persons",
        "purpose": "慰问",
        "on": "2026-07-03",
    }
    for amount_fen in (project // 3, project // 3, project - 2 * (project // 3)):
        proposed = await office.post("disbursements", {**payment, "amount_fen": amount_fen})
        answer = await office.post(f"proposals/{proposed.json()['proposal']}/approval", who="checker")
        assert answer.status_code == 201


async def test_importing_a_sheet_twice_changes_nothing(office: Office, said: Console, tmp_path: Path) -> None:
    path = small(tmp_path, 1_200)
    async with listening(admin.build(office.resources)) as url:
        await import_client.propose(url, office.tokens["maker"], sheet(path, "wuhan-qr-2020"), None, said)
        await import_client.approve(url, office.tokens["checker"], await office.waiting(), tmp_path / "codes", said)
        size = await office.size()
        report = tmp_path / "rejected.csv"
        await import_client.propose(url, office.tokens["maker"], sheet(path, "wuhan-qr-2020"), report, said)
    assert await office.size() == size
    assert await office.waiting() == []
    assert "nothing to enter" in said.export_text()
    assert report.read_text("utf-8-sig").count("already_entered") == 1_200


def notice(path: Path, *names: str) -> Path:
    """A sheet whose rows have no numbers."""
    lines = (f"2026-07-0{n},{name},{100 * n}.00" for n, name in enumerate(names, 1))
    path.write_text("日期,捐赠人,金额（元）\n" + "\n".join(lines) + "\n")
    return path


async def test_a_notice_under_another_name_is_the_same_and_another_one_of_its_name_is_not(
    office: Office, said: Console, tmp_path: Path
) -> None:
    july = notice(tmp_path / "gifts.csv", "王*", "李*")
    async with listening(admin.build(office.resources)) as url:
        await import_client.propose(url, office.tokens["maker"], sheet(july, "notice"), None, said)
        await import_client.approve(url, office.tokens["checker"], await office.waiting(), tmp_path / "codes", said)
        size = await office.size()
        again = july.rename(tmp_path / "gifts (1).csv")
        await import_client.propose(url, office.tokens["maker"], sheet(again, "notice"), None, said)
        assert (await office.size(), await office.waiting()) == (size, [])
        assert "nothing to enter" in said.export_text()
        august = notice(tmp_path / "gifts.csv", "王*", "李*", "张*")
        await import_client.propose(url, office.tokens["maker"], sheet(august, "notice"), None, said)
        assert "another sheet of this name was import" in said.export_text()
        await import_client.approve(url, office.tokens["checker"], await office.waiting(), tmp_path / "codes", said)
    async with office.resources.database.raw() as connection:
        rows = await connection.fetch("select name, entered_rows from import_batch order by seq")
    assert [tuple(row) for row in rows] == [("gifts.csv", 2), ("gifts.csv", 3)]


async def test_of_proposals_one_that_is_refused_holds_up_no_other(
    office: Office, said: Console, tmp_path: Path
) -> None:
    async with listening(admin.build(office.resources)) as url:
        await import_client.propose(url, office.tokens["maker"], sheet(small(tmp_path, 3), "wuhan-qr-2020"), None, said)
        (proposal,) = await office.waiting()
        with pytest.raises(import_client.ServerSaid, match="proposal 999999"):
            await import_client.approve(url, office.tokens["checker"], [999_999, proposal], tmp_path / "codes", said)
    assert len(list(codes_in(tmp_path / "codes"))) == 3


async def test_codes_are_fetched_whole_or_not_at_all(office: Office, said: Console, tmp_path: Path) -> None:
    async with listening(admin.build(office.resources)) as url:
        await import_client.propose(url, office.tokens["maker"], sheet(small(tmp_path, 3), "wuhan-qr-2020"), None, said)
        await import_client.approve(url, office.tokens["checker"], await office.waiting(), None, said)
    with pytest.raises(import_client.ServerSaid, match="does not answer"):  # it listens no more
        await import_client.fetch_codes(url, office.tokens["maker"], 1, tmp_path / "codes.csv")
    assert not [*tmp_path.glob("*codes*")]


async def test_a_sheet_proposed_twice_before_approval_is_entered_once(
    office: Office, said: Console, tmp_path: Path
) -> None:
    path = small(tmp_path, 700)
    async with listening(admin.build(office.resources)) as url:
        for _ in range(2):
            await import_client.propose(url, office.tokens["maker"], sheet(path, "wuhan-qr-2020"), None, said)
        (proposal,) = await office.waiting()
        assert f"→ already proposed: {proposal}\n" in said.export_text(clear=False)
        await import_client.approve(url, office.tokens["checker"], [proposal], tmp_path / "codes", said)
    async with office.resources.database.raw() as connection:
        (row,) = await connection.fetch("select rows, entered_rows, completed_seq from import_batch")
    assert (row["rows"], row["entered_rows"], row["completed_seq"] is None) == (700, 700, False)


async def test_nothing_is_entered_before_somebody_else_approves(office: Office, said: Console, tmp_path: Path) -> None:
    async with listening(admin.build(office.resources)) as url:
        await import_client.propose(
            url, office.tokens["maker"], sheet(small(tmp_path, 10), "wuhan-qr-2020"), None, said
        )
        (proposal,) = await office.waiting()
        with pytest.raises(import_client.ServerSaid, match="经办与复核必须是不同的人"):
            await import_client.approve(url, office.tokens["maker"], [proposal], tmp_path / "codes", said)
    async with office.resources.database.raw() as connection:
        assert await connection.fetchval("select count(*) from gift where batch is not null") == 0


async def test_an_import_goes_on_where_a_crash_left_it(
    told: Settings, cluster: Cluster, said: Console, tmp_path: Path
) -> None:
    path = small(tmp_path, 5_000)
    async with stretched(cluster.server) as wire:
        stretched_to = told.model_copy(update={"database_url": wire.url(str(told.database_url))})
        async with opened(stretched_to) as office, listening(admin.build(office.resources)) as url:
            await import_client.propose(url, office.tokens["maker"], sheet(path, "wuhan-qr-2020"), None, said)
            (proposal,) = await office.waiting()
            wire.gate = rows = HoldRows(chunk=2)
            await import_client.approve(url, office.tokens["checker"], [proposal], None, said)
            await rows.held.wait()
            office.resources.sequencer._halt("a crash")
            rows.passed.set()
    async with acting_as("writer", told) as connection:
        entered, completed = await connection.fetchrow("select entered_rows, completed_seq from import_batch")
    assert (0 < entered < 5_000, completed) == (True, None)
    async with opened(told) as office:
        while True:
            (imported,) = (await office.get("imports")).json()
            if imported["completed_seq"] is not None:
                break
            await asyncio.sleep(0.05)
        assert (imported["entered_rows"], imported["rows"]) == (5_000, 5_000)
        async with office.resources.database.raw() as connection:
            rows = await connection.fetch("select row from gift where batch = $1 order by seq", imported["batch"])
        assert [row["row"] for row in rows] == list(range(2, 5_002))


async def test_others_get_their_turn_while_a_sheet_is_entered(
    told: Settings, cluster: Cluster, said: Console, tmp_path: Path
) -> None:
    path = small(tmp_path, 6 * CHUNK_ROWS)
    async with stretched(cluster.server) as wire:
        stretched_to = told.model_copy(update={"database_url": wire.url(str(told.database_url))})
        async with opened(stretched_to) as office, listening(admin.build(office.resources)) as url:
            await import_client.propose(url, office.tokens["maker"], sheet(path, "wuhan-qr-2020"), None, said)
            wire.gate = rows = HoldRows(chunk=2)
            await import_client.approve(url, office.tokens["checker"], await office.waiting(), None, said)
            await rows.held.wait()
            seal, submit = office.resources.sealer.seal, office.resources.sequencer.submit
            other = asyncio.create_task(submit(seal(Gift(
                maker=demo.MAKER, org=CITY, fund="flood", amount_fen=1, channel="cash", channel_ref="",
                on="2026-07-01", donor_class="person", identity=Identity(),
            ))))  # fmt: skip
            await asyncio.sleep(0)  # it stands in the line now
            rows.passed.set()
            entered = await other
            assert isinstance(entered, Sequenced)
            (given,) = entered.entries
            while (now := (await office.get("imports")).json()[0])["completed_seq"] is None:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    async with acting_as("writer", told) as connection:
        first, last = await connection.fetchrow("select min(seq), max(seq) from gift where batch = $1", now["batch"])
    assert first < given.seq < last


async def test_a_batch_whose_total_disagrees_is_not_proposed(office: Office, said: Console, tmp_path: Path) -> None:
    path = small(tmp_path, 3)
    totals = tmp_path / "totals.json"
    totals.write_text(json.dumps({"small.csv": {"published_total": 7.00}}))
    async with listening(admin.build(office.resources)) as url:
        await import_client.propose(
            url, office.tokens["maker"], sheet(path, "wuhan-qr-2020", totals=totals), None, said
        )
    assert await office.waiting() == []
    assert "TOTAL DISAGREES" in said.export_text()


@pytest.mark.parametrize(
    "content", [b"", b"\x1f\x8b\x08broken", b"a,b\n1,2\n", "day,transaction_no,amount_cny\n2026-07-01,1,元\n".encode()]
)
async def test_a_bad_sheet_gets_a_reason_and_enters_nothing(
    office: Office, said: Console, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    async with listening(admin.build(office.resources)) as url:
        try:
            await import_client.propose(url, office.tokens["maker"], sheet(path, "wuhan-qr-2020"), None, said)
        except import_client.ServerSaid as told:
            assert str(told)  # noqa: PT017  either way is right, and says why
        else:
            assert "nothing to enter" in said.export_text()
    assert await office.waiting() == []


async def test_somebody_without_the_role_cannot_hand_in_a_sheet(office: Office, said: Console, tmp_path: Path) -> None:
    async with listening(admin.build(office.resources)) as url:
        with pytest.raises(import_client.ServerSaid, match="没有办理这项业务的职责"):
            await import_client.propose(
                url, office.tokens["checker"], sheet(small(tmp_path, 1), "wuhan-qr-2020"), None, said
            )


async def test_a_sheet_checked_again_after_a_restart_keeps_the_proposal_it_had(
    told: Settings, said: Console, tmp_path: Path
) -> None:
    async with opened(told) as office, listening(admin.build(office.resources)) as url:
        await import_client.propose(
            url, office.tokens["maker"], sheet(small(tmp_path, 20), "wuhan-qr-2020"), None, said
        )
        (folder,) = (path for path in told.sheets.iterdir() if path.is_dir())
        before = await office.waiting()
    body = {"profile": "wuhan-qr-2020", "name": "small.csv", "org": CITY, "fund": "general"}
    async with opened(told) as office, listening(admin.build(office.resources)) as url:
        await office.post(f"sheets/{folder.name}/check", body)
        while (checked := (await office.get(f"sheets/{folder.name}/check")).json())["state"] == "checking":  # noqa: ASYNC110  it polls, as a client does
            await asyncio.sleep(0.02)
        assert list(checked["proposals"].values()) == before == await office.waiting()
        await import_client.approve(url, office.tokens["checker"], before, tmp_path / "codes", said)
        assert len(list(codes_in(tmp_path / "codes"))) == 20


async def test_a_sheet_that_is_being_checked_for_one_fund_is_not_answered_for_another(
    office: Office, told: Settings, said: Console, tmp_path: Path
) -> None:
    async with listening(admin.build(office.resources)) as url:
        await import_client.propose(
            url, office.tokens["maker"], sheet(small(tmp_path, 20), "wuhan-qr-2020"), None, said
        )
    (folder,) = (path for path in told.sheets.iterdir() if path.is_dir())
    body = {"profile": "wuhan-qr-2020", "name": "small.csv", "org": CITY, "fund": "general"}
    same, other = [
        await office.post(f"sheets/{folder.name}/check", body | {"fund": fund}) for fund in ("general", "flood")
    ]
    assert same.status_code == 202
    assert (other.status_code, other.json()["type"]) == (400, "/problems/invalid-value")


async def test_a_sheet_is_not_checked_again_for_another_fund(told: Settings, said: Console, tmp_path: Path) -> None:
    async with opened(told) as office, listening(admin.build(office.resources)) as url:
        await import_client.propose(
            url, office.tokens["maker"], sheet(small(tmp_path, 20), "wuhan-qr-2020"), None, said
        )
        (folder,) = (path for path in told.sheets.iterdir() if path.is_dir())
    body = {"profile": "wuhan-qr-2020", "name": "small.csv", "org": CITY, "fund": "flood"}
    async with opened(told) as office:
        answer = await office.post(f"sheets/{folder.name}/check", body)
        assert (answer.status_code, answer.json()["type"]) == (400, "/problems/invalid-value")
