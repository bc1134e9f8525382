"""`sunledger verify` as an auditor runs it."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from ledger import verify_command as verify_module
from ledger.log.proof import LogProof
from ledger.receipt.compact import encode_compact
from ledger.receipt.dossier import encode_dossier
from ledger.receipt.receipt import Receipt
from ledger.verify_command import verify_command
from tests.support.keys import log_signer
from tests.support.society import gift
from tests.verify.export import SIGNER, Memory, export, forged
from tests.verify.forgeries.registry import free
from tests.verify.test_anchor import receipt

app = typer.Typer()
app.command()(verify_command)


@pytest.fixture(scope="module")
def written() -> list[bytes]:
    pen = free()
    for i in range(20):
        pen.write(gift(i + 1))
    return pen.written


@pytest.fixture
def site(written: list[bytes], tmp_path: Path) -> Path:
    export(written).write(tmp_path / "site")
    return tmp_path / "site"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments)])


def test_a_good_log_is_code_0(site: Path) -> None:
    result = run(site, "--key", SIGNER.key)
    assert result.exit_code == 0, result.output
    assert "everything holds" in result.stdout
    assert str(SIGNER.key) in result.stdout


def test_a_key_is_told_to_be_missing(site: Path) -> None:
    result = run(site)
    assert result.exit_code == 0
    assert "--key" in result.stdout
    assert "everything holds" not in result.stdout


def test_findings_are_code_1_and_name_entry_rule_expected_and_found(written: list[bytes], tmp_path: Path) -> None:
    export(forged(written, -1, lambda value: value["body"].update(on="2027-01-01"))).write(tmp_path)
    result = run(tmp_path, "--key", SIGNER.key)
    assert result.exit_code == 1
    for words in (f"#{len(written) - 1}", "business-date", "业务日期", "a day until 2026-11-21", "2027-01-01"):
        assert words in result.stdout


def test_a_log_that_is_not_there_is_code_2(tmp_path: Path) -> None:
    result = run(tmp_path / "nowhere", "--key", SIGNER.key)
    assert result.exit_code == 2
    assert "could not check" in result.stdout


def test_the_report_as_json(site: Path) -> None:
    result = run(site, "--key", SIGNER.key, "--json")
    report = json.loads(result.stdout)
    assert (report["verdict"], report["findings"], report["replayed"]) == ("good", [], report["size"])
    assert report["kinds"]["money.received"] == 20
    assert report["totals_fen"] == {"received": 210, "resting": 210}


def test_findings_as_json(written: list[bytes], tmp_path: Path) -> None:
    export(forged(written, -1, lambda value: value["body"].update(on="2027-01-01"))).write(tmp_path)
    result = run(tmp_path, "--json")
    (finding,) = json.loads(result.stdout)["findings"]
    assert finding == {
        "seq": len(written) - 1,
        "rule": "business-date",
        "expected": "a day until 2026-11-21",
        "found": "2027-01-01",
        "place": "",
    }
    assert result.exit_code == 1


def test_bytes_alone(written: list[bytes], tmp_path: Path) -> None:
    export(forged(written, -1, lambda value: value["body"].update(on="2027-01-01"))).write(tmp_path)
    result = run(tmp_path, "--key", SIGNER.key, "--bytes-only")
    assert result.exit_code == 0
    assert "--bytes-only" in result.stdout


def test_a_checkpoint_is_kept_and_held_against_the_next_visit(written: list[bytes], tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    export(written[:-5]).write(tmp_path / "then")
    assert run(tmp_path / "then", "--key", SIGNER.key, "--save", kept).exit_code == 0
    export(written).write(tmp_path / "now")
    assert run(tmp_path / "now", "--key", SIGNER.key, "--saved", kept).exit_code == 0
    rewritten = forged(written, len(written) - 9, lambda value: value["body"].update(donor="0" * 64))
    export(rewritten).write(tmp_path / "rewritten")
    result = run(tmp_path / "rewritten", "--key", SIGNER.key, "--saved", kept)
    assert result.exit_code == 1
    assert "checkpoint-consistent" in result.stdout


def test_nothing_is_kept_of_a_log_with_findings(written: list[bytes], tmp_path: Path) -> None:
    log = export(written)
    Memory({path: data for path, data in log.files.items() if not path.startswith("tile/0")}).write(tmp_path)
    assert run(tmp_path, "--key", SIGNER.key, "--save", tmp_path / "kept").exit_code == 1
    assert not (tmp_path / "kept").exists()


def test_a_receipt_is_held_against_the_log(site: Path, written: list[bytes], tmp_path: Path) -> None:
    (tmp_path / "mine.tlog-proof").write_bytes(receipt(written[:-3], len(written) - 8))
    assert run(site, "--key", SIGNER.key, "--receipt", tmp_path / "mine.tlog-proof").exit_code == 0
    export(written[:-9]).write(tmp_path / "shorter")
    result = run(tmp_path / "shorter", "--receipt", tmp_path / "mine.tlog-proof")
    assert result.exit_code == 1
    assert "receipt" in result.stdout


def kept(written: list[bytes], index: int) -> Receipt:
    """A receipt as a donor downloads it."""
    return Receipt(entry=written[index], proof=LogProof.parse(receipt(written, index)))


@pytest.mark.parametrize("encode", [Receipt.encode, encode_compact, lambda each: encode_dossier([each], {})])
def test_every_form_of_receipt_is_checked_alone_and_against_its_log(
    site: Path, written: list[bytes], tmp_path: Path, encode: Callable[[Receipt], bytes]
) -> None:
    index = len(written) - 8
    file = tmp_path / "mine"
    file.write_bytes(encode(kept(written[:-3], index)))
    alone = run("--receipt", file, "--key", SIGNER.key)
    assert (alone.exit_code, f"#{index} money.received" in alone.stdout) == (0, True)
    assert run(site, "--receipt", file, "--key", SIGNER.key).exit_code == 0
    export(forged(written, index, lambda value: value["body"].update(donor="0" * 64))).write(tmp_path / "rewritten")
    result = run(tmp_path / "rewritten", "--receipt", file, "--key", SIGNER.key)
    assert result.exit_code == 1
    assert f"#{index}  receipt" in result.stdout
    other = run("--receipt", file, "--key", log_signer("a.example/log").key)
    assert (other.exit_code, "凭证不成立" in other.stdout) == (1, True)


def test_a_log_that_serves_another_entry_than_the_receipt_holds_is_named(
    site: Path, written: list[bytes], tmp_path: Path
) -> None:
    """Proof and log agree; the entry in the file is not the one they are about."""
    file = tmp_path / "mine"
    file.write_bytes(Receipt(entry=written[3], proof=LogProof.parse(receipt(written, 4))).encode())
    result = run(site, "--receipt", file, "--key", SIGNER.key)
    assert (result.exit_code, "#4  receipt" in result.stdout) == (1, True)
    assert run("--receipt", file, "--key", SIGNER.key).exit_code == 1


def test_a_command_without_log_and_receipt_is_told_what_to_name(tmp_path: Path) -> None:
    assert run().exit_code == 2
    assert run("--saved", __file__, "--receipt", __file__).exit_code == 2
    (tmp_path / "proof").write_bytes(b"c2sp.org/tlog-proof@v1\n")
    assert run("--receipt", tmp_path / "proof", "--json").exit_code == 1


def test_a_file_larger_than_any_receipt_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_module, "MAX_RECEIPT_BYTES", 1_000)
    for size, exit_code, said in ((1_000, 1, ""), (1_001, 2, "more than the 1000 bytes")):
        (tmp_path / "proof").write_bytes(b"c2sp.org/tlog-proof@v1\n".ljust(size, b"a"))
        result = run("--receipt", tmp_path / "proof")
        assert result.exit_code == exit_code
        assert said in " ".join(re.sub("[│╭╮╰╯─]", " ", result.stderr).split())


def test_a_policy_names_log_and_witnesses(site: Path, tmp_path: Path) -> None:
    policy = tmp_path / "policy"
    policy.write_text(f"log {SIGNER.key}\nquorum none\n")
    assert run(site, "--policy", policy).exit_code == 0
    assert run(site, "--policy", policy, "--key", SIGNER.key).exit_code == 2
    policy.write_text("quorum some\n")
    assert run(site, "--policy", policy).exit_code == 2
    assert run(site, "--key", "no key").exit_code == 2
