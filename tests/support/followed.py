"""Figures by the gifts behind them, fen by fen: what the lineage report is compared with.

Every line is a list of single fen, each of which knows what it came with and where it has been. There are no spans.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ledger import account, entries
from ledger.entries import Entry
from ledger.posting import NO_LINE, Posting
from tests.support.retold import Amount, Retold

NO_GIFT = ("", "")


@dataclass(frozen=True, slots=True)
class Fen:
    """One fen."""

    gift: tuple[str, str] = NO_GIFT
    """Channel and class of the gift that it came with."""
    left: str = ""
    """The fund that sent it to another organisation, or the project that paid it out."""


class Followed(Retold):
    """Reads entries in order."""

    def __init__(self, log: Iterable[Entry]) -> None:
        log = [*log]
        super().__init__(log)
        self.rows = defaultdict(list)
        self._lines: dict[str, list[Fen]] = defaultdict(list)
        self._paid: dict[int, list[Fen]] = defaultdict(list)
        self._arrived: dict[int, int] = defaultdict(int)
        for entry in log:
            is_first = entries.part_of(entry.body)[0] == 1
            for posting in entry.postings:
                for nth, fen in enumerate(self._moved(entry, posting)):
                    self._book(entry, posting, fen, once=is_first and posting == entry.postings[0] and nth == 0)
            if isinstance(entry.body, entries.DeliveryConfirmed) and entry.body.outcome == "ok":
                self._arrive(entry, entry.body)

    def _moved(self, entry: Entry, posting: Posting) -> list[Fen]:
        """The fen of a posting, as they come to its destination."""
        body = entry.body
        source, goal = _kind(posting.src), _kind(posting.dst)
        if posting.src_lo == NO_LINE or source == "suspense":
            is_gift = isinstance(body, entries.MoneyReceived | entries.MoneyIdentified)
            came = [Fen((body.channel, body.donor_class) if is_gift else NO_GIFT)] * posting.qty  # type: ignore[union-attr]
        else:
            came = self._lines[posting.src][posting.src_lo : posting.src_lo + posting.qty]
            assert len(came) == posting.qty
        if entry.kind in {"transfer.sent", "money.disbursed"}:
            came = [replace(fen, left=posting.src) for fen in came]
        assert len(self._lines[posting.dst]) == posting.dst_lo, (source, goal)
        self._lines[posting.dst] += came
        if isinstance(body, entries.MoneyDisbursed):
            self._paid[entry.seq - entries.part_of(body)[0] + 1] += came
        return came

    def _book(self, entry: Entry, posting: Posting, fen: Fen, *, once: bool) -> None:
        """What one fen changes by going from one place to another."""
        of = entry.body.of if isinstance(entry.body, entries.EntryReversed) else ""
        for address, sign in ((posting.src, -1), (posting.dst, 1)):
            match _kind(address):
                case "fund":
                    self._add_fen("held", entry, address, fen, sign)
                case "project":
                    self._add_fen("allocated", entry, address, fen, sign)
                case "transit":
                    self._add_fen("in_transit", entry, fen.left, fen, sign)
                case "payees":
                    self._add_fen("paid", entry, fen.left, fen, sign, once=once and sign > 0)
                case _:
                    pass
        if entry.kind == "money.returned":
            self._add_fen("returned", entry, fen.left, fen, 1, once=once)
        elif entry.kind == "money.allocated":
            self._add_fen("total_allocated", entry, posting.dst, fen, 1, once=once)
        elif of == "money.allocated":
            self._add_fen("total_allocated", entry, posting.src, fen, -1)

    def _arrive(self, entry: Entry, body: entries.DeliveryConfirmed) -> None:
        """The payment's fen, in the order in which they were paid."""
        before = self._arrived[body.ref]
        self._arrived[body.ref] += body.qty
        for nth, fen in enumerate(self._paid[body.ref][before : before + body.qty]):
            self._add_fen("confirmed", entry, fen.left, fen, 1, once=nth == 0)

    def _add_fen(  # noqa: PLR0913
        self, measure: str, entry: Entry, address: str, fen: Fen, sign: int, *, once: bool = False
    ) -> None:
        channel, donor_class = fen.gift
        told = self.told(entry, address)._replace(channel=channel, donor_class=donor_class)
        self.rows[measure].append((told, Amount(int(once), sign)))


def _kind(address: str) -> str:
    return account.parse(address)[0]
