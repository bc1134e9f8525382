"""The commands `sunledger import …`: sheets of gifts, through the admin application."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ledger import import_client
from ledger.settings import Settings

import_app = typer.Typer(
    no_args_is_help=True, help="Sheets of gifts: check, show, approve, follow, end, fetch receipt codes."
)
console = Console(stderr=True, highlight=False)

Token = Annotated[str, typer.Option(envvar="SUNLEDGER_TOKEN", help="Your access token")]


@import_app.command("gifts")
def import_gifts(  # noqa: PLR0913, PLR0917  each is an option of its own
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, also gzip")],
    profile: Annotated[str, typer.Option(help="Layout: notice, hubei-2020, wuhan-qr-2020")],
    org: Annotated[str, typer.Option(help="Organisation that received the gifts")],
    fund: Annotated[str, typer.Option(help="Fund they go to")],
    token: Token,
    event: Annotated[str, typer.Option(help="Event label")] = "",
    totals: Annotated[Path | None, typer.Option(help="JSON with each notice's printed total")] = None,
    rejected: Annotated[Path | None, typer.Option(help="Write the rejected rows to this CSV")] = None,
) -> None:
    """Check a whole sheet and propose its batches. Nothing is entered before somebody else approves."""
    request = import_client.Sheet(file=file, profile=profile, org=org, fund=fund, event=event, totals=totals)
    asyncio.run(import_client.propose(Settings().admin_url, token, request, rejected, console))


@import_app.command("show")
def import_show(
    proposal: Annotated[int, typer.Argument(help="Number of the proposal")],
    token: Token,
    rejected: Annotated[Path | None, typer.Option(help="Write the rejected rows to this CSV")] = None,
) -> None:
    """Print what the check found of the sheet of a proposal, before somebody approves it."""
    asyncio.run(import_client.show(Settings().admin_url, token, proposal, rejected, console))


@import_app.command("approve")
def import_approve(
    proposals: Annotated[list[int], typer.Argument(help="Numbers of the proposals")],
    token: Token,
    codes: Annotated[Path, typer.Option(help="Folder for the receipt codes (files of mode 0600)")] = Path(
        "receipt-codes"
    ),
    *,
    wait: Annotated[bool, typer.Option(help="Follow until every row is entered")] = True,
) -> None:
    """Tell in short what the check found; approve, follow the entry, write receipt codes to files only you can read."""
    asyncio.run(import_client.approve(Settings().admin_url, token, proposals, codes if wait else None, console))


@import_app.command("codes")
def import_codes(
    batch: Annotated[int, typer.Argument(help="Number of the import")],
    out: Annotated[Path, typer.Option(help="File to write, mode 0600")],
    token: Token,
) -> None:
    """Fetch the receipt codes of one import."""
    asyncio.run(import_client.fetch_codes(Settings().admin_url, token, batch, out))


@import_app.command("abandon")
def import_abandon(
    batch: Annotated[int, typer.Argument(help="Number of the import")],
    token: Token,
) -> None:
    """End an import that cannot go on, as somebody else than its maker: what is left counts as refused."""
    asyncio.run(import_client.abandon(Settings().admin_url, token, batch, console))
