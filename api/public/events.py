"""Events 事件: disasters and campaigns that gifts, funds and projects are labelled with."""

from datetime import date
from typing import Any

import asyncpg
from pydantic import Field

from api.public import registers
from api.public.answers import AsOf, Shape
from api.public.registers import Asked, Register
from ledger.account import MAX_POSITION
from ledger.store.queries.registers import read_items


class Event(Shape):
    """一个事件：捐款、基金和项目所指的灾害或活动。"""

    event: str = Field(description="事件编号", examples=["flood-2026-06"])
    name: str = Field(description="名称")
    began: date | None = Field(description="发生日期（北京时间）；登记时没有写明则为空")
    emergency: bool = Field(description="是否突发事件")
    seq: int = Field(description="登记条目的序号")


class EventList(Shape):
    """事件列表，按编号排列。"""

    as_of: AsOf
    items: list[Event] = Field(description="本页的事件")
    next: str | None = Field(description="下一页的 after；没有更多则为空", examples=["flood-2026-06"])


async def _read(connection: asyncpg.Connection, asked: Asked, after: str, limit: int) -> list[Event]:
    as_of = MAX_POSITION if asked.then is None else asked.then
    found = await read_items(connection, "events", as_of=as_of, after=[after], limit=limit)
    return [Event(**each) for each in found]


REGISTER = Register(
    name="events",
    title="事件",
    about="捐款、基金和项目所指的灾害或活动。带 as_of 的地址永远给出同样的字节。",
    item=Event,
    page=EventList,
    key=("event",),
    amount="",
    read=_read,
    asking=registers.of_all_then,
)

HANDLERS: list[Any] = registers.handlers(REGISTER)
