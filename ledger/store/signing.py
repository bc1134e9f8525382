"""The keys that sign checkpoints: made by `sunledger keygen`, encrypted at rest, never in the database.

The Ed25519 key is the log's. An ML-DSA-44 key beside it makes a second signature, which no quantum computer forges. A
next Ed25519 key signs along for a time, so that verifiers may change over.
"""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from ledger.log.checkpoint import Checkpoint
from ledger.log.cosignature import Cosigner, verifier_of
from ledger.log.errors import SignatureError, VerificationError
from ledger.log.key import ED25519, VerifierKey
from ledger.log.note import Ed25519Signer, open_note, parse_note
from ledger.store.files import SetupError, private_file

PrivateKey = Ed25519PrivateKey | MLDSA44PrivateKey


class LogSigner:
    """Signs as the log, with each of its keys; the first is the one it is known by."""

    def __init__(
        self, origin: str, private_keys: Sequence[PrivateKey], *, wall: Callable[[], float] = time.time
    ) -> None:
        self.origin = origin
        self._wall = wall
        self._signers = [
            Ed25519Signer(origin, key) if isinstance(key, Ed25519PrivateKey) else Cosigner(origin, key)
            for key in private_keys
        ]

    @property
    def keys(self) -> tuple[VerifierKey, ...]:
        """The public halves."""
        return tuple(signer.key for signer in self._signers)

    def sign(self, checkpoint: Checkpoint) -> bytes:
        """The signed note."""
        time_s = int(self._wall())
        return checkpoint.signed(
            signer.sign(checkpoint.text)
            if isinstance(signer, Ed25519Signer)
            else signer.sign(checkpoint, time_s=time_s)
            for signer in self._signers
        )

    def open(self, note: bytes) -> Checkpoint:
        """The checkpoint in a note of ours. Raises MalformedError; SignatureError where none of the keys signed it."""
        checkpoint = Checkpoint.parse(open_note(note, map(verifier_of, self.keys)).text)
        if checkpoint.origin != self.origin:
            raise SignatureError(f"origin: expected {self.origin}, found {checkpoint.origin}")
        return checkpoint


def ml_dsa_path(signing: Path) -> Path:
    """Where the ML-DSA-44 key lies, beside the signing key."""
    return signing.with_name(f"{signing.stem}.ml-dsa{signing.suffix}")


def next_path(signing: Path) -> Path:
    """Where the key lies that will sign alone, beside the one that does."""
    return signing.with_name(f"{signing.stem}.next{signing.suffix}")


def create(path: Path, passphrase: bytes, *, ml_dsa: bool = False) -> None:
    """Draw a key and write it, encrypted (PKCS #8), for its owner only. Raises SetupError where a key is there."""
    if not passphrase:
        raise SetupError("the signing key needs a passphrase: SUNLEDGER_SIGNING_PASSPHRASE_FILE")
    key: PrivateKey = MLDSA44PrivateKey.generate() if ml_dsa else Ed25519PrivateKey.generate()
    written = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase))
    try:
        private_file(path, written)
    except FileExistsError:
        raise SetupError(f"{path} holds a key already; no key is ever overwritten") from None


def switch(path: Path, passphrase: bytes, last: bytes | None) -> Path:
    """Put the next key in the place of the one that signs; answers where the old one is kept.

    `last`: the last signed checkpoint. It must bear the next key's signature, for by that the next start knows it as
    the log's own. Raises SetupError.
    """
    following = next_path(path)
    key = _opened(following, passphrase, Ed25519PrivateKey)
    if last is not None:
        try:
            origin = Checkpoint.parse(parse_note(last).text).origin
            LogSigner(origin, [key]).open(last)
        except VerificationError as error:
            raise SetupError(
                f"the next key has signed no checkpoint yet: let the admin application publish one ({error})"
            ) from error
    old_id = VerifierKey(
        "old", ED25519, _opened(path, passphrase, Ed25519PrivateKey).public_key().public_bytes_raw()
    ).id
    retired = path.with_name(f"{path.stem}.retired-{old_id.hex()}{path.suffix}")
    if not retired.exists():
        os.link(path, retired)
    # If we stop now both keys sign on, and switching again finishes.
    following.replace(path)
    return retired


def signer(path: Path, passphrase: bytes, origin: str) -> LogSigner:
    """Signs as the log, with every key beside `path`. Raises SetupError where a key cannot be had."""
    keys: list[PrivateKey] = [_opened(path, passphrase, Ed25519PrivateKey)]
    if next_path(path).exists():
        keys.append(_opened(next_path(path), passphrase, Ed25519PrivateKey))
    if ml_dsa_path(path).exists():
        keys.append(_opened(ml_dsa_path(path), passphrase, MLDSA44PrivateKey))
    return LogSigner(origin, keys)


def _opened(path: Path, passphrase: bytes, kind: type[Ed25519PrivateKey | MLDSA44PrivateKey]) -> PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), passphrase)
    except FileNotFoundError:
        raise SetupError(f"{path} is missing: run `sunledger keygen`") from None
    except (ValueError, TypeError):
        raise SetupError(f"{path} does not open with this passphrase") from None
    if not isinstance(key, kind):
        raise SetupError(f"{path} holds no {kind.__name__.removesuffix('PrivateKey')} key")
    return key
