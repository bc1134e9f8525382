"""`sunledger witness`: for whoever watches a log: an auditor, a supervisory board, a university, a newspaper."""

import asyncio
import importlib
import signal
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console

from api.observability import configure_logging
from ledger.log.cosignature import verifier_of
from ledger.log.errors import VerificationError
from ledger.log.key import VerifierKey
from ledger.log.policy import Log, Policy
from ledger.witness.datafile import DataFile, LogKeys

console = Console(stderr=True, highlight=False)


def witness_command(  # noqa: PLR0913, PLR0917  each is an option of its own
    data: Annotated[Path, typer.Argument(help="Its one file: keys, and what it cosigned. Made at the first start")],
    log: Annotated[
        list[str] | None, typer.Option(help="Public key (vkey) of a log it watches, as you know it from elsewhere")
    ] = None,
    name: Annotated[
        str, typer.Option(help="Name it cosigns under, e.g. audit.example.org/witness; at the first start")
    ] = "",
    host: Annotated[str, typer.Option(help="Address it listens on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port it listens on", min=1, max=65535)] = 8002,
    passphrase_file: Annotated[
        Path | None,
        typer.Option(
            envvar="SUNLEDGER_WITNESS_PASSPHRASE_FILE",
            exists=True,
            dir_okay=False,
            help="File with the passphrase that its keys are encrypted with; without one they are not",
        ),
    ] = None,
    *,
    ml_dsa: Annotated[
        bool, typer.Option("--ml-dsa", help="Cosign with an ML-DSA-44 key, too, from now on; made once")
    ] = False,
    vkey: Annotated[bool, typer.Option("--vkey", help="Print its public keys and stop")] = False,
) -> None:
    """Cosign the checkpoints of logs, and never two that contradict each other. Needs no database and no ledger."""
    keys = _log_keys(log or [])
    passphrase = b"" if passphrase_file is None else passphrase_file.read_bytes().strip()
    with closing(DataFile(data, name=name, passphrase=passphrase, ml_dsa=ml_dsa)) as file:
        if vkey:
            typer.echo("\n".join(file.vkeys))
            return
        if not keys:
            raise typer.BadParameter("name at least one log to watch: --log VKEY")
        console.print(f"{file.name} watches {', '.join(keys)} on {host} port {port}", soft_wrap=True)
        for key in file.vkeys:
            console.print(key, soft_wrap=True, markup=False)
        uvloop.run(_serve(file, keys, host, port))


async def _serve(file: DataFile, keys: LogKeys, host: str, port: int) -> None:
    configure_logging("INFO")
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    serving, door = (importlib.import_module(name) for name in ("api.serving", "api.witness"))
    app = door.build(door.Resources(file=file, log_keys=keys))
    await serving.serve(app, serving.listen(host, port), stop=stop)


def _log_keys(vkeys: list[str]) -> LogKeys:
    """By origin, which is the name of a log's keys; a log may have several."""
    try:
        logs = Policy(logs=tuple(Log(key=VerifierKey.parse(vkey)) for vkey in vkeys)).logs
    except VerificationError as error:
        raise typer.BadParameter(str(error)) from error
    origins = dict.fromkeys(log.key.name for log in logs)
    return {origin: [verifier_of(log.key) for log in logs if log.key.name == origin] for origin in origins}
