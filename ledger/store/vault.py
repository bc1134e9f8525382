"""What is known of a donor, sealed: the vault's record under her own key, the receipt's box under its code."""

import hashlib
import hmac
import os
from collections.abc import Callable
from typing import Literal, NamedTuple

import asyncpg
import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger import privacy
from ledger.donations import ReceiveMoney
from ledger.entries import DonorClass, canonical
from ledger.privacy import ChannelRecord, Consent, Identity
from ledger.store.keys import LogKeys, LookupKeys, SubjectKey, SubjectKeys
from ledger.suspense import IdentifyMoney

_NONCE = bytes(12)  # every key here seals one thing once
_VAULT = b"sunledger/vault/1"
_BOX = b"sunledger/box/1"
_NAME = b"sunledger/name/1"
_CONSENT = b"sunledger/consent/1"
_SALT_BYTES = 32
_BOX_SALT_BYTES = 16


class VaultRecord(msgspec.Struct, frozen=True):
    """Everything about one gift that no entry may say."""

    channel: ChannelRecord
    channel_salt: bytes
    code: str
    identity: Identity
    identity_salt: bytes
    agreement: str = ""
    """Hex SHA-256 of the written agreement's file."""
    agreement_salt: bytes = b""


class Box(msgspec.Struct, frozen=True):
    """What whoever holds the code may open: enough to open `donor`, and no name."""

    channel: ChannelRecord
    channel_salt: str
    identity: str


Party = Literal["donor", "guardian"]


class ConsentRecord(msgspec.Struct, frozen=True):
    """That a donor agreed to be named, or no longer does, after her gift. `by`: she, or her guardian."""

    at: str
    by: Party
    staff: str
    consent: Consent | None = None
    """None: withdrawn."""


class SealedGift(NamedTuple):
    """A gift ready to be sequenced: its command, and what is kept beside its entry in the same transaction."""

    command: ReceiveMoney | IdentifyMoney
    subject: SubjectKey
    sealed: bytes
    digest: bytes
    key_id: int
    box: bytes
    name: bytes = b""
    """What she is called in public; empty: nothing."""


class Gift(NamedTuple):
    """A gift as a door or a sheet brings it."""

    maker: str
    org: str
    fund: str
    amount_fen: int
    channel: str
    channel_ref: str
    on: str
    donor_class: DonorClass
    identity: Identity
    event: str = ""
    batch: int = 0
    row: int = 0
    currency: str = ""
    original: int = 0
    rate: str = ""
    """Where it was given in another currency: that, its smallest units, CNY for one unit."""
    agreement: str = ""
    """Hex SHA-256 of the written agreement's file."""
    campaign: str = ""
    suspense: int = -1
    """The `money.unidentified` it was found in; -1: it arrived as a gift."""
    corrects: int = 0
    """The wrong entry whose place this one takes; then `amount_fen` is what was right, and `code` that gift's."""
    code: str = ""


class Sealer:
    """Draws code, salts and key of a gift and seals what is known of its donor. Done before the gift queues."""

    def __init__(self, keys: LogKeys, lookup: LookupKeys, draw: Callable[[], SubjectKey]) -> None:
        """`draw`: where subject keys come from."""
        self.keys = keys
        self.lookup = lookup
        self._draw = draw
        self._lookup_key = lookup.keys[lookup.current]

    def seal(self, gift: Gift) -> SealedGift:
        """Everything random about a gift is drawn here, once; a retry reads it back from the vault.

        Raises Refused, and OSError where there are no more keys.
        """
        privacy.check_identity(gift.identity)
        subject = self._draw()
        drawn = os.urandom(2 * _SALT_BYTES + _BOX_SALT_BYTES + 15)
        identity_salt, channel_salt, box_salt, symbols = drawn[:32], drawn[32:64], drawn[64:80], drawn[80:]
        code = gift.code or privacy.code_of([symbol & 31 for symbol in symbols])
        record = ChannelRecord(
            amount_fen=gift.amount_fen, channel=gift.channel, on=gift.on, channel_ref=gift.channel_ref
        )
        identity = privacy.identity_digest(gift.identity, identity_salt)
        donor = privacy.donor_commitment(identity, privacy.channel_digest(record, channel_salt))
        agreement_salt = os.urandom(_SALT_BYTES) if gift.agreement else b""
        agreement = privacy.agreement_commitment(gift.agreement, agreement_salt) if gift.agreement else ""
        kept = VaultRecord(record, channel_salt, code, gift.identity, identity_salt, gift.agreement, agreement_salt)
        box = canonical(Box(record, channel_salt.hex(), identity.hex()))
        command = self._command(gift, donor, code, agreement)
        return SealedGift(
            command,
            subject,
            AESGCM(subject.key).encrypt(_NONCE, _encode(kept), _VAULT),
            hmac.digest(self._lookup_key, code.encode(), "sha256"),
            self.lookup.current,
            b"\x01" + box_salt + AESGCM(_derived(code.encode(), box_salt, _BOX)).encrypt(_NONCE, box, _BOX),
            seal_name(self._lookup_key, donor, privacy.public_name(gift.identity, gift.identity.consent)),
        )

    def _command(self, gift: Gift, donor: str, code: str, agreement: str) -> ReceiveMoney | IdentifyMoney:
        if gift.suspense >= 0:
            return IdentifyMoney(
                maker=gift.maker,
                org=gift.org,
                ref=gift.suspense,
                fund=gift.fund,
                amount_fen=gift.amount_fen,
                channel=gift.channel,
                on=gift.on,
                donor=donor,
                donor_class=gift.donor_class,
                agreement=agreement,
                campaign=gift.campaign,
                event=gift.event,
                code=code,
                corrects=gift.corrects,
            )
        return ReceiveMoney(
            maker=gift.maker,
            org=gift.org,
            fund=gift.fund,
            amount_fen=gift.amount_fen,
            channel=gift.channel,
            on=gift.on,
            donor=donor,
            donor_class=gift.donor_class,
            ref=self.keys.ref(gift.org, gift.channel, gift.channel_ref),
            agreement=agreement,
            campaign=gift.campaign,
            event=gift.event,
            code=code,
            batch=gift.batch,
            row=gift.row,
            currency=gift.currency,
            original=gift.original,
            rate=gift.rate,
            corrects=gift.corrects,
        )


class Kept(NamedTuple):
    """A gift's row of the vault, and its key; None once it was destroyed."""

    key: bytes | None
    sealed: bytes

    def open(self) -> VaultRecord | None:
        """The record; None where it was erased."""
        return open_record(self.key, self.sealed) if self.key is not None and self.sealed else None


async def read_record(connection: asyncpg.Connection, subjects: SubjectKeys, seq: int) -> Kept | None:
    """What the vault keeps of the gift that entry `seq` is; None for no gift."""
    found = await connection.fetchrow("select slot, sealed from vault where seq = $1", seq)
    return None if found is None else Kept(subjects.read(found["slot"]), found["sealed"])


def open_record(key: bytes, sealed: bytes) -> VaultRecord:
    """What the vault keeps of a gift. Raises InvalidTag where key and record do not belong together."""
    return _decode(AESGCM(key).decrypt(_NONCE, sealed, _VAULT))


def seal_name(lookup_key: bytes, donor: str, name: str) -> bytes:
    """What a donor is called in public, for whoever holds the look-up keys; bound to `donor` of her gift's entry."""
    if not name:
        return b""
    salt = os.urandom(_BOX_SALT_BYTES)
    return b"\x01" + salt + AESGCM(_derived(lookup_key, salt, _NAME)).encrypt(_NONCE, name.encode(), donor.encode())


def open_name(lookup: LookupKeys, key_id: int, donor: str, sealed: bytes) -> str:
    """What to call her. Raises InvalidTag, KeyError where the row is not this gift's, or its key is gone."""
    salt, rest = sealed[1 : 1 + _BOX_SALT_BYTES], sealed[1 + _BOX_SALT_BYTES :]
    return AESGCM(_derived(lookup.keys[key_id], salt, _NAME)).decrypt(_NONCE, rest, donor.encode()).decode()


def seal_consent(key: bytes, record: ConsentRecord) -> bytes:
    """Sealed under a key derived from the subject's, which seals the vault's record and nothing else."""
    salt = os.urandom(_BOX_SALT_BYTES)
    return b"\x01" + salt + AESGCM(_derived(key, salt, _CONSENT)).encrypt(_NONCE, _encode(record), _CONSENT)


def open_consent(key: bytes, sealed: bytes) -> ConsentRecord:
    """One record. Raises InvalidTag where key and record do not belong together."""
    salt, rest = sealed[1 : 1 + _BOX_SALT_BYTES], sealed[1 + _BOX_SALT_BYTES :]
    return _decode_consent(AESGCM(_derived(key, salt, _CONSENT)).decrypt(_NONCE, rest, _CONSENT))


def lookup_digests(lookup: LookupKeys, code: str) -> list[bytes]:
    """What the code may be stored under: one digest for each key still in use."""
    return [hmac.digest(key, code.encode(), "sha256") for key in lookup.keys.values()]


def _derived(secret: bytes, salt: bytes, info: bytes) -> bytes:
    """HKDF-SHA256 of RFC 5869, one block."""
    return hmac.digest(hmac.digest(salt, secret, hashlib.sha256), info + b"\x01", hashlib.sha256)


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(VaultRecord).decode
_decode_consent = msgspec.json.Decoder(ConsentRecord).decode
