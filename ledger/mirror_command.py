"""`sunledger mirror`: a checked copy of a log in a folder, for any web server to serve."""

import os
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from ledger.verify.mirror import Http
from ledger.verify.replica import Copied, copy
from ledger.verify.report import FOUND, GOOD, UNCHECKED, described
from ledger.verify.source import Directory
from ledger.verify_command import progress_bar, read_policy


def mirror_command(
    url: Annotated[str, typer.Argument(help="URL of the log or its site, or the folder of another copy")],
    folder: Annotated[Path, typer.Argument(file_okay=False, help="Folder of the copy; a second run adds what is new")],
    key: Annotated[str, typer.Option(help="The log's public key (vkey) as you know it, from elsewhere")] = "",
    policy: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Policy file: keys of logs and witnesses, quorum")
    ] = None,
) -> None:
    """Copy a log, its keys and policy, checked while it comes: signatures, hashes, that it continues what is there.

    The folder can be served at any moment, and a copy that was cut off goes on. Exit code 0: up to date. 1: findings,
    and the checkpoint stays the one it was. 2: could not finish.
    """
    os.umask(0o022)  # these files are for everybody
    whom = read_policy(key, policy)
    with progress_bar(hidden=False) as progress:
        task = progress.add_task("mirror", total=None)

        def tell(done: int, size: int) -> None:
            progress.update(task, completed=done, total=size)

        if url.startswith(("http://", "https://")):
            with closing(Http(url)) as log:
                copied = copy(log, folder, policy=whom, progress=tell)
        else:
            copied = copy(Directory(Path(url)), folder, policy=whom, progress=tell)
    _tell(copied, folder)


def _tell(copied: Copied, folder: Path) -> None:
    for each in copied.findings:
        typer.echo("\n".join(described(each)))
    signed = copied.signed_by or "签名未核对 signature not checked (--key, --policy)"
    typer.echo(f"{folder}: {copied.size:,} 条 entries, {copied.fetched:,} 条新取 fetched · {signed}")
    if copied.findings:
        typer.echo("✗ 检查点未更新 the checkpoint was left as it was")
        raise typer.Exit(FOUND)
    if copied.trouble:
        typer.echo(f"? 未完成 not finished: {copied.trouble}")
        raise typer.Exit(UNCHECKED)
    raise typer.Exit(GOOD)
