"""Load by wrk, Debian's, where it is installed: a client in C leaves the processors to what it asks."""

import asyncio
import json
import re
import secrets
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

_TRACES = """
local bodies = {}
for line in io.lines(os.getenv("BODIES")) do bodies[#bodies + 1] = line end
math.randomseed(os.time())
wrk.method, wrk.path = "POST", os.getenv("ASKED")
wrk.headers["content-type"], wrk.headers["accept"] = os.getenv("SENT"), os.getenv("WANTED")
request = function() return wrk.format(nil, nil, nil, bodies[math.random(#bodies)]) end
"""
_GIFTS = """
local number, body = 0, os.getenv("BODY")
wrk.method, wrk.path = "POST", "/api/v1/gifts"
wrk.headers["content-type"], wrk.headers["authorization"] = "application/json", "Bearer " .. os.getenv("TOKEN")
request = function()
  number = number + 1
  local name = os.getenv("RUN") .. "-" .. number
  wrk.headers["idempotency-key"] = name
  return wrk.format(nil, nil, nil, (body:gsub("REFERENCE", name)))
end
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
    bodies = folder / "bodies.txt"
    bodies.write_text("\n".join(f"code={code}" if as_page else json.dumps({"code": code}) for code in codes))
    sent, wanted = ("application/x-www-form-urlencoded", "text/html") if as_page else ("application/json",) * 2
    asked = "/trace" if as_page else "/api/v1/trace"
    told = {"BODIES": str(bodies), "ASKED": asked, "SENT": sent, "WANTED": wanted}
    return await _run(_TRACES, told, folder, port=port, clients=clients, seconds=seconds)


async def gifts(  # noqa: PLR0913  as above
    body: Mapping[str, object], token: str, folder: Path, *, port: int, clients: int, seconds: int
) -> Answered | None:
    """Record gifts, each with a key and a `channel_ref` of its own; None where wrk is not installed.

    Raises RuntimeError where anything but 2xx was answered.
    """
    told = {"BODY": json.dumps({**body, "channel_ref": "REFERENCE"}), "TOKEN": token, "RUN": secrets.token_hex(4)}
    return await _run(_GIFTS, told, folder, port=port, clients=clients, seconds=seconds)


async def _run(  # noqa: PLR0913  as above
    written: str, told: Mapping[str, str], folder: Path, *, port: int, clients: int, seconds: int
) -> Answered | None:
    if (program := shutil.which("wrk")) is None:
        return None
    script = folder / "asks.lua"
    script.write_text(written)
    process = await asyncio.create_subprocess_exec(
        program, "-t1", f"-c{clients}", f"-d{seconds}s", "--latency", "-s", str(script), f"http://127.0.0.1:{port}",
        env=dict(told),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said = (await process.communicate())[0].decode()
    if process.returncode or "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(said)
    p50_ms, p99_ms = (_ms(said, share) for share in ("50%", "99%"))
    return Answered(float(re.findall(r"Requests/sec: +([\d.]+)", said)[0]), p50_ms, p99_ms)


def _ms(said: str, share: str) -> float:
    value, unit = re.findall(rf"^ +{share} +([\d.]+)(us|ms|s)$", said, re.MULTILINE)[0]
    return float(value) * _UNITS_MS[unit]
