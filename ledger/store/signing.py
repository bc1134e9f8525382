"""The key that signs checkpoints: made by `sunledger keygen`, encrypted at rest, never in the database."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from ledger.log.note import Ed25519Signer
from ledger.store.setup import SetupError, private_file


def create(path: Path, passphrase: bytes) -> None:
    """Draw a key and write it, encrypted (PKCS #8), for its owner only. Raises SetupError where a key is there."""
    if not passphrase:
        raise SetupError("the signing key needs a passphrase: SUNLEDGER_SIGNING_PASSPHRASE_FILE")
    written = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase)
    )
    try:
        private_file(path, written)
    except FileExistsError:
        raise SetupError(f"{path} holds a key already; a log signs with one key until it rotates") from None


def signer(path: Path, passphrase: bytes, origin: str) -> Ed25519Signer:
    """Signs as the log. Raises SetupError where the key cannot be had."""
    try:
        key = load_pem_private_key(path.read_bytes(), passphrase)
    except FileNotFoundError:
        raise SetupError(f"{path} is missing: run `sunledger keygen`") from None
    except (ValueError, TypeError):
        raise SetupError(f"{path} does not open with this passphrase") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SetupError(f"{path} holds no Ed25519 key")
    return Ed25519Signer(origin, key)
