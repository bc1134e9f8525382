"""The receipt file and the dossier: what is in them fits together, or they are refused."""

import json
import zipfile
from dataclasses import replace
from hashlib import sha256
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.log.errors import MalformedError, ProofError
from ledger.log.proof import LogProof
from ledger.receipt.compact import encode_compact
from ledger.receipt.dossier import decode_dossier, encode_dossier
from ledger.receipt.reading import read_receipts
from ledger.receipt.receipt import Receipt
from ledger.verify.receipts import verify_receipts
from tests.receipt.kept import INDEX, POLICY, gift, receipt
from tests.support.fixed import FIXED

GOLDEN_DOSSIER = "bd36b665dc1efeb0d150396789ca889673ae447762bbf9396a3f8c7a4014cbab"
"""Of `dossier()`: a file made today is made the same tomorrow."""

BESIDE = {"README.txt": b"what this is\n", "summary.txt": "概要\n".encode()}


def test_a_receipt_file_is_a_proof_file_with_the_entry_in_it() -> None:
    kept = receipt()
    data = kept.encode()
    proof = LogProof.parse(data)
    assert (proof.extra, proof.index, proof.hashes) == (kept.entry, INDEX, kept.proof.hashes)
    assert Receipt.parse(data) == kept
    assert kept.verify(POLICY).checkpoint.size > INDEX


def test_another_entry_under_the_same_proof_is_refused() -> None:
    with pytest.raises(ProofError):
        replace(receipt(), entry=gift(INDEX).replace(b"123456789012", b"123456789013")).verify(POLICY)


def test_receipts_are_checked_without_their_log() -> None:
    kept = receipt()
    for data in (kept.encode(), encode_compact(kept), encode_dossier([kept], BESIDE)):
        report = verify_receipts([data], POLICY)
        assert (report.exit_code, len(report.receipts)) == (0, 1)
        assert report.receipts[0].entry == json.loads(kept.entry)
        assert set(report.receipts[0].cosigned_at) == {"w0", "w1"}
        assert "凭证成立" in report.text()


def test_without_a_key_the_report_says_that_no_signature_was_checked() -> None:
    report = verify_receipts([receipt().encode()], None)
    assert (report.exit_code, report.receipts[0].signed_by) == (0, "")
    assert "签名未核对" in report.text()


def test_a_receipt_whose_entry_was_changed_is_named() -> None:
    kept = receipt()
    forged = replace(kept, entry=kept.entry.replace(b"123456789012", b"999999999999"))
    for policy in (POLICY, None):
        report = verify_receipts([forged.encode()], policy)
        assert report.exit_code == 1
        assert f"#{INDEX}" in report.text()
        assert json.loads(report.to_json())["verdict"] == "findings"


def test_a_true_entry_under_another_number_is_named() -> None:
    """What stands at index 5 says of itself that it is another entry: the log itself is wrong."""
    report = verify_receipts([receipt(gift(6), index=5).encode()], POLICY)
    assert report.exit_code == 1


def test_a_bare_proof_cannot_be_checked_alone() -> None:
    report = verify_receipts([receipt().proof.encode()], POLICY)
    assert report.exit_code == 2
    assert "name the log" in report.text()


@pytest.mark.parametrize("data", [b"", b"\x01", b"PK\x03\x04", b"hello", b"c2sp.org/tlog-proof@v1\n", b"\xff" * 99])
def test_what_is_no_receipt_is_said_so(data: bytes) -> None:
    with pytest.raises(MalformedError):
        read_receipts(data)
    assert verify_receipts([data], POLICY).exit_code == 1


@FIXED
@given(st.binary(max_size=300))
def test_whatever_is_handed_in_is_read_or_refused(data: bytes) -> None:
    for each in (data, b"PK\x03\x04" + data, b"c2sp.org/tlog-proof@v1\n" + data):
        with pytest.raises(MalformedError):
            read_receipts(each)


# --- dossier ---


def dossier() -> bytes:
    return encode_dossier([receipt(index=number, size=40) for number in (7, 3, 39)], BESIDE)


def test_a_dossier_gives_its_receipts_back_in_order() -> None:
    assert read_receipts(dossier()) == [receipt(index=number, size=40) for number in (3, 7, 39)]


def test_the_same_content_gives_the_same_bytes() -> None:
    assert dossier() == dossier()
    assert sha256(dossier()).hexdigest() == GOLDEN_DOSSIER


def test_any_unzipper_reads_it_and_sha256_agrees_with_the_manifest() -> None:
    with zipfile.ZipFile(BytesIO(dossier())) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert names == sorted(names)
        manifest = json.loads(archive.read("manifest.json"))
        assert [each["path"] for each in manifest["files"]] == [name for name in names if name != "manifest.json"]
        for each in manifest["files"]:
            content = archive.read(each["path"])
            assert (each["bytes"], each["sha256"]) == (len(content), sha256(content).hexdigest())


@pytest.mark.parametrize("name", ["summary.txt", "entries/7.json", "proofs/39.tlog-proof", "manifest.json"])
def test_a_dossier_with_one_file_changed_is_refused(name: str) -> None:
    with pytest.raises(MalformedError, match="manifest"):
        decode_dossier(repacked({name: b"x"}))


def test_a_dossier_with_a_file_more_is_refused() -> None:
    with pytest.raises(MalformedError, match="manifest"):
        decode_dossier(repacked({"letter.txt": b"x"}))


def test_a_dossier_that_was_compressed_again_is_refused() -> None:
    with pytest.raises(MalformedError, match="stored"):
        decode_dossier(repacked({}, zipfile.ZIP_DEFLATED))


@FIXED
@given(data=st.data())
def test_whatever_is_changed_in_a_dossier_is_read_or_refused(data: st.DataObject) -> None:
    written = bytearray(dossier())
    for _ in range(data.draw(st.integers(1, 6))):
        written[data.draw(st.integers(0, len(written) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = decode_dossier(bytes(written[: data.draw(st.integers(0, len(written)))]))
    except MalformedError:
        return
    assert found == decode_dossier(dossier()), "only what the zip says beside its files"


def repacked(changed: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(BytesIO(dossier())) as old, zipfile.ZipFile(packed, "w", compression) as new:
        files = {name: old.read(name) for name in old.namelist()} | changed
        for name, content in files.items():
            new.writestr(name, content)
    return packed.getvalue()
