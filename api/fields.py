"""Fields that bodies share: strict, with what they mean in Chinese for the document that describes the API."""

from hashlib import sha256
from typing import Annotated

from litestar.openapi.spec import Example
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ledger.account import MAX_POSITION
from ledger.command import MAX_LIST, MAX_TEXT


def example(value: object) -> list[Example]:
    """Of a parameter: what is asked with it is answered where the demo's story is told, as a test makes sure of."""
    return [Example(value=value)]


class Input(BaseModel):
    """A body: nothing unknown, nothing converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _arrays(cls, data: object) -> object:
        """JSON has one kind of array; strict models mean by it their tuples, and the framework gives lists."""
        return _tuples(data)


def _tuples(value: object) -> object:
    if isinstance(value, dict):
        return {name: _tuples(each) for name, each in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


Id = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$", max_length=32)]
Org = Annotated[Id, Field(description="组织编号", examples=["330800"])]
FundId = Annotated[Id, Field(description="基金编号", examples=["general"])]
ProjectId = Annotated[Id, Field(description="项目编号", examples=["qz-01"])]
EventId = Annotated[str, Field(pattern=r"^([a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?)?$", description="事件编号，可不填")]
CampaignId = Annotated[
    str, Field(pattern=r"^([a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?)?$", description="募捐活动编号，可不填")
]
Agreement = Annotated[
    str, Field(pattern="^([0-9a-f]{64})?$", description="书面捐赠协议或捐赠函的 SHA-256；账本里只有加盐的承诺值")
]
Staff = Annotated[str, Field(pattern=r"^s-[a-z2-7]{13}$", description="人员代号", examples=["s-7h2d4p2w6c5ra"])]
Fen = Annotated[int, Field(ge=1, le=MAX_POSITION, description="金额，单位：分，整数", examples=[50_000])]
Seq = Annotated[int, Field(ge=0, le=MAX_POSITION, description="账本条目序号", examples=[27])]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$", description="业务日期（北京时间）", examples=["2026-07-20"])]
Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
Reason = Annotated[Text, Field(description="说明，将公开", examples=["经办人会议决定，见附件。"])]
OptionalText = Annotated[str, Field(max_length=MAX_TEXT)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$", examples=[sha256(b"an example").hexdigest()])]
Evidence = Annotated[tuple[Digest, ...], Field(max_length=MAX_LIST, description="凭证文件的 SHA-256（64 位十六进制）")]
