"""A log that signs."""

from pydantic import SecretStr

from ledger.settings import Settings
from ledger.store import signing as keys


def signing(settings: Settings) -> Settings:
    """The same log with a signing key of its own."""
    signs = settings.model_copy(update={"signing_passphrase": SecretStr("only for this test")})
    keys.create(signs.signing, signs.passphrase)
    return signs
