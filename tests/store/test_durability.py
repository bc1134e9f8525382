"""kill -9 of the application, of PostgreSQL, of both, while 16 people write: what was acknowledged is there, once.

So are the rows of a sheet that was being entered beside them. And every receipt that was issued in any round before
verifies: no checkpoint was signed beside another.
"""

import asyncio
import csv
import io
import json
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from random import Random  # noqa: TID251  seeded

import httpx
import pytest

from ledger.entries import Entry, ImportCompleted, MoneyReceived, digest, encode, qty_of
from ledger.settings import Settings
from ledger.store import setup, signing
from ledger.store.audit.stored import Stored
from ledger.store.keys import LogKeys
from ledger.store.queries import log as queries
from ledger.store.queries.log import LogState
from ledger.verify.verifier import verify
from tests.support import office
from tests.support.acting import acting_as
from tests.support.checklog import check_log
from tests.support.postgres import Cluster
from tests.support.program import Running, environment, free_port, running
from tests.tamper.site import policy_of, proof_of, signer_of

WRITERS = 16
ENOUGH_MAX = 130
"""Gifts of a round that are acknowledged before the kill, at most; each writer has one more under way."""
VICTIMS = ("the application", "PostgreSQL", "both") * 6 + ("PostgreSQL", "both")
SHORT = 2
"""Rounds of the ordinary suite, and one of a sheet where both are killed; the others take minutes."""
ISSUED = 5
"""Receipts in a round."""
TIMEOUT_S = 120
POLL_S = 0.05

SHEET_ROWS = 10_000
SHEET_VICTIMS = ("both", "the application", "PostgreSQL") * 3


def rounds(victims: Sequence[str], first: int, short: int) -> pytest.MarkDecorator:
    """Numbered from `first` on; so many are of the ordinary suite."""
    return pytest.mark.parametrize(
        ("number", "victim"),
        [
            pytest.param(i, victim, id=f"round {i}, {victim}", marks=[] if i < first + short else [pytest.mark.long])
            for i, victim in enumerate(victims, first)
        ],
    )


@pytest.fixture(scope="module")
def durable() -> Iterator[Cluster]:
    """A PostgreSQL that keeps its word, and stands up again after each round."""
    server = Cluster(durable=True)
    yield server
    server.stop()


@pytest.fixture(scope="module")
async def log(durable: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A log on it, with the demo's story told; it grows from round to round."""
    folder = tmp_path_factory.mktemp("durable")
    (folder / "passphrase").write_text("only for this test")
    settings = Settings(
        data_dir=folder,
        database_url=durable.url(),
        admin_port=free_port(),
        signing_passphrase_file=folder / "passphrase",
    )
    await setup.prepare(settings, durable.url())
    async with office.opened(settings):
        signing.create(settings.signing, settings.passphrase)
        return settings


@dataclass(slots=True)
class Site:
    """The admin application in a process of its own, and its PostgreSQL."""

    log: Settings
    cluster: Cluster
    stack: ExitStack
    application: Running | None = None
    is_cluster_down: bool = False
    receipts: list[bytes] = field(default_factory=list)
    """Every `.tlog-proof` that was issued, in whatever round."""
    saved: bytes | None = None
    """The newest checkpoint that anybody saw."""

    def start(self) -> None:
        """Start what does not run."""
        if self.is_cluster_down:
            self.cluster.start()
            self.is_cluster_down = False
        if self.application is None:
            began = running(environment(self.log), "admin", self.log.data_dir)
            self.application = self.stack.enter_context(began)
        self.application.until_it_answers(self.log.admin_port)

    def kill(self, victim: str) -> None:
        """Signal 9, in the middle of whatever it does."""
        if victim != "PostgreSQL":
            assert self.application is not None
            self.application.kill()
            self.application = None
        if victim != "the application":
            self.cluster.kill()
            self.is_cluster_down = True

    async def issue(self, random: Random) -> None:
        """Give out receipts of what is published, while others write."""
        async with acting_as("reader", self.log) as reader:
            while (note := await queries.last_checkpoint(reader)) is None:  # noqa: ASYNC110  the first comes with time
                await asyncio.sleep(0.05)
        self.saved = note
        size = queries.checkpoint_of(self.saved).size
        self.receipts += [await proof_of(self.log, seq) for seq in (size - 1, *random.sample(range(size), ISSUED - 1))]

    def verify(self) -> None:
        """What a donor and an auditor do, each with all they were given."""
        assert self.log.database_url is not None
        policy = policy_of(signer_of(self.log))
        with closing(Stored(self.log, self.log.database_url).log()) as source:
            report = verify(source, policy=policy, saved=self.saved, receipts=self.receipts, meaning=False, processes=0)
        assert report.exit_code == 0, report.text()
        assert report.is_saved_continued


@pytest.fixture(scope="module")
def site(log: Settings, durable: Cluster) -> Iterator[Site]:
    with ExitStack() as stack:
        yield Site(log, durable, stack)


def client(log: Settings, who: str) -> httpx.AsyncClient:
    """Speaks to the application as one of the demo's people."""
    token = json.loads((log.data_dir / "demo.json").read_text())["tokens"][who]
    return httpx.AsyncClient(
        base_url=f"http://{log.admin_host}:{log.admin_port}",
        headers={"Authorization": f"Bearer {token}"},
        limits=httpx.Limits(max_connections=WRITERS),
        timeout=TIMEOUT_S,
    )


@pytest.fixture
async def http(log: Settings) -> AsyncGenerator[httpx.AsyncClient]:
    async with client(log, "maker") as http:
        yield http


@pytest.fixture
async def checker(log: Settings) -> AsyncGenerator[httpx.AsyncClient]:
    async with client(log, "checker") as http:
        yield http


@dataclass(slots=True)
class Letter:
    """A gift as it is sent, again and again the same; and what was answered first."""

    name: str
    body: dict[str, object]
    acknowledged: bytes = b""
    under_way: bool = True
    """Sent, and neither acknowledged nor turned away at a door where nobody was any more."""

    async def send(self, http: httpx.AsyncClient) -> httpx.Response:
        return await http.post("/api/v1/gifts", json=self.body, headers={"Idempotency-Key": self.name})


@dataclass(slots=True)
class Round:
    """Sixteen people write until it is `over`; `enough` comes when so many gifts are acknowledged."""

    number: int
    http: httpx.AsyncClient
    enough_gifts: int
    letters: list[Letter] = field(default_factory=list)
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def write(self, writer: int) -> None:
        """Gift after gift, until the line is dead or the kill is over: it cannot come too late to meet one."""
        for i in count():
            if self.over.is_set():
                return
            name = f"round {self.number} writer {writer} gift {i}"
            body = office.gift(channel_ref=name, amount_fen=100 + i, donor={"name": f"捐赠人{i}"})
            self.letters.append(letter := Letter(name, body))
            try:
                answer = await letter.send(self.http)
            except httpx.TransportError as error:
                letter.under_way = not isinstance(error, httpx.ConnectError)
                return
            if answer.status_code == httpx.codes.CREATED:
                letter.acknowledged, letter.under_way = answer.content, False
                if len([each for each in self.letters if each.acknowledged]) >= self.enough_gifts:
                    self.enough.set()
            else:
                assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE, answer.text
                return


async def test_the_cluster_keeps_its_word(durable: Cluster) -> None:
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        ((value,),) = await durable.execute(f"show {setting}")
        assert value == "on", setting


@rounds(VICTIMS, 1, SHORT)
async def test_what_was_acknowledged_outlives_kill_9(
    number: int, victim: str, site: Site, http: httpx.AsyncClient
) -> None:
    await asyncio.to_thread(site.start)
    writing = Round(number, http, Random(number).randint(1, ENOUGH_MAX))
    async with asyncio.timeout(TIMEOUT_S), asyncio.TaskGroup() as tasks:
        for writer in range(WRITERS):
            tasks.create_task(writing.write(writer))
        await writing.enough.wait()
        await site.issue(Random(number))
        await asyncio.to_thread(site.kill, victim)
        met = [letter for letter in writing.letters if letter.under_way]
        await asyncio.to_thread(site.start)
        writing.over.set()
    assert met, "the kill met nobody who wrote"
    await asyncio.to_thread(site.verify)
    assert len(site.receipts) >= ISSUED

    keys = LogKeys.read(site.log.keys)
    check_letters(writing.letters, keys, await check_log(site.log))
    for letter in writing.letters:
        await check_retries(letter, http)

    found = by_reference(await check_log(site.log))
    for letter in writing.letters:
        (entry,) = found[reference(keys, letter)]
        check_answer(letter, entry)


@rounds(SHEET_VICTIMS, len(VICTIMS) + 1, 1)
async def test_a_sheet_that_was_being_entered_outlives_kill_9(
    number: int, victim: str, site: Site, http: httpx.AsyncClient, checker: httpx.AsyncClient
) -> None:
    await asyncio.to_thread(site.start)
    writing = Round(number, http, ENOUGH_MAX)
    enough_rows = Random(number).randint(1, SHEET_ROWS // 2)
    async with asyncio.timeout(TIMEOUT_S), asyncio.TaskGroup() as tasks:
        for writer in range(WRITERS):
            tasks.create_task(writing.write(writer))
        await site.issue(Random(number))
        batch = await approved(http, checker, number)
        entered = 0
        while entered < enough_rows:
            entered = (await checker.get(f"/api/v1/imports/{batch}")).json()["entered_rows"]
        await asyncio.to_thread(site.kill, victim)
        assert entered < SHEET_ROWS, "the kill met no sheet"
        await asyncio.to_thread(site.start)
        writing.over.set()
        while not (await checker.get(f"/api/v1/imports/{batch}")).json()["completed_seq"]:  # noqa: ASYNC110  it tells nobody
            await asyncio.sleep(POLL_S)
    await asyncio.to_thread(site.verify)
    written = await check_log(site.log)
    check_letters(writing.letters, LogKeys.read(site.log.keys), written)
    check_sheet(written, batch, (await checker.get(f"/api/v1/imports/{batch}/codes.csv")).text)


async def approved(http: httpx.AsyncClient, checker: httpx.AsyncClient, number: int) -> int:
    """A sheet is handed in, checked and approved; the import's number."""
    lines = (f"2026-07-01,{number:04d}{row:024d},{row % 50 + 1}.00\n" for row in range(SHEET_ROWS))
    sheet = (await http.post("/api/v1/sheets", content="day,transaction_no,amount_cny\n" + "".join(lines))).json()[
        "sheet"
    ]
    wanted = {"profile": "wuhan-qr-2020", "name": f"{number}.csv", "org": office.CITY, "fund": "general"}
    check = (await http.post(f"/api/v1/sheets/{sheet}/check", json=wanted)).json()
    while check["state"] == "checking":
        await asyncio.sleep(POLL_S)
        check = (await http.get(f"/api/v1/sheets/{sheet}/check")).json()
    (proposal,) = check["proposals"].values()
    key = {"Idempotency-Key": f"approval of {proposal}"}
    answer = await checker.post(f"/api/v1/proposals/{proposal}/approval", headers=key)
    seq: int = answer.json()["entries"][-1]["seq"]
    return seq


def check_sheet(log: list[Entry], batch: int, codes: str) -> None:
    """Each row is entered once, in order, and has its code; one entry says so, with the sum that was approved."""
    rows = [entry for entry in log if isinstance(entry.body, MoneyReceived) and entry.body.batch == batch]
    numbers = [getattr(entry.body, "row", 0) for entry in rows]
    assert numbers == [*range(numbers[0], numbers[0] + SHEET_ROWS)]
    (completed,) = [each.body for each in log if isinstance(each.body, ImportCompleted) and each.body.batch == batch]
    sum_fen = sum(100 * (row % 50 + 1) for row in range(SHEET_ROWS))
    assert (completed.rows, completed.sum_fen, completed.rejected) == (SHEET_ROWS, sum_fen, 0)
    assert sum(map(qty_of, rows)) == sum_fen
    listed = [*csv.DictReader(io.StringIO(codes))]
    assert [(int(each["row"]), int(each["seq"])) for each in listed] == [
        *zip(numbers, (e.seq for e in rows), strict=True)
    ]
    for entry, each in zip(rows, listed, strict=True):
        check_code(entry, each["receipt_code"])


def check_letters(letters: list[Letter], keys: LogKeys, log: list[Entry]) -> None:
    """What was acknowledged is entered once; what was not, once or not at all."""
    found = by_reference(log)
    for letter in letters:
        entries = found[reference(keys, letter)]
        assert len(entries) == 1 if letter.acknowledged else len(entries) <= 1, letter.name


STATES = [*LogState]


async def check_retries(letter: Letter, http: httpx.AsyncClient) -> None:
    """The same answer as before, but for how far it has come; where there was none, from now on always the same."""
    for _ in range(1 if letter.acknowledged else 2):
        answer = await letter.send(http)
        assert answer.status_code == httpx.codes.CREATED, answer.text
        letter.acknowledged = letter.acknowledged or answer.content
        before, now = json.loads(letter.acknowledged), answer.json()
        assert STATES.index(now.pop("state")) >= STATES.index(before.pop("state")), "what was published stays so"
        assert now == before, letter.name


def check_answer(letter: Letter, entry: Entry) -> None:
    """What was acknowledged is this entry, and its code opens the entry's receipt."""
    answer = json.loads(letter.acknowledged)
    (told,) = answer["entries"]
    assert (told["seq"], told["at"], told["sha256"]) == (entry.seq, entry.at, digest(encode(entry))), letter.name
    check_code(entry, answer["receipt_code"])


def check_code(entry: Entry, printed: str) -> None:
    """The code opens the entry's receipt."""
    assert isinstance(entry.body, MoneyReceived)
    text = f"sunledger/receipt/1\n{entry.prev}\n{printed.replace('-', '')}\n"
    assert entry.body.receipt == sha256(text.encode()).hexdigest(), entry.seq


def reference(keys: LogKeys, letter: Letter) -> str:
    return keys.ref(office.CITY, "bank", letter.name)


def by_reference(log: list[Entry]) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = defaultdict(list)
    for entry in log:
        if isinstance(entry.body, MoneyReceived):
            found[entry.body.ref].append(entry)
    return found
