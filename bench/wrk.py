"""Load by wrk, Debian's, where it is installed: a client in C leaves the processors to what it asks."""

import asyncio
import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

_SCRIPT = """
local bodies = {}
for line in io.lines(os.getenv("BODIES")) do bodies[#bodies + 1] = line end
math.randomseed(os.time())
wrk.method, wrk.path = "POST", os.getenv("ASKED")
wrk.headers["content-type"], wrk.headers["accept"] = os.getenv("SENT"), os.getenv("WANTED")
request = function() return wrk.format(nil, nil, nil, bodies[math.random(#bodies)]) end
"""
_UNITS_MS = {"us": 0.001, "ms": 1.0, "s": 1_000.0}


class Answered(NamedTuple):
    """What a run came to."""

    per_second: float
    p50_ms: float
    p99_ms: float


async def traces(  # noqa: PLR0913  each is given by its name
    codes: Sequence[str], folder: Path, *, port: int, clients: int, seconds: int, as_page: bool
) -> Answered | None:
    """Look these codes up at random, as JSON or as the page; None where wrk is not installed.

    Raises RuntimeError where anything but 200 was answered.
    """
    if (program := shutil.which("wrk")) is None:
        return None
    bodies, script = folder / "bodies.txt", folder / "traces.lua"
    bodies.write_text("\n".join(f"code={code}" if as_page else json.dumps({"code": code}) for code in codes))
    script.write_text(_SCRIPT)
    sent, wanted = ("application/x-www-form-urlencoded", "text/html") if as_page else ("application/json",) * 2
    asked = "/trace" if as_page else "/api/v1/trace"
    process = await asyncio.create_subprocess_exec(
        program, "-t1", f"-c{clients}", f"-d{seconds}s", "--latency", "-s", str(script), f"http://127.0.0.1:{port}",
        env={"BODIES": str(bodies), "ASKED": asked, "SENT": sent, "WANTED": wanted},
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    told = (await process.communicate())[0].decode()
    if process.returncode or "Non-2xx" in told or "Socket errors" in told:
        raise RuntimeError(told)
    p50_ms, p99_ms = (_ms(told, share) for share in ("50%", "99%"))
    return Answered(float(re.findall(r"Requests/sec: +([\d.]+)", told)[0]), p50_ms, p99_ms)


def _ms(told: str, share: str) -> float:
    value, unit = re.findall(rf"^ +{share} +([\d.]+)(us|ms|s)$", told, re.MULTILINE)[0]
    return float(value) * _UNITS_MS[unit]
