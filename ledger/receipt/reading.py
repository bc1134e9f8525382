"""Whatever form of receipt somebody kept."""

from ledger.log.errors import MalformedError
from ledger.log.note import MAX_NOTE_BYTES
from ledger.receipt import compact
from ledger.receipt.compact import decode_compact
from ledger.receipt.dossier import MAGIC, MAX_DOSSIER_BYTES, decode_dossier
from ledger.receipt.receipt import Receipt

MAX_RECEIPT_BYTES = max(MAX_DOSSIER_BYTES, 2 * MAX_NOTE_BYTES)
"""Of the largest file that may hold receipts. Who reads one reads no more."""


def read_receipts(data: bytes) -> list[Receipt]:
    """The receipts in a file: one in a `.tlog-proof` or a compact form, several in a dossier. Raises MalformedError."""
    if data.startswith(MAGIC):
        return decode_dossier(data)
    if data.startswith(compact.VERSION):
        return [decode_compact(data)]
    try:
        return [Receipt.parse(data)]
    except MalformedError as error:
        raise MalformedError(f"no receipt file, compact receipt or dossier: {error}") from None
