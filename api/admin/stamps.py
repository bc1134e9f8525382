"""Doors of stamps: the checkpoint to have stamped, and the token an authority gave for it."""

from typing import Annotated

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import JSONBody
from pydantic import BaseModel, Field

from api.admin.answers import Answer, as_command, carry_out, writes
from api.admin.money import Door
from api.admin.resources import Clerk
from api.fields import Digest, Input, Text
from api.problems import ProblemError, described
from ledger.account import MAX_POSITION
from ledger.stamps import MAX_TOKEN_BYTES, StampCheckpoint
from ledger.store.database import Database
from ledger.store.queries.log import checkpoint_of, last_checkpoint
from ledger.store.stamping import check_published

MAX_TOKEN = (MAX_TOKEN_BYTES + 2) // 3 * 4
"""Characters of the longest token in base64."""


class PublishedCheckpoint(BaseModel):
    """最新公布的检查点。"""

    origin: str = Field(description="账本名称")
    size: int = Field(description="所含条目数")
    root: str = Field(description="树根（64 位十六进制）")
    note: str = Field(description="签名的检查点原文")


class NewStamp(Input):
    """时间戳机构对一个检查点签发的令牌。"""

    authority: Text = Field(description="时间戳机构的名称或域名，将公开", examples=["tsa.example.org"])
    root: Digest = Field(description="检查点的树根")
    size: Annotated[int, Field(ge=1, le=MAX_POSITION, description="检查点所含条目数", examples=[136])]
    token: Annotated[
        str,
        Field(
            min_length=1,
            max_length=MAX_TOKEN,
            description="RFC 3161 令牌（DER 的 base64），其摘要为检查点正文的 SHA-256",
            examples=["MIIC…"],
        ),
    ]


@get("/api/v1/checkpoint", summary="最新公布的检查点", tags=["核验"], responses=described(401, 403, 404, 503))
async def get_checkpoint(database: NamedDependency[Database]) -> PublishedCheckpoint:
    """请时间戳机构盖章用；账本未设签名密钥或尚未公布时没有。"""
    async with database.snapshot() as connection:
        note = await last_checkpoint(connection)
    if note is None:
        raise ProblemError("not-published")
    checkpoint = checkpoint_of(note)
    return PublishedCheckpoint(
        origin=checkpoint.origin, size=checkpoint.size, root=checkpoint.root.hex(), note=note.decode()
    )


@writes("/api/v1/stamps", "记入时间戳", "核验")
async def stamp_checkpoint(request: Door, data: JSONBody[NewStamp], clerk: NamedDependency[Clerk]) -> Response[Answer]:
    """检查点须为本账本所公布，令牌须对应该检查点；令牌由谁签发，由核验者自行判断。"""
    command = as_command(StampCheckpoint, data, clerk.staff)
    async with clerk.resources.database.snapshot() as connection:
        await check_published(connection, command)
    return await carry_out(request, clerk, command)


HANDLERS = [get_checkpoint, stamp_checkpoint]
