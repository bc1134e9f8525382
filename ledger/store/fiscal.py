"""Numbers of fiscal receipts, sealed under the donor's own key; what a receipt is found by."""

import hashlib
import hmac
import os
import re
from typing import NamedTuple

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger import privacy
from ledger.fiscal import IssueReceipt
from ledger.privacy import FiscalNumbers
from ledger.refusals import Invalid
from ledger.store.keys import LogKeys, LookupKeys

_NONCE = bytes(12)  # every key here seals one thing once
_FISCAL = b"sunledger/fiscal-vault/1"
_SALT_BYTES = 32
_KEY_SALT_BYTES = 16


class FiscalForm(NamedTuple):
    """How the numbers of this place's fiscal receipts are written: regular expressions for the whole of each."""

    code: str
    number: str
    check_code: str

    def check(self, code: str, number: str, check_code: str) -> None:
        """Raises Invalid, without repeating what was given."""
        given = zip(self._fields, self, (code, number, check_code), strict=True)
        for field, pattern, text in given:
            if not re.fullmatch(pattern, text):
                raise Invalid(f"{field}: must match {pattern}", field=field)


class FiscalRecord(msgspec.Struct, frozen=True):
    """What the vault keeps of a fiscal receipt: enough to open its commitment."""

    numbers: FiscalNumbers
    salt: bytes


class SealedReceipt(NamedTuple):
    """A fiscal receipt ready to be sequenced: its command, and what is kept beside its entry."""

    command: IssueReceipt
    sealed: bytes
    number: bytes
    """Equal for equal numbers: each is in the log once."""
    digest: bytes
    """Of all four that it is looked up by."""
    key_id: int


class NewReceipt(NamedTuple):
    """A fiscal receipt as a door brings it."""

    maker: str
    org: str
    ref: int
    amount_fen: int
    on: str
    replaces: int
    numbers: FiscalNumbers


def seal(receipt: NewReceipt, subject_key: bytes, keys: LogKeys, lookup: LookupKeys) -> SealedReceipt:
    """Everything random about a receipt is drawn here. `subject_key`: the gift's, so that erasing that takes this."""
    salt, key_salt = os.urandom(_SALT_BYTES), os.urandom(_KEY_SALT_BYTES)
    record = _encode(FiscalRecord(receipt.numbers, salt))
    command = IssueReceipt(
        maker=receipt.maker,
        org=receipt.org,
        ref=receipt.ref,
        amount_fen=receipt.amount_fen,
        on=receipt.on,
        commitment=privacy.fiscal_commitment(receipt.numbers, salt),
        replaces=receipt.replaces,
    )
    return SealedReceipt(
        command,
        b"\x01" + key_salt + AESGCM(_key(subject_key, key_salt)).encrypt(_NONCE, record, _FISCAL),
        keys.fiscal_number(receipt.numbers),
        _digest(lookup.keys[lookup.current], receipt.numbers, receipt.amount_fen),
        lookup.current,
    )


def open_receipt(subject_key: bytes, sealed: bytes) -> FiscalRecord:
    """What the vault keeps of a receipt. Raises InvalidTag where key and record do not belong together."""
    salt, text = sealed[1 : 1 + _KEY_SALT_BYTES], sealed[1 + _KEY_SALT_BYTES :]
    return _decode(AESGCM(_key(subject_key, salt)).decrypt(_NONCE, text, _FISCAL))


def lookup_digests(lookup: LookupKeys, numbers: FiscalNumbers, amount_fen: int) -> list[bytes]:
    """What the receipt may be stored under: one digest for each key still in use."""
    return [_digest(key, numbers, amount_fen) for key in lookup.keys.values()]


def _digest(key: bytes, numbers: FiscalNumbers, amount_fen: int) -> bytes:
    return hmac.digest(key, privacy.fiscal_text(numbers, amount_fen), "sha256")


def _key(subject_key: bytes, salt: bytes) -> bytes:
    """HKDF-SHA256 of RFC 5869 for one block: the gift's own key has sealed its record already, and seals only once."""
    return hmac.digest(hmac.digest(salt, subject_key, hashlib.sha256), _FISCAL + b"\x01", hashlib.sha256)


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(FiscalRecord).decode
