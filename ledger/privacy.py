"""What binds a person to an entry without naming her: commitments, receipt codes, references (DESIGN 5).

Nothing here draws randomness or holds a key: salts, keys and drawn symbols come in as arguments.
"""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Sequence
from typing import Literal

from ledger.command import check_day, check_digest, check_id, check_text
from ledger.entries import Body, canonical
from ledger.refusals import GuardianRequired, Invalid, NeverNamed

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base32: no I, L, O, U."""

CODE_SYMBOLS = 15
"""Random symbols of a receipt code: 75 bits. A sixteenth checks them."""

_SYMBOL = {symbol: value for value, symbol in enumerate(ALPHABET)}
_FORGIVEN = str.maketrans("OIL", "011")
_DROPPED = re.compile(r"[\s\-\u2010-\u2015\u2212\uff0d\u200b\ufeff]+")
STAFF_ID = re.compile(r"s-[a-z2-7]{13}")
"""A pseudonym: 13 random symbols of base32."""


NameForm = Literal["full", "masked"]
"""How a name is shown: as it is, or 张*."""


class Consent(Body, frozen=True):
    """What a donor agreed to be called in public (PIPL, article 25): never in an entry.

    `version`: of the text she agreed to, which the society keeps; `evidence`: salted digest of what she signed.
    """

    on: str
    version: str
    evidence: str = ""
    form: NameForm = "masked"


class Guardian(Body, frozen=True):
    """Who answers for a donor under 18 and agreed to her gift (民法典 19, PIPL 31): never in an entry.

    `evidence`: salted digest of what the guardian signed; `version`: of its text; `on`: when.
    """

    contact: str
    evidence: str
    name: str
    on: str
    version: str


class Identity(Body, frozen=True):
    """Who gave, as the vault keeps it: never in an entry. Nor is it told there whether she is a minor."""

    consent: Consent | None = None
    contact: str = ""
    guardian: Guardian | None = None
    minor: bool = False
    name: str = ""
    named: bool = False
    """Whether she wished to be named in public; with what text and in which form, `consent` says."""


class ChannelRecord(Body, frozen=True):
    """How the gift came, as the vault and the receipt's box keep it."""

    amount_fen: int
    channel: str
    on: str
    channel_ref: str = ""


class FiscalNumbers(Body, frozen=True):
    """What a fiscal receipt is told by, as printed on it: never in an entry."""

    check_code: str
    code: str
    number: str


def check_identity(identity: Identity) -> None:
    """Raises GuardianRequired for a minor without a guardian's agreement; Invalid for anything that cannot be kept."""
    guardian = identity.guardian
    if identity.minor and guardian is None:
        raise GuardianRequired("guardian: name, contact and agreement, of a donor under 18")
    if guardian is not None:
        if not identity.minor:
            raise Invalid("guardian: only of a donor under 18", field="guardian")
        check_text("guardian.name", guardian.name)
        check_text("guardian.contact", guardian.contact)
        check_day("guardian.on", guardian.on)
        check_digest("guardian.evidence", guardian.evidence)
        check_id("guardian.version", guardian.version)
    if identity.consent is not None:
        check_consent(identity.consent, identity)


def check_consent(consent: Consent, identity: Identity) -> None:
    """There is a name to be shown, and it is said what was agreed to. Raises Invalid."""
    check_text("name", identity.name)
    check_day("consent.on", consent.on)
    check_id("consent.version", consent.version)
    check_digest("consent.evidence", consent.evidence, optional=True)


def check_may_be_named(identity: Identity) -> None:
    """Raises NeverNamed for a minor, whatever anybody agreed to."""
    if identity.minor:
        raise NeverNamed("the donor is under 18")


def public_name(identity: Identity, consent: Consent | None) -> str:
    """What the public may call her: nothing without consent or of a minor; masked unless she agreed to more."""
    if consent is None or identity.minor:
        return ""
    return identity.name if consent.form == "full" else masked(identity.name)


def identity_digest(identity: Identity, salt: bytes) -> bytes:
    """Salted SHA-256 of the identity record; 32 bytes."""
    return _salted(b"identity", identity, salt)


def channel_digest(record: ChannelRecord, salt: bytes) -> bytes:
    """Salted SHA-256 of the channel record; 32 bytes."""
    return _salted(b"channel", record, salt)


def donor_commitment(identity: bytes, channel: bytes) -> str:
    """`donor` of an entry: opened by the channel record, its salt and the identity digest, without a name."""
    return hashlib.sha256(
        b"sunledger/donor/1\n%b\n%b\n" % (identity.hex().encode(), channel.hex().encode())
    ).hexdigest()


def receipt_commitment(prev: str, code: str) -> str:
    """`receipt` of an entry: binds the code to this one place in the log."""
    return hashlib.sha256(f"sunledger/receipt/1\n{prev}\n{code}\n".encode()).hexdigest()


def fiscal_commitment(numbers: FiscalNumbers, salt: bytes) -> str:
    """`commitment` of a `receipt.issued`: salted, for its numbers are sequential and could be tried out."""
    return _salted(b"fiscal", numbers, salt).hex()


def agreement_commitment(sha256: str, salt: bytes) -> str:
    """`agreement` of a gift: of a written agreement, named by the hex SHA-256 of its file."""
    return hashlib.sha256(f"sunledger/agreement/1\n{salt.hex()}\n{sha256}\n".encode()).hexdigest()


def fiscal_text(numbers: FiscalNumbers, amount_fen: int) -> bytes:
    """All four that a fiscal receipt is looked up by, in one form however they were typed."""
    folded = (*fiscal_name(numbers), _folded(numbers.check_code))
    return "\n".join(("sunledger/fiscal-lookup/1", *folded, str(amount_fen), "")).encode("utf-8", "surrogatepass")


def fiscal_name(numbers: FiscalNumbers) -> tuple[str, str]:
    """Code and number of a fiscal receipt, in one form however they were typed: which one it is."""
    return _folded(numbers.code), _folded(numbers.number)


def reference(key: bytes, org: str, channel: str, channel_ref: str) -> str:
    """`ref` of an entry: equal for equal channel references, which nobody without the key can read or test.

    Empty where the channel gives none. Typed, pasted or from a sheet: full-width letters are narrow ones, and what
    nobody sees is not there.
    """
    if not channel_ref.isascii():
        narrow = unicodedata.normalize("NFKC", channel_ref)
        channel_ref = "".join(each for each in narrow if unicodedata.category(each) != "Cf")
    if not (meant := channel_ref.strip()):
        return ""
    return hmac.digest(key, f"{org}\n{channel}\n{meant}".encode(), "sha256").hex()


def code_of(symbols: Sequence[int]) -> str:
    """The receipt code of 15 symbol values (0 to 31): with its check character, undivided."""
    assert len(symbols) == CODE_SYMBOLS
    return "".join(ALPHABET[value] for value in symbols) + ALPHABET[check_value(symbols)]


def check_value(symbols: Sequence[int]) -> int:
    """Σ α^i·v_i for i = 1…15 over GF(32) = x^5+x^2+1, α = 2: any one wrong symbol and any swap changes it."""
    total = 0
    for times, value in zip(_TIMES, symbols, strict=True):
        total ^= times[value]
    return total


def parse_code(typed: str) -> str | None:
    """The code a person meant: case, spaces, hyphens, O for 0, I and L for 1 forgiven; None if it is no code.

    Chinese keyboards also write full-width letters and digits.
    """
    symbols = _folded(typed).translate(_FORGIVEN)
    if len(symbols) != CODE_SYMBOLS + 1 or any(symbol not in _SYMBOL for symbol in symbols):
        return None
    values = [_SYMBOL[symbol] for symbol in symbols]
    return symbols if check_value(values[:-1]) == values[-1] else None


def _folded(typed: str) -> str:
    return _DROPPED.sub("", unicodedata.normalize("NFKC", typed[:64])).upper()


def printed(code: str) -> str:
    """XXXX-XXXX-XXXX-XXXX."""
    return "-".join(code[i : i + 4] for i in range(0, len(code), 4))


def masked(name: str) -> str:
    """张*: what is shown of a person's name where she agreed to be named but not in full."""
    return name[:1] + ("**" if len(name) > 2 else "*") if name else ""


def _salted(what: bytes, record: Body, salt: bytes) -> bytes:
    assert len(salt) == 32
    return hashlib.sha256(b"sunledger/%b/1\n%b\n%b\n" % (what, salt.hex().encode(), canonical(record))).digest()


def _times(exponent: int) -> tuple[int, ...]:
    """Value → α^exponent·value."""
    table = list(range(32))
    for _ in range(exponent):
        table = [(value << 1) ^ (0b100101 if value & 16 else 0) for value in table]
    return tuple(table)


_TIMES = tuple(_times(i) for i in range(1, CODE_SYMBOLS + 1))
