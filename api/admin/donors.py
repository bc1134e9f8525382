"""Doors of people's data: what a donor is asked for, reading it back, consent to be named, erasure."""

from datetime import datetime
from typing import Annotated, Any, Literal

from litestar import Request, Response, delete, get, put
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter, QueryParameter
from pydantic import BaseModel, Field

from api.admin.answers import Answer, as_command, carry_out, writes
from api.admin.resources import Clerk
from api.fields import Day, Digest, Id, Input, OptionalText, Org, Seq, Text, example
from api.problems import ProblemError, described
from ledger import entries, privacy
from ledger.account import MAX_POSITION
from ledger.donations import GIFTS
from ledger.entries import Entry
from ledger.erasures import EraseDonor
from ledger.privacy import Identity
from ledger.refusals import NotEmpty
from ledger.roles import Role
from ledger.store import donors
from ledger.store.donors import AccessReason, ErasedError
from ledger.store.queries.entries import read_written
from ledger.store.vault import ConsentRecord

READERS = (Role.FINANCE, Role.ADMINISTRATOR)
"""Who may look into the vault, and record what a donor agreed to."""

OVERSEERS = (*READERS, Role.AUDITOR, Role.SUPERVISOR)
"""Who may see who looked."""

Door = Request[Any, Any, Any]
Ref = Annotated[int, PathParameter(description="捐款条目的序号", ge=0, le=MAX_POSITION, examples=example(27))]
_NO_STORE = {"Cache-Control": "no-store"}


class NewConsent(Input):
    """同意公示名称。"""

    version: Id = Field(description="同意书文本的版本", examples=["2026-1"])
    on: Day = Field(description="同意的日期")
    form: Literal["masked", "full"] = Field("masked", description="masked 隐去一部分（张*）；full 全称")
    evidence: Digest | Literal[""] = Field("", description="同意书的加盐 SHA-256，可不填")


class NewGuardian(Input):
    """监护人及其同意。"""

    name: Text = Field(description="监护人姓名", examples=["张某"])
    contact: Text = Field(description="监护人联系方式", examples=["13800000000"])
    on: Day = Field(description="监护人同意的日期")
    version: Id = Field(description="同意书文本的版本", examples=["2026-1"])
    evidence: Digest = Field(description="监护人同意书的加盐 SHA-256")


class Donor(Input):
    """捐赠人。只存入加密的保管库，不入账本。"""

    name: OptionalText = Field("", description="姓名或单位名称；匿名不填")
    contact: OptionalText = Field("", description="联系方式")
    consent: NewConsent | None = Field(None, description="同意公示名称；不填则不公示")
    minor: bool = Field(default=False, description="未满 18 周岁：须填监护人，姓名一律不公示")
    guardian: NewGuardian | None = Field(None, description="监护人；仅用于未成年人")

    def identity(self) -> Identity:
        """As the vault keeps it."""
        consent, guardian = self.consent, self.guardian
        return Identity(
            consent=None if consent is None else privacy.Consent(**consent.model_dump()),
            contact=self.contact,
            guardian=None if guardian is None else privacy.Guardian(**guardian.model_dump()),
            minor=self.minor,
            name=self.name,
            named=consent is not None,
        )


class Shown(BaseModel):
    """公示的名称。"""

    ref: int = Field(description="捐款条目的序号")
    shown: str = Field(description="公示为；空表示不公示")


class ConsentOut(BaseModel):
    """一次同意或撤回。"""

    at: str = Field(description="登记时刻（UTC）；随捐款登记的为空")
    by: Literal["donor", "guardian"] = Field(description="本人或监护人")
    staff: str = Field(description="经办人代号；随捐款登记的为空")
    consent: NewConsent | None = Field(description="为空表示撤回")


class DonorRecord(BaseModel):
    """保管库里关于一笔捐款的全部个人信息（个人信息保护法第四十五条：查阅、复制）。"""

    ref: int = Field(description="捐款条目的序号")
    amount_fen: int = Field(description="金额（分）")
    channel: str = Field(description="渠道")
    channel_ref: str = Field(description="渠道流水号")
    on: str = Field(description="捐赠日期")
    receipt_code: str = Field(description="收据编号")
    name: str = Field(description="姓名或单位名称")
    contact: str = Field(description="联系方式")
    minor: bool = Field(description="未满 18 周岁")
    guardian: NewGuardian | None = Field(description="监护人")
    consents: list[ConsentOut] = Field(description="同意公示名称的经过，先前的在前")
    shown: str = Field(description="现在公示为；空表示不公示")


class AccessOut(BaseModel):
    """一次查阅。"""

    at: datetime = Field(description="时刻")
    staff: str = Field(description="查阅人代号")
    reason: str = Field(description="事由：request 捐赠人要求、receipts 开具收据、correction 更正、ordered 依法要求")


class NewErasure(Input):
    """删除一笔捐款的捐赠人信息。"""

    org: Org
    ref: Seq = Field(description="捐款条目的序号")
    basis: Literal["ordered", "request", "retention"] = Field(
        description="request 本人或监护人要求（个人信息保护法第四十七条）、ordered 依法要求、retention 保存期届满"
    )


@get(
    "/api/v1/gifts/{ref:int}/donor",
    summary="查阅捐赠人信息",
    tags=["个人信息"],
    responses=described(401, 403, 404, 410),
)
async def read_donor(
    ref: Ref,
    reason: Annotated[AccessReason, QueryParameter(description="事由，将记入查阅记录")],
    clerk: NamedDependency[Clerk],
) -> Response[DonorRecord]:
    """先记下谁、何时、为何查阅，再给出内容。供捐赠人查阅、复制。"""
    gift = await gift_of(clerk, ref, READERS)
    async with clerk.resources.database.raw() as connection:
        try:
            found = await clerk.resources.donors.read(connection, gift, staff=clerk.staff, reason=reason)
        except ErasedError:
            raise ProblemError("erased") from None
    record, identity = found.record, found.record.identity
    first = (
        []
        if identity.consent is None
        else [ConsentRecord("", "guardian" if identity.minor else "donor", "", identity.consent)]
    )
    answer = DonorRecord(
        ref=ref,
        amount_fen=record.channel.amount_fen,
        channel=record.channel.channel,
        channel_ref=record.channel.channel_ref,
        on=record.channel.on,
        receipt_code=privacy.printed(record.code),
        name=identity.name,
        contact=identity.contact,
        minor=identity.minor,
        guardian=None if identity.guardian is None else NewGuardian(**_fields(identity.guardian)),
        consents=[
            ConsentOut(
                at=each.at,
                by=each.by,
                staff=each.staff,
                consent=None if each.consent is None else NewConsent(**_fields(each.consent)),
            )
            for each in (*first, *found.consents)
        ],
        shown=found.shown,
    )
    return Response(answer, headers=_NO_STORE)


@get("/api/v1/gifts/{ref:int}/accesses", summary="查阅记录", tags=["个人信息"], responses=described(401, 403, 404))
async def list_accesses(ref: Ref, clerk: NamedDependency[Clerk]) -> list[AccessOut]:
    """谁在何时为何查阅过，新的在前；删除个人信息后仍保留。导入批次的序号列出成批取收据编号的记录。"""
    await _entry(clerk, ref, (*GIFTS, "import.approved"), OVERSEERS)
    async with clerk.resources.database.raw() as connection:
        found = await donors.read_accesses(connection, ref)
    return [AccessOut(at=each.at, staff=each.staff, reason=each.reason) for each in found]


@put(
    "/api/v1/gifts/{ref:int}/consent",
    summary="登记同意公示",
    tags=["个人信息"],
    responses=described(401, 403, 404, 409, 410),
)
async def give_consent(ref: Ref, data: JSONBody[NewConsent], clerk: NamedDependency[Clerk]) -> Shown:
    """存入保管库，不入账本。重复提交同一内容不会重复登记。"""
    return await _agree(clerk, ref, "donor", privacy.Consent(**data.model_dump()))


@delete(
    "/api/v1/gifts/{ref:int}/consent",
    status_code=200,
    summary="撤回同意公示",
    tags=["个人信息"],
    responses=described(401, 403, 404, 410),
)
async def withdraw_consent(
    ref: Ref,
    clerk: NamedDependency[Clerk],
    by: Annotated[Literal["donor", "guardian"], QueryParameter(description="本人或监护人")] = "donor",
) -> Shown:
    """名称随即不再公示；已被他人复制的无法收回。"""
    return await _agree(clerk, ref, by, None)


@writes("/api/v1/erasures", "删除捐赠人信息", "个人信息")
async def erase_donor(request: Door, data: JSONBody[NewErasure], clerk: NamedDependency[Clerk]) -> Response[Answer]:
    """须一位管理员复核。账目和证明都保留；收据编号、姓名、联系方式、渠道流水号从此无法取得。"""
    gift = await _entry(clerk, data.ref, GIFTS, ())
    await _refuse_staged(clerk, gift)
    return await carry_out(request, clerk, as_command(EraseDonor, data, clerk.staff))


async def _agree(clerk: Clerk, ref: int, by: Literal["donor", "guardian"], consent: privacy.Consent | None) -> Shown:
    gift = await gift_of(clerk, ref, READERS)
    async with clerk.resources.database.write() as connection:
        try:
            return Shown(
                ref=ref,
                shown=await clerk.resources.donors.agree(connection, gift, by=by, staff=clerk.staff, consent=consent),
            )
        except ErasedError:
            raise ProblemError("erased") from None


async def gift_of(clerk: Clerk, ref: int, roles: tuple[Role, ...]) -> Entry:
    """A gift, for who holds one of these roles where it was received. Raises the problem `not-found`, NotAllowed."""
    return await _entry(clerk, ref, GIFTS, roles)


async def _entry(clerk: Clerk, ref: int, kinds: tuple[str, ...], roles: tuple[Role, ...]) -> Entry:
    """An entry of one of these kinds, for who holds one of these roles where it was received."""
    async with clerk.resources.database.raw() as connection:
        written = await read_written(connection, ref)
    entry = None if written is None else entries.decode(written)
    if entry is None or entry.kind not in kinds:
        raise ProblemError("not-found", "这一条不是捐款")
    if roles:
        clerk.resources.sequencer.books.require(clerk.staff, roles, entries.org_of(entry))
    return entry


async def _refuse_staged(clerk: Clerk, gift: Entry) -> None:
    """A sheet that is still needed names her in a file. Raises NotEmpty."""
    batch: int = getattr(gift.body, "batch", 0)
    if not batch:
        return
    async with clerk.resources.database.raw() as connection:
        written = await read_written(connection, batch)
    assert written is not None, "a row cites its import"
    approved = entries.decode(written).body
    assert isinstance(approved, entries.ImportApproved)
    clerk.resources.sheets.clear_away()
    if clerk.resources.sheets.staging.find(approved.file) is not None:
        raise NotEmpty(f"the sheet of import {batch} names the donor and is still needed", batch=batch)


def _fields(record: privacy.Consent | privacy.Guardian) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__struct_fields__}


HANDLERS = [read_donor, list_accesses, give_consent, withdraw_consent, erase_donor]
