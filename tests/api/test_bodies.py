"""What doors take: every body is strict, all the way down. What that refuses is tried on gifts (`test_admin.py`)."""

from collections.abc import Iterator
from typing import Any, get_args

from litestar import Litestar
from pydantic import BaseModel

from api.fields import Input


def models(said: Any) -> Iterator[type[BaseModel]]:
    """Every model in an annotation."""
    if isinstance(said, type) and issubclass(said, BaseModel):
        yield said
        for field in said.model_fields.values():
            yield from models(field.annotation)
    for each in get_args(said):
        yield from models(each)


async def test_no_door_takes_what_it_does_not_know_or_would_have_to_convert(applications: dict[str, Litestar]) -> None:
    handlers = [
        handler
        for app in applications.values()
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
    ]
    taken = {
        each.handler_name: set(models(each.parsed_fn_signature.parameters["data"].annotation))
        for each in handlers
        if "data" in each.parsed_fn_signature.parameters
    }
    assert sum(map(bool, taken.values())) > 40
    for kind in {model for found in taken.values() for model in found}:
        assert issubclass(kind, Input), kind
        assert kind.model_config.get("extra") == "forbid", kind
        assert kind.model_config.get("strict"), kind
    assert not [name for name, found in taken.items() if not found]
