"""Money that is not (or not yet) a donation: suspense and what becomes of it, other income."""

from collections.abc import Callable
from typing import TypeAlias

from ledger import account
from ledger.entries import IncomeReceived, MoneyIdentified, MoneyUnidentified
from ledger.verify import authority, campaigns, gifts, outflows, periods, postings, rightings, targets
from ledger.verify.entry import Envelope
from ledger.verify.line import Line, Piece
from ledger.verify.persons import check_digests, is_digest
from ledger.verify.rule import Rule
from ledger.verify.state import State

Way: TypeAlias = Callable[[str], tuple[str, str]]
"""From where to where, in an organisation."""

IDENTIFIED = "money.identified"


def unidentified(state: State, entry: Envelope, body: MoneyUnidentified) -> None:
    """One credit of an organisation's suspense, out of the source that is no donor."""
    line = _credit(state, entry, lambda org: (account.unidentified(org), account.suspense(org)))
    _check_intake(state, entry, body, line)
    gifts.check_channel(state, body.channel)
    if line is not None:
        state.unidentified[entry.seq] = _last(entry, line)


def income(state: State, entry: Envelope, body: IncomeReceived) -> None:
    """One credit of a fund, out of the source of its kind."""
    line = _credit(state, entry, lambda org: (account.income(org, body.source), account.fund(org, body.fund)))
    _check_intake(state, entry, body, line)
    if line is not None:
        state.incomes[entry.seq] = _last(entry, line)


def identified(state: State, entry: Envelope, body: MoneyIdentified) -> None:
    """The cited entry's lowest free positions, onto the fund's line; from here on a gift."""
    reading = postings.read(state, entry)
    legs = reading.legs
    org = legs[0].dst.place.org if legs else ""
    authority.check_maker(state, entry.kind, entry.by.maker, org)
    authority.check_alone(state, entry)
    state.check_on(body.on)
    gifts.check_channel(state, body.channel)
    check_digests(state, "donor", body.donor)
    if body.receipt:
        check_digests(state, "receipt", body.receipt)
    if body.event:
        gifts.check_event(state, body.event, org, body.fund)
    campaigns.check_gift(state, body, org)
    campaigns.check_agreement(state, body.agreement, body.right_fen or sum(leg.qty for leg in legs))
    if reading.is_sound:
        way = {(leg.src.name if leg.src else "", leg.dst.name) for leg in legs}
        if way != {(account.suspense(org), account.fund(org, body.fund))}:
            state.find(Rule.POSTINGS_OF_KIND, f"from suspense to fund {body.fund}", sorted(way)[:3])
        else:
            taken = postings.pieces(legs)
            qty = sum(leg.qty for leg in legs)
            expected = targets.left(state, IDENTIFIED, body.ref, entry.by.maker, legs[0].dst, qty)
            if taken != expected:
                told = "an entry of suspense" if expected is None else outflows.told(expected)
                state.find(Rule.TARGET_CITED, told, outflows.told(taken))
        lo = legs[0].dst_lo
        state.found_in[entry.seq] = body.ref
        state.identified[entry.seq] = Piece(legs[0].dst, lo, legs[-1].dst_lo + legs[-1].qty)
    rightings.check(state, entry.kind, body, org, sum(leg.qty for leg in legs))
    postings.move(entry, legs)
    periods.count(state, entry, body.on)
    if reading.is_sound:
        outflows.check_available(state, {leg.src for leg in legs if leg.src is not None})


def _credit(state: State, entry: Envelope, way: Way) -> Line | None:
    """Put what came in on its line; the line, where the posting is the one this kind has."""
    reading = postings.read(state, entry)
    legs = reading.legs
    org = legs[0].dst.place.org if legs else ""
    found = [(posting.src, posting.dst) for posting in entry.postings]
    is_right = reading.is_sound and found == [way(org)]
    if reading.is_sound and not is_right:
        state.find(Rule.POSTINGS_OF_KIND, f"one posting {' to '.join(way(org))}", found[:3])
    postings.move(entry, legs)
    return legs[0].dst if is_right else None


def _last(entry: Envelope, line: Line) -> Piece:
    """What the entry just put on the line."""
    return Piece(line, line.credited - sum(each.qty for each in entry.postings), line.credited)


def _check_intake(state: State, entry: Envelope, body: MoneyUnidentified | IncomeReceived, line: Line | None) -> None:
    """By somebody who takes money in there; dated; its reference is in the log once."""
    if line is not None:
        authority.check_maker(state, entry.kind, entry.by.maker, line.place.org)
    authority.check_alone(state, entry)
    state.check_on(body.on)
    periods.count(state, entry, body.on)
    org = "" if line is None else line.place.org
    rightings.check(state, entry.kind, body, org, sum(each.qty for each in entry.postings))
    if not body.ref:
        return
    if is_digest(body.ref):
        state.references.add(body.ref, state.position)
    else:
        state.find(Rule.DIGEST_FORM, "ref: 64 hex digits", body.ref)
