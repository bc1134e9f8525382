"""docker-compose.yml: valid by the published schema, and each service gets what it may hold, tried without Docker."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import yaml

from ledger.settings import Settings
from tests.support.postgres import Cluster
from tests.support.program import free_port

ROOT = Path(__file__).resolve().parents[1]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("migrate", "admin", "public", "publish")
ONCE = ("migrate", "publish")
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PORTS = {"admin": Settings().admin_port, "public": Settings().public_port}
HEALTHY_S_MAX = 60
LOG = "composed"
FOUNDING = ("--origin", "ledger.example.org/log", "--operator", "示例市红十字会")


def mounts(service: str) -> Iterator[tuple[str, str, bool]]:
    """(volume, path, whether it may be written) of a service."""
    for mount in SERVICES[service].get("volumes", []):
        volume, path, *mode = mount.split(":")
        yield volume, path, mode != ["ro"]


def test_it_is_what_the_published_schema_says() -> None:
    schema = json.loads((files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(COMPOSE)


@pytest.mark.parametrize("wrong", [{"services": {"admin": {"volume": []}}}, {"service": {}}])
def test_the_schema_refuses_what_is_misspelt(wrong: dict[str, Any]) -> None:
    schema = json.loads((files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json").read_text())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(wrong)


async def test_the_server_knows_what_it_is_told_to_set(cluster: Cluster) -> None:
    program, *options = SERVICES["postgres"]["command"]
    assert (program, set(options[::2])) == ("postgres", {"-c"})
    for name, value in (each.split("=") for each in options[1::2]):
        (found,) = await cluster.execute(f"select context, vartype from pg_settings where name = '{name}'")
        assert found["context"] in {"postmaster", "sighup"}, name
        assert value


def test_images_are_pinned_by_version() -> None:
    images = [service["image"] for service in SERVICES.values()]
    images += re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(images) == 8
    for image in images:
        assert re.fullmatch(r"[a-z-]+:\d+\.\d+(\.\d+)?(-[a-z]+)?", image), image
    assert re.fullmatch(r"postgres:1[5-8]\..*", SERVICES["postgres"]["image"])


def test_every_service_that_stays_up_says_whether_it_is_healthy() -> None:
    for name, service in SERVICES.items():
        if name not in ONCE:
            assert service["healthcheck"]["test"][0] == "CMD", name
    for name in ("admin", "public"):
        assert "'/healthz', '/readyz'" in SERVICES[name]["healthcheck"]["test"][-1]
    assert "/healthz" in DOCKERFILE


def test_services_start_in_order_under_an_init_process() -> None:
    assert all(service["init"] is True for service in SERVICES.values())
    assert SERVICES["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name in ("admin", "public", "publish"):
        assert SERVICES[name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}


def test_the_public_service_holds_the_readers_password_and_the_look_up_keys_only() -> None:
    public = SERVICES["public"]
    assert [*mounts("public")] == [
        ("reader", "/srv/sunledger/reader", False),
        ("opendata", "/srv/sunledger/opendata", False),
    ]
    assert "secrets" not in public
    assert not {"SUNLEDGER_KEYS_DIR", "SUPERUSER"} & public["environment"].keys()
    assert "@" not in public["environment"]["SUNLEDGER_DATABASE_URL"]


def test_no_service_that_stays_up_holds_the_owners_password_or_the_superusers() -> None:
    for name in ("admin", "public", "publish"):
        assert "roles" not in {volume for volume, _, _ in mounts(name)}
        assert "postgres.password" not in SERVICES[name].get("secrets", ())
    assert [name for name in SERVICES if "signing.passphrase" in SERVICES[name].get("secrets", ())] == ["admin"]


def test_every_kind_of_secret_has_a_volume_of_its_own() -> None:
    used = {name: {volume for volume, _, _ in mounts(name)} for name in SERVICES}
    assert used["postgres"] == {"database"}
    assert used["admin"] == {"keys", "writer", "reader", "sheets", "checkpoint"}
    assert [name for name in SERVICES if "checkpoint" in used[name]] == ["admin"]
    assert used["publish"] == {"writer", "opendata"}
    assert SERVICES["publish"]["profiles"] == ["nightly"], "not started with the others"
    assert set(COMPOSE["volumes"]) == set.union(*used.values())


def test_only_the_public_application_is_reached_from_other_machines() -> None:
    assert "ports" not in SERVICES["postgres"]
    assert SERVICES["admin"]["ports"] == ["127.0.0.1:8001:8001"]
    assert COMPOSE["networks"]["database"] == {"internal": True}
    assert SERVICES["postgres"]["networks"] == ["database"]


def test_our_services_run_as_nobody_special_on_a_file_system_they_cannot_change() -> None:
    for name in OURS:
        assert SERVICES[name]["read_only"] is True
        assert SERVICES[name]["cap_drop"] == ["ALL"]
        assert "user" not in SERVICES[name]
    assert re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE) == ["10001:10001"]
    assert DOCKERFILE.count("pip install --require-hashes") == 2


def test_the_image_has_every_folder_that_a_volume_is_mounted_on() -> None:
    made = set(re.findall(r"/srv/sunledger/[a-z]+", DOCKERFILE))
    for name in OURS:
        assert {path for _, path, _ in mounts(name)} <= made


def test_every_setting_named_there_is_one() -> None:
    known = {f"SUNLEDGER_{field.upper()}" for field in Settings.model_fields}
    named = set(re.findall(r"SUNLEDGER_[A-Z_]+", DOCKERFILE))
    named |= {key for name in OURS for key in SERVICES[name]["environment"] if key.startswith("SUNLEDGER")}
    assert named <= known


class Host:
    """A host without Docker: a folder for each volume, and a service's environment with their paths in it."""

    def __init__(self, folder: Path, cluster: Cluster, database: str) -> None:
        self.folder = folder
        self._url = cluster.url(database)
        self._at = self._url.partition("@")[2]
        self._superuser = cluster.server.superuser
        (folder / "postgres.password").write_text(cluster.server.password)
        (folder / "signing.passphrase").write_text("correct horse battery staple")

    def environment(self, service: str, **more: str) -> dict[str, str]:
        """What the service is started with here. A path outside its mounts stays one that exists nowhere."""
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "SUNLEDGER_DATA_DIR": "/srv/sunledger/data",
            "SUNLEDGER_LOG": LOG,  # roles of its own: they belong to the whole test server
            **SERVICES[service]["environment"],
            **more,
        }
        for volume, path, _ in mounts(service):
            (self.folder / volume).mkdir(mode=0o700, exist_ok=True)
            environment = {
                key: re.sub(rf"^{path}(?=/|$)", str(self.folder / volume), value) for key, value in environment.items()
            }
        for secret in SERVICES[service].get("secrets", ()):
            at = f"/run/secrets/{secret}"
            environment = {
                key: str(self.folder / secret) if value == at else value for key, value in environment.items()
            }
        if "SUPERUSER" in environment:
            environment |= {"SUPERUSER": self._superuser, "DATABASE_AT": self._at}
        else:
            environment["SUNLEDGER_DATABASE_URL"] = f"postgresql://{self._at}"
        return environment

    async def run_once(self, service: str, *command: str) -> str:
        """Run a service to its end; what it printed."""
        entrypoint = SERVICES[service].get("entrypoint", ["sunledger"])
        script = [part.replace("$$", "$") for part in entrypoint]
        process = await asyncio.create_subprocess_exec(
            *script,
            *(command or SERVICES[service]["command"]),
            env=self.environment(service),
            cwd=self.folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        printed, complained = await process.communicate()
        assert process.returncode == 0, complained.decode()
        return printed.decode()

    @asynccontextmanager
    async def running(self, service: str) -> AsyncGenerator[int]:
        """The service on a free port, once its own health check says so."""
        port = free_port()
        environment = self.environment(service, **{f"SUNLEDGER_{service.upper()}_PORT": str(port)})
        process = await asyncio.create_subprocess_exec(
            "sunledger", *SERVICES[service]["command"], env=environment, cwd=self.folder
        )
        _, *asked = SERVICES[service]["healthcheck"]["test"]
        check = [part.replace(f"127.0.0.1:{PORTS[service]}", f"127.0.0.1:{port}") for part in asked]
        try:
            async with asyncio.timeout(HEALTHY_S_MAX):
                while True:
                    assert process.returncode is None, f"{service} ended"
                    asking = await asyncio.create_subprocess_exec(
                        *check, env=environment, stderr=asyncio.subprocess.DEVNULL
                    )
                    if await asking.wait() == 0:
                        break
                    await asyncio.sleep(0.2)
            yield port
        finally:
            process.terminate()
            await process.wait()


async def test_the_services_run_with_their_own_volumes_and_nothing_else(cluster: Cluster, tmp_path: Path) -> None:
    await cluster.create_database(LOG)
    host = Host(tmp_path, cluster, LOG)
    founded = await host.run_once("migrate", "init", *FOUNDING)
    tokens = [line.split() for line in founded.splitlines() if line.startswith("s-")]
    assert len(tokens) == 2
    await host.run_once("migrate")  # as before every start
    assert {path.name for path in (tmp_path / "reader").iterdir()} == {"lookup.json", "reader.password"}
    assert {path.name for path in (tmp_path / "writer").iterdir()} == {"writer.password"}
    assert {path.name for path in (tmp_path / "keys").iterdir()} == {
        "references.key",
        "requests.key",
        "subjects.keys",
    }
    await host.run_once("admin", "keygen")
    assert (tmp_path / "keys" / "signing.pem").exists()
    async with (
        host.running("admin") as admin,
        host.running("public") as public,
        httpx.AsyncClient() as http,
    ):
        staff, token = tokens[0]
        told = await http.get(f"http://127.0.0.1:{admin}/api/v1/whoami", headers={"Authorization": f"Bearer {token}"})
        assert told.json() == {"staff": staff, "roles": {"": ["administrator"]}}
        opened = (await http.get(f"http://127.0.0.1:{public}/api/v1/entries/0")).json()
        assert opened["entry"]["body"]["origin"] == "ledger.example.org/log"
        async with asyncio.timeout(HEALTHY_S_MAX):
            while True:
                if (await http.get(f"http://127.0.0.1:{public}/log/checkpoint")).status_code == 200:
                    break
                await asyncio.sleep(0.1)
        assert (tmp_path / "checkpoint" / "last").read_text().startswith("ledger.example.org/log\n")
        await host.run_once("publish", "publish", str(tmp_path / "opendata"))
        assert [*(tmp_path / "opendata").iterdir()], "an edition of what is published"
    await cluster.drop_database(LOG)
