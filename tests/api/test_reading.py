"""Who reads what at the admin application: nobody who was dismissed, and of other organisations not what is theirs."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import pytest

from api.reference import Operation
from ledger import demo, posting
from ledger.approvals import ApproveProposal
from ledger.demo import CITY, COUNTY
from ledger.organisations import DismissStaff, EnrolStaff
from ledger.roles import Role
from ledger.settings import Settings
from ledger.store import credentials
from ledger.store.batch import Sequenced
from ledger.store.staging import Manifest
from tests.support import office
from tests.support.asked import operations, send
from tests.support.office import Office, gift
from tests.support.signing import signing

WAIT_S_MAX = 60
PROVINCE, OTHER_COUNTY = "330000", "330802"
SOMEBODY = "s-somebody2demo"
ROLES = (Role.FINANCE, Role.APPROVER)

WHATEVER_ORGANISATION = {
    "get_check", "get_checkpoint", "get_import", "get_refused", "get_rejected", "get_standing", "list_imports",
    "list_proposals", "list_staff", "list_stale", "list_suspense", "list_transit", "whoami",
}  # fmt: skip
"""What everybody reads who holds some role: what the log says anyway, and how far work is. None of it names a donor."""


@pytest.fixture
async def desk(told: Settings) -> AsyncGenerator[Office]:
    async with office.opened(signing(told)) as desk:
        publisher = desk.resources.publisher
        assert publisher is not None
        assert await publisher.wait_for(await desk.size() - 1, WAIT_S_MAX)
        yield desk


async def agreed(desk: Office, command: EnrolStaff | DismissStaff) -> None:
    """What one administrator wants and the other one approves."""
    made = await desk.resources.sequencer.submit(command)
    assert isinstance(made, Sequenced)
    await desk.resources.sequencer.submit(ApproveProposal(maker=demo.SECOND, proposal=made.entries[0].seq))


async def enrol(desk: Office, org: str, *roles: Role) -> None:
    """Somebody with these roles there and no other."""
    for held in [*desk.resources.sequencer.books.staff.get(SOMEBODY, ())]:
        await agreed(desk, DismissStaff(maker=demo.FOUNDER, staff=SOMEBODY, org=held))
    await agreed(desk, EnrolStaff(maker=demo.FOUNDER, staff=SOMEBODY, org=org, roles=roles))
    if "somebody" not in desk.tokens:
        desk.tokens["somebody"] = await credentials.create(desk.resources.database, SOMEBODY, "somebody")


async def reads(desk: Office) -> list[Operation]:
    return [each for each in await operations(desk.http) if each.method == "GET" and each.path.startswith("/api/")]


async def notices() -> AsyncIterator[bytes]:
    """Two, and a row that is refused."""
    yield b"source_file,source_row,donated_on,donor_public,amount_cny\n"
    yield "第一期,1,2020-02-01,张*,1.00\n第二期,1,2020-02-01,张*,1.00\n第二期,2,2020-02-01,张*,x\n".encode()


async def imported(desk: Office) -> dict[str, object]:
    """A sheet of which one notice is entered and one waits: what addresses call them."""
    sheets = desk.resources.sheets
    sheet = await sheets.staging.stage(notices())
    job = sheets.begin(sheet, Manifest(
        profile="hubei-2020", name="公示.csv", maker=demo.MAKER, org=CITY, fund="general", event="", totals={},
    ))  # fmt: skip
    async with asyncio.timeout(WAIT_S_MAX):
        while not job.done:  # noqa: ASYNC110  a job is asked, it tells nobody
            await asyncio.sleep(0.01)
        entered, waits = job.proposals.values()
        approved = (await desk.post(f"proposals/{entered}/approval", who="checker")).json()["entries"][-1]
        while desk.resources.sequencer.books.imports:  # noqa: ASYNC110  as above
            await asyncio.sleep(0.01)
    return {"sheet": sheet, "proposal": waits, "batch": approved["seq"]}


async def test_who_was_dismissed_everywhere_reads_nothing_but_who_she_is(desk: Office) -> None:
    await enrol(desk, CITY, *ROLES)
    path = await imported(desk)
    desk.http.headers.update(desk.headers("somebody"))
    asked = await reads(desk)
    assert 403 not in {(await send(desk.http, each, path=path)).status_code for each in asked}
    await agreed(desk, DismissStaff(maker=demo.FOUNDER, staff=SOMEBODY, org=CITY))
    for each in asked:
        answer = await send(desk.http, each, path=path)
        if each.id == "whoami":
            assert answer.json() == {"staff": SOMEBODY, "roles": {}}
        else:
            assert (answer.status_code, answer.json()["type"]) == (403, "/problems/role-required"), each.id


async def test_who_works_elsewhere_reads_what_is_every_organisations(desk: Office) -> None:
    await enrol(desk, OTHER_COUNTY, *ROLES)
    path = await imported(desk)
    allowed = set()
    for each in await reads(desk):
        desk.http.headers.update(desk.headers("somebody"))
        answer = await send(desk.http, each, path=path)
        if answer.status_code != 403:
            allowed.add(each.id)
            continue
        assert answer.json()["type"] == "/problems/role-required"
        desk.http.headers.update(desk.headers("maker"))
        assert (await send(desk.http, each, path=path)).status_code == 200, each.id
    assert allowed == WHATEVER_ORGANISATION


async def test_what_is_proposed_is_read_by_who_works_there_and_who_stands_above_all(desk: Office) -> None:
    proposal = await reversal(desk)
    for org, role, status in (
        (CITY, Role.AUDITOR, 200),
        (CITY, Role.INTAKE, 200),
        ("", Role.SUPERVISOR, 200),
        (PROVINCE, Role.ADMINISTRATOR, 200),
        (PROVINCE, Role.AUDITOR, 403),
        (COUNTY, Role.ADMINISTRATOR, 403),
    ):
        await enrol(desk, org, role)
        answer = await desk.get(f"proposals/{proposal}", who="somebody")
        assert answer.status_code == status, (org, role)
        assert (answer.json().get("content") is not None) is (status == 200)


async def test_what_is_proposed_is_read_wherever_it_takes_from_whatever_became_of_it(
    desk: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "MAX_POSTINGS", 1)  # what it takes from the other one is in its second part
    await enrol(desk, COUNTY, Role.APPROVER)
    proposal = await reversal(desk, sent_fen=400)
    assert (await desk.get(f"proposals/{proposal}", who="somebody")).json()["content"]["org"] == CITY
    await desk.post(f"proposals/{proposal}/withdrawal")
    said = (await desk.get(f"proposals/{proposal}", who="somebody")).json()
    assert (said["status"], said["content"]["org"]) == ("withdrawn", CITY)


async def reversal(desk: Office, sent_fen: int = 0) -> int:
    """A proposal to take back a gift to the city: the first of it went to a project, so much more to the county."""
    await desk.post("funds", {"org": CITY, "fund": "fresh", "name": "新基金"}, who="administrator")
    given = await desk.post("gifts", gift(fund="fresh", amount_fen=1_000))
    ours = {"org": CITY, "fund": "fresh", "on": "2026-07-02"}
    assert (await desk.post("allocations", {**ours, "project": "qz-01", "amount_fen": 100})).status_code == 201
    if sent_fen:
        sent = await desk.post("transfers", {**ours, "to": COUNTY, "amount_fen": sent_fen})
        arrived = {"org": COUNTY, "fund": "county-aid", "ref": sent.json()["entries"][-1]["seq"], "on": "2026-07-02"}
        assert (await desk.post("transfer-arrivals", arrived)).status_code == 201
    ref = given.json()["entries"][0]["seq"]
    wrong = {"org": CITY, "ref": ref, "on": "2026-07-02", "reason": "误录", "statement": "误录，现予更正。"}
    proposal: int = (await desk.post("reversals", wrong)).json()["proposal"]
    return proposal
