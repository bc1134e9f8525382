"""The OpenAPI documents of both applications describe bodies as the doors take them."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from litestar import Litestar

from api.admin import app as admin
from api.fields import Input
from api.public import app as public
from ledger import demo
from ledger.settings import Settings
from ledger.store.keys import LookupKeys
from tests.support.office import CITY, Office

BODIES: dict[str, Any] = {
    "NewStaff": {"staff": demo.MAKER, "org": CITY, "roles": ["finance", "approver"]},
    "NewPolicy": {"rules": [{"kind": "money.disbursed", "approvals": [[0, 1], [10_000_000, 2]]}]},
    "NewRefund": {"org": CITY, "ref": 27, "on": "2026-07-02", "reason": "捐赠人申请", "evidence": ["00" * 32]},
}


@pytest.fixture
async def documents(applications: dict[str, Litestar]) -> dict[str, Any]:
    found = {}
    for name, app in applications.items():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ledger.test") as http:  # type: ignore[arg-type]
            found[name] = (await http.get("/schema/openapi.json")).json()
    return found


def within(node: object) -> Iterator[dict[str, Any]]:
    """Every object below."""
    if isinstance(node, dict):
        yield node
    for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from within(each)


def validator(document: dict[str, Any], name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": document["components"]})


async def test_nothing_is_described_as_this_or_anything(documents: dict[str, Any]) -> None:
    for document in documents.values():
        assert [each for each in within(document) if {} in each.get("oneOf", ())] == []


@pytest.mark.parametrize("name", BODIES)
async def test_a_body_that_a_door_takes_is_valid_and_one_with_more_is_not(documents: dict[str, Any], name: str) -> None:
    described = validator(documents["admin"], name)
    assert [each.message for each in described.iter_errors(BODIES[name])] == []
    assert not described.is_valid({**BODIES[name], "more": 1})
    assert not described.is_valid([])


async def test_every_body_is_described_as_closed(documents: dict[str, Any]) -> None:
    bodies = {each.__name__ for each in Input.__subclasses__()}
    for document in documents.values():
        open_ = {
            name
            for name, schema in document["components"]["schemas"].items()
            if name in bodies and schema.get("additionalProperties") is not False
        }
        assert open_ == set()


async def test_nothing_in_a_document_is_made_up(
    applications: dict[str, Litestar], desk: Office, told: Settings
) -> None:
    """The framework would invent examples of answers, with other names and amounts each time."""
    resources = public.Resources(database=desk.resources.database, lookup=LookupKeys.read(told.lookup))
    again = {"admin": admin.build(desk.resources), "public": public.build(resources)}
    for name, app in applications.items():
        assert app.openapi_schema.to_schema() == again[name].openapi_schema.to_schema()
