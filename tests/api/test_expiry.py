"""Expiry of a proposal, over HTTP and through days that pass, on a real database."""

import time

from ledger import demo
from ledger.approvals import ExpireProposal, SetPolicy
from ledger.settings import Settings
from ledger.store.clock import Clock
from tests.support import clerk
from tests.support.checklog import check_log
from tests.support.clerk import MAKER, payment
from tests.support.office import opened

DAY_S = 86_400


async def test_a_proposal_expires_over_http(told: Settings) -> None:
    async with opened(told) as office:
        unknown = await office.post("proposals/0/expiry")
        assert (unknown.status_code, unknown.json()["type"]) == (409, "/problems/closed")
    async with clerk.opened(told) as desk:
        rules = tuple(desk.sequencer.books.policy.values()) if desk.sequencer.books.policy else ()
        await desk.agreed(SetPolicy(maker=demo.FOUNDER, rules=rules, expires_days=7), demo.SECOND)
        await desk.give(1_000)
        (made,) = await desk.do(payment(1))
        assert made.kind == "proposal.made"
    async with opened(told) as office:
        early = await office.post(f"proposals/{made.seq}/expiry")
        assert (early.status_code, early.json()["type"]) == (400, "/problems/invalid-value")
    later = time.time() + 8 * DAY_S
    started = time.monotonic()
    clock = Clock(wall=lambda: later + time.monotonic() - started)
    async with clerk.opened(told, clock=clock) as desk:
        (expired,) = await desk.do(ExpireProposal(maker=MAKER, proposal=made.seq))
    assert expired.kind == "proposal.expired"
    log = await check_log(told)
    assert log[-1] == expired
