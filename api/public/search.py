"""Search: organisations, funds, projects and events by name. Nobody's name is searched."""

from typing import Annotated, Any, Literal

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from pydantic import Field

from api.fields import example
from api.problems import described
from api.public.answers import FRESH, AsOf, Limit, Shape
from ledger.store.database import Database
from ledger.store.queries.head import read_head
from ledger.store.queries.search import MAX_TEXT, read_hits


class Hit(Shape):
    """名称或编号相近的一项。"""

    kind: Literal["organisation", "fund", "project", "event"] = Field(description="是什么")
    org: str = Field(description="属于哪个组织；事件为空")
    id: str = Field(description="编号")
    name: str = Field(description="名称")
    likeness: int = Field(description="相似程度：100 为全部字词都在其中；否则为相同的两字组合所占百分比")


class SearchAnswer(Shape):
    """查到的组织、基金、项目和事件，最相近的在前。"""

    as_of: AsOf
    items: list[Hit] = Field(description="查到的各项")


@get("/api/v1/search", summary="按名称查组织、基金、项目、事件", tags=["查询"], responses=described(503))
async def search(
    database: NamedDependency[Database],
    q: Annotated[
        str,
        QueryParameter(
            description="名称或编号，或其中几个字",
            min_length=1,
            max_length=MAX_TEXT,
            pattern=r"^[^\x00]*$",
            examples=example("汛期"),
        ),
    ],
    limit: Limit = 20,
) -> Response[SearchAnswer]:
    """只查组织、基金、项目和事件；不查任何人的姓名。收据编号请用查询页，不要放在这里。"""
    async with database.snapshot() as connection:
        head = await read_head(connection)
        found = await read_hits(connection, q, limit=limit)
    items = [Hit.model_validate(each) for each in found]
    return Response(SearchAnswer(as_of=AsOf.model_validate(head), items=items), headers=FRESH)


HANDLERS: list[Any] = [search]
