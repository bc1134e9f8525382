"""Setting a log up on a server: three roles with a password file each, a schema, the migrations."""

import secrets
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from sqlalchemy import Connection

import migrations
from ledger.settings import Settings
from ledger.store.database import Database
from ledger.store.files import SetupError, private_file

RoleName = Literal["owner", "writer", "reader"]
ROLES: tuple[RoleName, ...] = ("owner", "writer", "reader")


async def prepare(settings: Settings, superuser_url: str) -> None:
    """Make what is missing: roles, schema, extensions, tables. Doing it again changes nothing.

    `superuser_url`: a user who may create roles, and extensions in `public`.
    """
    bootstrap = _bootstrap(superuser_url)
    try:
        await _roles_and_schema(settings, bootstrap)
    finally:
        await bootstrap.close()
    owner = database(settings, superuser_url, "owner", pool_size=1)
    try:
        async with owner.engine.connect() as connection:
            await connection.run_sync(_migrate)
    finally:
        await owner.close()


async def is_open(settings: Settings, superuser_url: str) -> bool:
    """Whether the server has this log, with its entry 0."""
    bootstrap = _bootstrap(superuser_url)
    try:
        async with bootstrap.raw() as connection:
            head = f'"{settings.log}".head'
            if await connection.fetchval("select to_regclass($1)", head) is None:
                return False
            return bool(await connection.fetchval(f"select seq >= 0 from {head}"))  # noqa: S608  a checked name
    finally:
        await bootstrap.close()


def database(
    settings: Settings, url: str, role: RoleName, *, pool_size: int | None = None, by_index: bool = False
) -> Database:
    """The log's schema on the server at `url`, as one of its roles."""
    return Database(
        url,
        settings.log,
        user=f"{settings.log}_{role}",
        password=_password(settings.roles, role),
        pool_size=pool_size or settings.pool_size,
        by_index=by_index,
    )


def owner_database(settings: Settings) -> Database:
    """For migrations run by hand against SUNLEDGER_DATABASE_URL."""
    if settings.database_url is None:
        raise SetupError("set SUNLEDGER_DATABASE_URL; the embedded store migrates itself when it starts")
    return database(settings, settings.database_url, "owner", pool_size=1)


def _bootstrap(superuser_url: str) -> Database:
    parts = urlsplit(superuser_url)
    return Database(
        superuser_url,
        "public",
        user=unquote(parts.username or "postgres"),
        password=unquote(parts.password or ""),
        pool_size=1,
    )


def _password(folder: Path, role: RoleName) -> str:
    path = folder / f"{role}.password"
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        raise SetupError(f"{path} is missing: run `sunledger init`, or give this process its password file") from None


async def _roles_and_schema(settings: Settings, bootstrap: Database) -> None:
    log = settings.log
    async with bootstrap.write() as connection:
        await connection.execute("select pg_advisory_xact_lock(hashtext($1))", f"sunledger setup {log}")
        for role in ROLES:
            path = settings.roles / f"{role}.password"
            name = f"{log}_{role}"
            known = await connection.fetchval("select true from pg_roles where rolname = $1", name)
            if not path.exists():
                if known:  # another folder has its password: a new one would lock out whoever uses it
                    raise SetupError(f"the role {name} exists, and {path} does not: put the password file back")
                private_file(path, secrets.token_urlsafe(24).encode())
            password = _password(settings.roles, role)
            verb = "alter" if known else "create"
            quoted = await connection.fetchval("select quote_literal($1::text)", password)
            await connection.execute(f'{verb} role "{name}" login password {quoted}')
        await connection.execute("create extension if not exists btree_gist schema public")
        if not await connection.fetchval("select true from pg_namespace where nspname = $1", log):
            # A user who is no superuser may give a schema only to a role it belongs to.
            await connection.execute(f'grant "{log}_owner" to current_user')
            await connection.execute(f'create schema "{log}" authorization "{log}_owner"')
            await connection.execute(f'grant usage on schema "{log}" to "{log}_writer", "{log}_reader"')


def _migrate(connection: Connection) -> None:
    # Only here: it would be an eighth of the time in which any command is there, and few migrate.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
