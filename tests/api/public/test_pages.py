"""The pages: what a donor reads, without JavaScript."""

import gzip
import re
from pathlib import Path

import httpx
import pytest
from rcssmin import cssmin
from rjsmin import jsmin

from public_site import messages, site
from tests.support.branch import Branch

HTML = {"Accept": "text/html,application/xhtml+xml"}


async def read(http: httpx.AsyncClient, code: str) -> str:
    page = await http.post("/trace", data={"code": code}, headers=HTML)
    assert page.status_code == 200
    return page.text


def text(page: str) -> str:
    """What is read."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


async def test_the_answer_comes_first_as_a_sentence(branch: Branch, http: httpx.AsyncClient) -> None:
    seq, code = await branch.gift(50_000)
    assert "您的 500 元已经入账，等待分配" in text(await read(http, code))
    await branch.allocate(45_000)
    assert "您的 500 元，已有 450 元分配到项目，等待拨付" in text(await read(http, code))
    first = await branch.pay(31_250)
    assert "您的 500 元，已有 312.50 元拨付使用" in text(await read(http, code))
    await branch.confirm(first, 31_250)
    page = text(await read(http, code))
    assert "其中 137.50 元已分配到项目，尚未拨付，50 元留在基金里，尚未分配。" in page.replace(
        "312.50 元已由受助方签收，", ""
    )
    await branch.refund(seq)
    await branch.gift(1_000)
    page = text(await read(http, code))
    assert "其中 312.50 元已由受助方签收，187.50 元已退回。" in page
    assert "已签收 ¥312.50 + 已退回 ¥187.50 = ¥500.00，与您的捐款相符。" in page


async def test_a_gift_wholly_spent_refunded_or_confirmed_is_said_so(branch: Branch, http: httpx.AsyncClient) -> None:
    refunded = await branch.gift(600)
    await branch.refund(refunded.seq)
    assert "您的 6 元，已全部退回" in text(await read(http, refunded.code))
    _, code = await branch.gift(10)
    await branch.allocate(10)
    assert "您的 0.10 元，已全部分配到项目，等待拨付" in text(await read(http, code))
    paid = await branch.pay(10)
    assert "您的 0.10 元，已全部拨付使用" in text(await read(http, code))
    await branch.confirm(paid, 10)
    assert "您的 0.10 元，已全部拨付，并由受助方签收" in text(await read(http, code))


async def test_the_amounts_on_the_page_sum_to_the_gift(branch: Branch, http: httpx.AsyncClient) -> None:
    seq, code = await branch.gift(100_000)
    await branch.allocate(90_000)
    for i in range(30):
        await branch.pay(1_000 + i, payee=f"第 {i} 供应站")
    await branch.refund(seq, 777)
    page = await read(http, code)
    key = page[page.index('<ul class="key">') : page.index('<p class="balance">')]
    listed = [int(fen.replace(",", "").replace(".", "")) for fen in re.findall(r"<b[^>]*>¥([\d,.]+)</b>", key)]
    assert sum(listed) == 100_000
    assert "另外 10 笔较小的付款" in page
    assert "中间还有" in page
    assert "收到您的捐款 ¥1,000.00" in page
    widths = [int(width) for width in re.findall(r'width="(\d+)" height="20"', page)]
    assert sum(widths) <= 1_000


async def test_the_way_of_a_gift_is_told_newest_first(branch: Branch, http: httpx.AsyncClient) -> None:
    _, code = await branch.gift(50_000, "flood", event="flood")
    allocated = await branch.allocate(45_000, "flood", "relief")
    paid = await branch.pay(30_000, "relief", beneficiaries="1-4", evidence=("5" * 64,))
    await branch.confirm(paid, 10_000, "short")
    await branch.feedback(paid, "银行代发 <b>到户</b>", "12")
    await branch.release(allocated)
    page = await read(http, code)
    headings = re.findall(r"<h3[^>]*>(.*?)</h3>", page[: page.index("<aside")])
    assert headings == [
        "从项目「受灾家庭救助」退回基金，等待重新分配",
        "使用反馈",
        "受助方反映数额不足",
        "拨付给受助群众",
        "分配到项目「受灾家庭救助」",
        "收到您的捐款 ¥500.00",
    ]
    assert "银行代发 &lt;b&gt;到户&lt;/b&gt;" in page
    assert "受益 1–4 人" in page
    assert "5" * 64 in page


async def test_a_page_has_no_script_style_or_host_of_others(branch: Branch, http: httpx.AsyncClient) -> None:
    _, code = await branch.gift(50_000)
    pages = [await http.get(path, headers=HTML) for path in ("/", "/r", "/problems", "/problems/too-large", "/nowhere")]
    pages.append(await http.post("/trace", data={"code": code}, headers=HTML))
    pages.append(await http.post("/trace", data={"code": "?"}, headers=HTML))
    pages.append(await http.post("/trace/fiscal", data={"code": "?"}, headers=HTML))
    for page in pages:
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "set-cookie" not in page.headers
        others = page.text.replace('href="http://127.0.0.1:8000/', 'href="/')  # the site's own, as the settings have it
        assert not re.search(r"<style|style=|<script(?! type=\"module\" src=\"/static/)|\son\w+=|https?://", others)
        assert '<html lang="zh-Hans">' in page.text
        # Half-width punctuation beside a Chinese character is a slip of the keyboard.
        assert not re.search(r"[一-鿿][,;:!?(]|[,;!?)][一-鿿]", text(page.text))
        ids = re.findall(r'\sid="([^"]+)"', page.text)
        assert len(ids) == len(set(ids))


async def test_a_page_that_refuses_lists_what_is_wrong(http: httpx.AsyncClient) -> None:
    for path, field in (("/corrections?before=x", "before"), ("/projects?org=A", "org"), ("/en/fen?size=0", "size")):
        page = await http.get(path, headers=HTML)
        assert page.status_code == 400
        told = re.search(rf'<li><span class="mono">{field}</span>: <span lang="en">(.+?)</span></li>', page.text)
        assert told, page.text
        assert told[1]


async def test_what_a_code_shows_is_kept_by_nobody(branch: Branch, http: httpx.AsyncClient) -> None:
    _, code = await branch.gift(50_000)
    for page in (
        await http.post("/trace", data={"code": code}),
        await http.post("/trace", data={"code": "?"}),
        await http.get("/r"),
    ):
        assert page.headers["cache-control"] == "no-store"
        assert "etag" not in page.headers
        assert page.headers["x-robots-tag"] == "noindex"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert '<meta name="robots" content="noindex">' in page.text


async def test_a_form_that_is_no_form_finds_nothing(http: httpx.AsyncClient) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded", **HTML}
    for body in (
        b"", b"code", b"code=", b"code=%FF%00", b"\xff\xfe", b"&" * 5_000, b"code=1&" * 5_000, b"kode=5",
    ):  # fmt: skip
        page = await http.post("/trace", content=body, headers=form)
        assert page.status_code == 404
        assert "没有查到这个编号" in page.text


async def test_files_are_named_for_their_content_and_kept_for_ever(http: httpx.AsyncClient) -> None:
    page = (await http.get("/r")).text
    files = re.findall(r'"(/static/[^"]+)"', page)
    assert len(files) == 3
    for path in files:
        file = await http.get(path)
        assert file.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert file.headers["content-type"].split(";")[0] in {"text/css", "text/javascript", "image/svg+xml"}
    assert (await http.get("/static/site.css")).status_code == 404
    assert (await http.get("/static/..%2Fsite.py")).status_code == 404


def test_modules_are_written_for_old_kernels_and_import_only_their_own() -> None:
    """WeChat on Android brings a kernel years old: no `?.`, no `??`; BigInt only in what is fetched late."""
    for path in (Path(site.__file__).parent / "static").glob("*.js"):
        code = re.sub(r"^\s*//.*$", "", path.read_text(), flags=re.MULTILINE)
        assert not re.search(r"\?\.[a-z(\[]|\?\?|innerHTML|eval\(|document\.write", code), path.name
        assert path.name == "own.js" or not re.search(r"\b\d+n\b|BigInt", code), path.name
        for imported in re.findall(r'(?:from |import\()"([^"]+)"', code):
            assert (path.parent / imported).exists(), imported


async def test_a_first_page_is_small(branch: Branch, http: httpx.AsyncClient) -> None:
    """With everything it fetches before it has its answer, as a built package has it.

    Our own cryptography, fetched where it is needed, beside.
    """

    async def fetched(path: str) -> tuple[int, str]:
        file = await http.get(path)
        assert file.status_code == 200
        made = (cssmin if path.endswith(".css") else jsmin)(file.text)
        return len(gzip.compress(made.encode(), 6)), file.text

    _, code = await branch.gift(50_000)
    for page in (await http.get("/"), await http.post("/trace", data={"code": code})):
        assert page.headers["content-encoding"] == "gzip"
        size, lazy = int(page.headers["content-length"]), list[str]()
        wanted = [*re.findall(r'"(/static/[^"]+\.(?:css|js))"', page.text)]
        for path in wanted:
            its, written = await fetched(path)
            size += its
            wanted += re.findall(r'from "(/static/[^"]+)"', written)
            lazy += re.findall(r'import\("([^"]+)"', written)
        assert size <= 20 * 1024
        for path in lazy:
            size += (await fetched(path))[0]
        assert size < 30_000


@pytest.mark.parametrize(
    ("fen", "shown", "spoken"),
    [(1, "¥0.01", "0.01 元"), (100, "¥1.00", "1 元"), (123_456_789_05, "¥123,456,789.05", "123,456,789.05 元")],
)
def test_an_amount_has_one_form(fen: int, shown: str, spoken: str) -> None:
    assert (messages.yuan(fen), messages.spoken(fen)) == (shown, spoken)


def test_times_are_beijings() -> None:
    assert messages.moment("2026-12-31T16:00:00.000Z") == "2027-01-01 00:00"
