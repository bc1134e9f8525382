"""What holds of promises to donors and to the public: restrictions, fees, transit, ends, closed periods."""

from collections import Counter
from collections.abc import Iterator

from hypothesis.stateful import invariant
from msgspec.structs import replace

from ledger import account, entries, periods
from ledger.entries import Entry, FundOpened, ProjectOpened, Restriction
from ledger.organisations import OpenFund
from tests.rules.histories.history import History
from tests.support.model import Pen
from tests.support.society import ADMINISTRATOR, BOTH_CITIES, arrival, sent_back

_MILLION = 1_000_000
_USUAL = ("aid", "purchase")
_NEW = "new"


class OnPromises(History):
    """Checked after every command."""

    @invariant()
    def restrictions_hold_for_every_unit_to_its_end(self) -> None:
        for address, slots in self.units.accounts.items():
            kind, _, rest = account.parse(address)
            for slot in slots:
                if isinstance(self.pen.entries[slot.unit.gift].body, entries.MoneyUnidentified):
                    assert kind in {"suspense", "refunds", "voided"}
                    continue
                fund = self._fund(slot.purpose)
                match kind:
                    case "fund":
                        assert _keeps(fund, self._fund(address))
                    case "project":
                        assert _keeps(fund, self._fund(address))
                        assert _fits(fund.restriction, self._project(rest[0]))
                    case "payees":
                        paid = self.pen.entries[slot.seq].body
                        assert isinstance(paid, entries.MoneyDisbursed)
                        assert fund.restriction.recipient in {"", paid.payee}
                        assert paid.spending in (fund.spending or _USUAL)
                        assert _fits(fund.restriction, self._project(paid.project))
                    case "fees":
                        assert fund.charges or fund.receipt_fee_ppm
                    case _:
                        assert kind in {"losses", "refunds", "suspense", "transit", "voided"}

    @invariant()
    def management_cost_keeps_within_its_clause(self) -> None:
        """Where it is paid; what is handed back later does not undo it."""
        for entry in self.new:
            if isinstance(entry.body, entries.MoneyDisbursed) and entry.body.spending == "management":
                for posting in entry.postings:
                    fund = self._fund(posting.src)
                    spent, management = self._cost(fund.fund, entry.body.on[:4])
                    assert fund.management_ppm < 0 or management * _MILLION <= fund.management_ppm * spent

    @invariant()
    def fees_at_receipt_are_the_last_fen_of_the_gift(self) -> None:
        for entry in self.new:
            if isinstance(entry.body, entries.MoneyReceived):
                fee = entries.qty_of(entry) * self._fund(entry.postings[0].dst).receipt_fee_ppm // _MILLION
                assert [each.qty for each in entry.postings[1:]] == ([fee] if fee else [])
                assert all(each.dst.startswith("fees:") for each in entry.postings[1:])

    @invariant()
    def losses_are_of_gifts_in_another_currency_and_of_their_fund(self) -> None:
        for entry in self.new:
            if isinstance(entry.body, entries.ExchangeSettled):
                given = self.pen.entries[entry.body.ref]
                assert isinstance(given.body, entries.MoneyReceived)
                assert given.body.currency
                assert {each.src for each in entry.postings} == {given.postings[0].dst}

    @invariant()
    def a_gift_that_stands_lost_no_more_than_was_booked_of_it(self) -> None:
        """All its losses that nobody took back, its own and those of the wrong entries that it corrects."""
        for entry in self.new:
            if isinstance(entry.body, entries.ExchangeSettled):
                gift = self.pen.entries[entry.body.ref]
                ours = self.wrong_ones(gift.seq)
                slots = (slot for address, slots in self.units.accounts.items() for slot in slots
                         if address.startswith("losses:") and not slot.gone)  # fmt: skip
                lost = sum(getattr(self.pen.entries[slot.seq].body, "ref", 0) in ours for slot in slots)
                assert lost <= (getattr(gift.body, "right_fen", 0) or entries.qty_of(gift))
                assert gift.seq not in self.before["reversed"]

    @invariant()
    def gifts_in_another_currency_are_booked_at_their_rate(self) -> None:
        for entry in self.new:
            if isinstance(entry.body, entries.MoneyReceived) and entry.body.currency:
                digits = {"JPY": 0, "KWD": 3}.get(entry.body.currency, 2)
                exact = entry.body.original * float(entry.body.rate) * 100 / 10**digits
                assert abs((entry.body.right_fen or entries.qty_of(entry)) - exact) < 1.000001

    @invariant()
    def what_was_sent_arrived_came_back_or_is_in_transit(self) -> None:
        sent: Counter[str] = Counter()
        for entry in self.pen.entries:
            match entry.body:
                case entries.TransferSent():
                    sent[entry.postings[0].dst] += entries.qty_of(entry)
                case entries.TransferReceived() | entries.TransferReturned():
                    sent[entry.postings[0].src] -= entries.qty_of(entry)
                case entries.EntryReversed(of="transfer.sent"):
                    sent[entry.postings[0].src] -= entries.qty_of(entry)
                case entries.EntryReversed(of="transfer.received"):
                    sent[entry.postings[0].dst] += entries.qty_of(entry)
                case _:
                    pass
        transit = [address for address in self.units.accounts if address.startswith("transit:")]
        assert sent == Counter({address: len(self.units.resting(address)) for address in transit})

    @invariant()
    def what_is_in_transit_can_be_received_or_come_back(self) -> None:
        """Whatever was closed or taken back since: no money waits for ever."""
        for number in self.underway():
            sent = self.pen.entries[number]
            org, to = entries.org_of(sent), account.parse(sent.postings[0].dst).rest[0]
            back = replace(sent_back(number, org=org, maker=BOTH_CITIES), on=self.pen.today)
            if not self.plan(back).places or self.pen.allows(back):  # a proposal holds it; or it can come back
                continue
            ways = [
                replace(arrival(number, fund=fund, org=to, maker=BOTH_CITIES), on=self.pen.today)
                for fund in (*(fund for of, fund in self.pen.books.funds if of == to), _NEW)
            ]
            if any(map(self.pen.allows, ways[:-1])):
                continue
            pen = Pen(self.pen.written, self.pen.today)
            pen.proposed = {**self.pen.proposed}
            pen.write(_like(pen.books.funds[pen.books.sent_from[number]], to))
            assert pen.allows(ways[-1])

    @invariant()
    def fiscal_receipts_are_over_what_stands_of_the_gift(self) -> None:
        for entry in self.new:
            if isinstance(body := entry.body, entries.ReceiptIssued):
                assert body.amount_fen == self.stands(body.ref) > 0

    @invariant()
    def confirmations_are_of_what_the_payee_has(self) -> None:
        for entry in self.new:
            if isinstance(body := entry.body, entries.DeliveryConfirmed):
                said = (each.body for each in self.pen.entries if isinstance(each.body, entries.DeliveryConfirmed))
                slots = (slot for address, slots in self.units.accounts.items() for slot in slots
                         if address.startswith("payees:") and not slot.gone)  # fmt: skip
                has = sum(slot.seq == body.ref for slot in slots)
                assert sum(each.qty for each in said if each.ref == body.ref) <= has

    @invariant()
    def what_is_closed_is_empty_and_untouched(self) -> None:
        for number, entry in enumerate(self.pen.entries):
            match entry.body:
                case entries.FundClosed(org=org, fund=fund):
                    ends = (f"fund:{org}:{fund}",)
                    beside = f":{fund}"
                case entries.ProjectClosed(org=org, project=project):
                    ends, beside = (f"project:{org}:{project}:",), ""
                case _:
                    continue
            for address in self.units.accounts:
                if address.startswith(ends) or (beside and address.startswith("project:") and address.endswith(beside)):
                    assert not self.units.resting(address)
            later = {each for entry in self.pen.entries[number:] for p in entry.postings for each in (p.src, p.dst)}
            assert not any(each.startswith(ends) or (beside and each == ends[0]) for each in later)

    @invariant()
    def pledges_move_nothing_and_end_once(self) -> None:
        made, ended = list[int](), list[int]()
        for entry in self.pen.entries:
            match entry.body:
                case entries.PledgeMade():
                    made.append(entry.seq)
                case entries.PledgeEnded(ref=ref):
                    assert ref in made
                    ended.append(ref)
                case _:
                    continue
            assert not entry.postings
        assert len({*ended}) == len(ended)
        assert {*made} - {*ended} == self.pen.books.pledges.keys()

    @invariant()
    def nothing_is_dated_into_a_closed_period_or_after_its_day(self) -> None:
        closed: dict[str, str] = {}
        for entry in self.pen.entries:
            if isinstance(entry.body, entries.PeriodClosed):
                closed[entry.body.org] = entry.body.last_on
            on = getattr(entry.body, "on", "")
            assert on <= _day(entry)
            for org in {account.parse(each.dst).org for each in entry.postings}:
                assert on > closed.get(org, "")

    @invariant()
    def trial_balances_of_closed_periods_stay_what_they_were(self) -> None:
        for entry in self.pen.entries:
            if isinstance(body := entry.body, entries.PeriodClosed):
                assert periods.root(body.org, body.last_on, self.pen.turnovers(body.org, body.last_on)) == body.root

    def _cost(self, fund: str, year: str) -> tuple[int, int]:
        """What a fund paid in a year and what of it was management: what payees have of it, by payment."""
        spent = management = 0
        for payment in self._payments(year):
            assert isinstance(payment.body, entries.MoneyDisbursed)
            qty = sum(
                not slot.gone and slot.seq == payment.seq and slot.home.endswith(f":{fund}")
                for slot in self.units.accounts["payees:" + entries.org_of(payment)]
            )
            spent += qty
            management += qty if payment.body.spending == "management" else 0
        return spent, management

    def _payments(self, year: str) -> Iterator[Entry]:
        for entry in self.pen.entries:
            if isinstance(entry.body, entries.MoneyDisbursed) and entry.body.on[:4] == year:
                yield entry

    def _fund(self, address: str) -> FundOpened:
        """The fund of a line, in either city."""
        _, org, ids = account.parse(address)
        return self.pen.books.funds[org, ids[-1]]

    def _project(self, project: str) -> ProjectOpened:
        return next(each for (_, name), each in self.pen.books.projects.items() if name == project)


def _like(fund: FundOpened, org: str) -> OpenFund:
    """A fund of another organisation under the same terms."""
    return OpenFund(
        maker=ADMINISTRATOR, org=org, fund=_NEW, name=_NEW, restriction=fund.restriction, spending=fund.spending,
        charges=fund.charges, management_ppm=fund.management_ppm, over_ceiling=fund.over_ceiling,
    )  # fmt: skip


def _fits(wanted: Restriction, project: ProjectOpened) -> bool:
    """Whether the project has all that the restriction asks for; the cities here lie in one province."""
    return (
        wanted.project in {"", project.project}
        and wanted.event in {"", project.event}
        and wanted.category in {"", project.category}
        and project.region.startswith(wanted.region.removesuffix("00").removesuffix("00"))
    )


def _keeps(promised: FundOpened, fund: FundOpened) -> bool:
    """Whether a fund is as narrow as the one the money was given for, or narrower."""
    wanted, given = promised.restriction, fund.restriction
    return (
        wanted.project in {"", given.project}
        and wanted.event in {"", given.event}
        and wanted.category in {"", given.category}
        and wanted.recipient in {"", given.recipient}
        and given.region.startswith(wanted.region.removesuffix("00").removesuffix("00"))
        and {*(fund.spending or _USUAL)} <= {*(promised.spending or _USUAL)}
    )


def _day(entry: Entry) -> str:
    return entries.beijing_date(entries.moment(entry.at)).isoformat()
