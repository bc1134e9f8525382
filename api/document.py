"""The OpenAPI document, where the framework's says something else than what the doors do."""

from collections.abc import Iterator

from litestar import Litestar
from litestar.openapi.spec import Schema

from api.fields import Input


def correct(app: Litestar) -> None:
    """Bodies take no fields they do not know; the items of a list are what they are, and not that or anything."""
    schemas = app.openapi_schema.components.schemas or {}
    bodies = {body.__name__ for body in _below(Input)}
    for name, schema in schemas.items():
        if name in bodies:
            schema.additional_properties = False
        for field in (schema.properties or {}).values():
            # A tuple of any length, `tuple[X, ...]`, is described as of X or of "...".
            if isinstance(field, Schema) and isinstance(field.items, Schema) and Schema() in (field.items.one_of or ()):
                field.items = next(each for each in field.items.one_of or () if each != Schema())


def _below(model: type[Input]) -> Iterator[type[Input]]:
    for each in model.__subclasses__():
        yield each
        yield from _below(each)
