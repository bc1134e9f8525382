"""Fixtures: one PostgreSQL for the run, a migrated template, and for each test a database of its own."""

import gc
import itertools
import os
import signal
from collections.abc import AsyncGenerator, Generator, Iterator
from pathlib import Path

import pytest

from ledger import collector
from ledger.settings import Settings
from ledger.store import setup
from tests.support import office
from tests.support.needs import Absent, needs
from tests.support.postgres import Cluster

_numbers = itertools.count(1)

# A shell that starts us in the background has us ignore Ctrl-C. Programs under test must not inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# What chooses the tests. Anything else would point them at somebody's log in use.
OURS = {"SUNLEDGER_NO_SKIPS", "SUNLEDGER_SHARED", "SUNLEDGER_TEST_PG_BIN"}
for _name in [name for name in os.environ if name.startswith("SUNLEDGER_") and name not in OURS]:
    del os.environ[_name]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--renew-aria", action="store_true", help="keep what screen readers are told now as golden")
    parser.addoption("--long", action="store_true", help="run the tests that take minutes, too")


LONGEST = (
    "browser/test_every_state.py", "browser/test_site.py", "store/test_sizes.py", "browser/test_states.py",
    "store/test_cli.py", "rules/test_histories.py", "tamper/test_bits.py", "api/test_imports.py",
    "browser/test_certificate.py", "store/test_cosigning.py", "tamper/test_command.py", "browser/test_pages.py",
    "store/test_durability.py", "store/test_holes.py", "site/test_data.py", "witness/test_service.py",
    "verify/test_watch.py", "verify/test_histories.py", "test_compose.py", "test_publish.py",
)  # fmt: skip
"""Files that take more than half a minute, the longest first: begun last, one of them would be waited for alone."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    places = {Path(__file__).parent / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))
    if not config.getoption("--long"):
        for item in items:
            if "long" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="takes minutes: pytest --long"))


def pytest_collection_finish() -> None:
    """As the program itself does: in what was imported there is nothing to collect."""
    collector.ease()


def pytest_unconfigure() -> None:
    """At its end the interpreter looks at everything, or libraries report what is left as leaks."""
    gc.unfreeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """The marker `needs`."""
    for mark in item.iter_markers("needs"):
        needs(*mark.args)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With SUNLEDGER_NO_SKIPS a test that skips itself fails: CI has to notice what it did not run.

    What the machine truly lacks cannot be run on it: `tests.support.needs` looks, and the summary says it.
    """
    report = yield
    is_absent = call.excinfo is not None and call.excinfo.errisinstance(Absent)
    if not is_absent and not {"long", "browser"} & {*item.keywords} and not hasattr(report, "wasxfail"):
        _no_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A whole file that skips itself is no better."""
    report = yield
    _no_skip(report)
    return report


def _no_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and os.environ.get("SUNLEDGER_NO_SKIPS"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped, which SUNLEDGER_NO_SKIPS forbids: {reason}"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A fast PostgreSQL: it forgets everything in a power cut."""
    server = Cluster()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def roles_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Password files: the roles belong to the whole server."""
    return tmp_path_factory.mktemp("roles")


@pytest.fixture(scope="session")
async def template(cluster: Cluster, roles_dir: Path) -> str:
    """A database with the real migrations."""
    await cluster.create_database("template_ledger")
    settings = Settings(data_dir=roles_dir, roles_dir=roles_dir)
    await setup.prepare(settings, cluster.url("template_ledger"))
    return "template_ledger"


@pytest.fixture(scope="session")
async def story(cluster: Cluster, template: str, roles_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A log in which the demo's story is told: copied for each test that begins with it."""
    await cluster.create_database(office.STORY, template)
    folder = tmp_path_factory.mktemp("story")
    settings = Settings(data_dir=folder, roles_dir=roles_dir, database_url=cluster.url(office.STORY))
    async with office.opened(settings):
        return settings


@pytest.fixture
async def told(cluster: Cluster, story: Settings, tmp_path: Path) -> AsyncGenerator[Settings]:
    """A log of its own that begins with the demo's story; `tests.support.office.opened` opens it."""
    async with office.copied(story, cluster, tmp_path) as settings:
        yield settings


@pytest.fixture
async def settings(cluster: Cluster, template: str, roles_dir: Path, tmp_path: Path) -> AsyncGenerator[Settings]:
    """A log of its own: real commits, real locks."""
    name = f"test_{next(_numbers)}"
    await cluster.create_database(name, template)
    yield Settings(data_dir=tmp_path, roles_dir=roles_dir, database_url=cluster.url(name))
    await cluster.drop_database(name)
