"""`sunledger verify`: an auditor's check of a whole log, on her own machine, with keys of her own choice."""

import importlib
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from cryptography.x509 import Certificate
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ledger import privacy
from ledger.log.errors import VerificationError
from ledger.log.key import VerifierKey
from ledger.log.policy import Log, Policy
from ledger.receipt.reading import MAX_RECEIPT_BYTES
from ledger.settings import Settings
from ledger.store.binaries import PostgresError
from ledger.store.files import SetupError
from ledger.timestamp import TimestampError, read_certificates
from ledger.verify.mirror import Http
from ledger.verify.receipts import verify_receipts
from ledger.verify.report import GOOD, UNCHECKED
from ledger.verify.source import Directory, Source
from ledger.verify.verifier import verify

if TYPE_CHECKING:
    from collections.abc import Generator

    from ledger.store.audit.stored import Stored


def verify_command(  # noqa: PLR0913, PLR0917  each is an option of its own
    source: Annotated[
        str,
        typer.Argument(
            help="URL of the log or its site, folder of an export or mirror, postgres:// URL; a receipt may go without"
        ),
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
    code: Annotated[
        list[str] | None,
        typer.Option(help="A receipt code to look up in the log itself; - reads it from standard input"),
    ] = None,
    tsa_certificate: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Certificates (PEM) of authorities whose timestamps count"),
    ] = None,
    *,
    database: Annotated[
        bool, typer.Option("--database", help="In place of SOURCE: the configured database, its tables too")
    ] = False,
    bytes_only: Annotated[bool, typer.Option("--bytes-only", help="Hashes and signatures, not the rules")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON")] = False,
) -> None:
    """Check a whole log: signatures, hashes, and every rule, from its entries alone; of a database every table, too.

    Exit code 0: everything holds. 1: findings, each with entry, rule, expected, found. 2: could not check.
    """
    if source and database:
        raise typer.BadParameter("give a SOURCE or --database, not both")
    whom = read_policy(key, policy)
    codes = _codes(code or [])
    receipts = [_receipt(each) for each in receipt or []]
    authorities = read_authorities(tsa_certificate)
    if not source and not database:
        if saved is not None or save is not None or bytes_only or codes or authorities:
            raise typer.BadParameter(
                "--saved, --save, --code, --tsa-certificate and --bytes-only are about a whole log: name it"
            )
        _receipts_alone(receipts, whom, as_json=as_json)
    with _opened(source) as (log, stored), progress_bar(hidden=as_json) as progress:
        task = progress.add_task("verify", total=None)
        report = verify(
            log,
            policy=whom,
            saved=None if saved is None else saved.read_bytes(),
            receipts=receipts,
            codes=codes,
            authorities=authorities,
            meaning=not bytes_only,
            progress=lambda done, size: progress.update(task, completed=done, total=size),
        )
        if stored is not None and not bytes_only:
            task = progress.add_task("tables", total=None)
            report = stored.audited(report, lambda done, size: progress.update(task, completed=done, total=size))
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
    if key and policy is not None:
        raise typer.BadParameter("give a key or a policy file, not both")
    try:
        if policy is not None:
            return Policy.parse(policy.read_text(errors="surrogateescape"))
        return Policy(logs=(Log(key=VerifierKey.parse(key)),)) if key else None
    except VerificationError as error:
        raise typer.BadParameter(str(error)) from error


def read_authorities(file: Path | None) -> list[Certificate]:
    """Whose timestamps count; nobody's where no file is given."""
    try:
        return [] if file is None else read_certificates(file.read_bytes())
    except TimestampError as error:
        raise typer.BadParameter(f"--tsa-certificate: {error}") from error


def _receipt(file: Path) -> bytes:
    """A file that may hold receipts, whatever its size."""
    with file.open("rb") as opened_file:
        content = opened_file.read(MAX_RECEIPT_BYTES + 1)
    if len(content) > MAX_RECEIPT_BYTES:
        raise typer.BadParameter(
            f"--receipt: {file} has more than the {MAX_RECEIPT_BYTES} bytes of the largest receipt"
        )
    return content


def _codes(typed: list[str]) -> list[str]:
    """The codes that were meant. What stands on the command line stays in the shell's history, hence `-`."""
    codes = []
    for each in typed:
        code = privacy.parse_code(sys.stdin.readline() if each == "-" else each)
        if code is None:
            raise typer.BadParameter("--code: 16 letters and digits, as printed on the receipt; this is none")
        codes.append(code)
    return codes


@contextmanager
def _opened(source: str) -> "Generator[tuple[Source, Stored | None]]":
    """The log; and the database that it is in, if it is."""
    if source.startswith(("http://", "https://")):
        with closing(Http(source)) as log:
            yield log, None
    elif not source or source.startswith(("postgres://", "postgresql://")):
        # Every command of `sunledger` is there sooner without what only this one needs.
        audit = importlib.import_module("ledger.store.audit.stored")
        try:
            with audit.opened(Settings(), source) as stored, closing(stored.log()) as log:
                yield log, stored
        except (SetupError, PostgresError) as error:
            typer.echo(f"? 未能核对 could not check: {error}")
            raise typer.Exit(UNCHECKED) from error
    else:
        yield Directory(Path(source)), None


def progress_bar(*, hidden: bool) -> Progress:
    """On standard error, where somebody looks."""
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
