"""Parameters that several questions take."""

from datetime import date
from typing import Annotated, Literal

from litestar.params import QueryParameter

from api.public.permalinks import NOW
from ledger.account import MAX_POSITION

_ID = r"^([a-z0-9-]{1,32})?$"
_OWNED = r"^(([a-z0-9-]{1,32}:)?[a-z0-9-]{1,32})?$"

Entry = Annotated[int, QueryParameter(description="截至哪一条；-1 为最新", ge=NOW, le=MAX_POSITION)]
Org = Annotated[str, QueryParameter(description="只看这个组织及其下级", pattern=_ID)]
Fund = Annotated[str, QueryParameter(description="只看这个基金；基金编号，或“组织编号:基金编号”", pattern=_OWNED)]
Project = Annotated[str, QueryParameter(description="只看这个项目；项目编号，或“组织编号:项目编号”", pattern=_OWNED)]
Event = Annotated[str, QueryParameter(description="只看这个事件", pattern=_ID)]
Channel = Annotated[str, QueryParameter(description="只看这个渠道", pattern=_ID)]
DonorClass = Annotated[Literal["", "person", "organisation", "unknown"], QueryParameter(description="只看这类捐赠人")]
Day = Annotated[date | None, QueryParameter(description="业务日期（北京时间）；不填为不限")]
