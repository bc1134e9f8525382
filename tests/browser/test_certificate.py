"""The certificate in a real browser: on screens, and printed, with both codes read back from the sheet."""

import gzip
import re
from pathlib import Path

import httpx
import pytest

from ledger.log.errors import VerificationError
from ledger.log.policy import Policy
from ledger.receipt.compact import MAX_COMPACT_BYTES, decode_compact
from public_site import certificate, qr
from tests.browser.served import SETTLED, SITE, WATCH, WIDTHS, Served, go, send
from tests.support import axe
from tests.support.browser import Browser, Page
from tests.support.paper import codes_rastered, codes_seen, printed, sheets_mm, text_of

pytestmark = pytest.mark.browser

SHEETS_MM = {"a5": (148, 210), "a4": (210, 297)}
BYTES_MAX = 20 * 1024
NONE = ("更正作废", "已全部退回")
"""Of these there is no certificate."""


async def show(page: Page, served: Served, code: str, *, language: str = "zh-Hans", paper: str = "a5") -> None:
    """The certificate of a code, from a page of the site."""
    await go(page, served.url("/matching", language))
    await send(page, served.url("/certificate", language), code=code, paper=paper)


async def policy(served: Served) -> Policy:
    async with httpx.AsyncClient() as http:
        return Policy.parse((await http.get(f"{served.address}/log/policy")).text)


@pytest.mark.parametrize("language", ["zh-Hans", "en"])
async def test_it_reads_well_in_every_state_on_every_screen(
    chromium: Browser, served: Served, axe_script: str, language: str
) -> None:
    async with chromium.page() as page:
        await page.before_scripts(WATCH)
        for what, code in served.codes.items():
            for width in WIDTHS:
                await page.size(width)
                await show(page, served, code, language=language)
                await page.value(SETTLED)
                has_one = await page.value("document.querySelectorAll('.cert .qr svg').length")
                assert has_one == (0 if what in NONE else 2), what
                assert await page.value("document.documentElement.lang") == language
                assert await page.value("document.documentElement.scrollWidth") <= width, what
                assert await page.value("window.shifted") == [], (what, width)
                assert await page.value("document.querySelectorAll('[style], style').length") == 0
                assert await axe.violations(page, axe_script) == [], (what, width)
        assert [each for each in page.said if "404" not in each] == []
        assert not any(code in each for each in page.asked for code in served.codes.values())


async def test_it_is_light_with_all_it_is_drawn_with(served: Served) -> None:
    async with httpx.AsyncClient(headers={"Accept-Encoding": "gzip", "Accept": "text/html"}) as http:
        for code in served.codes.values():
            page = (await http.post(served.url("/certificate"), data={"code": code})).text
            files = re.findall(r'(?:href|src)="(/static/[^"]+[.](?:css|js))"', page)
            parts = [page, *[(await http.get(served.address + file)).text for file in files]]
            assert sum(len(gzip.compress(part.encode(), 6)) for part in parts) <= BYTES_MAX


@pytest.mark.parametrize(
    ("language", "paper"),
    [
        ("zh-Hans", "a5"),
        ("en", "a4"),
        pytest.param("zh-Hans", "a4", marks=pytest.mark.long),  # each word and each paper has its turn already
        pytest.param("en", "a5", marks=pytest.mark.long),
    ],
)
async def test_printed_it_is_one_sheet_whose_codes_find_the_gift_and_prove_it(
    chromium: Browser, served: Served, language: str, paper: str, tmp_path: Path
) -> None:
    keys = await policy(served)
    for code in ([*served.codes.values()][1], served.codes["已更正"], served.codes["退回一部分"]):
        async with chromium.page() as page:
            await show(page, served, code, language=language, paper=paper)
            file = tmp_path / f"{paper}.pdf"
            file.write_bytes(await printed(page))
        assert sheets_mm(file.read_bytes()) == [SHEETS_MM[paper]]
        link, proof = await codes_seen(chromium, file, 2)
        assert link.decode() == f"{SITE}{'/en' if language == 'en' else ''}/r#{code}"
        kept = decode_compact(proof)
        kept.verify(keys)
        for at in (9, len(proof) // 2, len(proof) - 9):
            changed = bytearray(proof)
            changed[at] ^= 1
            with pytest.raises(VerificationError):
                decode_compact(bytes(changed)).verify(keys)


@pytest.mark.parametrize("paper", certificate.PAPERS)
async def test_a_foreign_program_reads_the_sheet_and_finds_neither_the_sites_head_nor_its_foot(
    chromium: Browser, served: Served, paper: str, tmp_path: Path
) -> None:
    code = [*served.codes.values()][1]
    async with chromium.page() as page:
        await show(page, served, code, paper=paper)
        file = tmp_path / "certificate.pdf"
        file.write_bytes(await printed(page))
    said = await text_of(file)
    for its in ("捐赠证书", "人民币叁仟元整", code):
        assert its in said
    for sites in ("查我的捐赠", "数据截至", "跳到正文", "本站不使用第三方", "打印或存为", "返回去向页", "English"):
        assert sites not in said
    link, proof = await codes_rastered(file)
    assert link.decode() == f"{SITE}/r#{code}"
    decode_compact(proof).verify(await policy(served))


async def test_on_paper_nothing_but_the_certificate_is_drawn(chromium: Browser, served: Served) -> None:
    async with chromium.page() as page:
        await show(page, served, [*served.codes.values()][1])
        await page.send("Emulation.setEmulatedMedia", media="print")
        drawn = await page.value(
            "[...document.querySelectorAll('body *')].filter((each) => each.getClientRects().length &&"
            " !each.closest('.cert') && !each.contains(document.querySelector('.cert'))).map((each) => each.outerHTML)"
        )
        assert drawn == []
        colours = await page.value(
            "[...new Set([...document.querySelectorAll('.cert *')].map((each) => getComputedStyle(each).color))].sort()"
        )
        assert colours == ["rgb(0, 0, 0)", "rgb(168, 22, 30)"], "black, and the seal"


async def test_the_longest_proof_fits_one_sheet_of_a5_with_all_that_can_be_said(
    chromium: Browser, served: Served, tmp_path: Path
) -> None:
    longest = bytes(index % 251 for index in range(MAX_COMPACT_BYTES))
    drawn = qr.drawn(
        longest, module_um=certificate.PROOF_MODULE_UM["a5"], side_um=certificate.PROOF_SIDE_UM["a5"]
    ).encode()

    def lengthened(html: bytes) -> bytes:
        head, _, rest = html.rpartition(b"<svg")
        note = "<p class='note'>原捐 987,654,321.00 元，其中 123,456,789.00 元已经退回，不在本证书的金额之内。</p>"
        moved = "其中 123,456,789.00 元更正之前已经用出或转走，记在更正前的记录里。</p>"
        html = head + drawn + rest.partition(b"</svg>")[2]
        return html.replace(b"</p>\n<table>", f"{moved}{note}<table>".encode(), 1)

    async with chromium.page() as page:
        await page.instead({"/certificate": lengthened})
        await show(page, served, served.codes["已更正"])
        file = tmp_path / "certificate.pdf"
        file.write_bytes(await printed(page))
        assert "记在更正前的记录里" in await page.value("document.querySelector('.cert').textContent")
    assert sheets_mm(file.read_bytes()) == [SHEETS_MM["a5"]]
    _, proof = await codes_seen(chromium, file, 2)
    assert proof == longest


async def test_the_button_prints_and_without_javascript_a_sentence_says_how(chromium: Browser, served: Served) -> None:
    code = [*served.codes.values()][1]
    shown = "getComputedStyle(document.querySelector('[data-print]')).visibility"
    async with chromium.page() as page:
        await page.before_scripts("window.print = () => { window.printing = true; };")
        await show(page, served, code)
        assert await page.value(shown) == "visible"
        await page.value("document.querySelector('[data-print]').click()")
        assert await page.value("window.printing") is True
    async with chromium.page() as page:
        await page.send("Emulation.setScriptExecutionDisabled", value=True)
        await show(page, served, code)
        assert await page.value(shown) == "hidden"
        assert "浏览器菜单里的「打印」" in await page.value("document.querySelector('.after').innerText")


async def test_a_donor_gets_there_from_her_trace_chooses_a4_and_comes_back(chromium: Browser, served: Served) -> None:
    code = [*served.codes.values()][1]
    async with chromium.page() as page:
        await page.size(390)
        await page.open(f"{served.url('/r')}#{code}")
        await page.until("/trace$/.test(location.pathname) && document.querySelector('.certifying') !== null")
        await page.value("document.querySelector('.certifying [value=a4]').click()")
        await page.value("document.querySelector('.certifying button').click()")
        sheet = "/certificate$/.test(location.pathname) && document.querySelector('link[href*={0}]') !== null"
        await page.until(sheet.format("paper_a4"))
        await page.value("document.querySelector('.after form button').click()")
        await page.until(sheet.format("paper_a5"))
        await page.value("[...document.querySelectorAll('.after form button')].at(-1).click()")
        said = await page.until(
            "/trace$/.test(location.pathname) && document.getElementById('ver') &&"
            " document.querySelector('h1').textContent"
        )
        assert said.startswith("您的 3,000 元")
        assert not [each for each in page.asked if code in each]
