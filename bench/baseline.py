"""Measure what a user would pick instead of this ledger: a table, a trigger and a locked head row (`baseline.sql`)."""

import asyncio
import os
import re
import secrets
import shutil
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg

SCHEMA = Path(__file__).with_name("baseline.sql")
INSERT = Path(__file__).with_name("baseline_insert.sql")
START_AND_STOP_LIMIT_S = 60
FAULTS_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What pgbench said of one run."""

    clients: int
    transactions: int
    transactions_per_second: float
    latency_ms_average: float
    load_average_before: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a server is and who asks, as libpq names it; `host` may be the directory of a Unix socket."""

    user: str
    password: str
    host: str
    port: int
    database: str

    @classmethod
    def of(cls, url: str) -> "Address":
        """Take `postgresql://user:pw@/db?host=DIRECTORY&port=N` or `postgresql://user:pw@host:port/db` apart."""
        parts = urlsplit(url)
        assert parts.scheme.partition("+")[0] in {"postgresql", "postgres"}, parts.scheme
        query = parse_qs(parts.query)
        return cls(
            user=unquote(parts.username or "postgres"),
            password=unquote(parts.password or ""),
            host=query["host"][0] if "host" in query else parts.hostname or "localhost",
            port=int(query["port"][0]) if "port" in query else parts.port or 5432,
            database=unquote(parts.path.removeprefix("/")) or "postgres",
        )

    async def connect(self) -> asyncpg.Connection:
        """Open a connection."""
        return await asyncpg.connect(
            user=self.user, password=self.password, host=self.host, port=self.port, database=self.database, timeout=10
        )


async def measure(
    server_url: str, bin_dir: Path, *, clients: Sequence[int] = (1, 16, 32), seconds: int = 10
) -> dict[int, Figure]:
    """Run the baseline in a database of its own, once for each number of clients, and check the chain it left."""
    pgbench = find_pgbench(bin_dir)
    async with scratch_database(Address.of(server_url)) as address:
        await prepare(address)
        figures = {count: await run(pgbench, address, clients=count, seconds=seconds) for count in clients}
        await check(address, gifts_expected=sum(figure.transactions for figure in figures.values()))
    return figures


def lines(figures: Mapping[int, Figure]) -> list[str]:
    """Lay the figures out as a Markdown table."""
    return [
        "| clients | gifts/s | mean latency | load average before |",
        "| ---: | ---: | ---: | ---: |",
        *(
            f"| {figure.clients} | {figure.transactions_per_second:,.0f} | {figure.latency_ms_average:.2f} ms "
            f"| {figure.load_average_before:.2f} |"
            for figure in figures.values()
        ),
    ]


def find_pgbench(bin_dir: Path) -> Path:
    """Look beside the server first, then where Debian keeps each major version, newest first, then in PATH."""
    debian = sorted(
        Path("/usr/lib/postgresql").glob("[0-9]*/bin"), key=lambda path: float(path.parent.name), reverse=True
    )
    for directory in (bin_dir, *debian):
        if os.access(directory / "pgbench", os.X_OK):
            return directory / "pgbench"
    if (found := shutil.which("pgbench")) is None:
        raise FileNotFoundError(f"no pgbench in {bin_dir}, /usr/lib/postgresql/*/bin or PATH")
    return Path(found)


@asynccontextmanager
async def scratch_database(server: Address) -> AsyncGenerator[Address]:
    """Create a database, and drop it whatever happens."""
    name = f"baseline_{secrets.token_hex(4)}"
    connection = await server.connect()
    try:
        await connection.execute(f"create database {name}")
        try:
            yield replace(server, database=name)
        finally:
            await connection.execute(f"drop database {name} with (force)")
    finally:
        await connection.close()


async def prepare(address: Address) -> None:
    """Create the baseline's tables, on a server that keeps what it acknowledges."""
    connection = await address.connect()
    try:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            value = await connection.fetchval("select current_setting($1)", setting)
            assert value == "on", f"{setting} is {value}: the figures would not be those of durable commits"
        await connection.execute(await asyncio.to_thread(SCHEMA.read_text, encoding="utf-8"))
    finally:
        await connection.close()


async def run(pgbench: Path, address: Address, *, clients: int, seconds: int) -> Figure:
    """Let pgbench insert gifts for so many seconds."""
    load_average_before = os.getloadavg()[0]
    arguments = [
        *(
            "-n",
            "-M",
            "prepared",
            "-c",
            str(clients),
            "-j",
            str(min(clients, 2)),
            "-T",
            str(seconds),
            "-f",
            str(INSERT),
        ),
        *("-h", address.host, "-p", str(address.port), "-U", address.user, address.database),
    ]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    process = await asyncio.create_subprocess_exec(
        pgbench,
        *arguments,
        env=inherited | {"LC_ALL": "C", "PGPASSWORD": address.password},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(seconds + START_AND_STOP_LIMIT_S):
            said, complained = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise RuntimeError(f"pgbench ended with {process.returncode}: {complained.decode(errors='replace')}")
    return read_figure(said.decode(), clients=clients, load_average_before=load_average_before)


def read_figure(report: str, *, clients: int, load_average_before: float) -> Figure:
    """Find the figures in pgbench's report; its rate leaves out the time to connect."""

    def value(pattern: str) -> str:
        found = re.search(pattern, report, re.MULTILINE)
        assert found, f"pgbench's report has no {pattern}:\n{report}"
        return found[1]

    return Figure(
        clients=clients,
        transactions=int(value(r"^number of transactions actually processed: (\d+)")),
        transactions_per_second=float(value(r"^tps = ([\d.]+) ")),
        latency_ms_average=float(value(r"^latency average = ([\d.]+) ms")),
        load_average_before=load_average_before,
    )


async def check(address: Address, *, gifts_expected: int) -> None:
    """Check that each acknowledged gift is there and the chain is whole: a quick broken one proves nothing."""
    connection = await address.connect()
    try:
        gifts = await connection.fetchval("select count(*) from gift")
        assert gifts == gifts_expected, f"pgbench was acknowledged {gifts_expected} gifts, the table has {gifts}"
        faults = await connection.fetch("select number, what from fault order by number limit $1", FAULTS_SHOWN)
        assert not faults, "; ".join(f"gift {fault['number']}: {fault['what']}" for fault in faults)
    finally:
        await connection.close()
