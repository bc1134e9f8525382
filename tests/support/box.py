"""The receipt's box, opened and sealed as docs/formats.md says, with other code than the ledger's."""

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ledger.store.vault import Box

_INFO = b"sunledger/box/1"


def open_box(code: str, box: bytes) -> Box | None:
    """What the code opens; None where the box is not this code's."""
    version, salt, sealed = box[:1], box[1:17], box[17:]
    if version != b"\x01":
        return None
    key = HKDF(SHA256(), 32, salt, _INFO).derive(code.encode("ascii"))
    try:
        return msgspec.json.decode(AESGCM(key).decrypt(bytes(12), sealed, _INFO), type=Box)
    except InvalidTag:
        return None


def seal_box(code: str, box: Box, salt: bytes) -> bytes:
    """As whoever knows the code can make one."""
    key = HKDF(SHA256(), 32, salt, _INFO).derive(code.encode("ascii"))
    return b"\x01" + salt + AESGCM(key).encrypt(bytes(12), msgspec.json.encode(box), _INFO)
