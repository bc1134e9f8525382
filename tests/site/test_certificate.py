"""The certificate: what it is of, what it says plainly, what its two codes hold, and when there is none."""

import json
import re
from collections.abc import AsyncGenerator
from html import unescape
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from api.public.app import Resources, build
from ledger import privacy
from ledger.log.errors import VerificationError
from ledger.log.policy import Policy
from ledger.receipt.compact import decode_compact
from ledger.settings import Settings
from ledger.store import setup
from ledger.store.keys import LookupKeys
from public_site.appearance import Appearance
from tests.support.branch import Branch
from tests.support.office import CITY, Office, gift, opened
from tests.support.qr import Drawn, drawings
from tests.support.signing import signing
from tests.support.visitor import visitor

ADDRESS = "https://ledger.example"
DAY = "2026-07-01"
CORRECTION = {"org": CITY, "on": DAY, "reason": "金额录入有误", "statement": "原记录多记一位，现予更正。"}


@pytest.fixture
async def desk(told: Settings) -> AsyncGenerator[Office]:
    """A log that signs, with a fund and a project of the test's own."""
    async with opened(signing(told)) as office:
        for path, body in (
            ("funds", {"org": CITY, "fund": "beds", "name": "病床"}),
            ("projects", {"org": CITY, "project": "beds", "name": "病床"}),
        ):
            assert (await office.post(path, body, who="administrator")).status_code == 201
        yield office


@pytest.fixture
async def public(told: Settings, desk: Office) -> AsyncGenerator[httpx.AsyncClient]:
    assert told.database_url is not None
    database = setup.database(told, told.database_url, "reader")
    look = Appearance(address=ADDRESS)
    async with visitor(build(Resources(database=database, lookup=LookupKeys.read(told.lookup), look=look))) as http:
        http.headers["Accept"] = "text/html"
        yield http
    await database.close()


async def agreed(desk: Office, path: str, body: object) -> dict[str, Any]:
    """Have something entered, by two people where that is needed, and published; the answer."""
    published = {"Prefer": "wait=9"}
    answer = await desk.post(path, body, headers=published)
    if answer.status_code == 202:
        made = answer.json()["proposal"]
        answer = await desk.post(f"proposals/{made}/approval", who="checker", headers=published)
    assert answer.status_code == 201, answer.text
    assert answer.json()["state"] == "published"
    return dict(answer.json())


async def given(desk: Office, **more: object) -> tuple[int, str]:
    answer = await agreed(desk, "gifts", gift(fund="beds", **more))
    return answer["entries"][0]["seq"], answer["receipt_code"]


async def pay(desk: Office, amount_fen: int) -> None:
    its = {"org": CITY, "project": "beds", "amount_fen": amount_fen, "on": DAY}
    await agreed(desk, "allocations", {**its, "fund": "beds"})
    await agreed(desk, "disbursements", {**its, "spending": "purchase", "payee": "医疗器械公司", "purpose": "病床"})


async def asked(http: httpx.AsyncClient, code: str, *, path: str = "/certificate", **more: str) -> httpx.Response:
    return await http.post(path, data={"code": code, **more})


def words(page: httpx.Response) -> str:
    """What a page says in its middle."""
    main = page.text.partition("<main")[2].partition("</main>")[0]
    return re.sub(r"\s+", "", unescape(re.sub(r"<[^>]*>", "", main)))


def codes(page: httpx.Response) -> tuple[Drawn, Drawn]:
    link, proof = drawings(page.text)
    return link, proof


async def test_it_says_what_was_given_how_much_is_used_and_where_it_stands(
    desk: Office, public: httpx.AsyncClient
) -> None:
    seq, code = await given(desk, amount_fen=50_050)
    await pay(desk, 45_000)
    page = await asked(public, code)
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    said = words(page)
    assert "捐赠证书尊敬的捐赠人：¥500.50人民币伍佰元伍角整感谢您对「病床」的支持。" in said
    assert "其中450元已拨付使用。" in said
    checkpoint = (await public.get("/log/checkpoint")).text.split("\n")
    assert f"收据编号{code}账本位置第{seq}条，总账共{checkpoint[1]}条根哈希{checkpoint[2]}" in said
    assert "不是公益事业捐赠票据" in said


async def test_the_first_code_leads_to_the_gift_and_the_second_proves_it(
    desk: Office, public: httpx.AsyncClient
) -> None:
    seq, code = await given(desk)
    page = await asked(public, code)
    link, proof = codes(page)
    assert link.content.decode() == f"{ADDRESS}/r#{code}"
    kept = decode_compact(proof.content)
    assert kept.proof.index == seq
    assert kept.entry == (await public.get(f"/api/v1/entries/{seq}/bytes")).content
    assert f"（{len(proof.content)}字节）" in words(page)
    policy = Policy.parse((await public.get("/log/policy")).text)
    assert kept.verify(policy).checkpoint.size > seq
    commitment = json.loads(kept.entry)
    plain = privacy.parse_code(code)
    assert plain is not None
    assert commitment["body"]["receipt"] == privacy.receipt_commitment(commitment["prev"], plain)
    for at in range(0, len(proof.content), 7):
        changed = bytearray(proof.content)
        changed[at] ^= 1
        with pytest.raises(VerificationError):
            decode_compact(bytes(changed)).verify(policy)


async def test_it_is_english_at_the_english_address_and_its_link_leads_there(
    desk: Office, public: httpx.AsyncClient
) -> None:
    _, code = await given(desk)
    page = await asked(public, code, path="/en/certificate")
    assert "Deardonor," in words(page)
    assert '<span lang="zh-Hans">人民币壹佰元整</span>' in page.text
    assert codes(page)[0].content.decode() == f"{ADDRESS}/en/r#{code}"


@pytest.mark.parametrize(("paper", "side_mm"), [("a5", 74), ("a4", 100)])
async def test_each_paper_has_its_sheet_and_codes_that_fit_it(
    desk: Office, public: httpx.AsyncClient, paper: str, side_mm: float
) -> None:
    _, code = await given(desk)
    page = await asked(public, code, paper=paper)
    (sheet,) = re.findall(r'href="(/static/paper_[^"]+)"', page.text)
    assert f"size: {paper.upper()} portrait" in (await public.get(sheet)).text
    for each in codes(page):
        assert each.module_mm >= 0.4
        assert each.side_mm <= side_mm
        assert each.quiet == 4


async def test_a_paper_nobody_sells_is_refused_and_none_is_a5(desk: Office, public: httpx.AsyncClient) -> None:
    _, code = await given(desk)
    for path, said in (("/certificate", "纸张只有 A5、A4。"), ("/en/certificate", "Papers are A5, A4.")):
        page = await asked(public, code, path=path, paper="../../etc")
        assert page.status_code == 400
        assert said in page.text
        assert code not in page.text
    assert "/static/paper_a5." in (await asked(public, code, paper="")).text


async def test_a_donor_is_named_as_she_agreed_to_and_otherwise_not_at_all(
    desk: Office, public: httpx.AsyncClient
) -> None:
    consent = {"version": "2026-1", "on": DAY}
    _, named = await given(desk, donor={"name": "林某某", "consent": consent})
    _, silent = await given(desk, donor={"name": "林某某"}, channel_ref="another")
    assert "捐赠证书林**：" in words(await asked(public, named))
    page = await asked(public, silent)
    assert "尊敬的捐赠人：" in words(page)
    assert "林" not in words(page)


async def test_the_code_stands_in_no_address_of_the_page_and_in_no_title(
    desk: Office, public: httpx.AsyncClient
) -> None:
    _, code = await given(desk)
    page = (await asked(public, code)).text
    addresses = re.findall(r'(?:href|src|action)="([^"]*)"', page)
    assert addresses
    for each in (*addresses, *re.findall("<title>(.*)</title>", page)):
        assert code not in each
        assert code.replace("-", "") not in each


async def test_what_was_given_back_is_not_in_the_amount_and_said(desk: Office, public: httpx.AsyncClient) -> None:
    seq, code = await given(desk)
    await agreed(desk, "refunds", {"org": CITY, "ref": seq, "on": DAY, "reason": "申请", "amount_fen": 4_000})
    said = words(await asked(public, code))
    assert "¥60.00人民币陆拾元整" in said
    assert "原捐100元，其中40元已经退回，不在本证书的金额之内。" in said


async def test_a_gift_given_back_wholly_has_no_certificate_and_the_page_says_why(
    desk: Office, public: httpx.AsyncClient
) -> None:
    seq, code = await given(desk)
    await agreed(desk, "refunds", {"org": CITY, "ref": seq, "on": DAY, "reason": "申请"})
    page = await asked(public, code)
    assert page.status_code == 404
    assert "这笔捐款已经全部退回，没有捐赠证书" in words(page)
    assert drawings(page.text) == []


async def test_a_gift_taken_back_has_no_certificate_and_the_right_one_counts_what_had_moved_on(
    desk: Office, public: httpx.AsyncClient
) -> None:
    wrong, code = await given(desk)
    await pay(desk, 2_000)
    await agreed(desk, "reversals", {**CORRECTION, "ref": wrong})
    page = await asked(public, code)
    assert page.status_code == 404
    assert f"已经撤销，没有捐赠证书更正说明：{CORRECTION['statement']}到现在还没有更正后的记录" in words(page)
    asked_right = {"org": CITY, "corrects": wrong, "fund": "beds", "amount_fen": 5_000, "on": DAY}
    right = (await agreed(desk, "right-gifts", asked_right))["entries"][-1]["seq"]
    said = words(await asked(public, code))
    assert "¥50.00人民币伍拾元整" in said
    assert "其中20元已拨付使用。" in said
    assert f"这是更正后的记录，更正前是第{wrong}条。其中20元更正之前已经用出或转走" in said
    old = await asked(public, code, seq=str(wrong))
    assert old.status_code == 404
    assert f"由第{right}条更正。" in words(old)


def test_the_address_in_its_link_is_what_the_operator_set_and_nothing_else_is_taken_for_one() -> None:
    assert Appearance.of(Settings(site_url=ADDRESS)).address == ADDRESS
    assert Appearance.of(Settings(public_host="10.0.0.7", public_port=8080)).address == "http://10.0.0.7:8080"
    for wrong in ("ledger.example", f"{ADDRESS}/", f"{ADDRESS}/path", "javascript:alert(1)", f"{ADDRESS}#"):
        with pytest.raises(ValidationError, match="site_url"):
            Settings(site_url=wrong)


@pytest.mark.parametrize("code", ["0000-0000-0000-0000", "nonsense", ""])
async def test_a_code_that_finds_nothing_is_answered_as_on_the_trace_page(public: httpx.AsyncClient, code: str) -> None:
    page = await asked(public, code)
    assert page.status_code == 404
    assert "没有查到这个编号" in words(page)
    assert words(page) == words(await asked(public, code, path="/trace"))


async def test_a_log_without_a_signing_key_says_when_there_will_be_certificates(
    branch: Branch, http: httpx.AsyncClient
) -> None:
    page = await asked(http, (await branch.gift(10_000)).code)
    assert page.status_code == 404
    assert "设好签名密钥之后，一秒内公布，就有证书" in words(page)


async def test_an_entry_that_is_not_published_yet_says_when(desk: Office, public: httpx.AsyncClient) -> None:
    await given(desk)
    publisher = desk.resources.publisher
    assert publisher is not None
    await publisher.stop()
    code = (await desk.post("gifts", gift(channel_ref="later"))).json()["receipt_code"]
    page = await asked(public, code)
    assert page.status_code == 404
    assert "新记的账通常一秒内签名公布" in words(page)


async def test_the_trace_page_leads_to_it_by_a_form_and_only_where_a_code_was_typed(
    desk: Office, public: httpx.AsyncClient
) -> None:
    seq, code = await given(desk)
    page = (await asked(public, code, path="/trace")).text
    form = re.search(r'<form class="card certifying" action="/certificate" method="post">.*?</form>', page, re.DOTALL)
    assert form is not None
    sent = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form[0]))
    assert sent == {"code": code, "seq": str(seq)}
    assert (await public.post("/certificate", data={**sent, "paper": "a4"})).status_code == 200
    assert (await public.get("/certificate")).status_code == 405
