"""What the admin application works with; made once in api/main.py and handed on."""

import hmac
from dataclasses import dataclass
from typing import NamedTuple

from api.auth import Doorkeeper
from ledger.store.database import Database
from ledger.store.donors import Donors
from ledger.store.fiscal import FiscalForm
from ledger.store.intake import Intake
from ledger.store.keys import LogKeys, SubjectKeys
from ledger.store.publisher import Publisher
from ledger.store.sequencer import Sequencer
from ledger.store.sheets import Sheets
from ledger.store.vault import Sealer

WITHOUT_ROLE = "without_role"
"""Option of a door that answers whoever has a token; every other read asks for some role, in whatever organisation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """Everything that writes."""

    database: Database
    doorkeeper: Doorkeeper
    sequencer: Sequencer
    sealer: Sealer
    subjects: SubjectKeys
    keys: LogKeys
    donors: Donors
    sheets: Sheets
    intake: Intake
    fiscal_form: FiscalForm
    site: str
    """Address of the public application, as printed links name it."""
    publisher: Publisher | None
    """None where there is no signing key yet."""

    def request_digest(self, *parts: bytes) -> bytes:
        """HMAC of a request's parts: two equal requests are told from different ones, and none can be read."""
        framed = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        return hmac.digest(self.keys.requests, framed, "sha256")


class Clerk(NamedTuple):
    """Who asks, and what the application works with: one dependency, since a second would cost a task for each."""

    staff: str
    resources: Resources
