"""`sunledger verify --database`, as the operator types it: one sentence for trouble, three exit codes."""

import json
import subprocess

import asyncpg

from ledger import privacy
from tests.support.program import PROGRAM, WAIT_S_MAX, environment
from tests.tamper.site import Site


def run(site: Site, *arguments: object, typed: str = "", **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAM, "verify", *map(str, arguments)],
        env=environment(site.settings, **more),
        cwd="/",
        input=typed,
        capture_output=True,
        text=True,
        timeout=WAIT_S_MAX,
        check=False,
    )


async def test_a_good_database_is_code_0_and_says_how_much_was_compared(site: Site) -> None:
    (known,) = site.policy.logs
    said = run(site, "--database", "--key", known.key)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "rows" in said.stdout
    assert "everything holds" in said.stdout
    report = json.loads(run(site, site.settings.database_url, "--key", known.key, "--json").stdout)
    assert report["verdict"] == "good"
    assert report["sequenced"] == report["size"] == report["tables"]["entry"]
    assert report["tables"]["posting"] > 500


async def test_a_changed_row_is_code_1_and_named(site: Site) -> None:
    async def attack(connection: asyncpg.Connection) -> None:
        await connection.execute("update gift set qty = qty + 1 where seq = 600")

    await site.attack(attack)
    said = run(site, "--database")
    assert said.returncode == 1
    assert "gift seq=600 · qty" in said.stdout
    assert run(site, "--database", "--bytes-only").returncode == 0, "the entries were not touched"


async def test_a_column_that_is_gone_is_named_and_the_rest_is_compared(site: Site) -> None:
    async def attack(connection: asyncpg.Connection) -> None:
        await connection.execute("alter table project drop column region")
        await connection.execute("update gift set qty = qty + 1 where seq = 600")

    await site.attack(attack)
    said = run(site, "--database")
    assert said.returncode == 1, said.stderr
    assert "project: column region" in said.stdout
    assert "gift seq=600 · qty" in said.stdout


async def test_a_table_that_is_gone_is_a_finding_and_no_traceback(site: Site) -> None:
    async def attack(connection: asyncpg.Connection) -> None:
        await connection.execute("drop table vault")

    await site.attack(attack)
    said = run(site, "--database")
    assert said.returncode == 1
    assert "Traceback" not in said.stderr
    assert "✗ 账本 log  table-guarantees" in said.stdout


async def test_what_could_not_be_checked_is_code_2(site: Site) -> None:
    gone = run(site, "--database", database_url="postgres://localhost:1/nothing")
    assert (gone.returncode, "could not check" in gone.stdout) == (2, True), gone.stderr
    for role in ("owner", "reader"):
        (site.settings.data_dir / "roles").mkdir(exist_ok=True)
        other = "reader" if role == "owner" else "owner"
        password = (site.settings.roles / f"{other}.password").read_text()
        (site.settings.data_dir / "roles" / f"{other}.password").write_text(password)
        said = run(site, "--database", roles_dir=site.settings.data_dir / "roles")
        (site.settings.data_dir / "roles" / f"{other}.password").unlink()
        assert (said.returncode, f"{role}.password is missing" in said.stdout) == (2, True), said.stdout + said.stderr
    assert run(site).returncode == 2
    assert run(site, "somewhere", "--database").returncode == 2


async def test_a_receipt_code_is_looked_up_without_going_through_the_shells_history(site: Site) -> None:
    typed = privacy.printed(site.code).lower() + "\n"
    said = run(site, "--database", "--bytes-only", "--code", "-", typed=typed)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "money.received 2026-07-20 1149 fen to fund:330800:general" in said.stdout
    assert site.code not in said.stdout
    for wrong in ("nothing of the kind", site.code[:-1] + ("0" if site.code[-1] != "0" else "1")):
        assert run(site, "--database", "--code", "-", typed=wrong).returncode == 2
    assert run(site, "--database", "--bytes-only", "--code", "0123456789ABCDE4").returncode == 1
