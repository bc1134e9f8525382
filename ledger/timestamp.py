"""RFC 3161 timestamp tokens: what they say, of what, and who signed it. Bytes in, answers out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from cryptography.x509 import Certificate, load_pem_x509_certificates
from rfc3161_client import TimeStampResponse, VerificationError, VerifierBuilder, decode_timestamp_response

from ledger import der

SHA256 = "2.16.840.1.101.3.4.2.1"
"""The only hash a stamp is made with here: that of the log itself."""

_GRANTED = bytes.fromhex("3003020100")
"""PKIStatusInfo with status 0, granted (RFC 3161, section 2.4.2)."""


class TimestampError(Exception):
    """It is no token, or not the one that is needed; says why in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timestamp:
    """A token as far as it was read. Whether the authority signed it is for `check_signed` to say."""

    der: bytes
    """The TimeStampToken."""
    at: datetime
    """When, by the authority's clock (genTime)."""
    hash_algorithm: str
    imprint: bytes
    nonce: int | None
    answer: TimeStampResponse
    """The token, granted, as the library wants it."""

    def check_covers(self, text: bytes) -> None:
        """The token is over the SHA-256 of this text. Raises TimestampError."""
        if self.hash_algorithm != SHA256:
            raise TimestampError(f"the token hashes with {self.hash_algorithm}, not with SHA-256 ({SHA256})")
        expected = sha256(text).digest()
        if self.imprint != expected:
            raise TimestampError(f"the token is over {self.imprint.hex()}, not over this checkpoint, {expected.hex()}")

    def check_signed(self, roots: Sequence[Certificate]) -> None:
        """A certificate for time stamping signed it, and leads to one of these, all valid then. Raises TimestampError.

        Expiry is judged at the token's own time; revocation is not asked for.
        """
        try:
            VerifierBuilder(roots=[*roots]).build().verify(self.answer, self.imprint)
        except (VerificationError, ValueError) as error:
            raise TimestampError(f"no certificate that was named vouches for the token: {error}") from error


def read_token(data: bytes) -> Timestamp:
    """The TimeStampToken in these bytes, which are DER. Raises TimestampError."""
    try:
        answer = decode_timestamp_response(der.sequence(_GRANTED, data))
        said = answer.tst_info
        return Timestamp(
            der=data,
            at=said.gen_time,
            hash_algorithm=said.message_imprint.hash_algorithm.dotted_string,
            imprint=said.message_imprint.message,
            nonce=said.nonce,
            answer=answer,
        )
    except ValueError as error:
        raise TimestampError(f"no timestamp token: {error}") from error


def read_answer(data: bytes, nonce: int) -> Timestamp:
    """The token in an authority's answer to the request with this nonce, its certificates in order.

    Raises TimestampError.
    """
    try:
        said, *tokens = der.elements(data)
        answer = decode_timestamp_response(der.sequence(said))
        status, words = answer.status, answer.status_string
        in_order = [der.in_order(each) for each in tokens]
    except ValueError as error:
        raise TimestampError(f"the authority's answer is no timestamp response: {error}") from error
    if status not in {0, 1} or len(in_order) != 1:  # granted, granted with modifications
        raise TimestampError(f"the authority refused: status {status} {' '.join(words)}".rstrip())
    token = read_token(in_order[0])
    if token.nonce != nonce:
        raise TimestampError("the authority answered another request: the nonce is not ours")
    return token


def read_certificates(pem: bytes) -> list[Certificate]:
    """Certificates of authorities, in PEM. Raises TimestampError."""
    try:
        return load_pem_x509_certificates(pem)
    except ValueError as error:
        raise TimestampError(f"no certificates in PEM: {error}") from error
