"""Keys made from fixed seeds, so that golden strings stay golden."""

from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from ledger.log.cosignature import Cosigner
from ledger.log.note import Ed25519Signer

ORIGIN = "ledger.example/log"


def log_signer(name: str = ORIGIN) -> Ed25519Signer:
    """The key a log of that name signs with."""
    return Ed25519Signer(name, Ed25519PrivateKey.from_private_bytes(_seed(name)))


def ed25519_cosigner(name: str) -> Cosigner:
    """The key a witness of that name cosigns with."""
    return Cosigner(name, Ed25519PrivateKey.from_private_bytes(_seed(name)))


def ml_dsa_cosigner(name: str) -> Cosigner:
    """The post-quantum key a witness of that name cosigns with."""
    return Cosigner(name, MLDSA44PrivateKey.from_seed_bytes(_seed(name)))


def _seed(name: str) -> bytes:
    return sha256(b"a seed for tests only: " + name.encode()).digest()
