"""The commands `sunledger token …`: who may speak to the admin application, and as whom."""

import secrets
from typing import Annotated

import typer

from ledger.server_command import console, run, writer
from ledger.settings import Settings
from ledger.store import credentials
from ledger.store.files import SetupError

_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"

token_app = typer.Typer(no_args_is_help=True, help="Access tokens of the admin application.")


def pseudonym() -> str:
    """A new one, at random: see `ledger.privacy.STAFF_ID`."""
    return "s-" + "".join(secrets.choice(_BASE32) for _ in range(13))


@token_app.command("pseudonym")
def token_pseudonym() -> None:
    """Draw a pseudonym for somebody who is to be enrolled. Who it is stays outside the system."""
    print(pseudonym())  # noqa: T201  the output


@token_app.command("create")
def token_create(
    staff: Annotated[str, typer.Argument(help="Pseudonym, s- and 13 letters or digits")],
    label: Annotated[str, typer.Option(help="What it is for")] = "",
) -> None:
    """Make a token for a pseudonym and print it, once."""
    run(_create, staff=staff, label=label)


@token_app.command("list")
def token_list() -> None:
    """List tokens: id, holder, label, state."""
    run(_list)


@token_app.command("revoke")
def token_revoke(credential: Annotated[str, typer.Argument(help="Id from `token list`")]) -> None:
    """Revoke a token; it stops working within seconds."""
    run(_revoke, credential=credential)


async def _create(settings: Settings, staff: str, label: str) -> None:
    async with writer(settings) as database:
        if not await credentials.has_role(database, staff):
            raise SetupError(f"{staff} holds no role in this log: enrol them first")
        print(await credentials.create(database, staff, label))  # noqa: T201  the output


async def _list(settings: Settings) -> None:
    async with writer(settings) as database:
        for each in await credentials.every(database):
            state = f"revoked {each.revoked_at:%Y-%m-%d}" if each.revoked_at else "valid"
            print(each.id, each.staff, f"{each.created_at:%Y-%m-%d}", state, each.label)  # noqa: T201  the output


async def _revoke(settings: Settings, credential: str) -> None:
    async with writer(settings) as database:
        if not await credentials.revoke(database, credential):
            raise SetupError(f"no valid token {credential}")
    console.print("revoked")
