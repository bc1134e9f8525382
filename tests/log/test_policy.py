"""Policies: reading and writing them, and which witnesses are enough."""

from dataclasses import replace
from itertools import combinations

import pytest

from ledger.log.checkpoint import Checkpoint
from ledger.log.cosignature import Cosigner
from ledger.log.errors import MalformedError, QuorumError, SignatureError
from ledger.log.key import ED25519, ED25519_COSIGNATURE, VerifierKey
from ledger.log.note import Signature
from ledger.log.policy import Group, Log, Policy, Witness
from tests.support.keys import ORIGIN, ed25519_cosigner, log_signer, ml_dsa_cosigner
from tests.support.merkle import mth

LOG = log_signer()
X = [ed25519_cosigner(f"x{i}.example") for i in (1, 2, 3)]
Y = [ed25519_cosigner("y1.example"), ml_dsa_cosigner("y2.example")]
CHECKPOINT = Checkpoint(origin=ORIGIN, size=5, root=mth(0, 5))
TIME_S = 1_700_000_000

TEXT = (
    f"log {LOG.key} https://ledger.example/log\n"
    f"witness X1 {X[0].key} https://x1.example\n"
    f"witness X2 {X[1].key} https://x2.example\n"
    f"witness X3 {X[2].key} https://x3.example\n"
    f"witness 审计 {Y[0].key} https://y1.example\n"
    f"witness Y2 {Y[1].key} https://y2.example\n"
    "group X-witnesses 2 X1 X2 X3\n"
    "group Y-witnesses any 审计 Y2\n"
    "group X-and-Y all X-witnesses Y-witnesses\n"
    "quorum X-and-Y\n"
)
POLICY = Policy.parse(TEXT)


def test_a_policy_is_written_as_it_was_read() -> None:
    assert POLICY.encode() == TEXT
    assert POLICY.logs == (Log(key=LOG.key, url="https://ledger.example/log"),)
    assert POLICY.witnesses[3] == Witness(name="审计", key=Y[0].key, url="https://y1.example")
    assert POLICY.groups[0] == Group(name="X-witnesses", threshold=2, members=("X1", "X2", "X3"))
    assert POLICY.quorum == "X-and-Y"


def test_blanks_comments_and_order_among_logs_and_witnesses_do_not_matter() -> None:
    lines = TEXT.splitlines()
    loose = [*lines[1:6], "", "  # who is who \t", "#quorum none", *lines[6:], lines[0]]
    assert Policy.parse("\n".join("\t " + line.replace(" ", "  \t") + " " for line in loose)) == POLICY


def test_what_is_no_utf8_stays_opaque() -> None:
    data = "# 衢州\n".encode("gbk") + b"quorum none\n"
    assert Policy.parse(data.decode(errors="surrogateescape")) == Policy()


def test_urls_are_optional_to_read_but_never_left_out_for_a_witness() -> None:
    policy = Policy.parse(f"log {LOG.key}\nwitness w {X[0].key}\nquorum w\n")
    assert policy.logs[0].url == policy.witnesses[0].url == ""
    with pytest.raises(MalformedError, match="witness w: expected a URL"):
        policy.encode()
    assert Policy.parse(f"log {LOG.key}\nquorum none\n").encode() == f"log {LOG.key}\nquorum none\n"


def test_thresholds_count_members_at_every_level() -> None:
    names = ["X1", "X2", "X3", "审计", "Y2"]
    for count in range(6):
        for cosigned in combinations(names, count):
            enough = sum(name.startswith("X") for name in cosigned) >= 2 and bool({"审计", "Y2"} & set(cosigned))
            assert POLICY.is_witnessed_by(cosigned) == enough


def test_a_group_or_a_stranger_among_the_cosigners_counts_for_nothing() -> None:
    assert not POLICY.is_witnessed_by(["X-and-Y", "X-witnesses", "Y-witnesses", "X4", "none"])


def test_a_quorum_may_be_one_witness_or_none() -> None:
    witness = f"witness w {X[0].key}\n"
    assert not Policy.parse(f"{witness}quorum w\n").is_witnessed_by([])
    assert Policy.parse(f"{witness}quorum w\n").is_witnessed_by(["w"])
    assert Policy.parse(f"{witness}quorum none\n").is_witnessed_by([])


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("quorum X-and-Y\n", "", "expected one quorum line, found 0"),
        ("quorum X-and-Y\n", "quorum X-and-Y\nquorum none\n", "expected one quorum line, found 2"),
        ("quorum X-and-Y", "quorum X1 X2", "line 10: expected a log, witness, group or quorum"),
        ("quorum X-and-Y", "quorum Z", "line 10: quorum: expected a name defined before or none, found Z"),
        ("group X-witnesses 2", "group X-witnesses 4", "threshold of 1 to 3, found 4"),
        ("group X-witnesses 2", "group X-witnesses 0", "threshold of 1 to 3, found 0"),
        ("group X-witnesses 2", "group X-witnesses 02", "without leading zeros, found '02'"),
        ("group X-witnesses 2", "group X-witnesses ALL", "without leading zeros, found 'ALL'"),
        ("2 X1 X2 X3", "any", "threshold of 1 to 0"),
        ("2 X1 X2 X3", "2 X1 X2 none", "defined before and free, found none"),
        ("2 X1 X2 X3", "2 X1 X2 X-witnesses", "defined before and free, found X-witnesses"),
        ("2 X1 X2 X3", "2 X1 X2 Y-witnesses", "defined before and free, found Y-witnesses"),
        ("2 X1 X2 X3", "2 X1 X2 X2", "defined before and free, found X2"),
        ("any 审计 Y2", "any 审计 X1", "defined before and free, found X1"),
        ("witness X2", "witness X1", "expected a new one, found X1 again"),
        ("witness X2", "witness none", "expected a new one, found none again"),
        ("group Y-witnesses", "group X1", "expected a new one, found X1 again"),
        (f"X2 {X[1].key}", f"X2 {X[0].key}", "expected each key once"),
        (f"X2 {X[1].key}", f"X2 {log_signer('x2.example').key}", "expected type 04 or 06, found 01"),
        (f"log {LOG.key}", f"log {X[1].key}", "expected type 01 or 06, found 04"),
        (f"log {LOG.key}", f"log {LOG.key} https://a.example", "line 1: expected a log"),
        (f"log {LOG.key}", f"log {str(LOG.key)[:-2]}", "line 1: vkey ledger.example/log: expected"),
        (f"log {LOG.key} https://ledger.example/log", "log", "line 1: expected a log"),
        ("witness X1", "witness", "line 2: vkey"),
        ("witness X1", "Witness X1", "line 2: expected a log"),
        ("quorum X-and-Y\n", "quorum X-and-Y\r\n", "no control character but tab and newline"),
        ("quorum X-and-Y\n", "quorum X-and-Y\n#\0\n", "no control character but tab and newline"),
        ("\n", "\n" * 200, "expected at most 1000 lines"),
    ],
)
def test_a_malformed_policy_is_refused(old: str, new: str, reason: str) -> None:
    with pytest.raises(MalformedError) as raised:
        Policy.parse(TEXT.replace(old, new))
    assert reason in str(raised.value)


def test_a_name_used_before_it_is_defined_is_refused() -> None:
    late = f"group g any w\nwitness w {X[0].key}\nquorum g\n"
    with pytest.raises(MalformedError, match="line 1: group g: expected a name defined before and free, found w"):
        Policy.parse(late)
    with pytest.raises(MalformedError, match="line 1: quorum: expected a name defined before"):
        Policy.parse(f"quorum w\nwitness w {X[0].key}\n")


def test_one_key_under_two_names_is_not_two_witnesses() -> None:
    twin = VerifierKey("twin.example", ED25519_COSIGNATURE, X[0].key.public_key)
    with pytest.raises(MalformedError, match=r"witness key twin\.example: expected each key once"):
        Policy.parse(f"witness a {X[0].key}\nwitness b {twin}\ngroup g all a b\nquorum g\n")


def test_a_policy_made_in_the_program_is_checked_as_one_read_from_a_file() -> None:
    with pytest.raises(MalformedError, match="without blanks"):
        Policy(witnesses=(Witness(name="two words", key=X[0].key),))
    with pytest.raises(MalformedError, match="URL"):
        Policy(logs=(Log(key=LOG.key, url="https://a.example\nquorum none"),))


def test_a_checkpoint_with_enough_cosignatures_opens() -> None:
    data = _signed(X[0], X[2], Y[1])
    witnessed = POLICY.open_checkpoint(data)
    assert witnessed.checkpoint == CHECKPOINT
    assert witnessed.log.key == LOG.key
    assert witnessed.cosigned_at_s == {"X1": TIME_S, "X3": TIME_S + 1, "Y2": TIME_S + 2}


def test_the_latest_of_a_witnesss_cosignatures_counts() -> None:
    assert POLICY.open_checkpoint(_signed(X[0], Y[1], X[0], X[1], Y[1], X[0])).cosigned_at_s == {
        "X1": TIME_S + 5,
        "X2": TIME_S + 3,
        "Y2": TIME_S + 4,
    }


def test_a_checkpoint_is_as_new_as_enough_of_its_witnesses_say() -> None:
    times_s = {"X1": 10, "X2": 20, "X3": 30, "审计": 25}
    assert POLICY.witnessed_at_s(times_s) == 20, "X2 and X3 are enough, one of them alone is not"
    assert POLICY.witnessed_at_s(times_s | {"Y2": 40}) == 20
    assert POLICY.witnessed_at_s(times_s | {"审计": 5}) == 5
    assert POLICY.witnessed_at_s({"X1": 10, "X2": 20}) is None
    assert replace(POLICY, quorum="none").witnessed_at_s(times_s) == 30
    assert Policy().witnessed_at_s({}) is None


def test_too_few_cosignatures_are_refused_by_name() -> None:
    with pytest.raises(QuorumError, match="expected enough for the quorum X-and-Y, found X1, Y2"):
        POLICY.open_checkpoint(_signed(X[0], Y[1]))
    with pytest.raises(QuorumError, match="found none"):
        POLICY.open_checkpoint(_signed())


def test_the_same_witness_twice_counts_once() -> None:
    with pytest.raises(QuorumError):
        POLICY.open_checkpoint(_signed(X[0], X[0], Y[1]))


def test_witnesses_without_the_log_are_refused() -> None:
    lines = [cosigner.sign(CHECKPOINT, time_s=TIME_S) for cosigner in (*X, *Y)]
    with pytest.raises(SignatureError, match=r"a log named ledger\.example/log, found none"):
        POLICY.open_checkpoint(CHECKPOINT.signed(lines))


def test_a_log_of_the_policy_signing_in_the_name_of_another_is_refused() -> None:
    other = log_signer("other.example/log")
    policy = Policy.parse(f"log {LOG.key}\nlog {other.key}\nquorum none\n")
    with pytest.raises(SignatureError, match=r"a log named ledger\.example/log, found none"):
        policy.open_checkpoint(CHECKPOINT.signed([other.sign(CHECKPOINT.text)]))
    both = CHECKPOINT.signed([other.sign(CHECKPOINT.text), LOG.sign(CHECKPOINT.text)])
    assert policy.open_checkpoint(both).log.key == LOG.key


def test_a_policy_without_logs_opens_nothing() -> None:
    with pytest.raises(SignatureError):
        Policy().open_checkpoint(_signed())


def test_a_forged_cosignature_spoils_a_quorum_met_by_others() -> None:
    forged = Signature(X[1].key.name, X[1].key.id, bytes(72))
    data = _signed(X[0], X[2], Y[1]) + forged.encode()
    with pytest.raises(SignatureError, match=r"x2\.example"):
        POLICY.open_checkpoint(data)


def test_a_witnesss_plain_signature_is_no_cosignature() -> None:
    plain = log_signer(X[1].key.name)
    assert plain.key.type == ED25519
    data = _signed(X[0], Y[1]) + plain.sign(CHECKPOINT.text).encode()
    with pytest.raises(QuorumError):
        POLICY.open_checkpoint(data)


def _signed(*cosigners: Cosigner) -> bytes:
    lines = [cosigner.sign(CHECKPOINT, time_s=TIME_S + i) for i, cosigner in enumerate(cosigners)]
    return CHECKPOINT.signed([LOG.sign(CHECKPOINT.text), *lines])
