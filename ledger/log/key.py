"""Public keys as operators exchange them: vkeys `name+id+base64(type ‖ key)` (c2sp.org/signed-note, Verifier keys)."""

import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Self

from ledger.log.encoding import check_line, encode_base64, parse_base64
from ledger.log.errors import MalformedError

ED25519 = 0x01
"""Ed25519 over the text of a note: how a log signs its checkpoints."""

ED25519_COSIGNATURE = 0x04
"""Ed25519 over a checkpoint and a time: cosignature/v1."""

ML_DSA_44_COSIGNATURE = 0x06
"""ML-DSA-44 over origin, size, root, time and the cosigner's name: subtree/v1."""

PUBLIC_KEY_SIZES = {ED25519: 32, ED25519_COSIGNATURE: 32, ML_DSA_44_COSIGNATURE: 1312}
"""The signature types that are read, and the bytes of a public key of each."""

MAX_NAME_BYTES = 255
"""Bytes of a key's or a log's name at most: what a length prefix of subtree/v1 can say."""

_KEY_ID = re.compile(r"[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key, the name it signs under and the type of its signatures. `id` tells it in signature lines."""

    name: str
    type: int
    public_key: bytes
    id: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_name(self.name)
        if len(self.name.encode()) > MAX_NAME_BYTES:
            raise MalformedError(f"key name: expected at most {MAX_NAME_BYTES} bytes, found {self.name[:80]!r}…")
        size = PUBLIC_KEY_SIZES.get(self.type)
        if size is None:
            known = ", ".join(f"{known:02x}" for known in PUBLIC_KEY_SIZES)
            raise MalformedError(f"key {self.name}: expected a signature type of {known}, found {self.type:02x}")
        if len(self.public_key) != size:
            raise MalformedError(f"key {self.name}: expected {size} bytes, found {len(self.public_key)}")
        if size == 32:
            _check_point(self.name, self.public_key)
        object.__setattr__(self, "id", key_id(self.name, self.type, self.public_key))

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """The key a vkey names."""
        parts = vkey.split("+", 2)  # a plus may also stand in the base64
        if len(parts) != 3:
            raise MalformedError(f"vkey: expected name+id+key, found {vkey[:80]!r}")
        name, hex_id, encoded = parts
        data = parse_base64(encoded, f"vkey {name}")
        if not data or not _KEY_ID.fullmatch(hex_id):
            raise MalformedError(f"vkey {name}: expected eight hex digits and a key, found {vkey[:80]!r}")
        key = cls(name, data[0], data[1:])
        if key.id.hex() != hex_id:
            raise MalformedError(f"vkey {name}: expected id {key.id.hex()}, found {hex_id}")
        return key

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{encode_base64(bytes([self.type]) + self.public_key)}"


def key_id(name: str, signature_type: int, public_key: bytes) -> bytes:
    """The first four bytes of SHA-256(name ‖ LF ‖ type ‖ key)."""
    return sha256(name.encode() + b"\n" + bytes([signature_type]) + public_key).digest()[:4]


def check_name(name: str) -> None:
    """A key name is not empty and has no Unicode space and no plus."""
    check_line(name, "key name")
    if "+" in name or any(character.isspace() for character in name):
        raise MalformedError(f"key name: expected no space and no plus, found {name[:80]!r}")


# Edwards25519: -x² + y² = 1 + d·x²·y² modulo p (RFC 8032, section 5.1).
_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P


def _check_point(name: str, public_key: bytes) -> None:
    """Refuse what no honest key is, and what verifiers disagree about.

    Under a low-order key one signature fits many messages; a non-canonical encoding gives one key two ids; and with
    bytes that are no point of the curve every signature would fail later, with a message that misleads.
    """
    y = int.from_bytes(public_key, "little") & (1 << 255) - 1
    if y >= _P:
        raise MalformedError(f"key {name}: expected a canonical Ed25519 key, found {public_key.hex()}")
    # Orders 1 and 2 have y = ±1, order 4 has y = 0, and what doubles to y = 0 has order 8: x² = -y².
    if y * (y**2 - 1) * (_D * y**4 + 2 * y**2 - 1) % _P == 0:
        raise MalformedError(f"key {name}: expected an Ed25519 key of full order, found {public_key.hex()}")
    # x² = (y²-1)/(d·y²+1) must be a square; a quotient is one exactly when the product is (Euler's criterion).
    product = (y**2 - 1) * (_D * y**2 + 1)
    if pow(product, (_P - 1) // 2, _P) != 1:
        raise MalformedError(f"key {name}: expected a point of the Ed25519 curve, found {public_key.hex()}")
