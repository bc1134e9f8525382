"""`sunledger keygen`: the keys a log signs its checkpoints with, and the change from one to the next."""

from typing import Annotated

import typer
from rich.console import Console

from ledger.settings import Settings
from ledger.store import signing
from ledger.store.files import SetupError
from ledger.store.outside import OutsideCheckpoint

console = Console(stderr=True, highlight=False)


def keygen_command(
    *,
    ml_dsa: Annotated[
        bool, typer.Option("--ml-dsa", help="A second key, ML-DSA-44: no quantum computer forges its signatures.")
    ] = False,
    following: Annotated[
        bool, typer.Option("--next", help="The key to change to: from the next start on both sign.")
    ] = False,
    switch: Annotated[
        bool, typer.Option("--switch", help="Let the next key sign alone; the old one is kept as retired.")
    ] = False,
) -> None:
    """Make the key that signs the log's checkpoints. The passphrase comes from SUNLEDGER_SIGNING_PASSPHRASE_FILE."""
    settings = Settings()
    if ml_dsa + following + switch > 1:
        raise typer.BadParameter("one thing at a time: --ml-dsa, --next or --switch")
    if switch:
        old = signing.switch(
            settings.signing, settings.passphrase, OutsideCheckpoint(settings.outside_checkpoint).read()
        )
        console.print(f"{settings.signing}: signs alone from the next start on; the old key is {old}")
        return
    path = settings.signing
    if ml_dsa or following:
        path = (signing.ml_dsa_path if ml_dsa else signing.next_path)(settings.signing)
        if not settings.signing.exists():
            raise SetupError(f"{settings.signing} comes first: run `sunledger keygen`")
    signing.create(path, settings.passphrase, ml_dsa=ml_dsa)
    console.print(f"{path}: keep it, and its passphrase, where no backup of the database goes")
