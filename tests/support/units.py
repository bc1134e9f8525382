"""A second, naive ledger that moves single fen one by one: what the lines of the rules are compared with."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from ledger import account
from ledger.allocations import AllocateMoney, ReleaseMoney
from ledger.corrections import RedirectGift, RefundGift
from ledger.disbursements import DisburseMoney
from ledger.exchange import SettleExchange
from ledger.fees import ChargeFee
from ledger.returns import ReturnMoney
from ledger.reversals import ReverseEntry
from ledger.suspense import IdentifyMoney, ReturnSuspense
from ledger.transfers import ReceiveTransfer, ReturnTransfer, SendTransfer

AnyOutflow: TypeAlias = (
    AllocateMoney
    | ChargeFee
    | DisburseMoney
    | IdentifyMoney
    | ReceiveTransfer
    | RedirectGift
    | RefundGift
    | ReleaseMoney
    | ReturnMoney
    | ReturnSuspense
    | ReturnTransfer
    | ReverseEntry
    | SendTransfer
    | SettleExchange
)

NOBODY = 0
"""In place of a proposal."""


class Unit(NamedTuple):
    """One fen: which gift it came with, and where in that gift."""

    gift: int
    nth: int


@dataclass(slots=True)
class Slot:
    """One place on an account's list."""

    unit: Unit
    seq: int
    """The entry that put the unit here."""
    gone: bool = False
    home: str = ""
    """The list it was on before."""
    purpose: str = ""
    """The fund that its donor wanted it in, or agreed to."""


class Place(NamedTuple):
    """A slot of an account."""

    address: str
    position: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What a command takes, in the order in which it moves; `by_amount`: any other units would do as well."""

    places: list[Place]
    by_amount: bool


class UnitModel:
    """Accounts as lists of single units. It knows no spans and no postings."""

    def __init__(self) -> None:
        self.accounts: dict[str, list[Slot]] = defaultdict(list)
        self.gifts: set[int] = set()
        """Entries that are gifts."""
        self.successors: dict[tuple[str, str, str], str] = {}
        """Closed funds and projects, as ("fund", organisation, id) → the id of their successor."""
        self.late: set[int] = set()
        """Entries that took something home to a successor."""
        self.given_back: dict[int, int] = {}
        """Reversals that put units back in transit or suspense → the entry that had put them there at first."""
        self.amounts: dict[int, dict[str, int]] = {}
        """Open proposals → how much of each account they hold."""
        self.places: dict[int, list[Place]] = {}
        """Open proposals → which units they hold."""

    def resting(self, address: str) -> list[Unit]:
        """The units in an account, held or not."""
        return [slot.unit for slot in self.accounts[address] if not slot.gone]

    def available(self, address: str, proposal: int = NOBODY) -> int:
        """What nobody else holds."""
        amounts = sum(each.get(address, 0) for number, each in self.amounts.items() if number != proposal)
        return len(self._free(address, proposal)) - amounts

    def held(self, address: str) -> tuple[dict[int, int], dict[int, set[int]]]:
        """Proposals → the amount and the positions they hold here."""
        amounts = {number: each[address] for number, each in self.amounts.items() if address in each}
        positions = {
            number: {place.position for place in each if place.address == address}
            for number, each in self.places.items()
        }
        return amounts, {number: each for number, each in positions.items() if each}

    def lowest(self, address: str) -> int | None:
        """The entry that put the lowest unit here that is neither gone nor held."""
        free = self._free(address, NOBODY)
        return self.accounts[address][free[0]].seq if free else None

    def receive(self, gift: int, address: str, qty: int, first: int, purpose: str) -> None:
        """New units, the gift's from its `first` on."""
        self.accounts[address] += [Slot(Unit(gift, nth), gift, purpose=purpose) for nth in range(first, first + qty)]

    def plan(
        self,
        command: AnyOutflow,
        payable: Iterable[str] = (),
        orgs: Iterable[str] = (),
    ) -> Plan:
        """What a new command would take. `payable`: what an outflow may draw on; `orgs`: for which its maker acts."""
        match command:
            case AllocateMoney() | ChargeFee() | SendTransfer() | SettleExchange():
                lowest = [each for address in payable for each in self._lowest(address, command.amount_fen)]
                return Plan(lowest, by_amount=True)
            case DisburseMoney():
                return Plan(self._oldest(payable, command.amount_fen), by_amount=True)
            case ReleaseMoney():
                return Plan(self._of_allocation(command.ref)[: command.amount_fen or None], by_amount=False)
            case IdentifyMoney() | ReturnSuspense():
                return Plan(self._in_suspense(command.org, command.ref)[: command.amount_fen or None], by_amount=False)
            case ReturnMoney():
                return Plan(self._at_payees(command.org, command.ref)[: command.amount_fen or None], by_amount=False)
            case ReceiveTransfer() | ReturnTransfer():
                return Plan(self._in_transit(command)[: command.amount_fen or None], by_amount=False)
            case ReverseEntry():
                return Plan(self._left_of(orgs, command.ref), by_amount=False)
            case RefundGift():
                return Plan(self._of_gift(orgs, command.ref)[: command.amount_fen or None], by_amount=False)
            case RedirectGift():
                there = account.fund(command.org, command.fund)
                found = [place for place in self._of_gift(orgs, command.ref) if place.address != there]
                return Plan(found[: command.amount_fen or None], by_amount=False)

    def hold(self, proposal: int, plan: Plan) -> None:
        """Keep what is planned for a proposal."""
        if plan.by_amount:
            amounts: dict[str, int] = {}
            for address, _ in plan.places:
                amounts[address] = amounts.get(address, 0) + 1
            self.amounts[proposal] = amounts
        else:
            self.places[proposal] = plan.places

    def planned(self, proposal: int) -> list[Place]:
        """What the effect of a proposal takes now."""
        if proposal in self.places:
            return self.places[proposal]
        amounts = self.amounts.get(proposal, {})
        return [place for address, qty in amounts.items() for place in self._lowest(address, qty, proposal)]

    def resolve(self, proposal: int) -> None:
        """Nothing is held any more."""
        self.amounts.pop(proposal, None)
        self.places.pop(proposal, None)

    def identify(self, gift: int, qty: int) -> None:
        """The units that this entry moved are a gift's from now on."""
        moved = ((address, slot) for address, slots in self.accounts.items() for slot in slots if slot.seq == gift)
        for nth, (address, slot) in enumerate(moved):
            slot.unit, slot.purpose = Unit(gift, nth), address
            qty -= 1
        assert qty == 0

    def give_back(self, seq: int, root: int, home: str = "") -> None:
        """What entry `seq` put back is again of the entry `root`, and came from `home`."""
        self.given_back[seq] = root
        for slots in self.accounts.values():
            for slot in slots:
                if slot.seq == seq:
                    slot.home = home or slot.home

    def move(self, places: list[Place], into: str, seq: int, purpose: str = "") -> None:
        """Take the units from their places and put them on the end of another list, in this order.

        `into` "": each goes back home, or to its home's successor. `purpose` "": that stays.
        """
        for address, position in places:
            slot = self.accounts[address][position]
            assert not slot.gone, "moved twice"
            slot.gone = True
            there = into or self.heir(slot.home)
            if there not in {into, slot.home}:
                self.late.add(seq)
            self.accounts[there].append(Slot(slot.unit, seq, home=address, purpose=purpose or slot.purpose))

    def heir(self, address: str) -> str:
        """Where late money of a fund's or project's line goes."""
        kind, org, *names = address.split(":")
        if kind not in {"fund", "project"}:
            return address
        for i, what in enumerate(("project", "fund")[-len(names) :]):
            while successor := self.successors.get((what, org, names[i])):
                names[i] = successor
        return ":".join((kind, org, *names))

    def _free(self, address: str, proposal: int) -> list[int]:
        """Positions neither gone nor held by name by another proposal."""
        others = {place for number, each in self.places.items() if number != proposal for place in each}
        return [
            position
            for position, slot in enumerate(self.accounts[address])
            if not slot.gone and (address, position) not in others
        ]

    def _lowest(self, address: str, qty: int, proposal: int = NOBODY) -> list[Place]:
        return [Place(address, position) for position in self._free(address, proposal)[:qty]]

    def _oldest(self, addresses: Iterable[str], qty: int) -> list[Place]:
        """By the age of their lowest unit; each account gives all that is available before the next one."""
        ages = {address: age for address in addresses if (age := self.lowest(address)) is not None}
        found: list[Place] = []
        for address in sorted(ages, key=lambda each: (ages[each], each)):
            found += self._lowest(address, min(qty - len(found), self.available(address)))
        return found

    def _of_allocation(self, seq: int) -> list[Place]:
        return [
            Place(address, position)
            for address, slots in self.accounts.items()
            if address.startswith("project:")
            for position in self._free(address, NOBODY)
            if slots[position].seq == seq
        ]

    def _in_suspense(self, org: str, seq: int) -> list[Place]:
        address = account.suspense(org)
        slots = self.accounts[address]
        return [
            Place(address, position) for position in self._free(address, NOBODY) if self._root(slots[position]) == seq
        ]

    def _at_payees(self, org: str, payment: int) -> list[Place]:
        address = account.payees(org)
        slots = self.accounts[address]
        return [Place(address, position) for position in self._free(address, NOBODY) if slots[position].seq == payment]

    def _put_by(self, seq: int) -> list[Place]:
        return [
            Place(address, position)
            for address, slots in self.accounts.items()
            for position in self._free(address, NOBODY)
            if self._root(slots[position]) == seq
        ]

    def _root(self, slot: Slot) -> int:
        return self.given_back.get(slot.seq, slot.seq)

    def _left_of(self, orgs: Iterable[str], seq: int) -> list[Place]:
        """What a reversal takes: of a gift its images, and the fee its own entry took; else what the entry brought."""
        put = self._put_by(seq)
        if seq not in self.gifts:
            return put
        return [*self._of_gift(orgs, seq), *(place for place in put if place.address.startswith("fees:"))]

    def _in_transit(self, command: ReceiveTransfer | ReturnTransfer) -> list[Place]:
        receives = isinstance(command, ReceiveTransfer)
        return [
            Place(address, position)
            for address, slots in self.accounts.items()
            if address.startswith("transit:") and address.split(":")[2 if receives else 1] == command.org
            for position in self._free(address, NOBODY)
            if self._root(slots[position]) == command.ref
        ]

    def _of_gift(self, orgs: Iterable[str], gift: int) -> list[Place]:
        found = {
            slots[position].unit.nth: Place(address, position)
            for address, slots in self.accounts.items()
            if address.startswith(tuple(f"{kind}:{org}:" for kind in ("fund", "project") for org in orgs))
            for position in self._free(address, NOBODY)
            if slots[position].unit.gift == gift
        }
        return [found[nth] for nth in sorted(found)]
