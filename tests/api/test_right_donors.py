"""A gift entered wrongly and then right is one donor's: what she agreed to, and her erasure, hold for both."""

from collections.abc import AsyncGenerator

import pytest

from ledger import demo
from ledger.refusals import Closed
from ledger.settings import Settings
from ledger.store.vault import Gift
from tests.support.acting import acting_as_superuser
from tests.support.checklog import check_log
from tests.support.donor import NAME, erase, give, readers
from tests.support.office import CITY, Office, opened

DAY = "2026-07-01"


@pytest.fixture
async def desk(told: Settings) -> AsyncGenerator[Office]:
    async with opened(told) as office:
        yield office


async def taken_back(desk: Office, wrong: int) -> None:
    taken = {"org": CITY, "ref": wrong, "on": DAY, "reason": "金额录入有误", "statement": "多记一位，现予更正。"}
    proposed = (await desk.post("reversals", taken)).json()["proposal"]
    assert (await desk.post(f"proposals/{proposed}/approval", who="checker")).status_code == 201


async def righted(desk: Office, wrong: int) -> int:
    """Taken back, and entered again as it should have been; the right entry's number."""
    await taken_back(desk, wrong)
    asked = {"org": CITY, "corrects": wrong, "fund": "general", "amount_fen": 5_000, "on": DAY}
    answer = await desk.post("right-gifts", asked)
    assert answer.status_code == 201, answer.text
    seq: int = answer.json()["entries"][-1]["seq"]
    return seq


async def public_names(told: Settings) -> set[int]:
    async with acting_as_superuser(told) as connection:
        return {row["seq"] for row in await connection.fetch("select seq from public_name")}


@pytest.mark.parametrize("withdrawn", [False, True])
async def test_a_right_gift_is_named_as_the_donor_agreed_last(desk: Office, told: Settings, *, withdrawn: bool) -> None:
    wrong, _ = await give(desk)
    if withdrawn:
        answer = await desk.http.delete(f"/api/v1/gifts/{wrong}/consent", headers=desk.headers("maker"))
        assert answer.status_code == 200
    assert (await righted(desk, wrong) in await public_names(told)) == (not withdrawn)


@pytest.mark.parametrize("which", ["wrong", "right"])
async def test_an_erasure_takes_the_wrong_and_the_right_entry_of_a_gift(
    which: str, desk: Office, told: Settings
) -> None:
    wrong, code = await give(desk)
    right = await righted(desk, wrong)
    await erase(desk, wrong if which == "wrong" else right)
    async with acting_as_superuser(told) as connection:
        for left in ("receipt where", "public_name where", "consent where", "vault where sealed <> '' and"):
            assert not await connection.fetchval(f"select count(*) from {left} seq in ($1, $2)", wrong, right)
    for seq in (wrong, right):
        assert (await desk.get(f"gifts/{seq}/donor?reason=request")).status_code == 410
    async with readers(told) as http:
        assert (await http.post("/api/v1/trace", json={"code": code})).status_code == 404
        assert NAME not in (await http.get(f"/api/v1/entries/{right}/trace")).text
    await check_log(told)


async def test_a_right_gift_that_was_sealed_before_its_donors_erasure_is_refused(desk: Office, told: Settings) -> None:
    """Between the vault, which it was read from, and its place in the log her erasure was entered."""
    wrong, _ = await give(desk)
    await taken_back(desk, wrong)
    async with desk.resources.database.raw() as connection:
        record = await desk.resources.donors.read_to_take_over(connection, wrong)
    sealed = desk.resources.sealer.seal(Gift(
        maker=demo.MAKER, org=CITY, fund="general", amount_fen=5_000, channel=record.channel.channel,
        channel_ref=record.channel.channel_ref, on=DAY, donor_class="person", identity=record.identity,
        corrects=wrong, code=record.code,
    ))  # fmt: skip
    await erase(desk, wrong)
    before = await desk.size()
    with pytest.raises(Closed):
        await desk.resources.sequencer.submit(sealed)
    assert await desk.size() == before
    async with acting_as_superuser(told) as connection:
        assert await connection.fetchval("select max(seq) from vault") == wrong, "nothing new is kept of her"
    await check_log(told)


async def test_what_waited_about_the_right_entry_is_emptied_when_it_is_resolved_after_the_erasure_of_the_wrong_one(
    desk: Office, told: Settings
) -> None:
    wrong, _ = await give(desk)
    right = await righted(desk, wrong)
    other, _ = await give(desk, key="another gift", channel_ref="another")
    waiting = {
        ref: (await desk.post("refunds", {"org": CITY, "ref": ref, "on": DAY, "reason": NAME})).json()["proposal"]
        for ref in (right, other)
    }
    await erase(desk, wrong)
    for ref, left in ((right, None), (other, NAME)):
        assert (await desk.get(f"proposals/{waiting[ref]}")).json()["content"]["reason"] == NAME, "it waits"
        await desk.post(f"proposals/{waiting[ref]}/withdrawal")
        content = (await desk.get(f"proposals/{waiting[ref]}")).json()["content"]
        assert (content and content["reason"]) == left
    async with acting_as_superuser(told) as connection:
        assert not await connection.fetchval("select salt from draft where proposal = $1", waiting[right])
    await check_log(told)
