"""What a write is answered with: the entries it became. The same for the first answer and for every retry."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import msgspec
from litestar import Request, Response, post
from litestar.openapi.spec import OpenAPIType, Operation, Parameter, Schema
from pydantic import BaseModel, Field

from api.admin.resources import Clerk
from api.problems import ProblemError, described
from ledger import entries, privacy
from ledger.command import Command
from ledger.entries import Entry
from ledger.store.batch import Idempotency, Replayed, Sequenced, Work
from ledger.store.queries.entries import read_range
from ledger.store.vault import open_record

MAX_KEY = 200
AnyOf = TypeVar("AnyOf", bound=Command)


class Entered(BaseModel):
    """One entry."""

    seq: int = Field(description="账本条目序号")
    kind: str = Field(description="条目类型")
    at: str = Field(description="记账时刻（UTC）")
    sha256: str = Field(description="条目字节的 SHA-256")


class Answer(BaseModel):
    """What became of a command."""

    state: Literal["sequenced"] = Field("sequenced", description="已持久入账并编号")
    result: Literal["entered", "proposed", "approved"] = Field(
        description="entered 已生效；proposed 已提交待复核；approved 已复核一次，尚需他人复核"
    )
    proposal: int | None = Field(None, description="申请编号（待复核时）")
    entries: list[Entered] = Field(description="记入账本的条目")


class GiftAnswer(Answer):
    """What became of a gift: also the code for its receipt."""

    receipt_code: str = Field(description="收据编号，请印在收据上", examples=["7K3M-9XQ2-F4HT-B8WY"])


@dataclass
class _Keyed(Operation):
    """Says in the document that the Idempotency-Key belongs to the request."""

    def __post_init__(self) -> None:
        """Add the header."""
        key = Parameter(
            name="Idempotency-Key",
            param_in="header",
            required=True,
            description="同一操作重试时用同一个键：不会重复入账，答复不变",
            schema=Schema(type=OpenAPIType.STRING, max_length=MAX_KEY, min_length=1),
        )
        self.parameters = [*(self.parameters or []), key]


def writes(path: str, summary: str, tag: str) -> post:
    """A door that writes: POST, with an Idempotency-Key."""
    return post(
        path,
        summary=summary,
        tags=[tag],
        responses=described(401, 403, 404, 409, 413, 422, 503),
        operation_class=_Keyed,
    )


def as_command(kind: type[AnyOf], data: BaseModel, staff: str, **more: object) -> AnyOf:
    """The command whose fields stand in the body under the same names."""
    return msgspec.convert({**data.model_dump(), "maker": staff, **more}, kind)


async def carry_out(request: Request[Any, Any, Any], clerk: Clerk, work: Work) -> Response[Answer]:
    """Have the command sequenced once, however often the request is sent."""
    key = request.headers.get("idempotency-key", "")
    if not 0 < len(key) <= MAX_KEY or not key.isprintable():
        raise ProblemError("invalid-request", "Idempotency-Key: 1 to 200 printable characters")
    resources = clerk.resources
    digest = resources.request_digest
    body = await request.body()
    idempotency = Idempotency(
        key=digest(clerk.staff.encode(), key.encode()),
        request=digest(request.method.encode(), request.scope["path"].encode(), body),
    )
    outcome = await resources.sequencer.submit(work, idempotency)
    match outcome:
        case Sequenced(entries=entered, code=code):
            return _answer(entered, code)
        case Replayed(first_seq=first, last_seq=last):
            async with resources.database.raw() as connection:
                again = await read_range(connection, first, last)
                kept = await connection.fetchrow("select slot, sealed from vault where seq = $1", first)
            code = ""
            if kept is not None:
                subject_key = resources.subjects.read(kept["slot"])
                if subject_key is None:
                    raise ProblemError("erased")
                code = open_record(subject_key, kept["sealed"]).code
            return _answer(again, code)


def _answer(entered: Sequence[Entry], code: str) -> Response[Answer]:
    shown = [
        Entered(seq=each.seq, kind=each.kind, at=each.at, sha256=entries.digest(entries.encode(each)))
        for each in entered
    ]
    first = entered[0]
    if code:
        gift = GiftAnswer(result="entered", entries=shown, receipt_code=privacy.printed(code))
        return Response(gift, status_code=201, headers=_NO_STORE)
    match first.body:
        case entries.ProposalMade():
            return Response(
                Answer(result="proposed", proposal=first.seq, entries=shown), status_code=202, headers=_NO_STORE
            )
        case entries.ProposalApproved(proposal=number) if len(entered) == 1:
            return Response(
                Answer(result="approved", proposal=number, entries=shown), status_code=202, headers=_NO_STORE
            )
        case _:
            return Response(Answer(result="entered", entries=shown), status_code=201, headers=_NO_STORE)


_NO_STORE = {"Cache-Control": "no-store"}
