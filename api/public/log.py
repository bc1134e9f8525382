"""The verifiable log as files: checkpoint, tiles, bundles; and proofs, which anybody could also make from these."""

import base64
from datetime import datetime
from typing import Annotated

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter
from pydantic import Field

from api.fields import example
from api.problems import ProblemError, described
from api.public.answers import IMMUTABLE, Seq, Shape
from ledger.account import MAX_POSITION
from ledger.log.errors import MalformedError
from ledger.log.tile import parse_path
from ledger.store.database import Database
from ledger.store.queries import log
from ledger.store.queries.stamps import read_token_of

TEXT = "text/plain"  # UTF-8 is added
BYTES = "application/octet-stream"
OPEN = {"Access-Control-Allow-Origin": "*"}
"""Anybody's page may check the log."""

_SECONDS = {"Cache-Control": "public, max-age=1", **OPEN}
Old = Annotated[int, QueryParameter(description="较早的账本条数", ge=0, le=MAX_POSITION, examples=example(100))]
New = Annotated[int, QueryParameter(description="较晚的账本条数", ge=0, le=MAX_POSITION, examples=example(136))]


@get("/log/checkpoint", summary="检查点", tags=["核验"], media_type=TEXT, responses=described(404))
async def get_checkpoint(database: NamedDependency[Database]) -> Response[bytes]:
    """最新的检查点：账本名称、条数、总根，以及签名（C2SP tlog-checkpoint）。"""
    async with database.raw() as connection:
        note = await log.last_checkpoint(connection)
    if note is None:
        raise ProblemError("not-found", "nothing was published yet")
    return Response(note, media_type=TEXT, headers=_SECONDS)


@get("/log/tile/{path:path}", summary="哈希块与条目包", tags=["核验"], media_type=BYTES, responses=described(404))
async def get_tile(
    path: Annotated[str, PathParameter(description="C2SP tlog-tiles 规定的路径", examples=example("0/000.p/100"))],
    database: NamedDependency[Database],
) -> Response[bytes]:
    """哈希块 tile/<层>/<序号>[.p/<宽>]，条目包 tile/entries/<序号>[.p/<宽>]。"""
    try:
        wanted = parse_path(f"tile{path}")
    except MalformedError as error:
        raise ProblemError("not-found", str(error)) from error
    async with database.raw() as connection:
        found = await log.read_file(connection, wanted)
    if found is None:
        raise ProblemError("not-found", "the log is not so long")
    return Response(found, media_type=BYTES, headers={**IMMUTABLE, **OPEN})


@get("/log/vkey", summary="签名公钥", tags=["核验"], media_type=TEXT, responses=described(404))
async def get_vkey(database: NamedDependency[Database]) -> Response[bytes]:
    """本账本现用的签名公钥（vkey），每行一个。请与收据上印的、见证机构公布的核对，勿只信本站。"""
    async with database.raw() as connection:
        keys = await log.signing_keys(connection)
    if not keys:
        raise ProblemError("not-found", "this log is not signed yet")
    return Response("".join(f"{key}\n" for key in keys).encode(), media_type=TEXT, headers=_SECONDS)


@get("/log/policy", summary="核验策略", tags=["核验"], media_type=TEXT, responses=described(404))
async def get_policy(database: NamedDependency[Database]) -> Response[bytes]:
    """C2SP tlog-policy 文件：本账本的公钥、见证机构、须有几家见证。请与别处公布的核对，勿只信本站。"""
    async with database.snapshot() as connection:
        policy = await log.served_policy(connection)
    if policy is None:
        raise ProblemError("not-found", "this log is not signed yet")
    return Response(policy.encode(), media_type=TEXT, headers=_SECONDS)


class WitnessState(Shape):
    """一家见证机构最近的答复。"""

    name: str = Field(description="在核验策略里的名称", examples=["audit"])
    vkey: str = Field(description="公钥")
    url: str = Field(description="地址")
    cosigned_size: int | None = Field(description="最近见证的检查点有多少条；null 表示从未见证")
    cosigned_at: datetime | None = Field(description="最近见证的时刻")
    has_cosigned_newest: bool = Field(description="最新的检查点是否有它的见证")
    trouble: str = Field(description="最近一次没有见证的原因；空表示没有问题")
    alarm: str = Field(description="它知道另一份历史；须立即查明。空表示没有")


class Witnessed(Shape):
    """谁见证了最新的检查点。检查点里的签名才是凭据，本答复只是说明。"""

    size: int = Field(description="最新检查点的条数")
    quorum: str = Field(description="须由谁见证（核验策略里的名称）；none 表示不要求")
    is_required: bool = Field(description="见证不足时是否不公布")
    has_quorum: bool = Field(description="最新检查点的见证是否已够")
    cosigned_at: datetime | None = Field(
        description="足够多的见证机构在这一时刻或之后会签过最新检查点；null 表示见证不足，或没有见证机构"
    )
    waiting_since: datetime | None = Field(description="最新检查点之后的第一条记于何时；null 表示全部条目都已公布")
    witnesses: list[WitnessState] = Field(description="见证机构")


@get("/log/witnesses", summary="见证", tags=["核验"], responses=described(404))
async def get_witnesses(database: NamedDependency[Database]) -> Response[Witnessed]:
    """见证机构各自最近一次见证了多少条、在什么时候，有没有问题。"""
    async with database.snapshot() as connection:
        found = await log.witnessed(connection)
    if found is None:
        raise ProblemError("not-found", "nothing was published yet")
    return Response(Witnessed.model_validate(found), headers=_SECONDS)


@get("/log/proof/{seq:int}", summary="包含证明", tags=["核验"], media_type=TEXT, responses=described(404))
async def get_proof(seq: Seq, database: NamedDependency[Database]) -> Response[bytes]:
    """该条目在最新检查点之下的证明（C2SP tlog-proof）。"""
    async with database.raw() as connection:
        proof = await log.read_proof(connection, seq)
    if proof is None:
        raise ProblemError("not-published", headers=OPEN)
    return Response(proof.encode(), media_type=TEXT, headers=_SECONDS)


@get("/log/stamps/{seq:int}", summary="时间戳令牌", tags=["核验"], media_type=BYTES, responses=described(404))
async def get_stamp(seq: Seq, database: NamedDependency[Database]) -> Response[bytes]:
    """该条目（checkpoint.stamped）里的令牌：RFC 3161 TimeStampToken，DER 编码。签名请用该机构的证书自己核对。"""
    async with database.raw() as connection:
        token = await read_token_of(connection, seq)
    if token is None:
        raise ProblemError("not-found", "this entry is no timestamp", headers=OPEN)
    saved_as = {"Content-Disposition": f'attachment; filename="stamp-{seq}.der"'}
    return Response(token, media_type=BYTES, headers={**IMMUTABLE, **OPEN, **saved_as})


@get("/log/consistency", summary="一致性证明", tags=["核验"], media_type=TEXT, responses=described(404))
async def get_consistency(old: Old, new: New, database: NamedDependency[Database]) -> Response[bytes]:
    """前 old 条的账本是前 new 条的开头：每行一个哈希（RFC 6962 第 2.1.2 节）。"""
    async with database.snapshot() as connection:
        note = await log.last_checkpoint(connection)
        if note is None or not old <= new <= log.checkpoint_of(note).size:
            raise ProblemError("not-found", "old ≤ new ≤ the size of the newest checkpoint")
        hashes = await log.proof_of_consistency(connection, old, new)
    lines = "".join(f"{base64.b64encode(each).decode()}\n" for each in hashes)
    return Response(lines.encode(), media_type=TEXT, headers={**IMMUTABLE, **OPEN})


HANDLERS = [get_checkpoint, get_tile, get_vkey, get_policy, get_witnesses, get_proof, get_stamp, get_consistency]
