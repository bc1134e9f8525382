"""The demo's story: a flood in Quzhou and the year around it, told through the real commands.

Every kind of event that money can meet happens once at least, and so do the papers that go with it. Run again it finds
itself told.
"""

import json
from pathlib import Path

from ledger.demo import channels, county, flood, papers, society, winter
from ledger.demo.cast import CHECKER, CITY, COUNTY, FOUNDER, MAKER, SECOND
from ledger.demo.clock import StoryClock
from ledger.demo.place import alone, make_signing_key, notes, settle, was_cut_short
from ledger.demo.teller import Teller
from ledger.store import credentials
from ledger.store.database import Database
from ledger.store.files import private_file
from ledger.store.sequencer import Sequencer
from ledger.store.vault import Sealer

__all__ = [
    "CHECKER",
    "CITY",
    "COUNTY",
    "FOUNDER",
    "MAKER",
    "SECOND",
    "StoryClock",
    "alone",
    "make_signing_key",
    "notes",
    "settle",
    "tell",
    "was_cut_short",
]


async def tell(
    sequencer: Sequencer, sealer: Sealer, database: Database, notes: Path, clock: StoryClock
) -> dict[str, dict[str, str]]:
    """Tell the story once; `notes` keeps tokens and codes for the next run. Answers {tokens, codes}.

    `clock`: the sequencer's.
    """
    if notes.exists():
        kept: dict[str, dict[str, str]] = json.loads(notes.read_text())
        return kept
    teller = Teller(sequencer, sealer, clock)
    for chapter in (society, flood, winter, channels, county, papers):
        await chapter.tell(teller)
    tokens = {
        "maker": await credentials.create(database, MAKER, "demo maker"),
        "checker": await credentials.create(database, CHECKER, "demo checker"),
        "administrator": await credentials.create(database, FOUNDER, "demo administrator"),
    }
    kept = {"tokens": tokens, "codes": teller.codes}
    private_file(notes, json.dumps(kept, ensure_ascii=False).encode())
    return kept
