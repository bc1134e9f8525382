"""Stamps as an auditor checks them: whose they are, and what the report says of them."""

from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256

import pytest
from cryptography.x509 import Certificate
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from ledger.der import elements
from ledger.log.checkpoint import Checkpoint
from ledger.timestamp import Timestamp, TimestampError, read_answer, read_certificates, read_token
from ledger.verify.report import Report
from ledger.verify.rule import Rule
from ledger.verify.verifier import verify
from tests.support.authority import authority
from tests.support.model import Pen
from tests.verify.export import ORIGIN, POLICY, export
from tests.verify.forgeries.registry import free
from tests.verify.forgeries.stamps import checkpoint, command, stamped

THREE = Checkpoint(origin=ORIGIN, size=3, root=bytes(32))


def roots(*name: str) -> list[Certificate]:
    return read_certificates(authority(*name).root.read_bytes())


def checked(pen: Pen, authorities: Sequence[Certificate] = ()) -> Report:
    return verify(export(pen.written), policy=POLICY, authorities=authorities)


def test_a_stamp_is_verified_to_the_authority_that_the_reader_names() -> None:
    report = checked(stamped(), roots())
    assert report.exit_code == 0
    assert report.stamps is not None
    assert (report.stamps.count, report.stamps.verified, report.stamps.size) == (1, 1, 3)
    assert f"{report.stamps.at} 前已有 3 条" in report.text()
    assert b'"verified": 1' in report.to_json()


def test_without_a_certificate_the_report_says_that_no_signature_was_checked() -> None:
    report = checked(stamped())
    assert report.exit_code == 0
    assert report.stamps is not None
    assert report.stamps.verified is None
    assert "signatures not checked (--tsa-certificate)" in report.text()
    assert report.stamps.at not in report.text(), "a time nobody vouches for is not shown"


def test_a_stamp_of_an_authority_that_was_not_named_is_a_finding() -> None:
    pen = stamped()
    report = checked(pen, roots("another"))
    assert [(each.seq, each.rule) for each in report.findings] == [(pen.books.seq, Rule.STAMP_SIGNATURE)]
    assert report.stamps is not None
    assert (report.stamps.verified, report.stamps.size) == (0, 0)
    assert checked(pen, [*roots("another"), *roots()]).exit_code == 0, "several may be named"


def test_a_log_without_stamps_says_nothing_of_them() -> None:
    report = checked(free(), roots())
    assert report.stamps is None
    assert "timestamps" not in report.text()


def test_the_newest_stamp_is_told_whatever_order_they_were_entered_in() -> None:
    pen = free()
    for size in (2, 7, 5):
        pen.write(command(checkpoint(pen, size)))
    report = checked(pen, roots())
    assert report.exit_code == 0
    assert report.stamps is not None
    assert (report.stamps.count, report.stamps.size) == (3, 7)


def test_openssl_takes_our_token_over_the_hash_we_say() -> None:
    """What docs/verify.md tells an auditor to do by hand."""
    token = read_token(authority().stamp(THREE))
    token.check_covers(THREE.text)
    assert authority().verifies(token.der, token.imprint)
    assert not authority("another").verifies(token.der, token.imprint)


def test_a_token_over_another_text_or_with_another_hash_is_refused() -> None:
    with pytest.raises(TimestampError, match="not over this checkpoint"):
        read_token(authority().token(b"another text")).check_covers(THREE.text)
    with pytest.raises(TimestampError, match="not with SHA-256"):
        read_token(authority().token(THREE.text, digest="sha512")).check_covers(THREE.text)


def test_a_token_with_any_signed_byte_changed_is_refused() -> None:
    """What is not signed, such as unused copies of certificates, may change: the entry's own hash holds it."""
    der = authority().stamp(THREE)
    whole = read_token(der)
    whole.check_signed(roots())
    at = der.index(whole.imprint)
    for place in range(at, at + len(whole.imprint)):
        with pytest.raises(TimestampError):
            _changed(der, place).check_signed(roots())
    with pytest.raises(TimestampError):
        _changed(der, len(der) - 1).check_signed(roots())  # the signature stands last


def test_certificates_in_another_order_are_put_in_that_of_der() -> None:
    """openssl does not, and many authorities run openssl."""
    sender = authority("sender", sends_root=True)
    request = TimestampRequestBuilder().data(THREE.text).hash_algorithm(HashAlgorithm.SHA256).build()
    assert request.nonce is not None
    answer = sender.answer(request.as_bytes())
    with pytest.raises(TimestampError, match="InvalidSetOrdering"):
        read_token(sender.token(THREE.text))
    token = read_answer(answer, request.nonce)
    token.check_covers(THREE.text)
    token.check_signed(read_certificates(sender.root.read_bytes()))
    assert sender.verifies(token.der, token.imprint), "openssl takes it as well"
    assert token.der not in answer
    assert sorted(token.der) == sorted(elements(answer)[1]), "nothing came or went"


@pytest.mark.parametrize("bits", [0x01, 0x80, 0xFF])
def test_whatever_byte_of_an_answer_changes_nothing_worse_than_a_sentence_comes_of_it(bits: int) -> None:
    request = TimestampRequestBuilder().data(THREE.text).hash_algorithm(HashAlgorithm.SHA256).build()
    answer = authority().answer(request.as_bytes())
    assert request.nonce is not None
    for place, byte in enumerate(answer):
        changed = answer[:place] + bytes([byte ^ bits]) + answer[place + 1 :]
        with suppress(TimestampError):
            token = read_answer(changed, request.nonce)
            token.check_signed(roots())
            token.check_covers(THREE.text)
            assert token.imprint == sha256(THREE.text).digest(), "what is still accepted says the same"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"0",
        b"\x30\x00",
        b"\x30\x03\x02\x01\x00",
        b"\x30\x80\x00\x00",
        b"\x30\x85" + bytes(9),
        bytes(300),
        b"<html>",
    ],
)
def test_what_is_no_token_or_answer_is_a_sentence(data: bytes) -> None:
    with pytest.raises(TimestampError):
        read_token(data)
    with pytest.raises(TimestampError):
        read_answer(data, 1)


def _changed(der: bytes, place: int) -> Timestamp:
    return read_token(der[:place] + bytes([der[place] ^ 1]) + der[place + 1 :])
