"""Receipt codes, commitments, references: what binds a person to an entry."""

import hmac
from hashlib import sha256
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ledger import privacy
from ledger.privacy import ALPHABET, ChannelRecord, Consent, Guardian, Identity
from ledger.refusals import GuardianRequired, Invalid, NeverNamed, Refused
from tests.support.fixed import FIXED

PUBLISHED = ("7K3M-9XQ2-F4HT-B8WY", "9QX2-D7HV-R5KC-3MTE", "0123-4567-89AB-CDE4", "ZZZZ-ZZZZ-ZZZZ-ZZZN")

codes = st.lists(st.integers(0, 31), min_size=15, max_size=15).map(privacy.code_of)
SALT, OTHER_SALT = bytes(range(32)), bytes(range(32, 64))


def slow_check(symbols: list[int]) -> int:
    """Σ α^i·v_i by long multiplication of polynomials over GF(2), reduced by x^5+x^2+1."""
    total = 0
    for i, value in enumerate(symbols, 1):
        product = value << i
        for bit in range(product.bit_length() - 1, 4, -1):
            if product >> bit & 1:
                product ^= 0b100101 << (bit - 5)
        total ^= product
    return total


@pytest.mark.parametrize("printed", PUBLISHED)
def test_published_receipt_codes_are_valid(printed: str) -> None:
    code = privacy.parse_code(printed)
    assert code == printed.replace("-", "")
    assert privacy.printed(code) == printed


@FIXED
@given(st.lists(st.integers(0, 31), min_size=15, max_size=15))
def test_the_check_character_is_the_sum_of_powers_times_symbols(symbols: list[int]) -> None:
    assert privacy.check_value(symbols) == slow_check(symbols)
    assert privacy.parse_code(privacy.code_of(symbols)) == privacy.code_of(symbols)


@pytest.mark.parametrize("printed", PUBLISHED)
def test_every_single_wrong_symbol_is_noticed(printed: str) -> None:
    code = printed.replace("-", "")
    for i, right in enumerate(code):
        for wrong in ALPHABET:
            assert (privacy.parse_code(code[:i] + wrong + code[i + 1 :]) is not None) is (wrong == right)


@pytest.mark.parametrize("printed", PUBLISHED)
def test_every_swap_of_two_different_symbols_is_noticed(printed: str) -> None:
    code = printed.replace("-", "")
    for i, j in combinations(range(16), 2):
        swapped = [*code]
        swapped[i], swapped[j] = code[j], code[i]
        assert (privacy.parse_code("".join(swapped)) is not None) is (code[i] == code[j])


@FIXED
@given(codes, st.integers(0, 15), st.integers(0, 15), st.sampled_from(ALPHABET))
def test_one_error_or_one_swap_in_any_code_is_noticed(code: str, i: int, j: int, wrong: str) -> None:
    changed = code[:i] + wrong + code[i + 1 :]
    assert (privacy.parse_code(changed) is not None) is (changed == code)
    swapped = [*code]
    swapped[i], swapped[j] = code[j], code[i]
    assert (privacy.parse_code("".join(swapped)) is not None) is (code[i] == code[j])


@pytest.mark.parametrize(
    "typed",
    [
        "7k3m-9xq2-f4ht-b8wy",
        " 7K3M 9XQ2 F4HT B8WY\n",
        "7K3M9XQ2F4HTB8WY",
        "7K3M–9XQ2—F4HT‐B8WY",
        "7K3M－9XQ2－F4HT－B8WY",
        "7K3M−9XQ2−F4HT−B8WY",
        "7K3M　9XQ2　F4HT　B8WY",
        "\ufeff7K3M\u200b9XQ2F4HTB8WY",
        "7-K-3-M-9-X-Q-2-F-4-H-T-B-8-W-Y",
    ],
)
def test_case_spaces_and_hyphens_are_forgiven(typed: str) -> None:
    assert privacy.parse_code(typed) == "7K3M9XQ2F4HTB8WY"


@FIXED
@given(codes, st.data())
def test_look_alikes_are_forgiven(code: str, data: st.DataObject) -> None:
    alike = {"0": "0Oo", "1": "1IiLl"}
    typed = "".join(data.draw(st.sampled_from(alike.get(symbol, symbol + symbol.lower()))) for symbol in code)
    assert privacy.parse_code(typed) == code


@pytest.mark.parametrize("typed", ["", "7K3M", "7K3M-9XQ2-F4HT-B8WY-0", "7K3M-9XQ2-F4HT-B8WU", "收据", "7" * 100_000])
def test_what_is_no_code_is_none(typed: str) -> None:
    assert privacy.parse_code(typed) is None


@FIXED
@given(st.text())
def test_whatever_is_typed_is_a_code_or_none(typed: str) -> None:
    code = privacy.parse_code(typed)
    assert code is None or privacy.parse_code(privacy.printed(code)) == code


def test_a_donors_commitment_is_of_two_salted_digests() -> None:
    identity = Identity(contact="13800000000", name="某人", named=True)
    record = ChannelRecord(amount_fen=5_000, channel="wechat", channel_ref="1000050001", on="2026-11-21")
    identity_digest = sha256(
        b"sunledger/identity/1\n"
        + SALT.hex().encode()
        + '\n{"contact":"13800000000","name":"某人","named":true}\n'.encode()
    ).digest()
    channel_digest = sha256(
        b"sunledger/channel/1\n"
        + OTHER_SALT.hex().encode()
        + b'\n{"amount_fen":5000,"channel":"wechat","channel_ref":"1000050001","on":"2026-11-21"}\n'
    ).digest()
    assert privacy.identity_digest(identity, SALT) == identity_digest
    assert privacy.channel_digest(record, OTHER_SALT) == channel_digest
    preimage = f"sunledger/donor/1\n{identity_digest.hex()}\n{channel_digest.hex()}\n"
    assert privacy.donor_commitment(identity_digest, channel_digest) == sha256(preimage.encode()).hexdigest()


def test_what_a_donor_did_not_say_is_absent_from_the_record() -> None:
    expected = sha256(b"sunledger/identity/1\n" + SALT.hex().encode() + b"\n{}\n").digest()
    assert privacy.identity_digest(Identity(), SALT) == expected


def test_a_salt_has_32_bytes() -> None:
    with pytest.raises(AssertionError):
        privacy.identity_digest(Identity(), b"short")


def test_a_receipt_binds_a_code_to_one_place_in_the_log() -> None:
    prev = "ab" * 32
    expected = sha256(b"sunledger/receipt/1\n" + b"ab" * 32 + b"\n7K3M9XQ2F4HTB8WY\n").hexdigest()
    assert privacy.receipt_commitment(prev, "7K3M9XQ2F4HTB8WY") == expected
    assert privacy.receipt_commitment("cd" * 32, "7K3M9XQ2F4HTB8WY") != expected


def test_a_reference_is_equal_for_equal_numbers_of_one_channel_and_organisation() -> None:
    key = b"k" * 32
    expected = hmac.new(key, b"330800\nwechat\n1000050001", "sha256").hexdigest()
    assert privacy.reference(key, "330800", "wechat", "1000050001") == expected
    others = {
        privacy.reference(b"j" * 32, "330800", "wechat", "1000050001"),
        privacy.reference(key, "330100", "wechat", "1000050001"),
        privacy.reference(key, "330800", "bank", "1000050001"),
        privacy.reference(key, "330800", "wechat", "1000050002"),
    }
    assert len(others | {expected}) == 5


@pytest.mark.parametrize(
    "typed",
    [
        "A1000050001 ",
        "\tA1000050001",
        "Ａ１０００050001",
        "A1000\u200b050001",
        "\ufeffA1000050001",
        "\u3000A1000050001\u00a0",
    ],
)
def test_a_reference_is_the_same_however_it_is_typed_or_pasted(typed: str) -> None:
    key = b"k" * 32
    assert privacy.reference(key, "330800", "bank", typed) == privacy.reference(key, "330800", "bank", "A1000050001")
    assert privacy.reference(key, "330800", "bank", "a1000050001") != privacy.reference(key, "330800", "bank", typed)


@pytest.mark.parametrize("typed", ["", "  ", "\u3000", "\u200b"])
def test_where_a_channel_gives_no_reference_there_is_none(typed: str) -> None:
    assert not privacy.reference(b"k" * 32, "330800", "cash", typed)


@pytest.mark.parametrize(
    ("name", "shown"), [("张某", "张*"), ("张某某", "张**"), ("欧阳某某", "欧**"), ("张", "张*"), ("", "")]
)
def test_a_masked_name_is_its_first_character_and_one_or_two_stars(name: str, shown: str) -> None:
    assert privacy.masked(name) == shown


AGREED = Consent(on="2026-07-01", version="2026-1")
GUARDIAN = Guardian(contact="13900000000", evidence="e" * 64, name="某监护人", on="2026-07-01", version="2026-1")


@pytest.mark.parametrize(
    ("identity", "consent", "shown"),
    [
        (Identity(name="张某"), None, ""),
        (Identity(name="张某", named=True), None, ""),
        (Identity(name="张某"), AGREED, "张*"),
        (Identity(name="张某"), replace(AGREED, form="full"), "张某"),
        (Identity(name="张某", minor=True, guardian=GUARDIAN), replace(AGREED, form="full"), ""),
    ],
)
def test_what_is_shown_of_a_name(identity: Identity, consent: Consent | None, shown: str) -> None:
    assert privacy.public_name(identity, consent) == shown


@pytest.mark.parametrize(
    ("identity", "refusal"),
    [
        (Identity(name="某", minor=True), GuardianRequired),
        (Identity(name="某", guardian=GUARDIAN), Invalid),
        (Identity(name="某", minor=True, guardian=replace(GUARDIAN, name="")), Invalid),
        (Identity(name="某", minor=True, guardian=replace(GUARDIAN, contact=" ")), Invalid),
        (Identity(name="某", minor=True, guardian=replace(GUARDIAN, evidence="")), Invalid),
        (Identity(name="某", minor=True, guardian=replace(GUARDIAN, on="once")), Invalid),
        (Identity(name="某", minor=True, guardian=replace(GUARDIAN, version="")), Invalid),
        (Identity(consent=AGREED), Invalid),
        (Identity(name="某", consent=replace(AGREED, evidence="e")), Invalid),
        (Identity(name="某", consent=replace(AGREED, version="")), Invalid),
    ],
)
def test_an_identity_that_cannot_be_kept_is_refused(identity: Identity, refusal: type[Refused]) -> None:
    with pytest.raises(refusal):
        privacy.check_identity(identity)


def test_an_identity_with_a_guardian_and_a_consent_is_kept() -> None:
    privacy.check_identity(Identity(name="某", minor=True, guardian=GUARDIAN, consent=AGREED, named=True))
    with pytest.raises(NeverNamed):
        privacy.check_may_be_named(Identity(name="某", minor=True, guardian=GUARDIAN))
