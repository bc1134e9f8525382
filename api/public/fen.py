"""随机追踪一分钱: one fen of a fund, chosen by a formula anybody can repeat, from its gift to where it is."""

from datetime import date
from typing import Annotated, Any
from urllib.parse import urlencode

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from pydantic import Field

from api.fields import example
from api.problems import ProblemError, answered
from api.public import permalinks
from api.public.answers import AsOf, FundId, OrgId, Shape, are_ids
from ledger import account, entries
from ledger.account import MAX_POSITION
from ledger.drawing import MAX_SEED, word
from ledger.entries import Entry
from ledger.store.database import Database
from ledger.store.queries.fens import Fen, Hop, draw


class FenHop(Shape):
    """一条账把这一分钱带到一个账户。"""

    seq: int = Field(description="账本条目序号")
    kind: str = Field(description="条目类型", examples=["money.received"])
    on: date | None = Field(description="业务日期（北京时间）；没有则为空")
    account: str = Field(description="到了哪个账户", examples=["fund:330800:flood"])
    position: int = Field(description="在这个账户转入的钱里是第几分，从 0 数起")
    amount_fen: int = Field(description="这一条共多少，单位：分")
    decision: str = Field(description="集体决策文号；没有则为空")
    evidence: list[str] = Field(description="凭证文件的 SHA-256")


class FenAnswer(Shape):
    """取出的一分钱，和取它的公式用到的各数。

    H = SHA-256("sunledger/fen/1" LF account LF size LF root LF seed LF)，position = ⌊H × credited_fen / 2^256⌋。
    """

    as_of: AsOf = Field(description="检查点之下的最后一条")
    href: str = Field(description="永久地址：永远是同样的答复")
    account: str = Field(description="基金的账户", examples=["fund:330800:flood"])
    size: int = Field(description="检查点的条数")
    root: str = Field(description="检查点的根哈希，十六进制")
    seed: str = Field(description="所写的词；首尾空白不计，中间的连续空白算一个")
    credited_fen: int = Field(description="账户在这些条目之下累计转入多少分")
    position: int = Field(description="取出的是第几分，从 0 数起")
    way: list[FenHop] = Field(description="从捐款到现在的位置，先后为序")


@get(
    "/api/v1/funds/{org:str}/{fund:str}/fen",
    summary="随机追踪一分钱",
    tags=["核验"],
    responses=answered(FenAnswer, "一分钱的去向", 404, 503),
    exact_bytes=True,
)
async def get_fen(
    org: OrgId,
    fund: FundId,
    database: NamedDependency[Database],
    seed: Annotated[
        str,
        QueryParameter(
            description="随便一个词；换一个词，就换一分钱", max_length=MAX_SEED, examples=example("2026-07-02")
        ),
    ],
    size: Annotated[
        int | None,
        QueryParameter(description="哪个检查点：它的条数；不填为最新的", ge=1, le=MAX_POSITION, examples=example(136)),
    ] = None,
) -> Response[bytes]:
    """从一个基金收到的全部钱里取一分，看它从哪一笔捐款来，到了哪里。取哪一分由公式决定，任何人都能重算。

    带 size 的地址永远给出同样的字节。
    """
    said = word(seed)
    async with database.snapshot() as connection:
        drawn = await draw(connection, org, fund, seed=said, size=size) if are_ids(org, fund) else None
        if drawn is None:
            raise ProblemError("not-found", "没有这个基金或检查点，或者检查点之下这个基金还没有收到钱")
        last = await permalinks.read_as_of(connection, drawn.drawing.size - 1)
    pinned = urlencode({"seed": said, "size": drawn.drawing.size})
    href = f"/api/v1/funds/{org}/{fund}/fen?{pinned}"
    answer = _answer(AsOf.model_validate(last), href, account.fund(org, fund), said, drawn)
    return permalinks.stated(answer, permalinks.caching(href, is_pinned=size is not None))


def _answer(as_of: AsOf, href: str, address: str, seed: str, fen: Fen) -> FenAnswer:
    return FenAnswer(
        as_of=as_of,
        href=href,
        account=address,
        size=fen.drawing.size,
        root=fen.drawing.root.hex(),
        seed=seed,
        credited_fen=fen.drawing.credited,
        position=fen.position,
        way=[_hop(*each) for each in fen.way],
    )


def _hop(hop: Hop, entry: Entry) -> FenHop:
    body = entry.body
    return FenHop(
        seq=hop.seq,
        kind=entry.kind,
        on=getattr(body, "on", None),
        account=hop.address,
        position=hop.position,
        amount_fen=entries.qty_of(entry),
        decision=getattr(body, "decision", ""),
        evidence=[*getattr(body, "evidence", ())],
    )


HANDLERS: list[Any] = [get_fen]
