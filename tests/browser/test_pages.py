"""The trace page in a real browser, with the real policy: what a donor sees of her own device's check."""

import base64
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from public_site.messages import clock
from tests.browser.conftest import HOST, Genuine
from tests.browser.given import (
    FORGERIES,
    SEEN_AT_S,
    Evidence,
    amount_changed,
    code_of_another,
    cosignature_removed,
    hash_swapped,
    index_changed,
    no_gift,
    post_quantum,
    root_edited,
    size_edited,
    template_lies,
    template_says_nothing,
)
from tests.support.browser import Page

pytestmark = pytest.mark.browser

NO_ED25519 = """
const real = SubtleCrypto.prototype.importKey;
SubtleCrypto.prototype.importKey = function (format, key, algorithm, ...rest) {
  if (algorithm.name === "Ed25519") return Promise.reject(new DOMException("Unrecognized name", "NotSupportedError"));
  return real.call(this, format, key, algorithm, ...rest);
};
"""
ENGINES = {
    "native": ("http://127.0.0.1", "", "hash:native signature:native box:native"),
    "older": ("http://127.0.0.1", NO_ED25519, "hash:native signature:own box:native"),
    "insecure": (f"http://{HOST}", "", "hash:own signature:own box:own"),
}
WATCH_SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) if (!each.hadRecentInput) window.shifted += each.value;
}).observe({ type: "layout-shift", buffered: true });
"""
KEEP_BLOBS = """
const make = URL.createObjectURL;
URL.createObjectURL = (blob) => { window.kept = blob; return make.call(URL, blob); };
"""
DONE = "!['', 'checking'].includes((document.getElementById('ver') || { dataset: { state: '' } }).dataset.state || '')"
STEPS = "Array.from(document.querySelectorAll('[data-step]'), (each) => [each.dataset.step, each.dataset.state])"


@pytest.fixture
def address(genuine: Genuine) -> str:
    return genuine.address


@pytest.fixture
def code(genuine: Genuine) -> str:
    return genuine.code


@pytest.fixture
def kept(genuine: Genuine) -> Evidence:
    return genuine.kept


async def look_up(page: Page, address: str, code: str, engine: str = "native", language: str = "") -> str:
    """From the printed link to what the panel says. `language`: "/en" or nothing."""
    origin, script, _ = ENGINES[engine]
    await page.before_scripts(script + WATCH_SHIFTS + KEEP_BLOBS)
    await page.open(f"{address.replace('http://127.0.0.1', origin)}{language}/r#{code}")
    await page.until(DONE)
    return str(await page.value("document.getElementById('ver').dataset.state"))


def served(kept: Evidence) -> dict[str, Callable[[bytes], bytes]]:
    """A site that serves this: on it, witnesses have cosigned."""

    def page(html: bytes) -> bytes:
        text = html.decode()
        given = {"code": kept.code, "seq": kept.seq, "box": base64.b64encode(kept.box).decode()}
        for name, value in given.items():
            text = re.sub(rf'(id="ver".* data-{name}=)"[^"]*"', rf'\g<1>"{value}"', text)
        for what, said in kept.shown[2:]:
            if what in {"on", "seq", "sha256"}:
                text = re.sub(rf'(data-shown="{what}">)[^<]*', rf"\g<1>{said}", text)
        if not kept.shown:
            return text.replace(" data-shown=", " data-told=").encode()
        return text.replace("¥3,000.00", next(said for what, said in kept.shown if what == "amount")).encode()

    return {
        f"/entries/{kept.seq}/bytes": lambda _: kept.entry,
        f"/log/proof/{kept.seq}": lambda _: kept.proof,
        "/log/policy": lambda _: kept.policy.encode(),
        "/trace": page,
    }


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_genuine_gift_is_verified_on_the_donors_device(
    page: Page, address: str, kept: Evidence, engine: str
) -> None:
    await page.instead(served(kept))
    assert await look_up(page, address, kept.code, engine) == "passed"
    assert await page.value("document.getElementById('ver').dataset.engine") == ENGINES[engine][2]
    assert await page.value("document.querySelector('#ver h2').textContent") == "这条记录没有被改动"
    assert {state for _, state in await page.value(STEPS)} == {"passed"}
    said = await page.value("document.getElementById('ver').innerText")
    assert "银行转账，流水号 20260622000004。请与您的付款记录核对" in said
    assert f"w1 {clock(datetime.fromtimestamp(SEEN_AT_S, UTC))}" in said
    said = [each for each in page.said if "Cross-Origin-Opener-Policy header has been ignored" not in each]
    assert said == [], "nothing on the console: the policy allows all the page does"
    hosts = {re.match(r"\w+://[^/]+", each)[0] for each in page.asked if not each.startswith("data:")}  # type: ignore[index]  # an address
    assert len(hosts) == 1, "no other host is asked for anything"
    assert not any(kept.code in each or kept.code.replace("-", "") in each for each in page.asked)
    fetched_ours = any("/static/own." in each for each in page.asked)
    assert fetched_ours == (engine != "native"), "our own cryptography is fetched only where it is needed"


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "forge",
    [
        amount_changed,
        hash_swapped,
        index_changed,
        root_edited,
        size_edited,
        cosignature_removed,
        template_lies,
        template_says_nothing,
        code_of_another,
        no_gift,
    ],
)
async def test_a_forgery_is_refused_at_its_step_and_leaves_evidence(
    page: Page, address: str, kept: Evidence, forge: Callable[[Evidence], Evidence], engine: str
) -> None:
    forged = forge(kept)
    await page.instead(served(forged))
    assert await look_up(page, address, kept.code, engine) == "failed"
    used = ENGINES[engine][2] if forged.box else ENGINES[engine][2].partition(" box:")[0]
    assert await page.value("document.getElementById('ver').dataset.engine") == used, "this engine answered, no other"
    steps = await page.value(STEPS)
    step = FORGERIES[forge]
    assert next(name for name, state in steps if state == "failed") == step
    number = 1 + [name for name, _ in steps].index(step)
    assert await page.value("document.querySelector('#ver h2').textContent") == f"核验没有通过：第 {number} 步"
    said = await page.value("document.querySelector('[data-sub]').textContent")
    assert ("见证机构的会签不够" in said) == (forge is cosignature_removed), "a witness may be away for a while"
    assert await page.value("document.querySelector('[data-evidence]').offsetHeight") > 0
    evidence = json.loads(await page.value("window.kept.text()"))
    assert (evidence["format"], evidence["failed"], evidence["seq"]) == ("sunledger/evidence/1", step, forged.seq)
    assert " ".join(f"{what}:{by}" for what, by in evidence["engine"].items()) == used
    assert evidence["proof"] == forged.proof.decode()
    for private in (kept.code, kept.code.replace("-", ""), "20260622000004"):
        assert private not in json.dumps(evidence), "evidence is handed on"


@pytest.mark.parametrize(
    ("place", "lie"),
    [
        (r'(<h1 data-shown="spoken">).*?</h1>', r"\g<1>您的 3,000 元，已有 2,999 元拨付使用</h1>"),
        (r'(data-shown="state:\w+">[^<]*¥)[\d,]+', r"\g<1>9,999"),
        (r'(data-shown="remainder">)', r"\g<1>其中 0.07 元在基金里等待分配。"),
        (r'data-shown="part:\w+"', 'data-shown="part:lost"'),
    ],
    ids=["headline", "state", "remainder", "part"],
)
async def test_a_template_that_lies_beside_the_amount_is_caught_by_the_page(
    page: Page, address: str, kept: Evidence, place: str, lie: str
) -> None:
    def lies(html: bytes) -> bytes:
        told, count = re.subn(place, lie, served(kept)["/trace"](html).decode(), count=1, flags=re.DOTALL)
        assert count == 1
        return told.encode()

    await page.instead({**served(kept), "/trace": lies})
    assert await look_up(page, address, kept.code) == "failed"
    assert [name for name, state in await page.value(STEPS) if state == "failed"] == ["shown"]


@pytest.mark.parametrize("witnessed", [True, False])
async def test_without_a_box_the_page_does_not_say_that_the_payment_was_checked(
    page: Page, address: str, kept: Evidence, *, witnessed: bool
) -> None:
    """One code printed for two donors could not be told then: the headline must not pass over it."""
    alone = replace(kept, policy=kept.policy.split("witness ")[0] + "quorum none\n")
    await page.instead(served(replace(kept if witnessed else alone, box=b"")))
    assert await look_up(page, address, kept.code) == "unpaired"
    states = dict(await page.value(STEPS))
    assert (states["receipt"], states["donor"], states["shown"]) == ("passed", "absent", "passed")
    assert await page.value("document.querySelector('#ver h2').textContent") == "编号相符，付款没有核对"
    assert await page.value("document.querySelector('[data-verified]').textContent") == "编号相符，付款没有核对"
    said = await page.value("document.querySelector('[data-sub]').textContent")
    assert "看不出这是不是您的付款" in said
    assert ("还没有见证机构会签" in said) != witnessed
    assert await page.value("window.shifted") == 0


async def test_a_donor_has_every_step_of_her_money_checked(page: Page, address: str, code: str) -> None:
    await look_up(page, address, code)
    await page.value("document.querySelector('[data-follow]').click()")
    assert await page.until("document.querySelector('[data-trail]').dataset.state") == "passed"
    assert "去向里的 4 条都在签名的总账里" in await page.value("document.querySelector('[data-trail]').textContent")
    assert page.said == []


async def test_a_step_that_lies_is_caught_by_the_page_itself(page: Page, address: str, code: str) -> None:
    """The gift and the sum of its parts are right; one payment on the way is made smaller."""
    await page.instead({"/trace": lambda html: html.replace(b'<span data-part-of="47">', b'<span data-part-of="47">1')})
    assert await look_up(page, address, code) == "unwitnessed"
    await page.value("document.querySelector('[data-follow]').click()")
    assert await page.until("document.querySelector('[data-trail]').dataset.state") == "failed"


async def test_without_witnesses_the_page_says_what_that_leaves_open(page: Page, address: str, code: str) -> None:
    assert await look_up(page, address, code) == "unwitnessed"
    assert "不能排除本站给不同的人看不同的账本" in await page.value("document.getElementById('ver').innerText")


@pytest.mark.parametrize("beside", [True, False])
async def test_cosignatures_that_the_browser_did_not_check_are_named(
    page: Page, address: str, kept: Evidence, *, beside: bool
) -> None:
    """ML-DSA-44 is in no browser yet: whoever cosigned so is neither counted nor passed over in silence."""
    await page.instead(served(post_quantum(kept, beside=beside)))
    assert await look_up(page, address, kept.code) == ("passed" if beside else "unwitnessed")
    line = await page.value("document.querySelector('[data-step=witnesses]').innerText")
    assert "没有核对 w3 的会签：浏览器还不会算 ML-DSA-44" in line
    assert (f"w1 {clock(datetime.fromtimestamp(SEEN_AT_S, UTC))}" in line) == beside
    said = await page.value("document.getElementById('ver').innerText")
    assert "还没有见证机构会签" not in said
    assert ("不能排除本站给不同的人看不同的账本" in said) != beside


@pytest.mark.parametrize("width", [320, 390, 1440])
async def test_nothing_moves_and_nothing_overflows_while_it_checks(
    page: Page, address: str, code: str, width: int
) -> None:
    await page.size(width)
    await look_up(page, address, code)
    await page.value("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert await page.value("window.shifted") == 0
    assert await page.value("document.documentElement.scrollWidth") <= width


async def test_a_browser_that_cannot_check_says_so_and_blames_nobody(page: Page, address: str, code: str) -> None:
    """An old kernel on plain http: no WebCrypto, and our own file does not load."""
    await page.instead({".js": lambda data: data.replace(b"const MASK = (1n <<", b"const MASK = (1q <<")})
    assert await look_up(page, address, code, "insecure") == "impossible"
    assert "这不说明账本有问题" in await page.value("document.getElementById('ver').innerText")


async def test_without_javascript_the_page_says_that_nothing_was_checked(page: Page, address: str, code: str) -> None:
    await page.open(address)
    await page.until("document.getElementById('lookup')")
    await page.send("Emulation.setScriptExecutionDisabled", value=True)
    await page.value(f"document.getElementById('code').value = {json.dumps(code)}")
    await page.value("document.getElementById('lookup').submit()")
    said = await page.until("document.getElementById('ver') && document.getElementById('ver').innerText")
    assert "此页还没有在您的设备上核验" in said
    assert "✓" not in said
    assert await page.value("document.querySelector('[data-evidence]').offsetHeight") == 0


async def test_in_wechat_the_page_says_how_to_save_a_file(page: Page, address: str, code: str, tmp_path: Path) -> None:
    await page.send("Emulation.setUserAgentOverride", userAgent="Mozilla/5.0 (Linux; Android 13) MicroMessenger/8.0")
    await look_up(page, address, code)
    assert await page.value("document.querySelector('[data-wechat]').offsetHeight") > 0
    await page.picture(tmp_path / "page.png")
    assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")
