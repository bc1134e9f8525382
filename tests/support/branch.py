"""A small society on a database of the test's own: short methods for what staff do, through the real sequencer."""

import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import NamedTuple

from msgspec import structs

from ledger.allocations import AllocateMoney, ReleaseMoney
from ledger.approvals import ApproveProposal, SetPolicy
from ledger.corrections import RefundGift
from ledger.decide import AnyCommand
from ledger.disbursements import ConfirmDelivery, DisburseMoney, PublishFeedback
from ledger.entries import Entry, Outcome, ProposalMade, Restriction, Rule, Spending, Tier
from ledger.fiscal import VoidReceipt
from ledger.organisations import DeclareEvent, EnrolStaff, OpenFund, OpenLog, OpenProject, RegisterOrganisation
from ledger.privacy import FiscalNumbers, Identity
from ledger.roles import Role
from ledger.settings import Settings
from ledger.store import clock, fiscal, keys, setup
from ledger.store.batch import Sequenced
from ledger.store.database import Database
from ledger.store.erasures import ErasureList
from ledger.store.fiscal import NewReceipt
from ledger.store.keys import LogKeys, LookupKeys, SubjectKeys
from ledger.store.sequencer import Sequencer
from ledger.store.vault import Gift, Sealer
from ledger.transfers import SendTransfer

PROVINCE, CITY = "330000", "330800"
FLOOD = "flood"
FOUNDER, OTHER_FOUNDER = "s-aaaaaaaaaaaaa", "s-bbbbbbbbbbbbb"
FINANCE, APPROVER = "s-ccccccccccccc", "s-ddddddddddddd"

CHUNK = 500


class Given(NamedTuple):
    """A gift: its entry's number and its receipt code."""

    seq: int
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """Payments and refunds take two people, everything else one. Methods answer the effect's entry number."""

    settings: Settings
    database: Database
    """As the writer."""
    sequencer: Sequencer
    sealer: Sealer
    subjects: SubjectKeys
    today: str

    @staticmethod
    @asynccontextmanager
    async def open(settings: Settings, *, founded: bool = True) -> "AsyncGenerator[Branch]":
        """The branch, with the society founded (once, however often it is opened)."""
        assert settings.database_url is not None
        keys.create(settings.keys, settings.lookup)
        async with AsyncExitStack() as stack:
            database = setup.database(settings, settings.database_url, "writer")
            stack.push_async_callback(database.close)
            subjects = SubjectKeys(settings.subject_keys, write=True)
            stack.callback(subjects.close)
            sequencer = Sequencer(
                database,
                subjects,
                clock.Clock(),
                erased=ErasureList(settings.erasures),
                queue_size=settings.queue_size,
            )
            await sequencer.start()
            stack.push_async_callback(sequencer.stop)
            sealer = Sealer(LogKeys.read(settings.keys), LookupKeys.read(settings.lookup), subjects.draw)
            today = clock.today(clock.Clock().at(""))
            branch = Branch(
                settings=settings, database=database, sequencer=sequencer, sealer=sealer, subjects=subjects, today=today
            )
            if founded and sequencer.books.seq < 0:
                await branch.found()
            yield branch

    async def found(self) -> None:
        """A province and a city, staff, a policy, two funds and two projects of the city."""
        founders = (FOUNDER, OTHER_FOUNDER)
        opened = OpenLog(maker=FOUNDER, origin="example.org/log", operator="示例市红十字会", administrators=founders)
        await self.do(opened)
        province = RegisterOrganisation(
            maker=FOUNDER, org=PROVINCE, name="示例省红十字会", level="province", division=PROVINCE
        )
        await self.do(province)
        await self.do(
            structs.replace(province, org=CITY, name="示例市红十字会", level="city", parent=PROVINCE, division=CITY)
        )
        rules = tuple(Rule(kind=kind, approvals=(Tier(0, 1),)) for kind in ("gift.refunded", "money.disbursed"))
        for command in (
            EnrolStaff(maker=FOUNDER, staff=FINANCE, org=CITY, roles=(Role.FINANCE, Role.PROGRAMME)),
            EnrolStaff(maker=FOUNDER, staff=APPROVER, org=CITY, roles=(Role.APPROVER,)),
            SetPolicy(maker=FOUNDER, rules=rules),
        ):
            await self.agree(command, OTHER_FOUNDER)
        await self.do(DeclareEvent(maker=FOUNDER, event=FLOOD, name="示例市 6 月洪涝灾害", emergency=True))
        await self.fund("general", "不指定用途")
        await self.fund("flood", "汛期应急救助", Restriction(event=FLOOD))
        await self.project("relief", "受灾家庭救助", event=FLOOD)
        await self.project("winter", "困难家庭冬季慰问")

    async def fund(self, fund: str, name: str, restriction: Restriction | None = None) -> int:
        """One more fund of the city."""
        return await self.do(
            OpenFund(maker=FOUNDER, org=CITY, fund=fund, name=name, restriction=restriction or Restriction())
        )

    async def project(self, project: str, name: str, *, event: str = "") -> int:
        """One more project of the city."""
        return await self.do(OpenProject(maker=FOUNDER, org=CITY, project=project, name=name, event=event))

    async def gift(self, amount_fen: int, fund: str = "general", *, event: str = "", on: str = "") -> Given:
        """A gift to the city."""
        outcome = await self.sequencer.submit(self.sealer.seal(self._gift(amount_fen, fund, event, on)))
        assert isinstance(outcome, Sequenced)
        return Given(outcome.entries[0].seq, outcome.code)

    async def gifts(self, amounts_fen: Sequence[int], fund: str = "general") -> list[Given]:
        """Many gifts, fast."""
        given: list[Given] = []
        for start in range(0, len(amounts_fen), CHUNK):
            sealed = [self.sealer.seal(self._gift(each, fund)) for each in amounts_fen[start : start + CHUNK]]
            for outcome in await self.sequencer.enqueue(sealed):
                assert isinstance(outcome, Sequenced)
                given.append(Given(outcome.entries[0].seq, outcome.code))
        return given

    async def issue(self, gift: int, amount_fen: int, numbers: FiscalNumbers, *, replaces: int = 0) -> int:
        """A fiscal receipt for a gift."""
        async with self.database.raw() as connection:
            slot = await connection.fetchval("select slot from vault where seq = $1", gift)
        key = self.subjects.read(slot)
        assert key is not None
        receipt = NewReceipt(FINANCE, CITY, gift, amount_fen, self.today, replaces, numbers)
        keys, lookup = LogKeys.read(self.settings.keys), LookupKeys.read(self.settings.lookup)
        outcome = await self.sequencer.submit(fiscal.seal(receipt, key, keys, lookup))
        assert isinstance(outcome, Sequenced)
        return outcome.entries[0].seq

    async def void(self, gift: int, issued: int) -> int:
        """A fiscal receipt holds no more."""
        return await self.do(
            VoidReceipt(maker=FINANCE, org=CITY, ref=gift, issued=issued, on=self.today, reason="mistake")
        )

    async def allocate(self, amount_fen: int, fund: str = "general", project: str = "winter") -> int:
        """From a fund to a project."""
        return await self.do(
            AllocateMoney(maker=FINANCE, org=CITY, fund=fund, project=project, amount_fen=amount_fen, on=self.today)
        )

    async def release(self, allocation: int, amount_fen: int = 0) -> int:
        """What is left of an allocation, back to its fund."""
        return await self.do(
            ReleaseMoney(maker=FINANCE, org=CITY, ref=allocation, amount_fen=amount_fen, on=self.today, reason="结余")
        )

    async def pay(  # noqa: PLR0913  what a payment is
        self,
        amount_fen: int,
        project: str = "winter",
        *,
        payee: str = "persons",
        purpose: str = "救助金",
        spending: Spending = "aid",
        beneficiaries: str = "",
        evidence: tuple[str, ...] = (),
    ) -> int:
        """A payment, approved."""
        return await self.agree(
            DisburseMoney(
                maker=FINANCE,
                org=CITY,
                project=project,
                amount_fen=amount_fen,
                spending=spending,
                payee=payee,
                purpose=purpose,
                on=self.today,
                beneficiaries=beneficiaries,
                evidence=evidence,
            )
        )

    async def confirm(self, payment: int, amount_fen: int, outcome: Outcome = "ok") -> int:
        """The recipient says what arrived."""
        return await self.do(
            ConfirmDelivery(maker=FINANCE, org=CITY, ref=payment, outcome=outcome, qty=amount_fen, on=self.today)
        )

    async def feedback(self, payment: int, text: str, beneficiaries: str = "") -> int:
        """What a payment did."""
        return await self.do(
            PublishFeedback(maker=FINANCE, org=CITY, ref=payment, text=text, on=self.today, beneficiaries=beneficiaries)
        )

    async def send(self, amount_fen: int, fund: str = "general") -> int:
        """From a fund to the province, which has not received it yet."""
        return await self.do(
            SendTransfer(maker=FINANCE, org=CITY, fund=fund, to=PROVINCE, amount_fen=amount_fen, on=self.today)
        )

    async def refund(self, gift: int, amount_fen: int = 0) -> int:
        """A gift back to its donor, approved; all that is left of it unless told."""
        return await self.agree(
            RefundGift(maker=FINANCE, org=CITY, ref=gift, on=self.today, reason="捐赠人申请", amount_fen=amount_fen)
        )

    async def do(self, command: AnyCommand) -> int:
        """Have a command sequenced."""
        return (await self._entries(command))[0].seq

    async def agree(self, command: AnyCommand, checker: str = APPROVER) -> int:
        """Have a command sequenced, and approved by another person where it waits for one."""
        made = await self._entries(command)
        if isinstance(made[0].body, ProposalMade):
            _, *made = await self._entries(ApproveProposal(maker=checker, proposal=made[0].seq))
        return made[0].seq

    async def _entries(self, command: AnyCommand) -> list[Entry]:
        outcome = await self.sequencer.submit(command)
        assert isinstance(outcome, Sequenced)
        return [*outcome.entries]

    def _gift(self, amount_fen: int, fund: str, event: str = "", on: str = "") -> Gift:
        return Gift(
            maker=FINANCE,
            org=CITY,
            fund=fund,
            amount_fen=amount_fen,
            channel="wechat",
            channel_ref=secrets.token_hex(14),
            on=on or self.today,
            donor_class="person",
            identity=Identity(name="张*"),
            event=event,
        )
