"""The witness's door (c2sp.org/tlog-witness): logs hand checkpoints in, monitors read what was cosigned last."""

import asyncio
import re
import time
from dataclasses import dataclass
from typing import Annotated, Any

import structlog
from litestar import Litestar, Request, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import PathParameter

from api.observability import observe
from ledger.log.errors import MalformedError
from ledger.log.note import encode_signatures
from ledger.log.witness import MAX_REQUEST_BYTES, AddCheckpoint, Refused
from ledger.witness.datafile import DataFile, LogKeys

TEXT = "text/plain"  # UTF-8 is added
_SECONDS = {"Cache-Control": "public, max-age=1", "Access-Control-Allow-Origin": "*"}
_NO_STORE = {"Cache-Control": "no-store"}
_LOG_ID = re.compile(r"[0-9a-f]{64}")

_log = structlog.get_logger("witness")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """Its file, and the logs it cosigns for."""

    file: DataFile
    log_keys: LogKeys


def build(resources: Resources) -> Litestar:
    """The service."""
    app = Litestar(
        route_handlers=[add_checkpoint, latest_checkpoint, vkey, healthz],
        dependencies={"witness": Provide(lambda: resources, sync_to_thread=False)},
        exception_handlers={HTTPException: _said, Exception: _bug},
        request_max_body_size=MAX_REQUEST_BYTES,
        openapi_config=None,
        logging_config=None,
    )
    observe(app)
    return app


@post("/add-checkpoint", status_code=200, media_type=TEXT)
async def add_checkpoint(request: Request[Any, Any, Any], witness: NamedDependency[Resources]) -> Response[bytes]:
    """The cosignatures, or the status that says why there are none."""
    try:
        asked = AddCheckpoint.parse(await request.body())
    except MalformedError as error:
        return _refusal(Refused(status=400, reason=str(error)))
    answer = await asyncio.to_thread(witness.file.add, asked, witness.log_keys, time_s=int(time.time()))
    if isinstance(answer, Refused):
        if answer.status in {422, 503}:
            _log.critical("refused", status=answer.status, reason=answer.reason)
        return _refusal(answer)
    return Response(encode_signatures(answer), media_type=TEXT, headers=_NO_STORE)


@get("/{log:str}/checkpoint", media_type=TEXT)
async def latest_checkpoint(
    log: Annotated[str, PathParameter()], witness: NamedDependency[Resources]
) -> Response[bytes]:
    """The newest checkpoint of a log, named by the hex SHA-256 of its origin, with this witness's cosignatures."""
    note = await asyncio.to_thread(witness.file.latest, log) if _LOG_ID.fullmatch(log) else None
    if note is None:
        raise NotFoundException
    return Response(note, media_type=TEXT, headers=_SECONDS)


@get("/vkey", media_type=TEXT)
async def vkey(witness: NamedDependency[Resources]) -> Response[bytes]:
    """The public keys it cosigns with, one a line. To be compared with what its operator says elsewhere."""
    return Response("".join(f"{key}\n" for key in witness.file.vkeys).encode(), media_type=TEXT, headers=_SECONDS)


@get("/healthz", media_type=TEXT)
async def healthz(witness: NamedDependency[Resources]) -> Response[bytes]:
    """200 while it can cosign, 503 with the reason once it cannot."""
    return Response(
        f"{witness.file.stopped or 'alive'}\n".encode(),
        status_code=503 if witness.file.stopped else 200,
        media_type=TEXT,
        headers=_NO_STORE,
    )


def _refusal(refused: Refused) -> Response[bytes]:
    headers = {**_NO_STORE, "Content-Type": refused.content_type}  # by media_type the framework would add a charset
    return Response(refused.body, status_code=refused.status, headers=headers)


def _said(_: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """What the framework refuses: an unknown path, a method, a body too large."""
    return Response(f"{error.detail}\n".encode(), status_code=error.status_code, media_type=TEXT, headers=_NO_STORE)


def _bug(_: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    _log.error("a bug", exc_info=error)
    return Response(b"a bug, which was logged\n", status_code=500, media_type=TEXT, headers=_NO_STORE)
