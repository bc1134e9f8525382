"""Where the demo lives: a folder of its own, whatever the environment says of a log in use beside it."""

import secrets

from ledger.settings import Settings
from ledger.store import signing
from ledger.store.files import private_file

FROM_ENVIRONMENT = frozenset({
    "public_host", "public_port", "admin_host", "admin_port", "trusted_proxies", "requests_per_minute",
    "failures_per_hour", "failures_per_code", "pool_size", "queue_size", "contact", "data_licence", "iati_org",
    "giving_prefix", "stale_hours", "read_only", "log_level",
})  # fmt: skip
"""What the demo takes from the environment. Any other setting, and one added later, has its default: paths, addresses
and secrets belong to the log in use. The formats of fiscal receipts are those of the story."""


def settle(chosen: Settings) -> Settings:
    """The demo's settings. Of the operator's only `demo/` in the data directory is used, and what is harmless."""
    folder = chosen.data_dir / "demo"
    own = {"log": "demo", "data_dir": folder, "signing_passphrase_file": folder / "signing.passphrase"}
    chosen_here = {name: getattr(chosen, name) for name in FROM_ENVIRONMENT}
    # Each is named, even with its default: what is not named would come from the environment again.
    defaults = {name: field.get_default() for name, field in Settings.model_fields.items()}
    return Settings(**(defaults | chosen_here | own))


def make_signing_key(settings: Settings) -> None:
    """A demo signs, too; its passphrase lies beside its data, as no operator's may."""
    if settings.signing.exists():
        return
    assert settings.signing_passphrase_file is not None
    if not settings.signing_passphrase_file.exists():
        private_file(settings.signing_passphrase_file, secrets.token_urlsafe(24).encode())
    signing.create(settings.signing, settings.passphrase)
