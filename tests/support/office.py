"""The demo's organisation with its admin application, on a database of the test's own."""

import itertools
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from api import main as applications
from api.admin import app as admin
from api.admin.resources import Resources
from ledger import demo
from ledger.settings import Settings
from ledger.store import keys
from tests.support.postgres import Cluster
from tests.support.visitor import visitor

CITY = demo.CITY
STORY = "template_story"
"""The database in which the story was told once."""

_copies = itertools.count(1)


@dataclass(slots=True)
class Office:
    """Speaks HTTP to the admin application, as the demo's people."""

    resources: Resources
    http: httpx.AsyncClient
    tokens: dict[str, str]
    codes: dict[str, str]
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def post(
        self, path: str, body: object = None, *, who: str = "maker", key: str | None = None, **more: Any
    ) -> httpx.Response:
        """A write with a fresh Idempotency-Key, or the one given."""
        headers = {
            **self.headers(who),
            "Idempotency-Key": key or f"key-{next(self._numbers)}",
            **more.pop("headers", {}),
        }
        return await self.http.post(f"/api/v1/{path}", json=body, headers=headers, **more)

    async def get(self, path: str, *, who: str = "maker") -> httpx.Response:
        """A read."""
        return await self.http.get(f"/api/v1/{path}", headers=self.headers(who))

    def headers(self, who: str) -> dict[str, str]:
        """How a person shows who she is."""
        return {"Authorization": f"Bearer {self.tokens[who]}"}

    async def size(self) -> int:
        """How many entries the log has."""
        async with self.resources.database.raw() as connection:
            seq: int = await connection.fetchval("select seq from head")
        return seq + 1

    async def waiting(self) -> list[int]:
        """Proposals to import that are open, oldest first."""
        listed = (await self.get("proposals?limit=100")).json()["proposals"]
        return sorted(each["proposal"] for each in listed if each["command"] == "import.approved")


@asynccontextmanager
async def copied(story: Settings, cluster: Cluster, folder: Path) -> AsyncGenerator[Settings]:
    """Another log with what the story's has, in a folder of its own."""
    name = f"told_{next(_copies)}"
    await cluster.create_database(name, STORY)
    shutil.copytree(story.data_dir, folder, dirs_exist_ok=True)
    yield story.model_copy(update={"data_dir": folder, "database_url": cluster.url(name)})
    await cluster.drop_database(name)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncGenerator[Office]:
    """The office, with the demo's story told."""
    assert settings.database_url is not None
    keys.create(settings.keys, settings.lookup)
    notes = settings.data_dir / "demo.json"
    clock = demo.StoryClock(notes)
    async with applications.admin_resources(settings, settings.database_url, clock) as resources:
        told = await demo.tell(resources.sequencer, resources.sealer, resources.database, notes, clock)
        async with visitor(admin.build(resources)) as http:
            yield Office(resources, http, told["tokens"], told["codes"])


def gift(**more: object) -> dict[str, object]:
    """The body of a good gift."""
    return {
        "org": CITY,
        "fund": "general",
        "amount_fen": 10_000,
        "channel": "bank",
        "channel_ref": "20260701000001",
        "on": "2026-07-01",
        **more,
    }
