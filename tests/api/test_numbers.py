"""Numbers from outside: whatever does not fit a column is refused at the door, and never reaches a batch."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from litestar import Litestar
from pydantic import TypeAdapter

from api.admin.answers import as_command
from api.admin.organisations import NewPolicy, PolicyRule
from ledger import demo
from ledger.account import MAX_POSITION
from ledger.approvals import ApproveProposal, SetPolicy
from ledger.refusals import Closed, Invalid
from tests.support import office
from tests.support.office import CITY, Office
from tests.support.visitor import visitor

TOO_LARGE = (MAX_POSITION + 1, 2**63, 10**20, "9" * 5_000)
"""Beyond the ledger's numbers, a column's, Python's own when it reads digits."""


def unbounded(schema: dict[str, Any], schemas: dict[str, Any], where: str) -> Iterator[str]:
    """Places in a JSON schema that take whole numbers without a largest one, or with one that is too large."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        yield from unbounded(schemas[name], {key: each for key, each in schemas.items() if key != name}, where)
        return
    types = schema.get("type", ())
    most = schema.get("maximum", schema.get("exclusiveMaximum"))
    if "integer" in ([types] if isinstance(types, str) else types) and (most is None or most > MAX_POSITION):
        yield where
    for name, each in schema.get("properties", {}).items():
        yield from unbounded(each, schemas, f"{where}.{name}")
    inside = [*schema.get("prefixItems", ()), schema.get("items"), schema.get("additionalProperties")]
    for each in inside:
        if isinstance(each, dict):
            yield from unbounded(each, schemas, f"{where}[]")
    for each in (*schema.get("oneOf", ()), *schema.get("anyOf", ()), *schema.get("allOf", ())):
        bound = {"maximum": most} if most is not None and "$ref" not in each else {}
        yield from unbounded({**bound, **each}, schemas, where)


async def test_every_number_that_a_door_takes_has_a_largest_one_that_the_ledger_can_hold(
    applications: dict[str, Litestar],
) -> None:
    found: list[str] = []
    bodies = parameters = 0
    for name, app in applications.items():
        for path, methods in app.openapi_schema.to_schema()["paths"].items():
            for verb, operation in methods.items():
                for each in operation.get("parameters", ()):
                    parameters += 1
                    found += unbounded(each["schema"], {}, f"{name} {verb} {path} {each['name']}")
        handlers = {
            handler.handler_name: handler for route in app.routes for handler in getattr(route, "route_handlers", ())
        }
        for handler in handlers.values():  # those of the site's pages, too, which no document describes
            fields = handler.parsed_fn_signature.parameters
            for each in fields.values():
                if each.name == "data" and each.annotation is not dict:  # what it takes is said by the model itself
                    bodies += 1
                    schema = TypeAdapter(each.annotation).json_schema()
                    found += unbounded(schema, schema.get("$defs", {}), f"{name} {handler.handler_name}")
                elif each.annotation in {int, int | None} and each.kwarg_definition is not None:
                    parameters += 1
                    if each.kwarg_definition.le is None:
                        found.append(f"{name} {handler.handler_name} {each.name}")
    assert bodies > 30
    assert parameters > 100
    assert not found


def asked(document: dict[str, Any], number: object) -> Iterator[tuple[str, str]]:
    """A request with this number in the place of each number of an address in turn."""
    for path, methods in document["paths"].items():
        for verb, operation in methods.items():
            parameters = operation.get("parameters", [])
            for each in parameters:
                if each["in"] not in {"path", "query"} or "integer" not in str(each["schema"]):
                    continue
                address = path if each["in"] == "path" else f"{path}?{each['name']}={number}"
                if each["in"] == "path":
                    address = address.replace(f"{{{each['name']}}}", str(number))
                yield verb, re.sub(r"\{\w+\}", "1", address)


@pytest.mark.parametrize("number", TOO_LARGE, ids=["ledger", "column", "twenty digits", "thousands of digits"])
async def test_a_number_that_is_too_large_is_the_askers_mistake_at_every_door(
    applications: dict[str, Litestar], desk: Office, number: object
) -> None:
    tried = 0
    for name, app in applications.items():
        document = app.openapi_schema.to_schema()
        async with visitor(app) as http:
            for verb, address in asked(document, number):
                headers = {**desk.headers("maker"), "Idempotency-Key": f"{name} {tried}"}
                answer = await http.request(verb, address, headers=headers)
                assert 400 <= answer.status_code < 500, (verb, address[:80], answer.text[:200])
                tried += 1
    assert tried > 40
    assert (await desk.post("gifts", office.gift())).status_code == 201


async def test_a_number_or_a_day_that_there_cannot_be_does_not_disturb_the_sequencer(desk: Office) -> None:
    """Not even from inside, past the doors: the books are asked before the database, which could not take it."""
    sequencer = desk.resources.sequencer
    books = sequencer.books
    with pytest.raises(Closed):
        await sequencer.submit(ApproveProposal(maker=demo.CHECKER, proposal=10**20))
    for day in ("2026-02-30", "2026-99-99", "0000-00-00"):
        answer = await desk.post("periods", {"org": CITY, "first_on": "2026-01-01", "last_on": day})
        assert (answer.status_code, answer.json()["type"]) == (400, "/problems/invalid-value")
    assert sequencer.books is books, "nothing was read back from the log, as after a batch that failed"


async def test_a_tier_of_a_policy_is_an_amount_that_there_can_be(desk: Office) -> None:
    for amount, status in ((MAX_POSITION, 202), (MAX_POSITION + 1, 400), (-1, 400)):
        rules = [{"kind": "money.disbursed", "approvals": [[amount, 1]]}]
        answer = await desk.post("policies", {"rules": rules}, who="administrator")
        assert answer.status_code == status, answer.text


def test_a_body_that_is_no_command_after_all_is_refused() -> None:
    """Whatever a door's model lets through and the rules do not: the asker is told, and nothing broke."""
    rule = PolicyRule.model_construct(kind="money.disbursed", approvals=((2**53, 1),), decision_from=-1)
    with pytest.raises(Invalid, match="rules"):
        as_command(SetPolicy, NewPolicy.model_construct(rules=(rule,)), demo.FOUNDER)
