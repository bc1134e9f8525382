"""The picture of a project's money: its two sides are the project's figures, whatever happened before."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings

from ledger import account
from ledger.endings import CloseFund, CloseProject
from ledger.refusals import Refused
from ledger.returns import ReturnMoney
from ledger.reversals import ReverseEntry
from ledger.store.queries.flows import read_flow
from ledger.store.queries.projects import read_projects
from public_site.books import drawn
from public_site.words import CHINESE, ENGLISH
from tests.store.test_figures import Stored
from tests.support import society
from tests.support.branch import CITY, FINANCE, FOUNDER, OTHER_FOUNDER, Branch
from tests.support.fixed import FIXED
from tests.support.happenings import Happening, approve, happenings, ledger
from tests.support.model import Pen
from tests.support.postgres import Cluster
from tests.support.reading import text

EVIDENCE = ("e" * 64,)
LEDGERS = 8
FIGURES = {"fund": "total_allocated", "payee": "paid"}
"""Kind of end → the figure that all ends of the kind come to, where it is called otherwise."""


async def read(http: httpx.AsyncClient, path: str) -> str:
    page = await http.get(path)
    assert page.status_code == 200, page.text
    return text(page.text)


class Ending(Branch):
    """Money of the project `relief` went to a payee; then the project was closed, and `winter` took its place."""

    async def paid(self, amount_fen: int = 4_000) -> int:
        """Paid out of 9,000 that were allocated; 500 are allocated to the other project."""
        await self.gift(9_500)
        await self.allocate(500)
        allocated = await self.allocate(9_000, project="relief")
        paid = await self.pay(amount_fen, "relief", payee="县人民医院")
        await self.release(allocated)
        return paid

    async def close(self) -> None:
        await self.agree(
            CloseProject(
                maker=FOUNDER, org=CITY, project="relief", residue="moved", basis="期满", successor="winter",
                evidence=EVIDENCE,
            ),
            OTHER_FOUNDER,
        )  # fmt: skip

    async def hand_back(self, paid: int, amount_fen: int = 0) -> int:
        return await self.do(
            ReturnMoney(maker=FINANCE, org=CITY, ref=paid, on=self.today, reason="多付", amount_fen=amount_fen)
        )

    async def take_back(self, ref: int) -> int:
        return await self.agree(
            ReverseEntry(maker=FINANCE, org=CITY, ref=ref, on=self.today, reason="录错", statement="录错，更正。")
        )


async def a_part(ending: Ending) -> None:
    paid = await ending.paid()
    await ending.close()
    await ending.hand_back(paid, 1_500)


async def everything(ending: Ending) -> None:
    paid = await ending.paid()
    await ending.close()
    await ending.hand_back(paid)


async def a_part_early_and_a_part_late(ending: Ending) -> None:
    paid = await ending.paid()
    await ending.hand_back(paid, 2_000)
    await ending.pay(2_000, "relief", payee="另一家医院")
    await ending.close()
    await ending.hand_back(paid, 1_500)


async def a_payment_taken_back_late(ending: Ending) -> None:
    paid = await ending.paid()
    await ending.close()
    await ending.take_back(paid)


async def a_return_and_then_what_was_left_taken_back(ending: Ending) -> None:
    paid = await ending.paid()
    await ending.close()
    await ending.hand_back(paid, 1_500)
    await ending.take_back(paid)


async def a_return_after_another_payment_was_taken_back(ending: Ending) -> None:
    await ending.gift(9_500)
    await ending.allocate(500)
    allocated = await ending.allocate(9_000, project="relief")
    wrong = await ending.pay(700, "relief", payee="县人民医院")
    paid = await ending.pay(4_000, "relief", payee="县人民医院")
    await ending.take_back(wrong)
    await ending.release(allocated)
    await ending.pay(700, "relief", payee="另一家医院")
    await ending.close()
    await ending.hand_back(paid, 1_500)


async def what_came_late_was_paid_again(ending: Ending) -> None:
    paid = await ending.paid()
    await ending.close()
    await ending.hand_back(paid, 1_500)
    again = await ending.pay(1_800, "winter", payee="另一家医院")
    await ending.hand_back(again, 200)


async def a_refund_taken_back_late(ending: Ending) -> None:
    given, _ = await ending.gift(9_000)
    allocated = await ending.allocate(9_000, project="relief")
    await ending.gift(500)
    await ending.allocate(500)
    refunded = await ending.refund(given, 1_500)
    await ending.release(allocated)
    await ending.close()
    await ending.take_back(refunded)


HISTORIES = [
    (a_part, (9_000, 1_500), (500, 1_500)),
    (everything, (9_000, 4_000), (500, 4_000)),
    (a_part_early_and_a_part_late, (9_000, 1_500), (500, 1_500)),
    (a_payment_taken_back_late, (9_000, 4_000), (500, 4_000)),
    (a_return_and_then_what_was_left_taken_back, (9_000, 4_000), (500, 4_000)),
    (a_return_after_another_payment_was_taken_back, (9_000, 1_500), (500, 1_500)),
    (what_came_late_was_paid_again, (9_000, 1_500), (500, 1_500)),
    (a_refund_taken_back_late, (9_000, 1_500), (500, 1_500)),
]


@pytest.mark.parametrize(
    ("happened", "closed", "successor"), HISTORIES, ids=[happened.__name__ for happened, _, _ in HISTORIES]
)
async def test_late_money_is_a_part_of_its_own_of_both_projects(
    happened: Callable[[Ending], Awaitable[None]],
    closed: tuple[int, int],
    successor: tuple[int, int],
    branch: Branch,
    http: httpx.AsyncClient,
) -> None:
    await happened(_ending(branch))
    for project, (allocated, late), (part, translated) in (
        ("relief", closed, ("迟到退款转给承接者", "Late returns to the successor")),
        ("winter", successor, ("承接的迟到退款", "Late returns taken over")),
    ):
        page = await read(http, f"/projects/{CITY}/{project}")
        assert f"累计分配 ¥{allocated // 100}.00" in page
        assert page.count(f"{part} ¥{late // 100}.00") >= 2, "in the equation, and in the table"
        assert "账目相符" in page
        english = await read(http, f"/en/projects/{CITY}/{project}")
        assert english.count(f"{translated} ¥{late // 100}.00") >= 2
        its = (await http.get(f"/api/v1/projects/{CITY}/{project}")).json()["project"]["figures"]
        assert (its["total_allocated_fen"], its["came_late_fen"] + its["went_late_fen"]) == (allocated, late)
    assert part in await read(http, "/projects")


async def test_a_project_that_has_nothing_but_late_money_shows_it(branch: Branch, http: httpx.AsyncClient) -> None:
    ending = _ending(branch)
    await ending.gift(4_000)
    await ending.allocate(4_000, project="relief")
    paid = await ending.pay(4_000, "relief")
    await ending.close()
    await ending.hand_back(paid)
    page = await read(http, f"/projects/{CITY}/winter")
    assert "承接的迟到退款 ¥40.00 = " in page
    assert "资金流向" in page


async def test_late_money_of_a_closed_fund_stays_in_its_project(branch: Branch, http: httpx.AsyncClient) -> None:
    ending = _ending(branch)
    await ending.gift(4_000, "flood")
    await ending.gift(300)
    await ending.allocate(4_000, "flood", "relief")
    await ending.allocate(300, "general", "relief")
    paid = await ending.pay(4_300, "relief", payee="县人民医院")
    await ending.agree(
        CloseFund(
            maker=FOUNDER, org=CITY, fund="flood", residue="moved", basis="期满", successor="general",
            evidence=EVIDENCE,
        ),
        OTHER_FOUNDER,
    )  # fmt: skip
    await ending.hand_back(paid, 1_000)
    page = await read(http, f"/projects/{CITY}/relief")
    assert "累计分配 ¥43.00 = 已拨付 ¥33.00 + 已分配未拨付 ¥10.00，账目相符。" in page
    assert "县人民医院 ¥33.00" in page
    assert "汛期应急救助 ¥40.00" in page
    page = await read(http, f"/funds/{CITY}/flood")
    assert "收到 ¥40.00 = 已拨付 ¥30.00 + 转出 ¥10.00，账目相符。" in page
    page = await read(http, f"/funds/{CITY}/general")
    assert "收到 ¥3.00 + 转入 ¥10.00 = 已拨付 ¥3.00 + 已分配未拨付 ¥10.00，账目相符。" in page
    page = await read(http, f"/organisations/{CITY}")
    assert "收到 ¥43.00 + 转入 ¥10.00 = 已拨付 ¥33.00 + 已分配未拨付 ¥10.00 + 转出 ¥10.00，账目相符。" in page
    for measure in ("moved_in", "moved_on"):
        assert (await http.get(f"/api/v1/figures?measure={measure}&org={CITY}")).json()["sum_fen"] == 1_000


async def test_funds_of_one_name_and_payees_called_as_the_page_says_others_are_drawn_apart(
    branch: Branch, http: httpx.AsyncClient
) -> None:
    await branch.fund("second", "不指定用途")
    await branch.fund("third", "其他")
    for fund, amount in (("general", 3_000), ("second", 2_000), ("third", 500)):
        await branch.gift(amount, fund)
        await branch.allocate(amount, fund)
    for payee, amount in (("persons", 1_000), ("受助群众", 700), ("people helped", 600), ("其他", 400)):
        await branch.pay(amount, payee=payee)
    page = await read(http, f"/projects/{CITY}/winter")
    for shown in (
        "不指定用途 ¥30.00",
        "不指定用途 ¥20.00",
        "其他 ¥5.00",
        "其他 ¥4.00",
        "受助群众 ¥10.00",
        "受助群众 ¥7.00",
    ):
        assert shown in page, shown
    english = await read(http, f"/en/projects/{CITY}/winter")
    assert "people helped ¥6.00" in english
    assert english.lower().count("people helped ¥10.00") >= 1


@hypothesis_settings(FIXED, max_examples=LEDGERS, suppress_health_check=[*HealthCheck])
@given(of=happenings())
async def test_both_sides_of_every_flow_are_the_projects_figures(
    of: list[Happening], cluster: Cluster, template: str, roles_dir: Path
) -> None:
    pen = ledger(of)
    wind_up(pen)
    stored, name = await Stored.of(pen, cluster, template, roles_dir)
    try:
        async with stored.database.snapshot() as connection:
            for project in await read_projects(connection, org="", after=("", ""), limit=100):
                figures = project.figures
                flows = await read_flow(connection, project)
                ends = (*flows.came, *flows.went)
                fen = Counter[str]()
                for each in ends:
                    fen[f"{FIGURES.get(each.kind, each.kind)}_fen"] += each.amount_fen
                assert fen == Counter(asdict(figures))
                assert min([each.amount_fen for each in ends], default=1) > 0
                for say in (CHINESE, ENGLISH):
                    picture = drawn(project, flows, say)
                    came = figures.total_allocated_fen + figures.came_late_fen
                    assert (picture is None) is (came == 0)
                    for parts in (picture.sources, picture.uses) if picture else ():
                        assert sum(part.amount for part in parts) == came
    finally:
        await stored.database.close()
        await cluster.drop_database(name)


def wind_up(pen: Pen) -> None:
    """Projects end, each with a successor; then payees hand back, and payments are taken back."""
    for project, successor in (("bridge", "anything"), ("school", "relief"), ("relief", "anything")):
        rest = sum(pen.balance(account.project(CITY, project, fund)) for fund in society.FUNDS)
        if rest:
            _try(pen, society.payment(rest, project))
        _try(
            pen,
            CloseProject(
                maker=society.ADMINISTRATOR, org=CITY, project=project, residue="moved", basis="期满",
                successor=successor, evidence=EVIDENCE,
            ),
        )  # fmt: skip
    for i, paid in enumerate([entry for entry in pen.entries if entry.kind == "money.disbursed"]):
        _try(pen, society.handed_back(paid.seq, i % 3) if i % 4 else society.reversal(paid.seq))


def _try(pen: Pen, command: object) -> None:
    """What is refused is left out."""
    try:
        made = pen.write(command)  # type: ignore[arg-type]  # any of them
    except Refused:
        return
    if made[0].kind == "proposal.made":
        approve(pen, made[0].seq)


def _ending(branch: Branch) -> Ending:
    return Ending(
        settings=branch.settings, database=branch.database, sequencer=branch.sequencer, sealer=branch.sealer,
        subjects=branch.subjects, today=branch.today,
    )  # fmt: skip
