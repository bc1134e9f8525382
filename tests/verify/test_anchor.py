"""What holds a log to its past: signatures, witnesses, a saved checkpoint, a receipt."""

from dataclasses import replace

import pytest

from ledger.log.policy import Group, Log, Policy, Witness
from ledger.log.proof import LogProof
from ledger.log.tile import node_reader
from ledger.log.tree import EMPTY_ROOT, inclusion_proof
from ledger.verify.finding import WHOLE_LOG
from ledger.verify.report import Report
from ledger.verify.rule import Rule
from ledger.verify.source import SourceError
from ledger.verify.verifier import verify
from tests.support.keys import ed25519_cosigner, log_signer, ml_dsa_cosigner
from tests.support.merkle import flip
from tests.support.society import gift
from tests.verify.export import ORIGIN, POLICY, SIGNER, Memory, export, forged, read, sealed, signed
from tests.verify.forgeries.registry import free

OLD_SIZE = 300
WITNESSES = [ed25519_cosigner("auditor.example/w1"), ml_dsa_cosigner("university.example/w2")]
WITNESSED = Policy(
    logs=POLICY.logs,
    witnesses=tuple(
        Witness(name=f"w{i}", key=each.key, url="https://witness.example/") for i, each in enumerate(WITNESSES, 1)
    ),
    groups=(Group(name="both", threshold=2, members=("w1", "w2")),),
    quorum="both",
)


@pytest.fixture(scope="module")
def written() -> list[bytes]:
    pen = free()
    for i in range(600 - len(pen.written)):
        pen.write(gift(i % 9 + 1))
    return pen.written


@pytest.fixture(scope="module")
def log(written: list[bytes]) -> Memory:
    return export(written)


@pytest.fixture(scope="module")
def saved(written: list[bytes]) -> bytes:
    """What a visitor kept when the log was half as long."""
    return export(written[:OLD_SIZE]).checkpoint()


@pytest.fixture(scope="module")
def rewritten(written: list[bytes]) -> Memory:
    """The same log with one gift of long ago made out to another donor, and everything after it made to fit."""
    return export(forged(written, 100, lambda value: value["body"].update(donor="0" * 64)))


def receipt(written: list[bytes], index: int) -> bytes:
    log = export(written)
    hashes = inclusion_proof(index, len(written), node_reader(len(written), log.tile))
    return LogProof(index=index, hashes=tuple(hashes), checkpoint=log.checkpoint()).encode()


def findings(report: Report) -> list[tuple[int, Rule]]:
    return [(each.seq, each.rule) for each in report.findings]


def test_the_report_names_who_signed_and_who_witnessed(written: list[bytes]) -> None:
    report = verify(export(written, cosigners=WITNESSES, time_s=1_763_712_000), policy=WITNESSED)
    assert report.exit_code == 0
    assert report.signed_by == str(SIGNER.key)
    assert report.cosigned_at == {"w1": "2025-11-21T08:00:00Z", "w2": "2025-11-21T08:00:00Z"}


def test_without_a_key_the_report_says_that_no_signature_was_checked(log: Memory) -> None:
    report = verify(log, policy=None)
    assert (report.exit_code, report.signed_by, report.has_policy) == (0, "", False)
    assert "not checked" in report.text()


def test_a_log_signed_by_another_key_is_not_this_log(written: list[bytes]) -> None:
    report = verify(export(written, signer=log_signer("ledger.example.net/log")), policy=POLICY)
    assert findings(report) == [(WHOLE_LOG, Rule.CHECKPOINT_SIGNATURE)]
    stranger = Policy(logs=(Log(key=log_signer("ledger.example.net/log").key),))
    assert findings(verify(export(written), policy=stranger)) == [(WHOLE_LOG, Rule.CHECKPOINT_SIGNATURE)]


def test_another_origin_under_the_right_key_is_not_this_log(log: Memory) -> None:
    root = bytes.fromhex(verify(log, policy=None).root)
    other = Memory(log.files | {"checkpoint": signed(600, root, origin="ledger.example.net/log")})
    report = verify(other, policy=POLICY, meaning=False)
    assert findings(report) == [(WHOLE_LOG, Rule.CHECKPOINT_SIGNATURE)]


def test_too_few_witnesses_are_a_finding(written: list[bytes]) -> None:
    report = verify(export(written, cosigners=WITNESSES[:1], time_s=1), policy=WITNESSED)
    assert findings(report) == [(WHOLE_LOG, Rule.CHECKPOINT_QUORUM)]
    assert report.signed_by == str(SIGNER.key)
    assert list(report.cosigned_at) == ["w1"]


def test_a_forged_cosignature_rejects_the_checkpoint(written: list[bytes]) -> None:
    log = export(written, cosigners=WITNESSES[:1], time_s=1)
    note = log.files["checkpoint"]
    bad = Memory(log.files | {"checkpoint": note[:-6] + flip(note[-6:-5], 1) + note[-5:]})
    assert findings(verify(bad, policy=replace(WITNESSED, quorum="w1"), meaning=False)) == [
        (WHOLE_LOG, Rule.CHECKPOINT_SIGNATURE)
    ]


@pytest.mark.parametrize(
    "note", [b"", b"\n", b"nothing of the kind\n", b"\xff" * 100, b"a\n1\n\n\xe2\x80\x94 a AAAA\n"]
)
def test_bytes_that_are_no_checkpoint_are_a_finding(note: bytes) -> None:
    report = verify(Memory({"checkpoint": note}), policy=POLICY)
    assert findings(report) == [(WHOLE_LOG, Rule.CHECKPOINT_FORM)]
    assert (report.exit_code, report.hashed) == (1, 0)


def test_a_root_that_was_not_grown_from_the_entries_is_a_finding(log: Memory) -> None:
    lie = Memory(log.files | {"checkpoint": signed(600, bytes(32))})
    assert findings(verify(lie, policy=POLICY)) == [(WHOLE_LOG, Rule.CHECKPOINT_ROOT)]


def test_a_size_beyond_the_entries_is_a_finding(log: Memory, written: list[bytes]) -> None:
    lie = Memory(log.files | {"checkpoint": signed(2**62, bytes(32))})
    report = verify(lie, policy=POLICY)
    assert (512, Rule.BUNDLE_MISSING) in findings(report)
    assert report.hashed == len(written) // 256 * 256


def test_a_log_that_cannot_be_reached_was_not_checked() -> None:
    report = verify(Memory({}), policy=POLICY)
    assert (report.exit_code, report.findings) == (2, ())
    assert "could not check" in report.text()


def test_a_disk_that_fails_half_way_is_no_finding(log: Memory) -> None:
    class Failing(Memory):
        def _read(self, path: str) -> bytes:
            if path == "tile/entries/001":
                raise SourceError(f"{path}: input/output error")
            return super()._read(path)

    report = verify(Failing(log.files), policy=POLICY)
    assert (report.exit_code, report.findings, report.hashed) == (2, (), 0)
    assert "input/output error" in report.text()


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, OLD_SIZE, 599, 600])
def test_a_log_continues_what_it_was(log: Memory, written: list[bytes], size: int) -> None:
    report = verify(log, policy=POLICY, saved=export(written[:size]).checkpoint(), meaning=False)
    assert report.exit_code == 0
    assert report.is_saved_continued


def test_a_checkpoint_saved_before_its_witnesses_is_good_enough(written: list[bytes], saved: bytes) -> None:
    report = verify(export(written, cosigners=WITNESSES, time_s=1), policy=WITNESSED, saved=saved, meaning=False)
    assert report.exit_code == 0


def test_a_rewritten_log_does_not_continue_the_saved_checkpoint(rewritten: Memory, saved: bytes) -> None:
    assert verify(rewritten, policy=POLICY).exit_code == 0, "by itself it is flawless"
    report = verify(rewritten, policy=POLICY, saved=saved)
    assert findings(report) == [(WHOLE_LOG, Rule.CHECKPOINT_CONSISTENT)]
    assert report.is_saved_continued is False


def test_a_log_that_lost_its_end_does_not_continue_the_saved_checkpoint(written: list[bytes], log: Memory) -> None:
    shorter = export(written[:-1])
    assert verify(shorter, policy=POLICY).exit_code == 0
    report = verify(shorter, policy=POLICY, saved=log.checkpoint())
    assert findings(report) == [(WHOLE_LOG, Rule.CHECKPOINT_CONSISTENT)]
    assert "at least 600 entries" in report.findings[0].expected


def test_two_histories_of_one_size_are_told_apart(log: Memory, rewritten: Memory) -> None:
    report = verify(rewritten, policy=POLICY, saved=log.checkpoint(), meaning=False)
    assert findings(report) == [(WHOLE_LOG, Rule.CHECKPOINT_CONSISTENT)]


def test_a_saved_checkpoint_of_another_log_says_nothing_about_this_one(log: Memory) -> None:
    other = signed(0, EMPTY_ROOT, origin="a.example/log", signer=log_signer("a.example/log"))
    for policy in (POLICY, None):
        report = verify(log, policy=policy, saved=other, meaning=False)
        assert findings(report) == [(WHOLE_LOG, Rule.CHECKPOINT_CONSISTENT)]


def test_wrong_tiles_cannot_make_a_rewritten_log_consistent(rewritten: Memory, log: Memory, saved: bytes) -> None:
    tiles = {path: data for path, data in log.files.items() if path.startswith(("tile/0/", "tile/1/"))}
    report = verify(Memory(rewritten.files | tiles), policy=POLICY, saved=saved)
    assert {Rule.TILE_HASH, Rule.CHECKPOINT_CONSISTENT} == set(report.counts)


@pytest.mark.parametrize("index", [0, 100, 255, 256, 299])
def test_a_receipt_holds_as_the_log_grows(log: Memory, written: list[bytes], index: int) -> None:
    report = verify(log, policy=POLICY, receipts=[receipt(written[:OLD_SIZE], index)], meaning=False)
    assert (report.exit_code, report.receipts) == (0, 1)


def test_one_receipt_catches_a_rewritten_log(rewritten: Memory, written: list[bytes]) -> None:
    report = verify(rewritten, policy=POLICY, receipts=[receipt(written[:OLD_SIZE], 100)])
    assert findings(report) == [(100, Rule.RECEIPT)]
    other = verify(rewritten, policy=POLICY, receipts=[receipt(written[:OLD_SIZE], 50)])
    assert findings(other) == [(WHOLE_LOG, Rule.RECEIPT)], "of an entry that was not touched: the tree was"


def test_a_receipt_beyond_the_end_shows_that_the_log_lost_entries(written: list[bytes]) -> None:
    report = verify(export(written[:200]), policy=POLICY, receipts=[receipt(written, 500)], meaning=False)
    assert findings(report) == [(WHOLE_LOG, Rule.RECEIPT)]


def test_a_receipt_with_a_proof_of_another_entry_is_refused(log: Memory, written: list[bytes]) -> None:
    proof = LogProof.parse(receipt(written[:OLD_SIZE], 100))
    report = verify(log, policy=POLICY, receipts=[replace(proof, index=101).encode()], meaning=False)
    assert findings(report) == [(101, Rule.RECEIPT)]


@pytest.mark.parametrize("data", [b"", b"c2sp.org/tlog-proof@v1\nindex 1\n\n", b"\xff\xff"])
def test_a_file_that_is_no_receipt_is_named(log: Memory, data: bytes) -> None:
    assert findings(verify(log, policy=POLICY, receipts=[data], meaning=False)) == [(WHOLE_LOG, Rule.RECEIPT)]


def test_a_log_whose_origin_is_not_its_checkpoints_is_named(written: list[bytes]) -> None:
    signer = log_signer("ledger.example.net/log")
    log = export(written[:1], origin=signer.key.name, signer=signer)
    report = verify(log, policy=Policy(logs=(Log(key=signer.key),)))
    assert findings(report) == [(0, Rule.LOG_OPENED)]
    assert report.origin != ORIGIN


def test_the_number_of_findings_kept_is_bounded_and_all_are_counted(written: list[bytes]) -> None:
    log = read(written)
    for value in log[100:]:
        value["body"]["on"] = "2027-01-01"
    report = verify(export(sealed(log)), policy=POLICY, listed=10)
    assert len(report.findings) == 10
    assert report.counts == {Rule.BUSINESS_DATE: 500}
    assert "500 findings, 10 listed" in report.text()
