"""Cosignatures: a witness saying that at some time it had seen a checkpoint and nothing against it.

Two types (c2sp.org/tlog-cosignature): 04, Ed25519 over time and checkpoint text, and 06, ML-DSA-44 over a binary
message that also names the cosigner. Behind the key id stands u64be time ‖ signature.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from ledger.log.checkpoint import Checkpoint
from ledger.log.encoding import MAX_SIZE
from ledger.log.errors import SignatureError
from ledger.log.key import ED25519, ED25519_COSIGNATURE, ML_DSA_44_COSIGNATURE, VerifierKey
from ledger.log.note import Ed25519Verifier, Signature, Verifier

_TIME_SIZE = 8


class Cosigner:
    """Cosigns checkpoints under a name. `key` is the public half.

    An Ed25519 cosignature does not cover the name, so one Ed25519 key never serves two cosigners.
    An ML-DSA-44 signature comes out different each time.
    """

    __slots__ = ("_private_key", "key")

    def __init__(self, name: str, private_key: Ed25519PrivateKey | MLDSA44PrivateKey) -> None:
        self._private_key = private_key
        signature_type = ED25519_COSIGNATURE if isinstance(private_key, Ed25519PrivateKey) else ML_DSA_44_COSIGNATURE
        self.key = VerifierKey(name, signature_type, private_key.public_key().public_bytes_raw())

    def sign(self, checkpoint: Checkpoint, *, time_s: int) -> Signature:
        """Cosign a checkpoint at a time, in whole seconds since 1970 UTC."""
        if not 0 <= time_s <= MAX_SIZE:
            raise ValueError(f"time: expected 0 to {MAX_SIZE} seconds, found {time_s}")
        signature = self._private_key.sign(_message(self.key, checkpoint, time_s))
        return Signature(self.key.name, self.key.id, time_s.to_bytes(_TIME_SIZE) + signature)


class CosignatureVerifier:
    """Checks cosignatures of types 04 and 06."""

    __slots__ = ("_public_key", "key")

    def __init__(self, key: VerifierKey) -> None:
        self.key = key
        self._public_key: Ed25519PublicKey | MLDSA44PublicKey
        if key.type == ED25519_COSIGNATURE:
            self._public_key = Ed25519PublicKey.from_public_bytes(key.public_key)
        elif key.type == ML_DSA_44_COSIGNATURE:
            self._public_key = MLDSA44PublicKey.from_public_bytes(key.public_key)
        else:
            raise ValueError(f"key {key.name}: expected type 04 or 06, found {key.type:02x}")

    def verify(self, text: bytes, payload: bytes) -> None:
        """Check that the witness cosigned the checkpoint with this text at the time in the payload."""
        message = _message(self.key, Checkpoint.parse(text), _time_s(self.key.name, payload))
        try:
            self._public_key.verify(payload[_TIME_SIZE:], message)
        except InvalidSignature:
            raise SignatureError(f"cosignature by {self.key.name} does not fit the checkpoint and its time") from None


def verifier_of(key: VerifierKey) -> Verifier:
    """What checks the signatures of a key, by its type."""
    return Ed25519Verifier(key) if key.type == ED25519 else CosignatureVerifier(key)


def cosigned_at_s(signature: Signature) -> int:
    """When a cosignature was made, in seconds since 1970 UTC. To be believed once the signature was verified."""
    return _time_s(signature.name, signature.payload)


def _time_s(name: str, payload: bytes) -> int:
    time_s = int.from_bytes(payload[:_TIME_SIZE])
    if len(payload) <= _TIME_SIZE or time_s > MAX_SIZE:
        raise SignatureError(f"cosignature by {name}: expected a time and a signature, found {payload[:9].hex()}")
    return time_s


def _message(key: VerifierKey, checkpoint: Checkpoint, time_s: int) -> bytes:
    """What a cosigner signs."""
    if key.type == ED25519_COSIGNATURE:
        return b"cosignature/v1\ntime %d\n%b" % (time_s, checkpoint.text)
    start, end = 0, checkpoint.size  # a checkpoint is the subtree from the first leaf on
    return b"".join(
        (
            b"subtree/v1\n\0",
            _labelled(key.name),
            time_s.to_bytes(8),
            _labelled(checkpoint.origin),
            start.to_bytes(8),
            end.to_bytes(8),
            checkpoint.root,
        )
    )


def _labelled(text: str) -> bytes:
    """One byte for the length, then the text."""
    data = text.encode()
    return len(data).to_bytes(1) + data
