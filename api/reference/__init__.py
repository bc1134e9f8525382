"""The interface as a page: every operation with its fields and an example, and a form that sends it.

Our own: the viewers there are come from other hosts, or are megabytes of script that a strict policy does not let run.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Litestar, MediaType, Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import PathParameter

from public_site.words import Words, both, words_of

_HERE = Path(__file__).parent
_FILES = {"reference.css": "text/css", "reference.js": "text/javascript"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
_METHODS = ("get", "post", "put", "delete")

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A parameter of an operation, or a field of its body."""

    name: str
    where: str
    """`path`, `query`, `header`, `body`."""
    kind: str
    is_required: bool
    description: str
    example: str
    """What can be written here; empty for a field of the body, whose example is one as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing that may be asked."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    fields: Sequence[Field]
    example: str
    """A body that could be sent, as JSON; empty where none is."""
    needs_key: bool
    """Whether it wants an Idempotency-Key."""
    answers: Sequence[tuple[str, str]]
    """Status and what it means."""


def operations(document: Schema) -> dict[str, list[Operation]]:
    """Tag → its operations, in the document's order."""
    found: dict[str, list[Operation]] = {}
    for path, methods in document.get("paths", {}).items():
        for method in _METHODS:
            if (said := methods.get(method)) is not None:
                (tag,) = said["tags"]
                found.setdefault(tag, []).append(_operation(document, path, method, said))
    return found


@get(both("/docs"), include_in_schema=False)
async def page(request: Request[Any, Any, Any]) -> Response[str]:
    """The whole interface on one page. In English is what frames it; what its fields mean is Chinese."""
    words, _ = words_of(request.scope["path"])
    return Response(_written(request.app, words), media_type=MediaType.HTML, headers=_HEADERS)


@get("/docs/{name:str}", include_in_schema=False)
async def file(name: Annotated[str, PathParameter()]) -> Response[bytes]:
    """What the page is drawn and worked with."""
    if name not in _FILES:
        raise NotFoundException
    return Response((_HERE / name).read_bytes(), media_type=_FILES[name], headers=_HEADERS)


HANDLERS = (page, file)


def _operation(document: Schema, path: str, method: str, said: Schema) -> Operation:
    parameters = [_resolved(document, each) for each in said.get("parameters") or ()]
    content = _resolved(document, said.get("requestBody") or {}).get("content", {})
    body: Schema = _resolved(document, content.get("application/json", {}).get("schema", {}))
    return Operation(
        id=said["operationId"],
        method=method.upper(),
        path=path,
        summary=said.get("summary", ""),
        description=said.get("description", ""),
        fields=[
            *(_parameter(document, each) for each in parameters if each["name"].lower() != "idempotency-key"),
            *_body(document, body),
        ],
        example=json.dumps(_example(document, body), ensure_ascii=False, indent=2) if body else "",
        needs_key=any(each["name"].lower() == "idempotency-key" for each in parameters),
        answers=[(status, answer.get("description", "")) for status, answer in (said.get("responses") or {}).items()],
    )


def _parameter(document: Schema, said: Schema) -> Field:
    return Field(
        name=said["name"],
        where=said["in"],
        kind=_kind(document, said.get("schema", {})),
        is_required=bool(said.get("required")),
        description=said.get("description", ""),
        example=str(_example(document, said if "examples" in said else said["schema"])),
    )


def _body(document: Schema, body: Schema) -> Iterator[Field]:
    for name, said in body.get("properties", {}).items():
        yield Field(
            name=name,
            where="body",
            kind=_kind(document, said),
            is_required=name in body.get("required", ()),
            description=said.get("description") or _resolved(document, said).get("description", ""),
            example="",
        )


def _resolved(document: Schema, said: Schema) -> Schema:
    while "$ref" in said:
        found: Any = document
        for part in said["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        said = found
    return said


def _kind(document: Schema, said: Schema) -> str:
    """In a word: `integer`, `string`, `array of object`, `"a" or "b"`."""
    said = _resolved(document, said)
    if "enum" in said:
        return " · ".join(map(str, said["enum"]))
    if "const" in said:
        return str(said["const"])
    for several in ("anyOf", "oneOf", "allOf"):
        if several in said:
            return " · ".join(dict.fromkeys(_kind(document, each) for each in said[several]))
    kind = said.get("type", "")
    if kind == "array":
        return f"[{_kind(document, said.get('items', {}))}]"
    return " · ".join(kind) if isinstance(kind, list) else str(kind)


def _example(document: Schema, said: Schema) -> Any:
    """What can stand here, with as little else as there must be. Raises LookupError where nobody said."""
    said = _resolved(document, said)
    if said.get("examples"):
        examples = said["examples"]
        return next(iter(examples.values()))["value"] if isinstance(examples, Mapping) else examples[0]
    if "enum" in said:
        return said["enum"][0]
    if "oneOf" in said:
        return _example(document, said["oneOf"][0])
    if "items" in said:
        return [_example(document, said["items"])]
    if "properties" in said:
        return {name: _example(document, said["properties"][name]) for name in said.get("required", ())}
    raise LookupError(f"no example: {said}")


def _has_tokens(document: Schema) -> bool:
    return bool(document.get("components", {}).get("securitySchemes"))


@cache
def _written(app: Litestar, words: Words) -> str:
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    schema = app.openapi_schema.to_schema()
    template = environment.get_template("reference.html")
    return template.render(
        _=words.html,
        language=words.language,
        info=schema["info"],
        tags=operations(schema),
        has_tokens=_has_tokens(schema),
    )
