"""Every figure once more, from the entries alone and kind by kind: what the tables' sums are compared with.

It knows no states of accounts and no spans; it counts as somebody would who reads the log aloud.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from ledger import account, entries
from ledger.entries import Entry
from ledger.posting import Posting

GIFT_MEASURES = ("received", "refunded", "voided")
UNCOUNTED = ("held", "allocated", "in_transit", "unspent")


class Told(NamedTuple):
    """Where a figure is booked."""

    month: str
    org: str
    fund: str
    project: str
    event: str
    region: str
    category: str
    channel: str
    donor_class: str


class Amount(NamedTuple):
    """How many, how much."""

    entries: int
    fen: int


class Retold:
    """Reads entries in order."""

    def __init__(self, log: Iterable[Entry]) -> None:
        self.rows: dict[str, list[tuple[Told, Amount]]] = defaultdict(list)
        self._log: list[Entry] = []
        self._funds: dict[tuple[str, str], entries.Restriction] = {}
        self._projects: dict[tuple[str, str], entries.ProjectOpened] = {}
        self._confirmed: dict[int, int] = defaultdict(int)
        for entry in log:
            self._log.append(entry)
            self._read(entry)

    def grouped(self, measure: str, by: tuple[str, ...]) -> dict[tuple[str, ...], Amount]:
        """The groups that have a row at all; funds and projects with their owner."""
        found: dict[tuple[str, ...], Amount] = {}
        for part in ("held", "allocated", "in_transit") if measure == "unspent" else (measure,):
            for told, amount in self.rows[part]:
                key = tuple(
                    f"{told.org}:{value}" if value and each in {"fund", "project"} else value
                    for each in by
                    for value in (getattr(told, each),)
                )
                before = found.get(key, Amount(0, 0))
                found[key] = Amount(before.entries + amount.entries, before.fen + amount.fen)
        return found

    def _read(self, entry: Entry) -> None:  # noqa: C901, PLR0912  an arm for each kind
        match entry.body:
            case entries.FundOpened() as body:
                self._funds[body.org, body.fund] = body.restriction
            case entries.ProjectOpened() as body:
                self._projects[body.org, body.project] = body
            case entries.MoneyReceived() | entries.MoneyIdentified():
                first = entry.postings[0]
                whole = sum(each.qty for each in entry.postings)
                self._add(entry, "received", first.dst, whole, once=True, gift=entry)
                for each in entry.postings:
                    is_fee = each.dst.startswith("fees:")
                    self._add(entry, "fees" if is_fee else "held", first.dst, each.qty, once=is_fee)
            case entries.IncomeReceived():
                (only,) = entry.postings
                self._add(entry, "income", only.dst, only.qty, once=True)
                self._add(entry, "held", only.dst, only.qty)
            case entries.MoneyAllocated():
                self._move(entry, entry.postings, "held", "allocated")
                self._each(entry, "total_allocated", [(each.dst, each.qty) for each in entry.postings])
            case entries.MoneyReleased():
                self._move(entry, entry.postings, "allocated", "held")
            case entries.TransferSent():
                self._move(entry, entry.postings, "held", "in_transit", at=entry.postings[0].src)
            case entries.TransferReturned(ref=ref):
                self._come_back(entry, self._log[ref])
            case entries.TransferReceived(ref=ref):
                sent = self._log[ref].postings[0].src
                for name, sign in (("in_transit", -1), ("moved_on", 1)):
                    self._each(entry, name, [(sent, sign * each.qty) for each in entry.postings])
                for name in ("held", "moved_in"):
                    self._each(entry, name, [(each.dst, each.qty) for each in entry.postings])
            case entries.MoneyDisbursed():
                self._leave(entry, "allocated", "paid")
            case entries.MoneyReturned(ref=ref):
                self._come_home(entry, ref, "paid")
                self._each(entry, "returned", [(left, qty) for left, _, qty in self._homes(entry, ref)])
            case entries.GiftRefunded(ref=ref):
                self._leave(entry, "", "refunded", gift=self._log[ref])
            case entries.GiftRedirected():
                self._leave(entry, "", "moved_on")
                for name in ("held", "moved_in"):
                    self._each(entry, name, [(each.dst, each.qty) for each in entry.postings])
            case entries.FeeCharged():
                self._leave(entry, "held", "fees")
            case entries.ExchangeSettled():
                self._leave(entry, "held", "lost")
            case entries.EntryReversed() as body:
                self._take_back(entry, body)
            case entries.DeliveryConfirmed(outcome="ok") as body:
                self._confirm(entry, body)
            case _:
                pass

    def _take_back(  # noqa: C901, PLR0912  an arm for each
        self, entry: Entry, body: entries.EntryReversed
    ) -> None:
        match body.of:
            case "money.received" | "money.identified":
                gift = self._log[body.ref]
                fees = [each for each in entry.postings if each.src.startswith("fees:")]
                for each in fees:  # taken at receipt: of the fund that the gift came to
                    self._add(entry, "fees", gift.postings[0].dst, -each.qty)
                amounts = [(gift.postings[0].dst if each in fees else each.src, each.qty) for each in entry.postings]
                for address, qty in [(each.src, each.qty) for each in entry.postings if each not in fees]:
                    self._add(entry, "allocated" if address.startswith("project:") else "held", address, -qty)
                self._each(entry, "voided", amounts, gift=gift)
            case "income.received":
                self._leave(entry, "", "voided")
            case "money.unidentified":
                pass
            case "fee.charged" | "exchange.settled" | "money.disbursed":
                paid = {"fee.charged": "fees", "exchange.settled": "lost", "money.disbursed": "paid"}
                self._come_home(entry, body.ref, paid[body.of])
            case "gift.refunded":
                refund = self._log[body.ref].body
                assert isinstance(refund, entries.GiftRefunded)
                self._come_home(entry, body.ref, "refunded", gift=self._log[refund.ref])
            case "money.allocated":
                self._move(entry, entry.postings, "allocated", "held")
                self._each(entry, "total_allocated", [(each.src, -each.qty) for each in entry.postings])
            case "transfer.sent":
                self._come_back(entry, self._log[body.ref])
            case "transfer.received":
                received = self._log[body.ref].body
                assert isinstance(received, entries.TransferReceived)
                sent = self._log[received.ref].postings[0].src
                for name, sign in (("in_transit", 1), ("moved_on", -1)):
                    self._each(entry, name, [(sent, sign * each.qty) for each in entry.postings])
                for name in ("held", "moved_in"):
                    self._each(entry, name, [(each.src, -each.qty) for each in entry.postings])
            case other:
                raise AssertionError(f"nobody told how a reversed {other} is counted")

    def _come_home(self, entry: Entry, ref: int, out_of: str, gift: Entry | None = None) -> None:
        """What had left for good is in funds and projects again: where it had been, or with the successor."""
        homes = self._homes(entry, ref)
        for left, home, qty in homes:
            self._add(entry, out_of, left, -qty, gift=gift)
            self._add(entry, "allocated" if home.startswith("project:") else "held", home, qty)
        late = [each for each in homes if _fund(each[0]) != _fund(each[1])]
        self._each(entry, "moved_on", [(left, qty) for left, _, qty in late])
        self._each(entry, "moved_in", [(home, qty) for _, home, qty in late])

    def _homes(self, entry: Entry, ref: int) -> list[tuple[str, str, int]]:
        """Fen by fen: the line it had left with entry `ref`, and the line it comes home to."""
        count = entries.part_of(self._log[ref].body)[1]
        left = {
            each.dst_lo + i: each.src
            for part in self._log[ref : ref + count]
            for each in part.postings
            for i in range(each.qty)
        }
        return [(left[each.src_lo + i], each.dst, 1) for each in entry.postings for i in range(each.qty)]

    def _come_back(self, entry: Entry, transfer: Entry) -> None:
        """What was in transit, to the fund that sent it, or, where that is closed, to another one."""
        sent = transfer.postings[0].src
        self._each(entry, "in_transit", [(sent, -each.qty) for each in entry.postings])
        self._each(entry, "held", [(each.dst, each.qty) for each in entry.postings])
        late = [each for each in entry.postings if each.dst != sent]
        self._each(entry, "moved_on", [(sent, each.qty) for each in late])
        self._each(entry, "moved_in", [(each.dst, each.qty) for each in late])

    def _confirm(self, entry: Entry, body: entries.DeliveryConfirmed) -> None:
        """The payment's fen, one by one."""
        count = entries.part_of(self._log[body.ref].body)[1]
        parts = [each for part in self._log[body.ref : body.ref + count] for each in part.postings]
        fen = [each.src for each in parts for _ in range(each.qty)]
        before = self._confirmed[body.ref]
        self._confirmed[body.ref] += body.qty
        self._each(entry, "confirmed", [(src, 1) for src in fen[before : before + body.qty]])

    def _move(self, entry: Entry, postings: Iterable[Posting], out_of: str, into: str, *, at: str = "") -> None:
        for each in postings:
            self._add(entry, out_of, at or each.src, -each.qty)
            self._add(entry, into, at or each.dst, each.qty)

    def _leave(self, entry: Entry, out_of: str, into: str, gift: Entry | None = None) -> None:
        """Money that goes from funds and projects to where no fund has it any more."""
        for each in entry.postings:
            state = "allocated" if each.src.startswith("project:") else "held"
            assert out_of in {"", state}
            self._add(entry, state, each.src, -each.qty)
        self._each(entry, into, [(each.src, each.qty) for each in entry.postings], gift=gift)

    def _each(
        self, entry: Entry, measure: str, amounts: Iterable[tuple[str, int]], *, gift: Entry | None = None
    ) -> None:
        for i, (address, qty) in enumerate(amounts):
            self._add(entry, measure, address, qty, once=not i and qty > 0, gift=gift)

    def _add(  # noqa: PLR0913
        self, entry: Entry, measure: str, address: str, qty: int, *, once: bool = False, gift: Entry | None = None
    ) -> None:
        counts = once and measure not in UNCOUNTED and entries.part_of(entry.body)[0] == 1
        self.rows[measure].append((self.told(entry, address, gift), Amount(int(counts), qty)))

    def told(self, entry: Entry, address: str, gift: Entry | None = None) -> Told:
        """Where the entry books money of this fund or project. `gift`: the one that it is about."""
        kind, org, rest = account.parse(address)
        assert kind in {"fund", "project"}
        fund, project = rest[-1], rest[0] if kind == "project" else ""
        wanted = self._funds[org, fund]
        its = self._projects.get((org, project)) or entries.ProjectOpened(name="", org=org, project="")
        event, channel, donor_class = its.event, "", ""
        if gift is not None:
            body = gift.body
            assert isinstance(body, entries.MoneyReceived | entries.MoneyIdentified)
            event, channel, donor_class = body.event, body.channel, body.donor_class
        return Told(
            month=getattr(entry.body, "on", "")[:7],
            org=org,
            fund=fund,
            project=project or wanted.project,
            event=event or wanted.event,
            region=its.region or wanted.region,
            category=its.category or wanted.category,
            channel=channel,
            donor_class=donor_class,
        )


def _fund(address: str) -> tuple[str, str]:
    _, org, rest = account.parse(address)
    return org, rest[-1]
