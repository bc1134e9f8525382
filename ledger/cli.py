"""The command `sunledger`: set a log up, serve it, import into it, look after it."""

import asyncio
import contextlib
import importlib
import os
import shutil
import signal
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError
from rich.markup import escape
from rich.progress import Progress

from api.observability import configure_logging
from ledger.import_command import import_app
from ledger.keygen_command import keygen_command
from ledger.mirror_command import mirror_command
from ledger.monitor_command import monitor_command
from ledger.organisations import OpenLog
from ledger.refusals import Refused
from ledger.server_command import console, run, server, writer
from ledger.settings import Settings
from ledger.stamp_command import stamp_command
from ledger.store import credentials, embedded, keys, setup
from ledger.store.database import DATABASE_ERRORS, NOT_SET_UP, is_unreachable
from ledger.store.export import export as write_export
from ledger.store.files import SetupError
from ledger.store.lineage import report as make_lineage_report
from ledger.store.outside import OutsideCheckpoint
from ledger.store.queries import log as log_queries
from ledger.store.rebuild import rebuild as rebuild_projections
from ledger.token_command import pseudonym, token_app
from ledger.trouble import Trouble
from ledger.verify_command import verify_command
from ledger.witness_command import witness_command

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
checkpoint_app = typer.Typer(no_args_is_help=True, help="The last signed checkpoint: outside the database, stamped.")
app.add_typer(checkpoint_app, name="checkpoint")
app.add_typer(token_app, name="token")
app.add_typer(import_app, name="import")
checkpoint_app.command("stamp")(stamp_command)
app.command("keygen")(keygen_command)
app.command("verify")(verify_command)
app.command("mirror")(mirror_command)
app.command("witness")(witness_command)
app.command("monitor")(monitor_command)

_EXPECTED = (Trouble, Refused)

POLL_S = 0.1


def main() -> None:
    """What the command runs: expected trouble is a sentence and exit code 1, not a traceback."""
    os.umask(0o077)  # keys, passwords, sheets: what we make is for nobody else
    try:
        app()
    except ValidationError as error:
        _give_up("; ".join(f"SUNLEDGER_{str(each['loc'][0]).upper()}: {each['msg']}" for each in error.errors()))
    except _EXPECTED as error:
        _give_up(str(error))
    except NOT_SET_UP as error:
        _give_up(f"the database refuses: {' '.join(str(error).split())}")
    except DATABASE_ERRORS as error:
        if not is_unreachable(error):
            raise
        about_a_file = isinstance(error, OSError) and error.filename is not None
        _give_up(str(error) if about_a_file else f"the database does not answer: {error or type(error).__name__}")
    except ExceptionGroup as group:  # of applications that run side by side
        expected, unexpected = group.split(_EXPECTED)
        if expected is None or unexpected is not None:
            raise
        _give_up(str(expected.exceptions[0]))


def _give_up(why: str) -> NoReturn:
    console.print(f"[bold]sunledger:[/bold] {escape(why)}", soft_wrap=True)
    raise SystemExit(1) from None


@app.command()
def init(
    origin: Annotated[
        str, typer.Option(help="Name of the log: its address without scheme, e.g. ledger.example.org/log")
    ],
    operator: Annotated[str, typer.Option(help="The organisation that keeps it")],
) -> None:
    """Set a log up: database roles, tables, key files, entry 0 with two founding administrators and their tokens."""
    run(_init, origin=origin, operator=operator)


@app.command()
def migrate() -> None:
    """Bring the tables of an existing log up to date, and make what is missing of roles and key files."""
    run(_migrate)


@app.command()
def admin() -> None:
    """Serve the admin application (the only one that writes)."""
    run(partial(_serve, _applications().serve_admin))


@app.command()
def public(
    *, fd: Annotated[int | None, typer.Option(help="Answer on this open socket; for processes that share one")] = None
) -> None:
    """Serve the public application."""
    run(partial(_serve, partial(_applications().serve_public, fd=fd)))


@app.command()
def modules() -> None:
    """Print SHA-256 and name of every module that pages run in a browser, as this installation serves them."""
    for name, digest in importlib.import_module("public_site.site").Press().modules.items():
        print(f"{digest}  {name}")  # noqa: T201  the output


@app.command()
def demo(
    *, reset: Annotated[bool, typer.Option("--reset", help="Throw the demo's data away and stop.")] = False
) -> None:
    """Run everything on this machine with a story to look at; Ctrl-C stops it."""
    story = _story()
    settings = story.settle(Settings())
    with story.alone(settings):
        embedded.stop_left_behind(settings.cluster, report=console.print)  # a demo's that was killed
        if reset:
            shutil.rmtree(settings.data_dir, ignore_errors=True)
            console.print("the demo's data are gone")
            return
        if story.was_cut_short(settings):
            console.print("the last demo was cut short before its story was told: it is told anew")
            shutil.rmtree(settings.data_dir)
        run(_demo, settings=settings)


@app.command()
def rebuild() -> None:
    """Drop the projections and build them again from the entries. Stop the admin application first."""
    run(_rebuild)


@app.command()
def export(folder: Annotated[Path, typer.Argument(help="Folder for any web server to serve")]) -> None:
    """Write the published log as static files, with its keys and policy; a second run adds what is new."""
    run(_export, folder=folder)


@app.command()
def lineage() -> None:
    """Make the lineage report of the newest checkpoint: payments and balances by the gifts they came from."""
    run(_lineage)


@app.command()
def publish(folder: Annotated[Path, typer.Argument(help="Folder for any web server to serve")]) -> None:
    """Publish all open data as of the newest checkpoint, with its lineage report; for a timer, every night."""
    run(_publish, folder=folder)


@checkpoint_app.command("adopt")
def checkpoint_adopt(
    note: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A checkpoint that you compared")],
) -> None:
    """Go on from this checkpoint, where the file outside the database was lost: after a look at a witness's copy."""
    outside = OutsideCheckpoint(Settings().outside_checkpoint)
    content = note.read_bytes()
    size = log_queries.checkpoint_of(content).size
    if (kept := outside.read()) is not None and log_queries.checkpoint_of(kept).size >= size:
        raise SetupError(f"{outside.path} holds a checkpoint that is as new")
    outside.swap(kept, content)
    console.print(f"adopted: {size} entries")


def _applications() -> ModuleType:
    """`api.main`. Most commands serve no application, and are there in a third of the time without one."""
    return importlib.import_module("api.main")


def _story() -> ModuleType:
    """`ledger.demo`, which the other commands need not load."""
    return importlib.import_module("ledger.demo")


async def _init(settings: Settings, origin: str, operator: str) -> None:
    configure_logging("WARNING")
    async with server(settings) as url:
        if await setup.is_open(settings, url):  # before anything is touched: the log may be another machine's
            raise SetupError(f"the log {settings.log} is open on this server already; `sunledger migrate` updates it")
        await _prepare(settings, url)
        founders = tuple(pseudonym() for _ in range(2))
        async with _applications().admin_resources(settings, url) as resources:
            command = OpenLog(maker=founders[0], origin=origin, operator=operator, administrators=founders)
            await resources.sequencer.submit(command)
            console.print(f"the log {origin} is open. Two founding administrators; give each one their token:")
            for founder in founders:
                token = await credentials.create(resources.database, founder, "founder")
                print(founder, token)  # noqa: T201  the output


async def _migrate(settings: Settings) -> None:
    async with server(settings) as url:
        await _prepare(settings, url)
    console.print("up to date")


async def _prepare(settings: Settings, url: str) -> None:
    keys.create(settings.keys, settings.lookup)
    await setup.prepare(settings, url)


async def _serve(
    application: Callable[[Settings, str, asyncio.Event], Coroutine[Any, Any, None]], settings: Settings
) -> None:
    configure_logging(settings.log_level)
    sys.setswitchinterval(0.0005)
    async with server(settings) as url:
        await application(settings, url, _stop_on_signal())


async def _demo(settings: Settings) -> None:
    configure_logging("WARNING")
    stop = _stop_on_signal()
    async with server(settings) as url:
        await _prepare(settings, url)
        demo_story = _story()
        demo_story.make_signing_key(settings)
        notes = demo_story.notes(settings)
        clock = demo_story.StoryClock(notes)
        async with _applications().admin_resources(settings, url, clock) as resources:
            told = await demo_story.tell(resources.sequencer, resources.sealer, resources.database, notes, clock)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_applications().serve_admin(settings, url, stop))
            tasks.create_task(_applications().serve_public(settings, url, stop))
            tasks.create_task(_announce(settings, told, stop))
            tasks.create_task(_report_once_published(settings, url, stop))
    console.print("stopped; the data stay. `make demo` goes on with them, `make demo-reset` throws them away")


async def _announce(settings: Settings, told: dict[str, dict[str, str]], stop: asyncio.Event) -> None:
    for host, port in ((settings.admin_host, settings.admin_port), (settings.public_host, settings.public_port)):
        await _until_it_answers(host, port, stop)
    if stop.is_set():
        return
    public_url = f"http://{settings.public_host}:{settings.public_port}"
    console.print(f"\n[bold]阳光账本 Sunshine Ledger[/bold] is running. Ctrl-C stops it.\n\n  public  {public_url}/")
    console.print(f"  admin   http://{settings.admin_host}:{settings.admin_port}/docs")
    console.print("\n  receipt codes to try:")
    for shows, code in told["codes"].items():
        console.print(f"    {code}   {shows}")
    console.print("\n  tokens for the admin application:")
    for name, token in told["tokens"].items():
        console.print(f"    {name:<14}{token}", soft_wrap=True)


async def _report_once_published(settings: Settings, url: str, stop: asyncio.Event) -> None:
    """Make the lineage report that an operator's timer makes every night."""
    writer = setup.database(settings, url, "writer", pool_size=1)
    try:
        while not stop.is_set():
            with contextlib.suppress(SetupError):  # nothing was published yet
                await make_lineage_report(writer)
                return
            await asyncio.sleep(POLL_S)
    finally:
        await writer.close()


async def _until_it_answers(host: str, port: int, stop: asyncio.Event) -> None:
    while not stop.is_set():
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
            await writer.wait_closed()
            return
        await asyncio.sleep(POLL_S)


async def _rebuild(settings: Settings) -> None:
    async with server(settings) as url:
        owner = setup.database(settings, url, "owner", pool_size=1)
        try:
            count = await rebuild_projections(owner, report=console.print)
        finally:
            await owner.close()
    console.print(f"projections rebuilt from {count} entries")


async def _export(settings: Settings, folder: Path) -> None:
    os.umask(0o022)  # these files are for everybody
    async with server(settings) as url:
        reader = setup.database(settings, settings.read_url or url, "reader", pool_size=1)
        try:
            with Progress(console=console) as progress:
                task = progress.add_task("exporting")
                size = await write_export(
                    reader, folder, report=lambda done, total: progress.update(task, completed=done, total=total)
                )
        finally:
            await reader.close()
    console.print(f"{folder}: {size} entries")


async def _lineage(settings: Settings) -> None:
    async with writer(settings) as database:
        size = await make_lineage_report(database)
    console.print(f"lineage report of {size} entries")


async def _publish(settings: Settings, folder: Path) -> None:
    os.umask(0o022)  # these files are for everybody
    configure_logging("WARNING")
    async with writer(settings) as database:
        size = await make_lineage_report(database)
        edition = await _applications().publish(settings, database, folder, size)
    console.print(f"{folder / str(size)}: {len(edition.files)} files as of entry {edition.as_of}")
    for each in edition.left_out:
        console.print(f"left out: {each.name} ({escape(each.why)})", soft_wrap=True)


def _stop_on_signal() -> asyncio.Event:
    """Set by Ctrl-C, by whoever stops a service, and when the terminal is closed."""
    stop = asyncio.Event()
    outlives_terminal = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN  # nohup
    for number in (signal.SIGINT, signal.SIGTERM, *(() if outlives_terminal else (signal.SIGHUP,))):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
