"""Schemathesis against our own document: whatever is sent, the answer is one that the document describes."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance

from api.public.app import Resources, build
from ledger.settings import Settings
from ledger.store import setup
from ledger.store.keys import LookupKeys
from tests.support.branch import Branch

EXAMPLES = 8

# Not every combination of a figure's dimensions has an exact answer, which no schema can say.
_EXCLUDED: dict[str, list[Any]] = {
    path: [positive_data_acceptance] for path in ("/api/v1/figures", "/api/v1/figures.csv")
}


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """The application in a thread with an event loop and a database pool of its own."""
    listening = socket.create_server(("127.0.0.1", 0))
    started = threading.Event()
    servers: list[uvicorn.Server] = []

    async def serve() -> None:
        assert settings.database_url is not None
        database = setup.database(settings, settings.database_url, "reader")
        app: Any = build(Resources(database=database, lookup=LookupKeys.read(settings.lookup)))
        servers.append(uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")))
        started.set()
        await servers[0].serve(sockets=[listening])
        await database.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    started.wait()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        servers[0].should_exit = True
        thread.join()
        listening.close()


async def test_every_answer_is_as_the_document_says(branch: Branch, settings: Settings) -> None:
    given_ = await branch.gift(50_000)
    await branch.allocate(40_000)
    paid = await branch.pay(30_000)
    await branch.confirm(paid, 30_000)
    with served(settings) as address:
        async with httpx.AsyncClient(base_url=address) as client:
            document = (await client.get("/schema/openapi.json")).json()
        place_examples(document, given_.seq, paid, given_.code)
        await asyncio.to_thread(try_everything, document, address)


def place_examples(document: dict[str, Any], gift: int, payment: int, code: str) -> None:
    """Let some of what is tried exist."""
    for path, methods in document["paths"].items():
        for operation in methods.values():
            for parameter in operation.get("parameters", []):
                if parameter["name"] == "seq":
                    parameter["examples"] = {"it": {"value": payment if path.endswith("sources") else gift}}
    lookup = document["components"]["schemas"]["Lookup"]["properties"]["code"]
    lookup["examples"] = [code]


def try_everything(document: dict[str, Any], address: str) -> None:
    schema = schemathesis.openapi.from_dict(document)
    tried = []
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()

        @hypothesis_settings(
            max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, suppress_health_check=[*HealthCheck]
        )
        @given(case=operation.as_strategy())
        def try_it(case: Any) -> None:
            case.call_and_validate(base_url=address, excluded_checks=_EXCLUDED.get(case.operation.path, []))

        try_it()
        tried.append(operation.label)
    assert len(tried) == sum(map(len, document["paths"].values())) > 0
