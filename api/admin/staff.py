"""Doors that say who holds which roles. How they are given and taken: `api.admin.organisations`."""

from litestar import get
from litestar.di import NamedDependency
from pydantic import BaseModel, Field

from api.admin.resources import WITHOUT_ROLE, Clerk
from api.problems import described


class Holder(BaseModel):
    """一位有职责的人员。"""

    staff: str = Field(description="人员代号")
    roles: dict[str, list[str]] = Field(description="组织 → 职责；空名表示整个账本")


class Holders(BaseModel):
    """有职责的人员，按代号排列。"""

    staff: list[Holder]


@get("/api/v1/whoami", summary="我是谁", tags=["组织"], responses=described(401), opt={WITHOUT_ROLE: True})
async def whoami(clerk: NamedDependency[Clerk]) -> Holder:
    """令牌对应的代号和职责。"""
    return _holder(clerk, clerk.staff)


@get("/api/v1/staff", summary="人员列表", tags=["组织"], responses=described(401, 403))
async def list_staff(clerk: NamedDependency[Clerk]) -> Holders:
    """谁在哪个组织有什么职责：账本里都写着，这里是现在的。"""
    held = clerk.resources.sequencer.books.staff
    return Holders(staff=[_holder(clerk, staff) for staff in sorted(held) if held[staff]])


def _holder(clerk: Clerk, staff: str) -> Holder:
    held = clerk.resources.sequencer.books.staff.get(staff, {})
    return Holder(staff=staff, roles={org: sorted(roles) for org, roles in sorted(held.items())})


HANDLERS = [whoami, list_staff]
