"""`sunledger verify`: an auditor's check of a whole log, on her own machine, with keys of her own choice."""

from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ledger.log.errors import VerificationError
from ledger.log.key import VerifierKey
from ledger.log.policy import Log, Policy
from ledger.verify.mirror import Http
from ledger.verify.receipts import verify_receipts
from ledger.verify.report import GOOD
from ledger.verify.source import Directory, Source
from ledger.verify.verifier import verify

if TYPE_CHECKING:
    from collections.abc import Generator


def verify_command(  # noqa: PLR0913, PLR0917  each is an option of its own
    source: Annotated[
        str, typer.Argument(help="URL of the log or its site, or the folder of an export; a receipt may go without")
    ] = "",
    key: Annotated[str, typer.Option(help="The log's public key (vkey) as you know it, from elsewhere")] = "",
    policy: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Policy file: keys of logs and witnesses, quorum")
    ] = None,
    saved: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A checkpoint you saved before: it must continue")
    ] = None,
    save: Annotated[Path | None, typer.Option(help="Where to keep this checkpoint, if all is good")] = None,
    receipt: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, help="A receipt file, .tlog-proof, compact receipt or dossier"),
    ] = None,
    *,
    bytes_only: Annotated[bool, typer.Option("--bytes-only", help="Hashes and signatures, not the rules")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON")] = False,
) -> None:
    """Check a whole log: signatures, hashes, and every rule, from its entries alone.

    Exit code 0: everything holds. 1: findings, each with entry, rule, expected, found. 2: could not check.
    """
    if key and policy is not None:
        raise typer.BadParameter("give a key or a policy file, not both")
    whom = read_policy(key, policy)
    receipts = [each.read_bytes() for each in receipt or []]
    if not source:
        if saved is not None or save is not None or bytes_only:
            raise typer.BadParameter("--saved, --save and --bytes-only are about a whole log: name it")
        _receipts_alone(receipts, whom, as_json=as_json)
    with _opened(source) as log, _progress(hidden=as_json) as progress:
        task = progress.add_task("verify", total=None)
        report = verify(
            log,
            policy=whom,
            saved=None if saved is None else saved.read_bytes(),
            receipts=receipts,
            meaning=not bytes_only,
            progress=lambda done, size: progress.update(task, completed=done, total=size),
        )
    typer.echo(report.to_json() if as_json else report.text())
    if save is not None and report.exit_code == GOOD:
        save.write_text(report.checkpoint)
    raise typer.Exit(report.exit_code)


def _receipts_alone(receipts: list[bytes], whom: Policy | None, *, as_json: bool) -> NoReturn:
    """What receipts show without their log: enough for a signature, not for whether the log still stands by it."""
    if not receipts:
        raise typer.BadParameter("name a log, or a receipt with --receipt")
    report = verify_receipts(receipts, whom)
    typer.echo(report.to_json() if as_json else report.text())
    raise typer.Exit(report.exit_code)


def read_policy(key: str, policy: Path | None) -> Policy | None:
    """Whom to believe; None: nobody was named."""
    try:
        if policy is not None:
            return Policy.parse(policy.read_text(errors="surrogateescape"))
        return Policy(logs=(Log(key=VerifierKey.parse(key)),)) if key else None
    except VerificationError as error:
        raise typer.BadParameter(str(error)) from error


@contextmanager
def _opened(source: str) -> "Generator[Source]":
    if source.startswith(("http://", "https://")):
        with closing(Http(source)) as log:
            yield log
    else:
        yield Directory(Path(source))


def _progress(*, hidden: bool) -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=hidden or not console.is_terminal,
    )
