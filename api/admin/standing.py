"""What of a gift may still be given back or put to another purpose, and where the rest is."""

from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import PathParameter
from pydantic import BaseModel, Field

from api.admin.resources import Clerk
from api.fields import example
from api.problems import ProblemError, described
from ledger import account
from ledger.account import MAX_POSITION
from ledger.books import Books
from ledger.roles import REQUIRED
from ledger.store.queries.gifts import Traces
from ledger.trace import Leaf, State


class Piece(BaseModel):
    """这笔捐款的一部分。"""

    entry: int = Field(description="使它到那里的条目")
    org: str = Field(description="组织编号")
    amount_fen: int = Field(description="金额（分）")
    payee: str = Field(description="付给谁；persons 表示受助群众")
    purpose: str = Field(description="付款用途")


class Standing(BaseModel):
    """一笔捐款还能动用多少，其余在哪里。各部分合计等于捐款金额。"""

    ref: int = Field(description="捐款条目的序号")
    unspent: list[Piece] = Field(description="在您有职责的组织里，未用（含被申请占用的）")
    elsewhere: list[Piece] = Field(description="在其他组织里：由他们办理，或先转回来")
    in_transit: list[Piece] = Field(description="组织之间在途：须先收到或退回")
    spent: list[Piece] = Field(description="已经付出")
    gone: list[Piece] = Field(description="已经退还，或是渠道手续费、汇兑损失")
    proposals: list[int] = Field(description="占用着这些账户的申请")


@get("/api/v1/gifts/{ref:int}/standing", summary="一笔捐款还剩多少", tags=["资金"], responses=described(401, 403, 404))
async def get_standing(
    ref: Annotated[int, PathParameter(description="捐款条目的序号", ge=0, le=MAX_POSITION, examples=example(27))],
    clerk: NamedDependency[Clerk],
) -> Standing:
    """退还或改变用途之前先看。"""
    trace = (await Traces(clerk.resources.database).of(ref)).trace
    if trace is None:
        raise ProblemError("not-found", "这一条不是捐款")
    books = clerk.resources.sequencer.books
    pieces: dict[str, list[Piece]] = {}
    addresses: set[str] = set()
    for leaf in trace.leaves:
        pieces.setdefault(_where(leaf, clerk.staff, books), []).append(
            Piece(
                entry=leaf.seq,
                org=leaf.organisation.id,
                amount_fen=leaf.amount_fen,
                payee=leaf.payee,
                purpose=leaf.purpose,
            )
        )
        if leaf.state in {State.HELD, State.ALLOCATED}:
            addresses.add(_address(leaf))
    return Standing(
        ref=ref,
        **{name: pieces.get(name, []) for name in ("unspent", "elsewhere", "in_transit", "spent", "gone")},
        proposals=sorted(
            number
            for number, proposal in books.proposals.items()
            if any(hold.address in addresses for hold in proposal.holds)
        ),
    )


def _where(leaf: Leaf, staff: str, books: Books) -> str:
    match leaf.state:
        case State.HELD | State.ALLOCATED:
            wanted = REQUIRED["gift.refunded"].maker
            return "elsewhere" if books.roles(staff, leaf.organisation.id).isdisjoint(wanted) else "unspent"
        case State.IN_TRANSIT:
            return "in_transit"
        case State.UNCONFIRMED | State.CONFIRMED:
            return "spent"
        case State.REFUNDED | State.FEES | State.LOST | State.VOIDED:
            return "gone"


def _address(leaf: Leaf) -> str:
    """The account a part of the gift rests in."""
    assert leaf.fund is not None, "money that waits is on a fund's or a project's line"
    org = leaf.organisation.id
    return account.project(org, leaf.project.id, leaf.fund.id) if leaf.project else account.fund(org, leaf.fund.id)


HANDLERS = [get_standing]
