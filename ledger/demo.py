"""The demo's story: a flood in Quzhou, told through the real commands. Names from the planning documents; no person's.

Every step is decided, sequenced and stored like any other; run again it finds itself told.
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ledger import privacy
from ledger.allocations import AllocateMoney, ReleaseMoney
from ledger.approvals import ApproveProposal, RejectProposal, SetPolicy
from ledger.corrections import RefundGift
from ledger.decide import AnyCommand
from ledger.disbursements import ConfirmDelivery, DisburseMoney, PublishFeedback
from ledger.entries import DonorClass, Entry, Restriction, Rule, Tier
from ledger.organisations import DeclareEvent, EnrolStaff, OpenFund, OpenLog, OpenProject, RegisterOrganisation
from ledger.privacy import Identity
from ledger.roles import Role
from ledger.store import credentials
from ledger.store.batch import Sequenced
from ledger.store.database import Database
from ledger.store.sequencer import Sequencer
from ledger.store.setup import private_file
from ledger.store.vault import Gift, Sealer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.entries import Level

FOUNDER, SECOND = "s-aaaaaaaaaaaaa", "s-bbbbbbbbbbbbb"
MAKER, CHECKER = "s-finance2demoa", "s-approve2demoa"
CITY, COUNTY = "330800", "330824"
FLOOD = "flood-2026-06"

ORGANISATIONS: tuple[tuple[str, str, "Level", str], ...] = (
    ("100000", "中国红十字会总会", "national", ""),
    ("330000", "浙江省红十字会", "province", "100000"),
    (CITY, "衢州市红十字会", "city", "330000"),
    (COUNTY, "开化县红十字会", "county", CITY),
    ("330802", "柯城区红十字会", "county", CITY),
)


@dataclass(slots=True)
class Story:
    """Tells the story to a sequencer."""

    sequencer: Sequencer
    sealer: Sealer
    codes: dict[str, str] = field(default_factory=dict)
    """What the gift shows → its receipt code."""
    _refunded: int = -1

    async def tell(self) -> None:
        """From the first entry to a hospital's confirmation."""
        await self._set_up()
        await self._gifts()
        await self._flood_relief()
        await self._unrestricted()

    async def _set_up(self) -> None:
        await self._do(
            OpenLog(
                maker=FOUNDER,
                origin="sunshine-ledger.example/log",
                operator="衢州市红十字会（演示）",
                administrators=(FOUNDER, SECOND),
            )
        )
        for org, name, level, parent in ORGANISATIONS:
            await self._do(
                RegisterOrganisation(maker=FOUNDER, org=org, name=name, level=level, parent=parent, division=org)
            )
        roles = {MAKER: (Role.FINANCE, Role.PROGRAMME), CHECKER: (Role.APPROVER,)}
        for org in (CITY, COUNTY):
            for staff, held in roles.items():
                await self._both(EnrolStaff(maker=FOUNDER, staff=staff, org=org, roles=held), SECOND)
        rules = (
            Rule(kind="money.allocated", approvals=(Tier(1_000_000, 1),), decision_from=5_000_000),
            Rule(kind="money.disbursed", approvals=(Tier(0, 1),)),
            Rule(kind="gift.refunded", approvals=(Tier(0, 1),)),
        )
        await self._both(SetPolicy(maker=FOUNDER, rules=rules), SECOND)
        await self._do(DeclareEvent(maker=FOUNDER, event=FLOOD, name="2026 年 6 月衢州洪涝灾害", emergency=True))
        await self._do(
            OpenFund(maker=FOUNDER, org=CITY, fund="flood", name="汛期应急救助", restriction=Restriction(event=FLOOD))
        )
        await self._do(OpenFund(maker=FOUNDER, org=CITY, fund="general", name="非定向捐款", restriction=Restriction()))
        await self._do(
            OpenProject(
                maker=FOUNDER,
                org=CITY,
                project="flood-aid",
                name="受灾家庭救助",
                category="relief",
                region=COUNTY,
                event=FLOOD,
                budget_fen=60_000_000,
                starts="2026-06-20",
                ends="2026-12-31",
            )
        )
        await self._do(
            OpenProject(
                maker=FOUNDER,
                org=CITY,
                project="qz-01",
                name="博爱送万家困难会员慰问",
                category="winter",
                region=CITY,
                budget_fen=20_000_000,
            )
        )

    async def _gifts(self) -> None:
        flood: Sequence[tuple[str, int, str, DonorClass, str]] = (
            ("2026-06-20", 20_000_000, "bank", "organisation", "某水泥股份有限公司"),
            ("2026-06-21", 50_000, "wechat", "person", "张*"),
            ("2026-06-21", 10_000, "alipay", "person", "李*"),
            ("2026-06-21", 100, "wechat", "person", "王*"),
            ("2026-06-22", 300_000, "bank", "person", "陈*"),
            ("2026-06-23", 8_888, "wechat", "person", "吴*"),
        )
        for i, (on, amount_fen, channel, donor_class, name) in enumerate(flood):
            _, code = await self._give("flood", amount_fen, on, channel, donor_class, name, i)
            if i in {1, 4}:
                self.codes[f"{name}，{amount_fen // 100:,} 元，汛期应急救助"] = code
        general: Sequence[tuple[str, int, str, DonorClass, str]] = (
            ("2026-05-08", 500_000, "bank", "organisation", "某商贸有限公司"),
            ("2026-05-09", 20_000, "wechat", "person", "赵*"),
            ("2026-05-12", 5_000, "cash", "person", ""),
        )
        for i, (on, amount_fen, channel, donor_class, name) in enumerate(general):
            gift, code = await self._give("general", amount_fen, on, channel, donor_class, name, i)
            if i == 1:
                self._refunded = gift.seq
                self.codes[f"{name}，{amount_fen // 100:,} 元，非定向捐款"] = code

    async def _flood_relief(self) -> None:
        (rejected,) = await self._do(
            AllocateMoney(
                maker=MAKER,
                org=CITY,
                fund="flood",
                project="flood-aid",
                amount_fen=20_368_988,
                on="2026-06-23",
                decision="衢红〔2026〕11号",
            )
        )
        await self._do(RejectProposal(maker=CHECKER, proposal=rejected.seq, reason="数额与灾情评估不符，请重报"))
        allocate = AllocateMoney(
            maker=MAKER,
            org=CITY,
            fund="flood",
            project="flood-aid",
            amount_fen=20_300_000,
            on="2026-06-24",
            decision="衢红〔2026〕12号",
        )
        await self._both(allocate, CHECKER)
        aid = await self._both(
            DisburseMoney(
                maker=MAKER,
                org=CITY,
                project="flood-aid",
                amount_fen=18_000_000,
                spending="aid",
                payee="persons",
                purpose="受灾家庭救助金，每户 3,000 元",
                on="2026-07-03",
                beneficiaries="60",
                region=COUNTY,
                decision="衢红〔2026〕12号",
                evidence=(_evidence("发放表"), _evidence("银行回单")),
            ),
            CHECKER,
        )
        await self._do(
            ConfirmDelivery(
                maker=MAKER,
                org=CITY,
                ref=aid.seq,
                outcome="ok",
                qty=18_000_000,
                on="2026-07-05",
                evidence=(_evidence("签收单"),),
            )
        )
        await self._do(
            PublishFeedback(
                maker=MAKER,
                org=CITY,
                ref=aid.seq,
                text="经村民代表会议评议、公示 5 天后发放，银行代发。",
                on="2026-07-08",
                beneficiaries="60",
            )
        )
        hospital = await self._both(
            DisburseMoney(
                maker=MAKER,
                org=CITY,
                project="flood-aid",
                amount_fen=2_200_000,
                spending="purchase",
                payee="开化县人民医院",
                purpose="灾后防疫物资",
                on="2026-07-10",
                evidence=(_evidence("发票"),),
            ),
            CHECKER,
        )
        await self._do(
            ConfirmDelivery(
                maker=MAKER,
                org=CITY,
                ref=hospital.seq,
                outcome="ok",
                qty=2_200_000,
                on="2026-07-12",
                evidence=(_evidence("医院签收单"),),
            )
        )

    async def _unrestricted(self) -> None:
        (allocated,) = await self._do(
            AllocateMoney(maker=MAKER, org=CITY, fund="general", project="qz-01", amount_fen=510_000, on="2026-06-01")
        )
        paid = await self._both(
            DisburseMoney(
                maker=MAKER,
                org=CITY,
                project="qz-01",
                amount_fen=505_000,
                spending="aid",
                payee="persons",
                purpose="困难会员慰问",
                on="2026-06-05",
                beneficiaries="10",
                region=CITY,
            ),
            CHECKER,
        )
        await self._do(ConfirmDelivery(maker=MAKER, org=CITY, ref=paid.seq, outcome="ok", qty=505_000, on="2026-06-06"))
        await self._do(
            ReleaseMoney(
                maker=MAKER,
                org=CITY,
                ref=allocated.seq,
                on="2026-06-30",
                reason="慰问人数少于预计，余款退回",
                amount_fen=2_000,
            )
        )
        await self._both(
            RefundGift(
                maker=MAKER,
                org=CITY,
                ref=self._refunded,
                on="2026-07-01",
                reason="捐赠人误转，书面申请退回未用部分",
                amount_fen=1_000,
            ),
            CHECKER,
        )

    async def _give(  # noqa: PLR0913, PLR0917  a gift is that much
        self, fund: str, amount_fen: int, on: str, channel: str, donor_class: DonorClass, name: str, number: int
    ) -> tuple[Entry, str]:
        gift = Gift(
            maker=MAKER,
            org=CITY,
            fund=fund,
            amount_fen=amount_fen,
            channel=channel,
            channel_ref=f"{on.replace('-', '')}{number:06d}",
            on=on,
            donor_class=donor_class,
            identity=Identity(name=name),
            event=FLOOD if fund == "flood" else "",
        )
        outcome = await self.sequencer.submit(self.sealer.seal(gift))
        assert isinstance(outcome, Sequenced)
        return outcome.entries[0], privacy.printed(outcome.code)

    async def _do(self, command: AnyCommand) -> tuple[Entry, ...]:
        outcome = await self.sequencer.submit(command)
        assert isinstance(outcome, Sequenced)
        return outcome.entries

    async def _both(self, command: AnyCommand, checker: str) -> Entry:
        """Propose and approve; answers the effect."""
        (proposed, *_) = await self._do(command)
        _, effect, *_ = await self._do(ApproveProposal(maker=checker, proposal=proposed.seq))
        return effect


async def tell(sequencer: Sequencer, sealer: Sealer, database: Database, notes: Path) -> dict[str, dict[str, str]]:
    """Tell the story once; `notes` keeps tokens and codes for the next run. Answers {tokens, codes}."""
    if notes.exists():
        kept: dict[str, dict[str, str]] = json.loads(notes.read_text())
        return kept
    story = Story(sequencer, sealer)
    await story.tell()
    tokens = {
        "maker": await credentials.create(database, MAKER, "demo maker"),
        "checker": await credentials.create(database, CHECKER, "demo checker"),
        "administrator": await credentials.create(database, FOUNDER, "demo administrator"),
    }
    kept = {"tokens": tokens, "codes": story.codes}
    private_file(notes, json.dumps(kept, ensure_ascii=False).encode())
    return kept


def _evidence(name: str) -> str:
    """The digest of a demo document."""
    return hashlib.sha256(f"阳光账本演示凭证：{name}".encode()).hexdigest()
