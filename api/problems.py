"""RFC 9457: every error is a problem with a `type` that is a real page telling the reader what to do."""

from http import HTTPStatus
from typing import Any, NamedTuple

import structlog
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi.datastructures import ResponseSpec
from pydantic import BaseModel, ConfigDict, Field

from ledger import refusals
from ledger.imports import fault  # noqa: F401  its refusals are problems, too
from ledger.refusals import Refused
from ledger.store.availability import Busy, Stopped
from ledger.store.database import DATABASE_ERRORS, is_unreachable

MEDIA_TYPE = "application/problem+json"
_log = structlog.get_logger()


class ProblemType(NamedTuple):
    """One kind of problem: what its page says, in Chinese and English."""

    status: int
    title: str
    title_en: str
    advice: str
    advice_en: str


class Problem(BaseModel):
    """An error answer (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="这类问题的说明页", examples=["/problems/insufficient-amount"])
    title: str = Field(description="这类问题的名称")
    status: int = Field(description="HTTP 状态码")
    detail: str = Field("", description="这一次的具体情况")


_STATUS: dict[type[Refused], int] = {
    refusals.Invalid: 400,
    refusals.NotAllowed: 403,
    refusals.SamePerson: 403,
    refusals.Unknown: 404,
    refusals.KeyReused: 422,
}
"""Refusals that are not plain conflicts (409)."""

TYPES: dict[str, ProblemType] = {
    "invalid-request": ProblemType(
        400,
        "请求格式不正确",
        "The request is not well formed",
        "请按 errors 中逐项列出的要求修改后重新提交；账本没有任何变化。",
        "Mend what `errors` lists, field by field, and send it again; nothing has changed.",
    ),
    "unauthorised": ProblemType(
        401,
        "需要有效的访问令牌",
        "A valid token is needed",
        "请在 Authorization 头中给出 Bearer 令牌；令牌失效请向管理员申请。",
        "Send your token as Authorization: Bearer …; ask an administrator for a new one.",
    ),
    "not-found": ProblemType(
        404, "查不到", "There is nothing here", "请核对地址或编号。", "Check the address or the number."
    ),
    "receipt-not-found": ProblemType(
        404,
        "查不到这个编号",
        "No gift is found under this code",
        "请对照收据核对 16 位编号。刚刚捐的款可能还在录入，请稍后再查；仍查不到，请联系开具收据的红十字会。",
        "Compare the 16 characters with your receipt. A recent gift may still be being entered: try again later. "
        "If it still is not found, ask the society that issued it.",
    ),
    "fiscal-receipt-not-found": ProblemType(
        404,
        "查不到这张票据",
        "No gift is found under this fiscal receipt",
        "请对照票据逐项核对代码、号码、校验码和金额；票据若已换开，请用新的那张，或用收据编号查询。",
        "Compare code, number, check code and amount with the receipt; one that was replaced finds nothing any more.",
    ),
    "not-published": ProblemType(
        404,
        "这一条还没有公布",
        "This entry is not published yet",
        "新记的账通常一秒内公布，请稍后重试；账本若未设签名密钥，则没有证明。",
        "New entries are published within about a second: try again. A log without a signing key has no proofs.",
    ),
    "method-not-allowed": ProblemType(
        405, "不支持这种操作", "This method is not supported", "请查看接口文档。", "See the API's documentation."
    ),
    "too-large": ProblemType(413, "内容过大", "The request is too large", "请缩小后重新提交。", "Send less at once."),
    "figure-not-exact": ProblemType(
        400,
        "这样统计得不出准确的数",
        "This combination has no exact answer",
        "detail 说明原因；换一种统计方式，或下载账本自行计算。",
        "`detail` says why: ask by other dimensions, or download the ledger and compute it.",
    ),
    "no-lineage-report": ProblemType(
        400,
        "这个时点没有来源报告",
        "There is no lineage report of this state",
        "付款和结存按渠道、捐赠人类别的数字出自来源报告，截至做过报告的条目：不写 as_of 用最新的，或用 reports 所列。",
        "Payments and balances by channel or donor class come from a lineage report. Leave `as_of` out for the newest "
        "one, or take one that `reports` names.",
    ),
    "not-configured": ProblemType(
        404,
        "运营者尚未启用这项内容",
        "The operator has not set this up",
        "detail 说明缺少哪一项设置；请联系账本的运营者。CSV 等其他下载不受影响。",
        "`detail` names the missing setting: ask whoever runs this ledger. CSV and the other downloads are there.",
    ),
    "too-many-rows": ProblemType(
        422,
        "结果行数过多",
        "The answer would have too many rows",
        "请用筛选条件缩小范围，或少用一个维度；不会悄悄截断。",
        "Narrow it with filters, or use one dimension less; nothing is cut off silently.",
    ),
    "trace-too-large": ProblemType(
        422,
        "去向过于分散，无法一次列出",
        "This trace has too many pieces to list at once",
        "请下载账本数据自行查询，或查询其中一部分。",
        "Download the ledger and query it, or ask for a part of it.",
    ),
    "erased": ProblemType(
        410,
        "个人信息已按要求删除",
        "The personal data were erased as asked",
        "账目仍在，收据编号已随个人信息一并删除。",
        "The entry stands; its receipt code was erased with the personal data.",
    ),
    "too-many-requests": ProblemType(
        429,
        "请求过于频繁",
        "Too many requests",
        "请按 Retry-After 稍后再试；批量取用请下载 CSV 或账本。",
        "Wait as long as Retry-After says; for much at once, download the CSV or the log.",
    ),
    "busy": ProblemType(
        503,
        "系统正忙，请稍后重试",
        "The service is busy",
        "请按 Retry-After 稍后用同一个幂等键重试，不会重复入账。",
        "Retry after the time in Retry-After with the same Idempotency-Key; nothing is entered twice.",
    ),
    "read-only": ProblemType(
        503,
        "暂停记账",
        "The ledger is not being written just now",
        "查询不受影响；请稍后用同一个幂等键重试。",
        "Look-ups go on. Retry later with the same Idempotency-Key.",
    ),
    "internal-error": ProblemType(
        500,
        "系统出错",
        "Something went wrong here",
        "已记录；请用同一个幂等键重试，或告知请求编号。",
        "It has been logged. Retry with the same Idempotency-Key, or tell us the request id.",
    ),
} | {
    kind.slug: ProblemType(_STATUS.get(kind, 409), kind.title, kind.title_en, kind.advice, kind.advice_en)
    for kind in refusals.every()
}
"""Every problem there is, by the last part of its `type`."""

_BY_STATUS = {
    400: "invalid-request",
    401: "unauthorised",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
}


class ProblemError(Exception):
    """Answer with this problem."""

    def __init__(self, slug: str, detail: str = "", *, headers: dict[str, str] | None = None, **facts: Any) -> None:
        super().__init__(slug)
        self.slug = slug
        self.detail = detail
        self.headers = headers or {}
        self.facts = facts


def problem(slug: str, detail: str = "", *, headers: dict[str, str] | None = None, **facts: Any) -> Response[Any]:
    """The answer for one kind of problem."""
    kind = TYPES[slug]
    content = {"type": f"/problems/{slug}", "title": kind.title, "status": kind.status, "detail": detail, **facts}
    no_store = {"Cache-Control": "no-store"}
    return Response(content, status_code=kind.status, media_type=MEDIA_TYPE, headers=no_store | (headers or {}))


def from_problem(_: Request[Any, Any, Any], error: ProblemError) -> Response[Any]:
    """A door's own problem."""
    return problem(error.slug, error.detail, headers=error.headers, **error.facts)


def from_refusal(_: Request[Any, Any, Any], refused: Refused) -> Response[Any]:
    """A refusal of the rules is an answer."""
    return problem(refused.slug, refused.detail, **refused.facts)


def from_http(_: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """What the framework refuses: bad bodies, unknown paths."""
    slug = _BY_STATUS.get(error.status_code)
    if slug is None:
        slug = "invalid-request" if error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR else "internal-error"
    if isinstance(error, ValidationException):
        return problem(slug, errors=_errors(error))
    headers = {key: value for key, value in (error.headers or {}).items() if key.lower() == "allow"}
    return problem(slug, "" if error.status_code == HTTPStatus.NOT_FOUND else error.detail, headers=headers)


def from_encoding(_: Request[Any, Any, Any], __: UnicodeDecodeError) -> Response[Any]:
    """A body that is no UTF-8; the framework lets the decoder's error through."""
    return problem("invalid-request", "the body is not UTF-8")


def from_busy(_: Request[Any, Any, Any], __: Busy) -> Response[Any]:
    """The queue is full."""
    return problem("busy", headers={"Retry-After": "1"})


def from_stopped(_: Request[Any, Any, Any], error: Stopped) -> Response[Any]:
    """This process does not write."""
    return problem("read-only", str(error), headers={"Retry-After": "30"})


def from_database(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """The database does not answer; the cause is logged, and says nothing to the caller. What it refuses is a bug."""
    if not is_unreachable(error):
        return from_bug(request, error)
    _log.error("the database failed", exc_info=error)
    return problem("busy", headers={"Retry-After": "5"})


def from_bug(_: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Anything else is a bug."""
    _log.error("unexpected error", exc_info=error)
    return problem("internal-error")


HANDLERS: dict[Any, Any] = {
    ProblemError: from_problem,
    Refused: from_refusal,
    HTTPException: from_http,
    Busy: from_busy,
    Stopped: from_stopped,
    **dict.fromkeys(DATABASE_ERRORS, from_database),
    UnicodeDecodeError: from_encoding,
    Exception: from_bug,
}


def answered(kind: type, description: str, *statuses: int, media_type: str = MediaType.JSON) -> dict[int, ResponseSpec]:
    """OpenAPI's description of what a handler answers with: of this kind, or one of these problems.

    Without examples: the framework would make them up, others in each process.
    """
    found = ResponseSpec(kind, media_type=media_type, description=description, generate_examples=False)
    return {HTTPStatus.OK.value: found, **described(*statuses)}


def described(*statuses: int) -> dict[int, ResponseSpec]:
    """OpenAPI's description of the problems a handler can answer with."""
    return {
        status: ResponseSpec(
            Problem, media_type=MEDIA_TYPE, description=HTTPStatus(status).phrase, generate_examples=False
        )
        for status in (400, *statuses)
    }


def _errors(error: ValidationException) -> list[dict[str, str]]:
    """Field by field, without repeating what was sent: it may name a person."""
    found = error.extra if isinstance(error.extra, list) else []
    return [
        {"field": str(each.get("key", "")), "message": str(each.get("message", ""))}
        for each in found
        if isinstance(each, dict)
    ] or [{"field": "", "message": error.detail}]
