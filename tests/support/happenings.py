"""Generated ledgers in memory: whatever staff may do with money, decided by the rules; what is refused is left out."""

from random import Random  # noqa: TID251  seeded
from typing import NamedTuple

from hypothesis import strategies as st
from msgspec import structs

from ledger import account, entries
from ledger.approvals import ApproveProposal
from ledger.decide import AnyCommand
from ledger.disbursements import ConfirmDelivery
from ledger.donations import ReceiveMoney
from ledger.endings import CloseFund
from ledger.entries import Entry
from ledger.exchange import SettleExchange
from ledger.refusals import Refused
from ledger.reversals import REVERSIBLE
from ledger.suspense import IdentifyMoney
from tests.support import society
from tests.support.anew import anew
from tests.support.model import TODAY, Pen
from tests.support.society import CITY

HAPPENINGS = 150

CHANNELS = ("wechat", "bank", "pos")
CLASSES = ("person", "organisation", "unknown")
DAYS = ("2026-09-30", "2026-10-01", "2026-10-31", "2026-11-20")
WHERE = (
    ("general", "relief"), ("flood", "relief"), ("schools", "school"), ("district", "bridge"), ("bridge", "bridge"),
    ("hospital", "relief"), ("office", "anything"), ("platform", "anything"),
)  # fmt: skip
"""Where each fund's money may go."""
ENDING = (("office", "anything"), ("schools", "school"))
"""Funds that may be closed; late money of theirs goes to the general one."""

OPENED = tuple(society.open_society().written)


CHECKERS = (
    society.APPROVER,
    society.OTHER_APPROVER,
    society.NEIGHBOURS_APPROVER,
    society.BOTH_CITIES_APPROVER,
    society.OTHER_ADMINISTRATOR,
)


class Happening(NamedTuple):
    """One thing somebody tries; what its numbers choose depends on what there is."""

    what: str
    which: int
    other: int
    qty: int


_WEIGHTS = {
    "give": 6, "allocate": 8, "pay": 8, "release": 3, "refund": 2, "redirect": 2, "send": 6, "arrive": 6,
    "send back": 2, "hand back": 4, "reverse": 5, "charge": 1, "income": 1, "find": 3, "identify": 4, "return": 1,
    "confirm": 6, "right": 5, "settle": 2, "wind up": 3,
}  # fmt: skip


@st.composite
def happenings(draw: st.DrawFn) -> list[Happening]:
    """A long history from a seed: what hypothesis draws one by one would be short, and mostly refused."""
    random = Random(draw(st.integers(0, 2**32)))
    whats = random.choices([*_WEIGHTS], [*_WEIGHTS.values()], k=HAPPENINGS)
    return [Happening(what, random.randrange(99), random.randrange(99), random.randrange(16)) for what in whats]


def ledger(of: list[Happening]) -> Pen:
    """The society's log after all of this."""
    pen = Pen(OPENED)
    for fund, _ in WHERE:
        pen.write(structs.replace(society.gift(30, fund), on=DAYS[0]))
    for each in of:
        command = _command(pen, each)
        if command is None:
            continue
        try:
            made = pen.write(command)
        except Refused:
            continue
        if made[0].kind == "proposal.made":
            approve(pen, made[0].seq)
    return pen


def approve(pen: Pen, proposal: int) -> None:
    """By whoever may, as far as it goes."""
    for checker in CHECKERS:
        if proposal not in pen.books.proposals:
            return
        try:
            pen.write(ApproveProposal(maker=checker, proposal=proposal))
        except Refused:
            continue


def _command(pen: Pen, happening: Happening) -> AnyCommand | None:  # noqa: C901, PLR0912, PLR0915  an arm for each
    what, which, other, qty = happening
    fund, project = WHERE[which % len(WHERE)]
    some = qty + 1

    def one(*kinds: str) -> Entry | None:
        found = [entry for entry in pen.entries if entry.kind in kinds]
        return found[which % len(found)] if found else None

    command: AnyCommand | None = None
    match what:
        case "give" if other % 6 == 0:
            command = structs.replace(society.gift(7, fund), currency="USD", original=1, rate="7.1234")
        case "give":
            command = society.gift(some, fund)
        case "allocate":
            command = society.allocation(some, fund, project)
        case "pay":
            payee = society.HOSPITAL if other % 2 else society.SHOP
            command = society.payment(some, project, payee=payee)
        case "charge":
            command = society.charge(some)
        case "income":
            command = society.income(some, fund)
        case "find":
            command = society.unidentified(some)
        case "send":
            command = society.sending(some, ("general", "flood", "office")[other % 3])
        case "release" if entry := one("money.allocated"):
            command = society.release(entry.seq, qty)
        case "refund" if entry := one("money.received", "money.identified"):
            command = society.refund(entry.seq, qty)
        case "redirect" if entry := one("money.received"):
            command = society.redirection(entry.seq, WHERE[other % len(WHERE)][0], qty)
        case "arrive" if entry := one("transfer.sent"):
            into = "flood" if "flood" in entry.postings[0].src else "general"
            command = society.arrival(entry.seq, qty, into)
        case "send back" if entry := one("transfer.sent"):
            command = society.sent_back(entry.seq, qty)
        case "hand back" if entry := one("money.disbursed"):
            command = society.handed_back(entry.seq, qty)
        case "reverse" if entry := one(REVERSIBLE[other % len(REVERSIBLE)]):
            org = entries.org_of(entry)
            command = society.reversal(entry.seq, maker=_finance(org), org=org)
        case "right" if taken_back := sorted(pen.books.reversed):
            wrong = pen.entries[taken_back[which % len(taken_back)]]
            command = anew(wrong, some, WHERE[other % len(WHERE)][0], maker=_finance(entries.org_of(wrong)))
        case "settle" if gifts := [
            entry for entry in pen.entries if isinstance(entry.body, entries.MoneyReceived) and entry.body.currency
        ]:
            ref = gifts[which % len(gifts)].seq
            command = SettleExchange(
                maker=society.FINANCE, org=CITY, ref=ref, amount_fen=some, on=TODAY, reason="结汇差额"
            )
        case "wind up":
            return _nearer_its_end(pen, *ENDING[which % len(ENDING)])
        case "identify" if entry := one("money.unidentified"):
            command = society.identification(entry.seq, some, fund)
        case "return" if entry := one("money.unidentified"):
            command = society.suspense_return(entry.seq, qty)
        case "confirm" if entry := one("money.disbursed"):
            command = ConfirmDelivery(
                maker=society.FINANCE, org=CITY, ref=entry.seq, outcome="short" if other % 4 == 0 else "ok", qty=some,
                on=TODAY,
            )  # fmt: skip
        case _:
            return None
    command = structs.replace(command, on=DAYS[other % len(DAYS)])
    if isinstance(command, ReceiveMoney | IdentifyMoney):
        gift = {"channel": CHANNELS[other % 3], "donor_class": CLASSES[other // 3 % 3]}
        return structs.replace(command, event="flood-2026" if other % 5 == 0 else "", **gift)
    return command


def _nearer_its_end(pen: Pen, fund: str, project: str) -> AnyCommand:
    """What waits in the fund is allocated, what is allocated of it is paid out; when nothing is left it is closed."""
    if held := pen.balance(account.fund(CITY, fund)):
        return society.allocation(held, fund, project)
    if pen.balance(account.project(CITY, project, fund)):
        beside = (pen.balance(account.project(CITY, project, each)) for each in society.FUNDS)
        return society.payment(sum(beside), project)
    return CloseFund(
        maker=society.ADMINISTRATOR, org=CITY, fund=fund, residue="moved", basis="期满", successor="general",
        evidence=("e" * 64,),
    )  # fmt: skip


def _finance(org: str) -> str:
    return society.NEIGHBOUR if org == society.OTHER_CITY else society.FINANCE
