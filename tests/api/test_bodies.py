"""What doors take: every body is strict, all the way down. What that refuses is tried on gifts (`test_admin.py`)."""

import json
from collections.abc import Iterator
from typing import Any, get_args

from litestar import Litestar
from pydantic import BaseModel, TypeAdapter

from api.fields import Input


def models(said: Any) -> Iterator[type[BaseModel]]:
    """Every model in an annotation."""
    if isinstance(said, type) and issubclass(said, BaseModel):
        yield said
        for field in said.model_fields.values():
            yield from models(field.annotation)
    for each in get_args(said):
        yield from models(each)


def taken(applications: dict[str, Litestar]) -> dict[str, set[type[BaseModel]]]:
    """Door → the models of its body."""
    handlers = [
        handler
        for app in applications.values()
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
    ]
    return {
        each.handler_name: set(models(each.parsed_fn_signature.parameters["data"].annotation))
        for each in handlers
        if "data" in each.parsed_fn_signature.parameters
    }


async def test_no_door_takes_what_it_does_not_know_or_would_have_to_convert(applications: dict[str, Litestar]) -> None:
    found = taken(applications)
    assert sum(map(bool, found.values())) > 40
    for kind in set().union(*found.values()):
        assert issubclass(kind, Input), kind
        assert kind.model_config.get("extra") == "forbid", kind
        assert kind.model_config.get("strict"), kind
    assert not [name for name, its in found.items() if not its]


async def test_what_is_shown_as_an_example_of_a_field_is_taken(applications: dict[str, Litestar]) -> None:
    """Of those that may be left out, too: a body is tried with the others (`test_examples.py`)."""
    tried = 0
    for kind in set().union(*taken(applications).values()):
        for field in kind.model_fields.values():
            for each in field.examples or ():
                TypeAdapter(field.rebuild_annotation()).validate_json(json.dumps(each), strict=True)
                tried += 1
    assert tried > 100
