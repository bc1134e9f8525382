"""What a write is answered with: the entries it became, and how far these have come on their way under a signature.

A retry gets the same entries and the same code; their state may have moved on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, assert_never

import msgspec
from litestar import MediaType, Request, Response, post
from litestar.openapi.spec import OpenAPIType, Operation, Parameter, Schema
from pydantic import BaseModel, Field

from api.admin.preference import MAX_WAIT_S, wait_s
from api.admin.resources import Clerk, Resources
from api.problems import ProblemError, described
from ledger import entries, privacy
from ledger.command import Command
from ledger.entries import Entry
from ledger.refusals import AlreadyThere, Invalid
from ledger.store.batch import Idempotency, Replayed, Sequenced, Work
from ledger.store.queries.entries import find_reference, read_range
from ledger.store.queries.log import LogState, read_proofs
from ledger.store.vault import read_record

MAX_KEY = 200
AnyOf = TypeVar("AnyOf", bound=Command)


class Entered(BaseModel):
    """One entry."""

    seq: int = Field(description="账本条目序号")
    kind: str = Field(description="条目类型")
    at: str = Field(description="记账时刻（UTC）")
    sha256: str = Field(description="条目字节的 SHA-256")
    proof: str = Field("", description="条目的证明（.tlog-proof）；请求带 Prefer: wait 且已公布时给出，否则为空")


class Answer(BaseModel):
    """What became of a command."""

    state: LogState = Field(
        LogState.SEQUENCED, description="sequenced 已持久入账并编号；integrated 已并入默克尔树；published 已签名公布"
    )
    publisher: Literal["running", "stopped", "none"] = Field(
        "none", description="签名公布：running 正常；stopped 已停（记账不受影响）；none 未设签名密钥"
    )
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
    """Says in the document which headers belong to the request."""

    def __post_init__(self) -> None:
        """Add the headers."""
        said = self.parameters or []
        key = Parameter(
            name="Idempotency-Key",
            param_in="header",
            required=True,
            description="同一操作重试时用同一个键：不会重复入账，答复不变",
            schema=Schema(type=OpenAPIType.STRING, max_length=MAX_KEY, min_length=1),
        )
        wait = Parameter(
            name="Prefer",
            param_in="header",
            description=f"wait=N（RFC 7240）：最多等 N 秒（不超过 {MAX_WAIT_S}）到已公布，并给出证明",
            schema=Schema(type=OpenAPIType.STRING, examples=["wait=5"]),
        )
        self.parameters = [*said, key, wait]


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
    """The command whose fields stand in the body under the same names. Raises Invalid where that would be none."""
    try:
        return msgspec.convert({**data.model_dump(), "maker": staff, **more}, kind)
    except msgspec.ValidationError as error:
        raise Invalid(str(error)) from error


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
    try:
        outcome = await resources.sequencer.submit(work, idempotency)
    except AlreadyThere as refusal:
        await _lead_to_the_first(refusal, resources)
        raise
    match outcome:
        case Sequenced():
            answer = _answer(outcome.entries, outcome.digests, outcome.code)
        case Replayed(first_seq=first, last_seq=last):
            async with resources.database.raw() as connection:
                again = await read_range(connection, first, last)
                kept = await read_record(connection, resources.subjects, first)
            code = ""
            if kept is not None:
                if (record := kept.open()) is None:
                    raise ProblemError("erased")
                code = record.code
            answer = _answer(again, [entries.digest(entries.encode(each)) for each in again], code)
        case unknown:
            assert_never(unknown)
    # The entries stand, whatever becomes of the wait.
    return await _with_state(answer, resources, wait_s(request))


async def _lead_to_the_first(refusal: AlreadyThere, resources: Resources) -> None:
    """Say the entry whose channel reference it is: the commitment that the log knows it by tells a clerk nothing."""
    if ref := refusal.facts.pop("channel_ref", ""):
        async with resources.database.raw() as connection:
            refusal.facts["entry"] = await find_reference(connection, bytes.fromhex(ref))


def _answer(entered: Sequence[Entry], digests: Sequence[str], code: str) -> Answer:
    shown = [
        Entered(seq=each.seq, kind=each.kind, at=each.at, sha256=digest)
        for each, digest in zip(entered, digests, strict=True)
    ]
    first = entered[0]
    if code:
        return GiftAnswer(result="entered", entries=shown, receipt_code=privacy.printed(code))
    match first.body:
        case entries.ProposalMade():
            return Answer(result="proposed", proposal=first.seq, entries=shown)
        case entries.ProposalApproved(proposal=number) if len(entered) == 1:
            return Answer(result="approved", proposal=number, entries=shown)
        case _:
            return Answer(result="entered", entries=shown)


async def _with_state(answer: Answer, resources: Resources, patience_s: int | None) -> Response[Answer]:
    """The answer, with the state of its last entry; where the caller asked and it came in time, with proofs."""
    publisher = resources.publisher
    headers = {"Cache-Control": "no-store"}
    last = answer.entries[-1].seq
    if publisher is not None:
        if patience_s is not None and not publisher.stopped:
            await publisher.wait_for(last, patience_s)
            headers["Preference-Applied"] = f"wait={patience_s}"
        answer.state = publisher.progress.state(last)
        answer.publisher = "stopped" if publisher.stopped else "running"
    if patience_s is not None and answer.state is LogState.PUBLISHED:
        async with resources.database.snapshot() as connection:
            proofs = await read_proofs(connection, [each.seq for each in answer.entries])
        assert proofs is not None, "what the publisher calls published is published"
        for each, proof in zip(answer.entries, proofs, strict=True):
            each.proof = proof.encode().decode()
    # Written here: the framework would go through it once more, to find out what it is.
    written: Response[Any] = Response(
        answer.model_dump_json().encode(),
        media_type=MediaType.JSON,
        status_code=201 if answer.result == "entered" else 202,
        headers=headers,
    )
    return written
