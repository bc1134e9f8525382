"""The parts of a gift on its page: what is said of each fits the state it is in."""

import re

import httpx

from tests.support.branch import Branch
from tests.support.reading import text


async def test_what_is_said_of_each_part_fits_the_state_it_is_in(branch: Branch, http: httpx.AsyncClient) -> None:
    given = await branch.gift(1_000, "flood")
    await branch.allocate(700, "flood", "relief")
    paid = await branch.pay(300, "relief")
    said = await parts_of(http, given.code)
    assert {*said} == {"unconfirmed", "allocated", "held"}
    assert "的一笔付款，共 ¥3.00" in said["unconfirmed"]
    assert "起在项目里，等待使用" in said["allocated"]
    assert said["held"].endswith("在基金里，等待分配")
    await branch.confirm(paid, 300)
    assert "的一笔付款，共 ¥3.00" in (await parts_of(http, given.code))["confirmed"]


async def parts_of(http: httpx.AsyncClient, code: str) -> dict[str, str]:
    """State → what the trace page says of the part that is in it."""
    page = (await http.post("/trace", data={"code": code})).text
    found = re.findall(r'data-shown="part:(\w+)".*?<p>(.*?)</p>', page, re.DOTALL)
    return {state: text(said).strip() for state, said in found}
