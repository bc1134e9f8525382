"""Say what a run was made on, because a figure without its machine cannot be compared with anything."""

import asyncio
import os
import platform
import tempfile
import time
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

import asyncpg

LIBRARIES = ("asyncpg", "litestar", "uvicorn", "msgspec", "cryptography")
PAGE_BYTES = 8192
FLUSHES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Flush:
    """How long the disk took to keep one page, in milliseconds."""

    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The facts printed with every run."""

    day: date
    cpu_model: str
    cpu_count: int
    memory_mib: int
    kernel: str
    load_averages: tuple[float, float, float]
    append: Flush
    overwrite: Flush
    python: str
    postgresql: str
    libraries: tuple[tuple[str, str], ...]

    def lines(self) -> list[str]:
        """Lay the facts out as a Markdown table."""
        facts = [
            ("date", self.day.isoformat()),
            ("processor", f"{self.cpu_count} × {self.cpu_model}"),
            ("memory", f"{self.memory_mib / 1024:.1f} GiB"),
            ("kernel", self.kernel),
            ("load averages at the start", " ".join(f"{average:.2f}" for average in self.load_averages)),
            ("append 8 KiB + fdatasync", f"p50 {self.append.p50_ms:.3f} ms, p99 {self.append.p99_ms:.3f} ms"),
            ("overwrite 8 KiB + fdatasync", f"p50 {self.overwrite.p50_ms:.3f} ms, p99 {self.overwrite.p99_ms:.3f} ms"),
            ("Python", self.python),
            ("PostgreSQL", self.postgresql),
            *self.libraries,
        ]
        return ["| what | found |", "| --- | --- |", *(f"| {name} | {found} |" for name, found in facts)]


async def look(server_url: str, *, day: date, data_directory: Path) -> Machine:
    """Gather the facts; `data_directory` is where the server's data lie, for the disk under it is what is measured."""
    load_averages = os.getloadavg()  # before we add to them
    connection = await asyncpg.connect(server_url, timeout=10)
    try:
        server_version = await connection.fetchval("show server_version")
    finally:
        await connection.close()
    return Machine(
        day=day,
        cpu_model=cpu_model(),
        cpu_count=len(os.sched_getaffinity(0)),
        memory_mib=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
        kernel=f"{platform.system()} {platform.release()} {platform.machine()}",
        load_averages=load_averages,
        append=await asyncio.to_thread(flush, data_directory, pages_before=0),
        overwrite=await asyncio.to_thread(flush, data_directory, pages_before=FLUSHES),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        postgresql=str(server_version),
        libraries=tuple((name, version(name)) for name in LIBRARIES),
    )


def cpu_model(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Return the processor's name; some architectures do not write it there."""
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def flush(directory: Path, *, pages_before: int) -> Flush:
    """Write pages one after the other, each followed by fdatasync, into a file that already has `pages_before` pages.

    Appending makes the file system write the new length too. PostgreSQL recycles the files of its write-ahead log, so
    that a commit overwrites: of the two that is the one which bounds commits.
    """
    page = os.urandom(PAGE_BYTES)
    took_ms = []
    with tempfile.TemporaryFile(dir=directory, buffering=0) as file:
        file.write(bytes(PAGE_BYTES * pages_before))
        os.fsync(file.fileno())
        file.seek(0)
        for _ in range(FLUSHES):
            started_at = time.perf_counter()
            file.write(page)
            os.fdatasync(file.fileno())
            took_ms.append((time.perf_counter() - started_at) * 1000)
    took_ms.sort()
    return Flush(p50_ms=took_ms[FLUSHES // 2 - 1], p99_ms=took_ms[FLUSHES * 99 // 100 - 1])
