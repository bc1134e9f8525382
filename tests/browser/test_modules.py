"""The site's modules in node, on real proofs: three browsers (all native, no Ed25519, no WebCrypto), every forgery."""

import asyncio
import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.browser.conftest import Genuine
from tests.browser.given import FORGERIES, SEEN_AT_S, Evidence, evidence, post_quantum, seen
from tests.support.office import CITY, Office, gift
from tests.support.package import installed
from tests.support.vectors import cases

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent
STATIC = HERE.parents[1] / "public_site/static"
ENGINES = {
    "native": {"hash": "native", "signature": "native", "box": "native"},
    "older": {"hash": "native", "signature": "own", "box": "native"},
    "insecure": {"hash": "own", "signature": "own", "box": "own"},
}
STEPS = ["record", "inclusion", "signature", "witnesses", "receipt", "donor", "shown"]
WAIT_S_MAX = 120


@pytest.fixture
def kept(genuine: Genuine) -> Evidence:
    return genuine.kept


async def checked(tried: dict[str, Evidence], modules: Path = STATIC) -> dict[tuple[str, str], Any]:
    """(browser, case) → what the modules found."""
    given = {name: each.json() for name, each in tried.items()}
    said = await asyncio.to_thread(node, "check.mjs", {"modules": str(modules), "cases": given})
    return {(each["browser"], each["name"]): each for each in said}


def node(script: str, given: object) -> Any:
    program = shutil.which("node") or shutil.which("nodejs")
    if program is None:
        pytest.skip("NO NODE: the site's modules were not run; apt-get install nodejs")
    done = subprocess.run(
        [program, str(HERE / script)],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=WAIT_S_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


async def test_a_genuine_gift_passes_every_step_in_every_browser(kept: Evidence) -> None:
    found = await checked({"genuine": kept})
    for browser, used in ENGINES.items():
        answer = found[browser, "genuine"]
        assert answer["failed"] == "", answer
        assert [(each["id"], each["state"]) for each in answer["steps"]] == [(step, "passed") for step in STEPS]
        assert answer["used"] == used, "this engine answered, and no other"
        _, _, signature, witnesses, _, donor, _ = answer["steps"]
        assert signature["by"].startswith("sunshine-ledger.example/log+")
        assert witnesses["seen"] == [{"name": f"w{i}", "time": SEEN_AT_S} for i in (1, 2)]
        assert (donor["channel"], donor["reference"]) == ("bank", "20260622000004")


async def test_every_forgery_is_refused_at_its_step_in_every_browser(kept: Evidence) -> None:
    found = await checked({forge.__name__: forge(kept) for forge in FORGERIES})
    for forge, step in FORGERIES.items():
        for browser in ENGINES:
            answer = found[browser, forge.__name__]
            assert answer["failed"] == step, (browser, answer)
            assert answer["used"] == engine_of(forge(kept), step, browser), forge.__name__
            assert all(each["why"] for each in answer["steps"] if each["state"] == "failed")


def engine_of(forged: Evidence, step: str, browser: str) -> dict[str, str]:
    """Who has to have answered: nobody before the bytes are read, and nobody opens a box that is not there."""
    used = {} if step == "record" else ENGINES[browser]
    return {what: engine for what, engine in used.items() if what != "box" or forged.box}


@pytest.mark.parametrize("left_out", ["spoken", "amount", "on", "seq", "sha256", "remainder", "part", "state"])
async def test_a_page_that_leaves_out_one_of_its_marks_is_refused(kept: Evidence, left_out: str) -> None:
    shown = tuple(each for each in kept.shown if each[0].split(":")[0] != left_out)
    found = await checked({"x": replace(kept, shown=shown)})
    for browser, used in ENGINES.items():
        answer = found[browser, "x"]
        assert (answer["failed"], answer["used"]) == ("shown", used)
        assert all(each["state"] == "passed" for each in answer["steps"][:-1])


async def test_the_modules_of_a_built_package_find_the_same(kept: Evidence, tmp_path: Path) -> None:
    built = tmp_path / "modules"
    shutil.copytree(installed(tmp_path) / "public_site/static", built)
    tried = {"genuine": kept} | {forge.__name__: forge(kept) for forge in FORGERIES}
    assert await checked(tried, built) == await checked(tried)


async def test_a_code_shown_another_gift_is_refused_though_all_else_is_true(kept: Evidence, genuine: Genuine) -> None:
    """Another gift of the same amount would look the same: the receipt commitment tells them apart, and the box."""
    other = next(code for code in genuine.office.codes.values() if code != kept.code)
    answer = (await checked({"x": replace(kept, code=other)}))["native", "x"]
    states = {each["id"]: each["state"] for each in answer["steps"]}
    assert states == {**dict.fromkeys(STEPS, "passed"), "receipt": "failed", "donor": "failed"}


async def test_a_log_without_witnesses_is_told_apart_and_another_is_as_new_as_enough_of_its_witnesses_say(
    kept: Evidence,
) -> None:
    both = seen(kept, 0, 5)
    either = replace(both, policy=kept.policy.replace("both all w1 w2", "both any w1 w2"))
    nobody = replace(both, policy=kept.policy.split("group ")[0] + "quorum none\n")
    alone = replace(kept, policy=kept.policy.split("witness ")[0] + "quorum none\n")
    found = await checked({"both": both, "either": either, "nobody": nobody, "alone": alone})
    at_s = {"both": SEEN_AT_S - 5 * 86_400, "either": SEEN_AT_S, "nobody": SEEN_AT_S, "alone": 0}
    for (browser, name), answer in found.items():
        assert answer["failed"] == "", (browser, name)
        state = "absent" if name == "alone" else "passed"
        assert (answer["steps"][3]["state"], answer["steps"][3]["at"]) == (state, at_s[name]), (browser, name)


async def test_a_post_quantum_witness_is_not_counted_as_checked(kept: Evidence) -> None:
    cosigned = post_quantum(kept, beside=True)
    both = replace(cosigned, policy=cosigned.policy.replace("both all w1 w2", "both all w1 w2 w3"))
    found = await checked({"with": both, "without": replace(both, proof=kept.proof)})
    step = found["native", "with"]["steps"][3]
    assert (step["state"], [each["name"] for each in step["seen"]], step["unread"]) == ("absent", ["w1", "w2"], ["w3"])
    assert found["native", "without"]["failed"] == "witnesses"


async def test_an_erased_box_leaves_one_step_unchecked(kept: Evidence) -> None:
    answer = (await checked({"erased": replace(kept, box=b"")}))["native", "erased"]
    states = {each["id"]: each["state"] for each in answer["steps"]}
    assert (answer["failed"], states) == ("", {**dict.fromkeys(STEPS, "passed"), "donor": "absent"})


async def test_a_gift_without_a_receipt_commitment_belongs_to_no_code(kept: Evidence) -> None:
    """No gift of this log lacks it; one that did could be shown to anybody."""
    bare = re.sub(rb'"receipt":"[0-9a-f]{64}",', b"", kept.entry)
    answer = (await checked({"x": replace(kept, entry=bare)}))["native", "x"]
    assert {each["id"]: each["state"] for each in answer["steps"]}["receipt"] == "failed"


async def test_a_key_that_is_not_what_its_id_says_is_refused(kept: Evidence) -> None:
    forged = kept.policy.replace("log ", "log x", 1)
    answer = (await checked({"x": replace(kept, policy=forged)}))["native", "x"]
    assert answer["failed"] == "signature"


def test_our_own_cryptography_agrees_with_nodes() -> None:
    said = node("own.mjs", {"modules": str(STATIC), "vectors": []})
    assert said["wrong"] == []
    assert said["compared"] == 2 * 400 + 4 * 29 + 2 * 24


def test_what_is_answered_to_the_published_edge_cases_is_on_record() -> None:
    """Keys of low order or spelled twice are refused; for the rest our own, node's and the verifier agree: 86 yes."""
    said = node("own.mjs", {"modules": str(STATIC), "vectors": cases("ed25519/ed25519vectors.json")})
    assert said["wrong"] == []
    assert said["accepted"] == {"own": 86, "native": 86}


async def test_a_right_gift_and_the_wrong_one_before_it_both_pass_every_step(
    office: Office, visitor: httpx.AsyncClient
) -> None:
    answer = (await office.post("gifts", gift(channel_ref="wrong"))).json()
    wrong, code = answer["entries"][0]["seq"], answer["receipt_code"]
    said = {"org": CITY, "on": "2026-07-01"}
    correction = {**said, "ref": wrong, "reason": "金额录入有误", "statement": "多记一位，现予更正。"}
    made = (await office.post("reversals", correction)).json()
    await office.post(f"proposals/{made['proposal']}/approval", who="checker")
    right = {**said, "corrects": wrong, "fund": "general", "amount_fen": 1_000}
    entered = await office.post("right-gifts", right, headers={"Prefer": "wait=9"})
    assert entered.json()["state"] == "published", entered.text
    kept = {"right": await evidence(office, visitor, code), "wrong": await evidence(office, visitor, code, wrong)}
    found = await checked(kept)
    for browser in ENGINES:
        for name in kept:
            assert found[browser, name]["failed"] == "", found[browser, name]
