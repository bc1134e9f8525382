"""Doors of fiscal receipts 公益事业捐赠票据: issue, waive, void; read a gift's papers back."""

import dataclasses
from typing import Annotated, Literal

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter, QueryParameter
from pydantic import BaseModel, Field

from api.admin.answers import Answer, as_command, carry_out, writes
from api.admin.money import Door
from api.admin.resources import Clerk, Resources
from api.fields import Day, Fen, Input, Org, Seq, example
from api.problems import ProblemError, described
from ledger import entries
from ledger.account import MAX_POSITION
from ledger.fiscal import VoidReceipt, WaiveReceipt, standing, stands_of
from ledger.privacy import FiscalNumbers
from ledger.roles import Role
from ledger.store import fiscal
from ledger.store.donors import record_access
from ledger.store.queries.entries import read_range
from ledger.store.queries.fiscal import read_kept, read_receipts, read_stale
from ledger.store.vault import VaultRecord, open_record, read_record

Gift = Annotated[Seq, Field(description="捐款条目的序号")]


class NewReceipt(Input):
    """开具一张捐赠票据。号码只存入加密的保管库，不入账本。"""

    org: Org
    ref: Gift
    code: str = Field(min_length=1, max_length=64, description="票据代码", examples=["33060126"])
    number: str = Field(min_length=1, max_length=64, description="票据号码", examples=["0000012345"])
    check_code: str = Field(min_length=1, max_length=64, description="校验码", examples=["a1b2c3"])
    amount_fen: Fen = Field(description="票据金额（分）：捐款减去已退部分", examples=[50_000])
    on: Day = Field(description="开票日期（北京时间）", examples=["2026-11-21"])
    replaces: int = Field(0, ge=0, le=2**53 - 1, description="替换哪张已作废的票据（其开具条目的序号）；没有则不填")


class NewWaiver(Input):
    """不开票据，并记录原因。"""

    org: Org
    ref: Gift = Field(examples=[28])
    reason: Literal["anonymous", "declined"] = Field(description="anonymous 匿名捐赠、declined 捐赠人放弃")
    on: Day


class NewVoiding(Input):
    """作废一张票据。"""

    org: Org
    ref: Gift = Field(examples=[126])
    issued: Seq = Field(description="开具条目的序号", examples=[129])
    reason: Literal["mistake", "refunded", "requested", "reversed"] = Field(
        description="mistake 开具有误、refunded 捐款退回、requested 捐赠人要求换开、reversed 捐款记录已更正"
    )
    on: Day


class Receipt(BaseModel):
    """一张捐赠票据。"""

    entry: int = Field(description="开具条目的序号", examples=[129])
    code: str = Field(description="票据代码")
    number: str = Field(description="票据号码")
    check_code: str = Field(description="校验码")
    amount_fen: int = Field(description="票据金额（分）")
    on: str = Field(description="开票日期")
    holds: bool = Field(description="是否有效")
    is_current: bool = Field(description="金额是否仍等于捐款减去已退部分；不等的应作废重开")


class Stale(BaseModel):
    """一张金额已经不符的有效票据：捐款在开票之后退还或更正了。"""

    issued: int = Field(description="开具条目的序号", examples=[129])
    gift: int = Field(description="捐款条目的序号")
    amount_fen: int = Field(description="票据金额（分）")
    stands_fen: int = Field(description="捐款现在的金额（分）；0 表示只作废、不重开")


class StaleList(BaseModel):
    """须换开的票据，按捐款序号排列。"""

    items: list[Stale]
    next: int | None = Field(description="下一页的 after；没有更多则为空")


class Agreement(BaseModel):
    """书面捐赠协议的凭据：文件的 SHA-256 和盐，可以打开账本里的承诺值。"""

    sha256: str
    salt: str
    commitment: str


class Papers(BaseModel):
    """一笔捐款的票据和协议。"""

    ref: int = Field(description="捐款条目的序号")
    stands_fen: int = Field(description="捐款减去已退部分（分）；更正作废的为 0")
    waived: str = Field(description="不开票据的原因；没有则为空")
    receipts: list[Receipt] = Field(description="开过的票据，按开具先后")
    agreement: Agreement | None = Field(description="书面捐赠协议；没有则为空")


@writes("/api/v1/fiscal-receipts", "登记捐赠票据", "票据")
async def issue_receipt(request: Door, data: JSONBody[NewReceipt], clerk: NamedDependency[Clerk]) -> Response[Answer]:
    """一笔捐款只有一张有效票据；作废后重开的，写明替换哪一张。"""
    resources = clerk.resources
    resources.fiscal_form.check(data.code, data.number, data.check_code)
    key, _ = await _vault(resources, data.ref)
    numbers = FiscalNumbers(check_code=data.check_code, code=data.code, number=data.number)
    receipt = fiscal.NewReceipt(clerk.staff, data.org, data.ref, data.amount_fen, data.on, data.replaces, numbers)
    return await carry_out(request, clerk, fiscal.seal(receipt, key, resources.keys, resources.sealer.lookup))


@writes("/api/v1/fiscal-waivers", "登记不开票据", "票据")
async def waive_receipt(request: Door, data: JSONBody[NewWaiver], clerk: NamedDependency[Clerk]) -> Response[Answer]:
    """捐赠人匿名或放弃票据的，做好记录；以后要求开具的，仍可开具。"""
    return await carry_out(request, clerk, as_command(WaiveReceipt, data, clerk.staff))


@writes("/api/v1/fiscal-voidings", "作废捐赠票据", "票据")
async def void_receipt(request: Door, data: JSONBody[NewVoiding], clerk: NamedDependency[Clerk]) -> Response[Answer]:
    """作废后凭这张票据查不到去向；按审批规则可能须他人复核。"""
    return await carry_out(request, clerk, as_command(VoidReceipt, data, clerk.staff))


@get(
    "/api/v1/gifts/{ref:int}/papers",
    summary="一笔捐款的票据和协议",
    tags=["票据"],
    responses=described(401, 403, 404, 410),
)
async def get_papers(
    ref: Annotated[int, PathParameter(description="捐款条目的序号", ge=0, le=MAX_POSITION, examples=example(126))],
    clerk: NamedDependency[Clerk],
) -> Papers:
    """票据号码从保管库读出，限该组织的财务人员；先记下谁、何时查阅。"""
    resources = clerk.resources
    key, record = await _vault(resources, ref)
    async with resources.database.raw() as connection:
        (gift,) = await read_range(connection, ref, ref)
        resources.sequencer.books.require(clerk.staff, (Role.FINANCE,), entries.org_of(gift))
        await record_access(connection, ref, staff=clerk.staff, reason="receipts")
    async with resources.database.snapshot() as connection:
        said = await read_receipts(connection, ref)
        kept = {each.issued: each.numbers for each in await read_kept(connection, ref, key)}
    stands = 0 if ref in resources.sequencer.books.reversed else stands_of(gift, said.refunded_fen)
    now = standing(said.entries)
    receipts = [
        Receipt(
            entry=each.seq,
            code=kept[each.seq].code,
            number=kept[each.seq].number,
            check_code=kept[each.seq].check_code,
            amount_fen=each.body.amount_fen,
            on=each.body.on,
            holds=each.seq == now.issued,
            is_current=each.body.amount_fen == stands,
        )
        for each in said.entries
        if isinstance(each.body, entries.ReceiptIssued)
    ]
    agreement = None
    if record.agreement:
        assert isinstance(gift.body, entries.MoneyReceived | entries.MoneyIdentified)
        salt = record.agreement_salt.hex()
        agreement = Agreement(sha256=record.agreement, salt=salt, commitment=gift.body.agreement)
    return Papers(ref=ref, stands_fen=stands, waived=now.waived or "", receipts=receipts, agreement=agreement)


@get("/api/v1/fiscal-receipts/stale", summary="须换开的票据", tags=["票据"], responses=described(401, 403))
async def list_stale(
    clerk: NamedDependency[Clerk],
    org: Annotated[str, QueryParameter(description="组织编号", examples=example("330800"))],
    after: Annotated[
        int, QueryParameter(ge=-1, le=MAX_POSITION, description="从哪一笔之后开始：上一页的 next", examples=example(20))
    ] = -1,
    limit: Annotated[int, QueryParameter(ge=1, le=100, examples=example(10))] = 50,
) -> StaleList:
    """开票之后捐款退还（全部或部分）或更正的：作废原票据，还有余额的按余额重开。不含号码。"""
    async with clerk.resources.database.raw() as connection:
        found = await read_stale(connection, org, after=after, limit=limit + 1)
    items = [Stale(**dataclasses.asdict(each)) for each in found[:limit]]
    return StaleList(items=items, next=items[-1].gift if len(found) > limit else None)


async def _vault(resources: Resources, gift: int) -> tuple[bytes, VaultRecord]:
    """The key of a gift and what it seals. Raises ProblemError where there is no such gift, or its donor was erased."""
    async with resources.database.raw() as connection:
        kept = await read_record(connection, resources.subjects, gift)
    if kept is None:
        raise ProblemError("not-found", "这一条不是捐款")
    if kept.key is None:
        raise ProblemError("erased")
    return kept.key, open_record(kept.key, kept.sealed)


HANDLERS = [issue_receipt, waive_receipt, void_receipt, get_papers, list_stale]
