"""收据小票: what the clerk prints for the donor, as often as it is needed, on A5 or on a roll of 80 mm."""

import base64
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import MediaType, Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from api.admin.donors import Ref, gift_of
from api.admin.resources import Clerk
from api.problems import ProblemError, answered
from ledger import entries, privacy
from ledger.entries import MoneyIdentified, MoneyReceived
from ledger.roles import Role
from ledger.store.donors import ErasedError
from public_site.capitals import capitals
from public_site.certificate import link_drawn, link_of
from public_site.messages import yuan

PRINTERS = (Role.INTAKE, Role.FINANCE, Role.ADMINISTRATOR)
"""Who records gifts, and who may see codes."""

Paper = Literal["a5", "80mm"]

_HERE = Path(__file__).parent
_SHEETS: dict[Paper, str] = {
    "a5": "@page { size: A5 portrait; margin: 0; }",
    "80mm": "@page { size: 80mm 150mm; margin: 0; } .slip { padding: 4mm; font-size: 9pt; } .find { display: block; }",
}
_STYLES = {paper: f"{(_HERE / 'slip.css').read_text()}{sheet}" for paper, sheet in _SHEETS.items()}


@get(
    "/api/v1/gifts/{ref:int}/slip",
    summary="打印收据小票",
    tags=["资金"],
    media_type=MediaType.HTML,
    responses=answered(str, "供打印的网页，自成一体", 401, 403, 404, 410, media_type=MediaType.HTML),
)
async def get_slip(
    ref: Ref,
    clerk: NamedDependency[Clerk],
    paper: Annotated[Paper, QueryParameter(description="纸张：a5，或 80 毫米卷纸")] = "a5",
) -> Response[str]:
    """编号、金额、日期、基金和查询二维码；可以重复打印，每次都记入查阅记录。已撤销的记录没有小票。"""
    gift = await gift_of(clerk, ref, PRINTERS)
    body, resources = gift.body, clerk.resources
    assert isinstance(body, MoneyReceived | MoneyIdentified), "no other kind is a gift"
    books = resources.sequencer.books
    if ref in books.reversed:
        raise ProblemError("not-found", "这一条登记有误，已经撤销：请打印更正后的那一条")
    async with resources.database.raw() as connection:
        try:
            kept = await resources.donors.read(connection, gift, staff=clerk.staff, reason="receipts")
        except ErasedError:
            raise ProblemError("erased") from None
    amount_fen, org = body.right_fen or entries.qty_of(gift), entries.org_of(gift)
    style = _STYLES[paper]
    page = _SLIP.render(
        amount=yuan(amount_fen),
        capitals=capitals(amount_fen),
        code=privacy.printed(kept.record.code),
        fund=books.funds[org, body.fund].name,
        on=body.on,
        organisation=books.organisations[org].name,
        qr=link_drawn(link_of(f"{resources.site}/r", kept.record.code)),
        seq=ref,
        site=resources.site,
        style=style,
    )
    return Response(page, media_type=MediaType.HTML, headers=_headers(style))


def _headers(style: str) -> dict[str, str]:
    """A page that needs nothing from anywhere, kept by nobody."""
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return {
        "Cache-Control": "no-store",
        "Content-Security-Policy": f"{policy}; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


_SLIP = Environment(
    loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True
).get_template("slip.html")

HANDLERS = [get_slip]
