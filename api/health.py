"""Health: does the process live, and can it answer."""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency

from api.problems import problem
from ledger.store.availability import Stopped
from ledger.store.database import Database
from ledger.store.queries.head import read_head
from ledger.store.queries.log import alarming

_NO_STORE = {"Cache-Control": "no-store"}


@get("/healthz", summary="存活", tags=["运行"])
async def healthz() -> Response[dict[str, str]]:
    """进程存活即为 200。"""
    return Response({"status": "alive"}, headers=_NO_STORE)


@get("/readyz", summary="就绪", tags=["运行"])
async def readyz(database: NamedDependency[Database], stopped: NamedDependency[str]) -> Response[Any]:
    """数据库能答复、记账没有停止则为 200，否则 503。witness_alarms：知道另一份历史的见证机构，须立即查明。"""
    if stopped:  # by another sequencer, the clock, the database: somebody has to look
        raise Stopped(stopped)
    try:
        async with database.raw() as connection:
            head = await read_head(connection)
            names = await alarming(connection)
    except Exception:  # noqa: BLE001  whatever it is, this process is not ready
        return problem("busy", headers={"Retry-After": "5"})
    return Response({"status": "ready", "entries": head.seq + 1, "witness_alarms": names}, headers=_NO_STORE)
