"""Doors at which an entry is cited: whatever is cited there, the answer is one, and nobody else waits for it."""

from typing import Any

from ledger.settings import Settings
from tests.support.office import CITY, opened

DAY = {"org": CITY, "on": "2026-11-01"}
WHY = {"reason": "试错"}
FUND = {"fund": "general", "amount_fen": 1}
BANK = {"channel": "bank", "channel_ref": "试错"}
RECEIPT = {"code": "33060126", "check_code": "a1b2c3"}

CITING: dict[str, dict[str, Any]] = {
    "confirmations": {**DAY, "qty": 1, "outcome": "ok"},
    "erasures": {"org": CITY, "basis": "request"},
    "exchange-settlements": {**DAY, **WHY, "amount_fen": 1},
    "feedback": {**DAY, "text": "试错"},
    "fiscal-receipts": {**DAY, **RECEIPT, "amount_fen": 1},
    "fiscal-voidings": {**DAY, "reason": "mistake"},
    "fiscal-waivers": {**DAY, "reason": "anonymous"},
    "identifications": {**DAY, **FUND, **BANK},
    "pledge-endings": {**DAY, "outcome": "lapsed"},
    "redirections": {**DAY, **WHY, "fund": "general", "amount_fen": 1},
    "refunds": {**DAY, **WHY, "amount_fen": 1},
    "releases": {**DAY, **WHY, "amount_fen": 1},
    "returns": {**DAY, **WHY, "amount_fen": 1},
    "reversals": {**DAY, **WHY, "statement": "试错"},
    "suspense-returns": {**DAY, **WHY, "amount_fen": 1},
    "transfer-arrivals": {**DAY, **FUND},
    "transfer-returns": {**DAY, **WHY, "amount_fen": 1},
}
"""Door → a body that is good but for `ref`, perhaps."""

RIGHTING: dict[str, dict[str, Any]] = {
    "allocations": {**DAY, **FUND, "project": "qz-01"},
    "disbursements": {
        **DAY, "project": "qz-01", "amount_fen": 1, "spending": "aid", "payee": "persons", "purpose": "试错",
    },
    "fees": {**DAY, **FUND, **WHY, "channel": "bank"},
    "income": {**DAY, **FUND, **BANK, "source": "interest"},
    "right-gifts": {**DAY, **FUND},
    "transfers": {**DAY, **FUND, "to": "330824"},
    "unidentified": {**DAY, **BANK, "amount_fen": 1},
}  # fmt: skip
"""Door → the same for `corrects`."""


async def test_an_entry_of_any_kind_can_be_cited_where_another_is_meant(told: Settings) -> None:
    """A right answer or a refusal each time; a batch that fails is tried again and again, before everybody else."""
    async with opened(told) as office:
        sequencer = office.resources.sequencer
        books = sequencer.books
        async with office.resources.database.raw() as connection:
            found = await connection.fetch("select kind, array[min(seq), max(seq)] as seqs from entry group by kind")
        assert len(found) > 30
        cited = sorted({seq for row in found for seq in row["seqs"]})
        for door, body in (*CITING.items(), *RIGHTING.items()):
            for seq in (*cited, 10**9):
                asked = {**body, "ref" if door in CITING else "corrects": seq}
                if door == "fiscal-voidings":
                    asked["issued"] = seq
                if door == "fiscal-receipts":
                    asked["number"] = f"{seq:010}"
                answer = await office.post(door, asked)
                assert answer.status_code in {201, 202, 400, 403, 404, 409, 410, 422}, (door, seq, answer.text)
        assert sequencer.books is books, "nothing was read back from the log, as after a batch that failed"
