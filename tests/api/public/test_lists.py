"""Lists: every item once, narrowed as asked, with the count and the sum of the whole beside each page."""

import csv
import hashlib
import io
from collections.abc import Sequence
from datetime import date
from typing import Any

import asyncpg
import httpx
import pytest
from msgspec import structs

from ledger.entries import Restriction
from ledger.organisations import EnrolStaff, OpenFund
from ledger.reversals import ReverseEntry
from ledger.roles import Role
from ledger.settings import Settings
from ledger.store.database import Database
from ledger.store.queries import lists
from ledger.store.queries.head import read_head
from ledger.store.queries.lists import Narrowing
from ledger.transfers import ReceiveTransfer, ReturnTransfer, SendTransfer
from tests.api.public.test_contract import served
from tests.support.branch import APPROVER, CITY, FINANCE, FLOOD, FOUNDER, OTHER_FOUNDER, PROVINCE, Branch

NAMES = ("gifts", "allocations", "transfers", "payments")


@pytest.fixture
async def busy(branch: Branch) -> Branch:
    """A branch that has had a day."""
    await branch.gift(50_000, "flood")
    seq, _ = await branch.gift(20_000, event=FLOOD)
    for _ in range(6):
        await branch.gift(7, on="2026-06-30")
    allocated = await branch.allocate(45_000, "flood", "relief")
    await branch.allocate(9_000, "general", "winter")
    await branch.allocate(100, "general", "relief")
    await branch.release(allocated, 900)
    paid = await branch.pay(44_150, "relief", payee="=衢州医院", purpose='"紧急", 采购')
    await branch.confirm(paid, 40_000)
    await branch.pay(4_000, "winter")
    await branch.refund(seq, 2_500)
    await branch.agree(EnrolStaff(maker=FOUNDER, staff=FINANCE, org=PROVINCE, roles=(Role.FINANCE,)), OTHER_FOUNDER)
    await branch.do(OpenFund(maker=FOUNDER, org=PROVINCE, fund="general", name="全省统筹", restriction=Restriction()))
    sent = await branch.do(
        SendTransfer(maker=FINANCE, org=CITY, fund="general", to=PROVINCE, amount_fen=500, on=branch.today)
    )
    await branch.do(
        ReceiveTransfer(maker=FINANCE, org=PROVINCE, ref=sent, fund="general", amount_fen=300, on=branch.today)
    )
    await branch.do(
        ReturnTransfer(maker=FINANCE, org=CITY, ref=sent, amount_fen=150, on=branch.today, reason="账号有误")
    )
    return branch


async def everything(http: httpx.AsyncClient, name: str, **query: object) -> list[dict[str, Any]]:
    """All pages of a list, which all say the same of the whole."""
    found: list[dict[str, Any]] = []
    limit = 2
    asked = {**{each: str(value) for each, value in query.items()}, "limit": str(limit)}
    while True:
        answer = await http.get(f"/api/v1/{name}", params=asked)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["items"]) <= limit
        found += page["items"]
        if page["next"] is None:
            assert (page["count"], page["sum_fen"]) == (len(found), sum(each["amount_fen"] for each in found)), query
            return found
        asked["after"] = str(page["next"])


async def test_a_list_has_every_item_once_in_the_order_of_the_log(busy: Branch, http: httpx.AsyncClient) -> None:
    for name, count, fen in (
        ("gifts", 8, 70_042),
        ("allocations", 3, 54_100),
        ("transfers", 1, 500),
        ("payments", 2, 48_150),
    ):
        found = await everything(http, name)
        seqs = [each["seq"] for each in found]
        assert seqs == sorted({*seqs})
        assert (len(found), sum(each["amount_fen"] for each in found)) == (count, fen), name


async def test_items_say_what_became_of_them(busy: Branch, http: httpx.AsyncClient) -> None:
    gift = (await everything(http, "gifts", event=FLOOD, fund="general"))[0]
    assert (gift["amount_fen"], gift["refunded_fen"], gift["voided_fen"]) == (20_000, 2_500, 0)
    assert (await everything(http, "allocations"))[0]["undone_fen"] == 900
    (transfer,) = await everything(http, "transfers")
    assert (transfer["to"], transfer["received_fen"], transfer["undone_fen"]) == (PROVINCE, 300, 150)
    payment = (await everything(http, "payments"))[0]
    assert (payment["funds"], payment["confirmed_fen"], payment["payee"]) == (["flood", "general"], 40_000, "=衢州医院")


async def test_what_arrived_short_or_damaged_is_not_confirmed(busy: Branch, http: httpx.AsyncClient) -> None:
    """List, sheet and page say of a payment what the figure says of all: only what arrived as it should."""
    (first, _) = await everything(http, "payments")
    short = await busy.confirm(first["seq"], 1_000, "short")
    again = await busy.confirm(first["seq"], 2_000)
    damaged = await busy.confirm(first["seq"], 500, "damaged")
    for as_of, right in ((short, 40_000), (again, 42_000), (damaged, 42_000)):
        figure = (await http.get(f"/api/v1/figures?measure=confirmed&as_of={as_of}")).json()["sum_fen"]
        listed = await everything(http, "payments", as_of=as_of)
        sheet = (await http.get(f"/api/v1/payments.csv?as_of={as_of}")).content.decode("utf-8-sig")
        lines = [*csv.DictReader(io.StringIO(sheet))]
        assert figure == right
        assert sum(each["confirmed_fen"] for each in listed) == right
        assert sum(int(each["confirmed_fen"]) for each in lines) == right
    assert "已签收 ¥420.00" in (await http.get("/data?list=payments")).text


async def test_what_was_taken_back_of_a_refund_or_an_arrival_is_off_again(
    busy: Branch, http: httpx.AsyncClient
) -> None:
    gift, _ = await busy.gift(1_000, "flood")
    await busy.refund(gift, 100)
    refund = await busy.refund(gift, 300)
    (transfer,) = await everything(http, "transfers")
    arrival = await busy.do(
        ReceiveTransfer(maker=FINANCE, org=PROVINCE, ref=transfer["seq"], fund="general", amount_fen=20, on=busy.today)
    )
    await busy.agree(EnrolStaff(maker=FOUNDER, staff=APPROVER, org=PROVINCE, roles=(Role.APPROVER,)), OTHER_FOUNDER)
    for ref, org in ((refund, CITY), (arrival, PROVINCE)):
        await busy.agree(structs.replace(reversal(busy, ref), org=org))
    listed = {each["seq"]: each["refunded_fen"] for each in await everything(http, "gifts")}
    assert listed[gift] == 100
    (transfer,) = await everything(http, "transfers")
    assert (transfer["received_fen"], transfer["undone_fen"]) == (300, 150)


@pytest.mark.parametrize(
    ("name", "query", "amounts"),
    [
        ("gifts", {"event": FLOOD}, [50_000, 20_000]),
        ("gifts", {"fund": "flood"}, [50_000]),
        ("gifts", {"fund": f"{CITY}:flood"}, [50_000]),
        ("gifts", {"fund": f"{PROVINCE}:flood"}, []),
        ("gifts", {"org": PROVINCE, "fund": f"{CITY}:flood"}, [50_000]),
        ("gifts", {"until": "2026-06-30"}, [7] * 6),
        ("gifts", {"since": "2026-07-01", "most_fen": 20_000}, [20_000]),
        ("gifts", {"least_fen": 8, "channel": "wechat", "donor_class": "person"}, [50_000, 20_000]),
        ("gifts", {"donor_class": "organisation"}, []),
        ("gifts", {"org": PROVINCE, "least_fen": 20_001}, [50_000]),
        ("allocations", {"project": "relief"}, [45_000, 100]),
        ("allocations", {"event": FLOOD, "fund": "general"}, [100]),
        ("payments", {"fund": "general"}, [50, 4_000]),
        ("payments", {"fund": "general", "least_fen": 51}, [4_000]),
        ("payments", {"project": f"{CITY}:winter"}, [4_000]),
        ("payments", {"until": "2020-01-01"}, []),
        ("transfers", {"org": CITY}, [500]),
    ],
)  # fmt: skip
async def test_a_list_is_narrowed_as_asked(
    busy: Branch, http: httpx.AsyncClient, name: str, query: dict[str, object], amounts: list[int]
) -> None:
    assert [each["amount_fen"] for each in await everything(http, name, **query)] == amounts


async def test_backwards_a_list_is_the_same(busy: Branch, reader: Database) -> None:
    for name in NAMES:
        async with reader.snapshot() as connection:
            as_of = (await read_head(connection)).seq
            rising = await some(connection, name, as_of=as_of, limit=100)
            falling: list[lists.ListedGift | lists.ListedEffect] = []
            before = as_of + 1
            while page := await some(connection, name, as_of=as_of, before=before, limit=2):
                falling += page
                before = page[-1].seq
        assert falling == rising[::-1], name


async def some(
    connection: asyncpg.Connection, name: str, **page: int
) -> Sequence[lists.ListedGift | lists.ListedEffect]:
    """A page of a whole list."""
    if name == "gifts":
        return await lists.read_gifts(connection, Narrowing(), **page)
    return await lists.read_effects(connection, name, Narrowing(), **page)


async def test_the_sheet_is_the_list_however_long_it_is(
    busy: Branch, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "CHUNK_ROWS", 2)
    for name in NAMES:
        found = await everything(http, name)
        answer = await http.get(f"/api/v1/{name}.csv")
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        lines = [*csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))]
        assert [*lines[0]] == [*found[0]]
        assert lines == [{key: as_cell(value) for key, value in each.items()} for each in found]
        assert int(answer.headers["sunledger-rows"]) == len(lines)
        assert int(answer.headers["sunledger-sum-fen"]) == sum(int(line["amount_fen"]) for line in lines)


def as_cell(value: object) -> str:
    """Also what a spreadsheet would take for a formula, disarmed."""
    text = "" if value is None else " ".join(value) if isinstance(value, list) else str(value)
    return f"'{text}" if text.startswith("=") else text


async def test_an_address_with_its_entry_stays_true(busy: Branch, http: httpx.AsyncClient) -> None:
    for path in ("gifts?limit=3&after=30&event=flood", "payments", "gifts.csv?fund=general", "transfers.csv"):
        fresh = await http.get(f"/api/v1/{path}")
        pinned = fresh.links["canonical"]["url"]
        first = await http.get(pinned)
        assert first.content == fresh.content
        assert "immutable" in first.headers["cache-control"]
        await busy.gift(3)
        await busy.pay(1, "winter")
        assert (await http.get(pinned)).content == first.content


async def test_a_sheet_that_lacks_a_row_breaks_off_instead_of_ending(
    busy: Branch, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: object, **__: object) -> list[lists.ListedGift]:
        return []

    monkeypatch.setattr(lists, "read_gifts", nothing)
    with served(settings) as address:
        async with httpx.AsyncClient(base_url=address) as client:
            assert (await client.get("/api/v1/payments.csv")).headers["sunledger-rows"] == "2"
            with pytest.raises(httpx.RemoteProtocolError):
                await client.get("/api/v1/gifts.csv")


async def test_what_cannot_narrow_a_list_is_a_problem(http: httpx.AsyncClient) -> None:
    for query in ("since=yesterday", "least_fen=-1", "limit=101", "after=x", "org=%00", "as_of=x"):
        answer = await http.get(f"/api/v1/gifts?{query}")
        assert (answer.status_code, answer.json()["type"]) == (400, "/problems/invalid-request"), query
    for query in ("org=nobody", "as_of=99999"):
        for path in ("gifts", "payments", "payments.csv"):
            assert (await http.get(f"/api/v1/{path}?{query}")).status_code == 404


async def test_an_empty_ledger_has_empty_lists(http: httpx.AsyncClient) -> None:
    for name in NAMES:
        page = (await http.get(f"/api/v1/{name}")).json()
        assert (page["items"], page["count"], page["sum_fen"], page["next"]) == ([], 0, 0, None)
        assert (await http.get(f"/api/v1/{name}.csv?until={date.min}")).text.count("\r\n") == 1


async def test_corrections_are_narrowed_counted_and_downloaded(busy: Branch, http: httpx.AsyncClient) -> None:
    path = "/api/v1/corrections"
    payments = [each["seq"] for each in await everything(http, "payments")]
    first, second = [await busy.agree(reversal(busy, each)) for each in payments]
    page = (await http.get(f"{path}?limit=1")).json()
    assert (page["count"], page["sum_fen"], page["next"]) == (2, 48_150, second)
    assert [each["seq"] for each in page["items"]] == [second]
    following = (await http.get(f"{path}?limit=1&before={second}")).json()
    assert ([each["seq"] for each in following["items"]], following["count"]) == ([first], 2)
    for query, count in (
        (f"org={CITY}", 2), (f"org={PROVINCE}", 2), (f"since={busy.today}&until={busy.today}", 2),
        ("until=2020-01-01", 0), ("since=2999-01-01", 0), (f"as_of={first}", 1), (f"as_of={first - 1}", 0),
    ):  # fmt: skip
        answer = await http.get(f"{path}?{query}")
        assert (answer.json()["count"], len(answer.json()["items"])) == (count, count), query
    sheet = await http.get(f"{path}.csv")
    lines = [*csv.DictReader(io.StringIO(sheet.content.decode("utf-8-sig")))]
    assert [(line["seq"], line["ref"], line["left_fen"]) for line in lines] == [
        (str(second), str(payments[1]), "4000"), (str(first), str(payments[0]), "44150"),
    ]  # fmt: skip
    assert (sheet.headers["sunledger-rows"], sheet.headers["sunledger-sum-fen"]) == ("2", "48150")
    pinned = sheet.links["canonical"]["url"]
    whole = await http.get(path)
    kept = await http.get(whole.json()["href"])
    assert kept.headers["etag"] == whole.headers["etag"] == f'"{hashlib.sha256(whole.content).hexdigest()}"'
    await busy.gift(5)
    assert (await http.get(pinned)).content == sheet.content
    assert (await http.get(whole.json()["href"], headers={"Accept-Encoding": "gzip"})).content == whole.content
    assert (await http.get(whole.json()["href"], headers={"If-None-Match": kept.headers["etag"]})).status_code == 304
    assert (await http.get(f"{path}?org=nobody")).status_code == 404


async def test_what_a_reversal_undid_stands_beside_what_was_done(busy: Branch, http: httpx.AsyncClient) -> None:
    (first, _) = await everything(http, "payments")
    reversed_by = await busy.agree(reversal(busy, first["seq"]))
    assert (await everything(http, "payments"))[0]["undone_fen"] == first["amount_fen"]
    assert (await everything(http, "payments", as_of=reversed_by - 1))[0]["undone_fen"] == 0
    paid = (await http.get("/api/v1/figures?measure=paid")).json()
    assert (paid["count"], paid["sum_fen"]) == (2, 4_000)


def reversal(branch: Branch, ref: int) -> ReverseEntry:
    return ReverseEntry(maker=FINANCE, org=CITY, ref=ref, on=branch.today, reason="金额有误", statement="多付了。")
