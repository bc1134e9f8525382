"""The database that an operator has checked: her configured one, or another with the same roles and passwords."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from ledger.settings import Settings
from ledger.store import embedded, setup
from ledger.store.audit.tables import Audited, audit
from ledger.store.database import DATABASE_ERRORS
from ledger.store.stored_log import StoredLog
from ledger.verify.finding import Findings
from ledger.verify.report import Report


@dataclass(frozen=True, slots=True)
class Stored:
    """A log in a database."""

    settings: Settings
    url: str

    def log(self) -> StoredLog:
        """What a verifier reads, as the role that the public application reads with. Raises SetupError."""
        return StoredLog(setup.database(self.settings, self.url, "reader", pool_size=1).connect_args)

    def audited(self, report: Report, progress: Callable[[int, int], None]) -> Report:
        """The report, and what the comparison of the tables came to. Raises SetupError without the owner's password."""
        findings = Findings()
        try:
            audited = asyncio.run(self._audit(findings, report.size, progress))
        except DATABASE_ERRORS as error:  # tables that are not even there, too
            trouble = f"tables: {error or type(error).__name__}"
            return replace(report.with_tables(findings, {}, 0), trouble=report.trouble or trouble)
        return report.with_tables(findings, audited.rows, audited.entries)

    async def _audit(self, findings: Findings, published: int, progress: Callable[[int, int], None]) -> Audited:
        owner = setup.database(self.settings, self.url, "owner", pool_size=1)
        try:
            return await audit(
                owner, findings, outside=self.settings.outside_checkpoint, published=published, progress=progress
            )
        finally:
            await owner.close()


@contextmanager
def opened(settings: Settings, url: str = "") -> Generator[Stored]:
    """The database at `url`, else the configured one. The embedded store is started, and stopped if we started it.

    Raises SetupError, PostgresError.
    """
    if url or settings.database_url is not None:
        yield Stored(settings, url or str(settings.database_url))
        return
    server = embedded.start(settings.cluster, report=_unreported)
    try:
        yield Stored(settings, server.url())
    finally:
        embedded.stop(server)


def _unreported(_line: str) -> None: ...
