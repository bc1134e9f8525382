"""Gifts, one by one and as rows of an approved import. Nearly all entries are gifts: the way here is short."""

from ledger import account
from ledger.account import CNY, MAX_POSITION
from ledger.entries import ImportApproved, ImportCompleted, MoneyReceived
from ledger.verify import authority, campaigns, currencies, periods, postings, rightings
from ledger.verify.entry import NO_LINE, NO_PROPOSAL, Envelope, is_day
from ledger.verify.line import Line
from ledger.verify.persons import check_digests, is_digest
from ledger.verify.roles import REQUIRED
from ledger.verify.rule import Rule
from ledger.verify.state import Import, State

MILLION = 1_000_000
"""Shares of a clause are in millionths, rounded down."""

_MAKERS = REQUIRED["money.received"].maker
_IMPORT = REQUIRED["import.approved"]


def received(state: State, entry: Envelope, body: MoneyReceived) -> None:  # noqa: C901  no calls: ten million
    """One credit at the end of its fund's line, by somebody who takes gifts in."""
    line = _credit(state, entry, body)
    by = entry.by
    org = "" if line is None else line.place.org
    periods.count(state, entry, body.on)
    if line is not None and state.society.roles(by.maker, org).isdisjoint(_MAKERS):
        authority.check_maker(state, entry.kind, by.maker, org)
    if by.checkers or by.salt or by.proposal != NO_PROPOSAL:
        authority.check_alone(state, entry)
    if body.on > state.day or not is_day(body.on):
        state.check_on(body.on)
    if body.channel not in state.channels:
        check_channel(state, body.channel)
    if body.event:
        check_event(state, body.event, org, body.fund)
    if state.society.campaigns or body.campaign:
        campaigns.check_gift(state, body, org)
    if body.agreement or state.society.agreement_from >= 0:
        campaigns.check_agreement(state, body.agreement, body.right_fen or sum(each.qty for each in entry.postings))
    ref = body.ref
    if is_digest(body.donor) and (not ref or is_digest(ref)) and (not body.receipt or is_digest(body.receipt)):
        if ref:
            state.references.add(ref, state.position)
    else:
        state.find(Rule.DIGEST_FORM, "donor, ref and receipt: 64 hex digits", f"{body.donor} {ref} {body.receipt}")
    if body.currency or body.original or body.rate or body.corrects or body.right_fen:
        _check_rare(state, entry, body, org)
    if body.batch or body.row:
        _enter_row(state, entry, body, org)


def _check_rare(state: State, entry: Envelope, body: MoneyReceived, org: str) -> None:
    """Foreign currency. A gift that takes the place of a wrong one has its reference, and is no row of an import."""
    qty = sum(posting.qty for posting in entry.postings)
    if body.currency or body.original or body.rate:
        currencies.given(state, entry.seq, body, body.right_fen or qty, org)
    if not (body.corrects or body.right_fen):
        return
    rightings.check(state, entry.kind, body, org, qty)
    if body.batch:
        state.find(Rule.RIGHT_ENTRY, "no row of an import", f"row {body.row} of {body.batch}")


def import_approved(state: State, entry: Envelope, body: ImportApproved) -> None:
    """What the rows are held to."""
    postings.none(state, entry)
    authority.check_entry(state, entry, body, body.org, body.sum_fen)
    if (body.org, body.fund) not in state.society.funds:
        state.find(Rule.FUND_KNOWN, f"a fund of {body.org}", body.fund)
    if body.event:
        check_event(state, body.event, body.org, body.fund)
    check_channel(state, body.channel)
    if not (is_day(body.first_on) and is_day(body.last_on) and body.first_on <= body.last_on <= state.day):
        state.find(Rule.BUSINESS_DATE, f"days until {state.day}", f"{body.first_on} to {body.last_on}")
    if body.rows <= 0 or body.sum_fen <= 0:
        state.find(Rule.IMPORT_AGREES, "rows and a sum to enter", f"{body.rows} rows, {body.sum_fen} fen")
    check_digests(state, "file", body.file)
    state.imports[entry.seq] = Import(body, entry.by.maker)


def import_completed(state: State, entry: Envelope, body: ImportCompleted) -> None:
    """Entered and rejected make up what was approved, in rows and in fen; no row comes later.

    In the name of the import's maker, or of another person who could have approved it and ends it.
    """
    postings.none(state, entry)
    authority.check_alone(state, entry)
    batch = state.imports.pop(body.batch, None)
    if batch is None:
        state.find(Rule.IMPORT_COMPLETED, "an open import", body.batch)
        return
    approved = batch.approved
    by = entry.by.maker
    wanted = _IMPORT.maker if by == batch.maker else _IMPORT.checker
    if state.society.roles(by, approved.org).isdisjoint(wanted):
        state.find(Rule.ROLE_OF_MAKER, f"{batch.maker}, who made the import, or somebody who may check it", by)
    found = (body.org, body.rows, body.sum_fen, body.rejected, body.rejected_fen)
    expected = (
        approved.org,
        batch.rows,
        batch.sum_fen,
        approved.rows - batch.rows,
        approved.sum_fen - batch.sum_fen,
    )
    if found != expected:
        state.find(Rule.IMPORT_COMPLETED, expected, found)
    elif (body.rejected == 0) is not (body.rejected_fen == 0):
        state.find(Rule.IMPORT_COMPLETED, "rejected rows with a sum", f"{body.rejected} of {body.rejected_fen} fen")


def _credit(state: State, entry: Envelope, body: MoneyReceived) -> Line | None:
    """Put the gift on its fund's line; the line, where it has one."""
    if len(entry.postings) == 1 and state.society.policy is not None and not state.society.closed:
        posting = entry.postings[0]
        line = state.lines.get(posting.dst)
        if (
            line is not None
            and posting.dst_lo == line.credited
            and posting.src == line.donors
            and line.place.rest[0] == body.fund
            and posting.src_lo == NO_LINE
            and posting.unit == CNY
            and 0 < posting.qty <= MAX_POSITION - line.credited
        ):
            line.credit(posting.dst_lo, posting.qty, entry.seq)
            return line
    return _credit_slowly(state, entry, body)


def _credit_slowly(state: State, entry: Envelope, body: MoneyReceived) -> Line | None:
    """The same with a name for what is wrong; also how the first gift of a fund comes in."""
    reading = postings.read(state, entry)
    legs = reading.legs
    if reading.is_sound:
        accounts = [(posting.src, posting.dst) for posting in entry.postings]
        org = legs[0].dst.place.org if legs else ""
        into_fund = (f"donors:{org}", f"fund:{org}:{body.fund}")
        into_fees = (f"donors:{org}", f"fees:{org}")
        if accounts not in ([into_fund], [into_fund, into_fees]):
            state.find(Rule.POSTINGS_OF_KIND, f"a posting from donors to fund {body.fund}, its fee", accounts[:3])
        else:
            _check_fee(state, body, org, [posting.qty for posting in entry.postings])
    postings.move(entry, legs)
    return legs[0].dst if legs else None


def _check_fee(state: State, body: MoneyReceived, org: str, amounts: list[int]) -> None:
    """The gift's last fen, as many as the clause says of the whole gift."""
    clause = state.society.funds[org, body.fund].receipt_fee_ppm
    fee = sum(amounts) * clause // MILLION
    found = sum(amounts[1:])
    if found != fee:
        state.find(Rule.FEE_CLAUSE, f"a fee of {fee} of {sum(amounts)}, {clause} millionths", found)


def check_event(state: State, event: str, org: str, fund: str) -> None:
    """A label names a declared event, and none beside that for which the fund was opened."""
    if event not in state.society.events:
        state.find(Rule.EVENT_LABEL, "a declared event", event)
    known = state.society.funds.get((org, fund))
    if known is not None and known.restriction.event not in {"", event}:
        state.find(Rule.EVENT_LABEL, f"the fund's event {known.restriction.event}", event)


def check_channel(state: State, channel: str) -> None:
    """A channel is named by an id."""
    if account.is_id(channel):
        state.channels.add(channel)
    else:
        state.find(Rule.ID_FORM, "a channel of 1 to 32 a-z, 0-9 and inner hyphens", channel)


def _enter_row(state: State, entry: Envelope, body: MoneyReceived, org: str) -> None:
    batch = state.imports.get(body.batch)
    if batch is None:
        state.find(Rule.IMPORT_ROW, "an open import", f"row {body.row} of {body.batch}")
        return
    if body.row <= batch.last_row:
        state.find(Rule.IMPORT_ROW, f"a row after {batch.last_row}", body.row)
    batch.last_row = body.row
    batch.rows += 1
    batch.sum_fen += sum(posting.qty for posting in entry.postings)
    approved = batch.approved
    expected = (approved.org, approved.fund, approved.channel, approved.event, "")
    found = (org, body.fund, body.channel, body.event, body.campaign)
    if found != expected:
        state.find(Rule.IMPORT_AGREES, expected, found)
    if not approved.first_on <= body.on <= approved.last_on:
        state.find(Rule.IMPORT_AGREES, f"{approved.first_on} to {approved.last_on}", body.on)
    if batch.rows > approved.rows or batch.sum_fen > approved.sum_fen:
        told = f"{batch.rows} rows, {batch.sum_fen} fen"
        state.find(Rule.IMPORT_AGREES, f"at most {approved.rows} rows, {approved.sum_fen} fen", told)
