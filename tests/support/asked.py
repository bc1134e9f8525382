"""What an interface's document offers, asked as it stands there: with the document's own examples."""

import json
from collections.abc import Mapping

import httpx

from api import reference
from api.reference import Operation


async def operations(http: httpx.AsyncClient) -> list[Operation]:
    """All of them, as the interface's own page offers them."""
    document = (await http.get("/schema/openapi.json")).json()
    found = [each for listed in reference.operations(document).values() for each in listed]
    assert len(found) == sum(map(len, document["paths"].values()))
    return found


async def send(
    http: httpx.AsyncClient,
    asked: Operation,
    *,
    is_whole: bool = True,
    path: Mapping[str, object] | None = None,
    **body: object,
) -> httpx.Response:
    """With all of its parameters, or those alone that it cannot do without; `path`, `body` in place of examples."""
    chosen = [each for each in asked.fields if is_whole or each.is_required]
    named = {each.name: each.example for each in chosen if each.where == "path"}
    query = {each.name: each.example for each in chosen if each.where == "query"}
    sent = {**json.loads(asked.example), **body} if asked.example else None
    return await http.request(asked.method, asked.path.format_map({**named, **(path or {})}), params=query, json=sent)
