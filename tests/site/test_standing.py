"""How the newest checkpoint stands, on the first page and on 核验: as of when, and green only while that is new."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.public.app import Resources, build
from ledger import entries
from ledger.settings import Settings
from ledger.store import setup
from ledger.store.keys import LookupKeys
from ledger.store.queries.head import Head
from ledger.store.queries.log import Published, Witnessed, WitnessState
from public_site.appearance import Appearance
from public_site.site import Press
from tests.support.office import Office, gift
from tests.support.visitor import visitor

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
NAMES = {"/": "find", "/verify": "checking"}
COSIGNED = "截至 {at}，前 7 条已由见证机构核对会签"
WAITING = "从第 7 条起还没有签名公布"


def ago(hours: int | None) -> datetime | None:
    return None if hours is None else NOW - timedelta(hours=hours)


def witnessed(quorum: str, cosigned_at: datetime | None, waiting_since: datetime | None) -> Witnessed:
    """By one witness, or by nobody."""
    witness = WitnessState(
        name="w1", vkey="w1+0", url="", cosigned_size=7 if cosigned_at else None, cosigned_at=cosigned_at,
        has_cosigned_newest=cosigned_at is not None, trouble="", alarm="",
    )  # fmt: skip
    return Witnessed(
        size=7, quorum=quorum, is_required=False, has_quorum=True, cosigned_at=cosigned_at, waiting_since=waiting_since,
        witnesses=(witness,),
    )  # fmt: skip


def page(path: str, found: Witnessed, look: Appearance | None = None) -> str:
    """As somebody reads it at that time."""
    at = entries.instant(NOW)
    published = Published(size=7, root=bytes(32), at=NOW, by=("sunshine-ledger.example/log",))
    shown: dict[str, dict[str, Any]] = {
        "find": {"year": None, "corrections": 0, "news": []},
        "checking": {"checkpoints": [(published, 7)], "address": "", "key": "", "stamps": [], "stamped": ()},
    }
    press = Press(look or Appearance(stale_hours=72), lambda: at)
    name = NAMES[path.removeprefix("/en")]
    return press.at(path).page(name, Head(9, at, "示例市红十字会"), witnessed=found, **shown[name]).content


@pytest.mark.parametrize("path", NAMES)
@pytest.mark.parametrize(
    ("cosigned", "waiting", "tone", "said"),
    [
        (1, None, "ok", COSIGNED.format(at="2026-11-21 16:00")),
        (72, None, "ok", COSIGNED.format(at="2026-11-18 17:00")),
        (73, None, "warn", COSIGNED.format(at="2026-11-18 16:00")),
        (1, 72, "ok", COSIGNED.format(at="2026-11-21 16:00")),
        (1, 73, "warn", WAITING),
        (73, 73, "warn", WAITING),
    ],
)
def test_the_line_on_the_witnesses_says_as_of_when_and_is_green_only_while_that_is_new(
    path: str, cosigned: int, waiting: int | None, tone: str, said: str
) -> None:
    text = page(path, witnessed("w1", ago(cosigned), ago(waiting)))
    assert text.count('<div class="status ') == text.count(f'<div class="status {tone}">') == 1
    assert f"<b>{said}</b>" in text


@pytest.mark.parametrize("path", NAMES)
def test_a_quorum_of_nobody_that_nobody_cosigned_is_not_called_cosigned(path: str) -> None:
    text = page(path, witnessed("none", None, None))
    assert "核对会签</b>" not in text
    assert 'class="status ok"' not in text


async def test_entries_that_wait_for_a_publisher_that_stopped_are_told_once_they_wait_long(
    office: Office, told: Settings
) -> None:
    assert told.database_url is not None
    assert office.resources.publisher is not None
    await office.resources.publisher.stop()
    database = setup.database(told, told.database_url, "reader", pool_size=2)
    usual, at_once = (
        build(Resources(database=database, lookup=LookupKeys.read(told.lookup), look=Appearance(stale_hours=hours)))
        for hours in (72, -1)
    )
    async with visitor(usual) as http, visitor(at_once) as hasty:
        assert "起还没有签名公布" not in (await hasty.get("/")).text, "nothing waits"
        first = (await office.post("gifts", gift(channel_ref="waits"))).json()["entries"][0]["seq"]
        await office.post("gifts", gift(channel_ref="waits less long"))
        assert "起还没有签名公布" not in (await http.get("/")).text, "not long"
        assert f"从第 {first} 条起还没有签名公布" in (await hasty.get("/")).text
        assert f"From entry {first} on nothing is published" in (await hasty.get("/en/verify")).text
        since = (await http.get("/log/witnesses")).json()["waiting_since"]
        made = (await http.get(f"/api/v1/entries/{first}/bytes")).json()["at"]
    assert datetime.fromisoformat(since) == datetime.fromisoformat(made)
    await database.close()
