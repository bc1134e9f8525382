"""Registers as tables of open data: what was registered, as of any entry. Figures are at the registers themselves."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any

from litestar.di import NamedDependency, Provide

from api.public import downloads, permalinks, tables
from api.public.answers import Shape
from api.public.asking import Entry
from api.public.campaigns import ToldCampaign
from api.public.downloads import Whole
from api.public.events import Event
from api.public.funds import ToldFund
from api.public.organisations import ToldOrganisation
from api.public.permalinks import NOW
from api.public.projects import ToldProject
from api.public.registers import columns_of, value_at
from ledger.opendata.table import Reference, Row, Table
from ledger.opendata.terms import Terms
from ledger.store.database import Database
from ledger.store.queries.lists import Total
from ledger.store.queries.registers import KEYS, count_items, every_item


def _whole(name: str, item: type[Shape]) -> Provide:
    places = dict(columns_of(item)).values()

    async def whole(database: NamedDependency[Database], terms: NamedDependency[Terms], as_of: Entry = NOW) -> Whole:
        async with database.snapshot() as connection:
            head = await permalinks.read_as_of(connection, as_of)
            count = await count_items(connection, name, as_of=head.seq)

        async def chunks() -> AsyncGenerator[Sequence[Row]]:
            async for found in every_item(database, name, as_of=head.seq):
                yield [[value_at(each, where) for where in places] for each in map(dict, found)]

        return Whole(
            head=head,
            is_pinned=as_of != NOW,
            total=Total(count, 0),
            asked={},
            chunks=chunks,
            licence=terms.licence.name,
        )

    return Provide(whole)


_SHAPES: dict[str, tuple[str, type[Shape], tuple[Reference, ...]]] = {
    "organisations": ("组织名册", ToldOrganisation, (tables.PARENT,)),
    "funds": ("基金名册", ToldFund, (tables.ORG, tables.CAMPAIGN, tables.RESTRICTED_EVENT)),
    "projects": ("项目名册", ToldProject, (tables.ORG, tables.EVENT)),
    "campaigns": ("募捐活动名册", ToldCampaign, (tables.ORG,)),
    "events": ("事件名册", Event, ()),
}
TABLES: tuple[Table, ...] = tuple(
    tables.table(name, title, item, amount="", key=KEYS[name], references=references, room="/api/v1/registers")
    for name, (title, item, references) in _SHAPES.items()
)
HANDLERS: list[Any] = [each for of in TABLES for each in downloads.handlers(of, _whole(of.name, _SHAPES[of.name][1]))]
