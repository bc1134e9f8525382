"""One pool of connections. Two ways in, never both on one connection: raw asyncpg, or SQLModel for ordinary reads."""

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import asyncpg
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, DisconnectionError, InvalidatePoolError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool
from sqlmodel.ext.asyncio.session import AsyncSession

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

COMMAND_TIMEOUT_S = 60
IDLE_TIMEOUT_S = 60
"""How long the server waits inside a transaction for a client that fell silent: it may hold the head of the log."""

POOL_TIMEOUT_S = 5

DATABASE_ERRORS: tuple[type[Exception], ...] = (
    OSError,
    SQLAlchemyError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that was cut while it began a transaction
)
"""What is raised where something is wrong with the database, or with what we ask of it; `is_unreachable` says which."""

_UNREACHABLE = (
    OSError,  # TimeoutError is one
    PoolTimeoutError,
    DisconnectionError,
    asyncpg.InterfaceError,  # the connection is closed
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,  # class 08
    asyncpg.FeatureNotSupportedError,  # 0A: a standby's unlogged table; a statement prepared before a migration
    asyncpg.ReadOnlySQLTransactionError,  # 25006: it is a standby now
    asyncpg.IdleInTransactionSessionTimeoutError,  # 25P03
    asyncpg.TransactionTimeoutError,  # 25P04
    asyncpg.InvalidAuthorizationSpecificationError,  # 28: it does not let us in
    asyncpg.InvalidCatalogNameError,  # 3D000
    asyncpg.TransactionRollbackError,  # 40: a deadlock, a standby that had to go on
    asyncpg.InsufficientResourcesError,  # 53: disk, memory, connections
    asyncpg.ObjectNotInPrerequisiteStateError,  # 55: it takes no connections, a lock was not to be had
    asyncpg.OperatorInterventionError,  # 57: it shuts down, starts, was told to cancel
    asyncpg.PostgresSystemError,  # 58: its disk
)
"""By classes of SQLSTATE: PostgreSQL's manual, appendix A."""


NOT_SET_UP = (asyncpg.InsufficientPrivilegeError, asyncpg.UndefinedTableError)
"""What a server says that was not set up for this log, or to a user of too few rights."""


def is_unreachable(error: BaseException) -> bool:
    """Whether the database does not answer, or not now: the same may succeed later.

    A constraint that is violated or a statement that is wrong is a bug, and stays one however often it is tried.
    """
    if isinstance(error, DBAPIError):
        error = error.driver_exception
    is_wrong_argument = isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError)
    return isinstance(error, _UNREACHABLE) and not is_wrong_argument


def place_of(url: str) -> str:
    """Where the server is, without the user and password of its address: enough for a `Database`."""
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query) if name not in {"user", "password"}]
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}?{urlencode(query)}"


class Database:
    """A log's schema on a PostgreSQL server, as one of its roles."""

    def __init__(  # noqa: PLR0913  where, as whom, how
        self, url: str, schema: str, *, user: str, password: str, pool_size: int = 5, by_index: bool = False
    ) -> None:
        """`url` says where the server is; its own user and password are not used.

        `by_index`: never scan a whole table, nor all of an account. For the sequencer, whose every question is a
        look-up: plans that were made while the tables were small, those of foreign keys too, would else read more and
        more of them as they grow, until somebody counts the rows again.
        """
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query))
        self.schema = schema
        self.user = user
        session = {
            "search_path": f'"{schema}", public',
            "application_name": user,
            "timezone": "UTC",
            "idle_in_transaction_session_timeout": f"{IDLE_TIMEOUT_S}s",
            # A trace is planned once, not each time (that takes three times as long as answering it), and never
            # compiled: the planner cannot know that a recursion ends after three steps.
            "plan_cache_mode": "force_generic_plan",
            "jit": "off",
        }
        if by_index:
            session["enable_seqscan"] = session["enable_bitmapscan"] = "off"
            session["max_parallel_workers_per_gather"] = "0"
        asked: dict[str, Any] = {
            "host": query.get("host") or unquote(parts.hostname or "") or None,
            "port": int(query.get("port") or parts.port or 5432),
            "database": unquote(parts.path.lstrip("/")) or "postgres",
            "user": user,
            "password": password,
            "ssl": query.get("sslmode") or query.get("ssl"),
            "command_timeout": COMMAND_TIMEOUT_S,
            "server_settings": session,
        }
        self.connect_args = {key: value for key, value in asked.items() if value is not None}
        """What asyncpg.connect() takes, for a connection outside the pool."""
        self.engine: AsyncEngine = create_async_engine(
            "postgresql+asyncpg://",
            connect_args=self.connect_args,
            poolclass=AsyncAdaptedQueuePool,
            pool_size=pool_size,
            max_overflow=0,
            pool_use_lifo=True,  # a warm connection has its statements prepared
            pool_timeout=POOL_TIMEOUT_S,
        )
        event.listen(self.engine.sync_engine, "checkout", _refuse_dead)

    @asynccontextmanager
    async def raw(self) -> "AsyncGenerator[asyncpg.Connection]":
        """A connection for SQL by hand outside a transaction. Leave no session state behind."""
        async with self.engine.connect() as connection:
            fairy = await connection.get_raw_connection()
            yield cast("asyncpg.Connection", fairy.driver_connection)

    @asynccontextmanager
    async def write(self) -> "AsyncGenerator[asyncpg.Connection]":
        """A connection for SQL by hand inside one transaction: kept at the end, undone by an exception."""
        # SQLAlchemy begins lazily and would not know of raw statements; the transaction is asyncpg's own.
        async with self.raw() as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def snapshot(self) -> "AsyncGenerator[asyncpg.Connection]":
        """A connection whose reads all see one moment of the log."""
        async with self.raw() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            yield connection

    @asynccontextmanager
    async def read(self) -> "AsyncGenerator[AsyncSession]":
        """A session for SQLModel selects."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session:
            yield session

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


def _refuse_dead(dbapi_connection: Any, _record: object, _proxy: object) -> None:
    """The pool does not see what raw work sees: after a restart of the server it would hand out dead connections."""
    if dbapi_connection.driver_connection.is_closed():
        raise InvalidatePoolError
